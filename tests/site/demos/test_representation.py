"""The demos of what a network can represent: bumps, sawtooth, regions."""

import json
import re

import pytest

pytest.importorskip("markdown", reason="the site's tools are in the [docs] extra")

from docs._ext import figures


def bumps_facts(place):
    names = ("error", "guarantee", "bars", "slope", "units")
    shown = place.locator("dd .mx-number").evaluate_all("list => list.map(e => Number(e.dataset.value))")
    return dict(zip(names, shown, strict=True))


def test_bumps_keeps_its_promise_for_any_number_and_sharpness(demo):
    place = demo("bumps")
    count, sharp = place.get_by_label("Bumps N", exact=True), place.get_by_label("Sharpness c", exact=True)
    verdict = lambda: place.locator(".mx-verdict").inner_text()
    found = {}
    for sharpness in ("Home", "End"):
        sharp.press(sharpness)
        count.press("Home")
        for n in (2, 4, 8, 16, 32, 64):
            facts = found[sharpness, n] = bumps_facts(place)
            assert facts["units"] == n - 1 and facts["bars"] == pytest.approx(facts["slope"] / (2 * n))
            assert facts["error"] <= facts["guarantee"] * (1 + 1e-5) and facts["bars"] <= facts["guarantee"]
            count.press("ArrowRight")
        assert ("Too soft" if sharpness == "Home" else "Sharp enough") in verdict()
    assert found["End", 64]["guarantee"] == pytest.approx(found["End", 2]["guarantee"] / 32, rel=1e-3)
    place.get_by_label("Target", exact=True).select_option("hat: the worst case")
    assert "uses all of it" in verdict() and bumps_facts(place)["slope"] == pytest.approx(3, rel=1e-5)
    assert place.locator(".mx-plot .mx-bumps__one").count() == 64
    assert demo.found == []


