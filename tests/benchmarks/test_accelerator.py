"""The benchmarks of an accelerator, tried on the CPU with nets of a few units."""

import json
import math
import re
import time

import jax
import pytest

from benchmarks import accelerator, tables
from benchmarks.on_device import parts, programs
from benchmarks.on_device.plans import TINY
from benchmarks.on_device.workloads import Bench, Entry, multiplying

CATALOG = dict(Bench(TINY, None).catalog())
PRODUCTS = {
    "card": {("HIGHEST", "f32"), ("HIGH", "f32"), ("DEFAULT", "bf16")},
    "ensemble": {("DEFAULT", "f32")},
    "wide-16-bfloat16": {("DEFAULT", "bf16")},
}


@pytest.fixture(autouse=True)
def as_users_run_it():
    """JAX's own settings: the suite's are stricter than what optax and the rivals are written for. And in a hurry."""
    jax.config.update("jax_disable_most_optimizations", True)
    with jax.enable_x64(False), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield
    jax.config.update("jax_disable_most_optimizations", False)


def command(path, *words):
    """What the command leaves in its file."""
    accelerator.main(["--tiny", "--out", str(path), *words])
    return json.loads(path.read_text())


def check(results, capsys):
    """Every workload has all its programs, they did the same work, and the table of each was printed."""
    printed = capsys.readouterr().out
    for name, result in results.items():
        assert result["rows"], name
        assert not result.get("missing") and not result.get("unequal"), name
        assert all(row["median"] >= 0 for row in result["rows"])
        table = tables.table(result)
        assert all(tables.named(row["name"]) in table for row in result["rows"])
        assert name == "compile" or table in printed


def test_the_command_runs(tmp_path, capsys):
    pytest.importorskip("equinox", reason="equinox is not installed")
    results = command(tmp_path / "new" / "kept.json", "epoch-small-16")
    check(results, capsys)
    assert list(results) == ["epoch-small-16", "compile"]
    rows = {row["name"]: row for row in results["epoch-small-16"]["rows"]}
    assert math.isfinite(rows["mlpjax"]["loss"]) and rows["matmuls alone"]["loss"] is None
    assert {bar["theirs"] for bar in results["epoch-small-16"]["bars"]} == {"mlpjax, jax.grad", "equinox.scan"}
    assert [row["name"] for row in results["compile"]["rows"]] == [f"epoch-small-16: {name}" for name in rows]
    assert all(row["compile"] > 0 and row["from_host"] is None for row in rows.values())


@pytest.mark.nightly
def test_every_workload_runs(tmp_path, capsys):
    pytest.importorskip("equinox", reason="equinox is not installed")
    results = command(tmp_path / "kept.json")
    check(results, capsys)
    assert set(results) == {*CATALOG, "compile"}
    wide = {row["name"]: row for row in results["wide-16-bfloat16"]["rows"]}
    assert len(wide["mlpjax, Adam"]["shares"]) == 3 and len(wide["matmuls alone"]["shares"]) == 1


@pytest.mark.parametrize("name", PRODUCTS)
def test_programs_can_be_lowered_for_a_gpu(name, monkeypatch):
    """As far as can be known without one; products are of the precision that the title says."""
    found = set()

    def lowered(fn, *arguments, donate=()):
        program = jax.jit(fn, donate_argnums=donate).trace(*arguments).lower(lowering_platforms=("cuda",)).as_text()
        found.update(re.findall(r"dot_general .*precision = \[(\w+),.*-> tensor<(?:\d+x)*(\w+)>", program))
        return None, {}

    monkeypatch.setattr(programs, "compiled", lowered)
    entry = CATALOG[name]()
    with multiplying(entry.precision):
        for make in entry.makers.values():
            make()
    assert found == PRODUCTS[name]


def test_a_part_left_out_is_not_traced(monkeypatch):
    problem, pixels = programs.problem((784, 8, 10), 16, 4, directory=None, examples=64)
    monkeypatch.setattr(programs, "compiled", lambda fn, *arguments: (None, {"text": jax.make_jaxpr(fn)(*arguments)}))
    trace = lambda: str(programs.whole_run(problem, pixels=pixels).built["text"])
    whole, lacking = trace(), {}
    for name in parts.PARTS:
        with parts.without(name):
            lacking[name] = trace()
    assert trace() == whole  # it is put back
    assert all(len(lacking[name]) < len(whole) for name in ("settle", "finite", "choice", "shuffle"))
    branches = {name: text.count("cond[") for name, text in lacking.items()}
    assert branches["settle"] < branches["branches"] < whole.count("cond[") == branches["finite"]
    assert branches["choice"] < branches["branches"]  # the one in `settle` too
    sums = {name: text.count("reduce_sum") for name, text in lacking.items()}
    assert sums["finite"] < sums["settle"] < whole.count("reduce_sum")  # neither gradient nor parameters are looked at


def test_what_fails_is_noted_and_the_rest_goes_on():
    def fail():
        raise MemoryError("RESOURCE_EXHAUSTED: out of memory\nand more")

    sound = programs.Program(lambda: lambda: None, {"compile": 0.0})
    entry = Entry("Two programs", "calls/s", {"large": fail, "small": lambda: sound}, 1.0, unequal=("small",))
    result = accelerator.compare(entry, TINY, time.monotonic() + 60, lambda line: None)
    assert result["missing"] == {"large": "MemoryError: RESOURCE_EXHAUSTED: out of memory"}
    assert [row["name"] for row in result["rows"]] == ["small"]
    assert "not measured: MemoryError" in tables.table(result)

    late = accelerator.compare(entry, TINY, time.monotonic() - 1, lambda line: None)
    assert set(late["missing"]) == {"large", "small"} and not late["rows"]
    broken = accelerator.attempt("broken", fail, TINY, time.monotonic() + 60, lambda line: None)
    assert "out of memory" in tables.table(broken)


def test_other_losses_are_named():
    entry = Entry("", "", {}, 1.0, tolerance=0.01, unequal=("floor",))
    losses = {"ours": 2.0, "theirs": 2.01, "wrong": 2.1, "broken": math.nan, "floor": 5.0}
    assert accelerator.unequal(entry, losses) == ["wrong", "broken"]


def test_the_processor_is_no_accelerator(capsys):
    with pytest.raises(SystemExit):
        accelerator.parse([])
    assert "--small tries the command on the CPU" in capsys.readouterr().err
