"""What the default recipes reach: test accuracy and seconds of training over several seeds, by the command line itself.

    python benchmarks/recipes.py digits --seeds 5
    python benchmarks/recipes.py mnist --seeds 3 [--data-dir DIR]

Each seed is a fresh process `mlpjax train`, timed as a whole; compile and run are read from its report.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

BARS = {"digits": (0.975, 30.0, "whole process"), "mnist": (0.986, 15.0, "training")}


def train(name, seed, data_dir, directory):
    """One run; (test accuracy, seconds of the process, seconds of training)."""
    run = pathlib.Path(directory) / f"{name}-{seed}"
    command = [sys.executable, "-m", "mlpjax", "train", name, "--seed", str(seed), "--run-dir", str(run)]
    began = time.perf_counter()
    done = subprocess.run([*command, *(["--data-dir", data_dir] if data_dir else [])], capture_output=True, text=True)
    whole = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    accuracy = float(re.search(r"test accuracy\s+([\d.]+)\s*%", done.stdout)[1]) / 100
    compiling, training = map(float, re.search(r"compile ([\d.]+) · run ([\d.]+)", done.stdout).groups())
    return accuracy, whole, compiling + training


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=list(BARS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir")
    arguments = parser.parse_args()
    least, most, which = BARS[arguments.data]
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for seed in range(arguments.seeds):
            rows.append(train(arguments.data, seed, arguments.data_dir, directory))
            print(
                "seed {}: test accuracy {:.2%}, {:.1f} s in all, {:.1f} s compiling and training".format(
                    seed, *rows[-1]
                )
            )
    accuracy, whole, training = (statistics.median(column) for column in zip(*rows, strict=True))
    spent = whole if which == "whole process" else training
    print(f"median: {accuracy:.2%} (bar {least:.1%}), {spent:.1f} s of {which} (bar {most:.0f} s)")
    raise SystemExit(accuracy < least or spent > most)


if __name__ == "__main__":
    main()
