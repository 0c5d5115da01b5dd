"""Rows of JSON lines, CSV and Parquet, one at a time.

Usage::

    for row in read_csv(found): row.offset, row.values["text"]

A cell of CSV that is not UTF-8 keeps its bytes (as lone surrogates, PEP 383); ``cell`` gives its text.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar

from spamfilter.delimited import delimiter_of, header_fault, rows_of
from spamfilter.errors import MissingExtra, UnreadableFile
from spamfilter.files.inputs import Input
from spamfilter.files.rawpage import Failure, Row
from spamfilter.files.streams import BROKEN, explain, lines, open_stream
from spamfilter.segment import LARGEST_PAGE

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["batches", "cell", "parquet_columns", "parquet_file", "read_csv", "read_jsonl", "read_parquet"]

_T = TypeVar("_T")

# JSON writes a character of the page as up to six ("\u00e9"), and other columns need their room.
_LONGEST_LINE: Final = 6 * LARGEST_PAGE
# Rows that are decoded at once: pages of 100 kB make about 6 MB.
_ROWS: Final = 64


def cell(value: Any) -> Any:
    """A value as text fit for reading: bytes that were not UTF-8 are read as the superset of Latin-1."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return _mended(value)
    return value


def _mended(text: str) -> str:
    try:
        return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    except UnicodeEncodeError:  # halves of characters, out of JSON that was cut within an escape
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_jsonl(found: Input, only: tuple[str, ...] | None = None) -> Iterator[Row | Failure]:
    """JSON lines; offsets are line numbers from 1, blank lines are passed over."""
    with open_stream(found.path, found.compression) as stream:
        numbered = enumerate(lines(stream, _LONGEST_LINE), 1)
        at = 0
        while True:
            try:
                at, line = next(numbered)
            except StopIteration:
                return
            except BROKEN as error:
                yield Failure(found.path, at + 1, "damaged", explain(error))
                return
            if line is None:
                yield Failure(found.path, at, "too_large", f"the line has more than {_LONGEST_LINE:,} bytes")
            elif not line.isspace() and line:
                yield _json_row(found.path, at, line)


def _json_row(source: str, at: int, line: bytes) -> Row | Failure:
    try:
        values = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        return Failure(source, at, "damaged", f"this line is not JSON ({error}); one object a line is read")
    if not isinstance(values, dict):
        return Failure(source, at, "damaged", f"this line holds a JSON {type(values).__name__}, not an object")
    return Row(source, at, values, line)


def read_csv(found: Input, only: tuple[str, ...] | None = None) -> Iterator[Row | Failure]:
    """CSV with a header line; offsets are row numbers from 1, the header not counted."""
    csv.field_size_limit(LARGEST_PAGE)
    with open_stream(found.path, found.compression) as stream:
        rows, header = _csv_rows(found, stream)
        at = 0
        while True:
            at += 1
            try:
                values = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                reason = f"this row is not CSV ({error}); nothing is read from here on, look for an unclosed quote"
                yield Failure(found.path, at, "damaged", reason)
                return
            except BROKEN as error:
                yield Failure(found.path, at, "damaged", explain(error))
                return
            if values:
                yield _csv_row(found.path, at, header, values)


def _csv_rows(found: Input, stream: BinaryIO) -> tuple[Iterator[list[str]], list[str]]:
    text = _as_text(stream)
    first = text.readline(LARGEST_PAGE)
    if not first.strip():
        raise UnreadableFile("the table is empty: its first line should name the columns")
    rows = rows_of(first, text, delimiter_of(first, found.path))
    header = next(rows)
    if fault := header_fault(header):
        raise UnreadableFile(fault)
    return rows, header


def _as_text(stream: BinaryIO) -> io.TextIOWrapper:
    """UTF-8, or UTF-16 where a byte order mark says so (as spreadsheets write "Unicode text")."""
    peek = getattr(stream, "peek", None)
    if peek is not None and bytes(peek(2)[:2]) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return io.TextIOWrapper(stream, "utf-16", "replace", newline="")
    return io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")


def _csv_row(source: str, at: int, header: list[str], values: list[str]) -> Row | Failure:
    if len(values) > len(header):
        reason = f"this row has {len(values)} cells and the header {len(header)}; quote cells that hold the delimiter"
        return Failure(source, at, "damaged", reason)
    return Row(source, at, dict(zip(header, values, strict=False)))


def parquet_file(found: Input) -> pq.ParquetFile:
    """The open Parquet file.  Raises MissingExtra without pyarrow, UnreadableFile for what is no Parquet."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("crawl", "pyarrow") from None
    try:
        # Without pre-buffering only the pages in use are held, not the whole row group.
        return pq.ParquetFile(found.path, pre_buffer=False, buffer_size=1 << 20)
    except (pa.ArrowException, OSError) as error:
        reason = f"this is not a whole Parquet file ({_first_line(error)}); write or fetch it again"
        raise UnreadableFile(reason) from error


def parquet_columns(found: Input) -> tuple[str, ...]:
    """Names of the columns of a Parquet file."""
    with parquet_file(found) as file:
        return tuple(file.schema_arrow.names)


def batches(found: Input, only: tuple[str, ...] | None = None, rows: int = _ROWS) -> Iterator[pa.RecordBatch | Failure]:
    """Record batches of a Parquet file of at most ``rows`` rows."""
    with parquet_file(found) as file:
        pulled = file.iter_batches(batch_size=rows, columns=list(only) if only else None, use_threads=False)
        yield from _guarded(found, pulled)


def _guarded(found: Input, pulled: Iterator[_T]) -> Iterator[_T | Failure]:
    import pyarrow as pa

    read = 0
    while True:
        try:
            batch = next(pulled)
        except StopIteration:
            return
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = f"damaged Parquet from this row on ({_first_line(error)}); write or fetch the file again"
            yield Failure(found.path, read + 1, "damaged", reason)
            return
        read += _length(batch)
        yield batch


_length: Final[Callable[[Any], int]] = len


def read_parquet(found: Input, only: tuple[str, ...] | None = None) -> Iterator[Row | Failure]:
    """Parquet; offsets are row numbers from 1."""
    at = 0
    for batch in batches(found, only):
        if isinstance(batch, Failure):
            yield batch
            return
        for values in batch.to_pylist():
            at += 1
            yield Row(found.path, at, values)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
