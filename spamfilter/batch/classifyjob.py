"""Rows of comments to the same rows with probability, verdict and reasons.

Usage::

    job = ClassifyJob(load=load_scorer, fields={"text": "comment_text"}, format=Format("jsonl"))
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from spamfilter.batch.driftcounts import DriftCounter
from spamfilter.batch.outcome import Item, Outcome, failed
from spamfilter.errors import DataError, SpamFilterError
from spamfilter.features.fields import Fields
from spamfilter.files.formats import Format, json_line, json_line_with
from spamfilter.files.rawpage import Failure, Rows
from spamfilter.files.tables import cell

__all__ = ["ADDED", "FIELDS", "GROUP", "ClassifyJob", "FieldsScorer", "field_columns"]

#: Columns that are added; where a table has one of that name, it is written over.
ADDED: Final = ("spam_probability", "verdict", "reasons")
#: Rows that are judged at once: what the model itself works on at once.
GROUP: Final = 512
#: What a comment has, and how tables call it.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "text": ("text", "comment", "comment_text", "comment_content", "content", "body", "message"),
    "author": ("author", "comment_author", "author_name", "user", "username", "name"),
    "author_url": ("author_url", "comment_author_url", "author_link", "website"),
    "title": ("title", "post_title", "article_title", "video_title", "page_title"),
    "article": ("article", "post", "post_text", "article_text", "post_content", "context"),
}
#: What else a table may tell: the page that a comment stood on, which the search for campaigns asks for.
PLACES: Final[dict[str, tuple[str, ...]]] = {
    "page": ("page", "page_url", "post_url", "url", "permalink", "post_id", "thread", "thread_id", "site", "domain"),
}


class FieldsScorer(Protocol):
    """The part of ``SpamFilter`` that this job uses."""

    def score_fields(self, given: Fields) -> tuple[Any, Any, Any]:
        """The columns of ``ADDED``, as arrays."""


def field_columns(columns: Collection[str], given: Mapping[str, str]) -> dict[str, str]:
    """Field → column, as ``given`` says and else by the columns' names.

    Raises DataError where there is no column with the comments, or none of a name that was given.
    """
    known_names = {**FIELDS, **PLACES}
    for name, column in given.items():
        if name not in known_names:
            raise DataError(f"{name!r} is no field of a comment; fields are {', '.join(known_names)}")
        if column not in columns:
            raise DataError(f"no column {column!r}; the table has: {', '.join(columns)}")
    lower = {column.lower(): column for column in reversed(list(columns))}
    found = dict(given)
    for name, usual in known_names.items():
        known = next((lower[u] for u in usual if u in lower and lower[u] not in found.values()), None)
        if name not in found and known is not None:
            found[name] = known
    if "text" not in found:
        raise DataError(f"no column that is known to hold comments; it has: {', '.join(columns)}; name it by --column")
    return found


@dataclass
class ClassifyJob:
    """Adds ``ADDED`` to every row; rows without a text get empty ones and are counted as skipped.

    ``fields`` says which column holds what (see ``field_columns``); ``load`` makes the scorer in each process.
    """

    load: Callable[[], FieldsScorer] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    format: Format = field(default_factory=lambda: Format("jsonl"))
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

    def __call__(self, item: Item) -> Outcome:
        """The outcome for one group of rows."""
        if isinstance(item, Failure):
            return failed(item)
        if not isinstance(item, Rows):
            raise TypeError(f"a job over rows was given {type(item).__name__}")
        try:
            return self._judged(item)
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

    def _judged(self, item: Rows) -> Outcome:
        assert self.scorer is not None
        columns = field_columns(list(dict.fromkeys(name for row in item.values for name in row)), self.fields)
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


def cell_text(value: Any) -> str | None:
    """A cell as a text; None where there is nothing in it but space."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return cell(value) if isinstance(value, str) and value.strip() else None
