"""The entry point: which command, and what becomes of its errors."""

import contextlib
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from mlpjax import _text
from mlpjax.cli import _compiled, _run_dir, _signals

INSTALL = "The command line needs {name}. Install what it needs with:\n\n    pip install 'mlpjax[cli]'"


class Command(NamedTuple):
    """What the overview says of a command; `mlpjax.cli._NAME` has the function `run(args) -> exit code`."""

    about: str
    example: str
    compiles: bool = True


COMMANDS = {
    "train": Command("train a network, and keep everything about the run", "mlpjax train"),
    "evaluate": Command("how good it is on the test set, class by class", "mlpjax evaluate runs/digits-…"),
    "predict": Command("read the digit in a picture", "mlpjax predict photo.png"),
    "gradcheck": Command("check BP1 to BP4 against finite differences", "mlpjax gradcheck --sizes 4,5,3"),
    "info": Command("versions and devices, or what there is to know of a run", "mlpjax info", False),
    "export": Command("write the weights for PyTorch", "mlpjax export runs/digits-… model.safetensors", False),
}

OVERVIEW = """usage: mlpjax COMMAND [OPTIONS]

Train multilayer perceptrons in JAX, and look into them.

{commands}

First steps:
  mlpjax train                  train on the handwritten digits that ship with the package, in seconds
  mlpjax evaluate runs/digits-… test it again, class by class
  mlpjax train mnist            the same on MNIST, downloaded once
  mlpjax COMMAND --help         every option of a command, with its default

  --version      print the version
  --debug        show the traceback of an error (as does MLPJAX_TRACEBACK=1)

What was compiled is kept for the next command, in a directory that only you can write to; `mlpjax info` says where.
  MLPJAX_CACHE=DIR                       keep it there, and what was downloaded
  JAX_ENABLE_COMPILATION_CACHE=false     compile everything anew each time
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments; by default those of the process.

    Returns:
        The exit code: 0 for success, 1 if something failed, 2 if the command was given something wrong, 130 after
        Ctrl-C, 143 after SIGTERM.

    Example:
        >>> from mlpjax.cli import main
        >>> main(["--version"]) == 0
        mlpjax ...
        True
    """
    args = list(sys.argv[1:] if argv is None else argv)
    debug = bool(os.environ.get("MLPJAX_TRACEBACK")) or "--debug" in args
    try:
        with _signals.alike(own_process=argv is None):
            code = _dispatch([arg for arg in args if arg != "--debug"])
            sys.stdout.flush()
            return code
    except SystemExit as stop:  # the parser's: help, or a wrong option
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt as stopped:
        return _say(_signals.words_of(stopped), 128 + _signals.number(stopped))
    except BrokenPipeError:  # the reader of our output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        return _say(f"error: {_message(error)}", _exit_code(error))


def _dispatch(args: list[str]) -> int:
    if args[:1] == ["--version"]:
        print("mlpjax", _run_dir.version("mlpjax"))
        return 0
    for name in ("tyro", "rich", "tomli_w", "PIL"):
        try:
            importlib.import_module(name)
        except ImportError:
            return _say(INSTALL.format(name=name), 2)
    if not args or args[0] in ("-h", "--help", "help"):
        print(overview(), end="")
        return 0 if args else 2
    if args[0] not in COMMANDS:
        return _say(f"error: there is no command {args[0]!r}.{_nearest(args[0])} See `mlpjax --help`.", 2)
    return _run(args[0], args[1:])


def _run(name: str, args: list[str]) -> int:
    keep = COMMANDS[name].compiles and not {"-h", "--help"} & set(args)
    with _compiled.kept() if keep else contextlib.nullcontext():
        return importlib.import_module(f"mlpjax.cli._{name}").run(args)


def overview() -> str:
    """What `mlpjax --help` prints."""
    lines = [f"  {name:<10} {c.about}\n{'':13}$ {c.example}" for name, c in COMMANDS.items()]
    return OVERVIEW.format(commands="\n".join(lines))


def _nearest(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _say(text: str, code: int) -> int:
    print(f"mlpjax: {_text.printable(text, keep=chr(10))}", file=sys.stderr)
    return code


def _message(error: Exception) -> str:
    """What is wrong, for a reader who did not write the program."""
    # the library's own are whole sentences already
    if (
        isinstance(error, OSError)
        and error.errno
        and not str(error.strerror).endswith((".", "?"))
        and type(error) in _PLAIN
    ):
        advice = " Choose a place that you may write to." if error.errno in _PLACES else ""
        return f"{error.filename or 'the file'}: {error.strerror}.{advice}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, ValueError | TypeError | ImportError | FloatingPointError):
        return str(error)
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        return "there is not enough memory for that. Take a smaller network, a smaller batch or a smaller file."
    return f"{type(error).__name__}: {error} (MLPJAX_TRACEBACK=1 shows where; please report it)"


_PLAIN = {OSError, FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError}
_PLACES = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)


def _exit_code(error: Exception) -> int:
    """2 for what was given, 1 for what the world refused; a damaged checkpoint is both, and counts as the world."""
    return 2 if isinstance(error, ValueError | TypeError | ImportError) and not isinstance(error, OSError) else 1
