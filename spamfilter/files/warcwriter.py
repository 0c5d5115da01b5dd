"""Archive records back to bytes, with another page in them where it was changed.

Usage::

    record_bytes(record, compress=True)                    # as it was
    record_bytes(with_page(record, "<html>…"), compress=True)
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import replace
from typing import Final

from spamfilter.files.archives import ArchiveRecord
from spamfilter.files.httpmessage import HttpMessage, header_end

__all__ = ["record_bytes", "with_page"]

# zlib's default, as most crawlers write.
_LEVEL: Final = 6
#: Fields of the HTTP header that no longer hold for the page as it is written.
_STALE: Final = frozenset({b"content-encoding", b"transfer-encoding", b"content-length", b"content-type"})


def record_bytes(record: ArchiveRecord, *, compress: bool) -> bytes:
    """The record as it stands in an archive; with ``compress`` as a gzip member of its own, as the format asks."""
    lines = [record.version]
    lines += [name + b": " + value for name, value in record.headers if name.lower() != b"content-length"]
    lines.append(b"Content-Length: %d" % len(record.block))
    data = b"\r\n".join(lines) + b"\r\n\r\n" + record.block + b"\r\n\r\n"
    return gzip.compress(data, _LEVEL, mtime=0) if compress else data


def with_page(record: ArchiveRecord, page: str) -> ArchiveRecord:
    """The record with ``page`` as its payload, in UTF-8: lengths, charset and digests made to agree."""
    body = page.encode("utf-8", "surrogateescape")
    message = HttpMessage.parse(record.block)
    block = body if message is None else _http_head(message, record.block, body) + body
    digests = {b"warc-block-digest": _sha1(block), b"warc-payload-digest": _sha1(body)}
    headers = tuple((name, digests.get(name.lower(), value)) for name, value in record.headers)
    return replace(record, headers=headers, block=block)


def _http_head(message: HttpMessage, block: bytes, body: bytes) -> bytes:
    status = block[: header_end(block)[0]].split(b"\n", 1)[0].rstrip(b"\r")
    kept = [name + b": " + value for name, value in message.headers if name.lower() not in _STALE]
    kind = (message.content_type or "text/html").encode("latin-1", "replace")
    kept += [b"Content-Type: " + kind + b"; charset=utf-8", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([status, *kept]) + b"\r\n\r\n"


def _sha1(data: bytes) -> bytes:
    return b"sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest())
