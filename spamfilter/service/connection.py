"""One client's connection: uvicorn's protocol with an end to every wait.

Usage::

    uvicorn.Config(app, http=patient_protocol(head_seconds=10, write_seconds=15, head_bytes=32_768))

httptools parses requests where it is installed, in a third of h11's time; h11 does where it is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

__all__ = ["patient_protocol"]

#: Seconds after its limit that a client still has.
_GRACE: Final = 0.1


def patient_protocol(head_seconds: float, write_seconds: float, head_bytes: int) -> type[asyncio.Protocol]:
    """The protocol's class.  A connection ends whose client says nothing, takes longer than ``head_seconds`` or more
    than ``head_bytes`` for a request's head, or leaves its answer lying for ``write_seconds``.
    """
    base: Any = _uvicorns()

    class Patient(base):  # type: ignore[misc]
        _read = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            # Not close(), which would wait for a client that does not read.
            self._head = _Timer(self.loop, head_seconds, transport.abort)
            self._answer = _Timer(self.loop, write_seconds, transport.abort)
            self._head.start()

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            in_head = before is None or before.response_complete
            self._read += len(data) if in_head else 0
            super().data_received(data)
            if self.cycle is not before:
                self._head.stop()  # the body has limits of its own
                self._read = 0
            elif in_head and not self.transport.is_closing():
                self._head.start()
                if self._read > head_bytes:
                    self.send_400_response("The request's head is too large.")

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.transport.is_closing():
                self._answer.start()

        def timeout_keep_alive_handler(self) -> None:
            self.transport.abort()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._answer.start()

        def resume_writing(self) -> None:
            super().resume_writing()
            if not self.transport.is_closing():  # what is left must go, too
                self._answer.stop()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head.stop()
            self._answer.stop()
            super().connection_lost(exc)

    return Patient


class _Timer:
    """Something that happens unless it is stopped in time; started twice, the first time counts."""

    __slots__ = ("_action", "_handle", "_loop", "_seconds")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, action: Callable[[], None]) -> None:
        self._loop, self._seconds, self._action = loop, seconds, action
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._late)

    def _late(self) -> None:
        # Where this process had no time itself, what it waits for may have come: that is read first.
        self._handle = self._loop.call_later(_GRACE, self._action)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


def _uvicorns() -> type[asyncio.Protocol]:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ModuleNotFoundError:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        return H11Protocol
    return HttpToolsProtocol
