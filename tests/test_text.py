"""What a terminal would obey is shown instead."""

import pytest

from mlpjax import _text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, σ′ and 7 × 7", "plain, σ′ and 7 × 7"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\n\tc", "a\\rb\\n\\tc"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\udcff.png", "\\udcff.png"),
    ],
)
def test_codes_become_escapes(text, shown):
    assert _text.printable(text) == shown and shown.isprintable()
    assert _text.printable(shown) == shown


def test_what_is_kept_and_what_is_cut():
    assert _text.printable("a\nb\x07", keep="\n") == "a\nb\\x07"
    assert _text.brief("a" * 101) == "a" * 100 + "…" and _text.brief("a" * 100) == "a" * 100
    assert _text.listed(["a", "b\x1b"]) == "a; b\\x1b"
    assert _text.listed(["a"] * 2000, most=2) == "a; a; and 1,998 more"
