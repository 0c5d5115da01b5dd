"""Question-and-answer pages (Stack Exchange and its kin), where each text stands above its attribution.

Usage::

    section = find_answers(lines)       # None if the page is no question with answers

The question is the first post; answers and the comments under question and answers are the others.
"""

from __future__ import annotations

import re

from spamfilter.segment.lines import Lines
from spamfilter.segment.phrases import ACTION, FORM, HEADER, NUMBER, SHARE, SORT
from spamfilter.segment.posts import Post, Section

__all__ = ["find_answers"]

_SIGNED = re.compile(r"(?P<role>asked|answered|gefragt|beantwortet|preguntada|respondida|perguntada)\b", re.IGNORECASE)
_EDITED = re.compile(r"(?:edited|commented|modified|viewed|asked|show \d+ more|editada|bearbeitet)\b", re.IGNORECASE)
_COMMENTER = re.compile(r"[–—-]\s?(?P<name>\S.{0,58})$")
_CARD = re.compile(r"^[\d.,k]+\s?$|badges?\b")
_TAG = re.compile(r"[a-z0-9.+#-]{1,35}$")
# "Mod" and "StaffMod" are glued to the names of moderators.
_MODERATOR = re.compile(r"\s?(?:Mod|StaffMod)$")


def find_answers(lines: Lines) -> Section | None:
    """Question, answers and comments in page order, the question first; None for other pages."""
    signed = [i for i in sorted(lines.dates) if _SIGNED.match(lines.text[i]) and len(lines.text[i]) < 60]
    asked = [i for i in signed if _follows_share(lines, i)]
    if not asked:
        return None
    reader = _Reader(lines, _question_begin(lines, asked[0]))
    posts = reader.read()
    if len(posts) < 2:
        return None
    return Section(posts[0].first, tuple(posts), forum=True)


def _follows_share(lines: Lines, signed: int) -> bool:
    """Whether the links under a post ("Share", "Follow") stand above its signature."""
    return any(lines.kind[i] & (SHARE | ACTION) for i in range(max(0, signed - 8), signed))


def _question_begin(lines: Lines, asked: int) -> int:
    """First line of the question: below the line of its views and its votes."""
    begin = 0
    for i in range(asked - 1, -1, -1):
        if lines.text[i].startswith("Viewed ") and len(lines.text[i]) < 40:
            while i + 1 < asked and lines.kind[i + 1] & NUMBER:
                i += 1
            return i + 1
    for i in range(asked - 1, -1, -1):
        if _EDITED.match(lines.text[i]) and len(lines.text[i]) < 60 and not _is_edit(lines, i, asked):
            begin = i + 1
            break
    while begin < asked and lines.kind[begin] & NUMBER:
        begin += 1
    return begin


def _is_edit(lines: Lines, i: int, asked: int) -> bool:
    """An edit's date between the question and its signature."""
    return any(lines.kind[j] & SHARE for j in range(max(0, i - 6), i)) and asked - i < 8


class _Reader:
    """Walks down the page; a text is gathered until the signature below it tells what it was."""

    def __init__(self, lines: Lines, begin: int) -> None:
        self.lines = lines
        self.i = begin
        self.begin = begin
        self.posts: list[Post] = []

    def read(self) -> list[Post]:
        while self.i < len(self.lines):
            if not self._step():
                break
        return self.posts

    def _step(self) -> bool:
        """Look at one line; False at the end of the posts."""
        lines, i = self.lines, self.i
        text, kind = lines.text[i], lines.kind[i]
        commenter = _COMMENTER.match(text) if len(text) < 64 else None
        if kind & FORM and not kind & HEADER and lines.key[i] not in ("add a comment", "add comment") and self.posts:
            return False
        if kind & SHARE and len(text) < 30 and self._signature(i) is not None:
            self._end_post(i)
        elif commenter and i > self.begin and self._dated_below(i):
            self._end_comment(i, commenter["name"])
        elif self._is_closed(i):
            self._end_unsigned(i)
        elif (
            kind & (FORM | SORT)
            or self.lines.counts.get(i) is not None
            or (len(text) < 60 and _EDITED.match(text))
            or self._is_counter(i)
        ):
            self.i = self.begin = i + 1
        else:
            self.i += 1
        return True

    def _is_counter(self, i: int) -> bool:
        """Votes above a text."""
        return bool(self.lines.kind[i] & NUMBER) and i == self.begin

    def _dated_below(self, i: int) -> bool:
        return i + 1 in self.lines.dates or i + 2 in self.lines.dates

    def _signature(self, share: int) -> int | None:
        """The line "answered DATE" below the links under a post."""
        for i in range(share + 1, min(share + 12, len(self.lines))):
            if i in self.lines.dates and _SIGNED.match(self.lines.text[i]):
                return i
        return None

    def _is_closed(self, i: int) -> bool:
        """The links under a post that nobody signed ("community wiki")."""
        return self.lines.key[i] == "share" and any("improve this" in key for key in self.lines.key[i + 1 : i + 3])

    def _end_unsigned(self, share: int) -> None:
        self._add(self.begin, share - 1, None, share)
        self.i = share + 1
        for i in range(share + 1, min(share + 12, len(self.lines))):
            if _CARD.search(self.lines.text[i]) or "wiki" in self.lines.key[i]:
                self.i = i + 1
        self.begin = self.i

    def _end_post(self, share: int) -> None:
        signature = self._signature(share)
        if signature is None:
            return
        last = share - 1
        if not self.posts:  # the question's tags
            while last > self.begin and _TAG.match(self.lines.text[last]):
                last -= 1
        name = self.lines.text[signature + 1] if signature + 1 < len(self.lines) else None
        self._add(self.begin, last, _undouble(name) if name else None, signature)
        self.i = signature + 2
        while self.i < len(self.lines) and (self.lines.kind[self.i] & NUMBER or _CARD.search(self.lines.text[self.i])):
            self.i += 1
        self.begin = self.i

    def _end_comment(self, i: int, name: str) -> None:
        lines = self.lines
        author = _MODERATOR.sub("", name)
        last = i - 1
        if last > self.begin and _MODERATOR.sub("", lines.text[last]) == author:
            last -= 1  # the name stands twice
        dated = i + 1
        while dated + 1 in lines.dates and dated + 1 < len(lines) and len(lines.text[dated + 1]) < 60:
            dated += 1
        self._add(self.begin, last, author, dated)
        self.i = self.begin = dated + 1

    def _add(self, first: int, last: int, author: str | None, dated: int) -> None:
        while first < last and self.lines.kind[first] & NUMBER:
            first += 1
        if first <= last:
            span = self.lines.dates.get(dated)
            date = self.lines.text[dated][span[0] : span[1]] if span else None
            self.posts.append(Post(first, first, last, author, date))


def _undouble(name: str) -> str:
    """ "evgenyevgeny" is a name and the alternative text of its picture."""
    half = len(name) // 2
    return name[:half] if half > 1 and name[:half] == name[half:] else _MODERATOR.sub("", name)
