"""The demos of training: they run, pause, reset, and show what the page says of them."""

import pytest


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
