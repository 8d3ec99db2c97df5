"""Text from elsewhere, before it is shown."""

from collections.abc import Sequence

__all__ = ["brief", "listed", "printable"]


def printable(text: str, keep: str = "") -> str:
    r"""Write what a terminal would obey, or not show, as an escape: `"\x1b"` as `"\\x1b"`.

    A name in a file, and the name of a file, may hold codes that move the cursor, hide what was printed before, or
    turn the direction of writing. None of them is printable, in the sense of `str.isprintable`.

    Args:
        text: of any origin.
        keep: characters that stay as they are, such as a line break.

    Returns:
        Text that reads as it is.
    """
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def brief(text: str, most: int = 100) -> str:
    """The same, and of what is too long only the beginning."""
    return printable(text if len(text) <= most else text[:most] + "…")


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names one after another, and of too many only how many more there are."""
    more = f"; and {len(names) - most:,} more" if len(names) > most else ""
    return "; ".join(brief(name) for name in names[:most]) + more
