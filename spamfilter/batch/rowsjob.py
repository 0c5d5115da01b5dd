"""What every job over tables of comments does: columns found, what goes wrong turned into a failure.

Usage::

    class CountJob(RowsJob):
        def on_rows(self, item, columns): ...     # columns["text"] is the column with the comments
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from spamfilter.batch.outcome import Item, Outcome, failed
from spamfilter.batch.rowfields import field_columns
from spamfilter.errors import SpamFilterError
from spamfilter.files.formats import Format
from spamfilter.files.rawpage import Failure, Rows

__all__ = ["RowsJob"]


@dataclass(kw_only=True)
class RowsJob:
    """Any job over groups of rows; ``fields`` says which column holds what (see ``rowfields.field_columns``)."""

    fields: Mapping[str, str] = field(default_factory=dict)
    format: Format = field(default_factory=lambda: Format("jsonl"))

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, item: Item) -> Outcome:
        """The outcome for one group of rows."""
        if isinstance(item, Failure):
            return failed(item)
        if not isinstance(item, Rows):
            raise TypeError(f"a job over rows was given {type(item).__name__}")
        try:
            names = dict.fromkeys(name for row in item.values for name in row)
            return self.on_rows(item, field_columns(list(names), self.fields))
        except SpamFilterError as error:
            return failed(Failure(item.source, item.offset, "column", str(error)))
        except Exception as error:  # some rows must not end a run over millions; the reason names the bug
            reason = (
                f"internal error from this row on, {len(item.values)} rows are lost ({type(error).__name__}: {error})"
            )
            return failed(Failure(item.source, item.offset, "internal", f"{reason}; please report it"))

    def each(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """The outcomes for groups of rows."""
        return map(self, items)

    def complete(self, item: Item, outcome: Outcome) -> Outcome:
        """Nothing is left to do."""
        return outcome

    def on_rows(self, item: Rows, columns: Mapping[str, str]) -> Outcome:
        """What is done with rows whose columns are known, by field."""
        raise NotImplementedError
