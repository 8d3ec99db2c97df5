"""Measure in full what the page "What you can rely on" shows: `python -m tests.reliability crash_save`, or `all`."""

import argparse

from tests.reliability import experiments


def main():
    """The command line."""
    known = experiments.names()
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("names", nargs="+", choices=[*known, "all"], metavar="NAME", help=f"all, or {', '.join(known)}")
    parser.add_argument("--count", type=int, help="trials; by default those that the page shows")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is random (default: %(default)s)")
    arguments = parser.parse_args()
    kept = True
    for name in known if "all" in arguments.names else arguments.names:
        for claim in experiments.record(name, arguments.count, arguments.seed):
            print(f"{name}: {claim['expected']}: {claim['found']}{'' if claim['kept'] else '   NOT KEPT'}", flush=True)
            kept = kept and claim["kept"]
    raise SystemExit(not kept)


if __name__ == "__main__":
    main()
