"""The demos in a real browser, each on a page of its own, opened from the disk: they start, show what JAX computes,
answer to keys, mouse and theme, and where they cannot start they say so. Needs no built site."""

import json
import pathlib
import re

import pytest

pytest.importorskip("playwright", reason="the browser's driver is in the [site] extra")
pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")

from docs._ext import figures
from tests.site import browser as browsers

DOCS = pathlib.Path(figures.__file__).parents[1]
DEMOS = sorted(path.stem for path in (DOCS / "demos").glob("[!_]*.py"))
TOLERANCE = 1e-4
STATIC = '<div class="mx-demo__static"><p>What the demo would show.</p></div>'

if not pathlib.Path(browsers.CHROMIUM).exists():
    pytest.skip("there is no Chromium", allow_module_level=True)


@pytest.fixture(scope="module", params=list(browsers.VIEWS))
def window(request, browser):
    context = browsers.context(browser, request.param)
    context.view = request.param
    yield context
    context.close()


@pytest.fixture
def demo(window, tmp_path):
    """`demo(name)`: the demo's place on a page of its own; what goes wrong is in `demo.found`."""

    def load(name, data=None, scripts=None):
        files = ["jaxpr.js", "demo.js", *([f"demos/{name}.js"] if scripts is None else scripts)]
        sheets = [
            f'<link rel="stylesheet" href="{(DOCS / "assets/css" / f).as_uri()}.css">' for f in ("site", "book", "demo")
        ]
        code = [f'<script src="{(DOCS / "assets/js" / f).as_uri()}"></script>' for f in files]
        scheme = "slate" if window.view == "dark" else "default"
        page = tmp_path / f"{name}.html"
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">{"".join(sheets)}'
            f'<body data-md-color-scheme="{scheme}" class="md-content"><article class="md-typeset">'
            f'<div class="mx-demo" data-demo="{name}"><script type="application/json">'
            f"{figures.demo_data(name) if data is None else data}</script>{STATIC}</div></article>{''.join(code)}",
            "utf-8",
        )
        tab = window.new_page()
        browsers.watch(tab, "file:", load.found)
        tab.goto(page.as_uri())
        return tab.locator(".mx-demo")

    load.found = []
    yield load
    for tab in window.pages:
        tab.close()


def worst(place):
    pairs = place.evaluate("place => place.check()")
    assert len(pairs) > 20
    return max((abs(shown - wanted) / max(abs(wanted), 1e-6), name) for name, (shown, wanted) in pairs.items())


@pytest.mark.parametrize("name", DEMOS)
def test_starts_and_shows_what_jax_computes(name, demo):
    place = demo(name)
    assert place.get_attribute("data-ready") == "done"
    assert place.locator(".mx-demo__live").is_visible() and not place.locator(".mx-demo__static").is_visible()
    assert worst(place)[0] <= TOLERANCE
    assert demo.found == []
    assert place.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("name", DEMOS)
def test_a_wrong_constant_is_seen(name, demo):
    data = json.loads(figures.demo_data(name))
    for program in data["programs"].values():
        program["constants"] = {place: "zczMPg==" for place in program["constants"]}  # 0.4 in place of each
    assert worst(demo(name, json.dumps(data)))[0] > 100 * TOLERANCE


@pytest.mark.parametrize("name", DEMOS)
def test_a_demo_that_cannot_start_says_so(name, demo):
    data = json.loads(figures.demo_data(name))
    next(iter(data["programs"].values()))["equations"].append(["fft", [0], 0, {}])
    for place, said in (
        (demo(name, json.dumps(data)), "no primitive fft"),
        (demo(name, "{"), "could not start"),
        (demo(name, scripts=[]), "did not load"),
    ):
        assert place.get_attribute("data-ready") == "error"
        assert said in place.get_by_role("alert").inner_text()
        assert place.locator(".mx-demo__static").is_visible()


@pytest.mark.parametrize("name", DEMOS)
def test_every_control_has_a_name(name, demo):
    controls = demo(name).locator("input, select, button, [tabindex], svg[role=img], [role=img]")
    assert controls.count() > 4
    names = controls.evaluate_all("list => list.map(e => e.ariaLabel || e.labels?.[0]?.textContent || e.textContent)")
    assert all(text.strip() for text in names), names


def number(text):
    mantissa, _, power = text.replace("−", "-").partition("·10")
    power = power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    return float(mantissa.strip("()")) * 10 ** int(power or 0)


@pytest.mark.parametrize("name", DEMOS)
def test_the_text_of_a_number_is_the_number(name, demo):
    place = demo(name)
    shown = place.locator("[data-value]").evaluate_all(
        "list => list.map(e => [e.textContent, Number(e.dataset.value)])"
    )
    assert shown
    for text, value in shown:
        if re.match(r"^[(−\d]", text):
            assert number(text.split(" at ")[0].replace(",", "")) == pytest.approx(value, rel=6e-2, abs=1e-12)


