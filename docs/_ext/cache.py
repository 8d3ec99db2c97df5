"""What is computed for the site once and kept: under build/site-cache, by the hash of everything that it depends on."""

import functools
import hashlib
import os
import pathlib
import tempfile

from docs._ext.sources import ROOT

FOLDER = ROOT / "build" / "site-cache"


@functools.cache
def package_hash():
    """Changes with every file of the package, and with the versions of what it computes with."""
    digest = hashlib.sha256()
    for file in sorted(f for f in (ROOT / "mlpjax").rglob("*") if f.is_file() and f.suffix != ".pyc"):
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    for name in ("jax", "jaxlib", "optax", "numpy"):
        digest.update(f"{name} {version(name)}".encode())
    return digest.hexdigest()


def version(name):
    """The installed version of a package."""
    from importlib import metadata

    return metadata.version(name)


def cached(kind, name, depends, make):
    """The text `make()` returns, computed once for each content of `depends` (files or strings) and of the package."""
    digest = hashlib.sha256(package_hash().encode())
    for part in depends:
        digest.update(part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode())
    file = FOLDER / kind / f"{name}-{digest.hexdigest()[:20]}"
    if not file.exists():
        text = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        for old in file.parent.glob(f"{name}-{'?' * 20}"):
            old.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as part:
            part.write(text)
        os.replace(part.name, file)
    return file.read_text("utf-8")