def test_bumps_target_is_moved_by_keys_and_pointer(demo):
    place = demo("bumps")
    place.get_by_label("Target", exact=True).select_option("line")
    slope = lambda: bumps_facts(place)["slope"]
    point = place.get_by_label(re.compile("^Point 3 "))
    label = lambda: place.locator("[data-point='2']").get_attribute("aria-label")
    assert slope() == pytest.approx(1.8, rel=1e-4)
    point.focus()
    for _ in range(2):
        place.page.keyboard.press("Shift+ArrowUp")
    assert "f = −0.16" in label() and slope() == pytest.approx(0.47 / 0.15, rel=1e-4)
    for _ in range(9):
        place.page.keyboard.press("Shift+ArrowLeft")  # up to its neighbor and no further
    assert "x = 0.19" in label()
    place.page.keyboard.press("PageDown")
    assert place.page.evaluate("document.activeElement.dataset.point") == "3"
    box = place.locator("[data-point='3'] .mx-dot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    place.page.mouse.move(x, y)
    place.page.mouse.down()
    place.page.mouse.move(x + 20, y - 40)
    place.page.mouse.up()
    moved = place.locator("[data-point='3'] .mx-dot").bounding_box()
    assert moved["x"] - box["x"] == pytest.approx(20, abs=4) and moved["y"] - box["y"] == pytest.approx(-40, abs=2)
    place.get_by_role("button", name="Points back").click()
    assert slope() == pytest.approx(1.8, rel=1e-4)
    assert demo.found == []


def sawtooth_rows(place):
    rows = place.locator("tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.querySelectorAll('[data-value]')].map(e => Number(e.dataset.value)))"
    )
    return dict(zip(("layers", "units", "pieces", "sup", "mean", "needed"), rows, strict=True))


def test_sawtooth_depth_against_width(demo):
    place = demo("sawtooth")
    verdict = lambda: place.locator(".mx-verdict").inner_text()
    folds, width = place.get_by_label("Folds k"), place.get_by_label("Shallow units w")
    assert sawtooth_rows(place)["pieces"] == [8, 6] and "Out of reach" in verdict()
    width.press("ArrowRight")
    assert sawtooth_rows(place)["units"] == [6, 7] and "One unit short" in verdict()
    width.press("ArrowRight")
    assert sawtooth_rows(place)["sup"] == [0, 0] and "Exact" in verdict()
    place.get_by_role("button", name="Fold", exact=True).click()
    rows = sawtooth_rows(place)
    assert rows["units"] == [8, 8] and rows["pieces"] == [16, 8] and rows["sup"] == [0, 0.5]
    folds.press("End")
    assert place.get_by_role("button", name="Fold", exact=True).is_disabled()
    width.press("End")
    assert sawtooth_rows(place)["pieces"] == [256, 256] and sawtooth_rows(place)["sup"][1] < 1e-4
    folds.press("Home")
    place.get_by_label("Its knots").select_option("even")
    width.press("Home")
    assert sawtooth_rows(place)["sup"] == [0, 1]  # both knots of one piece lie where the tent is 0
    assert demo.found == []


def test_sawtooth_points_that_end_together(demo):
    place = demo("sawtooth")
    story = lambda: place.locator(".mx-sawtooth__title").inner_text()
    assert "0.300 → 0.600 → 0.800 → 0.400" in story() and "7 other points" in story()
    place.get_by_label("Folds k").press("Home")
    assert "1 other point ends there" in story()
    plot = place.locator("svg.mx-plot--drag")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    middle = 24 + (box["width"] - 34) / 2
    place.page.mouse.move(box["x"] + middle - 40, box["y"] + 100)
    place.page.mouse.down()
    place.page.mouse.move(box["x"] + middle, box["y"] + 60)
    place.page.mouse.up()
    assert place.get_by_label("Point x").input_value() == "0.5" and "0.500 → 1.00." in story()
    place.get_by_label("Point x").press("Home")
    assert "0 → 0" in story() and "1 other point ends there" in story()  # at a kink: 0 and 1
    place.get_by_label("Folds k").press("ArrowRight")
    assert "2 other points" in story()  # ½ and 1
    place.get_by_label("Point x").fill("0.25")
    assert "0.250 → 0.500 → 1.00" in story() and "1 other point ends there" in story()
    place.page.wait_for_timeout(1200)  # the fold is over
    assert demo.found == []


def test_regions_trains_and_counts(demo):
    place = demo("regions")
    fact = lambda name: float(place.locator(f"dt:text-is('{name}') + dd [data-value]").last.get_attribute("data-value"))
    button = lambda name: place.get_by_role("button", name=name, exact=True)
    best = "best network of this shape"
    assert fact("regions on the raster") == fact("all in the square") == 52 and fact(best) == 352
    button("One step").click()
    assert fact("step") == 1 and fact("all in the square") > 300 > fact("regions on the raster")
    place.get_by_label("Speed").select_option("fast")
    button("Train").click()
    place.page.wait_for_function("() => Number(document.querySelector('dd [data-value]').dataset.value) > 60")
    button("Pause").click()
    loss, steps = fact("loss"), fact("step")
    place.page.wait_for_timeout(300)
    assert fact("step") == steps and loss < 0.35
    place.get_by_label("Hidden units").select_option("8 + 8")
    assert fact("step") == 0 and fact("parameters") == 105 and fact(best) == 1369
    assert place.locator(".mx-regions__name").text_content() == "26"  # its curve stays for comparison
    place.get_by_label("Points").select_option("spirals")
    assert place.locator(".mx-regions__name").count() == 0
    place.get_by_label("Colors").select_option("answer")
    button("New start").click()
    assert fact("step") == 0 and demo.found == []


def test_regions_that_the_page_counts():
    """The numbers of the chapter on depth are those that the demo holds."""
    data, page = json.loads(figures.demo_data("regions")), (figures.ROOT / "docs/book/depth.md").read_text("utf-8")
    count = lambda net, step: int(data["references"]["moons"][net][0][data["marks"].index(step)][3])
    least, most = data["nets"]["8 + 8"]["best"]
    for said in (
        f"the 26 lines meet at the origin: {count('26', 0)} regions",
        f"in the square is then {count('26', 1)}, the most",
        f"after 300 steps {count('26', 300)} regions",
        f"has {least} regions or more, none has more than {most:,}, and this one has {count('8 + 8', 300)} after 300",
    ):
        assert said in page, said


def test_regions_zoom_and_the_ring(demo):
    place = demo("regions")
    said = lambda: place.locator(".mx-regions__here").inner_text()
    met = lambda: float(place.locator("dt:text-is('regions on the raster') + dd span").get_attribute("data-value"))
    place.get_by_role("button", name="One step", exact=True).click()
    ring, before = place.locator(".mx-land__handle"), met()
    here = said()
    ring.focus()
    for key in ["Shift+ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft"]:
        ring.press(key)
    assert said() != here and "x₁ = 0.09" in ring.get_attribute("aria-label")
    box = place.locator(".mx-regions__map").bounding_box()
    place.page.mouse.click(box["x"] + box["width"] * 1.25 / 3.5, box["y"] + box["height"] * 2 / 3.5)  # the origin
    zoom = place.get_by_label("Zoom")
    for _ in range(3):
        zoom.press("ArrowRight")
    assert met() > 2 * before  # near the origin all lines cross
    ring.press("ArrowUp")
    assert "of 26 units are active" in said() and demo.found == []


@pytest.mark.dark
def test_regions_takes_the_colors_of_the_scheme(demo):
    place = demo("regions")
    pixel = lambda: place.locator("canvas").evaluate("c => [...c.getContext('2d').getImageData(9, 9, 1, 1).data]")
    before = pixel()
    now = place.page.evaluate("() => document.body.dataset.mdColorScheme")
    place.page.evaluate("to => document.body.dataset.mdColorScheme = to", {"slate": "default", "default": "slate"}[now])
    place.page.wait_for_timeout(100)
    assert pixel() != before
