"""Small mistakes, put one after another into the core: does a test of that room fail each time?

The mutants are made by cosmic-ray's operators (`_mistakes`), and tested in forks of a process (`_judge`) that has a
copy of the repository. What became of each is kept in `build/mutants.jsonl` (`_court`): a run that was interrupted goes
on where it was, and what was judged with the same code and the same tests is not judged again. Mutants that no test can
notice are listed in `survivors.toml`, each with the reason.
"""

import collections
import functools
import itertools
import pathlib
import random
import tomllib

from tests.reliability import _court, _mistakes
from tests.reliability._court import ROOT
from tests.reliability._mistakes import Mutant
from tests.reliability.experiments import Claim

# The files of each room, and the tests that guard it besides the examples of its docstrings.
EXPERIMENT = "tests/reliability/test_experiments.py::test_a_few_trials"
ROOMS = {
    "data.idx": ("mlpjax/data/idx.py", "tests/data/test_idx.py"),
    "training._archive": (
        "mlpjax/training/_archive.py",
        "tests/training/test_archive.py",
        "tests/training/test_checkpoint.py",
        f"{EXPERIMENT}[bit_rot]",
    ),
    "_files": (
        "mlpjax/_files.py",
        "tests/test_files.py",
        "tests/training/test_checkpoint.py",
    ),
    "training.checkpoint": (
        "mlpjax/training/checkpoint.py",
        "tests/training/test_checkpoint.py",
        "tests/training/test_archive.py",
    ),
    "gradcheck": ("mlpjax/gradcheck.py", "tests/test_gradcheck.py"),
    "losses": ("mlpjax/losses", "tests/test_losses.py", f"{EXPERIMENT}[special_values]", f"{EXPERIMENT}[accuracy]"),
    "backprop": ("mlpjax/backprop.py", "tests/test_backprop.py"),
    "activations": (
        "mlpjax/activations",
        "tests/test_activations.py",
        f"{EXPERIMENT}[special_values]",
        f"{EXPERIMENT}[accuracy]",
    ),
}
EXTRA = "_files"  # beside the rooms of the core, and not in their sum
WHOLE = ("data.idx",)  # whose tests are fast: all its mutants, however few of the other rooms are asked for
TARGET = 95  # percent

TITLE = "Mutants that the tests notice"
HOW = (
    "Into every room of the core, one mistake at a time: an operator, a comparison, a condition or a number replaced; a"
    " decorator, the body of a loop or a statement left out; an error not caught. The mistakes are those of cosmic-ray"
    " and two kinds more. Each time the room's own tests run until one fails. A survivor must be explained. Where a"
    " room has more mutants than were judged, they were drawn by chance."
)
FULL, QUICK = 40, 1  # of each room; 1,000 is more than any has


def measure(count, seed):
    """What became of the mutants, room by room."""
    made, chosen = ({"data.idx": 1}, None) if count == QUICK else drawn(count, seed)
    verdicts = judged(chosen) if chosen else by_hand()
    survived = {mutant.name for _, mutant, outcome in verdicts if outcome == "survived"}
    noticed = {mutant.name for _, mutant, _ in verdicts} - survived
    said = {tuple(entry[field] for field in Mutant._fields[:4]): entry["why"] for entry in explained()}
    rooms = {room: collections.Counter(o for r, _, o in verdicts if r == room) for room in made}
    return {
        "made": made,
        "rooms": {room: dict(sorted(outcomes.items())) for room, outcomes in rooms.items()},
        "unexplained": sorted(" | ".join(name) for name in survived - said.keys()),
        "explanations": len(said),
        "tried": len(said.keys() & (survived | noticed)),
        "refuted": [" | ".join(name) for name in said if name in noticed],
        "outdated": [" | ".join(name) for name in said if name[2] not in lines(name[0])],
    }


