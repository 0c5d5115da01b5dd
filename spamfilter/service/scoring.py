"""Scoring in a thread of its own, comments that arrive together scored together.

Usage::

    scoring = Scoring(models)
    verdicts, used = await scoring.score(rows)

Array operations cost almost the same for eight comments as for one, so under load the batches grow and the
time of a comment falls.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spamfilter.errors import SpamFilterError
from spamfilter.records import Verdict
from spamfilter.service.models import InUse, Models

__all__ = ["Overloaded", "Scoring"]

Row = Mapping[str, Any]
Scored = tuple[list[Verdict], InUse]
#: Comments scored at once: larger batches gain little and let everyone in them wait for the slowest.
_BATCH: Final = 16
#: Requests that may wait; more would be answered after their clients have given up (the PyPI client waits a second).
_MOST: Final = 400


class Overloaded(SpamFilterError):
    """More requests than can be answered in time."""


@dataclass(slots=True)
class _Ask:
    rows: Sequence[Row]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Scored]

    def answer(self, result: Scored | None, error: BaseException | None) -> None:
        self.loop.call_soon_threadsafe(self._set, result, error)

    def _set(self, result: Scored | None, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        elif result is not None:
            self.future.set_result(result)


class Scoring:
    """The thread, and the requests that wait for it."""

    def __init__(self, models: Models, watch: Callable[[int], None] = lambda n: None) -> None:
        self._models, self._watch = models, watch
        self._asked: queue.SimpleQueue[_Ask | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._asked.qsize()

    async def score(self, rows: Sequence[Row]) -> Scored:
        """Verdicts on ``rows`` and the model that gave them.  Raises Overloaded."""
        if self._asked.qsize() >= _MOST:
            raise Overloaded("more comments are waiting than can be judged in time; try again in a second")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Scored] = loop.create_future()
        self._asked.put(_Ask(rows, loop, future))
        return await future

    def close(self) -> None:
        """Answer what waits and end the thread."""
        self._asked.put(None)
        self._thread.join()

    # --- in the thread

    def _run(self) -> None:
        while True:
            batch, last = self._gather()
            if batch:
                self._answer(batch)
            if last:
                return

    def _gather(self) -> tuple[list[_Ask], bool]:
        batch: list[_Ask] = []
        size = 0
        while size < _BATCH:
            try:
                ask = self._asked.get() if not batch else self._asked.get_nowait()
            except queue.Empty:
                return batch, False
            if ask is None:
                return batch, True
            if not ask.future.cancelled():
                batch.append(ask)
                size += len(ask.rows)
        return batch, False

    def _answer(self, batch: Sequence[_Ask]) -> None:
        used = self._models.now
        self._watch(sum(len(ask.rows) for ask in batch))
        try:
            verdicts = used.scorer.score_many([row for ask in batch for row in ask.rows])
        except Exception as error:
            if len(batch) == 1:
                batch[0].answer(None, error)
            else:  # one of them cannot be scored: the others shall not suffer
                for ask in batch:
                    self._answer([ask])
            return
        at = 0
        for ask in batch:
            ask.answer((verdicts[at : at + len(ask.rows)], used), None)
            at += len(ask.rows)
