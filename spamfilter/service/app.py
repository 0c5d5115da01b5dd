"""The ASGI application: routes, and around them request ids, times, headers and errors.

Usage::

    app = create_app(settings)                       # with the model of the settings
    app = create_app(settings, models)               # with one's own
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spamfilter import __version__
from spamfilter.service.akismet import akismet_routes
from spamfilter.service.api import api_routes
from spamfilter.service.config import Settings
from spamfilter.service.desk import Desk
from spamfilter.service.ids import new_id
from spamfilter.service.models import Models, model_from_store
from spamfilter.service.openapi import openapi_document
from spamfilter.service.pages import page_routes, static_files
from spamfilter.service.problems import Problem

__all__ = ["create_app"]

_LOG = logging.getLogger("spamfilter.service")
_LOCAL: Final = ("127.0.0.1", "::1", "testclient")
_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        b"base-uri 'none'; frame-ancestors 'none'",
    ),
)
_REQUEST_ID: Final = re.compile(r"[\w.:-]{1,80}")


def create_app(settings: Settings, models: Models | None = None) -> Starlette:
    """The application.  Raises ConfigError, ModelError or StoreError where it cannot work as set up."""
    desk = Desk(settings, models or model_from_store(settings.model, settings.models))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(desk.models.watch(settings.reload_seconds)), asyncio.create_task(desk.clear())]
        _LOG.info("service started", extra={"model": desk.models.now.name, "sites": list(desk.settings.sites)})
        yield
        desk.stopping = True
        for task in tasks:
            task.cancel()
        await asyncio.to_thread(desk.close)
        _LOG.info("service stopped", extra={"dropped": desk.ledger.dropped})

    app = Starlette(
        routes=[*akismet_routes(), *api_routes(), *_operations(), *page_routes(), Mount("/static", static_files())],
        exception_handlers={Problem: _problem, HTTPException: _http_error, ClientDisconnect: _gone},  # type: ignore[dict-item]
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.add_middleware(_Around, desk=desk)
    return app


def _operations() -> list[Route]:
    return [
        Route("/healthz", _healthz, methods=["GET"]),
        Route("/readyz", _readyz, methods=["GET"]),
        Route("/metrics", _metrics, methods=["GET"]),
        Route("/openapi.json", _openapi, methods=["GET"]),
    ]


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _readyz(request: Request) -> Response:
    found = request.app.state.desk.problems()
    return PlainTextResponse("; ".join(found) or "ready", 503 if found else 200)


async def _metrics(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    local = request.client is not None and request.client.host in _LOCAL
    if desk.settings.metrics == "off" or (desk.settings.metrics == "local" and not local):
        raise Problem("not-found", "there is nothing here")
    text = desk.metrics.text(await asyncio.to_thread(desk.gauges), desk.models.now.name)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


async def _openapi(request: Request) -> Response:
    return JSONResponse(openapi_document(__version__))


async def _problem(request: Request, problem: Problem) -> Response:
    return problem.response()


async def _http_error(request: Request, error: HTTPException) -> Response:
    return Problem.of_status(error.status_code, error.detail, dict(error.headers or {})).response()


async def _gone(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=499)  # nobody reads it; the log shows it


class _Around:
    """Around every request: an id, the time it took, security headers, and an answer whatever happens."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] != "websocket":
                await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = _request_id(scope)
        sent: dict[str, int] = {}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent["status"] = message["status"]
                message["headers"] = [*message["headers"], *_SECURITY, (b"x-request-id", state["request_id"].encode())]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            _LOG.exception("request failed", extra={"request_id": state["request_id"], "path": scope["path"]})
            if not sent:
                with suppress(Exception):
                    await Problem("internal", "it was logged under this request's id").response()(
                        scope, receive, sending
                    )
        finally:
            self._note(scope, state, sent.get("status", 0), time.perf_counter() - begun)

    def _note(self, scope: Scope, state: dict[str, Any], status: int, seconds: float) -> None:
        # Routes by pattern, not by path: an attacker must not fill the memory with names.
        route = getattr(scope.get("route"), "path", None) or ("known" if scope.get("endpoint") else "unknown")
        self._desk.metrics.request(route, status, seconds)
        level = logging.ERROR if status >= 500 else logging.INFO
        if _LOG.isEnabledFor(level):
            client = scope.get("client")
            _LOG.log(
                level,
                "request",
                extra={
                    "request_id": state["request_id"],
                    "method": scope["method"],
                    "path": scope["path"][:200],
                    "status": status,
                    "ms": round(seconds * 1000, 2),
                    "site": state.get("site"),
                    "client": client[0] if client else None,
                },
            )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given) and given.isascii():
                return str(given)
    return new_id()[:16]
