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
def demo(window, tmp_path, request):
    """`demo(name)`: the demo's place on a page of its own; what goes wrong is in `demo.found`."""
    if window.view == "dark" and request.node.get_closest_marker("dark") is None:  # the id, too, is a keyword
        pytest.skip("the same in the dark")

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


@pytest.mark.dark
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


@pytest.mark.dark
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


def descent_facts(place):
    terms, shown = place.locator("dt").all_inner_texts(), place.locator("dd").all_inner_texts()
    return dict(zip(terms, shown, strict=True))


def test_descent_by_presets_sliders_and_keys(demo):
    place = demo("descent")
    fact = lambda term: float(descent_facts(place)[term])
    verdict = lambda: place.locator(".mx-verdict").inner_text()
    assert "Converges" in verdict() and fact("best η") == pytest.approx(2 / 1.1, rel=1e-2) and fact("limit of η") == 2
    assert fact("factor per step ρ") == pytest.approx(9 / 11, rel=1e-2)
    place.get_by_role("button", name="Reset").click()
    place.get_by_role("button", name="Step", exact=True).click()
    assert fact("step") == 1
    place.get_by_role("button", name="Too large").click()
    assert "Diverges" in verdict() and fact("factor per step ρ") > 1
    place.get_by_role("button", name="Too small").click()
    assert "Too small" in verdict()
    place.get_by_label("Condition κ").press("Home")
    place.get_by_role("button", name="Right").click()
    assert "at once" in verdict() and fact("factor per step ρ") == 0
    start = place.locator(".mx-land__handle")
    start.focus()
    before = start.get_attribute("aria-label")
    start.press("ArrowUp")
    start.press("Shift+ArrowRight")
    assert start.get_attribute("aria-label") != before
    box = place.locator(".mx-land__svg").bounding_box()
    place.page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    assert "x = 1.5" in start.get_attribute("aria-label")
    place.page.mouse.down()
    place.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    place.page.mouse.up()
    place.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    assert "x = −1.5" in start.get_attribute("aria-label")
    assert demo.found == []


def test_descent_momentum_helps_and_runs_stop(demo):
    place = demo("descent")
    factor = lambda: float(descent_facts(place)["factor per step ρ"])
    assert not place.get_by_label("Momentum β").is_visible()
    place.get_by_label("Condition κ").press("End")
    place.get_by_role("button", name="Right").click()
    plain = factor()
    place.get_by_label("Method", exact=True).select_option("momentum")
    place.get_by_role("button", name="Right").click()
    assert plain == pytest.approx(99 / 101, rel=1e-3) and factor() == pytest.approx(9 / 11, rel=1e-3)
    for surface in ("saddle", "minima", "valley", "network"):
        place.get_by_label("Surface", exact=True).select_option(surface)
        assert "factor" not in place.locator("dl").inner_text()
    place.get_by_label("Surface", exact=True).select_option("saddle")
    place.get_by_label("Method", exact=True).select_option("sgd")
    place.get_by_role("button", name="Run").click()
    place.page.wait_for_function("() => document.querySelector('.mx-verdict').innerText.startsWith('Arrived')")
    assert demo.found == []


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


def race_rows(place):
    rows = place.locator("tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.querySelectorAll('[data-value]')].map(e => Number(e.dataset.value)))"
    )
    return {name: row for name, row in zip(("sgd", "momentum", "nesterov", "rmsprop", "adam"), rows, strict=True)}


def test_race_turned_ravine_hurts_only_those_that_scale_coordinates(demo):
    place = demo("race")
    before = race_rows(place)
    place.get_by_label("Turned by").press("End")
    after = race_rows(place)
    for name in ("sgd", "momentum", "nesterov"):
        assert after[name] == pytest.approx(before[name], rel=2e-2)
    assert before["adam"][2] > 0 and after["adam"][2] == -1 and after["adam"][1] > 10 * before["adam"][1]
    place.get_by_role("button", name="Tune anew").click()
    assert race_rows(place)["adam"][2] > 0 and place.get_by_role("button", name="Tune anew").is_disabled()


def test_race_runs_pauses_resets_and_hides(demo):
    place = demo("race")
    place.get_by_role("button", name="Reset").click()
    assert len({row[1] for row in race_rows(place).values()}) == 1
    place.get_by_role("button", name="Race").click()
    place.page.wait_for_function("() => [...document.querySelectorAll('tbody .mx-right')].length >= 2")
    place.get_by_role("button", name="Pause").click()
    rates = {name: row[0] for name, row in race_rows(place).items()}
    place.get_by_label("All rates").press("End")
    assert {name: row[0] / 4 for name, row in race_rows(place).items()} == pytest.approx(rates)
    assert "lost" in place.locator("tbody").text_content()
    place.get_by_label("Noisy gradients").check()
    paths = place.locator(".mx-plot .mx-curve").count()
    place.get_by_label("RMSProp").uncheck()
    assert place.locator(".mx-plot .mx-curve").count() == paths - 1
    place.get_by_label("Course", exact=True).select_option("valley")
    assert not place.get_by_label("Turned by").is_visible()
    assert demo.found == []


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


def test_layer_starts_wrong_and_or_and_and_are_right(demo):
    place = demo("layer")
    right = lambda: place.locator("p .mx-number").last.inner_text()
    assert right() == "3" and place.locator("td.mx-wrong").count() == 1
    place.get_by_role("button", name="OR and AND").click()
    assert right() == "4" and place.locator("td.mx-right").count() == 4
    for _ in range(8):
        place.get_by_label("Shift of h₂").press("ArrowLeft")  # the second line leaves its gap
    assert right() == "2"
    place.get_by_role("button", name="One cook per flavor").click()
    assert right() == "3"
    place.get_by_label("c, bias").press("Home")
    assert right() == "1" and "yes ✗" in place.inner_text()  # now it is AND


