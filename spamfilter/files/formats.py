"""Result rows to files: JSON lines, CSV and Parquet, a shard at a time.

Usage::

    format = Format.of("out.jsonl.gz")
    piece = format.encode(rows)            # in a worker: bytes, or the rows themselves for Parquet
    with format.shard(path, first=True) as shard:
        shard.write(piece)
    format.join(out, [shard paths])        # byte for byte the same, however often the run was interrupted
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, Self, cast

from spamfilter.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Format", "Piece", "json_line", "json_line_with"]

#: What a worker hands over for writing: encoded bytes, or rows where the file's own writer encodes (Parquet).
Piece = bytes | list[dict[str, Any]]
Name = Literal["jsonl", "csv", "parquet", "bytes"]
_SUFFIXES: Final[dict[str, Name]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
# zlib's default; 9 takes three times as long for 1 % less.
_GZIP_LEVEL: Final = 6
# Rows that are turned into one Parquet row group: bounds memory, and readers like groups of some megabytes.
_GROUP: Final = 1_000


# Rows are built here and hold no circles; to look for some takes a sixth of the time.
_encode: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def json_line(row: Mapping[str, Any]) -> bytes:
    """One row as a line of UTF-8 JSON; lone surrogates, which UTF-8 has no bytes for, are escaped."""
    text = _encode(row)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(row, separators=(", ", ": ")).encode() + b"\n"


def json_line_with(line: bytes, added: Mapping[str, Any]) -> bytes | None:
    """A line of JSON with more fields at its end, not written anew: several times faster for rows that hold articles.

    None where it has to be written anew: it is no plain UTF-8, or escapes halves of characters.  ``added`` must hold
    none of the line's own fields.
    """
    body = line.strip()
    if not (body.startswith(b"{") and body.endswith(b"}")) or b"\\ud" in body or b"\\uD" in body or not _is_utf8(body):
        return None
    head = body[:-1].rstrip()
    return head + (b"" if head == b"{" else b", ") + json_line(added)[1:]


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return b"\0" not in body  # every other byte is zero in UTF-16
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Format:
    """How result rows become a file.

    ``columns`` are those of CSV; ``schema`` is the Arrow schema of Parquet (None: told by the first rows).
    "bytes" takes pieces that are encoded already.
    """

    name: Name
    compression: str | None = None
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    schema: Any = None

    @classmethod
    def of(cls, path: str, columns: Sequence[str] = (), schema: Any = None) -> Format:
        """The format that the suffix of ``path`` names.

        Raises ConfigError for a suffix that is none of the known ones, MissingExtra for Parquet without pyarrow.
        """
        stem, suffix = os.path.splitext(path.lower())  # noqa: PTH122
        compression = {".gz": "gz", ".zst": "zst"}.get(suffix)
        name = _SUFFIXES.get(os.path.splitext(stem)[1] if compression else suffix)  # noqa: PTH122
        if name is None or (name == "parquet" and compression):
            known = ".jsonl .csv .tsv (each also with .gz or .zst) and .parquet"
            raise ConfigError(f"{path}: the suffix says no output format; known are {known}")
        format = cls(name, compression, tuple(columns), "\t" if ".tsv" in path.lower() else ",", schema)
        format.require()
        return format

    def require(self) -> None:
        """Raise MissingExtra where the format's library is not installed."""
        if self.name == "parquet":
            try:
                import pyarrow  # noqa: F401
            except ImportError:
                raise MissingExtra("crawl", "pyarrow") from None
        if self.compression == "zst":
            try:
                import fastwarc  # noqa: F401
            except ImportError:
                raise MissingExtra("crawl", "fastwarc") from None

    @property
    def suffix(self) -> str:
        """The file suffix, for the shards of a folder."""
        compressed = f".{self.compression}" if self.compression else ""
        return f".{'tsv' if self.delimiter == chr(9) else self.name}{compressed}"

    def encode(self, rows: list[dict[str, Any]]) -> Piece:
        """Rows to the piece that ``Shard.write`` takes; done where the rows are made, in parallel."""
        if self.name == "jsonl":
            return b"".join(map(json_line, rows))
        return self._csv_lines(rows) if self.name == "csv" else rows

    def header(self) -> bytes:
        """What a whole file begins with."""
        return self._csv_lines([dict(zip(self.columns, self.columns, strict=True))]) if self.name == "csv" else b""

    def shard(self, path: Path, *, first: bool) -> Shard:
        """A new file to write pieces to; ``first`` gives it the header."""
        if self.name == "parquet":
            return _ParquetShard(path, self.schema)
        return _BytesShard(path, self.compression, self.header() if first else b"")

    def join(self, out: BinaryIO, shards: Sequence[Path]) -> None:
        """The shards, in order, as one file.  gzip members and zstd frames stand behind each other as they are."""
        if self.name == "parquet":
            _join_parquet(out, shards)
            return
        for path in shards:
            with path.open("rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)

    def _csv_lines(self, rows: list[dict[str, Any]]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\n")
        writer.writerows([_cell(row.get(name)) for name in self.columns] for row in rows)
        try:
            # Cells read from a file that was not UTF-8 go out with the bytes they came in with.
            return text.getvalue().encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # halves of characters, out of JSON
            return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else json.dumps(value)


class Shard:
    """A file in the making.  As a context manager: closed whole, on disk, when the block ends well."""

    def write(self, piece: Piece) -> None:
        """Add one piece."""
        raise NotImplementedError

    def close(self) -> None:
        """Finish the file and bring it to disk."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Let go of the file, whatever is in it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


class _BytesShard(Shard):
    def __init__(self, path: Path, compression: str | None, header: bytes) -> None:
        self._file = path.open("wb")
        self._packed = _packer(self._file, compression)
        if header:
            self._packed.write(header)

    def write(self, piece: Piece) -> None:
        self._packed.write(cast("bytes", piece))

    def close(self) -> None:
        if self._packed is not self._file:
            self._packed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


def _packer(file: BinaryIO, compression: str | None) -> Any:
    if compression == "gz":
        # Neither name nor time go into the header: the same rows give the same bytes.
        return gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0)
    if compression == "zst":
        from fastwarc.stream_io import ZstdWriter

        return ZstdWriter(_Kept(file))
    return file


class _Kept:
    """A file that stays open when the writer over it is closed."""

    def __init__(self, file: BinaryIO) -> None:
        self.write, self.flush, self.tell = file.write, file.flush, file.tell

    def close(self) -> None:
        self.flush()


class _ParquetShard(Shard):
    def __init__(self, path: Path, schema: Any) -> None:
        self._path, self._schema = path, schema
        self._rows: list[dict[str, Any]] = []
        self._writer: Any = None

    def write(self, piece: Piece) -> None:
        self._rows.extend(cast("list[dict[str, Any]]", piece))
        if len(self._rows) >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist([_valid(row) for row in self._rows], schema=self._schema)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._rows = []

    def close(self) -> None:
        if self._rows or (self._writer is None and self._schema is not None):
            self._flush()
        if self._writer is not None:
            self._writer.close()
            with self._path.open("rb") as file:
                os.fsync(file.fileno())

    def abandon(self) -> None:
        self._rows = []
        if self._writer is not None:
            self._writer.close()


def _valid(value: Any) -> Any:
    """The value with lone surrogates, which Arrow has no bytes for, made question marks."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode() if _lone(value) else value
    if isinstance(value, dict):
        return {key: _valid(item) for key, item in value.items()}
    return [_valid(item) for item in value] if isinstance(value, list) else value


def _lone(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _join_parquet(out: BinaryIO, shards: Sequence[Path]) -> None:
    import pyarrow.parquet as pq

    writer: Any = None
    for path in shards:
        with pq.ParquetFile(path) as file:
            if writer is None:
                writer = pq.ParquetWriter(out, file.schema_arrow, compression="zstd")
            for group in range(file.num_row_groups):
                table: pa.Table = file.read_row_group(group)
                writer.write_table(table)
    if writer is not None:
        writer.close()
