"""A page whose markup says nothing of comments, read as the lines that a reader sees.

Usage::

    page, complete = read_rendered(tree, title, url)
    page.article, page.comments

Class names can be missing, compiled to letters or of an engine nobody has described; what a template prints (a header
with a number, "NAME says", a date over every comment) stays.  So the lines go to the segmenter of plain text, and what
only markup holds, the links of the commenters, is looked up by their names afterwards.
"""

from __future__ import annotations

import re
from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from spamfilter.records import Comment, Page
from spamfilter.segment.blocktext import fold, html_text
from spamfilter.segment.comments import address
from spamfilter.segment.inside import drop
from spamfilter.segment.plain import split_stated

__all__ = ["agreed", "drop_unseen", "read_rendered"]

_UNSEEN = "script, style, template, svg, canvas, iframe, object, select, noembed, noframes, xmp, plaintext, head"
# Left in the tree, as they tell a form from a comment.
_TEXTAREA = re.compile(r"<textarea\b.*?</textarea>", re.DOTALL)
_FOR_CRAWLERS = re.compile(r"<noscript\b.*?</noscript>", re.DOTALL)
# What is printed for crawlers counts where it is so many times the rest.
_MOSTLY = 3
# Links that are looked through for those of commenters.
_MOST_LINKS = 5_000
# A link's text is a name or a title; what is longer is a whole box.
_LONGEST_LINK = 300
# Comments that are nothing but links, by their share: more, and they are a list of articles.
_MOST_TEASERS = 0.5


def drop_unseen(tree: LexborHTMLParser) -> None:
    """Take what a browser does not show out of the tree, but for what is printed for crawlers (noscript)."""
    if tree.body is not None:
        drop(tree.body, _UNSEEN)


def read_rendered(tree: LexborHTMLParser, title: str | None, url: str | None) -> tuple[Page, bool]:
    """Article and comments by the text alone, and whether there are as many as the page says.

    Leaves the tree as it is; drop_unseen() must have cleaned it.
    """
    body = tree.body
    text = _printed(body.html or "") if body is not None else ""
    page, stated = split_stated(f"{title or ''}\n{text}", url)
    links = _links(body, url) if body is not None and page.comments else {}
    if sum(_is_teaser(comment, links) for comment in page.comments) > _MOST_TEASERS * len(page.comments):
        return replace(page, comments=()), False
    comments = tuple(_linked(comment, links) for comment in page.comments)
    return replace(page, comments=comments), len(comments) == stated


def _printed(source: str) -> str:
    """The lines of a page, without what is there for crawlers only."""
    if "<textarea" in source:
        source = _TEXTAREA.sub("", source)
    if "<noscript" not in source:
        return html_text(source)
    text = html_text(_FOR_CRAWLERS.sub("", source))
    if len(text) * _MOSTLY < len(source):  # forums that live by script print for crawlers
        everything = html_text(source)
        return everything if len(everything) > _MOSTLY * len(text) else text
    return text


def agreed(found: list[Comment], printed: tuple[Comment, ...]) -> list[Comment]:
    """Comments of the markup, with the text and the name as printed where both found the same ones.

    Elements of an unknown theme hold more than the commenter's words (the name, the date, a row of links); the lines
    tell these apart by their repeating.
    """
    if len(found) != len(printed):
        return found
    return [_both(ours, lines) for ours, lines in zip(found, printed, strict=True)]


def _both(ours: Comment, printed: Comment) -> Comment:
    if fold(printed.text) not in fold(ours.text):
        return ours
    who, link = (ours.author, ours.author_url) if ours.author else (printed.author, printed.author_url)
    return replace(ours, text=printed.text, author=who, author_url=link, date=ours.date or printed.date)


def _links(body: LexborNode, url: str | None) -> dict[str, str | None]:
    """Where the links lead, by their text; of equal ones the last: a page's head may link to its author."""
    found: dict[str, str | None] = {}
    for link in body.css("a[href]")[:_MOST_LINKS]:
        name = fold(link.text())
        if name and len(name) <= _LONGEST_LINK:
            found[name] = address(link.attributes.get("href"), url) or found.get(name)
    return found


def _is_teaser(comment: Comment, links: dict[str, str | None]) -> bool:
    """Whether all that was taken for a comment is links: the title of another article, its author, its section."""
    return all(line in links for line in comment.text.split("\n"))


def _linked(comment: Comment, links: dict[str, str | None]) -> Comment:
    """``comment`` without offsets, which count characters of the lines and not of the HTML, with its author's link."""
    link = links.get(comment.author) if comment.author else None
    return replace(comment, start=None, end=None, author_url=link)
