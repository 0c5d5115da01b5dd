"""Files opened for reading, compressed or not, with what is damaged in them told apart.

Usage::

    with open_stream("pages.jsonl.gz", "gz") as stream:
        for line in lines(stream): ...
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from spamfilter.errors import MissingExtra, UnreadableFile
from spamfilter.files.inputs import STDIN

__all__ = ["BROKEN", "explain", "lines", "open_stream"]

#: What reading a damaged file raises: gzip cut short (EOFError) or corrupt (zlib.error, BadGzipFile), zstd (OSError).
BROKEN: Final = (OSError, EOFError, zlib.error)
# Large enough that a compressed megabyte costs few calls, small enough to be nothing in memory.
_BUFFER: Final = 1 << 18


def open_stream(path: str, compression: str | None) -> BinaryIO:
    """``path`` (or standard input, "-") as a stream of its uncompressed bytes.

    Raises UnreadableFile where it cannot be opened, and MissingExtra for zstd without FastWARC.
    """
    if path == STDIN:
        if sys.stdin is None or sys.stdin.closed:
            raise UnreadableFile("standard input is closed; give a file, or pipe a page into the command")
        return cast("BinaryIO", getattr(sys.stdin, "buffer", sys.stdin))
    try:
        if compression == "gz":
            return cast("BinaryIO", gzip.GzipFile(path, "rb"))
        file = open(path, "rb", buffering=_BUFFER)  # noqa: SIM115, PTH123 - closed by the caller
    except OSError as error:
        raise UnreadableFile(explain(error)) from error
    return cast("BinaryIO", io.BufferedReader(_Zstd(file), _BUFFER)) if compression == "zst" else file


class _Zstd(io.RawIOBase):
    """Zstandard frames as a stream; FastWARC's reader, because it alone says when a frame is cut short."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            from fastwarc.stream_io import ZstdReader
        except ImportError:
            raise MissingExtra("crawl", "fastwarc") from None
        self._file = file
        self._reader = ZstdReader(file)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._reader.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def lines(stream: BinaryIO, longest: int) -> Iterator[bytes | None]:
    """The lines of ``stream`` without their ends; None in place of one with more than ``longest`` bytes."""
    while line := stream.readline(longest + 1):
        if len(line) > longest and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(1 << 20)
            yield None
        else:
            yield line.rstrip(b"\r\n")


def explain(error: BaseException) -> str:
    """What went wrong with a file, in words that say what to do."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file; check the path"
    if isinstance(error, PermissionError):
        return "no permission to read it; check who owns the file"
    if isinstance(error, IsADirectoryError):
        return "this is a folder; give its files, or the folder as an input of its own"
    if isinstance(error, EOFError):
        return "the compressed file ends too early; what came before is read, fetch it again for the rest"
    if isinstance(error, (zlib.error, gzip.BadGzipFile)):
        return f"the compressed data is damaged ({error}); what came before is read, fetch it again for the rest"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"it cannot be read ({text})"
