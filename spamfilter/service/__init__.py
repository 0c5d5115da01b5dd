"""Moderation service: an Akismet-compatible endpoint, a JSON API and a moderation page, in one process.

Usage::

    settings = load_settings(Path("service.toml"))
    app = create_app(settings)                 # an ASGI application
    serve(settings)                            # the same under uvicorn, until it is told to stop

Needs the extra ``serve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spamfilter.errors import MissingExtra

if TYPE_CHECKING:
    from spamfilter.service.app import create_app
    from spamfilter.service.config import Settings, load_settings
    from spamfilter.service.server import serve

__all__ = ["Settings", "create_app", "load_settings", "serve"]

_HOMES = {
    "create_app": "spamfilter.service.app",
    "serve": "spamfilter.service.server",
    "Settings": "spamfilter.service.config",
    "load_settings": "spamfilter.service.config",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        try:
            return getattr(import_module(_HOMES[name]), name)
        except ModuleNotFoundError as error:
            if error.name and error.name.split(".")[0] in ("starlette", "uvicorn", "jinja2", "h11"):
                raise MissingExtra("serve", error.name) from error
            raise
