"""CSV and its kin as rows of cells: the delimiter is told by the header, a quote that is never closed by the end.

Usage::

    first = lines.readline()
    for cells in rows_of(first, lines, delimiter_of(first, "mine.csv")): ...

Quotes may hold line breaks, so one that is never closed takes everything after it into its cell; a reader that
passes over that loses all those rows in silence.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

__all__ = ["delimiter_of", "header_fault", "rows_of"]

_DELIMITERS: Final = ",;\t|"


def delimiter_of(header: str, name: str) -> str:
    """What parts the cells: the sign that the header line has most of, a tab where the file is called so."""
    return "\t" if ".tsv" in name.lower() else max(_DELIMITERS, key=header.count)


def rows_of(first: str, lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The rows of ``first`` and the ``lines`` after it.  Raises ``csv.Error`` where a quote is never closed."""
    ended = False

    def watched() -> Iterator[str]:
        nonlocal ended
        yield first
        yield from lines
        ended = True

    for cells in csv.reader(watched(), delimiter=delimiter):
        if ended:  # more was asked for within this row: only a quote that is open does that
            raise csv.Error("a quote is opened here and never closed")
        yield cells


def header_fault(header: Sequence[str]) -> str | None:
    """What is wrong with the names of the columns, and what to do; None where nothing is."""
    if any("\0" in name for name in header):
        return "the header holds zero bytes, as in UTF-16 without a byte order mark; convert the file to UTF-8"
    twice = [name for name, n in Counter(name.strip() for name in header).items() if n > 1 and name]
    return f"two columns are called {twice[0]!r}; rename one of them" if twice else None
