"""Whether an archive ends with a whole record; FastWARC ends quietly where the last one's header is cut off.

Usage::

    at = cut_off(file, last)        # offset of the record that is cut off, or None
"""

from __future__ import annotations

import zlib
from typing import BinaryIO, Final

__all__ = ["cut_off"]

_CHUNK: Final = 1 << 18
# Between the last page and the end lie a few records that are no pages; an archive that is one single
# compressed stream would have to be read twice for this, and is not.
_LONGEST: Final = 1 << 26
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


def cut_off(file: BinaryIO, last: int) -> int | None:
    """The offset of the record that the end of the file cuts off; ``last`` is that of a record before it."""
    if file.seek(0, 2) - last > _LONGEST:
        return None
    file.seek(last)
    head = file.read(4)
    file.seek(last)
    if head[:2] == b"\x1f\x8b":
        return _gzip(file, last)
    if head == _ZSTD:
        return _zstd(file, last)
    return _plain(file, last) if head[:4] == b"WARC" else None


def _gzip(file: BinaryIO, begin: int) -> int | None:
    """The last gzip member that does not end, if there is one."""
    member, at = zlib.decompressobj(31), begin
    started = False
    while chunk := file.read(_CHUNK):
        at += len(chunk)
        while chunk:
            started = True
            try:
                member.decompress(chunk)
            except zlib.error:  # damage is told by the reader itself
                return None
            chunk = member.unused_data if member.eof else b""
            if member.eof:
                begin, member, started = at - len(chunk), zlib.decompressobj(31), False
    return begin if started else None


def _zstd(file: BinaryIO, begin: int) -> int | None:
    from fastwarc.stream_io import ZstdReader

    reader = ZstdReader(file)
    try:
        while reader.read(_CHUNK):
            pass
    except OSError:
        return begin
    return None


def _plain(file: BinaryIO, begin: int) -> int | None:
    """The last record whose header or content does not end, if there is one."""
    end = file.seek(0, 2)
    file.seek(begin)
    while begin < end:
        length = _header(file)
        if length is None:
            return begin
        after = file.tell() + length
        if after > end:
            return begin
        file.seek(after)
        begin = after + _line_ends(file)
    return None


def _header(file: BinaryIO) -> int | None:
    """Content-Length of the header that begins here; None where the file ends within it."""
    length = 0
    while line := file.readline(_CHUNK):
        if not line.strip():
            return length
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value)
    return None


def _line_ends(file: BinaryIO) -> int:
    """Step over the line ends between two records; how many bytes they are."""
    passed = 0
    while (byte := file.read(1)) in (b"\r", b"\n"):
        passed += 1
    if byte:
        file.seek(-1, 1)
    return passed
