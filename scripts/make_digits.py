"""Make `mlpjax/data/digits.npz` from scikit-learn's copy of the UCI digits; the same bytes every time.

    python scripts/make_digits.py            # writes the file, prints its SHA-256
    python scripts/make_digits.py --check    # writes nothing, fails if the file differs

The split is decided here once and stored: within each class the examples are ordered by the SHA-256 of their number and
the first fifth is for testing. The compressed bytes can depend on the build of zlib; the arrays cannot. Where another
zlib compresses otherwise, `--check` still compares every array.
"""

import argparse
import hashlib
import io
import pathlib
import sys
import zipfile

import numpy as np

PATH = pathlib.Path(__file__).parent.parent / "mlpjax" / "data" / "digits.npz"
TEST_SHARE = 0.2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="compare with the file in the repository instead of writing"
    )
    content = pack(arrays())
    if parser.parse_args().check:
        same = equal(content, PATH.read_bytes())
        print("unchanged" if same else f"{PATH} differs from what this script makes: run it without --check")
        return 0 if same else 1
    PATH.write_bytes(content)
    print(hashlib.sha256(content).hexdigest(), f"{len(content)} bytes", PATH)
    return 0


def arrays() -> dict[str, np.ndarray]:
    """Images, labels and the side of the split, in scikit-learn's order."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    assert x.shape == (1797, 64) and np.array_equal(x, np.clip(np.rint(x), 0, 16))
    return {"x": x.astype(np.uint8), "y": y.astype(np.uint8), "test": held_out(y)}


def held_out(y: np.ndarray) -> np.ndarray:
    """True for a fifth of each class, by an order that no version of any library can change."""
    order = sorted(range(len(y)), key=lambda i: hashlib.sha256(f"mlpjax digits {i}".encode()).digest())
    test = np.zeros(len(y), bool)
    for label in range(10):
        members = [i for i in order if y[i] == label]
        test[members[: round(TEST_SHARE * len(members))]] = True
    return test


def pack(named: dict[str, np.ndarray]) -> bytes:
    """An npz file without a clock: every member is dated 1 January 1980."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in named.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def equal(a: bytes, b: bytes) -> bool:
    """The same bytes, or at least the same arrays."""
    if a == b:
        return True
    with np.load(io.BytesIO(a)) as left, np.load(io.BytesIO(b)) as right:
        same = set(left.files) == set(right.files)
        return same and all(left[k].dtype == right[k].dtype and np.array_equal(left[k], right[k]) for k in left.files)


if __name__ == "__main__":
    sys.exit(main())
