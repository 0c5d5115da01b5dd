"""Comments without attribution lines: numbered or bulleted lists, blocks between reply links, a single comment.

Usage::

    section = find_listed(lines, text)      # None if no header announces such comments

Everything here needs a header ("One Reply to …", "2 comments"), since a list alone is part of an article.
"""

from __future__ import annotations

import re

from spamfilter.segment.attributions import looks_like_name
from spamfilter.segment.lines import Lines
from spamfilter.segment.phrases import ACTION, AFTER, BADGE, FIELD, FORM, HEADER, REPLY, SHARE, SIDEBAR, SORT
from spamfilter.segment.posts import Post, Section

__all__ = ["find_listed"]

_NUMBERED = re.compile(r"(\d{1,4})[.)](?:\s+|$)")
_BULLET = re.compile(r"[*+•·o–-]\s+")
_STOP = FORM | FIELD | SIDEBAR | AFTER | HEADER
_EDGE = REPLY | ACTION | SHARE | BADGE | SORT
# More headers than this stand on no page of comments; looking under all of them would take too long.
_HEADERS = 20
# Prose that a header must stand under, in words, before a text without attribution counts as a comment:
# "1 comment" also stands under titles.
_ARTICLE_WORDS = 30


def find_listed(lines: Lines, text: str) -> Section | None:
    """The comments under the last header that has any, or None."""
    for header in sorted(lines.counts, reverse=True)[:_HEADERS]:
        if lines.counts[header] == 0 or not lines.kind[header] & HEADER:
            continue
        begin, end = _zone(lines, header)
        if begin >= end:
            continue
        stated = lines.counts[header]
        posts = (
            _numbered(lines, begin, end, stated)
            or _bulleted(lines, begin, end, stated)
            or _by_reply(lines, begin, end, header)
            or _by_blank(lines, text, begin, end, header, stated)
        )
        if posts:
            return Section(header, tuple(posts), headed=True, stated=stated)
    return None


def _zone(lines: Lines, header: int) -> tuple[int, int]:
    """Lines between a header and what ends the comments."""
    begin = header + 1
    while begin < len(lines) and lines.kind[begin] & (HEADER | SORT | SHARE):
        begin += 1
    end = begin
    while end < len(lines) and not lines.kind[end] & _STOP:
        end += 1
    return begin, end


def _number(lines: Lines, i: int) -> tuple[int, int] | None:
    match = _NUMBERED.match(lines.text[i])
    return (int(match[1]), match.end()) if match else None


def _numbered(lines: Lines, begin: int, end: int, stated: int | None) -> list[Post]:
    """Items 1, 2, 3 … of equal indent; deeper lists that begin at 1 are answers if the header counts them."""
    first = _number(lines, begin)
    if first is None or first[0] != 1:
        return []
    flat = _items(lines, begin, end, nested=False)
    if stated is not None and len(flat) > stated:
        # a list within the only comments there are: what lies beyond the stated number is text of the last
        flat = flat[:stated]
    elif stated is not None and len(flat) < stated:
        deep = _items(lines, begin, end, nested=True)
        if len(deep) == stated:
            flat = deep
    return _listed_posts(lines, flat, end)


def _items(lines: Lines, begin: int, end: int, *, nested: bool) -> list[tuple[int, int]]:
    """Line and length of the number of each item."""
    stack = [(lines.indent[begin], 1)]
    items: list[tuple[int, int]] = []
    for i in range(begin, end):
        found = _number(lines, i)
        if found is None:
            continue
        value, width = found
        indent = lines.indent[i]
        while len(stack) > 1 and indent < stack[-1][0]:
            stack.pop()
        # numbers are often set flush right: "  9." and " 10." are one list
        flush = indent + len(str(value)) == stack[-1][0] + len(str(value - 1))
        if (indent == stack[-1][0] or flush) and value == stack[-1][1]:
            stack[-1] = (indent, value + 1)
            items.append((i, width))
        elif nested and value == 1 and indent > stack[-1][0]:
            stack.append((indent, 2))
            items.append((i, width))
    return items


def _bulleted(lines: Lines, begin: int, end: int, stated: int | None) -> list[Post]:
    match = _BULLET.match(lines.text[begin])
    if match is None or stated is None:
        return []
    mark, indent = lines.text[begin][0], lines.indent[begin]
    items = [
        (i, match.end())
        for i in range(begin, end)
        if lines.indent[i] == indent and lines.text[i][0] == mark and _BULLET.match(lines.text[i])
    ]
    return _listed_posts(lines, items, end) if len(items) == stated else []


def _listed_posts(lines: Lines, items: list[tuple[int, int]], end: int) -> list[Post]:
    posts = []
    for n, (i, width) in enumerate(items):
        following = items[n + 1][0] if n + 1 < len(items) else end
        last = _last(lines, i, following)
        posts.append(Post(i, i, last, number=n + 1, indent=lines.indent[i], skip=width))
    return posts


def _last(lines: Lines, first: int, following: int) -> int:
    last = following - 1
    while last > first and lines.kind[last] & _EDGE:
        last -= 1
    return last


def _by_reply(lines: Lines, begin: int, end: int, header: int) -> list[Post]:
    """Texts that each end with a reply link; the first line is the name if it looks like one nearly everywhere."""
    links = [i for i in range(begin, len(lines)) if lines.kind[i] & REPLY and not lines.kind[i] & HEADER]
    links = [i for i in links if i < end]
    if not links or not _under_prose(lines, header):
        return []
    begins = [begin] + [i + 1 for i in links[:-1]]
    blocks = [(_skip(lines, low, high), high - 1) for low, high in zip(begins, links, strict=True)]
    blocks = [(low, _last(lines, low, high + 1)) for low, high in blocks if low <= high]
    named = [low < high and looks_like_name(lines.text[low], lines.kind[low]) for low, high in blocks]
    with_name = len(blocks) > 0 and sum(named) >= 0.8 * len(blocks)
    posts = []
    for (low, high), has_name in zip(blocks, named, strict=True):
        if with_name and has_name:
            posts.append(Post(low, low + 1, high, author=lines.text[low], indent=lines.indent[low]))
        else:
            posts.append(Post(low, low, high, indent=lines.indent[low]))
    return posts


def _skip(lines: Lines, low: int, high: int) -> int:
    while low < high and lines.kind[low] & _EDGE:
        low += 1
    return low


def _by_blank(lines: Lines, text: str, begin: int, end: int, header: int, stated: int | None) -> list[Post]:
    """Blocks between blank lines where there are as many as the header states; one comment may have several."""
    if stated is None or not _under_prose(lines, header) or stated > end - begin:
        return []
    if end < len(lines) and not lines.kind[end] & (FORM | FIELD):
        return []
    starts = [begin] + [i for i in range(begin + 1, end) if text.count("\n", lines.end[i - 1], lines.start[i]) > 1]
    if stated == 1:
        starts = [begin]
    if len(starts) != stated:
        return []
    ends = [*starts[1:], end]
    return [Post(low, low, _last(lines, low, high)) for low, high in zip(starts, ends, strict=True)]


def _under_prose(lines: Lines, header: int) -> bool:
    words = 0
    for i in range(header):
        count = lines.text[i].count(" ") + 1
        words += count if count >= 8 or len(lines.text[i]) > 40 else 0
        if words >= _ARTICLE_WORDS:
            return True
    return False
