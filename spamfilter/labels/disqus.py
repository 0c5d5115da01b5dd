"""Disqus's XML export.

Usage::

    for item in read_disqus("site-2026-11-01.xml.gz"): ...

It has threads (title and link; hardly ever the article) and posts, which are comments.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from spamfilter.labels.decision import Context
from spamfilter.labels.entries import Entry, Status, Unusable
from spamfilter.labels.markup import Piece, pieces
from spamfilter.records import Comment

__all__ = ["read_disqus"]

# Disqus turns every address into a link of itself; a link whose words are not its address was made by the writer.
_ANCHOR: Final = re.compile(r"<a\s[^<>]{0,2000}?href=\"([^\"<>]{0,4000})\"[^<>]{0,2000}>([^<>]{0,4000})</a>", re.I)
_BREAK: Final = re.compile(r"</p>\s*<p>|<br\s*/?>", re.I)
_PARAGRAPH: Final = re.compile(r"</?(?:p|b|i|u|s|em|strong|span|blockquote|code|pre|spoiler)\b[^<>]{0,200}>", re.I)


def read_disqus(path: str) -> Iterator[Entry | Unusable]:
    """The comments of a Disqus export.  Raises UnreadableFile if the file is not whole and well-formed XML."""
    threads: dict[str, Context] = {}
    for piece in pieces(path, {"thread", "post"}):
        number = piece.attributes.get("id") or piece.text_of("id") or ""
        if piece.name == "thread":
            threads[number] = _thread(piece)
        else:
            yield _post(piece, number, threads)


def _thread(piece: Piece) -> Context:
    return Context(
        title=piece.text_of("title"),
        article=_plain(piece.text_of("message")) or None,
        permalink=piece.text_of("link"),
        site=None if piece.text_of("link") else piece.text_of("forum"),
    )


def _post(piece: Piece, number: str, threads: dict[str, Context]) -> Entry | Unusable:
    where = f"post {number or '?'} (line {piece.line})"
    thread = piece.child("thread")
    under = threads.get(thread.attributes.get("id", "")) if thread else None
    if under is None:
        return Unusable(where, "its thread is not in the export")
    author = piece.child("author")
    return Entry(
        comment=_comment(piece, number, author),
        context=under,
        status=_status(piece),
        where=where,
        email=author.text_of("email") if author else None,
        ip=piece.text_of("ipAddress"),
    )


def _comment(piece: Piece, number: str, author: Piece | None) -> Comment:
    return Comment(
        text=_plain(piece.text_of("message")),
        author=(author.text_of("name") or author.text_of("username")) if author else None,
        author_url=author.text_of("link") if author else None,
        date=piece.text_of("createdAt"),
        id=number or None,
    )


def _status(piece: Piece) -> Status:
    """Spam before deleted before not approved: a spam comment is deleted as well."""
    if piece.text_of("isSpam") == "true":
        return "spam"
    if piece.text_of("isDeleted") == "true":
        return "trash"
    return "pending" if piece.text_of("isApproved") == "false" else "approved"


def _plain(message: str | None) -> str:
    """A message as it was typed: paragraphs as lines, addresses plain, other links as they are."""
    if not message:
        return ""
    text = _PARAGRAPH.sub("", _BREAK.sub("\n", message))
    text = html.unescape(_ANCHOR.sub(_typed, text))
    return text.strip()


def _typed(link: re.Match[str]) -> str:
    address, words = _target(html.unescape(link.group(1))), html.unescape(link.group(2).strip())
    # Long addresses are shortened on the page ("https://blog.example/2024/...").
    shown = words.removesuffix("...").removesuffix("…")
    return address if shown in address else f'<a href="{address}">{words}</a>'


def _target(address: str) -> str:
    """Where Disqus's counting link ("http://disq.us/url?url=…%3Achecksum&cuid=…") leads; another address as it is."""
    try:
        parts = urlsplit(address)
        if parts.netloc.lower() not in ("disq.us", "redirect.disqus.com"):
            return address
        return parse_qs(parts.query)["url"][0].rpartition(":")[0] or address
    except (ValueError, KeyError):
        return address
