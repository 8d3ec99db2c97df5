"""Markdown extension: an ID of the ledger, written anywhere, links to where it stands and shows it when pointed at.

`BP2` in a paragraph or a docstring becomes a link; the link carries a `<template>` with the equation, which
assets/js/site.js shows on hover and focus. No script, no network and no second page are needed for the link itself.
"""

import html
import re
from xml.etree import ElementTree

from markdown import Extension
from markdown.treeprocessors import Treeprocessor

from docs._ext import ledger, maths, places

REFERENCE = re.compile(rf"(?<![\w.-])({places.TAG})(?![\w.-]*\w)")
NOT_LINKED = {"a", "autoref", "code", "pre", "script", "style", "h1", "h2", "h3", "h4", "h5", "h6", "template"}


def definition(tag):
    """What a reference shows when it is pointed at."""
    name = places.target(tag)
    fields = places.anchors()[name][1]
    title = fields["title"] if fields else ledger.row(tag)["title"]
    formula = maths.render(fields["tex"], True, "html") if fields else ""
    return f'<span class="mx-pop__title"><b>{tag}</b> {html.escape(title)}</span>{formula}'


class _References(Treeprocessor):
    """Replaces tags in text by links; formulas, code, headings and other links are left alone."""

    def run(self, root):
        self.shown = set()
        self.walk(root)

    def walk(self, element):
        if element.tag in NOT_LINKED or "arithmatex" in element.get("class", "") or element.get("data-mx-tag"):
            return
        for child in list(element):
            self.walk(child)
            self.split(element, child, child.tail, "tail")
        self.split(element, None, element.text, "text")

    def split(self, parent, after, text, where):
        """Cut `text` at its tags, and put the links into `parent` behind `after`."""
        pieces = REFERENCE.split(text or "")
        linked = [(tag, rest) for tag, rest in zip(pieces[1::2], pieces[2::2], strict=True)]
        if not any(places.target(tag) for tag, _ in linked):
            return
        position = list(parent).index(after) + 1 if after is not None else 0
        last, kept = after, pieces[0]
        for tag, rest in linked:
            if places.target(tag) is None:
                kept += tag + rest
                continue
            self.put(parent, last, where, kept)
            last, where, kept = self.link(tag), "tail", rest
            parent.insert(position, last)
            position += 1
            if tag not in self.shown:
                self.shown.add(tag)
                last.tail = ""
                last = ElementTree.Element("template", {"data-search-exclude": ""})
                last.text = self.md.htmlStash.store(definition(tag))
                parent.insert(position, last)
                position += 1
        self.put(parent, last, where, kept)

    def put(self, parent, last, where, text):
        if where == "text":
            parent.text = text
        else:
            last.tail = text

    def link(self, tag):
        """An element that autorefs resolves over all pages."""
        element = ElementTree.Element(
            "autoref", {"identifier": f"row:{places.target(tag)}", "class": "mx-ref", "data-mx-ref": tag}
        )
        element.text = tag
        return element


class ReferencesExtension(Extension):
    """Registers the step after inline patterns have been read."""

    def extendMarkdown(self, md):
        """Called by Python-Markdown."""
        md.treeprocessors.register(_References(md), "mx-references", 15)


def makeExtension(**options):
    """The entry point that Python-Markdown looks for."""
    return ReferencesExtension(**options)