def test_activations_answers_to_keys_and_pointer(demo):
    place = demo("activations")
    value = lambda: float(place.locator(".mx-number.mx-forward").get_attribute("data-value"))
    place.get_by_label("Activation").select_option("relu")
    slider = place.get_by_label("z", exact=True)
    slider.focus()
    slider.press("Home")
    assert value() == 0 and "Flat here" in place.inner_text()
    slider.press("End")
    assert value() == 5
    plot = place.locator("svg.mx-plot")
    box = plot.bounding_box()
    plot.hover(position={"x": box["width"] * 0.75, "y": box["height"] / 2})
    place.page.mouse.down()
    place.page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 40)
    place.page.mouse.up()
    assert 2 < value() < 4
    assert not place.get_by_label("α", exact=True).is_visible()
    place.get_by_label("Activation").select_option("leaky_relu")
    slider.press("Home")
    assert value() == pytest.approx(-0.5)
    place.get_by_label("α", exact=True).press("End")
    assert value() == pytest.approx(-4.5)


def test_xor_trains_pauses_and_resets(demo):
    place = demo("xor")
    facts = lambda: place.locator("dd").all_inner_texts()
    loss = lambda: float(place.locator(".mx-number.mx-forward").get_attribute("data-value"))
    first = loss()
    place.get_by_role("button", name="One step").click()
    assert facts()[1] == "1" and float(facts()[4].split("·")[0]) < 10 and loss() != first
    place.get_by_label("Speed").select_option("fast")
    place.get_by_role("button", name="Train").click()
    place.page.wait_for_function("() => Number(document.querySelectorAll('dd span')[1].dataset.value) > 2000")
    place.get_by_role("button", name="Pause").click()
    after = facts()[1]
    place.page.wait_for_timeout(600)
    assert facts()[1] == after and loss() < 1e-4 < first
    assert place.locator(".mx-right").count() == 4
    place.get_by_label("Learning rate").press("Home")
    assert "none" in facts()[3]
    place.get_by_role("button", name="Reset").click()
    assert facts()[1] == "0" and facts()[3] == "from step 1 on"
    place.get_by_role("button", name="New start").click()
    assert facts()[0].startswith("2 of") and loss() != first


def test_xor_takes_the_colors_of_the_scheme(demo):
    place = demo("xor")
    place.evaluate("place => place.check()")
    pixel = lambda: place.locator("canvas").evaluate("c => [...c.getContext('2d').getImageData(0, 0, 1, 1).data]")
    before = pixel()
    now = place.page.evaluate("() => document.body.dataset.mdColorScheme")
    place.page.evaluate("to => document.body.dataset.mdColorScheme = to", {"slate": "default", "default": "slate"}[now])
    place.page.wait_for_timeout(100)
    assert pixel() != before


def test_backprop_steps_by_keys_and_descends(demo):
    place = demo("backprop")
    said = lambda: place.locator("output").first.inner_text()
    result = lambda: float(place.locator(".mx-step__result").get_attribute("data-value"))
    place.get_by_role("group").focus()
    for _ in range(3):
        place.page.keyboard.press("ArrowRight")
    place.page.keyboard.press("ArrowLeft")
    assert said() == "3 of 26" and "FWD2" in place.inner_text()
    place.get_by_role("button", name="Backward").click()
    assert said() == "10 of 26" and "BP1" in place.inner_text()
    place.get_by_role("button", name="Descend").click()
    new = result()
    place.get_by_role("button", name="Take this step").click()
    assert result() < new
    place.get_by_label("Step", exact=True).press("Home")
    assert place.get_by_role("button", name="← Back").is_disabled()
    place.get_by_role("button", name="Reset").click()
    place.get_by_label("input x₁").press("Home")
    assert said() == "1 of 26" and result() == pytest.approx(0.5 * -2 - 1.0 * 0.5 + 0.2)


def test_depth_shows_vanishing_and_exploding(demo):
    place = demo("depth")
    numbers = lambda: [
        float(v) for v in place.locator("dd .mx-number").evaluate_all("l => l.map(e => e.dataset.value)")
    ]
    said = lambda: place.locator(".mx-demo__note").inner_text()
    gain, _, _, error, factor, predicted = numbers()
    assert gain == 1 and error < 1e-11 and abs(factor - predicted) < 0.01 and "vanishes" in said()
    layers = place.get_by_label("Layers", exact=True)
    layers.focus()
    layers.press("End")
    assert numbers()[3] < 1e-28
    place.get_by_label("Activation", exact=True).select_option("tanh")
    place.get_by_label("Weights", exact=True).select_option("large")
    assert numbers()[3] > 1e5 and "explodes" in said() and "keep their size" in said()
    place.get_by_label("Activation", exact=True).select_option("relu")
    place.get_by_label("Weights", exact=True).select_option("He")
    assert 1e-3 < numbers()[3] < 1e3 and "arrives" in said()
    place.get_by_label("Weights", exact=True).select_option("large")
    scale = place.get_by_label("Scale", exact=True)
    scale.focus()
    scale.press("End")
    assert "overflows float32" in said()
    place.get_by_label("Weights", exact=True).select_option("orthogonal")
    assert numbers()[0] == 1 and "dies out" in said()
