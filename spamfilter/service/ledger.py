"""One thread that writes: the journal's entries in batches, decisions into the label store, acknowledged when safe.

Usage::

    ledger = Ledger(journal, labels)
    ledger.note(entry)                        # soon
    seq = await ledger.decide(decision)       # on the disk when this returns
    await ledger.call(lambda: ...)            # anything else that writes
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

from spamfilter.errors import SpamFilterError, StoreError
from spamfilter.labels import Context, Decision, LabelStore
from spamfilter.records import Comment, Reason, Verdict
from spamfilter.service.journal import Entry, Journal

__all__ = ["Ledger"]

T = TypeVar("T")
#: Rows to score → verdicts with reasons.
Explain = Callable[[list[dict[str, str | None]]], list[Verdict]]
_LOG = logging.getLogger("spamfilter.service")
#: Entries of one transaction: at 300 a second some tenth of a second's worth.
_BATCH: Final = 32
#: Seconds that entries are gathered for before they are written, where nobody waits for an answer.
_GATHER: Final = 0.1
#: Waiting entries beyond this are dropped (and counted): history is worth less than an answer in time.
_MOST: Final = 20_000
#: Comments that wait for the model's reasons; the page works them out itself for those beyond.
_MOST_BARE: Final = 5_000
#: Comments explained at a time: some 20 ms, which a verdict asked for meanwhile waits.
_EXPLAINED: Final = 4
#: Seconds between two looks whether all is quiet.
_REST: Final = 0.05


@dataclass(slots=True)
class _Call:
    """Something to do in the writing thread, and who waits for it."""

    work: Callable[[], Any] | None
    decision: Decision | None
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def done(self, result: Any) -> None:
        self.loop.call_soon_threadsafe(self._set, result, None)

    def failed(self, error: BaseException) -> None:
        self.loop.call_soon_threadsafe(self._set, None, error)

    def _set(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():  # the client has gone
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Ledger:
    """Writes to journal and label store, in the order in which it was asked."""

    def __init__(self, journal: Journal, labels: LabelStore, explain: Explain, quiet: Callable[[], bool]) -> None:
        self._journal, self._labels = journal, labels
        self._explain, self._quiet = explain, quiet
        self._bare: deque[tuple[str, int]] = deque(maxlen=_MOST_BARE)
        self._work: queue.SimpleQueue[Entry | _Call | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How much is not written yet."""
        return self._work.qsize()

    def note(self, entry: Entry) -> None:
        """Write an entry soon."""
        if self._work.qsize() >= _MOST:
            self.dropped += 1
            return
        self._work.put(entry)

    async def decide(self, decision: Decision) -> int:
        """Store a decision; gives its number once it is on the disk."""
        return int(await self._ask(None, decision))

    async def call(self, work: Callable[[], T]) -> T:
        """Do something that writes, in turn with the rest."""
        result: T = await self._ask(work, None)
        return result

    async def flushed(self) -> None:
        """Wait until everything noted so far is written."""
        await self.call(lambda: None)

    async def _ask(self, work: Callable[[], Any] | None, decision: Decision | None) -> Any:
        if self._closed.is_set():
            raise StoreError("the service is stopping; send it again in a moment")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._work.put(_Call(work, decision, loop, future))
        return await future

    def close(self) -> None:
        """Write what is left and end the thread."""
        if not self._closed.is_set():
            self._closed.set()
            self._work.put(None)
            self._thread.join()

    # --- in the thread

    def _run(self) -> None:
        while True:
            batch, last = self._gather()
            self._write(batch)
            if not batch and self._bare and self._quiet():
                self._add_reasons()
            if last:
                return

    def _gather(self) -> tuple[list[Entry | _Call], bool]:
        """What there is to do: at once if somebody waits for it, else after a moment, together."""
        batch: list[Entry | _Call] = []
        while len(batch) < _BATCH:
            try:
                urgent = not batch or isinstance(batch[-1], _Call)
                timeout = self._patience() if not batch else 0.0 if urgent else _GATHER
                item = self._work.get(timeout=timeout) if timeout != 0.0 else self._work.get_nowait()
            except queue.Empty:
                return batch, False
            if item is None:
                return batch, True
            batch.append(item)
        return batch, False

    def _patience(self) -> float | None:
        """How long to wait for work, if there is none: not for ever while reasons are wanting."""
        return _REST if self._bare else None

    def _write(self, batch: Sequence[Entry | _Call]) -> None:
        entries = [item for item in batch if isinstance(item, Entry)]
        calls = [item for item in batch if isinstance(item, _Call)]
        if entries:
            self._write_entries(entries)
        self._write_decisions([call for call in calls if call.decision is not None])
        for call in calls:
            if call.work is not None:
                _do(call, call.work)

    def _write_entries(self, entries: list[Entry]) -> None:
        try:
            entries = self._enqueued(entries)
            with self._journal.writing() as sql:
                self._journal.add(sql, entries)
            self._leave_for_later(entries)
        except Exception:
            self.dropped += len(entries)
            _LOG.exception("entries could not be written", extra={"entries": len(entries)})

    def _enqueued(self, entries: list[Entry]) -> list[Entry]:
        """The entries, those that a moderator is to see with their numbers in the queue."""
        shown = [i for i, e in enumerate(entries) if _for_moderators(e)]
        if not shown:
            return entries
        out = list(entries)
        items: list[tuple[Comment, Context, Verdict | None]] = [
            (out[i].given.comment(), out[i].given.context(out[i].site), out[i].judgement.verdict()) for i in shown
        ]
        for i, number in zip(shown, self._labels.queue.enqueue_many(items), strict=True):
            out[i] = replace(out[i], waiting=number)
        return out

    def _leave_for_later(self, entries: list[Entry]) -> None:
        """Note which entries lack the model's reasons: the client did not wait for them."""
        for entry in entries:
            reasons = entry.judgement.reasons
            if entry.waiting is not None and len(_of_rules(reasons)) == len(reasons):
                # Their names only: a busy hour must not fill the memory with texts.
                self._bare.append((entry.guid, entry.waiting))

    def _add_reasons(self) -> None:
        """Reasons for a few of the comments that moderators are to see, while nobody waits for a verdict."""
        part = [self._bare.popleft() for _ in range(min(_EXPLAINED, len(self._bare)))]
        try:
            items = [(guid, item) for guid, n in part if (item := self._labels.queue.get(n)) and item.verdict]
            found = self._explain([item.fields() for _, item in items])
            whole = [
                replace(item.verdict, reasons=(*_of_rules(item.verdict.reasons), *verdict.reasons))
                for (_, item), verdict in zip(items, found, strict=True)
                if item.verdict
            ]
            self._labels.queue.set_verdicts((item.id, v) for (_, item), v in zip(items, whole, strict=True))
            with self._journal.writing() as sql:
                for (guid, _), verdict in zip(items, whole, strict=True):
                    self._journal.set_reasons(sql, guid, verdict.reasons)
        except Exception:
            _LOG.exception("reasons could not be written", extra={"entries": len(part)})

    def _write_decisions(self, calls: list[_Call]) -> None:
        """Decisions in one transaction, so that a burst of them shares one wait for the disk."""
        decisions = [call.decision for call in calls if call.decision is not None]
        if not decisions:
            return
        try:
            for call, seq in zip(calls, self._labels.add_many(decisions), strict=True):
                call.done(seq)
        except SpamFilterError:
            for call, decision in zip(calls, decisions, strict=True):  # one of them is wrong: each by itself
                _do(call, partial(self._labels.add, decision))


def _of_rules(reasons: Sequence[Reason]) -> list[Reason]:
    return [reason for reason in reasons if reason.name.startswith("rule_")]


def _for_moderators(entry: Entry) -> bool:
    """Whether a comment waits for a decision: unsure ones and spam, but not what is blatant or blocked by a rule."""
    judged = entry.judgement
    if not entry.given.text.strip() or judged.discard:
        return False
    return judged.label == "unsure" or (judged.label == "spam" and judged.by == "model")


def _do(call: _Call, work: Callable[[], Any]) -> None:
    try:
        result = work()
    except BaseException as error:
        call.failed(error)
    else:
        call.done(result)
