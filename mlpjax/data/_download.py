"""One IDX file from the first mirror that has it, into a cache: whole and verified, or not at all."""

import contextlib
import hashlib
import io
import os
import pathlib
import time
import uuid
from collections.abc import Sequence

from mlpjax import _text
from mlpjax.data import idx

_ABANDONED = 3600.0
"""Age in seconds at which a temporary file belongs to no process that still writes."""


class DownloadError(OSError):
    """No mirror gave the file; the message lists what each answered and what to do without a network."""


def pooch():
    """The downloader, or how to install it."""
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            "Downloading needs the package pooch. Install it with `pip install 'mlpjax[data]'`, or give the "
            "`directory` (on the command line `--data-dir`) that holds the files."
        ) from error
    return pooch


def cache_directory(cache: str | os.PathLike[str] | None) -> pathlib.Path:
    """Where downloads are kept: the argument, else `MLPJAX_CACHE`, else the user's cache directory."""
    return pathlib.Path(cache or os.environ.get("MLPJAX_CACHE") or pooch().os_cache("mlpjax"))


def ensure(path: pathlib.Path, sha256: str, *, urls: Sequence[str], timeout: float, progress: bool) -> None:
    """Make sure that `path` holds the content of this SHA-256, downloading it if need be.

    Args:
        path: the file, decompressed.
        sha256: of the decompressed content, hexadecimal.
        urls: where it is to be had, gzipped or not; tried in turn.
        timeout: seconds to wait for a connection and for each piece of the answer.
        progress: show a progress bar.

    Raises:
        DownloadError: if no URL gives the content.
        OSError: if it cannot be stored.
    """
    _sweep(path)
    if path.is_file() and _sha256(path.read_bytes()) == sha256:
        return
    answers = []
    for url in urls:
        try:
            content = idx.encode(idx.read(_get(url, timeout, progress)))
        except (OSError, ValueError) as error:  # every error of requests is an OSError
            answers.append(f"  {url}\n    {_one_line(error)}")
            continue
        if (found := _sha256(content)) == sha256:
            return _store(path, content)
        answers.append(f"  {url}\n    a file of other content: SHA-256 {found}, not {sha256}")
    raise DownloadError(f"no mirror gave `{path.name}`:\n" + "\n".join(answers))


def _get(url: str, timeout: float, progress: bool) -> bytes:
    """What the server answers, up to a bound, kept in memory: nothing unverified ever lies in the cache."""
    answer, responses = _Bounded(idx.MAX_BYTES), []
    keep = {"response": lambda response, **_: responses.append(response)}
    try:
        pooch().HTTPDownloader(progressbar=progress, timeout=timeout, hooks=keep)(url, answer, None)
    finally:
        for response in responses:
            response.close()
    return answer.getvalue()


class _Bounded(io.BytesIO):
    """Bytes in memory, up to a limit."""

    def __init__(self, limit: int):
        super().__init__()
        self.limit = limit

    def write(self, data, /) -> int:
        if self.tell() + len(data) > self.limit:
            raise OSError(f"an answer of more than {self.limit} bytes")
        return super().write(data)


def _store(path: pathlib.Path, content: bytes) -> None:
    """Write under another name, flush to the disk, rename: readers see the old file or the whole new one."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(temporary, content)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(
            f"`cache` must be a directory that can be written to; `{path.parent}` cannot ({error}). Give another "
            "`cache`, or set the environment variable MLPJAX_CACHE."
        ) from error


def _write(path: pathlib.Path, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sweep(path: pathlib.Path) -> None:
    """Remove what a killed process left behind; a younger file may be another process's, at work now."""
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):  # another process was faster, or the cache is not ours to clean
            if time.time() - leftover.stat().st_mtime > _ABANDONED:
                leftover.unlink()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _one_line(error: Exception) -> str:
    text = _text.printable(" ".join(str(error).split()))
    return f"{type(error).__name__}: {text[:200]}{'…' if len(text) > 200 else ''}"
