"""Comments, contexts and articles in the tables: each stored once, found again by what it says.

Usage::

    comment_id = put_comment(sql, comment, context, now)       # inside a transaction
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Final
from urllib.parse import urlsplit

from spamfilter.errors import DataError
from spamfilter.labels.campaigns import bands, sameness
from spamfilter.labels.decision import Context
from spamfilter.labels.personal import anonymous
from spamfilter.records import Comment

__all__ = ["comment_digest", "put_comment", "put_context", "site_name", "tidy"]

# Between the fields of a digest: a control character that no field keeps (see ``tidy``).
_BETWEEN: Final = "\x1f"


def tidy(text: str | None) -> str | None:
    """``text`` as the store takes it: lone surrogates and NUL made U+FFFD, the separator a space; empty is None."""
    if not text:
        return None
    text = text.replace("\0", "\ufffd").replace(_BETWEEN, " ")
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def site_name(site: str | None, permalink: str | None = None) -> str:
    """The name a site goes by: host (and folder) without scheme and closing slash, in lower case; "" if unknown.

    >>> site_name("https://Blog.example/"), site_name(None, "https://blog.example/2024/bread")
    ('blog.example', 'blog.example')
    """
    if not site and permalink and "//" in permalink:
        site = _host(permalink)
    name = (tidy(site) or "").strip().lower()
    return name.partition("://")[2].rstrip("/") if "://" in name else name.rstrip("/")


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:  # "http://[": no address at all
        return ""


def comment_digest(comment: Comment, context: Context) -> bytes:
    """What makes a comment itself: site, place, author and text.  Ids and dates differ from one road in to another."""
    seen = anonymous(comment)
    place = context.permalink or context.title or ""
    fields = (site_name(context.site, context.permalink), place, seen.author, seen.author_url, seen.text)
    return _digest(*(tidy(field) or "" for field in fields))


def _digest(*fields: str) -> bytes:
    return hashlib.blake2b(_BETWEEN.join(fields).encode(), digest_size=16).digest()


def put_context(sql: sqlite3.Connection, title: str | None, article: str | None) -> int:
    """The number of title and article, stored if they are new."""
    title, article = tidy(title), tidy(article)
    digest = _digest(title or "", article or "")
    row = sql.execute("SELECT id FROM contexts WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        values = (digest, title, article)
        return int(sql.execute("INSERT INTO contexts (digest, title, article) VALUES (?, ?, ?)", values).lastrowid or 0)
    return int(row[0])


def put_comment(sql: sqlite3.Connection, comment: Comment, context: Context, *, keep_personal: bool) -> int:
    """The number of a comment, stored if it is new.  Raises DataError for a comment without text."""
    if not comment.text or not comment.text.strip():
        raise DataError("a comment without text cannot be labelled; leave it out")
    digest = comment_digest(comment, context)
    row = sql.execute("SELECT id FROM comments WHERE digest = ?", (digest,)).fetchone()
    return int(row[0]) if row is not None else _insert(sql, digest, comment, context, keep_personal)


def _insert(sql: sqlite3.Connection, digest: bytes, comment: Comment, context: Context, keep_personal: bool) -> int:
    kept = comment if keep_personal else anonymous(comment)
    text = tidy(kept.text) or ""
    row = sql.execute("SELECT seq FROM sqlite_sequence WHERE name = 'comments'").fetchone()
    number = (int(row[0]) if row else 0) + 1
    given = (tidy(kept.author), tidy(kept.author_url), kept.kind, tidy(kept.date), tidy(kept.id))
    place = (site_name(context.site, context.permalink), tidy(context.permalink), tidy(context.lang))
    under = put_context(sql, context.title, context.article)
    values = (number, digest, text, *given, *place, under, sameness(text), _campaign(sql, text, number))
    sql.execute(
        "INSERT INTO comments (id, digest, text, author, author_url, kind, date, external_id, site, permalink, lang,"
        " context, same, campaign) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    return number


def _campaign(sql: sqlite3.Connection, text: str, number: int) -> int:
    """The campaign that most bands of ``text`` belong to; without any, a new one with the comment's own number."""
    keys = bands(text)
    marks = ", ".join("?" * len(keys))
    row = sql.execute(
        f"SELECT campaign FROM bands WHERE band IN ({marks})"
        " GROUP BY campaign ORDER BY COUNT(*) DESC, campaign LIMIT 1",
        keys,
    ).fetchone()
    campaign = int(row[0]) if row else number
    sql.executemany("INSERT OR IGNORE INTO bands (band, campaign) VALUES (?, ?)", [(key, campaign) for key in keys])
    return campaign
