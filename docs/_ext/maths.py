r"""Markdown extension: mathematics and doctests, rendered when the site is built.

`$…$` and `$$…$$`, on pages and in docstrings alike, become HTML and MathML by KaTeX inside a small JavaScript engine,
so that a page needs no script and no network, and a mistake in TeX stops the build. A doctest (`>>> …`) outside a
fence becomes a block of code. Needs `pymdownx.arithmatex` with `generic: true`.
"""

import functools
import html
import json
import pathlib
import re
import threading

import quickjs
from markdown import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor

KATEX = pathlib.Path(__file__).parents[1] / "assets" / "katex" / "katex.min.js"
MACROS = {r"\R": r"\mathbb{R}", r"\E": r"\mathbb{E}", r"\T": r"^{\mathsf{T}}"}
UNTRUSTED = "#010203"  # the color in which KaTeX shows a command that it refuses without an error
OPTIONS = {"throwOnError": True, "strict": "error", "trust": False, "errorColor": UNTRUSTED, "macros": MACROS}
# JSON both ways: the engine's own conversion of long strings fails
RENDER = f"""
function render(tex, display, output) {{
  const options = Object.assign({json.dumps(OPTIONS)}, {{displayMode: display, output}});
  try {{ return JSON.stringify({{html: katex.renderToString(tex, options)}}); }}
  catch (error) {{ return JSON.stringify({{error: String(error)}}); }}
}}"""
MATHS = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', re.S)
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
PROMPTS = re.compile(r"^([ \t]*```)python(?=\n\s*>>> )", re.M)
_engines = threading.local()


class MathError(ValueError):
    """TeX that KaTeX refuses."""


def engine():
    """KaTeX's `renderToString` in this thread's own context: the engine must not be shared between threads."""
    if not hasattr(_engines, "render"):
        _engines.context = quickjs.Context()
        _engines.context.eval(KATEX.read_text("utf-8"))
        _engines.context.eval(RENDER)
        _engines.render = _engines.context.get("render")
    return _engines.render


@functools.cache
def render(tex, display=False, output="htmlAndMathml"):
    """One formula as HTML, with MathML beside it for screen readers and copying unless `output` is `"html"`."""
    answer = json.loads(engine()(tex.strip(), display, output))
    if "error" in answer or UNTRUSTED in answer["html"]:
        raise MathError(f"{answer.get('error', 'a command that is not allowed')}\n  in the formula: {tex.strip()}")
    # an element of its own, since the search index stops excluding at the first closing tag of the same name
    return f"<mx-tex data-search-exclude>{answer['html']}</mx-tex>"


def typeset(match):
    r"""The replacement for what arithmatex leaves: `\(…\)` in a span or `\[…\]` in a div."""
    tex = html.unescape(match[2]).strip()[2:-2]
    if match[1] == "span":
        # a word joiner, or a line may end between a formula and the comma behind it
        return render(tex) + "&#8288;" * (match.string[match.end() : match.end() + 1] in tuple(".,;:!?)"))
    return f'<div class="mx-math" tabindex="0" role="group" aria-label="Formula">{render(tex, True)}</div>'


def fence_doctests(lines):
    """Put a fence around each doctest that has none; a blank line ends it."""
    fence = doctest = None
    for line in lines:
        mark = FENCE.match(line)
        if doctest is None and mark and (fence is None or mark[1].startswith(fence)):
            fence = None if fence else mark[1]
        if fence is None and doctest is None and line.lstrip().startswith(">>> "):
            doctest = line[: len(line) - len(line.lstrip())]
            yield f"{doctest}```pycon"
        elif doctest is not None and not line.strip():
            yield f"{doctest}```"
            doctest = None
        yield line
    if doctest is not None:
        yield f"{doctest}```"


class _Doctests(Preprocessor):
    def run(self, lines):
        text = PROMPTS.sub(r"\1pycon", "\n".join(lines))
        return list(fence_doctests(text.split("\n")))


class _Maths(Postprocessor):
    def run(self, text):
        return MATHS.sub(typeset, text)


class MathsExtension(Extension):
    """Registers the two steps: doctests before fences are read, formulas after everything else."""

    def extendMarkdown(self, md):
        """Called by Python-Markdown."""
        md.registerExtension(self)
        md.preprocessors.register(_Doctests(md), "mx-doctests", 28)
        md.postprocessors.register(_Maths(md), "mx-maths", 5)


def makeExtension(**options):
    """The entry point that Python-Markdown looks for."""
    return MathsExtension(**options)
