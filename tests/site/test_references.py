"""A reference to the ledger shows what it stands for: to the mouse, to the keyboard, in a docstring as in a chapter."""

import pytest


@pytest.mark.parametrize("page_name", ["book/activations/", "api/backprop/"])
def test_pointing_shows_the_equation(tab, page_name):
    page = tab(page_name)
    link = page.locator('.md-content a.mx-ref[data-mx-ref="BP2"]').first
    link.scroll_into_view_if_needed()
    link.hover()
    popup = page.locator("#mx-pop")
    assert "Error one layer back" in popup.inner_text() and popup.locator(".katex-html").is_visible()
    assert link.get_attribute("aria-describedby") == "mx-pop"
    page.keyboard.press("Escape")
    assert not popup.count() and link.get_attribute("aria-describedby") is None
    assert not tab.found


def test_focus_shows_it_and_it_stays_on_the_screen(tab):
    page = tab("book/activations/", "phone")
    page.locator('.md-content p a.mx-ref[data-mx-ref="BP2"]').first.focus()
    box = page.locator("#mx-pop").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_it_leads_to_the_equation(tab):
    page = tab("book/activations/")
    page.locator('.md-content p a.mx-ref[data-mx-ref="BP2"]').first.click()
    page.wait_for_url("**/book/backpropagation/#BP2")
    assert page.locator("#BP2").is_visible()
