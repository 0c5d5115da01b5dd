"""The class of every character: letter of which script, digit, space, punctuation, emoji, invisible.

Usage::

    classes = classes_of(np.frombuffer("abc 1".encode("utf-32-le"), np.uint32))

The table covers the Basic Multilingual Plane (65,536 bytes, one a code point) and is stored with
the package (``charclass.npy``), so that features do not depend on the Unicode version of the
Python that scores; ``python -m spamfilter.charclass`` makes it again, and two more for the compiled
loops: what each character folds to, and what it is to a regular expression.  The few planes above are
told apart by ranges.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["CJK", "UPPER", "WORD", "classes_of", "foldings", "names", "patterns", "table"]

SPACE: Final = 0
NEWLINE: Final = 1
LATIN: Final = 2
DIGIT: Final = 3
CYRILLIC: Final = 4
GREEK: Final = 5
HANGUL: Final = 6
ARABIC: Final = 7
HEBREW: Final = 8
THAI: Final = 9
INDIC: Final = 10
OTHER_LETTER: Final = 11
MARK: Final = 12
FULLWIDTH: Final = 13
FANCY: Final = 14
HAN: Final = 15
KANA: Final = 16
STOP: Final = 17  # . , ; : ' " - and their kin
EXCLAMATION: Final = 18
QUESTION: Final = 19
CURRENCY: Final = 20
BRACKET: Final = 21
TECHNICAL: Final = 22  # / \ @ # & = _ | ~ ^ * + < > % `
OTHER_PUNCTUATION: Final = 23
SYMBOL: Final = 24
EMOJI: Final = 25
INVISIBLE: Final = 26
CONTROL: Final = 27
SEPARATOR: Final = 28  # NUL, which stands between the texts of a batch

CLASSES: Final = 29
#: Classes from LATIN to FANCY make words; HAN and KANA make words of one character each.
WORD: Final = (LATIN, FANCY)
CJK: Final = (HAN, KANA)
#: Added to the class of an upper-case letter.
UPPER: Final = 0x80

_SCRIPTS: Final = (
    ("LATIN", LATIN),
    ("CYRILLIC", CYRILLIC),
    ("GREEK", GREEK),
    ("HANGUL", HANGUL),
    ("ARABIC", ARABIC),
    ("HEBREW", HEBREW),
    ("THAI", THAI),
    ("LAO", THAI),
    ("KHMER", THAI),
    ("MYANMAR", THAI),
    ("DEVANAGARI", INDIC),
    ("BENGALI", INDIC),
    ("TAMIL", INDIC),
    ("TELUGU", INDIC),
    ("GUJARATI", INDIC),
    ("KANNADA", INDIC),
    ("MALAYALAM", INDIC),
    ("GURMUKHI", INDIC),
    ("SINHALA", INDIC),
    ("CJK", HAN),
    ("HIRAGANA", KANA),
    ("KATAKANA", KANA),
)
_STOPS: Final = frozenset(".,;:'\"-‘’“”„«»‹›–—…·、。，；：")
_TECHNICAL: Final = frozenset("/\\@#&=_|~^*+<>%`")
# Zero-width and other characters that show nothing: used to hide words from filters.
_INVISIBLE: Final = frozenset(
    [
        *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x2800, 0x3164, 0xFEFF, 0xFFA0),
        *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)),
    ]
)
_EMOJI_BMP: Final = (range(0x2600, 0x27C0), range(0x2B00, 0x2C00), range(0x2300, 0x2400))
_PATH: Final = Path(__file__).with_name("charclass.npy")
_PATTERNS: Final = Path(__file__).with_name("charpatterns.npy")
_FOLDINGS: Final = Path(__file__).with_name("charfoldings.npy")


def names() -> list[str]:
    """Lower-case names of the classes, by number."""
    numbers = [(v, k.lower()) for k, v in globals().items() if isinstance(v, int) and k.isupper() and v < CLASSES]
    found = dict(reversed(numbers))  # the classes are the first to be named above
    return [found[i] for i in range(CLASSES)]


@cache
def table() -> NDArray[np.uint8]:
    """Class of each code point below 65,536."""
    loaded: NDArray[np.uint8] = np.load(_PATH)
    return loaded


def classes_of(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Classes of code points, same shape; upper-case letters have ``UPPER`` added."""
    low = points.astype(np.uint16)
    out = table()[low]
    high = np.flatnonzero(points > 0xFFFF)
    if high.size:
        out[high] = _classes_above(points[high])
    return out


