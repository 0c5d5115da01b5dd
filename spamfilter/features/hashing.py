"""Hashed word and character n-grams.

Usage::

    grams = NGrams(word_bits=18, char_bits=19)
    index, count, ptr = grams.counts(encode(texts))              # one sparse row a text
    word, char = grams.dot(encode(texts), word_weights, char_weights).T

Words are runs of letters and digits, each sign a word of its own, each Chinese or Japanese
character too; word grams are single words and neighbouring pairs.  Character grams are 2 to 5
characters long, inside words with a blank on either side.  A gram is hashed as a polynomial in its
characters modulo 2^64 and mixed; its number is the top bits.  Its value in a row is
``log1p(count) / sqrt(distinct)``, ``distinct`` being the number of different grams of its kind in
the text (log counts: Rennie et al. 2003, without the document frequencies).

``_kernel.c`` computes the same faster; the NumPy code here defines it and serves where no compiler
was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter import compiled as loops
from spamfilter.text import Batch

__all__ = ["NGrams", "compiled", "distinct_words", "word_hashes"]

_BASE: Final = 0x9E3779B97F4A7C15
_MIX: Final = 0xD6E8FEB86659FD93
_SALT_STEP: Final = 0xA0761D6478BD642F
_MASK64: Final = (1 << 64) - 1
#: Counts above it do not matter to log1p(count).
COUNT_CAP: Final = 1023
#: Stems are the first letters of a word: a cheap fold of inflections that needs no language.
STEM_LETTERS: Final = 5
# What the next occurrence adds to log1p(count), by the count before it.
_DELTA: Final = np.append(np.diff(np.log1p(np.arange(COUNT_CAP + 1, dtype=np.float64))), 0.0)

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
Weights = NDArray[np.float32]


def compiled() -> bool:
    """True if the compiled loops are installed."""
    return loops.kernel is not None


def mix(h: U64) -> U64:
    """The final mix of a 64-bit hash, element by element."""
    h = h ^ (h >> np.uint64(32))
    h = h * np.uint64(_MIX)
    h = h ^ (h >> np.uint64(29))
    return h * np.uint64(_BASE)


@dataclass(frozen=True, slots=True)
class Grams:
    """Every occurrence of a gram: its text, kind (0 word, 1 character), number, and place in the folded batch."""

    text: I64
    kind: NDArray[np.int8]
    number: NDArray[np.int64]
    start: I64
    end: I64


@dataclass(frozen=True, slots=True)
class NGrams:
    """A hashing of texts into ``2**word_bits`` word numbers and ``2**char_bits`` character numbers.

    ``salt`` tells apart the hashings of different fields (text, author, URL).
    """

    word_bits: int = 18
    char_bits: int = 19
    salt: int = 0

    @property
    def width(self) -> int:
        """Number of columns of a row: words first, then characters."""
        return (1 << self.word_bits) + (1 << self.char_bits)

    def counts(self, batch: Batch) -> tuple[NDArray[np.int32], NDArray[np.int32], I64]:
        """Numbers and counts of the grams of each text as a sparse matrix (index, count, ptr)."""
        if loops.kernel is None:
            return self._counts(batch)
        room = 7 * len(batch.points) + 16 * len(batch)
        index, count = np.empty(room, np.int32), np.empty(room, np.int32)
        ptr = np.zeros(len(batch) + 1, np.int64)
        used = loops.kernel.ngram_counts(*_arrays(batch), self.word_bits, self.char_bits, self.salt, index, count, ptr)
        return index[:used].copy(), count[:used].copy(), ptr

    def dot(self, batch: Batch, word: Weights, char: Weights) -> NDArray[np.float64]:
        """Products of each text's row with the weights, words and characters apart: shape (texts, 2)."""
        return self.dots(batch, [(word, char)])[:, 0, :]

    def dots(self, batch: Batch, tables: Sequence[tuple[Weights, Weights]]) -> NDArray[np.float64]:
        """``dot`` with several tables of weights (words, characters) at once: shape (texts, tables, 2)."""
        if loops.kernel is None:
            return np.stack([self._dot(batch, word, char) for word, char in tables], axis=1)
        out = np.zeros((len(batch), len(tables), 2))
        flat = tuple(array for pair in tables for array in pair)
        with _counts_of(self.width) as count:
            loops.kernel.ngram_dot(*_arrays(batch), self.word_bits, self.char_bits, self.salt, _DELTA, count, flat, out)
        return out

    def values(self, index: NDArray[np.int32], count: NDArray[np.int32], ptr: I64) -> NDArray[np.float64]:
        """``log1p(count) / sqrt(distinct)`` of the entries that ``counts`` returned."""
        rows = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
        is_char = index >= (1 << self.word_bits)
        distinct = np.bincount(2 * rows + is_char, minlength=2 * (len(ptr) - 1))
        scale = 1.0 / np.sqrt(np.maximum(distinct, 1))
        out: NDArray[np.float64] = np.log1p(np.minimum(count, COUNT_CAP)) * scale[2 * rows + is_char]
        return out

    def occurrences(self, batch: Batch) -> Grams:
        """Every gram with its place: what ``counts`` counts, and what an explanation points at."""
        words, chars = self._word_grams(batch), self._char_grams(batch)
        parts = [np.concatenate(pair) for pair in zip(words, chars, strict=True)]
        kind = np.zeros(len(parts[0]), np.int8)
        kind[len(words[0]) :] = 1
        return Grams(parts[0], kind, parts[1], parts[2], parts[3])

    def word_grams(self, batch: Batch) -> tuple[I64, I64, I64]:
        """Number of every word and pair of words, and its place in the folded batch: (number, start, end)."""
        return self._word_grams(batch)[1:]

    def _word_grams(self, batch: Batch) -> tuple[I64, I64, I64, I64]:
        begin, end, h, text = tokens(batch)
        salt = np.uint64(self.salt)
        single = mix(h + salt)
        same = text[1:] == text[:-1]
        pair = mix(h[:-1] * np.uint64(_MIX) + h[1:] + np.uint64((self.salt + _SALT_STEP) & _MASK64))[same]
        number = (np.concatenate((single, pair)) >> np.uint64(64 - self.word_bits)).astype(np.int64)
        return (
            np.concatenate((text, text[1:][same])),
            number,
            np.concatenate((begin, begin[:-1][same])),
            np.concatenate((end, end[1:][same])),
        )

    def _char_grams(self, batch: Batch) -> tuple[I64, I64, I64, I64]:
        run = (batch.classes >= cc.LATIN) & (batch.classes <= cc.KANA)
        # A blank before the first text; whatever is not part of a word counts as a blank.
        points = np.concatenate(([32], np.where(run, batch.points, 32))).astype(np.uint64)
        inside = np.concatenate(([False], run))
        owner = np.concatenate(([0], np.cumsum(batch.points == 0)))[: len(points)]
        owner = np.concatenate(([0], owner[: len(points) - 1])) if len(points) else owner
        ends = np.concatenate(([0], np.cumsum(inside)))
        text, number, start, stop = [], [], [], []
        h, power = points.copy(), 1
        for n in range(2, 6):
            if len(points) < n:
                break
            power = power * _BASE & _MASK64
            h = h[: len(points) - n + 1] + points[n - 1 :] * np.uint64(power)
            at = np.arange(len(points) - n + 1)
            valid = ends[at + n - 1] - ends[at + 1] == n - 2
            if n == 2:
                valid = inside[at] | inside[at + 1]
            at = at[valid]
            g = mix(h[valid] + np.uint64((self.salt + n * _SALT_STEP) & _MASK64))
            number.append((g >> np.uint64(64 - self.char_bits)).astype(np.int64) + (1 << self.word_bits))
            text.append(_owner(batch, np.where(inside[at], at, at + 1) - 1))
            start.append(np.maximum(at - 1, 0))
            stop.append(np.minimum(at - 1 + n, len(points) - 1))
        none = [np.zeros(0, np.int64)]
        joined = [np.concatenate(part or none) for part in (text, number, start, stop)]
        return joined[0], joined[1], joined[2], joined[3]

    def _counts(self, batch: Batch) -> tuple[NDArray[np.int32], NDArray[np.int32], I64]:
        grams = self.occurrences(batch)
        key, count = np.unique(grams.text * self.width + grams.number, return_counts=True)
        rows = key // self.width
        ptr = np.zeros(len(batch) + 1, np.int64)
        ptr[1:] = np.cumsum(np.bincount(rows, minlength=len(batch)))
        return (key % self.width).astype(np.int32), np.minimum(count, COUNT_CAP).astype(np.int32), ptr

    def _dot(self, batch: Batch, word: Weights, char: Weights) -> NDArray[np.float64]:
        index, count, ptr = self._counts(batch)
        value = np.concatenate((word, char))[index].astype(np.float64) * self.values(index, count, ptr)
        rows = 2 * np.repeat(np.arange(len(batch)), np.diff(ptr)) + (index >= (1 << self.word_bits))
        out: NDArray[np.float64] = np.bincount(rows, value, 2 * len(batch)).astype(np.float64).reshape(-1, 2)
        return out


