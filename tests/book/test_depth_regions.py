"""What the chapter on depth says of the regions of a network that reads MNIST, against what the benchmark wrote."""

import json
import pathlib
import re

import numpy as np
import pytest

from mlpjax.layers import Dense
from mlpjax.theory import regions

DOCS = pathlib.Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def found():
    return json.loads((DOCS / "figures" / "data" / "regions.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def rows():
    """The tables of the page: `{first cell: the others}`."""
    lines = (DOCS / "book" / "depth.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("|")]
    return {first: others for first, *others in cells}


@pytest.mark.ledger("DEP2")
def test_the_tables_are_those_of_the_benchmark(found, rows):
    for column, when in enumerate(("before", "after")):
        measured = found[when]
        said = {name: float(re.sub("[, %]", "", cells[column])) for name, cells in rows.items() if cells[column:] and
                name in TABLE}  # fmt: skip
        assert said == {name: pytest.approx(value(measured)) for name, value in TABLE.items()}
    assert regions.line_bound((256, 256)) == 66_049 and regions.upper_bound((256, 256), 2) == 1_082_212_609
    assert rows["bound"] == ["1,082,212,609"] * 2


TABLE = {
    "right answers": lambda m: round(100 * m["accuracy"], 1),
    "pieces of a segment, fewest": lambda m: min(m["pieces"]),
    "median": lambda m: np.median(m["pieces"]),
    "most": lambda m: max(m["pieces"]),
    "pieces of the whole line through the first pair": lambda m: m["whole_line"],
    "regions": lambda m: m["polygons"],
    "of them met by the centers of 512² pixels": lambda m: m["patterns_of_pixels"],
}


@pytest.mark.ledger("DEP2")
def test_the_sentences_are_those_of_the_benchmark(found):
    """Fifty segments on which each breakpoint bends; areas that add up; milliseconds; a fifth more regions."""
    before, after = found["before"], found["after"]
    for measured in (before, after):
        assert len(measured["pieces"]) == 50 and measured["pieces"] == measured["bends"]
        assert abs(measured["area_error"]) < 1e-14 and measured["nearest"] > 1e-9
        seconds = measured["seconds"]
        assert seconds["pieces"] < 0.005 and max(seconds["polygons"], seconds["raster"]) < 1.3
    assert (found["sizes"], found["epochs"], found["pixels"], found["window"]) == ([784, 256, 256, 10], 3, 512, 1 / 25)
    assert 0.15 < after["polygons"] / before["polygons"] - 1 < 0.25


@pytest.mark.ledger("DEP2")
def test_two_layers_of_two_units_have_seven_pieces_at_most():
    """Exercise: never more than 7 of the 9 that the bound allows; and an example of 7."""
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(400):
        params = tuple(Dense(rng.normal(size=s), rng.normal(size=s[0])) for s in ((2, 1), (2, 2), (1, 2)))
        counts.append(len(regions.pieces(params, np.zeros(1), np.ones(1)).slopes))
    assert max(counts) == 7 < regions.line_bound((2, 2)) == 9
