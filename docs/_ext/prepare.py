"""Run the pages' code and draw the figures, several at a time; a build then takes them from the cache.

`python -m docs._ext.prepare 2` uses two processes for the code and two for the pictures. A build does the same, one
after the other.
"""

import argparse
import multiprocessing
from concurrent import futures

from docs._ext import execute, figures, sources
from docs._ext.sources import ROOT


def scripts(kind):
    """The names of the scripts in docs/figures or docs/demos."""
    return sorted(f.stem for f in (ROOT / "docs" / kind).glob("[!_]*.py"))


def prepare(workers):
    """Code in threads that wait for processes of their own, pictures in others; the first mistake is raised."""
    pages = sorted(sources.pages(), key=lambda file: -len(execute.blocks(file.read_text("utf-8"))))
    spawn = multiprocessing.get_context("spawn")  # a fork of a process in which JAX has threads may hang
    with futures.ThreadPoolExecutor(workers) as code, futures.ProcessPoolExecutor(workers, spawn) as pictures:
        running = [code.submit(execute.page_outputs, page) for page in pages]
        running += [pictures.submit(figures.demo_data, name) for name in scripts("demos")]
        running += [pictures.submit(figures.svg, kind, name) for kind in ("demos", "figures") for name in scripts(kind)]
        for each in running:
            each.result()
    print(f"{len(pages)} pages, {len(scripts('figures'))} figures, {len(scripts('demos'))} demos")


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workers", type=int, nargs="?", default=2, help="processes for each (default: %(default)s)")
    prepare(parser.parse_args(arguments).workers)


if __name__ == "__main__":
    main()
