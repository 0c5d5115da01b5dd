"""Table rows ↔ records: what the columns of the label store mean.

Usage::

    row = label_row(found, article_of)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from spamfilter.labels.decision import Context, LabelRow, comment_fields
from spamfilter.records import Comment, Reason, Verdict

__all__ = [
    "COMMENT_COLUMNS",
    "ArticleOf",
    "comment_of",
    "context_of",
    "label_row",
    "time_text",
    "training_row",
    "verdict_of",
    "verdict_values",
]

#: permalink, site → its article, or None.
ArticleOf = Callable[[str, str], Context | None]
#: Columns of a comment (table c) with its context (x) and personal data (p), for a SELECT.
COMMENT_COLUMNS: Final = (
    "c.id AS comment_id, c.text, c.author, c.author_url, c.kind, c.date, c.external_id, c.site, c.permalink, c.lang,"
    " c.campaign, x.title, x.article, p.email, p.ip"
)


def time_text(moment: datetime) -> str:
    """UTC, always with the same number of characters, so that the order of texts is that of times."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def verdict_values(verdict: Verdict | None) -> tuple[str | None, str | None, float | None, str | None]:
    """model, verdict, probability, reasons: the four columns of a verdict."""
    if verdict is None:
        return None, None, None, None
    reasons = json.dumps([[r.name, r.detail, r.weight] for r in verdict.reasons], ensure_ascii=True)
    return verdict.model, verdict.label, verdict.probability, reasons


def verdict_of(row: sqlite3.Row) -> Verdict | None:
    """The verdict in the four columns, or None."""
    if row["probability"] is None:
        return None
    reasons = tuple(Reason(*reason) for reason in json.loads(row["reasons"] or "[]"))
    return Verdict(row["verdict"], row["probability"], reasons, row["model"] or "")


def comment_of(row: sqlite3.Row) -> Comment:
    """The comment in a row."""
    return Comment(
        text=row["text"],
        author=row["author"],
        author_url=row["author_url"],
        date=row["date"],
        id=row["external_id"],
        kind=row["kind"],
    )


def context_of(row: sqlite3.Row, article_of: ArticleOf) -> Context:
    """What the comment stands under; an article that became known later is taken by its permalink."""
    title, article = row["title"], row["article"]
    if article is None and row["permalink"] and (known := article_of(row["permalink"], row["site"])):
        title, article = title or known.title, known.article
    return Context(title, article, row["permalink"], row["site"] or None, row["lang"])


def label_row(row: Any, article_of: ArticleOf) -> LabelRow:
    """A decision with everything that belongs to it."""
    return LabelRow(
        seq=row["seq"],
        comment_id=row["comment_id"],
        comment=comment_of(row),
        context=context_of(row, article_of),
        label=row["label"],
        who=row["who"],
        source=row["source"],
        at=datetime.fromisoformat(row["at"]),
        verdict=verdict_of(row),
        look=row["look"],
        campaign=row["campaign"],
        live=bool(row["live"]),
        email=row["email"],
        ip=row["ip"],
    )


def training_row(row: LabelRow) -> dict[str, Any]:
    """A label as a row for training; the keys are those of ``LabelStore.to_rows``."""
    return {
        **comment_fields(row.comment, row.context),
        "label": row.label,
        "site": row.context.site,
        "post": row.context.permalink or row.context.title,
        "set": "labels",
        "lang": row.context.lang,
        "kind": row.comment.kind,
        "date": row.comment.date or row.at.isoformat(),
        "id": f"labels:{row.comment_id}",
        "who": row.who,
        "source": row.source,
        "at": row.at.isoformat(),
        "campaign": row.campaign,
        "look": row.look,
        "probability": None if row.verdict is None else row.verdict.probability,
        "verdict": None if row.verdict is None else row.verdict.label,
    }
