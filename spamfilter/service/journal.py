"""The service's own record: what was judged, what commenters are known for, who is signed in.  One SQLite file.

Usage::

    journal = Journal(Path("journal.db"))
    with journal.writing() as sql: journal.add(sql, entries)
    journal.standing("blog.example", journal.commenter("ana@blog.example"))

Decisions are not here but in the label store.  What is lost here in a crash (the last tenth of a second) is
statistics and history, never a decision.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from spamfilter.errors import StoreError
from spamfilter.labels import Pending
from spamfilter.records import Reason, Verdict
from spamfilter.service.policies import Judgement, Standing
from spamfilter.service.submission import Submission

__all__ = ["Action", "Day", "Entry", "Journal", "Seen"]

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, guid TEXT NOT NULL UNIQUE, at REAL NOT NULL,"
    " site TEXT NOT NULL, channel TEXT NOT NULL, text TEXT NOT NULL, author TEXT, author_url TEXT, permalink TEXT,"
    " title TEXT, kind TEXT NOT NULL, commenter BLOB, label TEXT NOT NULL, answer TEXT NOT NULL,"
    " probability REAL NOT NULL,"
    " decided_by TEXT NOT NULL, dry_run INTEGER NOT NULL, reasons TEXT NOT NULL, model TEXT NOT NULL, waiting INTEGER)",
    "CREATE INDEX IF NOT EXISTS entries_at ON entries (at)",
    "CREATE INDEX IF NOT EXISTS entries_site ON entries (site, at)",
    "CREATE INDEX IF NOT EXISTS entries_waiting ON entries (waiting) WHERE waiting IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS commenters (site TEXT NOT NULL, commenter BLOB NOT NULL, approved INTEGER NOT NULL"
    " DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0, passed INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (site, commenter)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS days (site TEXT NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY (site, day, kind)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS actions (id INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL,"
    " site TEXT NOT NULL, comment INTEGER NOT NULL, label TEXT NOT NULL, author TEXT, excerpt TEXT NOT NULL,"
    " batch TEXT NOT NULL, undone REAL)",
    "CREATE TABLE IF NOT EXISTS sessions (token BLOB PRIMARY KEY, who TEXT NOT NULL, csrf TEXT NOT NULL,"
    " until REAL NOT NULL) WITHOUT ROWID",
)
#: Seconds a writer waits for another program that holds the file.
_BUSY: Final = 10.0
#: Characters of a comment that the list of recent decisions shows.
_EXCERPT: Final = 160


@dataclass(frozen=True, slots=True)
class Entry:
    """One comment that was judged; ``waiting`` is its number in the label store's queue."""

    guid: str
    at: float
    site: str
    channel: str
    given: Submission
    judgement: Judgement
    waiting: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry as it is read back: without what is not kept (article, e-mail and IP address)."""

    guid: str
    at: datetime
    site: str
    channel: str
    given: Submission
    verdict: Verdict
    answer: str
    by: str
    dry_run: bool
    commenter: bytes | None


@dataclass(frozen=True, slots=True)
class Action:
    """One decision made on the moderation page."""

    id: int
    at: datetime
    who: str
    site: str
    comment: int
    label: str
    author: str | None
    excerpt: str
    batch: str
    undone: bool


@dataclass(frozen=True, slots=True)
class Day:
    """How often something happened on one day (``kind``: "spam", "unsure", "ham", "missed", "false_alarm" …)."""

    site: str
    day: str
    kind: str
    n: int


class Journal:
    """The file, with one connection that writes and one that reads; calls from several threads wait for each other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write_lock, self._read_lock = threading.RLock(), threading.RLock()
        with self._errors():
            self._writer = self._connect()
            for statement in _SCHEMA:
                self._writer.execute(statement)
            self._secret = self._own_secret()
            self._reader = self._connect()

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with self._write_lock, self._read_lock:
            self._writer.close()
            self._reader.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._write_lock, self._errors():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def _read(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._read_lock, self._errors():
            return self._reader.execute(statement, values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _own_secret(self) -> bytes:
        self._writer.execute("INSERT OR IGNORE INTO meta VALUES ('secret', ?)", (secrets.token_bytes(32),))
        return bytes(self._writer.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()[0])

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}; check the disk's free space and the file's permissions") from error

    # --- commenters

    def commenter(self, email: str | None) -> bytes | None:
        """What stands for an e-mail address here: a keyed digest that cannot be turned back."""
        plain = (email or "").strip().lower()
        return hmac.digest(self._secret, plain.encode("utf-8", "replace"), "sha256")[:16] if plain else None

    def standing(self, site: str, commenter: bytes | None) -> Standing:
        """What is known of a commenter on ``site``."""
        if commenter is None:
            return Standing()
        found = self._read(
            "SELECT approved, rejected, passed FROM commenters WHERE site = ? AND commenter = ?", (site, commenter)
        )
        return Standing(*found[0]) if found else Standing()

    @staticmethod
    def count_commenter(sql: sqlite3.Connection, site: str, commenter: bytes | None, **more: int) -> None:
        """Add to the counts of a commenter (``approved``, ``rejected``, ``passed``)."""
        if commenter is None:
            return
        sql.execute("INSERT OR IGNORE INTO commenters (site, commenter) VALUES (?, ?)", (site, commenter))
        for column in ("approved", "rejected", "passed"):
            if more.get(column):
                sql.execute(
                    f"UPDATE commenters SET {column} = MAX(0, {column} + ?) WHERE site = ? AND commenter = ?",
                    (more[column], site, commenter),
                )

    # --- entries

    def add(self, sql: sqlite3.Connection, entries: Iterable[Entry]) -> None:
        """Write down what was judged."""
        for entry in entries:
            given, judged = entry.given, entry.judgement
            commenter, comment = self.commenter(given.email), given.comment()
            reasons = _reasons_text(judged.reasons)
            values = (
                *(entry.guid, entry.at, entry.site, entry.channel, _storable(comment.text), _storable(comment.author)),
                *(
                    _storable(comment.author_url),
                    _storable(given.permalink),
                    _storable(given.title),
                    given.kind,
                    commenter,
                ),
                *(judged.label, judged.answer, judged.probability, judged.by, judged.dry_run, reasons, judged.model),
                entry.waiting,
            )
            sql.execute(
                "INSERT OR IGNORE INTO entries (guid, at, site, channel, text, author, author_url, permalink, title,"
                " kind, commenter, label, answer, probability, decided_by, dry_run, reasons, model, waiting)"
                f" VALUES ({', '.join('?' * len(values))})",
                values,
            )
            self.count(sql, entry.site, judged.label)
            if judged.label == "ham":
                self.count_commenter(sql, entry.site, commenter, passed=1)

    def set_reasons(self, sql: sqlite3.Connection, guid: str, reasons: Sequence[Reason]) -> None:
        """Write down the reasons of an entry, which were worked out later."""
        sql.execute("UPDATE entries SET reasons = ? WHERE guid = ?", (_reasons_text(reasons), guid))

    def set_waiting(self, sql: sqlite3.Connection, guid: str, number: int) -> None:
        """Write down that an entry waits in the queue, under ``number``."""
        sql.execute("UPDATE entries SET waiting = ? WHERE guid = ?", (number, guid))

    def count(self, sql: sqlite3.Connection, site: str, kind: str, n: int = 1) -> None:
        """Add to today's counts."""
        sql.execute(
            "INSERT INTO days VALUES (?, ?, ?, ?)"
            " ON CONFLICT (site, day, kind) DO UPDATE SET n = MAX(0, n + excluded.n)",
            (site, datetime.now(UTC).date().isoformat(), kind, n),
        )

    def seen(self, guid: str, site: str) -> Seen | None:
        """One entry of a site by its guid."""
        found = self._read("SELECT * FROM entries WHERE guid = ? AND site = ?", (guid, site))
        return _seen(found[0]) if found else None

    def last_like(self, site: str, text: str, author: str | None) -> Seen | None:
        """The latest entry with this very text and author, among the last days' (what feedback speaks of)."""
        found = self._read(
            "SELECT * FROM entries WHERE site = ? AND at > ? AND text = ? AND author IS ? ORDER BY at DESC LIMIT 1",
            (site, time.time() - 7 * 86400, _storable(text), _storable(author)),
        )
        return _seen(found[0]) if found else None

    def commenter_of(self, waiting: int) -> tuple[str, bytes | None] | None:
        """Site and commenter of a comment in the queue."""
        found = self._read("SELECT site, commenter FROM entries WHERE waiting = ? ORDER BY id DESC LIMIT 1", (waiting,))
        return (found[0]["site"], found[0]["commenter"]) if found else None

    def history(
        self,
        sites: Sequence[str],
        *,
        label: str | None = None,
        reason: str | None = None,
        query: str | None = None,
        since: float = 0.0,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Seen]:
        """What was judged on these sites, latest first."""
        where, values = [f"site IN ({', '.join('?' * len(sites))})", "at >= ?"], [*sites, since]
        if label:
            where.append("label = ?")
            values.append(label)
        if reason:
            where.append("instr(reasons, ?) > 0")
            values.append(f'["{reason}",')
        if query:
            where.append("(instr(lower(text), lower(?)) > 0 OR instr(lower(author), lower(?)) > 0)")
            values += [query, query]
        rows = self._read(
            f"SELECT * FROM entries WHERE {' AND '.join(where)} ORDER BY at DESC LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        return [_seen(row) for row in rows]

    def days(self, sites: Sequence[str], since: str) -> list[Day]:
        """Counts by day since the day ``since`` (YYYY-MM-DD)."""
        rows = self._read(
            f"SELECT site, day, kind, n FROM days WHERE day >= ? AND site IN ({', '.join('?' * len(sites))})"
            " ORDER BY day, site, kind",
            (since, *sites),
        )
        return [Day(*row) for row in rows]

    def forget(self, before: float) -> int:
        """Delete entries and sessions older than ``before``; gives how many entries."""
        with self.writing() as sql:
            sql.execute("DELETE FROM sessions WHERE until < ?", (time.time(),))
            sql.execute("DELETE FROM actions WHERE at < ?", (before,))
            return sql.execute("DELETE FROM entries WHERE at < ?", (before,)).rowcount

    # --- decisions made on the page

    def act(self, sql: sqlite3.Connection, who: str, item: Pending, label: str, batch: str) -> None:
        """Note a decision for the list of recent ones; ``batch`` is what can be undone together."""
        excerpt = " ".join(item.comment.text.split())[:_EXCERPT]
        sql.execute(
            "INSERT INTO actions (at, who, site, comment, label, author, excerpt, batch)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (time.time(), who, item.context.site or "", item.id, label, item.comment.author, excerpt, batch),
        )

    def actions(self, who: str, batch: str | None = None, limit: int = 60) -> list[Action]:
        """The latest decisions of a person, or those of one batch."""
        rows = self._read(
            "SELECT * FROM actions WHERE who = ? AND (? IS NULL OR batch = ?) ORDER BY id DESC LIMIT ?",
            (who, batch, batch, limit),
        )
        return [
            Action(
                *(row["id"], datetime.fromtimestamp(row["at"], UTC), row["who"], row["site"], row["comment"]),
                *(row["label"], row["author"], row["excerpt"], row["batch"], row["undone"] is not None),
            )
            for row in rows
        ]

    def take_back(self, sql: sqlite3.Connection, action: Action) -> None:
        """Mark a decision as undone."""
        sql.execute("UPDATE actions SET undone = ? WHERE id = ?", (time.time(), action.id))

    # --- sessions

    def open_session(self, who: str, seconds: float) -> str:
        """A new session; gives the token for the cookie, of which only a digest is kept."""
        token = secrets.token_urlsafe(32)
        with self.writing() as sql:
            values = (_token_digest(token), who, secrets.token_urlsafe(24), time.time() + seconds)
            sql.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", values)
        return token

    def session(self, token: str) -> tuple[str, str] | None:
        """Who a session belongs to, and its CSRF token."""
        found = self._read(
            "SELECT who, csrf FROM sessions WHERE token = ? AND until > ?", (_token_digest(token), time.time())
        )
        return (found[0]["who"], found[0]["csrf"]) if found else None

    def close_session(self, token: str) -> None:
        """Sign out."""
        with self.writing() as sql:
            sql.execute("DELETE FROM sessions WHERE token = ?", (_token_digest(token),))


def _reasons_text(reasons: Sequence[Reason]) -> str:
    return json.dumps([[r.name, r.detail, round(r.weight, 4)] for r in reasons], ensure_ascii=True)


def _token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _storable(text: str | None) -> str | None:
    """``text`` without lone surrogates and NUL, which SQLite does not take."""
    return (
        None
        if text is None
        else text.replace("\0", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    )


def _seen(row: sqlite3.Row) -> Seen:
    reasons = tuple(Reason(*r) for r in json.loads(row["reasons"]))
    given = Submission(
        row["text"], row["author"], row["author_url"], permalink=row["permalink"], title=row["title"], kind=row["kind"]
    )
    return Seen(
        row["guid"],
        datetime.fromtimestamp(row["at"], UTC),
        row["site"],
        row["channel"],
        given,
        Verdict(row["label"], row["probability"], reasons, row["model"]),
        row["answer"],
        row["decided_by"],
        bool(row["dry_run"]),
        row["commenter"],
    )
