"""The progress line on standard error, when that is a terminal.

Usage::

    with Progress(inputs) as progress:
        progress.advance(outcome, position)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, Final, Self

from spamfilter.batch import Outcome, Position
from spamfilter.files import Failure, Input

__all__ = ["Progress"]

# Drawing costs about a millisecond; four times a second is enough for eyes.
_INTERVAL: Final = 0.25
# HTML in gzip or Parquet takes a fifth of its room, give or take: good enough for a bar.
_RATIO: Final = 5


class Progress:
    """Pages, pages a second, megabytes, flagged share and time left; nothing where nobody looks."""

    def __init__(self, inputs: Sequence[Input | Failure], doing: str = "") -> None:
        self._inputs, self._doing = inputs, doing
        self._bar: Any = None
        self._task: Any = None
        self._pages = self._comments = self._spam = self._bytes = 0
        self._drawn = self._begun = time.monotonic()
        self._ends: list[int] = []
        self._input = self._inside = 0

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def advance(self, outcome: Outcome, position: Position) -> None:
        """Count one outcome; draws only now and then."""
        if self._bar is None:
            return
        tally = outcome.tally
        if position.input != self._input:
            self._input, self._inside = position.input, 0
        self._inside += tally.get("bytes", 0)
        self._pages += tally.get("pages", 0) + tally.get("rows", 0)
        self._comments += tally.get("comments", 0)
        self._spam += tally.get("spam", 0)
        self._bytes += tally.get("bytes", 0)
        now = time.monotonic()
        if now - self._drawn >= _INTERVAL:
            self._drawn = now
            self._bar.update(self._task, completed=self._done(position), note=self._note(now))

    def _done(self, position: Position) -> int:
        """Bytes of the inputs that are done: whole files, and of the one at hand what its offsets or its pages say."""
        before = self._ends[position.input - 1] if position.input else 0
        # Pages are larger than a compressed file; more than all of it cannot be done.
        inside = position.offset or self._inside // (_RATIO if self._packed(position.input) else 1)
        return min(before + inside, self._ends[position.input])

    def _packed(self, n: int) -> bool:
        found = self._inputs[n]
        return isinstance(found, Input) and (found.compression is not None or found.kind == "parquet")

    def _note(self, now: float) -> str:
        speed = self._pages / max(now - self._begun, 1e-6)
        flagged = f"{self._spam / self._comments:.1%}" if self._comments else "0%"
        done = f"{self._doing}{self._pages:,} pages  {speed:,.0f}/s  {self._bytes / 1e6:,.0f} MB"
        return done if self._doing else f"{done}  {flagged} of comments flagged"

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        total = 0
        for found in self._inputs:
            total += (found.size() or 1) if isinstance(found, Input) else 1
            self._ends.append(total)
        columns = (TextColumn("{task.fields[note]}"), BarColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task("", total=max(total, 1), note="")
