"""The progress of a run on a terminal: a line for the run and a line for its epoch."""

import collections
import contextlib
import importlib.util
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlpjax._types import Any, Callable

PER_SECOND = 5
"""How often it is drawn anew, at most."""


class Row(NamedTuple):
    """A line: its name, how much of it is done (`None` draws no bar), and what there is to say."""

    name: str
    done: float | None
    words: list[str]


class _Point(NamedTuple):
    """The last record; replaced as a whole, because another thread draws it."""

    step: int
    at: float
    rate: float | None
    words: list[str]


class Progress:
    """How far a run is: at a record it is known, and from there on the last rate is believed until the next.

    Args:
        total: the step at which the run ends.
        done: the step at which it begins.
        per_epoch: steps of an epoch.
        chunk: steps from one record to the next.
        examples: of a step.
        describe: what to show of a record.
        clock: the time in seconds.
    """

    def __init__(
        self,
        total: int,
        done: int,
        *,
        per_epoch: int,
        chunk: int,
        examples: int,
        describe: Callable[[dict[str, Any]], Sequence[str]],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._total, self._per_epoch, self._chunk, self._examples = total, per_epoch, chunk, examples
        self._describe, self._clock = describe, clock
        self._began, self._ended = clock(), 0.0  # not yet
        self._seen = collections.deque([(self._began, done)], maxlen=10)
        self._point = _Point(done, self._began, None, ["compiling"])
        self.changed: Callable[[], None] = lambda: None

    def compiled(self) -> None:
        """The first chunk is on its way: from now on time is spent on steps."""
        self._seen[0] = (self._clock(), self._point.step)
        self._point = self._point._replace(words=[])
        self.changed()

    def show(self, record: dict[str, Any]) -> None:
        """A chunk has ended."""
        now, step = self._clock(), record["step"]
        self._seen.append((now, step))
        then, before = self._seen[0]
        rate = (step - before) / max(now - then, 1e-9)
        self._point = _Point(step, now, rate, list(self._describe(record)))
        self.changed()

    def end(self) -> None:
        """Nothing more is to come."""
        self._ended = self._ended or self._clock()

    def rows(self) -> list[Row]:
        """What is to be drawn: the run, its epoch, and what was measured."""
        point, now = self._point, self._ended or self._clock()
        place = self._place(point, now)
        whole = self._per_epoch > 1 and self._total % self._per_epoch == 0
        unit, size = ("epochs", self._per_epoch) if whole else ("steps", 1)
        words = [f"{place // size:,}/{self._total // size:,} {unit}", self._times(point, place, now)]
        rows = [Row("run", place / self._total, words)]
        if self._per_epoch == 1:
            words += self._speed(point)
        elif not self._ended:
            rows.append(self._epoch(point, place))
        return [*rows, Row("", None, point.words)] if point.words else rows

    def _place(self, point: _Point, now: float) -> int:
        """The step that we should be at, but not that of the next record before it is there."""
        if point.rate is None or self._ended:
            return point.step
        ahead = min(self._chunk, self._total - point.step) - 1
        return point.step + max(0, min(int(point.rate * (now - point.at)), ahead))

    def _times(self, point: _Point, place: int, now: float) -> str:
        spent = duration(now - self._began)
        if not point.rate or self._ended:
            return spent
        return f"{spent}, {duration((self._total - place) / point.rate)} left"

    def _epoch(self, point: _Point, place: int) -> Row:
        # nobody can read a place in an epoch that passes in less than a second: show where the last one ended
        fast = point.rate is not None and point.rate > self._per_epoch
        place = max(place // self._per_epoch * self._per_epoch, point.step) if fast else place
        number = max(place - fast, 0) // self._per_epoch
        taken = place - number * self._per_epoch
        words = [f"{taken:,}/{self._per_epoch:,} steps", *self._speed(point)]
        name, longest = f"epoch {number + 1:,}", f"epoch {-(-self._total // self._per_epoch):,}"
        return Row(name.ljust(len(longest)), taken / self._per_epoch, words)

    def _speed(self, point: _Point) -> list[str]:
        if point.rate is None:
            return []
        return [f"{figure(point.rate)} steps/s", f"{figure(point.rate * self._examples)} examples/s"]


def words(record: dict[str, Any], watched: str = "validation") -> list[str]:
    """Losses and metrics of a record; `watched` is the name of what was evaluated on."""
    shown = [] if record["loss"] is None else [f"loss {record['loss']:.3g}"]
    for name, value in sorted(record["validation"].items(), key=lambda item: item[0] != "loss"):
        shown.append(f"{watched} {name} {100 * value:.2f} %" if name == "accuracy" else f"{watched} {name} {value:.3g}")
    return shown


def duration(seconds: float) -> str:
    """Minutes and seconds, after the hours where there are any."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def figure(value: float) -> str:
    """A number of about three digits."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= 9.995 * size:
            return f"{value / size:,.{0 if value >= 99.95 * size else 1}f}{unit}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def layout(rows: list[Row], width: int) -> tuple[int, int, list[Row]]:
    """How wide the names and the bars are, and the rows with as many words as fit.

    What was measured stands behind the run where there is room, and else in a line of its own.
    """
    name = max(len(row.name) for row in rows) + 2
    least = max(len("  ".join(row.words[:2])) for row in rows if row.name)
    bar = min(24, (width - name - least - 2) // 4 * 4)
    bar = bar if bar >= 8 else 0
    room = width - name - (bar + 2 if bar else 0)
    if not rows[-1].name and len("  ".join(rows[0].words + rows[-1].words)) <= room:
        run, *others, measured = rows
        rows = [run._replace(words=run.words + measured.words), *others]
    return name, bar, [row._replace(words=fitting(row.words, room if row.name else width - name)) for row in rows]


def fitting(words: Sequence[str], room: int) -> list[str]:
    """As many words as fit, two spaces apart."""
    count = sum(len("  ".join(words[: i + 1])) <= room for i in range(len(words)))
    return list(words[:count])


@contextlib.contextmanager
def showing(progress: bool | Callable, total: int, done: int, **about: Any) -> Iterator[Progress]:
    """Draw on standard error as long as the block lasts, if that is wanted and it is a terminal."""
    draws, describe = bool(progress) and sys.stderr.isatty(), progress if callable(progress) else words
    shown = Progress(total, done, describe=describe if draws else lambda record: [], **about)
    drawing = _drawn_by_rich if importlib.util.find_spec("rich") else _rewritten
    with drawing(shown, sys.stderr) if draws else contextlib.nullcontext():
        try:
            yield shown
        finally:
            shown.end()


def _drawn_by_rich(progress: Progress, stream: Any) -> Any:
    from rich.console import Console
    from rich.live import Live

    # what is printed stays above; a standard output that goes to a file must go on doing so
    return Live(
        Lines(progress),
        console=Console(file=stream),
        refresh_per_second=PER_SECOND,
        redirect_stdout=sys.stdout.isatty(),
    )


class Lines:
    """The rows, drawn by rich as wide as its console is."""

    def __init__(self, progress: Progress):
        self.progress = progress

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.text import Text

        done, left = "#-" if options.ascii_only else "━─"
        name, bar, rows = layout(self.progress.rows(), options.max_width)
        for row in rows:
            line = Text(row.name.ljust(name), no_wrap=True, overflow="crop")
            if bar and row.done is not None:
                full = int(bar * row.done)
                line.append(done * full, "cyan").append(left * (bar - full), "bright_black").append("  ")
            yield line.append("  ".join(row.words))


@contextlib.contextmanager
def _rewritten(progress: Progress, stream: Any) -> Iterator[None]:
    """Without rich: one line, written over and over."""
    drawn, length = float("-inf"), 0

    def draw(at_once=False):
        nonlocal drawn, length
        if not at_once and time.monotonic() - drawn < 1 / PER_SECOND:
            return
        run, *others = progress.rows()
        content = [row.words[1:2] if row.name else row.words for row in others]  # of the epoch only how fast it passes
        line = "  ".join(fitting(sum(content, run.words), shutil.get_terminal_size().columns - 1))
        print("\r" + line.ljust(length), end="", file=stream, flush=True)
        drawn, length = time.monotonic(), len(line)

    progress.changed = draw
    draw()
    try:
        yield
    finally:
        draw(at_once=True)
        print(file=stream)