def _classes_above(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    out = np.full(points.shape, OTHER_LETTER, np.uint8)
    for low, high, kind in ABOVE:
        out[(points >= low) & (points < high)] = kind
    return out


#: Planes above the first: start, end, class.
ABOVE: Final = (
    (0x1D400, 0x1D800, FANCY),
    (0x1F000, 0x1F100, EMOJI),
    (0x1F100, 0x1F200, FANCY),
    (0x1F200, 0x1FB00, EMOJI),
    (0x20000, 0x40000, HAN),
    (0xE0000, 0xE1000, INVISIBLE),
    (0xF0000, 0x110000, CONTROL),
)
#: Letters of which two side by side are a flag.
FLAGS: Final = (0x1F1E6, 0x1F200)


def _letter_class(char: str, category: str) -> int:
    name = unicodedata.name(char, "")
    if 0xFF00 <= ord(char) <= 0xFFEF and unicodedata.normalize("NFKC", char).isascii():
        return FULLWIDTH
    compatible = unicodedata.normalize("NFKC", char)
    if compatible != char and compatible.isascii() and (0x2070 <= ord(char) < 0x2500):
        return FANCY
    kind = next((k for prefix, k in _SCRIPTS if name.startswith(prefix)), OTHER_LETTER)
    if name.startswith("HALFWIDTH KATAKANA"):
        kind = KANA
    return kind | UPPER if category == "Lu" and kind in (LATIN, CYRILLIC, GREEK) else kind


def _class(char: str) -> int:
    code, category = ord(char), unicodedata.category(char)
    if code == 0:
        return SEPARATOR
    if code in _INVISIBLE:
        return INVISIBLE
    if char in "\n\r\x0b\x0c\x85\u2028\u2029":
        return NEWLINE
    if char.isspace() or category == "Zs":
        return SPACE
    if 0x249C <= code <= 0x24E9:  # letters in circles and brackets; digits in them number lists
        return FANCY
    if char == "々":
        return HAN
    if category[0] == "L":
        return _letter_class(char, category)
    if category[0] == "N":
        return FULLWIDTH if 0xFF10 <= code <= 0xFF19 else DIGIT
    if category[0] == "M":
        return MARK
    return _sign_class(char, code, category)


def _sign_class(char: str, code: int, category: str) -> int:
    if char in _STOPS:
        return STOP
    if char in "!！¡":
        return EXCLAMATION
    if char in "?？¿":
        return QUESTION
    if category == "Sc":
        return CURRENCY
    if char in _TECHNICAL:
        return TECHNICAL
    if category in ("Ps", "Pe"):
        return BRACKET
    if category[0] == "P":
        return OTHER_PUNCTUATION
    if any(code in r for r in _EMOJI_BMP):
        return EMOJI
    return SYMBOL if category[0] == "S" else CONTROL


#: Bits of ``patterns``: what a character is to a regular expression and to ``str.isdigit``.
WORDLIKE: Final = 1
BLANK: Final = 2
DECIMAL: Final = 4
DIGITLIKE: Final = 8
#: A character that only Python's own tables can tell: unassigned when the table was made, or one that
#: matches an ASCII letter when case is ignored.
ASK: Final = 0x80
_LIKE_ASCII: Final = "\u0130\u0131\u017f\u212a"
#: ``foldings()`` holds this for characters whose folding depends on their neighbours (it can be no folding:
#: surrogates stand for themselves only in broken text, which is left to Python too).
ASK_FOLD: Final = 0xD800
#: Longest folding of one character in the table, and how many places one takes there.
FOLD_LETTERS: Final = 3


@cache
def patterns() -> NDArray[np.uint8]:
    """Bits of each code point below 65,536 (``WORDLIKE``, ``BLANK``, ``DECIMAL``, ``DIGITLIKE``, ``ASK``)."""
    loaded: NDArray[np.uint8] = np.load(_PATTERNS)
    return loaded


@cache
def foldings() -> NDArray[np.uint16]:
    """NFKC and case folding of each code point below 65,536 that folds the same beside any other.

    A value above ``ASK_FOLD`` (and below 0xE000) stands for several characters: with
    ``k = 65536 + 4 * (value - ASK_FOLD - 1)``, there are ``table[k]`` of them, from ``table[k + 1]`` on.
    """
    loaded: NDArray[np.uint16] = np.load(_FOLDINGS)
    return loaded


def _pattern(char: str) -> int:
    if unicodedata.category(char) == "Cn" or char in _LIKE_ASCII:
        return ASK
    word, blank = char.isalnum() or char == "_", char.isspace()
    return word * WORDLIKE | blank * BLANK | char.isdecimal() * DECIMAL | char.isdigit() * DIGITLIKE


def _folding(char: str) -> str | None:
    """What a character folds to whatever stands beside it; None where that depends."""
    plain = unicodedata.normalize("NFKC", char)
    # Marks compose with what stands before them and are put in order; so do the parts of Korean syllables.
    if any(unicodedata.category(c)[0] in "M" or unicodedata.category(c) in ("Cn", "Cs") for c in char + plain):
        return None
    if any(0x1100 <= ord(c) <= 0x11FF for c in char + plain):
        return None
    folded = plain.casefold()
    return folded if len(folded) <= FOLD_LETTERS and all(ord(c) < 0x10000 for c in folded) else None


def _fold_table() -> NDArray[np.uint16]:
    table, several = np.full(0x10000, ASK_FOLD, np.uint16), []
    for code in range(0x10000):
        folded = _folding(chr(code))
        if folded is not None and len(folded) == 1:
            table[code] = ord(folded)
        elif folded:
            several.append([len(folded), *map(ord, folded.ljust(FOLD_LETTERS, "\0"))])
            table[code] = ASK_FOLD + len(several)
    if len(several) >= 0xE000 - ASK_FOLD:
        raise ValueError(f"{len(several)} characters fold to several, more than surrogates to stand for them")
    return np.concatenate((table, np.array(several, np.uint16).ravel()))


if __name__ == "__main__":
    np.save(_PATH, np.array([_class(chr(i)) for i in range(0x10000)], np.uint8))
    np.save(_PATTERNS, np.array([_pattern(chr(i)) for i in range(0x10000)], np.uint8))
    np.save(_FOLDINGS, _fold_table())
