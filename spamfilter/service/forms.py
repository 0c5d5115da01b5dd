"""Request bodies: read within limits of size and time, forms decoded whatever their charset.

Usage::

    body = await read_body(request, limit=1_000_000, seconds=15)
    form = await read_form(request, limit=1_000_000, seconds=15)
    form.get("blog"), form.values("comment_context")
"""

from __future__ import annotations

import asyncio
import codecs
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from spamfilter.service.problems import Problem

__all__ = ["Form", "NotAForm", "read_body", "read_form"]

#: Fields of a form: WordPress's plugin sends its server's variables along, about a hundred.
_MOST_FIELDS: Final = 2_000
#: Bytes beyond the limit that are read and thrown away: most clients read an answer only after all is sent, and see
#: nothing but a broken connection where the answer comes before.
_READ_PAST: Final = 16_000_000
_INDEX: Final = re.compile(r"\[\d*\]$")
_CLOSE: Final = {"Connection": "close"}


class NotAForm(ValueError):
    """The body is no form; the message says why."""


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by name; "a", "a[]" and "a[0]" are one field with several values."""

    fields: Mapping[str, list[str]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The first value, stripped of nothing; None where it is missing or empty."""
        return next((v for v in self.fields.get(name, ()) if v), None)

    def values(self, name: str) -> list[str]:
        """All values, in order."""
        return [v for v in self.fields.get(name, ()) if v]


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """The body.  Raises Problem where it is too large or too slow, ClientDisconnect where the client has gone."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit + _READ_PAST:
        raise _too_large(limit)
    out, size = bytearray(), 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= limit:
                    out += chunk
                elif size > limit + _READ_PAST:
                    raise _too_large(limit)
    except TimeoutError:
        raise Problem("too-slow", f"the body did not arrive within {seconds:g} seconds", _CLOSE) from None
    if size > limit:
        raise _too_large(limit)
    return bytes(out)


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"at most {limit:,} bytes are read", _CLOSE)


async def read_form(request: Request, limit: int, seconds: float) -> Form:
    """The fields of the query and of the body, those of the body first.  Raises NotAForm, and what read_body does."""
    body = await read_body(request, limit, seconds)
    kind = request.headers.get("content-type", "")
    charset = _charset(kind)
    if kind.lower().startswith("multipart/form-data"):
        pairs = await _multipart(request, body)
    elif body and not _may_be_form(kind):
        raise NotAForm(f"the body must be application/x-www-form-urlencoded, not {kind.partition(';')[0][:80]!r}")
    else:
        pairs = _urlencoded(body.decode("latin-1"), charset)
    query: bytes = request.scope["query_string"]
    if query:
        pairs += _urlencoded(query.decode("latin-1"), charset)
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(_INDEX.sub("", name), []).append(value)
    return Form(fields)


def _may_be_form(kind: str) -> bool:
    """HTTP/1.0 clients leave the type out, some say text/plain."""
    name = kind.partition(";")[0].strip().lower()
    return name in ("", "application/x-www-form-urlencoded", "text/plain")


def _charset(kind: str) -> str | None:
    found = re.search(r"charset\s*=\s*\"?([\w.:-]+)", kind, re.I)
    try:
        return codecs.lookup(found[1]).name if found else None
    except LookupError:
        return None


def _urlencoded(text: str, charset: str | None) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, encoding="latin-1", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise NotAForm(f"the form cannot be read: {error}") from error
    own = dict(pairs).get("blog_charset")
    charset = charset or (_charset(f"charset={own}") if own else None)
    return [(_decoded(name, charset), _decoded(value, charset)) for name, value in pairs]


def _decoded(text: str, charset: str | None) -> str:
    """Bytes that stand as Latin-1 characters, read as UTF-8, else as the charset named, else as Windows-1252."""
    if text.isascii():
        return text
    data = text.encode("latin-1", "replace")
    for name in ("utf-8", charset, "cp1252"):
        try:
            if name:
                return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("utf-8", "replace")


async def _multipart(request: Request, body: bytes) -> list[tuple[str, str]]:
    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        parsed = await MultiPartParser(request.headers, once(), max_files=10, max_fields=_MOST_FIELDS).parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, AssertionError) as error:
        raise NotAForm(f"the form cannot be read: {error}") from error
    out: list[tuple[str, str]] = []
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            await value.close()
        else:
            out.append((name, value))
    return out
