"""Whole processes: what a person waits for, imports and compilation included."""

import functools
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

from benchmarks import measure, tables

HERE = pathlib.Path(__file__).parent / "fresh"
RECIPES = json.loads((HERE / "recipes.json").read_text())
ONE_EPOCH = dict(
    hidden=[128], epochs=1, batch=128, rate=1e-3, schedule="constant", shift=0, dropout=0.0, weight_decay=0.0
)
ONE_EPOCH |= dict(smoothing=0.0, seed=0)
SCRIPTS = {"mlpjax": ["mlpjax_run.py"], "PyTorch, lean": ["pytorch_accuracy.py", "--lean"]}


def process(script: str, *arguments: str) -> dict:
    """Run a script to its end; what it printed last."""
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parents[1])
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def place(directory: str | None) -> list[str]:
    """Where MNIST is: where it was said to be, or where mlpjax keeps it."""
    if directory is None:
        from mlpjax import data

        try:
            _, directory = (str(data.mnist.fetch(split=split)) for split in ("train", "test"))  # one folder
        except (OSError, ImportError) as error:
            raise SystemExit(str(error)) from None
    return ["--data-dir", directory]


def cold(directory: str | None, rounds: int, say) -> dict:
    """A fresh process to the end of one epoch of [784, 128, 10], with an empty and with a full compilation cache."""
    where = place(directory)
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as bare:
        recipe = json.dumps(ONE_EPOCH)
        contestants = {
            "mlpjax": ["mlpjax_run.py", recipe, *where],
            "mlpjax, cached": ["mlpjax_run.py", recipe, *where, "--cache", ours],
            "bare JAX": ["jax_epoch.py", *where],
            "bare JAX, cached": ["jax_epoch.py", *where, "--cache", bare],
            "PyTorch": ["pytorch_epoch.py", *where],
            "PyTorch, lean": ["pytorch_epoch.py", *where, "--lean"],
        }
        made = {name: lambda c=command: functools.partial(process, *c) for name, command in contestants.items()}
        samples, found = measure.interleave(made, rounds=rounds, warm_up=1, say=say)
    limits = [
        ("mlpjax", "bare JAX", 1.15),
        ("mlpjax, cached", "bare JAX, cached", 1.15),
        ("mlpjax", "PyTorch", 0.5),
        ("mlpjax, cached", "PyTorch", 0.5),
        ("mlpjax", "PyTorch, lean", 0.5),
    ]
    note = lambda name: f"mean loss {found[name]['loss']:.3f}"
    rows = [{"name": name, **measure.summary(taken), "note": note(name)} for name, taken in samples.items()]
    title = "A fresh process to the end of one epoch of MNIST, [784, 128, 10], batch 128, Adam"
    return {
        "title": title,
        "machine": measure.machine(),
        "rows": sorted(rows, key=lambda row: row["median"]),
        "bars": [measure.judged(samples, *limit) for limit in limits],
    }


def first_second(directory: str | None, rounds: int, say) -> dict:
    """The same process part by part, beside bare JAX."""
    recipe, where, found = json.dumps(ONE_EPOCH), place(directory), {"mlpjax": [], "bare": []}
    for turn in range(rounds):
        for which in random.sample(list(found), len(found)):
            say(f"round {turn + 1} of {rounds}, {which}")
            found[which].append(process("parts.py", which, recipe, *where))
    rows = []
    for part in found["mlpjax"][0]:
        taken = {which: [laps[part] for laps in all_laps] for which, all_laps in found.items() if part in all_laps[0]}
        bare = {"bare": statistics.median(taken["bare"])} if "bare" in taken else {}
        note = tables.seconds(bare["bare"]) if bare else ""
        rows.append(
            {"name": part, "median": statistics.median(taken["mlpjax"]), **bare, "rounds": rounds, "note": note}
        )
    title = "That process, part by part"
    return {"title": title, "note": "bare JAX", "machine": measure.machine(), "rows": rows, "bars": []}


def accuracy(directory: str | None, rounds: int, say) -> dict:
    """A fresh process to an accuracy on the test set: five seeds per recipe and library, whatever `rounds` says."""
    where, rows, bars = place(directory), [], []
    for target, recipe in RECIPES.items():
        samples, reached = {name: [] for name in SCRIPTS}, {name: [] for name in SCRIPTS}
        for seed in range(100, 105):
            given = json.dumps(recipe | {"seed": seed})
            for name, (script, *options) in random.sample(list(SCRIPTS.items()), len(SCRIPTS)):
                say(f"{target} %, seed {seed}, {name}")
                taken, found = measure.sample(functools.partial(process, script, given, *where, *options))
                samples[name].append(taken)
                reached[name].append(found.get("accuracy", found.get("test_accuracy")))
        rows += [attempt(target, name, samples[name], reached[name]) for name in samples]
        bar = measure.judged(samples, "mlpjax", "PyTorch, lean", 0.55)
        bars.append({"what": f"mlpjax ≤ 0.55 × PyTorch, {target} %", **bar})
    title = "A fresh process to an accuracy on MNIST's test set"
    return {"title": title, "machine": measure.machine(), "recipes": RECIPES, "rows": rows, "bars": bars}


def attempt(target: str, name: str, samples: list, reached: list[float]) -> dict:
    hits = sum(100 * value >= float(target) for value in reached)
    spread = f"{100 * min(reached):.2f} … {100 * statistics.median(reached):.2f} … {100 * max(reached):.2f} %"
    note = f"{spread}; {hits} of {len(reached)} seeds reached {target} %"
    return {"name": f"{name}, {target} %", **measure.summary(samples), "note": note, "accuracies": reached}
