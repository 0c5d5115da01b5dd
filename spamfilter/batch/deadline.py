"""A time limit for one page.

Usage::

    with deadline(5.0):
        score(page)        # TookTooLong after five seconds

The limit is a signal to the process's main thread, so it takes hold between two steps of Python; a page that
hangs inside one step of a C library is ended from outside, by the pool, with its worker.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["TookTooLong", "deadline"]


class TookTooLong(BaseException):
    """The page took longer than its limit.

    Not an ``Exception``: code on the way that catches those would swallow it and go on.
    """


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raise TookTooLong in the block after ``seconds``; no limit with None, or away from the main thread."""
    usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not usable:
        yield
        return
    before = signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _raise(number: int, frame: object) -> None:
    raise TookTooLong
