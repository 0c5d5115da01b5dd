"""One client's connection: uvicorn's protocol with an end to every wait.

Usage::

    uvicorn.Config(app, http=patient_protocol(head_seconds=10, write_seconds=15, head_bytes=32_768))

httptools parses requests where it is installed, in a third of h11's time; h11 does where it is not.
"""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["patient_protocol"]


def patient_protocol(head_seconds: float, write_seconds: float, head_bytes: int) -> type[asyncio.Protocol]:
    """The protocol's class.  A connection ends whose client says nothing, takes longer than ``head_seconds`` or more
    than ``head_bytes`` for a request's head, or leaves its answer lying for ``write_seconds``.
    """
    base: Any = _uvicorns()

    class Patient(base):  # type: ignore[misc]
        _head: asyncio.TimerHandle | None = None
        _write: asyncio.TimerHandle | None = None
        _read = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._await_head()

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            in_head = before is None or before.response_complete
            self._read += len(data) if in_head else 0
            super().data_received(data)
            if self.cycle is not before:
                self._head, self._read = _cancelled(self._head), 0  # the body has limits of its own
            elif in_head and not self.transport.is_closing():
                self._await_head()
                if self._read > head_bytes:
                    self.send_400_response("The request's head is too large.")

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.transport.is_closing():
                self._await_reader()

        def timeout_keep_alive_handler(self) -> None:
            self._end()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._await_reader()

        def resume_writing(self) -> None:
            super().resume_writing()
            if not self.transport.is_closing():  # what is left must go, too
                self._write = _cancelled(self._write)

        def connection_lost(self, exc: Exception | None) -> None:
            self._head, self._write = _cancelled(self._head), _cancelled(self._write)
            super().connection_lost(exc)

        def _await_head(self) -> None:
            if self._head is None:
                self._head = self.loop.call_later(head_seconds, self._end)

        def _await_reader(self) -> None:
            if self._write is None:
                self._write = self.loop.call_later(write_seconds, self._end)

        def _end(self) -> None:
            # Not close(), which would wait for a client that does not read.
            self.transport.abort()

    return Patient


def _uvicorns() -> type[asyncio.Protocol]:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ModuleNotFoundError:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        return H11Protocol
    return HttpToolsProtocol


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
