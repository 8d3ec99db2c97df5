"""Where the first second of a fresh process goes: imports, data, tracing, compiling, running.

    python benchmarks/fresh/parts.py {mlpjax,bare} RECIPE --data-dir DIR

The programs are those of mlpjax_run.py and jax_epoch.py, cut where the process otherwise runs on. For mlpjax it also
compiles the parts of the program by themselves, and the cipher behind every `jax.random` call twice: as JAX lowers it
for a CPU, in a loop, and written out. Prints one line of JSON: seconds by part.
"""

import argparse
import json
import time

LAPS, BEGAN = {}, time.perf_counter()


def lap(name):
    """Note the time since the last note."""
    global BEGAN
    now = time.perf_counter()
    LAPS[name], BEGAN = now - BEGAN, now


def built(function, *arguments):
    """Compile, in two laps."""
    lowered = function.lower(*arguments)
    lap("trace and lower")
    program = lowered.compile()
    lap("compile")
    return program


def bare(recipe, directory):
    import jax_epoch
    import numpy as np

    lap("import")
    train, test = (jax_epoch.load(directory, split) for split in ("train", "test"))
    rng = np.random.default_rng(0)
    order = rng.permutation(len(train[0])).astype(np.int32)
    order = order[: len(order) // 128 * 128].reshape(-1, 128)
    arguments = jax_epoch.initial(rng), order, train, test
    lap("read the data")
    built(jax_epoch.epoch, *arguments)(*arguments)[0].block_until_ready()
    lap("run")


def mlpjax(recipe, directory):
    import mlpjax_run

    from mlpjax import data

    lap("import")
    try:
        recipe = mlpjax_run.recipe_of(recipe)
        images, test = (data.mnist.load(directory, split=split) for split in ("train", "test"))
    except (OSError, ValueError, argparse.ArgumentTypeError) as error:
        raise SystemExit(f"RECIPE or --data-dir: {error}") from None
    lap("read the data")
    program = built(mlpjax_run.trainer(recipe, len(images.x)), 0, images, test)
    program(0, images, test)[0].block_until_ready()
    lap("run")
    parts()


def parts():
    """What is compiled by itself: times to trace, lower and compile."""
    import jax

    from mlpjax import mlp

    programs = {
        "initial values alone": lambda: mlp.init(jax.random.key(0), (784, 128, 10)),
        "one `jax.random.bits` alone": lambda: jax.random.bits(jax.random.key(0), (128 * 784,)),
        "the same bits, written out": lambda: threefry(jax.random.key_data(jax.random.key(0)), 128 * 784),
    }
    made = []
    for name, function in programs.items():
        begin = time.perf_counter()
        made.append(jax.jit(function).lower().compile())
        LAPS[name] = time.perf_counter() - begin
    assert (made[1]() == made[2]()).all()


def threefry(key, n):
    """Salmon et al.'s cipher of twenty rounds on the counters 0 … n − 1, without a loop."""
    import jax
    import jax.numpy as jnp

    keys = key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(0x1BD11BDA)
    counters = jax.lax.iota(jnp.uint32, n)
    a, b = jnp.zeros_like(counters) + keys[0], counters + keys[1]
    for turn in range(5):
        for rotation in ((13, 15, 26, 6), (17, 29, 16, 24))[turn % 2]:
            a = a + b
            b = a ^ ((b << jnp.uint32(rotation)) | (b >> jnp.uint32(32 - rotation)))
        a, b = a + keys[(turn + 1) % 3], b + keys[(turn + 2) % 3] + jnp.uint32(turn + 1)
    return a ^ b


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("mlpjax", "bare"))
    parser.add_argument("recipe", metavar="RECIPE", help="see mlpjax_run.py; of no effect on `bare`")
    parser.add_argument("--data-dir", required=True, metavar="DIR", help="where MNIST's four files are")
    arguments = parser.parse_args()
    {"mlpjax": mlpjax, "bare": bare}[arguments.which](arguments.recipe, arguments.data_dir)
    print(json.dumps(LAPS))


if __name__ == "__main__":
    main()
