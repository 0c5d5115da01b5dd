"""A page whose markup says nothing of comments, read as the lines that a reader sees.

Usage::

    page = read_rendered(tree, title, lang, url)      # None where the page prints no text
    page.article, page.comments

Class names can be missing, compiled to letters or of an engine nobody has described; what a template prints (a header
with a number, "NAME says", a date over every comment) stays.  So the lines go to the segmenter of plain text, and what
only markup holds, the links of the commenters, is looked up by their names afterwards.
"""

from __future__ import annotations

from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from spamfilter.records import Comment, Page
from spamfilter.segment.blocktext import block_text, fold
from spamfilter.segment.plain import split_text

__all__ = ["read_rendered"]

# Links that are looked through for those of commenters.
_MOST_LINKS = 5_000
# A name is a line; longer links are titles.
_LONGEST_NAME = 120
_NO_PAGE = ("#", "javascript:", "mailto:")


def read_rendered(tree: LexborHTMLParser, title: str | None, url: str | None) -> Page | None:
    """Article and comments by the text alone; takes what no reader sees out of the tree."""
    body = tree.body
    if body is None:
        return None
    text = block_text(body)
    if not text:
        return None
    page = split_text(f"{title or ''}\n{text}", url)
    links = _links(body) if page.comments else {}
    return replace(page, comments=tuple(_linked(comment, links) for comment in page.comments))


def _links(body: LexborNode) -> dict[str, str]:
    """Where the links that could be names lead, the last of a name first: a side column may link to the author's page."""
    found: dict[str, str] = {}
    for link in body.css("a[href]")[:_MOST_LINKS]:
        address = (link.attributes.get("href") or "").strip()
        name = fold(link.text())
        if name and len(name) <= _LONGEST_NAME and address and not address.lower().startswith(_NO_PAGE):
            found[name] = address
    return found


def _linked(comment: Comment, links: dict[str, str]) -> Comment:
    """``comment`` without offsets, which count characters of the lines and not of the HTML, with its author's link."""
    address = links.get(comment.author) if comment.author else None
    return replace(comment, start=None, end=None, author_url=address)
