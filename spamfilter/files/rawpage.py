"""What a reader yields: a page as it was stored, something that is no page, or a failure.

Usage::

    page.name          # "crawl.warc.gz#81732": the file and where in it
    failure.to_dict()  # a line of the errors file
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Failure", "Other", "RawPage", "Row", "Rows", "TableRow", "place"]


def place(source: str, offset: int | None) -> str:
    """``source#offset``, the name of a page inside a file of many; ``source`` alone where there is one."""
    return source if offset is None else f"{source}#{offset}"


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page as it was stored.

    ``offset`` is the byte offset of an archive's record (in the compressed file, if it is compressed),
    the line number (from 1) of JSON lines, the row number (from 1) of CSV and Parquet, and ``None`` for
    a file that is one page.  ``charset`` is what the HTTP header of an archived response declares.
    ``origin`` is the row or the archive record that the page came in, for writing it back.
    """

    source: str
    offset: int | None
    url: str | None
    content: str | bytes
    charset: str | None = None
    origin: Any = None

    @property
    def name(self) -> str:
        """File and offset, as the output's ``source``."""
        return place(self.source, self.offset)


@dataclass(frozen=True, slots=True)
class Other:
    """A record that is no page (an image, a redirect, a request): counted, and passed on by ``clean``."""

    source: str
    offset: int | None
    origin: Any = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A page, record or file that could not be read or scored.

    ``kind`` is one stable word for counting: missing, empty, binary, damaged, column, timeout, killed, …
    """

    source: str
    offset: int | None
    kind: str
    reason: str
    origin: Any = None

    def to_dict(self) -> dict[str, Any]:
        """The line of the errors file."""
        return {"source": self.source, "offset": self.offset, "kind": self.kind, "reason": self.reason}

    def __str__(self) -> str:
        return f"{place(self.source, self.offset)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table with its number (line of JSON lines, else from 1); of JSON lines also the line itself."""

    source: str
    offset: int
    values: Mapping[str, Any]
    line: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table in a row, the first of them at ``offset``: what is classified at once.

    ``lines`` are those of JSON lines as they were read; other formats have none (None).  They stay where they were
    read: what goes to another process has an empty tuple.
    """

    source: str
    offset: int
    values: tuple[Mapping[str, Any], ...]
    lines: tuple[bytes, ...] | None = None
    origin: None = None

    def __reduce__(self) -> tuple[type[Rows], tuple[Any, ...]]:
        return Rows, (self.source, self.offset, self.values, None if self.lines is None else ())


@dataclass(frozen=True, slots=True)
class TableRow:
    """The row that a page stood in, and the column of the page: its ``origin``."""

    values: Mapping[str, Any]
    column: str
