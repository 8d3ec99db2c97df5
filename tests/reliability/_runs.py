"""Hostile run directories: a configuration, a log and a checkpoint, each torn, edited, or forged to agree."""

import dataclasses
import json
import os

import numpy as np

from mlpjax.cli import _problem, _run_dir
from mlpjax.training import checkpoint, recipes
from tests.reliability import _forge, _mutate

NUMBERS = (
    0, 1, -1, 2, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**18, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"),
    True, "4", "", [], [4], {"a": 1}, [10**9], [4] * 3, [-1], ["4"], [[4]],
)  # fmt: skip
TEXTS = (
    *_forge.NASTY, "relu(", "leaky_relu(" + "9" * 400 + ")", "x; rm -rf ~", "$(touch x)", "mnist", "xor", "Recipe",
    "__doc__", "os.system",
)  # fmt: skip
NAMES = [name for name in _forge.NASTY if "\0" not in name and "\ud800" not in name]
RECIPE = dataclasses.replace(
    recipes.digits, hidden=(4,), activation="relu", loss="softmax_cross_entropy", optimizer="adam", weight_decay=0.0,
    dropout=0.0, validation=0.0,
)  # fmt: skip


def good():
    """What `mlpjax train` would have written: configuration, leaves, metadata, log."""
    problem = _problem.make(RECIPE)
    about = {"mlpjax": "0.1.0", "jax": "0.10.2", "sizes": problem.sizes, "steps": 60, "steps_per_epoch": 23}
    config = {"recipe": dataclasses.asdict(RECIPE), "preprocessing": problem.preprocessing, "run": about}
    draw, leaves = (
        np.random.default_rng(0),
        {"step": np.uint32(60), "stop_state": {"first_bad_step": np.uint32(-1 % 2**32)}},
    )
    layers = {
        str(i): {"W": draw.normal(size=(m, n)).astype(np.float32), "b": np.zeros(m, np.float32)}
        for i, (n, m) in enumerate(zip(problem.sizes, problem.sizes[1:], strict=False))
    }
    log = [{"epoch": 1.0, "step": 23, "loss": 0.5, "seconds": 1.0, "training": {"loss": 0.4, "accuracy": 0.9}}]
    log += [{"step": 60, "test": {"loss": 0.3, "accuracy": 0.91, "calibration_error": 0.01, "n": 359}}]
    return config, leaves | {"params": layers}, log


def write(run, config, leaves, log, meta=None):
    """A run directory."""
    run.mkdir(exist_ok=True)
    _run_dir.write_config(run, config)
    meta = {"recipe": config.get("recipe"), "preprocessing": config.get("preprocessing")} if meta is None else meta
    checkpoint.save(run / "checkpoint.npz", leaves, meta=json.loads(json.dumps(meta)))
    (run / "log.jsonl").write_bytes(
        b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in log)
    )


def attack(run, draw):
    """One hostile run directory; says which kind."""
    config, leaves, log = good()
    kind = draw.choice(("recipe", "recipe", "preprocessing", "run", "leaves", "text", "log", "checkpoint"))
    if kind in ("recipe", "preprocessing", "run"):
        for _ in range(draw.choice((1, 1, 2))):
            name = draw.choice([*config[kind], "data_dir"] if kind == "run" else list(config[kind]))
            config[kind][name] = draw.choice(draw.choice((NUMBERS, TEXTS)))
            if draw.random() < 0.1:
                del config[kind][name]
    if kind == "leaves":
        odd(leaves, draw)
    if kind == "log":
        log = [record(draw) for _ in range(draw.randrange(1, 4))]
    try:
        write(run, config, leaves, log)
    except (ValueError, TypeError, OverflowError, UnicodeError):  # what TOML or JSON cannot hold
        write(run, *good())
        kind = "text"
    if kind == "text":
        text = (run / "config.toml").read_bytes()
        text = draw.choice(TOML)(text) if draw.random() < 0.3 else _mutate.mutant(text, draw)
        (run / "config.toml").write_bytes(text)
    if kind == "checkpoint":
        (run / "checkpoint.npz").write_bytes(_forge.forged(draw))
    return kind


