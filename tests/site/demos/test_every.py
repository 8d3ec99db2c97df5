"""What every demo has to do: start, show what JAX computes, name its controls, and say so where it cannot start."""

import json
import re

import pytest

pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")

from docs._ext import figures

DEMOS = sorted(path.stem for path in (figures.ROOT / "docs/demos").glob("[!_]*.py"))
TOLERANCE = 1e-4


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
