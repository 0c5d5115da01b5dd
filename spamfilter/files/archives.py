"""Pages of WARC and WET archives, by FastWARC; damaged stretches are stepped over.

Usage::

    for item in read_archive(Input("crawl.warc.gz", "warc", "gz")): ...

Pages are successful responses, resources and conversions (WET) whose type is HTML or plain text.  What is
damaged becomes a ``Failure`` with its byte offset, and reading goes on at the next record that can be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from spamfilter.errors import MissingExtra, UnreadableFile
from spamfilter.files.archivetail import cut_off
from spamfilter.files.httpmessage import HttpMessage
from spamfilter.files.inputs import Input
from spamfilter.files.rawpage import Failure, Other, RawPage
from spamfilter.files.streams import explain
from spamfilter.segment import LARGEST_PAGE

if TYPE_CHECKING:
    from fastwarc.warc import ArchiveIterator, WarcRecord

__all__ = ["ArchiveRecord", "is_page", "read_archive"]

# A page's HTTP header is a few kilobytes; a block is read no further before its type is known.
_HEAD: Final = 1 << 16
_CHUNK: Final = 1 << 20
_PAGE_TYPES: Final = ("text/html", "application/xhtml+xml", "text/plain")
# How a record begins: gzip member, zstd frame, LZ4 frame, or the plain record at the start of a line.
_STARTS: Final = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18|(?:(?<=\n)|\A)WARC/1\.")
_LONGEST_START: Final = 8


@dataclass(frozen=True, slots=True)
class ArchiveRecord:
    """A record as it stood in the archive, for writing it back: header lines and block."""

    headers: tuple[tuple[bytes, bytes], ...]
    block: bytes
    version: bytes = b"WARC/1.0"


def read_archive(found: Input, *, origins: bool = False) -> Iterator[RawPage | Other | Failure]:
    """The pages of a WARC or WET file, compressed or not, in its order.

    Raises MissingExtra without FastWARC and UnreadableFile where the file cannot be opened.
    """
    reading = _Reading(found.path, origins)
    start: int | None = 0
    while start is not None:
        yield from reading.run(start)
        if reading.trouble is None:
            yield from reading.check_end(start)
            return
        begun = reading.last if reading.last is not None else start
        resumed = reading.next_start(begun + 1)
        # A place that merely looked like a record's beginning is not a second failure.
        if reading.last is not None or start == 0:
            yield reading.failure(begun, resumed)
        start = resumed


class _Reading:
    """One pass over an archive; after trouble, ``last`` is the offset of the last record that began well."""

    def __init__(self, path: str, origins: bool) -> None:
        self.path = path
        self.origins = origins
        self.last: int | None = None
        self.trouble: str | None = None
        self.told: int | None = None  # the record that a failure was told of last

    def run(self, start: int) -> Iterator[RawPage | Other | Failure]:
        self.last, self.trouble = None, None
        with self._open() as file:
            file.seek(start)
            records = _iterate(file, self.origins)
            while True:
                try:
                    record = next(records, None)
                    if record is None:
                        return
                    # Positions are those of the file object, whatever it was opened at.
                    self.last = record.stream_pos
                    item = self._item(record, self.last)
                except (OSError, ValueError) as error:
                    self.trouble = str(error) or type(error).__name__
                    return
                if item is not None:
                    yield item

    def _open(self) -> BinaryIO:
        try:
            return open(self.path, "rb", buffering=_CHUNK)  # noqa: PTH123
        except OSError as error:
            raise UnreadableFile(explain(error)) from error

    def _item(self, record: WarcRecord, at: int) -> RawPage | Other | Failure | None:
        length = record.content_length
        head = record.reader.read(min(length, _HEAD))
        message = _message(record, head)
        if message is None or not is_page(message):
            return self._other(record, at, head)
        if length > 4 * LARGEST_PAGE:
            return Failure(self.path, at, "too_large", f"the record has {length:,} bytes, more than a page can have")
        block = head + record.reader.read(length - len(head)) if length > len(head) else head
        if len(block) < length:
            reason = f"the record is cut short: {len(block):,} of {length:,} bytes are there; fetch the archive again"
            self.told = at
            return Failure(self.path, at, "damaged", reason)
        return self._page(record, at, block)

    def _page(self, record: WarcRecord, at: int, block: bytes) -> RawPage | Failure:
        message = _message(record, block)
        origin = _archived(record, block) if self.origins else None
        try:
            content = message.decoded() if message else b""
        except UnreadableFile as error:
            return Failure(self.path, at, "damaged", str(error), origin=origin)
        url = record.headers.get("WARC-Target-URI")
        charset = message.charset if message else None
        return RawPage(self.path, at, url.strip("<>") if url else None, content, charset, origin)

    def _other(self, record: WarcRecord, at: int, head: bytes) -> Other | Failure | None:
        if not self.origins:
            return Other(self.path, at) if record.content_length else None
        rest = record.content_length - len(head)
        if rest > 4 * LARGEST_PAGE:
            return Failure(self.path, at, "too_large", f"a record of {rest:,} bytes is not passed on")
        return Other(self.path, at, _archived(record, head + (record.reader.read(rest) if rest > 0 else b"")))

    def check_end(self, start: int) -> Iterator[Failure]:
        """A failure where the end of the file cuts off a record that was not seen at all."""
        with self._open() as file:
            at = cut_off(file, start if self.last is None else self.last)
        if at is not None and at != self.told:
            yield Failure(self.path, at, "damaged", "the archive ends within this record; fetch it again")

    def next_start(self, start: int) -> int | None:
        """Where the next record may begin, at ``start`` or after it."""
        with self._open() as file:
            file.seek(max(0, start - 1))
            kept = b"" if start else b"\n"
            at = max(0, start - 1) - len(kept)
            while chunk := file.read(_CHUNK):
                window = kept + chunk
                for match in _STARTS.finditer(window):
                    if at + match.start() >= start:
                        return at + match.start()
                kept = window[-_LONGEST_START:]
                at += len(window) - len(kept)
        return None

    def failure(self, at: int, resumed: int | None) -> Failure:
        if resumed is None:
            rest = "nothing after it can be read"
        else:
            rest = f"the search for the next record went on at {resumed:,}"
        reason = f"damaged archive at or after this record ({self.trouble}); {rest}; fetch the archive again"
        return Failure(self.path, at, "damaged", reason)


def _iterate(file: BinaryIO, everything: bool) -> ArchiveIterator:
    try:
        from fastwarc.warc import ArchiveIterator, WarcRecordType
    except ImportError:
        raise MissingExtra("crawl", "fastwarc") from None
    kinds = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.conversion
    if everything:
        kinds = WarcRecordType.any_type
    # HTTP is read here, not by FastWARC: a record written back must keep its block byte for byte.
    return ArchiveIterator(file, record_types=kinds, parse_http=False, fsspec_args=False)


def _message(record: WarcRecord, block: bytes) -> HttpMessage | None:
    """The HTTP message of a response, or the block itself for types that have none."""
    kind = str(record.record_type)
    declared = record.headers.get("Content-Type") or ""
    if kind == "response" and (not declared or declared.startswith("application/http")):
        return HttpMessage.parse(block)
    if kind in ("response", "resource", "conversion"):
        return HttpMessage(200, ((b"Content-Type", declared.encode("latin-1", "replace")),), block)
    return None


def is_page(message: HttpMessage) -> bool:
    """Whether a response is a page: successful, and HTML or plain text by its header or, without one, by its look."""
    if not 200 <= message.status < 300:
        return False
    if message.content_type:
        return message.content_type in _PAGE_TYPES
    return message.body.lstrip()[:1] == b"<"


def _archived(record: WarcRecord, block: bytes) -> ArchiveRecord:
    headers: Any = record.headers
    return ArchiveRecord(tuple(headers.items_bytes()), block, headers.status_line_bytes or b"WARC/1.0")
