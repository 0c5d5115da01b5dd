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
import time
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
#: Requests that may wait; more would be answered after their clients have given up (the PyPI client waits a second).
_MOST: Final = 400
#: Seconds without a request that count as quiet.
_QUIET: Final = 0.1
#: Seconds since the last answer within which the next request counts as one of a crowd.
_CROWDED: Final = 0.006
#: Seconds that a crowd is gathered for: eight comments together take as long as three one by one.
_GATHER: Final = 0.0


class Overloaded(SpamFilterError):
    """More requests than can be answered in time."""


@dataclass(slots=True)
class _Ask:
    rows: Sequence[Row]
    explained: bool
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
        self._asked_at = self._answered_at = 0.0
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._asked.qsize()

    async def score(self, rows: Sequence[Row], *, explained: bool = True) -> Scored:
        """Verdicts on ``rows``, with reasons if ``explained``, and the model that gave them.  Raises Overloaded."""
        if self._asked.qsize() >= _MOST:
            raise Overloaded("more comments are waiting than can be judged in time; try again in a second")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Scored] = loop.create_future()
        self._asked_at = time.monotonic()
        self._asked.put(_Ask(rows, explained, loop, future))
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

    # --- in the thread

    def _run(self) -> None:
        while True:
            batch, last = self._gather()
            if batch:
                self._answer(batch)
            if last:
                return

    def _gather(self) -> tuple[list[_Ask], bool]:
        """What is asked: one request at once where they come singly, in a crowd those of the next moment together."""
        batch: list[_Ask] = []
        size, until = 0, 0.0
        while size < _BATCH:
            try:
                left = until - time.monotonic()
                ask = self._asked.get() if not batch else self._asked.get(left > 0, max(left, 0.0))
            except queue.Empty:
                return batch, False
            if ask is None:
                return batch, True
            if not batch:
                crowded = time.monotonic() - self._answered_at < _CROWDED
                until = time.monotonic() + _GATHER if crowded else 0.0
            if not ask.future.cancelled():
                batch.append(ask)
                size += len(ask.rows)
        return batch, False

    def _answer(self, batch: Sequence[_Ask]) -> None:
        # Whoever wants no reasons does not wait for those of others.
        for explained in (False, True):
            if part := [ask for ask in batch if ask.explained == explained]:
                self._answer_alike(part, explained)
        self._answered_at = time.monotonic()

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
