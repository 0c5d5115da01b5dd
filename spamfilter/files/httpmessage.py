"""The HTTP response inside an archive's record: status, headers, and the body without its encodings.

Usage::

    message = HttpMessage.parse(block)
    message.content_type, message.charset, message.decoded()
"""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass
from typing import Final

from spamfilter.errors import UnreadableFile
from spamfilter.segment import LARGEST_PAGE

__all__ = ["HttpMessage", "header_end"]

_END: Final = re.compile(rb"\r?\n\r?\n")
_LINE: Final = re.compile(rb"\r?\n(?![ \t])")
_STATUS: Final = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})")
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
_LARGEST: Final = 4 * LARGEST_PAGE


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """Status, header fields and body, as they were sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def parse(cls, block: bytes) -> HttpMessage | None:
        """The message in ``block``; None where it is no HTTP response."""
        status = _STATUS.match(block)
        if status is None:
            return None
        end, begin = header_end(block)
        head, body = block[:end], block[begin:]
        fields = []
        for line in _LINE.split(head)[1:]:
            name, colon, value = line.partition(b":")
            if colon:
                fields.append((name.strip(), value.strip()))
        return cls(int(status[1]), tuple(fields), body)

    def get(self, name: bytes) -> str:
        """The value of a header field, empty where there is none."""
        wanted = name.lower()
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == wanted), "")

    @property
    def content_type(self) -> str:
        """The media type, in lower case and without parameters."""
        return self.get(b"Content-Type").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset that the header declares."""
        match = _CHARSET.search(self.get(b"Content-Type"))
        return match[1] if match else None

    def decoded(self) -> bytes:
        """The body without transfer and content encodings.

        Some crawlers store the decoded body under the header of the encoded one, so a body that is markup
        already is taken as it is.  Raises UnreadableFile for one that cannot be decoded.
        """
        body = self.body
        if "chunked" in self.get(b"Transfer-Encoding").lower():
            body = _attempt("chunked", body)
        for encoding in reversed(self.get(b"Content-Encoding").lower().replace(",", " ").split()):
            body = _attempt(encoding, body)
        return body


def header_end(block: bytes) -> tuple[int, int]:
    """Where the header of an HTTP message ends and where its body begins."""
    found = _END.search(block)
    return (len(block), len(block)) if found is None else found.span()


def _attempt(encoding: str, body: bytes) -> bytes:
    try:
        return _decode(encoding, body)
    except (OSError, zlib.error, ValueError) as error:
        if body[:200].lstrip()[:1] in (b"<", b""):
            return body
        raise UnreadableFile(f"the body is not the {encoding} data that its header says ({error})") from error


def _decode(encoding: str, body: bytes) -> bytes:
    from fastwarc import stream_io

    stream = io.BytesIO(body)
    if encoding == "chunked":
        return stream_io.ChunkedReader(stream).read(_LARGEST)
    if encoding in ("gzip", "x-gzip"):
        return zlib.decompressobj(31).decompress(body, _LARGEST)
    if encoding == "deflate":  # either with zlib's header or, against the standard, without
        return zlib.decompressobj(15 if body[:1] == b"\x78" else -15).decompress(body, _LARGEST)
    if encoding == "br":
        return stream_io.BrotliReader(stream).read(_LARGEST)
    if encoding == "zstd":
        return stream_io.ZstdReader(stream).read(_LARGEST)
    return body