_spare: Final[dict[int, list[NDArray[np.uint16]]]] = {}


@contextmanager
def _counts_of(width: int) -> Iterator[NDArray[np.uint16]]:
    """An array of ``width`` zeros, to be left as zeros: kept for the next call, since clearing costs more than use.

    Each thread that is inside holds one of its own; ``list.pop`` and ``append`` are atomic.
    """
    spare = _spare.setdefault(width, [])
    try:
        count = spare.pop()
    except IndexError:
        count = np.zeros(width, np.uint16)
    yield count
    spare.append(count)


def _arrays(batch: Batch) -> tuple[Any, Any, Any]:
    return batch.points, batch.classes, batch.starts


def _owner(batch: Batch, places: I64) -> I64:
    """The text that each place of the batch belongs to."""
    return np.searchsorted(batch.starts, places, side="right").astype(np.int64) - 1


def _powers(n: int, base: int) -> U64:
    out = np.full(n, base, np.uint64)
    if n:
        out[0] = 1
    with np.errstate(over="ignore"):
        return np.multiply.accumulate(out)


_INVERSE: Final = pow(_BASE, -1, 1 << 64)


def tokens(batch: Batch) -> tuple[I64, I64, U64, I64]:
    """Words and signs of the batch: begin, end, polynomial hash, text."""
    c = batch.classes
    word = (c >= cc.WORD[0]) & (c <= cc.WORD[1])
    gap = (c <= cc.NEWLINE) | (c >= cc.INVISIBLE)
    goes_on = np.concatenate(([False], word[:-1])) & word
    begin = np.flatnonzero(~gap & ~goes_on).astype(np.int64)
    more = np.concatenate((word[1:], [False])) & word
    end = np.flatnonzero(~gap & ~more).astype(np.int64) + 1
    return begin, end, _polynomial(batch.points, begin, end), _owner(batch, begin)


