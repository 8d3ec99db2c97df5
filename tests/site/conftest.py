"""The gate on the built site, in a real browser: `python -m pytest tests/site --site DIR`.

Needs the extra `[site]`, Chromium (the variable CHROMIUM names another than /usr/bin/chromium), and
`npm ci --prefix tests/site`. Without `--site` these tests are skipped, and the rest of the suite needs none of this.
"""

import pytest

from tests.site import browser as browsers


def pytest_addoption(parser):
    parser.addoption("--site", help="folder with the built site to be checked")
    parser.addoption("--offline-site", help="folder with the unpacked offline copy to be checked")


def folder(config, name):
    return config.getoption(name, default=None)


def pytest_generate_tests(metafunc):
    """`path`: every page of the site."""
    if "path" in metafunc.fixturenames:
        given = folder(metafunc.config, "--site")
        metafunc.parametrize("path", browsers.Site(given).pages if given else ["no site"], ids=lambda p: p or "home")


@pytest.fixture(scope="session")
def site(request):
    given = folder(request.config, "--site")
    if not given:
        pytest.skip("no built site given: --site DIR")
    return browsers.Site(given)


@pytest.fixture(scope="session")
def offline_site(request):
    given = folder(request.config, "--offline-site")
    if not given:
        pytest.skip("no offline copy given: --offline-site DIR")
    return browsers.Site(given)


@pytest.fixture(scope="session")
def browser():
    """One browser for each worker."""
    pytest.importorskip("playwright", reason="the browser's driver is in the [site] extra")
    with browsers.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def windows(browser, site):
    """`windows(view)`: a context of the browser that reaches the site only; made once."""
    made = {}

    def window(view):
        if view not in made:
            made[view] = browsers.context(browser, view, site)
        return made[view]

    yield window
    for each in made.values():
        each.close()


@pytest.fixture
def tab(windows, site):
    """`tab(path, view="light")`: that page of the site, loaded; what goes wrong in it is in `tab.found`."""
    pages = []

    def load(path="", view="light"):
        page = windows(view).new_page()
        pages.append(page)
        browsers.watch(page, site.url, load.found)
        page.goto(site.url + path, wait_until="load")
        return page

    load.found = []
    yield load
    for page in pages:
        page.close()
