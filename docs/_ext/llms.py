r"""llms.txt and llms-full.txt: the site for readers that want plain text, formulas as TeX and code as code.

`docs._ext.finish` writes both into a built site (https://llmstxt.org): the first lists the pages, the second
holds them all, from the same sources as the site, with the reference read from the docstrings.
"""

import ast
import inspect
import pathlib
import posixpath
import re

import yaml
from mkdocs.config import load_config

from docs._ext import places, sources
from docs._ext.sources import ROOT

FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.S)
TITLE = re.compile(r"^# (.+)$", re.M)
OBJECT = re.compile(r"^::: (?P<name>[\w.]+)\n(?P<options>(?:[ \t]+.*\n?)*)", re.M)
SNIPPET = re.compile(r'^--8<-- "(?P<file>[^":]+)(?::(?P<part>\w+))?"$', re.M)
LINK = re.compile(r"\]\((?!\w+:|#)(?P<to>[^)\s#]+\.md)(?P<anchor>#[^)\s]*)?\)")
DIRECTIVE = re.compile(r"^<!-- mx:\w+ -->\n?", re.M)


def nav_pages(nav, section="Start"):
    """`(section, source)` of every page, in the order of the navigation."""
    for item in nav:
        for title, content in item.items() if isinstance(item, dict) else [(None, item)]:
            if isinstance(content, str):
                yield section, content
            else:
                yield from nav_pages(content, title)


def docstring(body, index):
    """The string below the assignment at `body[index]`."""
    after = body[index + 1] if index + 1 < len(body) else None
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
        return inspect.cleandoc(str(after.value.value))
    return ""


def described(name):
    """Signature and docstring of one public name, as Markdown."""
    file, node = sources.locate(name)
    if isinstance(node, ast.FunctionDef):
        result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        shown, words = f"{name}({ast.unparse(node.args)}){result}", ast.get_docstring(node)
    elif isinstance(node, ast.ClassDef):
        fields = [f"    {ast.unparse(n)}" for n in node.body if isinstance(n, ast.AnnAssign)]
        shown, words = "\n".join([f"class {name}", *fields]), ast.get_docstring(node)
    else:
        body = sources.module(file)[1].body
        shown, words = sources.of(name).shown, docstring(body, body.index(node))
    return f"### {name}\n\n```python\n{shown}\n```\n\n{words or ''}\n"


def reference(match):
    """What a `:::` line of a page stands for."""
    name, file = match["name"], sources.module_file(match["name"])
    if file is None:
        return described(name)
    tree = sources.module(file)[1]
    options = (yaml.safe_load(match["options"]) or {}).get("options") or {}
    exported = next((ast.literal_eval(n.value) for n in tree.body if sources.names(n) == {"__all__"}), [])
    members = [] if options.get("members") is False else exported
    return "\n".join([ast.get_docstring(tree) or "", "", *(described(f"{name}.{m}") for m in members)])


def snippet(match):
    """The text of another file, or of a named part of it."""
    text = (ROOT / match["file"]).read_text("utf-8")
    if match["part"]:
        inside = rf"\[start:{match['part']}\][^\n]*\n(.*?)\n[^\n]*\[end:{match['part']}\]"
        text = re.search(inside, text, re.S)[1]
    return text


def equation(match):
    """A numbered equation: its names in words, its formula as TeX."""
    given = dict(re.findall(r'(\w+)="([^"]*)"', match["attributes"]))
    names = " ".join(f"`{name}`" for name in given.get("impl", "").split())
    tests = " ".join(f"`{name}`" for name in given.get("test", "").split())
    head = f"{match['indent']}**{match['tag']}** {given.get('title', '')} (computed by {names}, checked by {tests})"
    return f"{head}\n\n{match['indent']}```math\n{match['tex']}{match['indent']}```"


def plain(text, source, site_url):
    """A page's source as Markdown that needs no site around it."""
    text = DIRECTIVE.sub("", FRONT.sub("", SNIPPET.sub(snippet, text)))
    text = places.FENCE.sub(equation, OBJECT.sub(reference, text))

    def absolute(match):
        to = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["to"]))
        return f"]({site_url}{address(to)}{match['anchor'] or ''})"

    return LINK.sub(absolute, text).strip() + "\n"


def address(source):
    """Where a page stands below the site's address."""
    return re.sub(r"(^|/)index/$", r"\1", source.removesuffix(".md") + "/")


def texts(config):
    """`llms.txt` and `llms-full.txt` of a site."""
    url = config.site_url or ""
    head = f"# {config.site_name}\n\n> {config.site_description}\n"
    sections, full = {}, [head]
    for part, source in nav_pages(config.nav):
        raw = (ROOT / "docs" / source).read_text("utf-8")
        text = plain(raw, source, url)
        front = yaml.safe_load(m[1]) if (m := FRONT.match(raw)) else {}
        title = m[1] if (m := TITLE.search(text)) else source
        about = f": {front['description']}" if front.get("description") else ""
        sections.setdefault(part, []).append(f"- [{title}]({url}{address(source)}){about}")
        full.append(f"\n<!-- {url}{address(source)} -->\n\n{text}")
    listed = [f"\n## {part}\n\n" + "\n".join(lines) for part, lines in sections.items()]
    return "\n".join([head, *listed]) + "\n", "\n".join(full)


def write(folder):
    """Put both files into the folder of a built site."""
    short, full = texts(load_config(str(ROOT / "mkdocs.yml")))
    for name, text in (("llms.txt", short), ("llms-full.txt", full)):
        (pathlib.Path(folder) / name).write_text(text, "utf-8")
        print(f"{name}: {len(text)} characters")