def claims(found):
    """Enough are noticed, and none survives without a reason."""
    core = [room for room in found["rooms"] if room != EXTRA]
    total = sum(sum(found["rooms"][room].values()) for room in core)
    noticed = total - sum(found["rooms"][room].get("survived", 0) for room in core)
    share = f"{noticed:,} of {total:,} ({100 * noticed / total:.1f} %)"
    if total < (made := sum(found["made"][room] for room in core)):
        share += f", drawn from {made:,}"
    yield Claim(f"at least {TARGET} % of the mutants of the core noticed", share, 100 * noticed >= TARGET * total)
    for room in found["rooms"]:
        unexplained = sum(name.startswith(ROOMS[room][0]) for name in found["unexplained"])
        words = in_words(found["made"][room], found["rooms"][room], unexplained)
        yield Claim(f"`{room}`: each noticed or explained", words, not unexplained)
    yield Claim("survivors that no reason explains", f"{len(found['unexplained'])}", not found["unexplained"])
    refuted = f"{len(found['refuted'])} of {found['tried']}"
    yield Claim("reasons for mutants that a test does notice", refuted, not found["refuted"])
    outdated = f"{len(found['outdated'])} of {found['explanations']}"
    yield Claim("reasons for lines that are no longer there", outdated, not found["outdated"])


def in_words(made, outcomes, unexplained):
    """What became of the mutants of one room, and by what, if not by a test, they were noticed."""
    judged, survived = sum(outcomes.values()), outcomes.get("survived", 0)
    how = {"timeout": "hung", "import": "at import", "crash": "crashed"}
    others = ", ".join(f"{outcomes[kind]} {word}" for kind, word in how.items() if outcomes.get(kind))
    words = f"{judged - survived} of {judged} noticed{f' ({others})' if others else ''}"
    words += f", {survived - unexplained} explained" if survived else ""
    return words + (f"; drawn from {made}" if made > judged else "")


@functools.cache
def explained():
    """The mutants that no test can notice."""
    return tomllib.loads(pathlib.Path(__file__).with_name("survivors.toml").read_text("utf-8"))["survivor"]


@functools.cache
def lines(file):
    """The lines of a source, without their indentation."""
    return {line.strip() for line in (ROOT / file).read_text("utf-8").splitlines()}


def sources(room):
    """The files of a room."""
    place = ROOT / ROOMS[room][0]
    return [str(file.relative_to(ROOT)) for file in ([place] if place.is_file() else sorted(place.glob("*.py")))]


def drawn(count, seed):
    """How many mutants each room has, and of each room so many by chance, the rooms in turn."""
    turns, generator = [], random.Random(seed)
    for room in ROOMS:
        texts = {file: (ROOT / file).read_text("utf-8") for file in sources(room)}
        every = [mutant for file, text in texts.items() for mutant in _mistakes.mutants(file, text)]
        generator.shuffle(every)
        turns.append([(room, mutant) for mutant in every])
    made = {room: len(turn) for room, turn in zip(ROOMS, turns, strict=True)}
    some = [turn if room in WHOLE else turn[:count] for room, turn in zip(ROOMS, turns, strict=True)]
    return made, [pair for turn in itertools.zip_longest(*some) for pair in turn if pair]


def by_hand():
    """One mutant that must be noticed, by one test; it needs no cosmic-ray."""
    file, line, mutated = "mlpjax/data/idx.py", "if len(content) < expected:", "if len(content) > expected:"
    text = (ROOT / file).read_text("utf-8").replace(line, mutated)
    mutant = Mutant(file, "_read", line, mutated, "by hand", text)
    with _court.Judge() as judge:
        tests = ["tests/data/test_idx.py::test_wrong_content_is_named"]
        _court.control(judge, file, tests)
        return [("data.idx", mutant, judge(mutant.file, mutant.text, tests)["outcome"])]


def judged(chosen):
    """The verdict on each, from earlier runs or new."""
    tests = {room: [*ROOMS[room][1:], *sources(room)] for room in ROOMS}
    return _court.verdicts([(room, mutant, tests[room]) for room, mutant in chosen])
