"""The search finds an equation by its number, and a function by its name."""

import re

import pytest

from tests.site import browser


def defining_page(site, identifier):
    """The page on which an anchor stands."""
    mark = re.compile(rf'<(?:figure|div|h[1-6])[^>]* id="{re.escape(identifier)}"')
    return next(p for p in site.pages if mark.search(site.read(p)[2].decode()))


PLACES = {"BP2": "BP2", "FWD1": "FWD1", "value_and_grad": "mlpjax.backprop.value_and_grad"}


@pytest.mark.parametrize("text, identifier", PLACES.items())
def test_first_hit(tab, site, text, identifier):
    page = tab()
    hits = browser.search(page, text)
    assert hits and hits[0].startswith(site.url + defining_page(site, identifier)), hits[:5]
    assert not tab.found


def test_a_hit_leads_to_its_place(tab, site):
    """The address has the anchor of the section, and the section is there."""
    page = tab()
    hit = browser.search(page, "BP2")[0]
    page.goto(hit)
    anchor = hit.partition("#")[2]
    assert not anchor or page.locator(f'[id="{anchor}"]').count() == 1