def _polynomial(points: NDArray[np.uint32], begin: I64, end: I64) -> U64:
    """Sum of ``points[begin + k] * BASE**k`` modulo 2^64, by prefix sums and the inverse of BASE."""
    total = np.zeros(len(points) + 1, np.uint64)
    np.cumsum(points.astype(np.uint64) * _powers(len(points), _BASE), out=total[1:])
    return (total[end] - total[begin]) * _powers(len(points) + 1, _INVERSE)[begin]


def word_hashes(batch: Batch) -> tuple[NDArray[np.uint32], NDArray[np.uint32], I64]:
    """32-bit hashes of the words and of their stems, text by text: (word, stem, ptr).

    Signs are left out.  In Chinese and Japanese each pair of neighbouring characters stands for a word.
    """
    if loops.kernel is None:
        return _word_hashes(batch)
    room = len(batch.points)
    word, stem, ptr = np.empty(room, np.uint32), np.empty(room, np.uint32), np.zeros(len(batch) + 1, np.int64)
    used = loops.kernel.words(*_arrays(batch), STEM_LETTERS, word, stem, ptr)
    return word[:used].copy(), stem[:used].copy(), ptr


def distinct_words(word: NDArray[np.uint32], ptr: I64) -> I64:
    """Number of different words of each text."""
    out = np.zeros(len(ptr) - 1, np.int64)
    if loops.kernel is not None:
        loops.kernel.distinct(word, ptr, out)
        return out
    text = np.repeat(np.arange(len(out)), np.diff(ptr)).astype(np.uint64)
    key = np.unique(text << np.uint64(32) | word) >> np.uint64(32)
    return np.bincount(key.astype(np.int64), minlength=len(out))


def _word_hashes(batch: Batch) -> tuple[NDArray[np.uint32], NDArray[np.uint32], I64]:
    begin, end, h, text = tokens(batch)
    kind = batch.classes[begin]
    is_word = (kind >= cc.WORD[0]) & (kind <= cc.WORD[1])
    is_cjk = (kind >= cc.CJK[0]) & (kind <= cc.CJK[1])
    follows = np.concatenate(([False], is_cjk[:-1] & (end[:-1] == begin[1:]) & (text[:-1] == text[1:]))) & is_cjk
    leads = np.concatenate((follows[1:], [False]))
    after = np.concatenate((h[1:], h[:1])) if len(h) else h
    whole = np.where(leads, h + after * np.uint64(_BASE), h)
    short = np.where(is_word, _polynomial(batch.points, begin, np.minimum(end, begin + STEM_LETTERS)), whole)
    keep = is_word | (is_cjk & (leads | ~follows))
    ptr = np.zeros(len(batch) + 1, np.int64)
    ptr[1:] = np.cumsum(np.bincount(text[keep], minlength=len(batch)))
    shift = np.uint64(32)
    return (mix(whole[keep]) >> shift).astype(np.uint32), (mix(short[keep]) >> shift).astype(np.uint32), ptr
