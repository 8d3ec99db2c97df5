"""Linear regions of a network that reads MNIST (DEP2), before and after training: along lines, and in a plane.

    python -m benchmarks.regions --data-dir DIR [--epochs 3] [--pairs 50]

A network of sizes 784, 256, 256, 10 with ReLU, He initialization and zero biases, trained by Adam. Along the segments
between pairs of test images of different digits: the pieces, how many of them bend the logits, and how far the nearest
two breakpoints are apart. On the triangle of three images: every region as a polygon, and a picture by pixels. The
times are the shortest of several runs on the host, after a first one. Writes docs/figures/data/regions.json and
docs/figures/data/regions.npz, which holds the picture, and the polygons of a small window of it.
"""

import argparse
import time

import jax
import numpy as np
import optax

from benchmarks import record
from mlpjax import data, losses, metrics, mlp, training
from mlpjax.theory import regions

SIZES, BATCH, RATE = (784, 256, 256, 10), 128, 1e-3
DIGITS, PIXELS, WINDOW, CENTER = (0, 4, 7), 512, 0.04, (0.53, 0.27)
MARGIN = 0.15  # of the square around the triangle of the three images


def train(images, labels, epochs):
    """Parameters before and after."""
    before = mlp.init(jax.random.key(0), SIZES)
    optimizer = optax.adam(RATE)
    objective = training.supervised(mlp.apply, losses.softmax_cross_entropy)
    state = training.start(jax.random.key(1), before, optimizer=optimizer)
    run = jax.jit(
        lambda state: training.run(
            state,
            data.Dataset(images, labels),
            objective=objective,
            optimizer=optimizer,
            steps=epochs * len(images) // BATCH,
            batch_size=BATCH,
        )[0]
    )
    return before, run(state).params


def along(params, a, b):
    """What there is on the segment between two images."""
    found = regions.pieces(params, a, b - a, low=0.0, high=1.0)
    return len(found.slopes), 1 + int(found.bends.sum()), float(np.diff(found.ends).min())


def plane(three):
    """Origin and directions: the first image at (0, 0), the second at (1, 0), the third at (1/2, 1)."""
    a, b, c = three
    return a, np.stack([b - a, c - (a + b) / 2])


def rectangle():
    return dict(low=(-MARGIN, -MARGIN), high=(1 + MARGIN, 1 + MARGIN))


def shortest(fn, rounds=5):
    """The shortest time of several runs, after a first one."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        fn()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def window(params, origin, directions, center):
    """The polygons of a small square, in units of its side from its corner, and the digit that each is read as."""
    low = np.array(center) - WINDOW / 2
    found = regions.polygons(params, origin, directions, low=tuple(low), high=tuple(low + WINDOW))
    middle = np.add.reduceat(found.values[found.corners], found.starts[:-1]) / np.diff(found.starts)[:, None]
    return dict(
        vertices=((found.vertices - low) / WINDOW).astype(np.float32),
        corners=found.corners.astype(np.uint16),
        starts=found.starts.astype(np.uint16),
        digit=middle.argmax(1).astype(np.uint8),
    )


def answers(params, origin, directions, side):
    """The digit at each pixel of the rectangle."""
    s = -MARGIN + (1 + 2 * MARGIN) * (np.arange(side) + 0.5) / side
    points = np.stack(np.meshgrid(s, s), -1).reshape(-1, 2)
    x = (origin + points @ directions).astype(np.float32)
    z = jax.jit(jax.vmap(mlp.apply, (None, 0)))(params, x)
    return np.asarray(z).argmax(1).astype(np.uint8).reshape(side, side)


def measure(params, test, pairs, three):
    """One network: counts on all segments, counts in the plane, and times."""
    counts = np.array([along(params, *(test.x[i] for i in pair)) for pair in pairs])
    origin, directions = plane(three)
    found = regions.polygons(params, origin, directions, **rectangle())
    image = regions.raster(params, origin, directions, shape=(PIXELS, PIXELS), **rectangle())
    a, b = (test.x[i] for i in pairs[0])
    seconds = dict(
        pieces=shortest(lambda: regions.pieces(params, a, b - a, low=0.0, high=1.0), 300),
        line=shortest(lambda: regions.pieces(params, a, b - a), 100),
        polygons=shortest(lambda: regions.polygons(params, origin, directions, **rectangle())),
        raster=shortest(lambda: regions.raster(params, origin, directions, shape=(PIXELS, PIXELS), **rectangle())),
    )
    logits = jax.jit(jax.vmap(mlp.apply, (None, 0)))(params, test.x)
    return dict(
        accuracy=float(metrics.accuracy(logits, test.y)),
        pieces=counts[:, 0].astype(int).tolist(),
        bends=counts[:, 1].astype(int).tolist(),
        nearest=float(counts[:, 2].min()),
        whole_line=len(regions.pieces(params, a, b - a).slopes),
        polygons=len(found.pattern),
        area_error=float(regions.areas(found).sum() / (1 + 2 * MARGIN) ** 2 - 1),
        patterns_of_pixels=len(image.pattern),
        seconds=seconds,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, help="the folder with the files of MNIST")
    parser.add_argument("--epochs", type=int, default=3, help="of training (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=50, help="segments between images (default: %(default)s)")
    arguments = parser.parse_args()
    train_set, test = (data.mnist.load(arguments.data_dir, split=split) for split in ("train", "test"))
    scaled = lambda found: data.Dataset((np.asarray(found.x) / np.float32(255)), np.asarray(found.y))
    train_set, test = scaled(train_set), scaled(test)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(test.y), (8 * arguments.pairs, 2))
    pairs = drawn[test.y[drawn[:, 0]] != test.y[drawn[:, 1]]][: arguments.pairs]
    three = [test.x[np.flatnonzero(test.y == digit)[0]] for digit in DIGITS]
    nets = dict(zip(("before", "after"), train(train_set.x, train_set.y, arguments.epochs), strict=True))
    rows = {}
    for name, params in nets.items():
        rows[name] = measure(params, test, pairs, three)
        shown = {k: v for k, v in rows[name].items() if k not in ("pieces", "bends")}
        print(name, "median pieces", np.median(rows[name]["pieces"]), shown)
    origin, directions = plane(three)
    picture = {"digits": answers(nets["after"], origin, directions, 192)}
    for name, params in nets.items():
        picture |= {f"{name}_{k}": v for k, v in window(params, origin, directions, CENTER).items()}
    np.savez_compressed(record.DATA / "regions.npz", **picture)
    names = dict(sizes=SIZES, epochs=arguments.epochs, batch=BATCH, rate=RATE, digits=DIGITS, pixels=PIXELS)
    record.write("regions", **names, margin=MARGIN, window=WINDOW, center=CENTER, **rows)


if __name__ == "__main__":
    main()
