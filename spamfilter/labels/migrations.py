"""The schema of the label store, as named steps that are each applied once, in order.

Usage::

    for migration in MIGRATIONS: migration.name, migration.statements

A step that was released is never changed; a new need is a new step at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS", "Migration"]

#: Written into the file's header (offset 68), so that ``file`` and we can tell a label store from another database:
#: the letters "SPFL".
APPLICATION_ID: Final = 0x5350464C


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: a name that is stored, and the SQL statements that make it."""

    name: str
    statements: tuple[str, ...]


# Tables whose rows are the record of what was decided: neither changed nor deleted, whoever holds the connection.
_APPEND_ONLY: Final = ("contexts", "articles", "comments", "personal", "decisions", "undos", "migrations")


def _guards(tables: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in tables
        for verb in ("update", "delete")
    )


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(
        "0001_decisions",
        (
            # Title and article once, however many comments stand under them.
            "CREATE TABLE contexts (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, title TEXT, article TEXT)",
            # The latest row of a permalink counts; site '' stands for articles that no site was named for.
            "CREATE TABLE articles (seq INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, permalink TEXT NOT NULL,"
            " context INTEGER NOT NULL REFERENCES contexts (id), at TEXT NOT NULL)",
            "CREATE INDEX articles_permalink ON articles (permalink, site, seq)",
            "CREATE TABLE comments (id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE,"
            " text TEXT NOT NULL, author TEXT, author_url TEXT, kind TEXT NOT NULL, date TEXT, external_id TEXT,"
            " site TEXT NOT NULL,"
            " permalink TEXT, lang TEXT, context INTEGER NOT NULL REFERENCES contexts (id), same BLOB NOT NULL,"
            " campaign INTEGER NOT NULL)",
            "CREATE INDEX comments_campaign ON comments (campaign)",
            "CREATE INDEX comments_same ON comments (same)",
            # E-mail and IP address of an author, only where the store was asked to keep them.
            "CREATE TABLE personal (comment INTEGER PRIMARY KEY REFERENCES comments (id), email TEXT, ip TEXT)",
            # MinHash band → the campaign that had it first.
            "CREATE TABLE bands (band INTEGER PRIMARY KEY, campaign INTEGER NOT NULL) WITHOUT ROWID",
            # AUTOINCREMENT: a number is never given twice, so it orders decisions whatever the clock does.
            "CREATE TABLE decisions (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
            " comment INTEGER NOT NULL REFERENCES comments (id), label TEXT NOT NULL CHECK (label IN ('spam', 'ham')),"
            " who TEXT NOT NULL, source TEXT NOT NULL, at TEXT NOT NULL, stored TEXT NOT NULL, look TEXT,"
            " model TEXT, verdict TEXT, probability REAL, reasons TEXT, key TEXT UNIQUE)",
            "CREATE INDEX decisions_comment ON decisions (comment, seq)",
            "CREATE TABLE undos (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
            " decision INTEGER NOT NULL UNIQUE REFERENCES decisions (seq), who TEXT NOT NULL, at TEXT NOT NULL)",
            # What waits is no record of a decision: a new verdict replaces the old one here.
            "CREATE TABLE queue (comment INTEGER PRIMARY KEY REFERENCES comments (id), at TEXT NOT NULL, model TEXT,"
            " verdict TEXT, probability REAL, reasons TEXT, skips INTEGER NOT NULL DEFAULT 0)",
            "CREATE VIEW live AS SELECT d.* FROM decisions d"
            " WHERE NOT EXISTS (SELECT 1 FROM undos u WHERE u.decision = d.seq)",
            # The current label of a comment: that of its latest decision which has not been undone.
            "CREATE VIEW current AS SELECT d.* FROM live d"
            " WHERE NOT EXISTS (SELECT 1 FROM live later WHERE later.comment = d.comment AND later.seq > d.seq)",
            "CREATE VIEW waiting AS SELECT q.*, c.site, c.permalink, c.campaign, c.text, c.author FROM queue q"
            " JOIN comments c ON c.id = q.comment WHERE NOT EXISTS (SELECT 1 FROM live d WHERE d.comment = q.comment)",
            *_guards(_APPEND_ONLY),
        ),
    ),
)
