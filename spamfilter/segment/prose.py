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
_WORD = re.compile(r"\w+")
# A reworded heading has three words of the title or more, most of them, and is no sentence of the text.
_FEWEST_SAME = 3
_MOSTLY_SAME = 0.75
_LONGEST_HEADING = 24
# An author's box, a list or a share bar above the article: so many lines down, with this share of the words above it.
_OPENING_LINES = 12
_OPENING_SHARE = 0.04
# Below the article: three short lines are tags; an author's box has so many lines and words, and names its author
# early on.
_FEWEST_TAGS = 3
_FEWEST_WORDS = 4
_ABOUT = re.compile(
    r"(?:über|about|sobre|acerca de|à propos de|o|informazioni su|over|об)\s\S.{1,60}\s\(?\d{1,5}\)?\s"
    r"(?:artikel|beiträge|articles?|posts?|artículos|entradas|articoli|artigos|wpisów|записей)\W*",
    re.IGNORECASE,
)
_AUTHOR_BOX = 6
_SHORTEST_BOX = 6
_FORM_REACH, _SHORT_FORM = 12, 40
_INTRODUCED = 120
_SENTENCE_END = '.!?…:;,。！？”"»“)'
_BRACKETED = re.compile(r"\[ ?\d{1,2}[. /-]")  # "[ 26. May 2020 ] Title of a post"
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
        return whole, _reworded(lines, whole, end)
    return lines.text[found[best][-1]], found[best]


def _reworded(lines: Lines, title: str, end: int) -> list[int]:
    """Lines that say what the title says in other words: search engines are given a shorter heading than readers."""
    part = max(_SEPARATORS.split(title), key=len)
    wanted = {word for word in _WORD.findall(part.lower()) if len(word) > 3 or word.isdigit()}
    if len(wanted) < _FEWEST_SAME:
        return []
    found = []
    for i in range(1, min(end, len(lines))):
        if lines.kind[i] or not _FEWEST_SAME <= lines.words[i] <= _LONGEST_HEADING:
            continue
        if lines.text[i][-1] in ".…" and not any(j in lines.dates for j in range(i + 1, i + 4)):
            continue  # a sentence, without a byline below
        line = lines.text[i].lower()
        if sum(word in line for word in wanted) >= _MOSTLY_SAME * len(wanted):
            found.append(i)
    return found


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
    if (i in lines.dates and lines.dates[i][0] < 3 and text[-1] not in ".!?") or _BRACKETED.match(text):
        return _MENU  # a list of posts
    if words >= _PROSE:
        return float(min(words, _LONGEST)) if _PUNCTUATION.search(text) else _MENU
    if i in lines.dates and words < _BYLINE:
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
    first = _below_opening(lines, first, last)
    return first, _without_tail(lines, first, _widen_down(lines, last, end), low)


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


def _may_end(lines: Lines, i: int) -> bool:
    """Whether a line is of those that stand below articles; the name of a network alone may be a word of a table."""
    kind = lines.kind[i]
    if not kind & _ENDS:
        return False
    if kind & ~SHARE or lines.words[i] > 1:
        return True
    return any(lines.kind[j] & _ENDS for j in (i - 1, i + 1) if 0 <= j < len(lines))


def _core(lines: Lines, low: int, end: int) -> tuple[int, int]:
    """The heaviest stretch of lines."""
    best = total = 0.0
    first, last, begin = low, low - 1, low
    group = -_GROUP
    for i in range(low, end):
        if _may_end(lines, i):
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


def _below_opening(lines: Lines, first: int, last: int) -> int:
    """First line below an author's box, a list of posts or a share bar with a line of prose or so above it."""
    total = sum(lines.words[first : last + 1])
    above = 0
    for i in range(first, min(last, first + _OPENING_LINES)):
        if _may_end(lines, i):
            below = i + 1
            while below < last and _weight(lines, below) <= 0:
                below += 1
            if above <= _OPENING_SHARE * total:
                return below
        above += lines.words[i]
    return first


def _without_tail(lines: Lines, first: int, last: int, low: int) -> int:
    """Last line of the article less what themes print below it: its author's box and its tags."""
    last = _above_tags(lines, first, last)
    last = _above_author(lines, first, last, low)
    last = _above_form(lines, first, last)
    return _above_tags(lines, first, last)


def _above_form(lines: Lines, first: int, last: int) -> int:
    """Last line above the form of a newsletter, or of an offer to log in, which little text follows."""
    total = below = 0
    for i in range(first, last + 1):
        total += lines.words[i]
    for i in range(last, max(first, last - _FORM_REACH), -1):
        below += lines.words[i]
        if below > _OPENING_SHARE * 2 * total + _SHORT_FORM:
            break
        if lines.kind[i] & FIELD and not lines.kind[i] & ~FIELD:
            last = i - 1
    return last


def _above_tags(lines: Lines, first: int, last: int) -> int:
    """Last line above three or more of a word or two each, which are tags or categories."""
    above = last
    while above > first and lines.words[above] <= 2 and lines.text[above][-1] not in _SENTENCE_END:
        above -= 1
    return above if last - above >= _FEWEST_TAGS and lines.words[above] >= _FEWEST_WORDS else last


def _above_author(lines: Lines, first: int, last: int, low: int) -> int:
    """Last line above a name alone that the page printed before, or that the lines below speak of."""
    for i in range(last - 1, max(first, last - _AUTHOR_BOX), -1):
        name = lines.text[i]
        if _ABOUT.fullmatch(name):
            return i - 1
        words = name.split()
        if lines.kind[i] or not 1 <= len(words) <= 4 or not all(word[0].isupper() for word in words):
            continue
        if name[-1] in _SENTENCE_END or name[-1] == ":" or i in lines.dates:
            continue
        box = " ".join(lines.text[i + 1 : last + 1])
        if len(box.split()) < _SHORTEST_BOX or lines.words[i - 1] < len(words):
            continue
        if len(words) > 1 and any(name in line for line in lines.text[max(low - _UP, 0) : first]):
            return i - 1
        if any(box.startswith(name) or f" {word} " in f" {box[:_INTRODUCED]} " for word in words if len(word) > 2):
            return i - 1
    return last


def _widen_down(lines: Lines, last: int, end: int) -> int:
    """To the line above the first that ends articles, if one stands a little below the core."""
    for i in range(last + 1, min(end, last + _DOWN)):
        if _may_end(lines, i):
            return last if _are_tags(lines, last + 1, i) else i - 1
    if end - last > _DOWN or _are_tags(lines, last + 1, end):
        return last
    return end - 1


def _are_tags(lines: Lines, low: int, high: int) -> bool:
    """Whether a few lines of a word or two are an article's tags rather than its last list."""
    return high - low <= _TAGS and all(
        lines.words[i] <= 2 and lines.text[i][-1] not in ".!?…:。" for i in range(low, high)
    )
