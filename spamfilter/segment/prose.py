"""The article: the slice of a page where its prose is.

Usage::

    title_line = find_title(lines, end)
    first, last = find_prose(lines, end, title_line)

Each line gets a weight (prose above zero, menu lines below), the heaviest stretch of lines is the
core, and the core is widened to the title above it and to the first line that ends articles below it.
A learned line model (logistic regression and boosted trees over sixty features, cross-validated by page)
was tried in place of the weights and was no better.
"""

from __future__ import annotations

import re

from spamfilter.segment.lines import Lines
from spamfilter.segment.phrases import (
    ACTION,
    AFTER,
    BADGE,
    FIELD,
    FORM,
    HEADER,
    NUMBER,
    PROFILE,
    REPLY,
    SHARE,
    SIDEBAR,
    SORT,
)

__all__ = ["find_prose", "find_title", "prose_words"]

# Weights of lines, in words; all set on the development half of the pages.
_MENU = -2.5
_KNOWN = -6.0
_SECTION = -40.0
_LONGEST = 80
# A line with this many words is prose even without a full stop.
_PROSE = 20
# A date in fewer words is a byline or a list of posts.
_BYLINE = 12
# What ends articles takes this share of the weight gathered so far: a little text below it does not
# bring the stretch back, as much text as above does (an advertisement in the middle).
_KEPT = 0.65
# Such lines stand in groups (a share bar); a group counts once.
_GROUP = 8
# How far the core is widened: the title stands at most so many lines above, the list that ends an article is
# at most so long.
_UP, _DOWN = 40, 60
_TAGS = 8
_ENDS = AFTER | SHARE | SIDEBAR | HEADER | FORM
# So many words without any of these are a cloud of tags.
_PUNCTUATION = re.compile(r"[.,;:!?…。、，！？؛،।]")
_SEPARATORS = re.compile(r"\s+[|»«–—·•:/>-]+\s+|:\s+|\s[|]|[|]\s")


def fold(text: str) -> str:
    """Letters and digits only, case folded: headings and titles differ in quotes and dashes."""
    return "".join(c for c in text.casefold() if c.isalnum())


def prose_words(lines: Lines, low: int, high: int) -> int:
    """Words in lines that are long enough to be prose and have sentences."""
    total = 0
    for i in range(low, high):
        if lines.words[i] >= 10 and not lines.kind[i]:
            text = lines.text[i]
            if text[-1] in '.!?…:。！？”"' or ". " in text or "。" in text:
                total += lines.words[i]
    return total


def find_title(lines: Lines, end: int) -> tuple[str | None, list[int]]:
    """The title of the page, and the lines below the first that print it as a heading.

    The first line is the page's title, often with the site's name; a heading is a line that is a part of it.
    """
    if not len(lines):
        return None, []
    whole = lines.text[0][:400]
    folded = fold(whole)
    lower = whole.lower()
    found: dict[str, list[int]] = {}
    for i in range(1, min(end, len(lines))):
        key = lines.key[i]
        # most lines fail this test, which is quick
        if len(key) > 3 and key[:3] in lower and len(key) <= len(whole):
            part = fold(lines.text[i])
            if part in folded:
                found.setdefault(part, []).append(i)
    best = _heading_part(whole, found)
    if best is None:
        return whole, []
    return lines.text[found[best][-1]], found[best]


def _heading_part(title: str, found: dict[str, list[int]]) -> str | None:
    """Which of the lines that repeat a part of the title is the article's heading rather than the site's name."""
    parts = [fold(part) for part in _SEPARATORS.split(title) if part]
    joined = {"".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1)}
    whole = fold(title)
    if whole in found:
        return whole
    # a site prints its name above the heading
    wanted = [part for part in found if part in joined and 5 * len(part) > len(whole)]
    if wanted:
        return max(wanted, key=lambda part: (found[part][0], len(part)))
    longest = max(found, key=len, default=None)
    return longest if longest is not None and 2 * len(longest) > len(whole) else None


def _weight(lines: Lines, i: int) -> float:
    kind = lines.kind[i]
    if kind:
        if kind & (SIDEBAR | FORM | HEADER):
            return _SECTION
        if kind & NUMBER:
            return _MENU
        if kind & (AFTER | FIELD | REPLY | ACTION | SHARE | SORT | BADGE | PROFILE):
            return _KNOWN
    text = lines.text[i]
    words = lines.words[i]
    if words >= _PROSE:
        return float(min(words, _LONGEST)) if _PUNCTUATION.search(text) else _MENU
    if i in lines.dates and (words < _BYLINE or (lines.dates[i][0] < 3 and text[-1] not in ".!?")):
        return _MENU
    ends = text[-1] in '.!?…:;。！？”"»“)'
    if words >= 4 and ends:
        return float(words)
    return _MENU + 0.3 * words


def find_prose(lines: Lines, end: int, headings: list[int]) -> tuple[int, int]:
    """First and last line of the article above line ``end`` (last < first if there is none)."""
    low = min(1, max(0, end - 1))  # the first line is the page's title
    heading = _heading(lines, low, end, headings)
    if heading is not None:
        low = heading + 1
    first, last = _core(lines, low, end)
    if last < first:
        return (low, low - 1) if heading is not None or end > 1 else (0, end - 1)
    if heading is not None and first - heading <= _UP:
        first = _below_byline(lines, heading + 1, first)
    return first, _widen_down(lines, last, end)


def _heading(lines: Lines, low: int, end: int, headings: list[int]) -> int | None:
    """The last printing of the title that most of the prose stands below."""
    if not headings:
        return None
    total = prose_words(lines, low, end)
    above = 0
    best, position = None, low
    for i in headings:
        above += prose_words(lines, position, i)
        position = max(position, i)
        if above > 0.4 * total:
            break
        best = i
    return best


def _core(lines: Lines, low: int, end: int) -> tuple[int, int]:
    """The heaviest stretch of lines."""
    best = total = 0.0
    first, last, begin = low, low - 1, low
    group = -_GROUP
    for i in range(low, end):
        if lines.kind[i] & _ENDS:
            if i - group >= _GROUP and total > 0:
                total *= _KEPT
            group = i
        total += _weight(lines, i)
        if total <= 0:
            total, begin = 0.0, i + 1
        elif total > best:
            best, first, last = total, begin, i
    return first, last


def _below_byline(lines: Lines, low: int, first: int) -> int:
    """First line below the title that is not its byline: date, author, share bar, number of comments."""
    while low < first and (lines.kind[low] or low in lines.dates or len(lines.text[low]) < 40):
        low += 1
    return low


def _widen_down(lines: Lines, last: int, end: int) -> int:
    """To the line above the first that ends articles, if one stands a little below the core."""
    for i in range(last + 1, min(end, last + _DOWN)):
        if lines.kind[i] & _ENDS:
            return last if _are_tags(lines, last + 1, i) else i - 1
    if end - last > _DOWN or _are_tags(lines, last + 1, end):
        return last
    return end - 1


def _are_tags(lines: Lines, low: int, high: int) -> bool:
    """Whether a few lines of a word or two are an article's tags rather than its last list."""
    return high - low <= _TAGS and all(
        lines.words[i] <= 2 and lines.text[i][-1] not in ".!?…:。" for i in range(low, high)
    )
