"""The SQLite file: opened, checked, brought to the present schema, and every way it can fail put into words.

Usage::

    database = Database(Path("labels.db"))
    with database.writing() as sql: sql.execute(...)      # one transaction: all of it or nothing
    rows = database.read("SELECT ...", (1,))
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from spamfilter.errors import StoreError
from spamfilter.labels.migrations import APPLICATION_ID, MIGRATIONS

__all__ = ["Database"]

#: Seconds a writer waits for another.  A transaction here takes milliseconds; a whole second means hundreds queueing.
BUSY: Final = 15.0
#: Oldest SQLite with everything used here (upsert 3.24, window functions 3.25).
_OLDEST: Final = (3, 25, 0)
_HEADER: Final = b"SQLite format 3\0"

# SQLite's result codes (https://sqlite.org/rescode.html), low byte, and what they mean to whoever reads the message.
_CAUSES: Final[dict[int, str]] = {
    sqlite3.SQLITE_FULL: "the disk is full; make room and run it again (nothing of this change was stored)",
    sqlite3.SQLITE_READONLY: "it cannot be written to; check the permissions of the file and its folder, or copy it",
    sqlite3.SQLITE_BUSY: f"another program has held it for {BUSY:.0f} seconds; try again when that has ended",
    sqlite3.SQLITE_LOCKED: "another connection of this program holds it; close that one first",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup, or save the rest with: sqlite3 FILE .recover",
    sqlite3.SQLITE_NOTADB: "this is not a label store (no SQLite file); check the path",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that the folder exists and may be written to",
    sqlite3.SQLITE_PERM: "no permission to open it; check who owns the file",
    sqlite3.SQLITE_AUTH: "no permission to open it; check who owns the file",
    sqlite3.SQLITE_TOOBIG: "a text is larger than SQLite stores (1 GB); shorten it",
}


class Database:
    """One connection, used by one thread at a time (calls from several wait for each other)."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old; Python needs one of 3.25 or later")
        self.path, self.readonly = path, readonly
        self._lock = threading.RLock()
        self._check_path()
        with self._errors():
            self._connection = self._connect()
        try:
            with self._errors():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection; closing twice is fine."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction.  What the block raises takes all of it back."""
        with self._lock, self._errors():
            if self.readonly:
                raise StoreError(f"{self.path}: it was opened for reading only; open it without readonly=True")
            if self._connection.in_transaction:  # inside another block of this thread: one transaction
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock, self._errors():
            return self._connection.execute(statement, values).fetchall()

    def check(self) -> None:
        """Read the whole file and raise StoreError if any of it is damaged."""
        found = [row[0] for row in self.read("PRAGMA integrity_check(1)")]
        if found != ["ok"]:
            raise StoreError(f"{self.path}: {_CAUSES[sqlite3.SQLITE_CORRUPT]} ({found[0]})")

    def _check_path(self) -> None:
        path = self.path
        if path.is_dir():
            raise StoreError(f"{path}: this is a folder; name a file in it, such as {path / 'labels.db'}")
        if not path.parent.is_dir():
            raise StoreError(f"{path}: the folder {path.parent} does not exist; create it first")
        if self.readonly and not path.is_file():
            raise StoreError(f"{path}: there is no label store here; check the path")
        try:
            with path.open("rb") as file:
                head = file.read(len(_HEADER))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{path}: it cannot be read ({error.strerror}); check who owns the file") from error
        if head and head != _HEADER:
            raise StoreError(f"{path}: {_CAUSES[sqlite3.SQLITE_NOTADB]}")

    def _connect(self) -> sqlite3.Connection:
        connection = self._open("ro" if self.readonly else "rwc")
        if self.readonly:
            try:
                connection.execute("SELECT COUNT(*) FROM sqlite_master")
            except sqlite3.OperationalError:
                # On a disk that cannot be written, the WAL has no room for its index; without writers it needs none.
                connection.close()
                connection = self._open("ro&immutable=1")
        return connection

    def _open(self, mode: str) -> sqlite3.Connection:
        address = f"file:{quote(str(self.path.absolute()))}?mode={mode}"
        connection = sqlite3.connect(address, uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    def _prepare(self) -> None:
        """Check what is in the file before anything in it is changed, then migrate."""
        applied = self._applied()
        known = [migration.name for migration in MIGRATIONS]
        if unknown := [name for name in applied if name not in known]:
            raise StoreError(
                f"{self.path}: a later version of this package made this label store (its schema has {unknown[0]}); "
                "upgrade with: pip install --upgrade comment-spamfilter"
            )
        if self.readonly:
            if len(applied) < len(known):
                raise StoreError(f"{self.path}: the schema is an older one; open it once for writing to migrate it")
            return
        self._use_wal()
        # FULL: an acknowledged decision survives a power cut, at the cost of one fsync a transaction.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        if len(applied) < len(known):
            self._migrate()

    def _applied(self) -> list[str]:
        tables = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID and (tables or application):
            raise StoreError(
                f"{self.path}: this SQLite file is not a label store (it holds {_listed(sorted(tables))}); "
                "check the path, or name a new file"
            )
        if "migrations" not in tables:
            if application == APPLICATION_ID:
                raise StoreError(f"{self.path}: {_CAUSES[sqlite3.SQLITE_CORRUPT]} (its table of migrations is missing)")
            return []
        return [row[0] for row in self._connection.execute("SELECT name FROM migrations ORDER BY seq")]

    def _use_wal(self) -> None:
        # Two programs that create the store at once: SQLite does not wait here by itself.
        until = time.monotonic() + BUSY
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def _migrate(self) -> None:
        with self.writing() as sql:
            applied = self._applied()  # again, now that nobody else can be doing the same
            if not applied:
                sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                sql.execute("CREATE TABLE migrations (seq INTEGER PRIMARY KEY, name TEXT UNIQUE, at TEXT)")
            for migration in MIGRATIONS:
                if migration.name not in applied:
                    for statement in migration.statements:
                        sql.execute(statement)
                    now = datetime.now(UTC).isoformat(timespec="seconds")
                    sql.execute("INSERT INTO migrations (name, at) VALUES (?, ?)", (migration.name, now))

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors as StoreError, with what to do next."""
        try:
            yield
        except sqlite3.Error as error:
            cause = _CAUSES.get(_code(error))
            if cause is None and _code(error) == sqlite3.SQLITE_IOERR:
                cause = f"the disk did not take or give the data ({error}); check its health and free space"
            raise StoreError(f"{self.path}: {cause or f'SQLite says: {error}'}") from error


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) or "no tables"
    return f"the tables {shown}, …" if len(names) > 3 else f"the table {shown}" if len(names) == 1 else shown
