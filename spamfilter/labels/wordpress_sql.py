"""WordPress's comments table, from a dump of its database.

Usage::

    for item in read_wordpress_sql("blog.sql.gz"): ...

The posts table gives titles and articles, the options table the site's address, the comment notes what Akismet and
people said, each if it is in the dump (``mysqldump blog wp_comments wp_commentmeta wp_posts wp_options``).
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from typing import Final

from spamfilter.errors import DataError
from spamfilter.labels.decision import Context
from spamfilter.labels.entries import Entry, Unusable
from spamfilter.labels.sqldump import DumpRow, dump_rows
from spamfilter.labels.wordpress import akismet_traces, approved_status, article_text, reader_comment

__all__ = ["read_wordpress_sql"]

# Any prefix, and in a network of sites a number: "wp_comments", "blog7_12_comments".
_TABLE: Final = re.compile(r"(?P<prefix>.*?)(?P<name>comments|commentmeta|posts|options)", re.I | re.S)
_NOTES: Final = ("akismet_result", "akismet_user_result", "akismet_user")


def read_wordpress_sql(path: str) -> Iterator[Entry | Unusable]:
    """The comments of every WordPress in a dump, each with the post it stands under where the dump has it.

    The dump is read twice: posts stand behind comments in it.  Raises UnreadableFile if it is not whole,
    DataError if no comments table is in it.
    """
    with contextlib.closing(_Posts()) as posts:
        for row in dump_rows(path, _is_context):
            if isinstance(row, DumpRow):
                posts.keep(row)
        found = False
        for row in dump_rows(path, _is_comments):
            found = True
            yield row if isinstance(row, Unusable) else _entry(row, posts)
    if not found:
        raise DataError(
            f"{path}: no rows of a WordPress comments table (…_comments) are in this dump; "
            "make it with: mysqldump DATABASE wp_comments wp_commentmeta wp_posts wp_options"
        )


def _is_comments(table: str) -> bool:
    return _split(table)[1] == "comments"


def _is_context(table: str) -> bool:
    return _split(table)[1] in ("commentmeta", "posts", "options")


def _split(table: str) -> tuple[str, str]:
    match = _TABLE.fullmatch(table)
    return (match["prefix"], match["name"].lower()) if match else (table, "")


class _Posts:
    """What the dump says about posts, sites and comments besides the comments: on disk, since articles are many."""

    def __init__(self) -> None:
        self._sql = sqlite3.connect("")  # a file of SQLite's own that is gone when it is closed
        self._sql.execute("CREATE TABLE posts (prefix, id, title, content, link, PRIMARY KEY (prefix, id))")
        self._sql.execute("CREATE TABLE notes (prefix, comment, name, value, PRIMARY KEY (prefix, comment, name))")
        self._sites: dict[str, str] = {}

    def close(self) -> None:
        self._sql.close()

    def keep(self, row: DumpRow) -> None:
        prefix, table = _split(row.table)
        values = row.values
        if table == "posts" and (values.get("post_type") or "post") not in ("revision", "attachment", "nav_menu_item"):
            post = (prefix, values.get("ID"), values.get("post_title"), values.get("post_content"), values.get("guid"))
            self._sql.execute("INSERT OR REPLACE INTO posts VALUES (?, ?, ?, ?, ?)", post)
        elif table == "commentmeta" and values.get("meta_key") in _NOTES:
            note = (prefix, values.get("comment_id"), values.get("meta_key"), values.get("meta_value"))
            self._sql.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?)", note)
        elif table == "options" and values.get("option_name") == "home":
            self._sites[prefix] = values.get("option_value") or ""

    def context(self, prefix: str, post: str | None) -> Context:
        query = "SELECT title, content, link FROM posts WHERE prefix = ? AND id = ?"
        title, content, link = self._sql.execute(query, (prefix, post)).fetchone() or (None, None, None)
        site = self._sites.get(prefix) or None
        # Without the post itself its number still tells which comments stand together.
        link = link or (f"{site or ''}/?p={post}" if post else None)
        return Context(title or None, article_text(content), link, site)

    def notes(self, prefix: str, comment: str | None) -> dict[str, str | None]:
        query = "SELECT name, value FROM notes WHERE prefix = ? AND comment = ?"
        return dict(self._sql.execute(query, (prefix, comment)))


def _entry(row: DumpRow, posts: _Posts) -> Entry | Unusable:
    values = row.values
    number = values.get("comment_ID")
    where = f"comment {number or '?'} (line {row.line})"
    status = approved_status(values.get("comment_approved"))
    if status is None:
        return Unusable(where, f"unknown status {values.get('comment_approved')!r}")
    comment = reader_comment(values)
    if comment is None:
        return Unusable(where, f"not a reader's comment (type {values.get('comment_type')!r})")
    prefix = _split(row.table)[0]
    who, look = akismet_traces(posts.notes(prefix, number), status)
    email, ip = values.get("comment_author_email") or None, values.get("comment_author_IP") or None
    under = posts.context(prefix, values.get("comment_post_ID"))
    return Entry(comment, under, status, where, who=who, look=look, email=email, ip=ip)
