"""Markdown extension: figures drawn by code, and interactive demos with the data that code computes for them.

    ```figure {src="activations"}
    Caption, in Markdown.
    ```

draws `docs/figures/activations.py`: its `draw(plt, C)` returns a Matplotlib figure, its `ALT` says what it shows. The
SVG takes its colors from the page, so one picture serves light and dark. A `demo` fence takes `docs/demos/NAME.py`: its
`data()` goes into the page as JSON for `assets/js/demos/NAME.js`, its `draw` and the text stand there until, or in
place of, the script. Both are cached by the hash of script, data files and package.
"""

import functools
import html
import importlib.util
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import warnings

import markdown
from pymdownx.superfences import SuperFencesException

from docs._ext import cache
from docs._ext.sources import ROOT

NAMES = ("blue", "ochre", "green", "purple", "red", "gray")
PLACES = {f"#0a0b0{k}": f"var(--mx-c{k + 1})" for k in range(len(NAMES))}
PLACES |= {"#0a0c01": "currentColor", "#0a0c02": "var(--mx-line)", "#0a0c03": "var(--md-default-bg-color)"}
CAPTION = ["pymdownx.arithmatex", "docs._ext.maths", "docs._ext.references", "attr_list"]


class Colors(tuple):
    """Six colors by position, and ink, faint and paper by name; each stands for a color of the page."""

    ink, faint, paper = "#0a0c01", "#0a0c02", "#0a0c03"


C = Colors(f"#0a0b0{k}" for k in range(len(NAMES)))
INK = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "legend.labelcolor")


def style(name):
    """Matplotlib's settings for every figure."""
    from cycler import cycler

    return {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.family": "sans-serif",
        "font.size": 10,
        "figure.figsize": (7, 3),
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.facecolor": "none",
        "axes.prop_cycle": cycler(color=C),
        "grid.color": C.faint,
        "legend.frameon": False,
        "lines.linewidth": 2,
        **dict.fromkeys(INK, C.ink),
    }


def script(kind, name):
    """The module in docs/figures or docs/demos, and the files that it depends on."""
    file = ROOT / "docs" / kind / f"{name}.py"
    if not file.is_file():
        raise FileNotFoundError(f"there is no docs/{kind}/{name}.py")
    shared = sorted((ROOT / "docs" / kind).glob("_*.py"))
    data = sorted(f for f in (ROOT / "docs" / "figures" / "data").rglob("*") if f.is_file())
    text = "".join(f.read_text("utf-8") for f in [file, *shared])
    programs = [ROOT / "docs" / "_ext" / "programs.py"] * (kind == "demos")
    return file, [file, *shared, *programs, *(f for f in data if f.stem in text)]


def load(file):
    """Import a script by its path."""
    file = pathlib.Path(file)
    spec = importlib.util.spec_from_file_location(f"docs.{file.parent.name}.{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tidy(svg, name, alt):
    """Matplotlib's SVG as a part of a page: colors of the page, ids that are the page's only ones, and a label."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.S)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    for identifier in sorted(set(re.findall(r' id="([^"]+)"', svg)), key=len, reverse=True):
        new = f' id="{name}-{identifier}"' if identifier in used else ""
        svg = svg.replace(f' id="{identifier}"', new)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    for color, variable in PLACES.items():
        svg = svg.replace(color, variable)
    width, height = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg).groups()
    size = f'style="aspect-ratio:{float(width):g}/{float(height):g};max-width:{float(width) * 4 / 3:.0f}px"'
    svg = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
    return svg.replace("<svg ", f'<svg role="img" class="mx-fig" {size} aria-label="{html.escape(alt)}" ', 1)


def draw(kind, name, file):
    """Run a script's `draw` and return the SVG."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    module = load(file)
    with plt.rc_context({**matplotlib.rcParamsDefault, "backend": "svg", **style(name)}), warnings.catch_warnings():
        warnings.simplefilter("ignore", matplotlib.MatplotlibDeprecationWarning)
        text = io.StringIO()
        module.draw(plt, C).savefig(text, format="svg", transparent=True, metadata={"Date": None})
        plt.close("all")
    return tidy(text.getvalue(), f"{kind}-{name}", module.ALT)


@functools.cache
def svg(kind, name):
    """The picture of a script, from the cache if nothing has changed."""
    file, depends = script(kind, name)
    drawn = [__file__, cache.version("matplotlib"), *depends]
    return cache.cached(kind, name, [ROOT / "docs/_ext/figures.py", *drawn[1:]], lambda: draw(kind, name, file))


@functools.cache
def demo_data(name):
    """The JSON of a demo."""
    file, depends = script("demos", name)
    return cache.cached(
        "demo-data", name, depends, lambda: in_process(file) if "XLA_FLAGS" in os.environ else data(file)
    )


def data(file):
    """The JSON that a demo's script computes."""
    return json.dumps(load(file).data(), separators=(",", ":"), allow_nan=False).replace("</", "<\\/")


def in_process(file):
    """The same without the flags of this process: its tests compile the cheap way, which rounds otherwise."""
    command = [
        sys.executable,
        "-c",
        "import sys; from docs._ext import figures; print(figures.data(sys.argv[1]), end='')",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    root = pathlib.Path(__file__).parents[2]
    done = subprocess.run([*command, file], env=environment, cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{file} failed:\n{done.stderr.strip()}")
    return done.stdout


def inline(text):
    """A caption's Markdown as HTML without the paragraph around it."""
    settings = {"pymdownx.arithmatex": {"generic": True}}
    made = markdown.markdown(text, extensions=CAPTION, extension_configs=settings)
    return re.sub(r"^<p>(.*)</p>$", r"\1", made.strip(), flags=re.S)


def options(language, inputs, options, attrs, md):
    """Accept every attribute of the fence."""
    options.update(inputs)
    return True


def given(options, attrs, wanted):
    """The fence's attributes; an unknown or a missing one is an error."""
    found = {**(attrs or {}), **(options or {})}
    if "src" not in found or found.keys() - wanted:
        raise ValueError(f"a figure or demo takes `src` and of {sorted(wanted)}; got {found}")
    return found


def picture(kind, name):
    """The SVG, kept out of the search index by an element of its own."""
    return f"<mx-svg data-search-exclude>{svg(kind, name)}</mx-svg>"


def figure_fence(source, language, css_class, options, md, classes=None, id_value="", attrs=None, **kwargs):
    """The `figure` fence."""
    try:
        fields = given(options, attrs, {"src", "class"})
        name = fields["src"]
        style = " ".join(["mx-figure", *(classes or []), *fields.get("class", "").split()])
        anchor = f' id="{id_value}"' if id_value else ""
        caption = f"<figcaption>{inline(source)}</figcaption>" if source.strip() else ""
        return f'<figure class="{style}"{anchor}>{picture("figures", name)}{caption}</figure>'
    except Exception as error:  # superfences passes on no exception but its own
        raise SuperFencesException(f"figure: {type(error).__name__}: {error}") from error


def demo_fence(source, language, css_class, options, md, classes=None, id_value="", attrs=None, **kwargs):
    """The `demo` fence."""
    try:
        name = given(options, attrs, {"src"})["src"]
        return (
            f'<div class="mx-demo" data-demo="{name}" id="demo-{name}" data-search-exclude>'
            f'<script type="application/json">{demo_data(name)}</script>'
            f'<div class="mx-demo__static">{picture("demos", name)}<p>{inline(source)}</p></div></div>'
        )
    except Exception as error:
        raise SuperFencesException(f"demo: {type(error).__name__}: {error}") from error
