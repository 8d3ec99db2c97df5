"""Check what is, and what is not, inside the wheel given as argument."""

import sys
import zipfile

NEEDED = ("mlpjax/__init__.py", "mlpjax/py.typed", "mlpjax/cli", "digits.npz", "licenses/LICENSE", "DIGITS-LICENSE.txt")
FORBIDDEN = ("tests/", "test_", "docs/", "benchmarks/", "__pycache__", ".pyc")

if __name__ == "__main__":
    names = zipfile.ZipFile(sys.argv[1]).namelist()
    missing = [part for part in NEEDED if not any(part in name for name in names)]
    extra = [name for name in names if any(part in name for part in FORBIDDEN)]
    outside = [name for name in names if not name.startswith(("mlpjax/", "mlpjax-"))]
    print(f"{len(names)} files in {sys.argv[1]}")
    if missing or extra or outside:
        raise SystemExit(f"missing: {missing}; not wanted: {extra + outside}")
