"""Which column of a table of comments holds what, and what stands in its cells.

Usage::

    columns = field_columns(["comment", "user"], {})      # {"text": "comment", "author": "user"}
    cell_text(row[columns["text"]])                       # None where there is nothing
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from spamfilter.errors import DataError
from spamfilter.files.tables import cell

__all__ = ["FIELDS", "PLACES", "cell_text", "field_columns"]

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


def cell_text(value: Any) -> str | None:
    """A cell as a text; None where there is nothing in it but space."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return cell(value) if isinstance(value, str) and value.strip() else None
