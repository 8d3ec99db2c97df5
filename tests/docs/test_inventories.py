"""The inventories name what exists, and mkdocs.yml uses them as they are written."""

import importlib
import pathlib
import zlib

import pytest

pytest.importorskip("platformdirs", reason="the site's tools are in the [docs] extra")

from docs._ext import inventories

ROOT = pathlib.Path(__file__).parents[2]
ENTRIES = [(project, names) for project, names in inventories.projects().items()]
SUBMODULES = {"jax": ("flatten_util", "scipy.special", "nn.initializers"), "optax": ("schedules",), "numpy": ()}


@pytest.mark.parametrize("project, names", ENTRIES, ids=lambda x: x if isinstance(x, str) else "")
def test_every_name_exists(project, names):
    module = importlib.import_module(project)
    for each in SUBMODULES[project]:
        importlib.import_module(f"{project}.{each}")
    for name in names.keys() - inventories.ALIASES:
        found = module
        for part in name.split(".")[1:]:
            found = getattr(found, part)


@pytest.mark.parametrize("project, names", ENTRIES, ids=lambda x: x if isinstance(x, str) else "")
def test_files_are_up_to_date(project, names):
    """Compared unpacked: another zlib may pack otherwise."""
    head, body = (inventories.FOLDER / f"{project}.inv").read_bytes().split(b"using zlib.\n")
    new_head, new_body = inventories.inventory(project, names).split(b"using zlib.\n")
    assert head == new_head and zlib.decompress(body) == zlib.decompress(new_body)


def test_the_site_uses_them():
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    for project, base in inventories.BASE.items():
        assert f'{{url: "file:docs/_ext/inv/{project}.inv", base_url: "{base}"}}' in text


def test_reading_them_back():
    lines = zlib.decompress((inventories.FOLDER / "optax.inv").read_bytes().split(b"using zlib.\n")[1]).decode()
    assert "optax.adam py:function 1 api/optimizers.html#optax.adam -\n" in lines
    page = "api/optimizer_schedules.html"
    assert f"optax.linear_schedule py:function 1 {page}#optax.schedules.linear_schedule -\n" in lines
