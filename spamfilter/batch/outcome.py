"""What became of one item: something to write, something to count, perhaps a failure.

Usage::

    outcome.piece, outcome.tally["spam"], outcome.failure
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from spamfilter.files.formats import Piece
from spamfilter.files.rawpage import Failure, Other, RawPage, Rows

__all__ = ["Item", "Job", "Outcome", "Tally", "failed", "lists"]

#: Counts by name; "lang:de:spam" and the like are counts of slices.
Tally = dict[str, int]
Item = RawPage | Rows | Other | Failure


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a job for one item."""

    piece: Piece = b""
    tally: Tally = field(default_factory=dict)
    failure: Failure | None = None


class Job(Protocol):
    """What is done with every item; goes to worker processes by pickle, so it loads its model in ``open``."""

    def open(self) -> None:
        """Load what the job needs; called once in each process before any item."""

    def __call__(self, item: Item) -> Outcome:
        """The outcome for one item.  Never raises for what is wrong with the item."""

    def each(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """The outcomes for items, in their order: the same as for each by itself, but faster where that can be."""

    def complete(self, item: Item, outcome: Outcome) -> Outcome:
        """The outcome as it is written, made where the item was read: what a worker need not be sent and send back."""


#: Items that are worked on together: enough that what each list costs does not count (a message to a worker, arrays set
#: out for), few enough that workers end together and that the pages fit into memory.
_ITEMS: Final = 16
_BYTES: Final = 1 << 21


def lists(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in small lists, as jobs and workers are given them."""
    held, size = list[Item](), 0
    for item in items:
        held.append(item)
        # Some hundred rows are a list by themselves: their articles may be long.
        size += len(item.content) if isinstance(item, RawPage) else _BYTES if isinstance(item, Rows) else 0
        if len(held) >= _ITEMS or size >= _BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def failed(failure: Failure, piece: Piece = b"") -> Outcome:
    """The outcome of an item that could not be read or scored."""
    told = dataclasses.replace(failure, origin=None)  # the record itself has no business on the way back
    return Outcome(piece, {"errors": 1, f"error:{failure.kind}": 1}, told)
