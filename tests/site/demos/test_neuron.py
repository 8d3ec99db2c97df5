"""The demos of activations, one neuron and one layer: what they answer to keys and pointer."""

import pytest


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
