"""The label store: decisions in, current labels, conflicts and training rows out.

Usage::

    with LabelStore.open("labels.db") as store:
        seq = store.add(Decision(Comment("Great post!"), "spam", who="ana", source="page"))
        for row in store.current(): row.comment.text, row.label, row.who
        data = list(store.to_rows())

One file, any number of programs: every call that writes is one transaction, waits for other writers, and either
stores all it was given or nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from spamfilter.errors import DataError
from spamfilter.labels.comments import comment_digest, put_comment, put_context, site_name, tidy
from spamfilter.labels.database import Database
from spamfilter.labels.decision import LOOKS, TEAM_LABELS, Conflict, Context, Decision, LabelRow, Stats
from spamfilter.labels.personal import without_personal
from spamfilter.labels.queue import Queue
from spamfilter.labels.rows import COMMENT_COLUMNS, label_row, time_text, training_row, verdict_values
from spamfilter.records import Comment

__all__ = ["LabelStore"]

#: Rows that are fetched at once while all are read: each carries an article, so this is some megabytes.
_PAGE: Final = 500
_DECISION: Final = (
    "SELECT d.*, NOT EXISTS (SELECT 1 FROM undos u WHERE u.decision = d.seq) AS live, "
    f"{COMMENT_COLUMNS} FROM {{table}} d JOIN comments c ON c.id = d.comment JOIN contexts x ON x.id = c.context"
    " LEFT JOIN personal p ON p.comment = c.id"
)


def _now() -> datetime:
    return datetime.now(UTC)


class LabelStore:
    """A label store; made by ``LabelStore.open``, closed by leaving its ``with`` block.

    Calls from several threads wait for each other; every process opens its own.
    """

    def __init__(self, database: Database, *, keep_personal: bool, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keep_personal = keep_personal
        self._clock = clock
        self.queue = Queue(self, database, clock)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        readonly: bool = False,
        keep_personal: bool = False,
        clock: Callable[[], datetime] = _now,
    ) -> LabelStore:
        """Open the store in the file ``path``, made if there is none.

        E-mail and IP addresses are dropped, and those inside texts replaced, unless ``keep_personal``.
        ``clock`` gives the time that is written down (never used to order anything).

        Raises StoreError: not a label store, damaged, made by a later version, no folder, no permission.
        """
        return cls(Database(Path(path), readonly=readonly), keep_personal=keep_personal, clock=clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LabelStore({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    @property
    def keeps_personal(self) -> bool:
        """Whether e-mail and IP addresses are stored."""
        return self._keep_personal

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        self._database.close()

    def check(self) -> None:
        """Read the whole file; raises StoreError if any of it is damaged."""
        self._database.check()

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """One transaction around several calls: all they store, or nothing if one of them raises."""
        with self._database.writing():
            yield

    # --- decisions in

    def add(self, decision: Decision, *, to: int | None = None) -> int:
        """Store one decision; gives its sequence number.

        A ``decision.key`` that is stored already gives the number of the decision it was stored with, and adds
        nothing.  ``to`` is the number of the comment, where it is known to be stored.

        Raises DataError for an empty text, an unknown label, or a key used for another decision.
        """
        with self._database.writing() as sql:
            return self._add(sql, decision, to)

    def add_many(self, decisions: Iterable[Decision]) -> list[int]:
        """Store decisions in one transaction: all of them or, if one is wrong, none.  Gives their numbers in order."""
        with self._database.writing() as sql:
            return [self._add(sql, decision) for decision in decisions]

    def _add(self, sql: sqlite3.Connection, decision: Decision, to: int | None = None) -> int:
        _check(decision)
        comment = to or put_comment(sql, decision.comment, decision.context, keep_personal=self._keep_personal)
        if decision.key is not None and (found := _with_key(sql, decision, comment)) is not None:
            return found
        self._put_personal(sql, comment, decision)
        now = self._clock()
        values = (
            *(comment, decision.label, tidy(decision.who), tidy(decision.source)),
            *(time_text(decision.at or now), time_text(now), decision.look),
            *verdict_values(decision.verdict),
            decision.key,
        )
        cursor = sql.execute(
            "INSERT INTO decisions (comment, label, who, source, at, stored, look, model, verdict, probability,"
            " reasons, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        return int(cursor.lastrowid or 0)

    def _put_personal(self, sql: sqlite3.Connection, comment: int, decision: Decision) -> None:
        if self._keep_personal and (decision.email or decision.ip):
            values = (comment, tidy(decision.email), tidy(decision.ip))
            sql.execute("INSERT OR IGNORE INTO personal (comment, email, ip) VALUES (?, ?, ?)", values)

    def undo(self, comment_id: int, who: str) -> int:
        """Take back the current decision about a comment; gives the number of that decision.

        The decision before it, if there is one, counts again.  Only whoever decided can undo: raises DataError
        if the current decision is another's, or there is none.
        """
        with self._database.writing() as sql:
            row = sql.execute("SELECT seq, who FROM current WHERE comment = ?", (comment_id,)).fetchone()
            if row is None:
                raise DataError(f"comment {comment_id} has no decision to undo")
            if row["who"] != who:
                raise DataError(
                    f"the decision on comment {comment_id} is by {row['who']}, who alone can undo it; decide anew"
                )
            values = (row["seq"], who, time_text(self._clock()))
            sql.execute("INSERT INTO undos (decision, who, at) VALUES (?, ?, ?)", values)
            return int(row["seq"])

    # --- articles

    def put_article(self, permalink: str, title: str | None, article: str | None, *, site: str | None = None) -> None:
        """Remember the article at ``permalink``; the latest one given counts.

        With ``site`` it is that site's alone: ``article_for`` gives it only when asked for that site.
        """
        name, place = site_name(site) if site else "", tidy(permalink)
        if not place:
            raise DataError("an article needs a permalink")
        if not self._keep_personal:
            title, article = without_personal(title), without_personal(article)
        with self._database.writing() as sql:
            context = put_context(sql, title, article)
            latest = sql.execute(
                "SELECT context FROM articles WHERE permalink = ? AND site = ? ORDER BY seq DESC LIMIT 1", (place, name)
            ).fetchone()
            if latest is None or latest[0] != context:
                values = (name, place, context, time_text(self._clock()))
                sql.execute("INSERT INTO articles (site, permalink, context, at) VALUES (?, ?, ?, ?)", values)

    def article_for(self, permalink: str, *, site: str | None = None) -> Context | None:
        """Title and article at ``permalink``, or None.

        That of ``site`` if it has one, else one that was given without site.
        """
        names = (site_name(site), "") if site else ("",)
        for name in names:
            found = self._database.read(
                "SELECT x.title, x.article FROM articles a JOIN contexts x ON x.id = a.context"
                " WHERE a.permalink = ? AND a.site = ? ORDER BY a.seq DESC LIMIT 1",
                (tidy(permalink), name),
            )
            if found:
                return Context(found[0]["title"], found[0]["article"], permalink, site or None)
        return None

    # --- labels out

    def rows(self, *, site: str | None = None, after: int = 0) -> Iterator[LabelRow]:
        """Every decision after number ``after``, also those undone or overruled, in the order they came."""
        return self._pages("decisions", site, after)

    def current(self, *, site: str | None = None, after: int = 0) -> Iterator[LabelRow]:
        """The current label of every comment, as the decision that set it, in the order they came."""
        return self._pages("current", site, after)

    def _pages(self, table: str, site: str | None, after: int) -> Iterator[LabelRow]:
        where = "WHERE d.seq > ?" + (" AND c.site = ?" if site is not None else "")
        statement = f"{_DECISION.format(table=table)} {where} ORDER BY d.seq LIMIT {_PAGE}"
        while True:
            page = self._database.read(statement, (after,) if site is None else (after, site_name(site)))
            yield from (label_row(row, self._article) for row in page)
            if len(page) < _PAGE:
                return
            after = page[-1]["seq"]

    def _article(self, permalink: str, site: str) -> Context | None:
        return self.article_for(permalink, site=site)

    def last(self) -> int:
        """The number of the newest decision; 0 without any.  Equal numbers mean that nothing was decided since."""
        return int(self._database.read("SELECT COALESCE(MAX(seq), 0) FROM decisions")[0][0])

    def label_of(self, comment: Comment, context: Context | None = None) -> LabelRow | None:
        """The current label of a comment, or None if there is none."""
        digest = comment_digest(comment, context or Context())
        found = self._database.read(f"{_DECISION.format(table='current')} WHERE c.digest = ?", (digest,))
        return label_row(found[0], self._article) if found else None

    def to_rows(self, *, site: str | None = None) -> Iterator[dict[str, Any]]:
        """Current labels as rows for training, in the order they came.

        Keys: text, author, author_url, title, article, label ("spam" | "ham"), site, post, set ("labels"), lang, kind,
        date, id; and who, source, at (ISO 8601), campaign, look and probability for weighing them.
        """
        return (training_row(row) for row in self.current(site=site))

    # --- what stands out

    def conflicts(self, *, site: str | None = None) -> Iterator[Conflict]:
        """Labels that cannot all be right: of two people about one comment, of equal and of nearly equal texts."""
        yield from self._people_conflicts(site)
        yield from self._text_conflicts("same", "same", 1, site)
        yield from self._text_conflicts("near", "campaign", 2, site)

    def _people_conflicts(self, site: str | None) -> Iterator[Conflict]:
        disputed = self._database.read(
            "SELECT d.comment FROM live d JOIN comments c ON c.id = d.comment WHERE (? IS NULL OR c.site = ?)"
            " GROUP BY d.comment HAVING COUNT(DISTINCT d.who) > 1 AND COUNT(DISTINCT d.label) > 1 ORDER BY d.comment",
            _site_values(site),
        )
        for (comment,) in disputed:
            latest = {row.who: row for row in self._select("live", "d.comment = ?", (comment,))}
            if len({row.label for row in latest.values()}) > 1:
                yield Conflict("people", tuple(latest.values()))

    def _text_conflicts(self, kind: Any, column: str, fewest_texts: int, site: str | None) -> Iterator[Conflict]:
        groups = self._database.read(
            f"SELECT c.{column} FROM current d JOIN comments c ON c.id = d.comment WHERE (? IS NULL OR c.site = ?)"
            f" GROUP BY c.{column} HAVING COUNT(DISTINCT d.label) > 1 AND COUNT(DISTINCT c.same) >= ?"
            f" ORDER BY c.{column}",
            (*_site_values(site), fewest_texts),
        )
        for (value,) in groups:
            where = f"c.{column} = ? AND (? IS NULL OR c.site = ?)"
            yield Conflict(kind, tuple(self._select("current", where, (value, *_site_values(site)))))

    def _select(self, table: str, where: str, values: tuple[Any, ...]) -> list[LabelRow]:
        found = self._database.read(f"{_DECISION.format(table=table)} WHERE {where} ORDER BY d.seq", values)
        return [label_row(row, self._article) for row in found]

    def stats(self) -> Stats:
        """Counts of what is stored."""
        labels = self._counted("SELECT label, COUNT(*) FROM current GROUP BY label")
        first, last = self._database.read("SELECT MIN(at), MAX(at) FROM decisions")[0]
        agreeing = "SELECT AVG(label = verdict) FROM current WHERE verdict IN ('spam', 'ham')"
        back = "(SELECT stored < LAG(stored) OVER (ORDER BY seq) AS back FROM decisions) WHERE back"
        return Stats(
            decisions=self._count("decisions"),
            undone=self._count("undos"),
            comments=self._count("comments"),
            spam=labels.get("spam", 0),
            ham=labels.get("ham", 0),
            pending=self._count("waiting"),
            articles=self._database.read("SELECT COUNT(*) FROM (SELECT DISTINCT permalink, site FROM articles)")[0][0],
            by_who=self._counted("SELECT who, COUNT(*) AS n FROM current GROUP BY who ORDER BY n DESC, who"),
            by_source=self._counted(
                "SELECT source, COUNT(*) AS n FROM current GROUP BY source ORDER BY n DESC, source"
            ),
            by_site=self._counted(
                "SELECT c.site, COUNT(*) AS n FROM current d JOIN comments c ON c.id = d.comment"
                " GROUP BY c.site ORDER BY n DESC, c.site"
            ),
            first=datetime.fromisoformat(first) if first else None,
            last=datetime.fromisoformat(last) if last else None,
            agreement=self._database.read(agreeing)[0][0],
            clock_steps_back=self._count(back),
        )

    def _count(self, table: str) -> int:
        return int(self._database.read(f"SELECT COUNT(*) FROM {table}")[0][0])

    def _counted(self, statement: str) -> dict[str, int]:
        return {row[0]: int(row[1]) for row in self._database.read(statement)}


def _site_values(site: str | None) -> tuple[str | None, str | None]:
    name = None if site is None else site_name(site)
    return name, name


def _check(decision: Decision) -> None:
    if decision.label not in TEAM_LABELS:
        raise DataError(
            f"the label {decision.label!r} is neither 'spam' nor 'ham'; a comment nobody decided on goes into the queue"
        )
    if decision.look is not None and decision.look not in LOOKS:
        raise DataError(f"look {decision.look!r} is none of {', '.join(LOOKS)}")
    if not decision.who.strip():
        raise DataError("a decision needs who made it; give a name")


def _with_key(sql: sqlite3.Connection, decision: Decision, comment: int) -> int | None:
    row = sql.execute("SELECT seq, label, comment FROM decisions WHERE key = ?", (decision.key,)).fetchone()
    if row is not None and (row["label"] != decision.label or row["comment"] != comment):
        raise DataError(
            f"the key {decision.key!r} was used for another decision (number {row['seq']}); "
            "give every decision a key of its own"
        )
    return None if row is None else int(row["seq"])
