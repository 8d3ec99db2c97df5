"""A piece of a page, converted as the site converts it."""

import pytest

markdown = pytest.importorskip("markdown", reason="the site's tools are in the [docs] extra")
pytest.importorskip("quickjs")

from docs._ext import equations, figures  # noqa: E402

FENCES = [
    {"name": "math", "class": "math", "validator": equations.math_options, "format": equations.math_fence},
    {"name": "figure", "class": "figure", "validator": figures.options, "format": figures.figure_fence},
    {"name": "demo", "class": "demo", "validator": figures.options, "format": figures.demo_fence},
]
EXTENSIONS = {
    "admonition": {},
    "attr_list": {},
    "md_in_html": {},
    "tables": {},
    "toc": {},
    "pymdownx.arithmatex": {"generic": True},
    "docs._ext.maths": {},
    "docs._ext.execute": {},
    "docs._ext.equations": {},
    "docs._ext.tables": {},
    "docs._ext.references": {},
    "pymdownx.details": {},
    "pymdownx.highlight": {"pygments_lang_class": True},
    "pymdownx.superfences": {"custom_fences": FENCES},
}


def html(text):
    return markdown.Markdown(extensions=list(EXTENSIONS), extension_configs=EXTENSIONS).convert(text)
