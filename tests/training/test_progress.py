"""What a run shows of itself: rows that fit, places that are never ahead of what is known, and one terminal only."""

import contextlib
import importlib.util
import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from mlpjax.training import _progress
from mlpjax.training._progress import Progress, Row, duration, figure, layout, words

WIDTHS = (140, 100, 80, 60, 50, 40, 30, 20)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def progress(total=3000, done=0, *, per_epoch=100, chunk=100, **more):
    clock = Clock()
    about = dict(per_epoch=per_epoch, chunk=chunk, examples=64, describe=words, clock=clock) | more
    return Progress(total, done, **about), clock


def record(step, **validation):
    return {"step": step, "loss": 0.4567, "validation": validation, "seconds": 1.0}


def drawn(shown, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, legacy_windows=False)
    console.print(_progress.Lines(shown))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    return [line.rstrip() for line in plain.splitlines()]


def half_way(**more):
    """Two records of 100 steps, 10 s each, then 4 s more."""
    shown, clock = progress(**more)
    clock.now = 2.0
    shown.compiled()
    for step in (100, 200):
        clock.now += 10
        shown.show(record(step, loss=0.33, accuracy=0.9876))
    clock.now += 4
    return shown, clock


def test_a_line_for_the_run_and_one_for_the_epoch():
    """Measurements stand behind the run where there is room, and else below."""
    shown, _ = half_way()
    run = "run       ━───────────────────────  2/30 epochs  0:26, 4:36 left"
    epoch = "epoch 3   ━━━━━━━━━───────────────  40/100 steps  10 steps/s  640 examples/s"
    measured = "loss 0.457  validation loss 0.33  validation accuracy 98.76 %"
    assert drawn(shown, 80) == [run, epoch, "          " + measured]
    assert drawn(shown, 140) == [f"{run}  {measured}", epoch]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_too_long_and_no_word_cut(width):
    for shown in (progress()[0], half_way()[0], half_way(per_epoch=1)[0], half_way(total=1_234_567, per_epoch=7)[0]):
        _, _, rows = layout(shown.rows(), width)
        known = {word for row in shown.rows() for word in row.words}
        assert all(word in known for row in rows for word in row.words)
        for row, line in zip(rows, drawn(shown, width), strict=True):
            assert (
                line.startswith(row.name.rstrip()) and line.endswith("  ".join(row.words)) and cell_len(line) <= width
            )
        bars = {match.span() for line in drawn(shown, width) for match in re.finditer("[━─]+", line)}
        assert len(bars) <= 1  # one below the other
        assert "3" in drawn(half_way()[0], width)[1]


def test_a_place_is_estimated_but_never_ahead_of_what_is_known():
    shown, clock = half_way()
    places = []
    for _ in range(40):
        clock.now += 0.5
        places.append(shown.rows()[0].done * 3000)
    assert places == sorted(places) and places[0] == pytest.approx(245) and places[-1] == pytest.approx(299)
    assert shown.rows()[1].words[0] == "99/100 steps" and shown.rows()[0].words[0] == "2/30 epochs"
    shown.show(record(300))
    assert shown.rows()[0].done == pytest.approx(0.1) and shown.rows()[0].words[0] == "3/30 epochs"
    assert shown.rows()[1] == Row("epoch 4 ", 0.0, ["0/100 steps", *shown.rows()[1].words[1:]])


def test_the_last_chunk_ends_with_the_run():
    shown, clock = progress(total=250)
    shown.compiled()
    clock.now = 10.0
    shown.show(record(200))
    clock.now = 1000.0
    assert shown.rows()[0].words[0] == "249/250 steps"


def test_compiling_is_not_training():
    shown, clock = progress()
    clock.now = 30.0
    assert [row.words for row in shown.rows()] == [["0/30 epochs", "0:30"], ["0/100 steps"], ["compiling"]]
    shown.compiled()
    assert [row.words for row in shown.rows()] == [["0/30 epochs", "0:30"], ["0/100 steps"]]
    clock.now += 5
    shown.show(record(100))
    assert shown.rows()[1].words[1] == "20 steps/s" and shown.rows()[0].words[1] == "0:35, 2:25 left"


def test_the_rate_is_that_of_the_last_chunks():
    shown, clock = progress(total=300_000)
    shown.compiled()
    for i in range(40):
        clock.now += 100 if i < 20 else 10
        shown.show(record(100 * (i + 1)))
    assert shown.rows()[1].words[1] == "10 steps/s"


def test_what_is_resumed_has_not_been_run_in_no_time():
    shown, clock = progress(done=1000)
    shown.compiled()
    clock.now = 10.0
    shown.show(record(1100))
    assert shown.rows()[0].words == ["11/30 epochs", "0:10, 3:10 left"] and shown.rows()[1].words[1] == "10 steps/s"


