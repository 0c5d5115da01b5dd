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
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn

from spamfilter.service.app import create_app
from spamfilter.service.config import Settings
from spamfilter.service.connection import patient_protocol
from spamfilter.service.logs import set_up_logs

__all__ = ["serve"]

_LOG = logging.getLogger("spamfilter.service")
#: Bytes of a request's head.  The key may stand in the query, a permalink too; nothing else needs room.
_HEAD: Final = 32_768
#: Seconds a thread may keep the interpreter while another waits for it: a request crosses threads twice.
_SWITCH: Final = 0.0005


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
        http=patient_protocol(settings.header_seconds, settings.body_seconds, _HEAD),
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
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run(_Server(config), app.state.desk.reconfigure))


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


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where it is installed (the extra asks for it wherever it exists), else the one of Python."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop
