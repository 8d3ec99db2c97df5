"""The site as one zip that opens from the disk: `python -m docs._ext.offline mlpjax-docs.zip`.

Unpack it and open index.html: search and demos work, nothing is fetched. The same sources give the same bytes.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from docs._ext import finish

ROOT = pathlib.Path(__file__).parents[2]
# of no use on a disk:
SERVERS = {"404.html", "objects.inv", "sitemap.xml", "sitemap.xml.gz", "search/search_index.json"}
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def build(folder):
    """Build the offline site into `folder`."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "mkdocs.offline.yml", "-d", str(folder)]
    # a fixed PYTHONHASHSEED, since autorefs keeps backlinks in sets
    settings = {"OFFLINE": "true", "NO_MKDOCS_2_WARNING": "1", "PYTHONHASHSEED": "0"}
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, **settings})


def pack(folder, out):
    """Zip the files of `folder`, sorted and with one date, under one folder that is named like the zip."""
    files = {f.relative_to(folder).as_posix(): f for f in pathlib.Path(folder).rglob("*") if f.is_file()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files.keys() - SERVERS):
            entry = zipfile.ZipInfo(f"{pathlib.Path(out).stem}/{name}", LONG_AGO)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, files[name].read_bytes())
    return len(files)


def main(arguments=None):
    """Build, then pack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path, help="the zip to write")
    out = parser.parse_args(arguments).out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        finish.index(pathlib.Path(folder))
        number = pack(folder, out)
    print(f"{out}: {number} files, {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