def odd(leaves, draw):
    """A leaf that is missing, of another shape or kind, or of a name of its own."""
    values = (
        np.float32("nan"), np.zeros((2, 2), np.float32), np.zeros(0, np.float32), np.int8(-1), np.uint32(7),
        np.zeros((4, 64), np.int32), np.zeros((4, 64), np.complex64), np.zeros((10, 9), np.float32),
        np.zeros((1,), np.float32),
    )  # fmt: skip
    layers = leaves["params"]
    target = draw.choice((leaves, layers, layers["0"], layers["1"], leaves["stop_state"]))
    name = draw.choice([*target, "99999999999", "-1", "00", *NAMES])
    target.pop(name, None)
    if draw.random() < 0.7:
        target[name] = draw.choice(values)


TOML = (
    lambda text: b"a = " + b"[" * 20_000,
    lambda text: b"[" + b"a." * 20_000 + b"a]",
    lambda text: b"a = " + b"9" * 5000,
    lambda text: text.replace(b"= 60", b"= 0x" + b"f" * 5000),
    lambda text: text + b"\xff\xfe",
    lambda text: text.replace(b'"relu"', b'"\x1b[31mrelu"'),
    lambda text: text.replace(b'"relu"', b'"\\u001b[31mrelu"'),
    lambda text: text.replace(b'"relu"', b'"' + b"relu" * 20_000 + b'"'),
    lambda text: text + b"# " + b"x" * 200_000,
    lambda text: b"\0" * 99,
    lambda text: text + b"\n[recipe]\n",
    lambda text: b"",
)


def record(draw):
    """A line of a log: torn, deep, of other types, or no text."""
    return draw.choice((
        b"[" * 100_000 + b"\n", b'{"step": ' + b"9" * 5000 + b"}\n", b"\xff\xfe\n", b'{"step": "\\u001b[31m"}\n',
        b"\0\n", {"step": 60, "test": draw.choice(NUMBERS)}, {"step": 60, "test": {"accuracy": draw.choice(NUMBERS)}},
        {"step": draw.choice(NUMBERS), "loss": draw.choice(NUMBERS)}, {"step": 60, "test": {"accuracy": "\x1b[31m"}},
        {"step": 60, "test": {}}, b'{"step": 60, "test": {"accuracy": 0.9', b'{"a": 1}\x85\xe2\x80\xa8\n', b"null\n",
    ))  # fmt: skip


def places(directory, run):
    """What stands where a file is expected: pipes, directories, devices, loops, nothing."""
    kinds = {
        "pipe": os.mkfifo,
        "directory": os.mkdir,
        "device": lambda path: os.symlink("/dev/zero", path),
        "loop": lambda path: os.symlink(os.path.basename(path), path),
        "terabyte": lambda path: (open(path, "wb").close(), os.truncate(path, 1 << 40)),
    }
    for name in ("config.toml", "checkpoint.npz", "log.jsonl"):
        for kind, make in kinds.items():
            target = directory / f"{kind} as {name}"
            write(target, *good())
            os.unlink(target / name)
            make(str(target / name))
            yield target


def named(directory, picture):
    """Pictures whose names, or what stands under them, are the attack; the key is what a message must contain."""
    made = {
        "loop.png": directory / "loop.png",
        "pipe.png": directory / "pipe.png",
        "folder.png": directory / "folder.png",
    }
    os.symlink("loop.png", made["loop.png"])
    os.mkfifo(made["pipe.png"])
    os.mkdir(made["folder.png"])
    for i, name in enumerate(
        (b"a\x1b[31m.png", b"b\x1b]0;title\x07.png", b"\xe2\x80\xaegnp.c", b"\xff.png", b"e\nmlpjax: f.png")
    ):
        path = os.path.join(os.fsencode(directory), name)
        with open(path, "wb") as file:
            file.write(picture.read_bytes() if i % 2 else b"no picture")
        made[("a", "b", "gnp.c", ".png", "e")[i]] = os.fsdecode(path)
    return made | {"/dev/zero": "/dev/zero", "absent": directory / "absent"}
