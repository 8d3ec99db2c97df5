"""Every experiment keeps its claims on a few trials, and its record is of the code as it stands."""

import pytest

from tests.reliability import experiments


@pytest.mark.parametrize("name", experiments.names())
def test_a_few_trials(name):
    module = experiments.load(name)
    for claim in module.claims(experiments.measured(module, module.QUICK, seed=0)):
        assert claim.kept, f"{claim.expected}: {claim.found}"


@pytest.mark.parametrize("name", experiments.names())
def test_the_record_is_that_of_a_full_run(name):
    module, kept = experiments.load(name), experiments.read(name)
    assert kept["count"] >= module.FULL and (kept["title"], kept["how"]) == (module.TITLE, module.HOW)
    assert kept["claims"] == [claim._asdict() for claim in module.claims(kept["found"])]
