"""The application under uvicorn: limits on connections, a graceful stop, SIGHUP to read the configuration again.

Usage::

    serve(settings)          # until SIGTERM or SIGINT
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from spamfilter.service.app import create_app
from spamfilter.service.config import Settings
from spamfilter.service.logs import set_up_logs

__all__ = ["serve"]

_LOG = logging.getLogger("spamfilter.service")
#: Bytes of a request's head.  The key may stand in the query, a permalink too; nothing else needs room.
_HEAD = 32_768
#: Seconds a thread may keep the interpreter while another waits for it: a request crosses threads twice.
_SWITCH = 0.0005


def serve(settings: Settings) -> None:
    """Run the service until it is told to stop; then answer what is under way, write what is left, and return."""
    set_up_logs(settings.log_level)
    sys.setswitchinterval(_SWITCH)
    app = create_app(settings)
    gc.collect()
    gc.freeze()  # what is loaded now stays: the collector need not walk over it in the middle of a request
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=_patient_until(settings.header_seconds),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.proxies),
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=int(settings.keep_alive_seconds),
        timeout_graceful_shutdown=int(settings.stop_seconds),
        h11_max_incomplete_event_size=_HEAD,
    )
    asyncio.run(_run(_Server(config), app.state.desk.reconfigure))


class _Server(uvicorn.Server):
    """A server for which being told to stop is no failure: the process ends with code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()  # uvicorn would raise them again, after all is done


async def _run(server: uvicorn.Server, reconfigure: Any) -> None:
    if hasattr(signal, "SIGHUP"):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reconfigure)
    await server.serve()


def _patient_until(seconds: float) -> type[H11Protocol]:
    """uvicorn's protocol, with a limit on the time a request's head may take: connections that say nothing end."""

    class Patient(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._start()

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:
                self._stop()  # the head is complete; the body has a limit of its own
            elif before is None or before.response_complete:
                self._start()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def _start(self) -> None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(seconds, self._too_late)

        def _stop(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _too_late(self) -> None:
            self._deadline = None
            if self.transport is not None and not self.transport.is_closing():
                self.transport.close()

    return Patient
