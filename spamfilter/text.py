"""str → str and str → facts: folding of disguised words, the texts of a batch as one array of characters.

Usage::

    fold("Ｖ\u200bіаgrа") == "viagra"
    batch = encode(["one text", "another"])
    batch.points, batch.classes, batch.starts          # of the folded texts, back to back
"""

from __future__ import annotations

import unicodedata
from codecs import utf_32_le_decode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter import compiled as loops

__all__ = ["Batch", "encode", "fold", "is_disguised"]

Points = NDArray[np.uint32]
Classes = NDArray[np.uint8]
Starts = NDArray[np.int64]

# Cyrillic, Greek and other letters that look like a Latin one (after case folding).  Used only in words
# that mix scripts, so that Russian and Greek words stay what they are.
_LOOKALIKES: Final = dict(
    zip(
        "авекмнорстухіјѕԁԛԝьгпѵһӏ" + "αβγεηικνορτυχωϲϳ" + "օսհոցզ" + "ıɡɑɩɪʀʏᴀᴄᴅᴇᴍɴᴏᴘᴛᴜᴠᴡᴢ",
        "abekmhopctyxijsdqwbrnvhl" + "abyenikvoptuxwcj" + "ouhngq" + "igaliryacdemnoptuvwz",
        strict=True,
    )
)
#: Single letters in a row, with one separator between each, from which on they are read as one word
#: ("v i a g r a"); shorter runs are initials and enumerations.
SPACED_LETTERS: Final = 4
_SEPARATOR: Final = 0
_ABOVE: Final = np.array(cc.ABOVE, np.int64)
_NO_POINTS: Final = np.zeros(0, np.uint32)
_NO_STARTS: Final = np.zeros(1, np.int64)


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts as arrays of characters, back to back, each followed by NUL.

    ``points`` (uint32) and ``classes`` (uint8, without the upper-case bit) hold the folded texts;
    text ``i`` is ``points[starts[i] : starts[i + 1] - 1]``.  ``raw_points`` and ``raw_starts``
    are those of the texts as given, ``counts`` (int32, texts × character classes, the NUL included)
    and ``upper`` (int32, texts) how many characters of each class and capitals those have;
    ``folds`` (int32, texts × 3) counts what folding changed: invisible characters taken out, letters
    replaced in mixed words, spaced letters joined.
    """

    points: Points
    classes: Classes
    starts: Starts
    raw_points: Points
    raw_starts: Starts
    counts: NDArray[np.int32]
    upper: NDArray[np.int32]
    folds: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def spelled(self, begin: int, end: int) -> str:
        """The folded characters of this place; half of a surrogate pair becomes the replacement character."""
        # The codec itself: to look it up by its name takes three times as long as the few letters do.
        return utf_32_le_decode(self.points[begin:end].tobytes(), "replace", True)[0]

    def only(self, i: int) -> Batch:
        """Text ``i`` alone: what ``encode`` makes of it by itself, without a copy."""
        return self.part(i, i + 1)

    def part(self, first: int, last: int) -> Batch:
        """Texts ``first`` to ``last`` (that one not): what ``encode`` makes of them, without a copy."""
        if last - first == len(self):
            return self
        begin, end = self.starts[first], self.starts[last]
        raw_begin, raw_end = self.raw_starts[first], self.raw_starts[last]
        return Batch(
            self.points[begin:end],
            self.classes[begin:end],
            self.starts[first : last + 1] - begin,
            self.raw_points[raw_begin:raw_end],
            self.raw_starts[first : last + 1] - raw_begin,
            self.counts[first:last],
            self.upper[first:last],
            self.folds[first:last],
        )

    def copy(self) -> Batch:
        """The same in memory of its own."""
        return Batch(*[getattr(self, name).copy() for name in self.__slots__])


def fold(text: str) -> str:
    """``text`` in lower case, compatibility forms and look-alike letters made plain, spaced words joined."""
    batch = encode([text])
    return batch.points[:-1].tobytes().decode("utf-32-le", "surrogatepass")


def is_disguised(word: str) -> bool:
    """Whether a word can be read as one of plain Latin letters though some of its letters are others ("аррӏе")."""
    foreign = [c for c in word.lower() if not c.isascii()]
    return bool(foreign) and all(c in _LOOKALIKES for c in foreign)


def encode(texts: Sequence[str]) -> Batch:
    """The texts as one ``Batch``; the result for a text does not depend on the others."""
    raw = np.frombuffer(_join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    return _encode(raw, len(texts)) if loops.kernel is None else _encode_compiled(loops.kernel, raw, len(texts))


def _encode(raw: Points, n: int) -> Batch:
    starts, classes = _starts(raw), _without_flags(raw, cc.classes_of(raw))
    owner = np.repeat(np.arange(n), np.diff(starts))
    counts = np.bincount(owner * cc.CLASSES + (classes & 0x7F), minlength=n * cc.CLASSES)
    upper = np.bincount(owner[classes >= cc.UPPER], minlength=n)
    folds = np.zeros((n, 3), np.int32)
    folded = _join_spaced(*_fold_points(raw, classes, folds), folds)
    return Batch(*folded, raw, starts, counts.reshape(n, cc.CLASSES).astype(np.int32), upper.astype(np.int32), folds)


def _encode_compiled(kernel: ModuleType, raw: Points, n: int) -> Batch:
    table, above, foldings = cc.table(), _ABOVE, cc.foldings()
    raw_starts, starts = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    counts, upper, folds = np.zeros((n, cc.CLASSES), np.int32), np.zeros(n, np.int32), np.zeros((n, 3), np.int32)
    odd, odd_points, odd_starts = np.zeros(n, np.uint8), _NO_POINTS, _NO_STARTS
    room = kernel.survey(raw, table, above, foldings, raw_starts, counts, upper, folds, odd)
    if odd.any():
        places = np.flatnonzero(odd).tolist()
        odd_points = _unicode_fold(np.concatenate([raw[raw_starts[i] : raw_starts[i + 1]] for i in places]))
        odd_starts = _starts(odd_points)
        room += len(odd_points)
    points, classes = np.empty(room, np.uint32), np.empty(room, np.uint8)
    used = kernel.fold(
        *(raw, raw_starts, table, above, foldings, _lookalike_table()),
        *(odd, odd_points, odd_starts, points, classes, starts, folds),
    )
    return Batch(points[:used], classes[:used], starts, raw, raw_starts, counts, upper, folds)


def _unicode_fold(raw: Points) -> Points:
    """Compatibility composition and case folding, the characters that show nothing taken out before."""
    hidden = cc.classes_of(raw) == cc.INVISIBLE
    text = raw[~hidden].tobytes().decode("utf-32-le", "surrogatepass")
    # A compatibility form may spell a blank, never a NUL: the texts stay apart.
    folded = unicodedata.normalize("NFKC", text).casefold()
    return np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)


def _join(texts: Sequence[str]) -> str:
    joined = "\0".join(texts) + "\0" if texts else ""
    if joined.count("\0") != len(texts):
        joined = "\0".join(t.replace("\0", " ") for t in texts) + "\0"
    return joined


def _starts(points: Points) -> Starts:
    ends = np.flatnonzero(points == _SEPARATOR)
    starts = np.zeros(len(ends) + 1, np.int64)
    starts[1:] = ends + 1
    return starts


def _fold_points(raw: Points, raw_classes: Classes, folds: NDArray[np.int32]) -> tuple[Points, Classes, Starts]:
    if (raw_classes == cc.INVISIBLE).any():
        folds[:, 0] = _per_text(_hiding(raw_classes & np.uint8(0x7F)), raw)
    points = _unicode_fold(raw)
    starts = _starts(points)
    classes: Classes = cc.classes_of(points) & np.uint8(0x7F)
    points, classes = _plain_letters(points, classes, folds)
    return points, classes, starts


#: Classes of letters and digits between which nothing invisible belongs: scripts that join their letters (Arabic, the
#: Indian ones), emoji and flags need such characters.
_UNJOINED: Final = (cc.LATIN, cc.DIGIT, cc.CYRILLIC, cc.GREEK, cc.FULLWIDTH, cc.FANCY)


def _hiding(classes: Classes) -> NDArray[np.bool_]:
    """Which characters are invisible and part a word: between two letters or digits of scripts that do not join them,
    or between one and a bracket."""
    hidden = classes == cc.INVISIBLE
    place = np.arange(len(classes))
    before = np.maximum.accumulate(np.where(hidden, -1, place))
    after = np.minimum.accumulate(np.where(hidden, len(classes), place)[::-1])[::-1]
    # 2 for letters, 1 for brackets; the last character of a batch is no invisible one: texts end with a separator.
    side = 2 * np.isin(classes, _UNJOINED) + (classes == cc.BRACKET)
    left, right = np.where(before >= 0, side[before], 0), side[np.minimum(after, len(classes) - 1)]
    out: NDArray[np.bool_] = hidden & (left * right >= 2)
    return out


def _without_flags(raw: Points, classes: Classes) -> Classes:
    """The classes, where two letters side by side that make a flag are a picture."""
    flags = (raw >= cc.FLAGS[0]) & (raw < cc.FLAGS[1])
    if not flags.any():
        return classes
    place = np.arange(len(raw))
    nth = place - np.maximum.accumulate(np.where(flags, -1, place))  # 1 for the first letter of a run
    second = flags & (nth % 2 == 0)
    first = np.append(second[1:], False)
    return np.where(first | second, np.uint8(cc.EMOJI), classes)


def _per_text(hits: NDArray[np.bool_], points: Points) -> NDArray[np.int32]:
    """How many of ``hits`` stand in each text."""
    owner = np.cumsum(points == _SEPARATOR)
    texts = int(owner[-1]) if owner.size else 0
    return np.bincount(owner[hits], minlength=texts + 1)[:texts].astype(np.int32)


@cache
def _lookalike_table() -> NDArray[np.uint16]:
    table = np.arange(0x10000, dtype=np.uint16)
    for other, latin in _LOOKALIKES.items():
        table[ord(other)] = ord(latin)
    return table


def _plain_letters(points: Points, classes: Classes, folds: NDArray[np.int32]) -> tuple[Points, Classes]:
    """Replace look-alike letters in words that mix Latin letters with others."""
    foreign = (
        ((classes >= cc.CYRILLIC) & (classes <= cc.GREEK))
        | (classes == cc.OTHER_LETTER)
        | (points > 0x250) & (points < 0x2B0)
    )
    if not foreign.any():
        return points, classes
    word = (classes >= cc.WORD[0]) & (classes <= cc.WORD[1])
    begins = np.flatnonzero(word & ~np.concatenate(([False], word[:-1])))
    lengths_end = np.flatnonzero(word & ~np.concatenate((word[1:], [False]))) + 1
    plain = np.concatenate(([0], np.cumsum((classes == cc.LATIN) & ~foreign)))
    strange = np.concatenate(([0], np.cumsum(foreign)))
    mixed = (plain[lengths_end] > plain[begins]) & (strange[lengths_end] > strange[begins])
    if not mixed.any():
        return points, classes
    inside = np.zeros(len(points) + 1, np.int8)
    np.add.at(inside, begins[mixed], 1)
    np.add.at(inside, lengths_end[mixed], -1)
    where = np.flatnonzero((np.cumsum(inside[:-1]) > 0) & foreign & (points < 0x10000))
    new = _lookalike_table()[points[where]]
    changed = where[new != points[where]]
    points = points.copy()
    points[where] = new
    classes[where] = cc.classes_of(points[where]) & 0x7F
    hit = np.zeros(len(points), np.bool_)
    hit[changed] = True
    folds[:, 1] = _per_text(hit, points)
    return points, classes


def _join_spaced(
    points: Points, classes: Classes, starts: Starts, folds: NDArray[np.int32]
) -> tuple[Points, Classes, Starts]:
    """Take the separators out of words written letter by letter."""
    n = len(points)
    if n < 2 * SPACED_LETTERS:
        return points, classes, starts
    word = (classes >= cc.WORD[0]) & (classes <= cc.WORD[1]) & (classes != cc.DIGIT)
    alone = word.copy()
    alone[1:] &= ~word[:-1]
    alone[:-1] &= ~word[1:]
    link = np.zeros(n, np.bool_)  # a single letter, one separator, a single letter
    link[:-2] = alone[:-2] & alone[2:] & (classes[1:-1] != cc.SEPARATOR) & (classes[1:-1] != cc.NEWLINE)
    if not (link[:-4] & link[2:-2] & link[4:]).any():
        return points, classes, starts
    gone = np.zeros(n, np.bool_)
    for parity in (0, 1):
        own = link[parity::2]
        edges = np.flatnonzero(np.diff(np.concatenate(([0], own.view(np.int8), [0]))))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            if end - begin >= SPACED_LETTERS - 1:
                gone[parity + 1 + 2 * np.arange(begin, end)] = True
    folds[:, 2] = _per_text(gone, points)
    points, classes = points[~gone], classes[~gone]
    return points, classes, _starts(points)
