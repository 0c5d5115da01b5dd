"""The lines of a plain-text page: where they stand, what kind they are, which of them bear a date.

Usage::

    lines = read_lines(text)
    lines.text[3], lines.start[3], lines.kind[3] & HEADER, lines.dates.get(3)

Blank lines are left out.  Everything is done once a line, so time and memory are linear in the page.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from spamfilter.segment.dates import parse_date
from spamfilter.segment.phrases import ACTION, AFTER, HEADER, NUMBER, OPENING, REPLY, TRIM, Phrases, load_phrases

__all__ = ["Lines", "read_lines"]

# A page of comments has thousands of lines; what stands beyond these is kept as one last line.
MAX_LINES = 50_000
# Attributions, headers and links are shorter than this; longer lines are text and are not looked into.
MAX_SHORT = 160
# Relative dates stand in shorter lines still.
MAX_RELATIVE = 80
# Of a longer line only the beginning is looked up: "Tags: …" may be long.
MAX_HEAD = 48

# One digit first, since a set of characters is what the regex engine searches for quickly.
_DATELIKE = re.compile(
    r"[0-9](?:(?:(?<=1)9|(?<=2)0)[0-9]{2}|[:h時点]\s?[0-9]{2}|[./-]\s?[0-9]{1,2}[./-]\s?[0-9]{2}|(?<=['’][0-9])[0-9]\b)"
)
_WORD = r"[^\W\d_]+"
_CLOCK = (
    r"\d{1,2}\s?[:h.時点點]\s?\d{2}(?:\s?min)?(?:\s?[:.分]\d{2})?分?(?:\s?[ap]\.?\s?m\b\.?)?(?:\s?uhr\b)?"
    r"|\d{1,2}\s?(?:[ap]m\b|uhr\b|h\b)"
)
_YEAR = r"(?:(?:19|20)[0-9]{2}|['’][0-9]{2})"
_NUMBER = re.compile(r"[0-9]+")
# A date from its first digit on: 2012-05-03, 3.5.2012, 3rd of May 2012.
_FROM_DIGIT = re.compile(
    r"(?:19|20)[0-9]{2}\s?[-/.年]\s?[0-9]{1,2}\s?[-/.月]\s?[0-9]{1,2}(?![0-9])\s?日?(?:\s?[(（]?[月火水木金土日][)）]|T(?=[0-9]))?"
    r"|[0-9]{1,2}[-/.]\s?[0-9]{1,2}[-/.]\s?(?:(?:19|20)[0-9]{2}|[0-9]{2})(?![0-9](?![0-9]?[:h]))"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|er|º|ª|\.)?[\s·-]*(?:of\s+|de\s+)?(?P<month>{_WORD})[.,]*[\s-]*(?:del?\s+)?{_YEAR}?",
    re.IGNORECASE,
)
# … and from the day on, where the month stands before it: May 3rd, 2012.
_WORD_BEFORE = re.compile(rf"({_WORD})\.?\s+$")
_FROM_DAY = re.compile(
    rf"[0-9]{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+{_YEAR})?|[0-9]{{1,2}},?\s+(?:19|20)[0-9]{{2}}", re.IGNORECASE
)
_TIME_BEFORE = re.compile(rf"(?:{_CLOCK})[\s,]*(?:on|,|-|–|·)?\s*$", re.IGNORECASE)
_TIME_AFTER = re.compile(
    rf"[\s,.;:|/@()–—~·•-]*(?:(?:at|um|à|a\s+las?|alle|ore|om|o|godz\.?|в|saat|tarihinde|pukul|às|as|kl\.?|上午|下午|午前|午後|晚上)\b)?"
    rf"[\s.,:-]*(?:{_CLOCK})(?:\s*(?:[A-Z]{{3,4}}\b|[+-][0-9][0-9]:?[0-9][0-9]\b))?",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“”„«»「『]")


@dataclass(slots=True)
class Lines:
    """Parallel lists, one entry for each line that is not blank.

    ``text`` is the line without white space around it, which begins at ``start`` of the page and ends
    at ``end``; ``indent`` counts its leading white space; ``key`` is what was looked up ("" for long
    lines), ``kind`` the bits of ``phrases``, ``words`` the number of words.  ``dates`` has the span of a
    date within the line for lines that bear one; ``counts`` the number that a header states; ``said``
    the lines that end with a word of saying; ``langs`` how many lines only one language has.
    """

    text: list[str] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    indent: list[int] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    dates: dict[int, tuple[int, int]] = field(default_factory=dict)
    counts: dict[int, int | None] = field(default_factory=dict)
    langs: dict[str, int] = field(default_factory=dict)
    said: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.text)


def read_lines(text: str) -> Lines:
    """All lines of a page, looked up and searched for dates."""
    separator = "\n" if "\n" in text or "\r" not in text else "\r"
    raws = text.split(separator, MAX_LINES)
    # lower case may be longer than the text, but has as many lines
    lowers = text.lower().split(separator, MAX_LINES)
    begins = accumulate([len(raw) + 1 for raw in raws], initial=0)
    # one comprehension a list: twice as fast as one loop that appends to all
    rows = [(raw, line, begin) for raw, line, begin in zip(raws, map(str.strip, raws), begins, strict=False) if line]
    lines = Lines(
        text=[line for _, line, _ in rows],
        indent=[0 if raw[0] == line[0] else len(raw) - len(raw.lstrip()) for raw, line, _ in rows],
        key=[
            lower.strip(TRIM) if len(raw) <= MAX_SHORT or len(raw.strip()) <= MAX_SHORT else ""
            for raw, lower in zip(raws, lowers, strict=True)
            if not raw.isspace() and raw
        ],
    )
    lines.start = [begin + indent for (_, _, begin), indent in zip(rows, lines.indent, strict=True)]
    lines.end = [start + len(line) for start, line in zip(lines.start, lines.text, strict=True)]
    lines.words = [line.count(" ") + 1 for line in lines.text]
    if not text.isascii():
        lines.words = [
            # kana and han have no spaces: half the characters
            count if count * 12 >= len(line) or line.isascii() else len(line) // 2
            for count, line in zip(lines.words, lines.text, strict=True)
        ]
    phrases = load_phrases()
    _look_up(lines, phrases)
    _find_dates(lines, text)
    return lines


def _look_up(lines: Lines, phrases: Phrases) -> None:
    """Fill in ``kind``, and what short lines bear: the number of a header, words of saying, relative dates."""
    exact, heads, tails = phrases.exact, phrases.heads, phrases.tails
    kinds, texts = lines.kind, lines.text
    nothing = (0, None)
    for index, key in enumerate(lines.key):
        kind, lang = exact.get(key, nothing)
        if not kind:
            if key[:4] in heads or key[:2] in heads:
                kind, lang = _begins(lines, phrases, index, key)
            elif not key:
                kind = _no_key(texts[index], phrases)
        if kind and lang is not None:
            lines.langs[lang] = lines.langs.get(lang, 0) + 1
        if key[key.rfind(" ") + 1 :] in tails or key[-2:] in tails:
            kind = _ends(lines, phrases, index, key, kind)
        if kind & _COUNTED and kind & _ROW != _ROW:
            kind = _header(lines, phrases, index, texts[index], key, kind)
        kinds.append(kind)


_COUNTED = HEADER | REPLY
# A row of links has no number of comments in it, but an age or a number of likes.
_ROW = REPLY | ACTION


def _begins(lines: Lines, phrases: Phrases, index: int, key: str) -> tuple[int, str | None]:
    """Kind and language of a line that may begin with a phrase, a number as a word, or a relative date."""
    kind, lang = phrases.look_up(key)
    if not kind:
        first = key.partition(" ")[0]
        if first in phrases.numbers:
            kind = _COUNTED if phrases.look_up(key[len(first) :].strip())[0] & _COUNTED else 0
        elif first in phrases.ago:
            _find_relative(lines, index)
    return kind, lang


def _no_key(text: str, phrases: Phrases) -> int:
    """Kind of a line without a key: of digits and marks only, or too long to be anything but tags or text."""
    if len(text) <= MAX_SHORT:
        return NUMBER
    return phrases.look_up(text[:MAX_HEAD].lower())[0] & AFTER if text[0].isalpha() else 0


def _ends(lines: Lines, phrases: Phrases, index: int, key: str, kind: int) -> int:
    """Kind of a line by its end, which may be a word of saying, of a relative date, or of a header."""
    last = key[key.rfind(" ") + 1 :]
    if last in phrases.ago or key[-1] == "前":
        _find_relative(lines, index)
    if last in phrases.says or key.endswith(phrases.says_endings):
        lines.said.append(index)
    if not kind and (last in phrases.links or last[:1].isdigit()):
        kind = phrases.row_of_links(key)
        kind |= ACTION if kind & REPLY else 0
    return kind or phrases.look_up(key)[0]


_COUNT = re.compile(r"\d[\d.,]*")


def _header(lines: Lines, phrases: Phrases, index: int, stripped: str, key: str, kind: int) -> int:
    """Kind of a line that may be a header, and the number of comments it states."""
    count = phrases.numbers.get(key.partition(" ")[0])
    if count is None:
        digits = _COUNT.search(stripped)
        if digits and (digits.start() < 12 or not kind & OPENING or digits.start() > len(stripped) - 16):
            count = int(re.sub(r"\D", "", digits.group())[:9] or 0)
    if kind & REPLY and not kind & OPENING:  # "Reply" is a link, "3 Replies" is a header
        kind = kind | HEADER if count is not None and stripped[0] not in "#" else kind & ~HEADER
    if kind & OPENING and count is None and not _QUOTED.search(stripped):
        kind &= ~(HEADER | OPENING)
    if kind & HEADER:
        lines.counts[index] = count
    return kind


@lru_cache(maxsize=2048)
def _is_month(word: str) -> bool:
    return len(word) > 2 and parse_date(f"1 {word} 2020") is not None


@lru_cache(maxsize=1)
def _relative_form() -> re.Pattern[str]:
    """Relative dates: "3 hours ago", "vor 2 Tagen", "50 Minuten 46 Sekunden her", "3年前"."""
    ago = "|".join(sorted(map(re.escape, load_phrases().ago), key=len, reverse=True))
    amount = rf"(?<!\w)\d+\+?\s?{_WORD}\.?"
    further = rf"(?:,?\s+(?:and\s+|und\s+)?\d+\s?{_WORD})?"
    return re.compile(
        rf"(?:\b(?:{ago}|il y a)\s+{amount}|{amount}{further}\s*\b(?:{ago})\b|\d+\s?\w{{1,2}}前)", re.IGNORECASE
    )


def _find_relative(lines: Lines, index: int) -> None:
    if len(lines.text[index]) <= MAX_RELATIVE:
        relative = _relative_form().search(lines.text[index])
        if relative:
            lines.dates[index] = relative.span()


def _find_dates(lines: Lines, text: str) -> None:
    """The dates of short lines; one pass over the page finds where any can be."""
    done = -1
    texts, starts = lines.text, lines.start
    for match in _DATELIKE.finditer(text):
        position = match.start()
        if position < done:
            continue
        index = bisect_right(starts, position) - 1
        done = lines.end[index]
        if len(texts[index]) <= MAX_SHORT:
            span = _date_span(texts[index])
            if span is not None:
                lines.dates[index] = span


_LAST_CAPITAL = re.compile(r"[A-ZÄÖÜ][a-zäöüé]+$")
# Numbers that are looked at before a line counts as a table.
_MAX_NUMBERS = 8
# How far before a day its month may begin, and before a date its time.
_MONTH_REACH, _TIME_REACH = 20, 24


def _date_span(line: str) -> tuple[int, int] | None:
    """Where the first date of a line stands, with its time."""
    for n, match in enumerate(_NUMBER.finditer(line)):
        if n == _MAX_NUMBERS:
            break
        span = _day_span(line, match.start())
        if span is not None:
            start, end = span
            after = _TIME_AFTER.match(line, end)
            before = _TIME_BEFORE.search(line, max(0, start - _TIME_REACH), start) if n else None
            return before.start() if before else start, after.end() if after else end
    return None


def _day_span(line: str, digit: int) -> tuple[int, int] | None:
    """Where the date around a number stands, if the number belongs to one."""
    found = _FROM_DIGIT.match(line, digit)
    if found and (found["month"] is None or _is_month(found["month"])):
        return digit, found.end()
    word = _WORD_BEFORE.search(line, max(0, digit - _MONTH_REACH), digit) if digit else None
    if word is None:
        return None
    begin = word.start(1)
    if not _is_month(word[1]):
        glued = _LAST_CAPITAL.search(word[1])  # a name may be glued to it: "AmySeptember 11, 2008"
        if glued is None or not _is_month(glued.group()):
            return None
        begin += glued.start()
    day = _FROM_DAY.match(line, digit)
    return (begin, day.end()) if day else None
