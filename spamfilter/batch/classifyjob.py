"""Rows of comments to the same rows with probability, verdict and reasons.

Usage::

    job = ClassifyJob(load=load_scorer, fields={"text": "comment_text"}, format=Format("jsonl"))
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from spamfilter.batch.driftcounts import DriftCounter
from spamfilter.batch.outcome import Item, Outcome
from spamfilter.batch.rowfields import FIELDS, cell_text
from spamfilter.batch.rowsjob import RowsJob
from spamfilter.features.fields import Fields
from spamfilter.files.formats import json_line, json_line_with
from spamfilter.files.rawpage import Rows
from spamfilter.files.tables import cell

__all__ = ["ADDED", "GROUP", "ClassifyJob", "FieldsScorer"]

#: Columns that are added; where a table has one of that name, it is written over.
ADDED: Final = ("spam_probability", "verdict", "reasons")
#: Rows that are judged at once: what the model itself works on at once.
GROUP: Final = 512


class FieldsScorer(Protocol):
    """The part of ``SpamFilter`` that this job uses."""

    def score_fields(self, given: Fields) -> tuple[Any, Any, Any]:
        """The columns of ``ADDED``, as arrays."""


@dataclass(kw_only=True)
class ClassifyJob(RowsJob):
    """Adds ``ADDED`` to every row; rows without a text get empty ones and are counted as skipped.

    ``fields`` are those of ``rowfields.field_columns``; ``load`` makes the scorer in each process.
    """

    load: Callable[[], FieldsScorer] | None = None
    scorer: FieldsScorer | None = field(default=None, repr=False)
    drift: DriftCounter | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "drift": None, "scorer": self.scorer if self.load is None else None}

    def open(self) -> None:
        """Load the model."""
        if self.scorer is None:
            if self.load is None:
                raise TypeError("a job needs a scorer, or load, which makes one")
            self.scorer = self.load()
        self.drift = DriftCounter.of(self.scorer)

    def on_rows(self, item: Rows, columns: Mapping[str, str]) -> Outcome:
        """The rows with what is added to them."""
        assert self.scorer is not None
        columns = {name: column for name, column in columns.items() if name in FIELDS}
        texts = [cell_text(row.get(columns["text"])) for row in item.values]
        there = [n for n, text in enumerate(texts) if text]
        cells = {name: [cell_text(item.values[n].get(column)) for n in there] for name, column in columns.items()}
        given = Fields.of([t or "" for t in cells["text"]], *(cells.get(name) for name in list(FIELDS)[1:]))
        scored = self.scorer.score_fields(given)
        judged = zip(*(column.tolist() for column in scored), strict=True)
        added: list[dict[str, Any]] = [dict.fromkeys(ADDED) for _ in item.values]
        for n, values in zip(there, judged, strict=True):
            added[n] = dict(zip(ADDED, values, strict=True))
        tally = {"rows": len(item.values), "comments": len(there), "bytes": sum(map(len, filter(None, texts)))}
        tally["skipped"] = len(item.values) - len(there)
        for label in ("spam", "unsure", "ham"):
            tally[label] = sum(row["verdict"] == label for row in added)
        if self.drift is not None:
            tally.update(self.drift.tally(given.texts, scored[0].tolist()))
        if self.format.name == "jsonl" and item.lines is not None:
            return Outcome(added, tally)
        # Only CSV can carry on the bytes of a cell that was not UTF-8; elsewhere it becomes the text it stands for.
        kept = item.values if self.format.name == "csv" else [_readable(row) for row in item.values]
        return Outcome(self.format.encode([{**row, **more} for row, more in zip(kept, added, strict=True)]), tally)

    def complete(self, item: Item, outcome: Outcome) -> Outcome:
        """Lines of JSON with what was added to them: an article that stands beside every comment is not sent about."""
        if not isinstance(item, Rows) or not item.lines or not isinstance(outcome.piece, list):
            return outcome
        rows = zip(item.values, item.lines, outcome.piece, strict=True)
        return dataclasses.replace(outcome, piece=b"".join([_json_line(*row) for row in rows]))


def _json_line(values: Mapping[str, Any], line: bytes, added: Mapping[str, Any]) -> bytes:
    written = json_line_with(line, added) if values.keys().isdisjoint(ADDED) else None
    return written or json_line({**_readable(values), **added})


def _readable(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: cell(value) for name, value in row.items()}