def test_layer_answers_to_the_pointer(demo):
    place = demo("layer")
    place.get_by_role("button", name="OR and AND").click()
    shift = lambda: float(place.get_by_label("Shift of h₁").input_value())
    turn = lambda: float(place.get_by_label("Direction of h₁").input_value())
    picture = place.locator(".mx-map")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    spot = lambda x, y: (box["x"] + (x + 0.45) / 1.9 * box["width"], box["y"] + (1.45 - y) / 1.9 * box["height"])

    def drag(start, end):
        place.page.mouse.move(*spot(*start))
        place.page.mouse.down()
        place.page.mouse.move(*spot(*end))
        place.page.mouse.up()

    assert (shift(), turn()) == (-0.35, 45)
    drag((0.5, 0.0), (0.3, 0.0))  # the line of OR, away from the middle
    assert shift() == pytest.approx(-0.5) and turn() == 45
    foot = 0.5 - 0.5 * 0.5**0.5
    tip = foot + 0.22 * 0.5**0.5
    drag((tip, tip), (foot + 0.2, foot))  # its arrow, to the right
    assert abs(turn()) <= 5 and shift() == pytest.approx(-0.5)


def test_layer_with_sigmoids(demo):
    place = demo("layer")
    place.get_by_role("button", name="OR and AND").click()
    assert not place.get_by_label("Steepness").is_visible()
    place.get_by_label("Kind of unit").select_option("smooth")
    answers = lambda: [float(t.split()[0]) for t in place.locator("td.mx-right, td.mx-wrong").all_inner_texts()]
    place.get_by_label("Steepness").press("End")
    steep = answers()
    assert max(steep[0], steep[3]) < 0.05 and min(steep[1], steep[2]) > 0.95
    place.get_by_label("Steepness").press("Home")
    soft = answers()
    assert max(soft) - min(soft) < 0.1


def test_perceptron_learns_the_mushrooms(demo):
    place = demo("perceptron")
    fact = lambda name: place.locator(f"dt:text-is('{name}') + dd").inner_text()
    button = lambda name: place.get_by_role("button", name=name, exact=True)
    button("Next example").click()
    assert fact("mistakes so far") == "1" and fact("w") == "(−1.9, −0.3)" and fact("bound (R/γ)²") == "593"
    assert "should not fire" in place.inner_text()
    for _ in range(3):
        button("Next mistake").click()
    assert fact("examples seen") == "5" and fact("mistakes so far") == "4"
    button("Reset").click()
    assert fact("mistakes so far") == "0" and fact("w") == "(0, 0)"
    ends = []
    for rate in ("Home", "End"):
        place.get_by_label("Learning rate η").press(rate)
        place.get_by_label("Speed").select_option("fast")
        button("Run").click()
        place.page.wait_for_function("() => document.querySelector('.mx-demo').innerText.includes('at rest')")
        ends.append((fact("mistakes so far"), fact("right now"), fact("examples seen")))
        assert button("Next mistake").is_disabled()
    assert ends == [("25", "24 of 24", "100 (4 epochs, at rest)")] * 2
    assert "The mistakes are the same." in place.inner_text()


def test_perceptron_takes_moved_points_and_a_moved_bias(demo):
    place = demo("perceptron")
    fact = lambda name: place.locator(f"dt:text-is('{name}') + dd").inner_text()
    point = place.locator("[data-point='0']")
    point.focus()
    place.page.keyboard.press("ArrowUp")
    assert "19 spots, stem 4 centimeters" in place.locator("[data-point='0']").get_attribute("aria-label")
    place.page.keyboard.press("PageDown")
    place.page.keyboard.press("ArrowRight")
    assert "1 spots, stem 16" in place.locator("[data-point='1']").get_attribute("aria-label")
    assert place.page.evaluate("document.activeElement.dataset.point") == "1"
    dot, target = (place.locator(f"[data-point='{i}'] .mx-dot").bounding_box() for i in (19, 10))
    middle = lambda box: (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    place.page.mouse.move(*middle(dot))
    place.page.mouse.down()
    place.page.mouse.move(*middle(target), steps=4)
    place.page.mouse.up()
    assert "none" in fact("bound (R/γ)²")  # a safe mushroom amid the poisonous ones
    place.get_by_role("button", name="Points back").click()
    assert fact("bound (R/γ)²") == "593"
    place.get_by_role("button", name="Next example").click()
    place.get_by_label("Bias b").press("End")
    assert fact("b") == "8" and "from zero only" in fact("bound (R/γ)²") and "Moved by hand" in place.inner_text()


def test_perceptron_becomes_a_logistic_neuron(demo):
    place = demo("perceptron")
    place.get_by_label("Neuron", exact=True).select_option("logistic")
    loss = place.locator("dt:text-is('mean loss') + dd span")
    assert loss.inner_text() == "0.693" and not place.locator("dt:text-is('bound (R/γ)²')").is_visible()
    place.get_by_role("button", name="Next example").click()
    assert "ŷ = 0.50" in place.inner_text() and place.locator("dt:text-is('w') + dd").inner_text() == "(−0.95, −0.15)"


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
    data, page = json.loads(figures.demo_data("regions")), (DOCS / "book/depth.md").read_text("utf-8")
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
