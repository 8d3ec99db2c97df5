"""Code on a page is run when the site is built, and what it prints stands below it."""

import pytest

pytest.importorskip("markdown", reason="the site's tools are in the [docs] extra")

from docs._ext import cache, execute
from tests.docs.site import html


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "FOLDER", tmp_path)
    return tmp_path


def test_output_stands_below_its_block():
    page = html("```python\nx = 6\n```\n\ntext\n\n```python\nprint(x * 7)\n```\n")
    assert page.count("mx-output") == 1 and page.index("text") < page.index("mx-output") < page.index("42")


def test_output_within_a_solution():
    page = html('??? note "S"\n\n    ```python\n    for i in range(2):\n        print(i)\n    ```\n\n    after\n')
    assert page.index("<details") < page.index("mx-output") < page.index("after") < page.index("</details")


@pytest.mark.parametrize("text", ["```python {.no-run}\n1 / 0\n```", "```pycon\n>>> 1 / 0\n```", "```text\n1 / 0\n```"])
def test_not_run(text):
    assert "mx-output" not in html(text)


def test_a_failing_block_stops_the_build():
    with pytest.raises(execute.ExecutionError, match=r"(?s)line 5.*AssertionError: no"):
        html("a\n\n```python\nx = 1\nassert x == 2, 'no'\n```")


def test_once_for_each_content(folder, monkeypatch):
    execute.outputs("page", "```python\nprint(1)\n```")
    monkeypatch.setattr(execute, "in_process", lambda *_: pytest.fail("run again"))
    assert execute.outputs("page", "\n```python\nprint(1)\n```") == ["1\n"]
    assert len(list((folder / "code").iterdir())) == 1


def test_default_precision():
    code = "```python\nimport jax.numpy as jnp\nprint(jnp.zeros(1).dtype)\n```"
    assert execute.outputs("page", code) == ["float32\n"]