def test_fast_epochs_stand_where_the_last_record_was():
    shown, clock = progress()
    shown.compiled()
    clock.now = 0.1
    shown.show(record(100))
    clock.now = 0.15
    assert shown.rows()[1][:2] == ("epoch 1 ", 1.0) and shown.rows()[1].words[0] == "100/100 steps"
    shown, clock = progress(chunk=1000)
    shown.compiled()
    clock.now = 0.55
    shown.show(record(550))
    assert shown.rows()[1][:2] == ("epoch 6 ", 0.5)
    clock.now += 0.3
    assert shown.rows()[1][:2] == ("epoch 8 ", 1.0) and shown.rows()[0].words[0] == "8/30 epochs"


def test_steps_where_there_are_no_whole_epochs():
    assert half_way(total=3001)[0].rows()[0].words[0] == "240/3,001 steps"
    (run, measured) = half_way(per_epoch=1)[0].rows()
    assert run.words == ["240/3,000 steps", "0:26, 4:36 left", "10 steps/s", "640 examples/s"] and not measured.name


def test_the_end_is_the_run_alone():
    shown, clock = half_way()
    shown.end()
    clock.now += 100
    assert drawn(shown, 80)[0] == "run  ━───────────────────────  2/30 epochs  0:26"
    assert [row.name for row in shown.rows()] == ["run", ""]


def test_words():
    assert words(record(1, accuracy=0.98765, loss=1.23e-5, depth=2.0)) == [
        "loss 0.457",
        "validation loss 1.23e-05",
        "validation accuracy 98.77 %",
        "validation depth 2",
    ]
    assert words({"loss": None, "validation": {}}) == []
    assert words(record(1, loss=1.0), "training")[1] == "training loss 1"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0:00"), (59.6, "1:00"), (61, "1:01"), (3599.9, "1:00:00"), (90_000, "25:00:00")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "0.0123"),
        (99.7, "99.7"),
        (123.4, "123"),
        (9876, "9,876"),
        (12_345, "12.3k"),
        (123_456, "123k"),
        (9_876_543, "9,877k"),
        (12.34e6, "12.3M"),
        (1.5e9, "1,500M"),
    ],
)
def test_figures(value, text):
    assert figure(value) == text


@pytest.fixture(params=["rich", "none"])
def terminal(request, monkeypatch):
    """Standard error as a terminal, with rich and without."""
    stream = Terminal()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    find = importlib.util.find_spec
    if request.param == "none":
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rich" else find(name))
    stream.rich = request.param == "rich"
    return stream


def show(terminal, progress=True, stop=None):
    about = dict(per_epoch=100, chunk=100, examples=64)
    with contextlib.redirect_stderr(terminal), _progress.showing(progress, 400, 0, **about) as shown:
        shown.compiled()
        for step in (100, 200, 300, 400):
            shown.show(record(step, accuracy=step / 1000))
            if step == stop:
                raise KeyboardInterrupt


def test_a_terminal_is_drawn_on(terminal):
    show(terminal)
    content = terminal.getvalue()
    assert "compiling" in content and content.endswith("\n" if not terminal.rich else "\x1b[?25h")
    last = content.rpartition("run" if terminal.rich else "\r")[2]
    assert "4/4 epochs" in last and "loss 0.457" in last and "epoch 4" not in last
    if not terminal.rich:
        assert all(len(line.rstrip("\n")) < 40 for line in content.split("\r")) and "\x1b" not in content


def test_a_run_that_ends_early_leaves_the_terminal_in_order(terminal):
    with pytest.raises(KeyboardInterrupt):
        show(terminal, stop=200)
    content = terminal.getvalue()
    assert content.endswith("\x1b[?25h" if terminal.rich else "\n") and "2/4 epochs" in content


def test_words_of_ones_own(terminal):
    show(terminal, lambda record: [f"half {record['step'] // 2}"])
    assert "half 200" in terminal.getvalue() and "loss" not in terminal.getvalue()


@pytest.mark.parametrize("wanted", [False, True])
def test_nothing_unless_wanted_and_a_terminal(wanted, terminal, monkeypatch):
    if wanted:
        monkeypatch.setattr(terminal, "isatty", lambda: False)
    show(terminal, wanted)
    assert terminal.getvalue() == ""


def test_what_is_printed_goes_where_it_should(terminal):
    """Into the file that standard output is, although rich would rather draw it."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        show(terminal, lambda record: [print("a table")] and [])
    assert out.getvalue() == 4 * "a table\n" and "a table" not in terminal.getvalue()
