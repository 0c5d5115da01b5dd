"""The phrases of ``phrases.toml``, compiled for looking up lines.

Usage::

    phrases = load_phrases()
    kind, lang = phrases.kind_of("24 Comments")       # (HEADER, "en")
    phrases.says, phrases.glue, phrases.numbers       # words of all languages
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

__all__ = [
    "ACTION",
    "AFTER",
    "BADGE",
    "FIELD",
    "FORM",
    "HEADER",
    "NUMBER",
    "OPENING",
    "PING",
    "PROFILE",
    "REPLY",
    "SHARE",
    "SIDEBAR",
    "SORT",
    "TRIM",
    "Phrases",
    "line_key",
    "load_phrases",
]

# Kinds of lines, as bits: one phrase can be several ("Share" stands in share bars and under comments).
HEADER, FORM, FIELD, REPLY, ACTION, SHARE, AFTER, SIDEBAR, SORT, BADGE, PROFILE, PING = (1 << n for n in range(12))
# A line of digits and marks only; and a header known by its beginning alone, which needs a number or a quoted title.
NUMBER, OPENING = 1 << 12, 1 << 13
_KINDS = {
    "header": HEADER,
    "form": FORM,
    "field": FIELD,
    "reply": REPLY,
    "action": ACTION,
    "share": SHARE,
    "after": AFTER,
    "sidebar": SIDEBAR,
    "sort": SORT,
    "badge": BADGE,
    "profile": PROFILE,
    "ping": PING,
}
_LINKS = REPLY | ACTION | SHARE
# Words of the longest phrase within a row of links, and of the longest row.
_LONGEST_LINK, _LONGEST_ROW = 3, 14
# What may stand around a phrase without changing it: digits, brackets, bullets, arrows, quotation marks.
TRIM = (
    " \t\r\f\v\xa0\u200b\ufeff0123456789.,:;!?()[]{}<>«»‹›|#*+=/\\_~^@&%$-–—―•·…\"'"
    "“”„‘’‚`´→←↑↓▼▲►◄★☆✓✔×▪■□●○♥❤️👍👎🔗【】「」『』()《》〈〉:、。,!?・"
)
_MARKS = "".join(mark for mark in TRIM if not mark.isdigit())
_AGE = re.compile(r"\d{1,3}(?:y|yrs?|mo|w|d|h|m|min|hrs?)")
# Prefixes are found by their first letters: as many as tell most of them apart.
_HEAD = 4
Found = tuple[int, str | None]


def line_key(line: str) -> str:
    """A line as it is looked up: lower case, without digits and marks at its ends."""
    return line.lower().strip(TRIM)


@dataclass(frozen=True, slots=True)
class Phrases:
    """All languages together: ``exact`` lines, ``prefixes`` and ``suffixes`` by their letters, and word lists.

    ``says_endings`` are the words of saying that languages without spaces put behind a name; ``links`` the
    single words that can stand in a row of links ("Like Reply Share").  ``heads`` and
    ``tails`` are quick tests: a line without one of the heads (its first four or two letters) and tails
    (its last word or two letters) bears nothing.
    """

    exact: dict[str, Found]
    prefixes: dict[str, tuple[tuple[str, ...], tuple[Found, ...]]]
    suffixes: dict[str, tuple[tuple[str, ...], tuple[Found, ...]]]
    says: frozenset[str]
    glue: frozenset[str]
    ago: frozenset[str]
    numbers: dict[str, int]
    says_endings: tuple[str, ...]
    links: frozenset[str]
    heads: frozenset[str]
    tails: frozenset[str]

    def kind_of(self, line: str) -> Found:
        """Kind bits of a printed line and its language where only one language has the phrase; (0, None) if none."""
        return self.look_up(line_key(line))

    def look_up(self, key: str) -> Found:
        """As ``kind_of``, for a line that is already a key."""
        found = self.exact.get(key)
        if found is not None:
            return found
        for head in (key[:_HEAD], key[:2]):
            bucket = self.prefixes.get(head)
            if bucket is not None and key.startswith(bucket[0]):
                return next(f for p, f in zip(*bucket, strict=True) if key.startswith(p))
        bucket = self.suffixes.get(key[-2:])
        if bucket is not None and key.endswith(bucket[0]):
            return next(f for p, f in zip(*bucket, strict=True) if key.endswith(p))
        return 0, None

    def row_of_links(self, key: str) -> int:
        """Kinds of a line that is nothing but links in a row: "Share this Twitter Facebook", "Like · Reply"; else 0."""
        words = [word for word in (part.strip(_MARKS) for part in key.split()) if word and not word.isdigit()]
        if not 1 < len(words) <= _LONGEST_ROW:
            return 0
        kinds = position = 0
        while position < len(words):
            if position and _AGE.fullmatch(words[position]):
                position += 1
                continue
            for length in range(min(_LONGEST_LINK, len(words) - position), 0, -1):
                kind = self.exact.get(" ".join(words[position : position + length]), (0, None))[0]
                if kind and not kind & ~_LINKS:
                    kinds |= kind
                    position += length
                    break
            else:
                return 0
        return kinds


@lru_cache(maxsize=1)
def load_phrases() -> Phrases:
    """Read and compile the phrases of the package, once."""
    text = files("spamfilter.segment").joinpath("phrases.toml").read_text(encoding="utf-8")
    return compile_phrases(tomllib.loads(text))


def compile_phrases(tables: dict[str, dict[str, str]]) -> Phrases:
    """Phrases of ``tables``: language → list name → phrases, one to a line (or words, for the word lists)."""
    exact: dict[str, Found] = {}
    starts: dict[str, Found] = {}
    ends: dict[str, Found] = {}
    words: dict[str, set[str]] = {"says": set(), "glue": set(), "ago": set()}
    numbers: dict[str, int] = {}
    for lang, lists in tables.items():
        for name, block in lists.items():
            if name in _KINDS:
                for phrase in block.split("\n"):
                    _add(phrase.strip().lower(), _KINDS[name], lang, exact, starts, ends)
            elif name == "number":
                numbers.update((form, n) for n, forms in enumerate(block.split(), 1) for form in forms.split("/"))
            else:
                words[name].update(block.lower().split())
    prefixes, suffixes = _by_letters(starts, ends=False), _by_letters(ends, ends=True)
    unspaced = tuple(sorted((w for w in words["says"] if not w[0].isalpha() or w[0] > "\u3000"), key=len, reverse=True))
    links = frozenset(p for p, (kind, _) in exact.items() if kind & _LINKS and not kind & ~_LINKS and " " not in p)
    return Phrases(
        exact,
        prefixes,
        suffixes,
        frozenset(words["says"]),
        frozenset(words["glue"]),
        frozenset(words["ago"]),
        numbers,
        unspaced,
        links,
        heads=frozenset(prefixes) | _first_letters([*numbers, *words["ago"]]),
        tails=frozenset(words["says"] | words["ago"] | set(suffixes) | {w[-2:] for w in unspaced} | links | _ages()),
    )


def _ages() -> set[str]:
    """The last words of rows of links that end with an age: "Like · Reply · 9y"."""
    return {f"{n}{unit}" for n in range(1, 60) for unit in ("y", "yr", "w", "d", "h", "m", "mo")}


def _add(
    phrase: str, kind: int, lang: str, exact: dict[str, Found], starts: dict[str, Found], ends: dict[str, Found]
) -> None:
    if phrase.startswith("*"):
        table, kind = ends, kind | (OPENING if kind == HEADER else 0)
    elif phrase.endswith("*"):
        table, kind = starts, kind | (OPENING if kind == HEADER else 0)
    else:
        table = exact
    # the marks at the end of a beginning count: "thanks:" is a forum's field, "thanks" a comment
    key = phrase.lstrip("*" + TRIM).rstrip("*") if table is starts else line_key(phrase)
    _put(table, key, kind, lang)
    if table is starts and kind == SHARE and key[-1:] in TRIM:  # "share this:" may be the whole line
        _put(exact, line_key(phrase), kind, lang)


def _put(table: dict[str, Found], key: str, kind: int, lang: str) -> None:
    if key:
        known = table.get(key)
        table[key] = (kind, lang) if known is None else (known[0] | kind, lang if known[1] == lang else None)


def _first_letters(words: list[str]) -> set[str]:
    """The first four letters of lines that begin with a word; one of two letters needs a digit behind it."""
    heads = {"il y"}  # French has three words where others have one
    for word in words:
        spaced = f"{word} "
        heads.update({spaced[:_HEAD]} if len(spaced) >= _HEAD else {f"{spaced}{digit}"[:_HEAD] for digit in range(10)})
    return heads


def _by_letters(table: dict[str, Found], *, ends: bool) -> dict[str, tuple[tuple[str, ...], tuple[Found, ...]]]:
    buckets: dict[str, list[tuple[str, Found]]] = {}
    for phrase, found in table.items():
        letters = phrase[-2:] if ends else phrase[:_HEAD] if len(phrase) >= _HEAD else phrase[:2]
        buckets.setdefault(letters, []).append((phrase, found))
    out = {}
    for letters, entries in buckets.items():
        entries.sort(key=lambda entry: -len(entry[0]))  # the longest phrase says most
        out[letters] = (tuple(p for p, _ in entries), tuple(f for _, f in entries))
    return out
