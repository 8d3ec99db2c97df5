"""The directory of compiled programs: nobody else writes to it, nothing damaged is in it, and it grows to a limit.

What lies there is executed. So a command is given nothing but what an earlier one left, byte for byte: `SHA256SUMS`
beside the programs says what that was, in the form that `sha256sum -c` takes. JAX by itself leaves half a file if it is
killed or the disk is full, never replaces a damaged one, and does not always notice it.
"""

import contextlib
import hashlib
import importlib
import itertools
import os
import platform
import sys
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from mlpjax import _files
from mlpjax.cli import _run_dir

LIMIT = 32 << 20
"""How many bytes are kept at most; beyond them the oldest programs go."""

SUMS, PROGRAMS, ZSTD = "SHA256SUMS", "*-cache", b"\x28\xb5\x2f\xfd"

CPUINFO = "/proc/cpuinfo"

_INSTRUCTIONS = {
    *("vendor_id", "cpu family", "model", "model name", "stepping", "flags"),
    *("cpu implementer", "cpu architecture", "cpu variant", "cpu part", "features", "isa", "uarch"),
}
"""What of it tells the processor's instructions; the rest changes from moment to moment."""


def directory() -> Path:
    """Where the programs are, those of every machine that shares it."""
    import platformdirs

    if named := os.environ.get("MLPJAX_CACHE"):
        return Path(named).absolute() / "xla"
    try:
        found = Path(platformdirs.user_cache_dir("mlpjax"), "xla")
    except RuntimeError:
        found = Path("~")
    if not found.is_absolute():  # what older versions of platformdirs answer instead
        #: Compiled programs have nowhere to be kept, and are compiled anew each time. `MLPJAX_CACHE=DIR` names a place.
        raise OSError(None, "There is no home directory.")
    return found


def contents(root: Path) -> tuple[int, int]:
    """How many programs there are, and how many bytes."""
    sizes = [file.stat().st_size for file in root.glob(f"*/{PROGRAMS}")]
    return len(sizes), sum(sizes)


class Place(NamedTuple):
    """The directory for this machine and this version of the compiler.

    Attributes:
        path: of the directory.
        sums: the SHA-256 of each program in it, by the name of its file, as it was found to be.
    """

    path: Path
    sums: dict[str, str]


def opened(root: Path) -> Place:
    """The directory for this machine, with nothing in it but what an earlier command left there.

    Args:
        root: of the directories of all machines; made if need be.

    Returns:
        The directory.

    Raises:
        OSError: it cannot be made, or somebody else could write to it.
    """
    path = root / _machine()
    for directory in (root, path):
        _make_own(directory)
    noted, sums = _noted(path), {}
    for file, content in _programs(path):
        if noted.get(file.name) == _sha256(content):
            sums[file.name] = noted[file.name]
        else:
            file.unlink(missing_ok=True)
    return Place(path, sums)


def _make_own(path: Path) -> None:
    """Make a directory that this user alone writes to, or refuse the one that is there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name != "posix":  # elsewhere a user's directories are private by other means
        return
    about = path.stat()
    if about.st_uid != os.geteuid():
        raise OSError(None, f"{path} belongs to another user, and what lies there would be run as yours.")
    if about.st_mode & 0o022:
        raise OSError(None, f"{path} can be written to by others, and what lies there would be run as yours.")


def _machine() -> str:
    """A name for what compiled code depends on. JAX's own key leaves out among how many cores a program is divided."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = repr((platform.system(), platform.machine(), _processor(), cores))
    return f"jaxlib-{_run_dir.version('jaxlib')}-{_sha256(facts.encode())[:12]}"


def _processor() -> str:
    """What the system tells of the processor and its instructions."""
    try:
        with open(CPUINFO) as file:  # up to the first empty line: one core, of what may be hundreds
            lines = [line for line in itertools.takewhile(str.strip, file) if _tells_instructions(line)]
    except OSError:
        lines = []
    return "".join(lines) or f"{platform.processor()} {platform.version()}"


def _tells_instructions(line: str) -> bool:
    return line.partition(":")[0].strip().lower() in _INSTRUCTIONS


def _noted(path: Path) -> dict[str, str]:
    """What the commands before this one have noted."""
    try:
        lines = (path / SUMS).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _programs(path: Path, *, without: Collection[str] = ()) -> Iterator[tuple[Path, bytes]]:
    for file in sorted(path.glob(PROGRAMS)):
        if file.name not in without:
            with contextlib.suppress(FileNotFoundError):  # another command may have removed it just now
                yield file, file.read_bytes()


def note(place: Place) -> None:
    """Write down what has been added since, and remove what is not whole and what is too much.

    Args:
        place: what `opened` returned.

    Raises:
        OSError: something could not be written; it is gone, or is removed by the next command.
    """
    added = dict(_programs(place.path, without=place.sums))
    if not added:
        return
    whole = {file.name: _sha256(content) for file, content in added.items() if _whole(content)}
    for file in added:
        if file.name not in whole:
            file.unlink(missing_ok=True)
    sums = {name: digest for name, digest in (place.sums | whole).items() if (place.path / name).exists()}
    with _files.replacing(place.path / SUMS) as file:
        file.write("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode())
    _shrink(place.path.parent)
    if len(whole) < len(added):
        raise OSError(None, f"Not all of them could be written to {place.path}. Is the disk full?")


def _whole(content: bytes) -> bool:
    """Whether JAX could unpack it: the rest of a file that was not written to its end says so."""
    try:
        _unpack(content)
    except Exception:  # of whatever kind the library raises
        return False
    return True


def _unpack(content: bytes) -> bytes:
    if not content.startswith(ZSTD):
        return zlib.decompress(content)
    if sys.version_info >= (3, 14):
        return importlib.import_module("compression.zstd").decompress(content)
    return importlib.import_module("zstandard").ZstdDecompressor().decompress(content)


def _shrink(root: Path) -> None:
    """Keep within the limit, over all machines and versions; the oldest programs go first."""
    files = sorted(((file.stat(), file) for file in root.glob(f"*/{PROGRAMS}")), key=lambda pair: pair[0].st_mtime)
    excess = sum(about.st_size for about, _ in files) - LIMIT
    for about, file in files:
        if excess <= 0:
            break
        file.unlink(missing_ok=True)
        excess -= about.st_size


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
