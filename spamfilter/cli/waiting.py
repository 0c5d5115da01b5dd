"""What a long job is doing, on standard error while it does it, when that is a terminal.

Usage::

    with Waiting() as waiting:
        job.run(progress=waiting.say)
"""

from __future__ import annotations

import sys
from typing import Any, Self

__all__ = ["Waiting"]


class Waiting:
    """A line with the present step and the time since the start; bytes of a download as a bar."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TimeElapsedColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, step: str) -> None:
        """The present step."""
        if self._bar is not None:
            self._bar.update(self._task, description=step)

    def count(self, what: str, done: int, total: int | None) -> None:
        """So many bytes of ``what``, of so many where that is known."""
        if self._bar is not None:
            known = f" of {total / 1e6:,.1f}" if total else ""
            self._bar.update(
                self._task, description=f"{what}: {done / 1e6:,.1f}{known} MB", completed=done, total=total
            )
