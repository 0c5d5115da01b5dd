"""Scoring: short comments at once on the event loop, long ones and many in a thread of their own; together what came
together.

Usage::

    scoring = Scoring(models)
    verdicts, used = await scoring.score(rows)

A short comment takes less than a millisecond, and handing it to a thread and back costs as much again, more where
threads wait for each other.  Array operations cost almost the same for eight comments as for one, so under load the
batches grow and the time of a comment falls.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from spamfilter.errors import SpamFilterError
from spamfilter.records import Reason, Verdict
from spamfilter.service.models import InUse, Models, Row

__all__ = ["Overloaded", "Scoring"]

Scored = tuple[list[Verdict], InUse]
#: Comments scored at once: larger batches gain little and let everyone in them wait for the slowest.
_BATCH: Final = 16
#: Characters of comments and articles that are scored on the event loop at a time: some three milliseconds.
_SHORT: Final = 40_000
#: Comments of one request that are scored on the event loop; with their reasons four take two milliseconds.
_FEW: Final = 4
#: Requests that may wait; more would be answered after their clients have given up (the PyPI client waits a second).
_MOST: Final = 400
#: Seconds without a request that count as quiet.
_QUIET: Final = 0.1


class Overloaded(SpamFilterError):
    """More requests than can be answered in time."""


@dataclass(slots=True)
class _Ask:
    rows: Sequence[Row]
    explained: bool
    size: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Scored]
    here: bool = False

    def answer(self, result: Scored | None, error: BaseException | None) -> None:
        if self.here:
            self._set(result, error)
        else:
            self.loop.call_soon_threadsafe(self._set, result, error)

    def _set(self, result: Scored | None, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        elif result is not None:
            self.future.set_result(result)


class Scoring:
    """The requests that wait to be scored, and the thread for the long ones."""

    def __init__(self, models: Models, watch: Callable[[int], None] = lambda n: None) -> None:
        self._models, self._watch = models, watch
        self._asked: queue.SimpleQueue[_Ask | None] = queue.SimpleQueue()
        self._here: deque[_Ask] = deque()
        self._asked_at = 0.0
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._asked.qsize() + len(self._here)

    async def score(self, rows: Sequence[Row], *, explained: bool = True) -> Scored:
        """Verdicts on ``rows``, with reasons if ``explained``, and the model that gave them.  Raises Overloaded."""
        if self.waiting >= _MOST:
            raise Overloaded("more comments are waiting than can be judged in time; try again in a second")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Scored] = loop.create_future()
        self._asked_at = time.monotonic()
        ask = _Ask(rows, explained, _size(rows), loop, future)
        if ask.size > _SHORT or len(rows) > _FEW:
            self._asked.put(ask)
        else:
            self._soon(ask)
        return await future

    def quiet(self) -> bool:
        """Whether nothing was asked for a while."""
        return time.monotonic() - self._asked_at > _QUIET

    def explain(self, row: Row) -> tuple[Reason, ...]:
        """The reasons of the model in use for one comment, in the calling thread."""
        return self._models.now.explained([row])[0].reasons

    def close(self) -> None:
        """Answer what waits and end the thread."""
        self._asked.put(None)
        self._thread.join()

    # --- on the event loop

    def _soon(self, ask: _Ask) -> None:
        ask.here = True
        if not self._here:  # what else has arrived by now is read first
            ask.loop.call_soon(self._answer_here, ask.loop)
        self._here.append(ask)

    def _answer_here(self, loop: asyncio.AbstractEventLoop) -> None:
        batch: list[_Ask] = []
        size = 0
        while self._here and len(batch) < _BATCH and size + self._here[0].size <= _SHORT:
            ask = self._here.popleft()
            if not ask.future.cancelled():
                batch.append(ask)
                size += ask.size
        if self._here:
            loop.call_soon(self._answer_here, loop)
        self._answer(batch)

    # --- in the thread

    def _run(self) -> None:
        while True:
            batch, last = self._gather()
            if batch:
                self._answer(batch)
            if last:
                return

    def _gather(self) -> tuple[list[_Ask], bool]:
        """What is asked: the first request that comes, and those that came meanwhile."""
        batch: list[_Ask] = []
        size = 0
        while size < _BATCH:
            try:
                ask = self._asked.get(block=not batch)
            except queue.Empty:
                return batch, False
            if ask is None:
                return batch, True
            if not ask.future.cancelled():
                batch.append(ask)
                size += len(ask.rows)
        return batch, False

    # --- in either

    def _answer(self, batch: Sequence[_Ask]) -> None:
        # Whoever wants no reasons does not wait for those of others.
        for explained in (False, True):
            if part := [ask for ask in batch if ask.explained == explained]:
                self._answer_alike(part, explained)

    def _answer_alike(self, batch: Sequence[_Ask], explained: bool) -> None:
        used = self._models.now
        self._watch(sum(len(ask.rows) for ask in batch))
        try:
            rows = [row for ask in batch for row in ask.rows]
            verdicts = used.explained(rows) if explained else used.verdicts(rows)
        except Exception as error:
            if len(batch) == 1:
                batch[0].answer(None, error)
            else:  # one of them cannot be scored: the others shall not suffer
                for ask in batch:
                    self._answer_alike([ask], explained)
            return
        at = 0
        for ask in batch:
            ask.answer((verdicts[at : at + len(ask.rows)], used), None)
            at += len(ask.rows)


def _size(rows: Sequence[Row]) -> int:
    return sum(len(row["text"] or "") + len(row["article"] or "") for row in rows)
