"""Logs as one JSON object a line: no comment texts, no keys, no addresses of readers.

Usage::

    set_up_logs("info")
    logging.getLogger("spamfilter.service").info("model taken up", extra={"model": "default@2026.11"})
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["Behind", "JsonLines", "set_up_logs"]

#: Lines that wait to be written: half a minute's worth at 300 requests a second, some 3 MB.
_MOST: Final = 10_000
#: Seconds between two writes.
_EVERY: Final = 0.1
#: Seconds that the last lines may take.
_LAST: Final = 2.0
_ORDINARY: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """Time, level, logger, message, what was given as ``extra``, and the error if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {k: v for k, v in vars(record).items() if k not in _ORDINARY}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Behind(logging.Handler):
    """Writes lines a moment later, in a thread of its own: a full pipe or a slow disk holds up no request.

    Lines beyond ``_MOST`` are dropped, and it is said how many.  ``close`` writes what is left.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._writing, self._closed = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's line until it is written."""
        if len(self._lines) >= _MOST:
            self._dropped += 1
            return
        try:
            self._lines.append(self.format(record))
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Write what there is now."""
        if not self._writing.acquire(timeout=_LAST):  # the thread is at it and gets nothing off
            return
        try:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if self._dropped:
                lines.append(json.dumps({"level": "warning", "message": "log lines dropped", "lines": self._dropped}))
                self._dropped = 0
            left = memoryview("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
            with contextlib.suppress(OSError):  # whoever read them has gone
                while left:
                    left = left[os.write(self._descriptor, left) :]
        finally:
            self._writing.release()

    def close(self) -> None:
        """Write what is left and end the thread."""
        if not self._closed.is_set():
            self._closed.set()
            self._thread.join(_LAST)
            if not self._thread.is_alive():
                self.flush()
        super().close()

    def _run(self) -> None:
        while not self._closed.wait(_EVERY):
            self.flush()


def set_up_logs(level: str) -> None:
    """Send all logs of the service and of uvicorn to standard error in this form."""
    handler = Behind(sys.stderr.fileno())
    handler.setFormatter(JsonLines())
    for name in ("spamfilter", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler] if name != "uvicorn.error" else []
        logger.propagate = name == "uvicorn.error"
        logger.setLevel(
            level.upper() if name == "spamfilter" else max(logging.WARNING, getattr(logging, level.upper()))
        )
