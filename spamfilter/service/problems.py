"""Errors of the JSON API as problem details (RFC 9457).

Usage::

    raise Problem("bad-request", "text is missing", errors=[{"pointer": "/comment/text", "detail": "is required"}])
"""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import JSONResponse, Response

__all__ = ["KINDS", "Problem"]

#: Slug → status and title.
KINDS: Final[dict[str, tuple[int, str]]] = {
    "bad-request": (400, "The request cannot be understood"),
    "unauthorized": (401, "A key is needed"),
    "forbidden": (403, "Not allowed"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "Not with this method"),
    "too-slow": (408, "The request took too long to arrive"),
    "conflict": (409, "It contradicts what is stored"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "Not in this form"),
    "invalid": (422, "The request does not fit the schema"),
    "internal": (500, "Something went wrong here"),
    "overloaded": (503, "Too much at once"),
}
_BY_STATUS: Final = {status: slug for slug, (status, _) in KINDS.items()}


class Problem(Exception):
    """Something to tell the client; ``detail`` says what was wrong and what to do next."""

    def __init__(self, slug: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.slug, self.detail, self.headers, self.more = slug, detail, headers or {}, more

    @classmethod
    def of_status(cls, status: int, detail: str, headers: dict[str, str] | None = None) -> Problem:
        """The problem that belongs to an HTTP status."""
        return cls(_BY_STATUS.get(status, "internal" if status >= 500 else "bad-request"), detail, headers)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.slug][0]

    def response(self) -> Response:
        """As the client gets it."""
        status, title = KINDS[self.slug]
        body = {"type": f"/problems/{self.slug}", "title": title, "status": status, "detail": self.detail, **self.more}
        return JSONResponse(body, status, self.headers, media_type="application/problem+json")
