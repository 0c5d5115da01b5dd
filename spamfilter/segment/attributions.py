"""Attribution lines: "NAME says:", "NAME on DATE", "DATE", "Post by NAME » DATE", "#12".

Usage::

    found = find_attributions(lines)          # in page order
    found[0].shape, found[0].name, found[0].date

Lines of equal ``shape`` are what a template printed again and again; ``posts`` looks for the shape
that divides the comments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spamfilter.segment.lines import Lines
from spamfilter.segment.phrases import NUMBER, PING, PROFILE, REPLY, TRIM, Phrases, load_phrases

__all__ = ["Attribution", "find_attributions", "looks_like_name", "speaker"]

# People's names and the titles of blogs that send pingbacks; what is longer is a sentence.
MAX_NAME = 60
MAX_BLOG = 150
MAX_NAME_WORDS = 7

_TIME = re.compile(r"\d\s?[:h時点點]\s?\d\d|\d\.\d\d\s?uhr|\d\s?[ap]\.?m\b", re.IGNORECASE)
_POST_NUMBER = re.compile(r"^(?:[*+•]\s)?(?:#|№|No\.?\s?|Nr\.?\s?)(\d{1,5})\W*$")
_LEADING_NUMBER = re.compile(r"^[#(\[]?\d{1,4}[.)\]:]?\s+|^#\d{1,5}\s*")
_TITLE_BY = re.compile(r"\s(?:by|von|par|por|da|di)\s")
_MEMBER_NUMBER = re.compile(r"\s*\(\s*\d+\s*\)$")
# Some forums print a date and its age: "June 14, 20241 yr".
_AGE = re.compile(r"^\s?\d{1,2}\s?(?:yrs?|mo|min|hrs?|[dhmwy])\b")
_SENTENCE_END = re.compile(r"[.!?…。！？,;]$")


@dataclass(frozen=True, slots=True)
class Attribution:
    """One candidate: the ``index`` of its line, its ``shape``, and the ``name`` and ``date`` it prints.

    ``score`` says how much the line alone looks like the head of a comment (0 a bare date, more with a
    time, "says", a reply link); ``number`` is the printed position of the comment, ``hashed`` if as "#3".
    """

    index: int
    shape: str
    name: str | None
    date: str | None
    score: int
    number: int | None = None
    says: bool = False
    hashed: bool = False


def find_attributions(lines: Lines) -> list[Attribution]:
    """All lines of the page that could head (or end) a comment."""
    phrases = load_phrases()
    found: list[Attribution] = []
    numbered = [i for i, kind in enumerate(lines.kind) if kind & NUMBER and i not in lines.dates]
    for index in sorted({*lines.dates, *lines.said, *numbered}):
        if lines.kind[index] & PROFILE:  # "Joined Feb 14, 2024 Messages 7" on one line
            one = None
        elif index in lines.dates:
            one = _dated(lines, phrases, index)
        elif lines.key[index]:
            one = _saying(lines, phrases, index, lines.key[index])
        else:
            one = _numbered(lines, index)
        if one is not None:
            found.append(one)
    return found


def _numbered(lines: Lines, index: int) -> Attribution | None:
    match = _POST_NUMBER.match(lines.text[index]) if len(lines.text[index]) < 12 else None
    return Attribution(index, "#", None, None, 2, int(match[1]), hashed=True) if match else None


def _saying(lines: Lines, phrases: Phrases, index: int, key: str) -> Attribution | None:
    """ "NAME says:" """
    if len(key) > MAX_BLOG:
        return None
    name, _, last = key.rpartition(" ")
    if last in phrases.says:
        printed = lines.text[index]
        cut = printed.lower().rfind(last)
        if len(name) > MAX_NAME and not printed.endswith(":"):
            return None
        if printed[-1] not in ":：" and index + 1 not in lines.dates and (len(name.split()) > 4 or printed[-1] == "."):
            return None
        return Attribution(index, "says", speaker(printed[:cut], phrases), None, 4, _leading_number(printed), says=True)
    if key.endswith(phrases.says_endings) and len(key) <= MAX_NAME:
        says = next(s for s in phrases.says_endings if key.endswith(s))
        unspaced = lines.text[index][: lines.text[index].rfind(says)]
        return Attribution(index, "says", clean_name(unspaced, phrases), None, 4, None, says=True)
    return None


def _dated(lines: Lines, phrases: Phrases, index: int) -> Attribution | None:
    text = lines.text[index]
    start, end = lines.dates[index]
    number = _leading_number(text) if start else None
    before = _LEADING_NUMBER.sub("", text[:start]) if number is not None else text[:start]
    lead, left, says_left = _side(before, phrases)
    _, right, says_right = _side(_AGE.sub("", text[end:]), phrases)
    if ": " in right:  # "Post subject: TITLE"
        right = ""
    # "Re: TITLE by NAME: DATE"
    if (len(left) > MAX_NAME or left.count(" ") >= MAX_NAME_WORDS) and _TITLE_BY.search(left):
        left = _TITLE_BY.split(left)[-1]
    answerable = has_reply(lines.key[index], phrases)
    limit = MAX_BLOG if number is not None or says_left or answerable or lines.kind[index] & PING else MAX_NAME
    if len(left) > limit or len(right) > limit or (left and right and len(left) + len(right) > MAX_NAME):
        return None
    if limit == MAX_NAME and (len(left.split()) > MAX_NAME_WORDS or len(right.split()) > MAX_NAME_WORDS):
        return None
    has_time = bool(_TIME.search(text[start:end]))
    post = re.search(r"#(\d{1,5})\b", text[end:])
    shape = f"{lead}{'N' if left else ''}D{'N' if right else ''}{'#' if post else ''}"
    score = (2 if has_time else 0) + (3 if says_left or says_right else 0) + (2 if number is not None else 0)
    name = left or right
    if not name and number is not None:  # a name that is also a weekday: "Sam on May 3"
        name = " ".join(word for word in before.split() if not word.islower())
    return Attribution(
        index,
        shape,
        clean_name(name, phrases) if name else None,
        text[start:end],
        score,
        int(post[1]) if post else number,
        says=says_left or says_right,
        hashed=post is not None,
    )


def _side(part: str, phrases: Phrases) -> tuple[str, str, bool]:
    """What stands on one side of the date: the first word if it is glue, the rest as a name, whether it says."""
    words = part.split()
    lead, says = "", False
    while words:
        word = words[0].lower().strip(TRIM)
        if not word or word in phrases.glue:
            lead = lead or (word and f"{word} ")
            words.pop(0)
        else:
            break
    while words:
        word = words[-1].lower().strip(TRIM)
        if not word or word in phrases.glue or word in phrases.says:
            says = says or word in phrases.says
            words.pop()
        else:
            break
    return lead, " ".join(words).strip(" \t|·•,:;–—-»«/(@"), says


def speaker(printed: str, phrases: Phrases) -> str | None:
    """The name in "NAME says", "NAME ha scritto"."""
    words = printed.split()
    while len(words) > 1 and (words[-1].lower() in phrases.says or words[-1].lower() in _AUXILIARY):
        words.pop()
    return clean_name(" ".join(words), phrases)


def has_reply(key: str, phrases: Phrases) -> bool:
    """Whether a line ends with the link to answer."""
    return bool(phrases.exact.get(key.rpartition(" ")[2], (0, None))[0] & REPLY)


def _leading_number(text: str) -> int | None:
    match = _LEADING_NUMBER.match(text)
    return int(re.sub(r"\D", "", match.group())) if match else None


def clean_name(printed: str, phrases: Phrases) -> str | None:
    """A name without list number, marks and words of attribution around it; None if nothing is left."""
    name = _LEADING_NUMBER.sub("", printed.strip()).strip(" \t\xa0|·•,:;–—-»«/@>*")
    words = _MEMBER_NUMBER.sub("", name).split()
    while len(words) > 1 and words[0].lower().strip(".:,") in _BY:
        words.pop(0)
    return " ".join(words)[:MAX_BLOG] or None


# "a dit", "ha scritto", "hat geschrieben"
_AUXILIARY = frozenset({"a", "ha", "hat", "has"})
_BY = frozenset(
    {
        "by",
        "comment",
        "commentaire",
        "da",
        "di",
        "door",
        "kommentar",
        "oleh",
        "par",
        "por",
        "post",
        "posted",
        "przez",
        "von",
        "от",
    }
)


def looks_like_name(text: str, kind: int) -> bool:
    """Whether a line of its own can be a commenter's name."""
    if kind or len(text) > MAX_NAME or _SENTENCE_END.search(text):
        return False
    words = text.split()
    return len(words) <= MAX_NAME_WORDS and "://" not in text
