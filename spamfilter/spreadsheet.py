"""Rows of the first sheet of an Excel file (Office Open XML), with the standard library.

Usage::

    for row in sheet_rows(stream): row["comment"]      # the first row names the columns

Values are text; formulas give the value that was saved with them.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import IO, Final
from xml.etree import ElementTree

from spamfilter.errors import UnreadableFile

__all__ = ["sheet_rows"]

_NS: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_COLUMN: Final = re.compile(r"[A-Z]+")
#: Characters that XML cannot hold are written as _xHHHH_ (ECMA-376, ST_Xstring).
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ENTITIES: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)


def sheet_rows(stream: IO[bytes]) -> Iterator[dict[str, str]]:
    """Every row after the first as a mapping of column name to text; empty cells are left out."""
    try:
        with zipfile.ZipFile(stream) as book:
            shared = _shared(book)
            name = min(n for n in book.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n))
            rows = _cells(book, name, shared)
            header = next(rows, {})
            for row in rows:
                yield {header[k]: v for k, v in row.items() if k in header}
    except (zipfile.BadZipFile, KeyError, ValueError, ElementTree.ParseError) as error:
        raise UnreadableFile(f"not an Excel file that can be read ({error})") from error


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    out = []
    with book.open("xl/sharedStrings.xml") as xml:
        _refuse_entities(xml)
        for _, element in ElementTree.iterparse(xml):
            if element.tag == f"{_NS}si":
                out.append(_text(element))
                element.clear()
    return out


def _cells(book: zipfile.ZipFile, name: str, shared: list[str]) -> Iterator[dict[str, str]]:
    with book.open(name) as xml:
        _refuse_entities(xml)
        for _, element in ElementTree.iterparse(xml):
            if element.tag == f"{_NS}row":
                yield {k: v for k, v in (_cell(c, shared) for c in element.iter(f"{_NS}c")) if v is not None}
                element.clear()


def _cell(cell: ElementTree.Element, shared: list[str]) -> tuple[str, str | None]:
    column = _COLUMN.match(cell.get("r", ""))
    kind, value = cell.get("t"), cell.find(f"{_NS}v")
    text: str | None = None
    if kind == "inlineStr":
        text = _text(cell)
    elif value is not None and value.text is not None:
        text = shared[int(value.text)] if kind == "s" else value.text
    return column[0] if column else "", text


def _text(element: ElementTree.Element) -> str:
    joined = "".join(t.text or "" for t in element.iter(f"{_NS}t"))
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), joined)


def _refuse_entities(xml: IO[bytes]) -> None:
    """Entities can make a small file huge; no real spreadsheet declares any."""
    if _ENTITIES.search(xml.read(1024)):
        raise ValueError("it declares entities")
    xml.seek(0)
