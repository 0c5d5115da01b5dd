"""Relatedness: what a comment shares with its title and article, weighted by how rare the words are.

Usage::

    table = relate(comments, contexts, context_of, idf)      # float64, shape (comments, len(COLUMNS))

Compared are words, stems (first letters) and pairs of words, each weighted by its inverse document
frequency in a background of articles (Spärck Jones 1972), kept by hash.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import compiled

__all__ = ["COLUMNS", "IDF_BITS", "Words", "pairs_of", "relate_words"]

#: Background frequencies are kept in 2**IDF_BITS places.
IDF_BITS: Final = 18
#: Words are counted apart by rarity, in so many steps of equal width.
IDF_BINS: Final = 6
COLUMNS: Final = (
    *("mass", "shared", "dot", "own", "context", "distinct", "both", "top"),
    *(f"only_{i}" for i in range(IDF_BINS)),
    *(f"both_{i}" for i in range(IDF_BINS)),
)

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Words = tuple[NDArray[np.uint32], I64]


def relate_words(mine: Words, theirs: Words, context_of: I64, idf: NDArray[np.float32]) -> F64:
    """Overlap of each comment's words with those of its context (``context_of``, -1: none).

    Columns: sum of the weights of the comment's different words; of those that the context has too;
    scalar product of the two tf-idf vectors; squared lengths of the comment's and of the context's
    vector; number of different words; number shared; largest weight shared; then, by rarity (weight times
    ``IDF_BINS``, rounded down), the number of different words the context lacks, and that it has.
    """
    if compiled.kernel is None:
        return _relate(mine, theirs, context_of, idf)
    out = np.zeros((len(mine[1]) - 1, len(COLUMNS)))
    order = np.argsort(context_of, kind="stable").astype(np.int64)
    compiled.kernel.relate(*mine, *theirs, order, context_of, idf, 32 - IDF_BITS, out)
    return out


def _tally(words: Words) -> tuple[I64, NDArray[np.uint64], F64, I64]:
    """Different words of each text: text, key, log1p(count), hash without its last bit."""
    word, ptr = words
    text = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    key, count = np.unique((text.astype(np.uint64) << np.uint64(31)) | (word >> np.uint32(1)), return_counts=True)
    own = (key & np.uint64(0x7FFFFFFF)).astype(np.int64)
    return (key >> np.uint64(31)).astype(np.int64), key, np.log1p(count.astype(np.float64)), own


def _relate(mine: Words, theirs: Words, context_of: I64, idf: NDArray[np.float32]) -> F64:
    n, shift = len(mine[1]) - 1, 31 - IDF_BITS
    text, _, tf, h = _tally(mine)
    ctext, ckey, ctf, ch = _tally(theirs)
    g, cg = idf[h >> shift].astype(np.float64), idf[ch >> shift].astype(np.float64)
    norm = np.bincount(ctext, (cg * ctf) ** 2, len(theirs[1]) - 1)
    context = context_of[text]
    look = (np.maximum(context, 0).astype(np.uint64) << np.uint64(31)) | h.astype(np.uint64)
    at = np.minimum(np.searchsorted(ckey, look), max(len(ckey) - 1, 0))
    hit = (context >= 0) & (ckey[at] == look if len(ckey) else np.zeros(len(look), np.bool_))
    there = np.where(hit, ctf[at], 0.0) if len(ckey) else np.zeros(len(look))
    top = np.zeros(n)
    np.maximum.at(top, text[hit], g[hit])
    columns = [
        np.bincount(text, g, n),
        np.bincount(text, g * hit, n),
        np.bincount(text, g * g * tf * there, n),
        np.bincount(text, (g * tf) ** 2, n),
        np.where(context_of >= 0, norm[context_of] if len(norm) else 0.0, 0.0),
        np.bincount(text, minlength=n),
        np.bincount(text[hit], minlength=n),
        top,
        *_by_rarity(text[(context >= 0) & ~hit], g[(context >= 0) & ~hit], n),
        *_by_rarity(text[hit], g[hit], n),
    ]
    return np.column_stack(columns)


def _by_rarity(text: I64, weight: F64, n: int) -> list[F64]:
    step = np.clip((weight * IDF_BINS).astype(np.int64), 0, IDF_BINS - 1)
    counts = np.bincount(text * IDF_BINS + step, minlength=n * IDF_BINS).reshape(n, IDF_BINS)
    return list(counts.T.astype(np.float64))


def pairs_of(words: Words) -> Words:
    """Neighbouring words as hashed pairs."""
    word, ptr = words
    n = np.maximum(np.diff(ptr) - 1, 0)
    text = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    same = text[1:] == text[:-1]
    pair = (word[:-1] * np.uint32(0x9E3779B1) ^ (word[1:] >> np.uint32(3))) * np.uint32(0x85EBCA6B)
    out = np.zeros(len(ptr), np.int64)
    out[1:] = np.cumsum(n)
    return pair[same], out
