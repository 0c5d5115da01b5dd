"""One page of plain text → title, article and comments, with offsets.

Usage::

    page = split_text(text)
    text[page.article_start : page.article_end] == page.article
    all(text[c.start : c.end] == c.text for c in page.comments)

Made for what crawlers keep (WET), ``lynx -dump`` and a browser's "save as text".
"""

from __future__ import annotations

from spamfilter.records import Comment, CommentKind, Page
from spamfilter.segment.dates import parse_date
from spamfilter.segment.lines import Lines, read_lines
from spamfilter.segment.links import without_links
from spamfilter.segment.lists import find_listed
from spamfilter.segment.posts import Post, Section, find_posts
from spamfilter.segment.prose import find_prose, find_title, prose_words
from spamfilter.segment.questions import find_answers

__all__ = ["split_stated", "split_text"]

# A page with less prose than this above its first post is a thread: the first post is its article.
MIN_ARTICLE_WORDS = 40


def split_text(text: str, url: str | None = None) -> Page:
    """Title, article and comments of a page of plain text.

    Offsets count characters of ``text`` (code points).  Never raises; what cannot be found is left out:
    a page without comments has ``comments == ()``, a page without prose ``article == ""``.
    """
    return split_stated(text, url)[0]


def split_stated(text: str, url: str | None = None) -> tuple[Page, int | None]:
    """As split_text(), and the number of comments that the header above them states."""
    shown = without_links(text)
    lines = read_lines(shown)
    section = find_answers(lines) or find_posts(lines) or find_listed(lines, shown)
    title, headings = find_title(lines, section.begin if section else len(lines))
    lang = max(lines.langs, key=lambda code: lines.langs[code], default=None)
    posts = list(section.posts) if section else []
    article = _article(lines, section, posts, headings)
    start, end = _slice(lines, *article)
    page = Page(
        title=title,
        article=text[start:end],
        comments=_comments(text, lines, posts, lang),
        kind="text",
        lang=lang,
        url=url,
        article_start=start,
        article_end=end,
    )
    return page, section.stated if section else None


def _article(lines: Lines, section: Section | None, posts: list[Post], headings: list[int]) -> tuple[int, int]:
    """Lines of the article; takes the first post out of ``posts`` where the page is a thread."""
    end = section.begin if section else len(lines)
    if section and len(posts) > 1 and _is_thread(lines, section):
        first = posts.pop(0)
        return first.first, first.last
    return find_prose(lines, end, headings)


def _is_thread(lines: Lines, section: Section) -> bool:
    """Whether the first post is the article: members' profiles, or no article above and no header of comments."""
    prose = prose_words(lines, 0, section.begin)
    if section.headed:
        return section.forum and prose < MIN_ARTICLE_WORDS
    return section.forum or prose < MIN_ARTICLE_WORDS


def _slice(lines: Lines, first: int, last: int) -> tuple[int, int]:
    return (lines.start[first], lines.end[last]) if first <= last else (0, 0)


def _comments(text: str, lines: Lines, posts: list[Post], lang: str | None) -> tuple[Comment, ...]:
    indents = sorted({post.indent for post in posts})
    comments: list[Comment] = []
    for post in posts:
        start, end = _slice(lines, post.first, post.last)
        start += post.skip
        if start >= end:  # an item without text
            continue
        depth = indents.index(post.indent)
        above = [i for i, c in enumerate(comments) if c.depth < depth] if depth else []
        comments.append(
            Comment(
                text=text[start:end],
                author=post.author,
                date=(parse_date(post.date, lang) or post.date) if post.date else None,
                depth=depth,
                parent=above[-1] if above else None,
                kind=_kind(lines, post),
                start=start,
                end=end,
            )
        )
    return tuple(comments)


def _kind(lines: Lines, post: Post) -> CommentKind:
    if not post.ping:
        return "comment"
    return "trackback" if "trackback" in lines.text[post.top].lower() else "pingback"
