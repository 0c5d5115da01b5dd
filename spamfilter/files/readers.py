"""Any input to pages, or to rows, one at a time.

Usage::

    for item in read_pages(found, Columns(page="html", url="url")):
        match item:
            case RawPage(): ...
            case Other(): ...      # a record that is no page
            case Failure(): ...    # counted, never raised
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from spamfilter.errors import InputError, MissingExtra
from spamfilter.files.inputs import STDIN, Input
from spamfilter.files.rawpage import Failure, Other, RawPage, Row, Rows, TableRow
from spamfilter.files.streams import BROKEN, explain, open_stream
from spamfilter.segment import LARGEST_PAGE

__all__ = ["Columns", "Item", "read_pages", "read_rows", "row_groups"]

Item = RawPage | Other | Failure

# UTF-32, the widest encoding, takes four bytes a character: a larger file cannot hold a page that is read.
_LARGEST_FILE: Final = 4 * LARGEST_PAGE
# Names that tables give these columns, most telling first.
_PAGE_COLUMNS: Final = (
    *("html", "page", "raw_html", "html_content", "raw_content"),
    *("content", "body", "document", "text"),
)
_URL_COLUMNS: Final = ("url", "uri", "page_url", "target_uri", "warc_target_uri", "WARC-Target-URI", "link")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table hold the page and its address; None: told by their names."""

    page: str | None = None
    url: str | None = None


def read_pages(found: Input, columns: Columns | None = None, *, origins: bool = False) -> Iterator[Item]:
    """The pages of one input, in its order, in bounded memory.

    With ``origins`` every item carries the row or the archive record that it came in, and records that
    are no pages come too, so that the file can be written again.
    """
    empty = True
    try:
        for item in _items(found, columns or Columns(), origins):
            empty = False
            yield item
    except MissingExtra as error:
        yield Failure(found.path, None, "extra", str(error))
    except InputError as error:
        yield Failure(found.path, None, "unreadable", str(error))
    except BROKEN as error:
        yield Failure(found.path, None, "damaged", explain(error))
    else:
        if empty:
            yield Failure(found.path, None, "empty", "nothing is in this file; check how it was fetched or written")


def _items(found: Input, columns: Columns, origins: bool) -> Iterator[Item]:
    if found.kind == "warc":
        from spamfilter.files.archives import read_archive

        yield from read_archive(found, origins=origins)
    elif found.kind == "page" and not (found.path == STDIN and columns.page):
        yield _whole_file(found)
    else:
        yield from _page_rows(found, columns, origins)


def read_rows(found: Input, *, only: tuple[str, ...] | None = None) -> Iterator[Row | Failure]:
    """The rows of one table, in its order; JSON lines from standard input.

    ``only`` names the columns that are wanted, where the format can leave out the others.
    """
    from spamfilter.files import tables

    reader = {"csv": tables.read_csv, "parquet": tables.read_parquet}.get(found.kind, tables.read_jsonl)
    try:
        yield from reader(found, only)
    except MissingExtra as error:
        yield Failure(found.path, None, "extra", str(error))
    except InputError as error:
        yield Failure(found.path, None, "unreadable", str(error))
    except BROKEN as error:
        yield Failure(found.path, None, "damaged", explain(error))


def _whole_file(found: Input) -> RawPage | Failure:
    size = found.size() or 0
    if size > _LARGEST_FILE:
        reason = f"the file has {size:,} bytes, more than one page can have; split it into its pages first"
        return Failure(found.path, None, "too_large", reason)
    try:
        stream = open_stream(found.path, found.compression)
    except InputError as error:
        return Failure(found.path, None, "unreadable", str(error))
    try:
        # One byte more than a page may have: whoever takes it apart then says so.
        return RawPage(found.path, None, None, stream.read(_LARGEST_FILE + 1))
    except BROKEN as error:
        return Failure(found.path, None, "damaged", explain(error))
    finally:
        if found.path != STDIN:
            stream.close()


def _page_rows(found: Input, columns: Columns, origins: bool) -> Iterator[Item]:
    only = None
    page, url = columns.page, columns.url
    known = False
    if found.kind == "parquet":
        from spamfilter.files import tables

        names = tables.parquet_columns(found)
        page, url = _pick(names, page, _PAGE_COLUMNS), _pick(names, url, _URL_COLUMNS)
        only = None if origins else tuple(name for name in (page, url) if name)
        if page is None:
            yield _no_column(found, columns, names)
            return
        known = True
    for row in read_rows(found, only=only):
        if isinstance(row, Failure):
            yield row
            continue
        if not known:
            page, url = _pick(row.values, page, _PAGE_COLUMNS), _pick(row.values, url, _URL_COLUMNS)
            if page is None:
                yield _no_column(found, columns, tuple(row.values))
                return
            known = True
        yield _row_page(row, page or "", url, origins)


def _row_page(row: Row, page: str, url: str | None, origins: bool) -> RawPage | Failure:
    content = row.values.get(page)
    address = row.values.get(url) if url else None
    origin = TableRow(row.values, page) if origins else None
    if isinstance(content, (str, bytes)) and content:
        content = _as_stored(content)
        return RawPage(row.source, row.offset, address if isinstance(address, str) else None, content, origin=origin)
    if content is None or content in ("", b""):
        reason, kind = f"no page: the column {page!r} is empty here", "empty"
    else:
        reason, kind = f"no page: the column {page!r} holds {type(content).__name__}, not text", "column"
    return Failure(row.source, row.offset, kind, reason, origin=origin)


def _as_stored(content: str | bytes) -> str | bytes:
    """A cell of a CSV file that was not UTF-8 as its bytes, so that the page's own charset counts."""
    if isinstance(content, bytes) or content.isascii():
        return content
    try:
        content.encode()
    except UnicodeEncodeError:
        return content.encode("utf-8", "surrogateescape") if _escaped(content) else content
    return content


def _escaped(content: str) -> bool:
    return all("\udc80" <= char <= "\udcff" for char in content if "\ud800" <= char <= "\udfff")


def row_groups(found: Input, size: int) -> Iterator[Rows | Failure]:
    """The rows of one table in groups of at most ``size``."""
    held: list[Row] = []
    for row in read_rows(found):
        if isinstance(row, Row) and len(held) < size:
            held.append(row)
            continue
        if held:
            yield _group(held)
        held = [row] if isinstance(row, Row) else []
        if isinstance(row, Failure):
            yield row
    if held:
        yield _group(held)


def _group(rows: list[Row]) -> Rows:
    lines = tuple(row.line for row in rows if row.line is not None)
    return Rows(
        rows[0].source, rows[0].offset, tuple(row.values for row in rows), lines if len(lines) == len(rows) else None
    )


def _pick(names: Collection[str], given: str | None, usual: tuple[str, ...]) -> str | None:
    if given is not None:
        return given if given in names else None
    return next((name for name in usual if name in names), None)


def _no_column(found: Input, columns: Columns, names: tuple[str, ...]) -> Failure:
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    wanted = f"no column {columns.page!r}" if columns.page else "no column that is known to hold pages"
    return Failure(found.path, None, "column", f"{wanted}; it has: {shown}; name the one with the pages by --column")
