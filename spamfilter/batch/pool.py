"""Worker processes that do a job on items, in order, and outlive what kills one of them.

Usage::

    with Pool(job, workers=8, timeout=60.0) as pool:
        for outcome in pool.run(items):       # the order of the items
            ...

The processes of ``concurrent.futures`` all break when one dies; here only the item that killed its worker is
given up, after a second try, and a page that hangs is ended with its worker.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from spamfilter.batch.outcome import Item, Job, Outcome, lists
from spamfilter.errors import SpamFilterError
from spamfilter.files.rawpage import Failure

__all__ = ["Pool"]

# The worker's own limit comes first and leaves it alive; from outside a page gets this much more time.
_GRACE: Final = 1.5
_GRACE_SECONDS: Final = 2.0
# An item that a worker died on may have been bystander to a kill from outside: it is tried once more.
_TRIES: Final = 2
# A worker may have been killed idle, before it took the task up: that is none of the task's tries, but not without end.
_NOT_TAKEN_UP: Final = 10
# Seconds after which a worker tells what it has done: seldom enough that messages cost nothing, and little is lost.
_TOLD_EVERY: Final = 0.1
# What a worker says when it has read a list of items.
_TAKEN_UP: Final = "taken up"
# Workers that die before they are ready have something wrong that another start will not mend.
_FAILED_STARTS: Final = 3


@dataclass(slots=True)
class _Task:
    index: int
    items: list[Item]
    done: list[Outcome] = field(default_factory=list)
    #: A worker died on it, or had to be ended: its items are done one by one, so that it is known which it is.
    singly: bool = False
    tries: int = 0
    not_taken_up: int = 0


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    ready: bool = False
    task: _Task | None = None
    since: float = 0.0
    #: It has said that it took its task up.
    begun: bool = False


class Pool:
    """``workers`` processes with the job open in each; items go out in small lists, results come in order."""

    def __init__(self, job: Job, workers: int, timeout: float | None = None) -> None:
        self._job, self._size = job, workers
        self._limit = None if timeout is None else timeout * _GRACE + _GRACE_SECONDS
        self._timeout = timeout
        # A fresh interpreter: forking a process that has threads (a progress bar) may hang the child.
        self._context: Any = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._waiting: deque[_Task] = deque()
        self._finished: dict[int, _Task] = {}
        self._failed_starts = 0

    def __enter__(self) -> Pool:
        self._workers = [self._start() for _ in range(self._size)]
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.connection.close()
        for worker in self._workers:
            worker.process.join()

    def pids(self) -> list[int]:
        """The process numbers of the workers."""
        return [worker.process.pid or 0 for worker in self._workers]

    def run(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """The outcomes of ``items``, in their order; at most a few tasks a worker are read ahead."""
        tasks = (_Task(index, some) for index, some in enumerate(lists(items)))
        ahead = 3 * self._size
        begun = ended = 0
        more = True
        while more or ended < begun:
            self._give()
            if more and begun - ended < ahead and len(self._waiting) < self._size:
                task = next(tasks, None)
                if task is None:
                    more = False
                else:
                    self._waiting.append(task)
                    begun += 1
                self._receive(0)
            else:
                self._receive(self._patience())
            while (done := self._finished.pop(ended, None)) is not None:
                ended += 1
                yield from done.done

    def _start(self) -> _Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_work, args=(self._job, there), daemon=True)
        process.start()
        there.close()
        return _Worker(process, here)

    def _give(self) -> None:
        for worker in self._workers:
            if not self._waiting:
                return
            if worker.ready and worker.task is None:
                task = self._waiting.popleft()
                try:
                    worker.connection.send((task.items[len(task.done) :], task.singly))
                except OSError:  # it died idle; ``_receive`` sees it and starts another
                    self._waiting.appendleft(task)
                    worker.ready = False
                else:
                    worker.task, worker.since, worker.begun = task, time.monotonic(), False

    def _patience(self) -> float | None:
        if self._limit is None:
            return None
        since = [worker.since for worker in self._workers if worker.task is not None]
        return max(0.0, min(since) + self._limit - time.monotonic()) + 0.01 if since else None

    def _receive(self, patience: float | None) -> None:
        by_connection: dict[Any, int] = {worker.connection: n for n, worker in enumerate(self._workers)}
        for connection in wait(list(by_connection), patience):
            self._hear(by_connection[connection])
        if self._limit is not None:
            for n, worker in enumerate(self._workers):
                if worker.task is not None and time.monotonic() - worker.since > self._limit:
                    self._end(n)

    def _hear(self, n: int) -> None:
        worker = self._workers[n]
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self._mourn(n)
            return
        if isinstance(message, BaseException):
            raise message
        if message is None:
            worker.ready = True
            self._failed_starts = 0
        elif message == _TAKEN_UP:
            worker.begun = True
        elif worker.task is not None:
            self._take(worker, worker.task, message)

    def _take(self, worker: _Worker, task: _Task, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            task.done.append(self._job.complete(task.items[len(task.done)], outcome))
        task.tries = 0
        worker.since = time.monotonic()
        if len(task.done) == len(task.items):
            self._finished[task.index] = task
            worker.task = None

    def _mourn(self, n: int) -> None:
        """A worker died: by the kernel for want of memory, by someone's kill, or in a library."""
        worker = self._workers[n]
        worker.process.join()
        code = worker.process.exitcode
        task = worker.task
        if task is None and not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS:
                raise SpamFilterError(f"the worker processes do not start (exit code {code}); try --workers 1")
        self._replace(n)
        if task is None:
            return
        if not worker.begun:
            task.not_taken_up += 1
        elif task.singly:
            task.tries += 1
        task.singly = task.singly or worker.begun
        if task.tries >= _TRIES or task.not_taken_up >= _NOT_TAKEN_UP:
            reason = f"its worker process died on it twice ({_cause(code)}); is there enough memory?"
            self._give_up(task, "killed", reason)
        else:
            self._waiting.appendleft(task)

    def _end(self, n: int) -> None:
        """A page hangs where its worker's own limit cannot reach: end both."""
        worker = self._workers[n]
        worker.process.kill()
        worker.process.join()
        self._replace(n)
        if worker.task is not None and not worker.task.singly:
            worker.task.singly = True
            self._waiting.appendleft(worker.task)
        elif worker.task is not None:
            reason = f"it took longer than {self._timeout:g} s; raise --timeout to give it more"
            self._give_up(worker.task, "timeout", reason)

    def _replace(self, n: int) -> None:
        self._workers[n].connection.close()
        self._workers[n] = self._start()

    def _give_up(self, task: _Task, kind: str, reason: str) -> None:
        item = task.items[len(task.done)]
        failure = Failure(item.source, item.offset, kind, reason, item.origin)
        task.tries = 0
        task.items[len(task.done)] = failure
        self._waiting.appendleft(task)


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"exit code {code}"


def _work(job: Job, connection: Connection) -> None:
    """The life of a worker: load, then lists of items in, their outcomes out, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    try:
        job.open()
    except Exception as error:
        connection.send(error)
        return
    _collect_seldom()
    try:
        connection.send(None)
        while True:
            items, singly = connection.recv()
            connection.send(_TAKEN_UP)
            for outcomes in _worked(job, items, singly):
                connection.send(outcomes)
    except (EOFError, OSError):
        return


def _collect_seldom() -> None:
    """Leave the model out of the search for circles, and search seldom: records hold none, and the search costs a
    twentieth of a worker's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _worked(job: Job, items: list[Item], singly: bool) -> Iterator[list[Outcome]]:
    """The outcomes of items: one at a time, or what there is every few pages."""
    if singly:
        yield from ([job(item)] for item in items)
        return
    held, begun = list[Outcome](), time.monotonic()
    for outcome in job.each(items):
        held.append(outcome)
        if time.monotonic() - begun > _TOLD_EVERY:
            yield held
            held, begun = [], time.monotonic()
    if held:
        yield held
