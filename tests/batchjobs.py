"""A job for the tests of the worker pool: does what the page's text says.  Worker processes import it by name."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from spamfilter.batch.jobs import PageJob
from spamfilter.batch.outcome import Outcome
from spamfilter.files import RawPage


@dataclass
class ObeyJob(PageJob):
    once: str = ""  # a file that remembers that something was done
    broken: bool = False

    def open(self):
        if self.broken:
            os._exit(7)

    def _split(self, raw: RawPage) -> Outcome:
        order = str(raw.content)
        if order == "die" or (order == "die once" and not Path(self.once).exists()):
            Path(self.once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if order == "sleep":
            time.sleep(60)
        if order == "hang":  # as a loop inside a library does: the signal of the time limit is not heard
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
            time.sleep(60)
        if order == "error":
            raise KeyError("a bug")
        time.sleep(0.02 if order.endswith("0") else 0)  # so that workers end out of order
        return Outcome(f"{order}\n".encode(), {"pages": 1})
