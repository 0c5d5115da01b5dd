"""Files of labelled rows: CSV, JSON lines and Parquet as numbered mappings, whatever their encoding.

Usage::

    for number, row in RowFile(Path("mine.csv")).rows(): row["text"]

Rows are numbered from 1, the header of a table not counted.  A row that is not UTF-8 in a file that
otherwise is, is read as Windows-1252 (the superset of Latin-1) and counted in ``mended``.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from spamfilter.delimited import delimiter_of, header_fault, rows_of
from spamfilter.errors import DataError, MissingExtra, UnreadableFile

__all__ = ["SUFFIXES", "RowFile", "is_row_file"]

#: Endings that are read.
SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".parquet")
#: Bytes that were not UTF-8, as Python's "surrogateescape" keeps them (PEP 383).
_KEPT: Final = re.compile("[\udc80-\udcff]+")
_LARGEST_CELL: Final = 1 << 30  # a comment or article may be longer than csv's 128 KiB
#: From this share of rows with letters beyond ASCII on, a file is in another encoding, not damaged in places.
_WHOLLY_OTHER: Final = 0.5
#: Bytes of rows that are not UTF-8 by which Latin letters with accents are told from other scripts.
_SAMPLE: Final = 60_000
#: The share of bytes beyond ASCII up to which letters are Latin; in other scripts most bytes are.
_WESTERN: Final = 0.25


def is_row_file(path: Path) -> bool:
    """Whether the ending of ``path`` is one that is read."""
    return path.name.lower().endswith(SUFFIXES)


class RowFile:
    """One file of rows; ``mended`` counts the rows that were not UTF-8.

    With ``problems`` lines that are not JSON are told there and left out, instead of ending all.
    """

    def __init__(self, path: Path, problems: list[str] | None = None) -> None:
        self.path = path
        self._problems = problems
        self.mended = 0
        self._beyond_ascii = 0
        self._sample = bytearray()

    def rows(self) -> Iterator[tuple[int, Any]]:
        """Number and content of every row; JSON lines may hold other things than objects."""
        name = self.path.name.lower().removesuffix(".gz")
        read = (
            self._csv
            if name.endswith((".csv", ".tsv"))
            else self._parquet
            if name.endswith(".parquet")
            else self._jsonl
        )
        try:
            yield from read()
        except UnicodeDecodeError as error:
            raise UnreadableFile(
                f"{self.path}: damaged {error.encoding} at byte {error.start}; save it as UTF-8"
            ) from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableFile(f"{self.path}: not a whole gzip file ({error}); fetch or write it again") from error
        except OSError as error:
            if isinstance(error, UnreadableFile):
                raise
            raise UnreadableFile(f"{self.path}: {error.strerror or error}") from error
        if self.mended > 10 and self.mended > _WHOLLY_OTHER * self._beyond_ascii:
            raise UnreadableFile(
                f"{self.path}: {self.mended:,} of {self._beyond_ascii:,} rows with letters beyond ASCII are not UTF-8; "
                f"convert the file: {_remedy(bytes(self._sample), self.path.name)}"
            )

    def _open(self) -> IO[str]:
        zipped = self.path.name.lower().endswith(".gz")
        buffered = io.BufferedReader(gzip.GzipFile(self.path)) if zipped else self.path.open("rb")
        head = buffered.peek(4)[:4]
        wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if wide:
            return io.TextIOWrapper(buffered, "utf-16", newline="")
        return io.TextIOWrapper(buffered, "utf-8-sig", "surrogateescape", newline="")

    def _jsonl(self) -> Iterator[tuple[int, Any]]:
        with self._open() as lines:
            for n, line in enumerate(lines, 1):
                if line.strip():
                    text = self._mend(line)
                    try:
                        row = json.loads(text)
                    except (ValueError, RecursionError) as error:
                        reason = getattr(error, "msg", "nested too deeply")
                        said = f"{self.path} line {n}: not JSON ({reason}); one object a line is expected"
                        if self._problems is None:
                            raise DataError(said) from error
                        self._problems.append(said)
                        continue
                    yield n, row

    def _csv(self) -> Iterator[tuple[int, Any]]:
        csv.field_size_limit(_LARGEST_CELL)
        with self._open() as lines:
            first = lines.readline()
            if not first.strip():
                raise DataError(f"{self.path}: empty; its first line should name the columns")
            table = rows_of(first, lines, delimiter_of(first, self.path.name))
            n = 0
            try:
                header = [self._mend(c).strip() for c in next(table)]
                if fault := header_fault(header):
                    raise DataError(f"{self.path}: {fault}")
                for n, cells in enumerate(table, 1):
                    if cells:
                        yield n, self._csv_row(header, cells)
            except csv.Error as error:
                raise DataError(f"{self.path} row {n + 1}: not CSV ({error}); look for an unclosed quote") from error

    def _csv_row(self, header: list[str], cells: list[str]) -> dict[str | None, Any]:
        """As ``csv.DictReader`` has it: surplus cells under None, missing ones None."""
        if not all(c.isascii() for c in cells):
            cells = self._mend("\x1f".join(cells)).split("\x1f") if not any("\x1f" in c for c in cells) else [
                self._mend(c) for c in cells
            ]  # fmt: skip
        row: dict[str | None, Any] = dict(zip(header, cells, strict=False))
        row.update(dict.fromkeys(header[len(cells) :]))
        if len(cells) > len(header):
            row[None] = cells[len(header) :]
        return row

    def _mend(self, text: str) -> str:
        if text.isascii():
            return text
        self._beyond_ascii += 1
        if not _KEPT.search(text):
            return text
        self.mended += 1
        if len(self._sample) < _SAMPLE:
            self._sample += text.encode("utf-8", "surrogateescape")
        return _KEPT.sub(lambda m: m[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace"), text)

    def _parquet(self) -> Iterator[tuple[int, Any]]:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise MissingExtra("crawl", "pyarrow") from error
        try:
            with pq.ParquetFile(self.path) as table:
                n = 0
                for batch in table.iter_batches(1000):
                    for row in batch.to_pylist():
                        n += 1
                        yield n, row
        except pa.ArrowException as error:
            raise UnreadableFile(f"{self.path}: not a whole Parquet file ({error}); write it again") from error


def _remedy(sample: bytes, name: str) -> str:
    """The command that converts a file whose rows are like ``sample``; which encoding it has is no guess of ours."""
    if sum(byte > 127 for byte in sample) <= len(sample) * _WESTERN:
        return f"e.g. iconv -f WINDOWS-1252 -t UTF-8 {name}"
    return f"iconv -f ENCODING -t UTF-8 {name}, where ENCODING is e.g. WINDOWS-1251, KOI8-R, SHIFT_JIS or GB18030"
