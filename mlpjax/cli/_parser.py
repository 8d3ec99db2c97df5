"""From plain dataclasses to options: the fields are the options, their docstrings the help.

tyro does the work, because it reads what is there anyway: the same frozen `Recipe` is the command line, the
configuration file and the header of the checkpoint, and none of the three can drift from the others. Typer and click
would want every option written down once more.
"""

import contextlib
import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from mlpjax import _text

_LISTS = re.compile(r"\d+(,\d+)+")
_ARGUMENT = re.compile(r"`([a-z_0-9]+)`")
_SAME = (
    "hidden epochs batch_size learning_rate weight_decay dropout l1 l2 shift patience validation seed sizes examples"
)
_OPTIONS = {name: "--" + name.replace("_", "-") for name in _SAME.split()} | {
    "directory": "--data-dir", "pixels": "--shift",
}  # fmt: skip
"""The options that the library knows by these names."""


def parse(command: str, about: str, args: Sequence[str], *groups: Any, positional: Mapping[str, str]) -> list[Any]:
    """Read the options of a command.

    Args:
        command: its name.
        about: what it does, with an example, for `--help`.
        args: what was typed behind the command.
        *groups: dataclasses, or instances of them that hold the defaults; each makes a box of the help.
        positional: fields that are given by place, without `--`, and how the help calls them.

    Returns:
        An instance of each group.
    """
    import tyro

    classes = [group if isinstance(group, type) else type(group) for group in groups]
    fields = [_group(group, positional) for group in groups]
    # one group by itself is not worth a box of its own, "options options"
    every = dataclasses.make_dataclass("options", fields) if len(fields) > 1 else fields[0][1]
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    read = functools.partial(tyro.cli, every, prog=f"mlpjax {command}", description=about, config=config)
    words = _split_lists(args)
    # the name of a file may hold codes that a terminal obeys, and what is wrong is printed as it is
    parsed = read(args=[_text.printable(word) for word in words])
    parsed = parsed if "".join(words).isprintable() else read(args=words)
    found = [getattr(parsed, cls.__name__.lower()) for cls in classes] if len(fields) > 1 else [parsed]
    return [cls(**vars(values)) for cls, values in zip(classes, found, strict=True)]


@contextlib.contextmanager
def naming_options() -> Iterator[None]:
    """The library's messages name its arguments; who types a command knows them as options."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        if len(error.args) == 1:
            error.args = (_ARGUMENT.sub(lambda found: f"`{_OPTIONS.get(found[1], found[1])}`", str(error)),)
        raise


def _group(group: Any, positional: Mapping[str, str]) -> tuple:
    """A dataclass like the group, in which tyro sees what is positional and what the defaults are."""
    cls = group if isinstance(group, type) else type(group)
    fields = []
    for field in dataclasses.fields(cls):
        default = field.default if isinstance(group, type) else getattr(group, field.name)
        options = {} if default is dataclasses.MISSING else {"default": default}
        fields.append((field.name, _annotation(field, positional), dataclasses.field(**options)))
    doc = (cls.__doc__ or "").replace("`", "")
    twin = dataclasses.make_dataclass(cls.__name__, fields, namespace={"__doc__": doc}, frozen=True)
    required = any(f.default is dataclasses.MISSING for f in dataclasses.fields(twin))
    return (cls.__name__.lower(), twin) if required else (cls.__name__.lower(), twin, dataclasses.field(default=twin()))


def _annotation(field: Any, positional: Mapping[str, str]) -> Any:
    import tyro

    if field.name not in positional:
        # "PATH", not "{None}|PATH"
        return Annotated[field.type, tyro.conf.arg(metavar="DIR")] if field.type == Path | None else field.type
    argument: Any = tyro.conf.arg(metavar=positional[field.name])
    return tyro.conf.Positional[Annotated[field.type, argument]]


def _split_lists(args: Sequence[str]) -> list[str]:
    """`--hidden 64,32` is `--hidden 64 32`."""
    split: list[str] = []
    for i, arg in enumerate(args):
        listed = i > 0 and args[i - 1] in ("--hidden", "--sizes") and _LISTS.fullmatch(arg)
        split.extend(arg.split(",") if listed else [arg])
    return split
