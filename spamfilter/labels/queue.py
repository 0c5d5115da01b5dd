"""Comments that wait for a decision.

Usage::

    comment_id = store.queue.enqueue(comment, context, verdict)
    for item in store.queue.pending(order="useful", site="blog.example", limit=20): ...
    store.queue.resolve(item.id, "spam", who="ana")
    store.queue.undo(item.id, who="ana")               # waits again

A comment waits as long as it has no decision: whoever decides, and by whichever road, takes it out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from spamfilter.errors import DataError
from spamfilter.labels.comments import put_comment, site_name, tidy
from spamfilter.labels.database import Database
from spamfilter.labels.decision import Context, Decision, Look, Pending, TeamLabel
from spamfilter.labels.rows import COMMENT_COLUMNS, comment_of, context_of, time_text, verdict_of, verdict_values
from spamfilter.records import Comment, Verdict

if TYPE_CHECKING:
    from spamfilter.labels.store import LabelStore

__all__ = ["ORDERS", "Order", "Queue"]

Order = Literal["uncertain", "useful", "newest", "oldest"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)

# 1 where spam and ham are equally likely, 0 where the model is certain; not scored counts as half known.
_DOUBT: Final = "CASE WHEN probability IS NULL THEN 0.5 ELSE 1 - ABS(2 * probability - 1) END"
# How much one decision teaches: doubt, a whole point for being called unsure (the cut-offs need not lie around one
# half), and up to another for the size of the campaign, reached at eleven: one look then settles many.
_USE: Final = f"({_DOUBT}) + (verdict IS 'unsure') + MIN(campaign_size - 1, 10) / 10.0"
_QUEUE_COLUMNS: Final = "q.at, q.model, q.verdict, q.probability, q.reasons, q.skips"
# A comment that was put off comes again after all the others.
_ORDER_BY: Final[dict[str, str]] = {
    "uncertain": f"skips, verdict IS 'unsure' DESC, {_DOUBT} DESC, comment",
    # One of each campaign before a second of any: ten copies teach little more than one.
    "useful": f"skips, place_in_campaign, {_USE} DESC, comment",
    "newest": "at DESC, comment DESC",
    "oldest": "at, comment",
}


@dataclass(frozen=True, slots=True)
class _Filter:
    """WHERE clause and values for the view ``waiting``."""

    clause: str
    values: tuple[Any, ...]


class Queue:
    """The queue of a label store: ``store.queue``."""

    def __init__(self, store: LabelStore, database: Database, clock: Callable[[], datetime]) -> None:
        self._store, self._database, self._clock = store, database, clock

    def enqueue(self, comment: Comment, context: Context | None = None, verdict: Verdict | None = None) -> int:
        """Let a comment wait for a decision; gives its number.

        One that waits already gets the new verdict; one that has a decision stays decided.
        """
        return self.enqueue_many([(comment, context or Context(), verdict)])[0]

    def enqueue_many(self, items: Iterable[tuple[Comment, Context, Verdict | None]]) -> list[int]:
        """The same for several, in one transaction."""
        with self._database.writing() as sql:
            now = time_text(self._clock())
            return [self._enqueue(sql, now, *item) for item in items]

    def _enqueue(
        self, sql: sqlite3.Connection, now: str, comment: Comment, context: Context, verdict: Verdict | None
    ) -> int:
        number = put_comment(sql, comment, context, keep_personal=self._store.keeps_personal)
        sql.execute("INSERT OR IGNORE INTO queue (comment, at) VALUES (?, ?)", (number, now))
        if verdict is not None:
            self._set_verdict(sql, number, verdict)
        return number

    def set_verdicts(self, verdicts: Iterable[tuple[int, Verdict]]) -> None:
        """Write down what the model says of waiting comments (number, verdict), in one transaction."""
        with self._database.writing() as sql:
            for number, verdict in verdicts:
                self._set_verdict(sql, number, verdict)

    def _set_verdict(self, sql: sqlite3.Connection, number: int, verdict: Verdict) -> None:
        statement = "UPDATE queue SET model = ?, verdict = ?, probability = ?, reasons = ? WHERE comment = ?"
        sql.execute(statement, (*verdict_values(verdict), number))

    def pending(
        self,
        order: Order = "uncertain",
        *,
        site: str | None = None,
        reason: str | None = None,
        query: str | None = None,
        since: datetime | None = None,
        campaign: int | None = None,
        scored: bool | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Pending]:
        """Comments that wait.

        ``order``: "uncertain" (the model's doubt), "useful" (doubt, one of each campaign first, large campaigns
        first), "newest", "oldest".  ``reason`` is the name of a reason of the verdict, ``query`` a piece of the text
        or the author's name, ``since`` when it began to wait, ``scored`` whether it has a verdict.
        """
        if order not in _ORDER_BY:
            raise DataError(f"the order {order!r} is none of {', '.join(ORDERS)}")
        chosen = _filter(site, reason, query, since, campaign, scored)
        found = self._database.read(
            "WITH chosen AS (SELECT comment, at, verdict, probability, skips,"
            " COUNT(*) OVER (PARTITION BY campaign) AS campaign_size,"
            f" ROW_NUMBER() OVER (PARTITION BY campaign ORDER BY {_ORDER_BY['uncertain']}) AS place_in_campaign"
            f" FROM waiting WHERE {chosen.clause}), page AS (SELECT comment, campaign_size,"
            f" ROW_NUMBER() OVER (ORDER BY {_ORDER_BY[order]}) AS place FROM chosen ORDER BY place LIMIT ? OFFSET ?)"
            f" SELECT {_QUEUE_COLUMNS}, w.campaign_size, {COMMENT_COLUMNS} FROM page w"
            " JOIN queue q ON q.comment = w.comment JOIN comments c ON c.id = w.comment"
            " JOIN contexts x ON x.id = c.context LEFT JOIN personal p ON p.comment = c.id ORDER BY w.place",
            (*chosen.values, limit, offset),
        )
        return [self._item(row) for row in found]

    def count(
        self,
        *,
        site: str | None = None,
        reason: str | None = None,
        query: str | None = None,
        since: datetime | None = None,
        campaign: int | None = None,
        scored: bool | None = None,
    ) -> int:
        """How many comments ``pending`` would give with the same filters and no limit."""
        chosen = _filter(site, reason, query, since, campaign, scored)
        return int(self._database.read(f"SELECT COUNT(*) FROM waiting WHERE {chosen.clause}", chosen.values)[0][0])

    def get(self, comment_id: int, *, site: str | None = None) -> Pending | None:
        """One comment that was ever in the queue, decided or not; None if it never was, or not on ``site``."""
        found = self._database.read(
            f"SELECT {_QUEUE_COLUMNS}, 1 AS campaign_size, {COMMENT_COLUMNS}"
            " FROM queue q JOIN comments c ON c.id = q.comment JOIN contexts x ON x.id = c.context"
            " LEFT JOIN personal p ON p.comment = c.id WHERE q.comment = ? AND (? IS NULL OR c.site = ?)",
            (comment_id, site, None if site is None else site_name(site)),
        )
        return self._item(found[0]) if found else None

    def _item(self, row: sqlite3.Row) -> Pending:
        return Pending(
            id=row["comment_id"],
            comment=comment_of(row),
            context=context_of(row, lambda permalink, site: self._store.article_for(permalink, site=site)),
            verdict=verdict_of(row),
            at=datetime.fromisoformat(row["at"]),
            campaign=row["campaign"],
            campaign_size=row["campaign_size"],
            skips=row["skips"],
        )

    def resolve(
        self,
        comment_id: int,
        label: TeamLabel,
        who: str,
        *,
        source: str = "queue",
        look: Look | None = "shown",
        site: str | None = None,
        key: str | None = None,
    ) -> int:
        """Decide on one comment; gives the number of the decision.  With ``site``, only if it is that site's.

        Raises DataError if there is no such comment (on that site).
        """
        return self.resolve_many([comment_id], label, who, source=source, look=look, site=site, keys=[key])[0]

    def resolve_many(
        self,
        comment_ids: Sequence[int],
        label: TeamLabel,
        who: str,
        *,
        source: str = "queue",
        look: Look | None = "shown",
        site: str | None = None,
        keys: Sequence[str | None] | None = None,
    ) -> list[int]:
        """Decide on several comments alike, a campaign for example, in one transaction."""
        with self._database.writing():
            items = [self._known(number, site) for number in comment_ids]
            return [
                self._store.add(Decision(i.comment, label, who, source, i.context, i.verdict, look, key=key), to=i.id)
                for i, key in zip(items, keys or [None] * len(items), strict=True)
            ]

    def _known(self, comment_id: int, site: str | None) -> Pending:
        item = self.get(comment_id, site=site)
        if item is None:
            raise DataError(f"there is no comment {comment_id} in the queue{f' of {site}' if site else ''}")
        return item

    def undo(self, comment_id: int, who: str, *, site: str | None = None) -> int:
        """Take back one's decision on a comment of the queue: without another, it waits again."""
        with self._database.writing():
            self._known(comment_id, site)
            return self._store.undo(comment_id, who)

    def undo_many(self, comment_ids: Sequence[int], who: str, *, site: str | None = None) -> list[int]:
        """The same for several, in one transaction."""
        with self._database.writing():
            return [self.undo(number, who, site=site) for number in comment_ids]

    def skip(self, comment_id: int) -> None:
        """Put a comment off: it comes again after those that were not."""
        with self._database.writing() as sql:
            sql.execute("UPDATE queue SET skips = skips + 1 WHERE comment = ?", (comment_id,))


def _filter(
    site: str | None,
    reason: str | None,
    query: str | None,
    since: datetime | None,
    campaign: int | None,
    scored: bool | None,
) -> _Filter:
    clauses, values = ["1"], []
    if site is not None:
        clauses.append("site = ?")
        values.append(site_name(site))
    if reason is not None:
        # Reasons are JSON lists [name, detail, weight]; inside a JSON string this quote would be escaped.
        clauses.append("instr(reasons, ?) > 0")
        values.append(f'["{reason}",')
    if query:
        clauses.append("(text LIKE ? ESCAPE '\\' OR author LIKE ? ESCAPE '\\')")
        piece = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in tidy(query) or "") + "%"
        values += [piece, piece]
    if since is not None:
        clauses.append("at >= ?")
        values.append(time_text(since))
    if campaign is not None:
        clauses.append("campaign = ?")
        values.append(str(campaign))
    if scored is not None:
        clauses.append(f"probability IS {'NOT ' if scored else ''}NULL")
    return _Filter(" AND ".join(clauses), tuple(values))
