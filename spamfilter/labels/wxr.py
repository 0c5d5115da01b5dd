"""WordPress's own export (Tools → Export, "WXR").

Usage::

    for item in read_wxr("site.WordPress.2026-11-01.xml"): ...

WordPress leaves spam comments out of this file; for those, import the comments table (``wordpress_sql``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from spamfilter.labels.decision import Context
from spamfilter.labels.entries import Entry, Unusable
from spamfilter.labels.markup import Piece, pieces
from spamfilter.labels.wordpress import akismet_traces, approved_status, article_text, reader_comment

__all__ = ["read_wxr"]

_EXPORT: Final = "http://wordpress.org/export/"
_CONTENT: Final = "http://purl.org/rss/1.0/modules/content/"
# What is said of the site (before the first item) and of a post (before its comments).
_SITE: Final = frozenset({"wp:base_blog_url", "link", "language"})
_POST: Final = frozenset({"title", "link", "content:encoded"})


def _name(full: str) -> str:
    namespace, _, local = full.rpartition(" ")
    if namespace.startswith(_EXPORT):  # …/1.0/, …/1.1/, …/1.2/, and …/1.2/excerpt/
        return f"excerpt:{local}" if namespace.rstrip("/").endswith("excerpt") else f"wp:{local}"
    return f"content:{local}" if namespace == _CONTENT else local if not namespace else full


def read_wxr(path: str) -> Iterator[Entry | Unusable]:
    """The comments of a WordPress export, each with the post it stands under.

    Raises UnreadableFile if the file is not whole and well-formed XML.
    """
    site: dict[str, str] = {}
    post: dict[str, str] = {}
    under: Context | None = None
    inside = False
    for piece in pieces(path, {"wp:comment", *_SITE, *_POST}, {"item"}, _name):
        if piece.mark:
            inside, post, under = True, {}, None
        elif piece.name == "wp:comment":
            under = under or _context(site, post)
            yield _entry(path, piece, under)
        elif inside:
            post.setdefault(piece.name, piece.text)
        else:
            site.setdefault(piece.name, piece.text)


def _context(site: dict[str, str], post: dict[str, str]) -> Context:
    return Context(
        title=post.get("title") or None,
        article=article_text(post.get("content:encoded")),
        permalink=post.get("link") or None,
        site=site.get("wp:base_blog_url") or site.get("link") or None,
        lang=(site.get("language") or "").partition("-")[0].lower() or None,
    )


def _entry(path: str, piece: Piece, under: Context) -> Entry | Unusable:
    fields = {child.name.removeprefix("wp:"): child.text for child in piece.children}
    where = f"comment {fields.get('comment_id') or '?'} (line {piece.line})"
    status = approved_status(fields.get("comment_approved"))
    if status is None:
        return Unusable(where, f"unknown status {fields.get('comment_approved')!r}")
    comment = reader_comment(fields)
    if comment is None:
        return Unusable(where, f"not a reader's comment (type {fields.get('comment_type')!r})")
    meta = {
        m.text_of("wp:meta_key") or "": m.text_of("wp:meta_value") for m in piece.children if m.name == "wp:commentmeta"
    }
    who, look = akismet_traces(meta, status)
    email, ip = fields.get("comment_author_email") or None, fields.get("comment_author_IP") or None
    return Entry(comment, under, status, where, who=who, look=look, email=email, ip=ip)
