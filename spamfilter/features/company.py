"""Company: what a comment shares with the other comments of its page, weighted by how rare the words are.

Usage::

    table = company(words, Seats(thread_of, place, trust), idf)      # float64, shape (comments, len(COLUMNS))

Readers who are off the article are often on the thread: they answer each other.  An off-topic passage and spun spam
share words with neither.  But campaigns repeat on one page, so near-duplicates of a comment are no company to it, and
others are as far as they are trusted: by the probability that they are no spam.  Words are weighted by their inverse
document frequency, as in ``spamfilter.features.relatedness``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import compiled
from spamfilter.features.relatedness import IDF_BITS, Words, pairs_of

__all__ = ["COLUMNS", "MEASURES", "REACH", "Seats", "company", "confidence", "measures", "places"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: Comments so many places away on either side are looked at: replies stand near, and a video with 400 comments must
#: not look different from a page with 40.
REACH: Final = 40
#: Share of the pairs of neighbouring words of two comments that both have, from which on they are near-duplicates:
#: less than ``spamfilter.campaigns.ALIKE``, since here a spun text that is missed counts as a reader.
ALIKE: Final = 0.4
#: Comments with fewer different pairs of words are near-duplicates only if they are the same.
FEWEST_PAIRS: Final = 4
#: Of the different words: weight shared with anyone; largest weight shared; weight shared with the one other comment
#: that has most of it; weight shared with two or more; weight; number.  Others there are; a near-duplicate is there.
COLUMNS: Final = ("shared", "top", "best", "twice", "mass", "distinct", "others", "alike")


@dataclass(frozen=True, slots=True)
class Seats:
    """Which page each comment is on (``thread_of``, -1: none known), its place there, and how far it is trusted.

    ``trust`` runs from 0 to 1; a comment of trust 0 is nobody's company.  Comments of one page that have the same
    place do not see each other.
    """

    thread_of: I64
    place: I64
    trust: F64

    @classmethod
    def in_order(cls, thread_of: I64, trust: F64) -> Seats:
        """Places of each page counted from 0, in the order of the comments."""
        return cls(thread_of, places(thread_of), trust)


def places(thread_of: I64) -> I64:
    """How many comments of the same page stand before each."""
    order = np.argsort(thread_of, kind="stable")
    first = np.searchsorted(thread_of[order], thread_of[order])
    out = np.empty(len(order), np.int64)
    out[order] = np.arange(len(order)) - first
    return out


def company(words: Words, seats: Seats, idf: NDArray[np.float32]) -> F64:
    """What each comment shares with others of its page that are no near-duplicates, by ``COLUMNS``.

    ``words`` are the hashed words of the comments.  A word counts as shared as far as those who have it are trusted
    together, at most once.  Zeros for comments without a page.
    """
    thread_of, place = (np.ascontiguousarray(a, np.int64) for a in (seats.thread_of, seats.place))
    trust = np.ascontiguousarray(seats.trust, np.float64)
    order = np.lexsort((place, thread_of))
    order = order[thread_of[order] >= 0]
    out = np.zeros((len(words[1]) - 1, len(COLUMNS)))
    if compiled.kernel is None:
        _company(words, Seats(thread_of, place, trust), order, idf, out)
    else:
        settings = (idf, 32 - IDF_BITS, REACH, FEWEST_PAIRS, ALIKE)
        compiled.kernel.company(*words, order, thread_of, place, trust, *settings, out)
    return out


#: What ``measures`` makes of ``COLUMNS``: shares and logarithms, so that nothing grows with the length of a comment.
MEASURES: Final = ("share", "top", "best", "twice", "mass", "density", "others")


def measures(table: F64) -> F64:
    """Bounded measures by ``MEASURES`` of a table by ``COLUMNS``."""
    shared, top, best, twice, mass, distinct, others, _ = table.T
    # A comment of one common word shares all of it with somebody: not with a weight of its own.
    some = np.maximum(mass, 1.0)
    share, density = shared / np.maximum(mass, 1e-9), shared / np.maximum(distinct, 1.0)
    return np.array((share, top, best / some, twice / some, np.log1p(mass), density, np.log1p(others))).T


def confidence(table: F64) -> F64:
    """How much the company of each comment says, 0 to 1: little where the others are few or not trusted."""
    others = table[:, COLUMNS.index("others")]
    out: F64 = others / (others + 1.0)
    return out


# ---------------------------------------------------------------------- the twin of the compiled loop
def _company(words: Words, seats: Seats, order: I64, idf: NDArray[np.float32], out: F64) -> None:
    thread = seats.thread_of[order]
    for rows in np.split(order, np.flatnonzero(np.diff(thread)) + 1) if len(order) else ():
        out[rows] = _page(_of_rows(words, rows), seats.place[rows], seats.trust[rows], idf)


def _of_rows(words: Words, rows: I64) -> Words:
    word, ptr = words
    parts = [word[ptr[i] : ptr[i + 1]] for i in rows.tolist()]
    return np.concatenate(parts), np.concatenate(([0], np.cumsum([len(p) for p in parts])))


def _page(words: Words, place: I64, trust: F64, idf: NDArray[np.float32]) -> F64:
    m = len(place)
    seen = np.abs(place[:, np.newaxis] - place) <= REACH
    seen &= place[:, np.newaxis] != place
    near = _near(words, seen)
    there = seen & ~near
    key, row = _distinct(words)
    g = idf[key >> (31 - IDF_BITS)].astype(np.float64)
    one, other = _meetings(key)
    kept = there[row[one], row[other]]
    one, other = one[kept], other[kept]
    together = np.bincount(one, trust[row[other]], len(key))
    shared, twice = g * np.minimum(together, 1.0), g * np.minimum(np.maximum(together - 1.0, 0.0), 1.0)
    top, best = np.zeros(m), np.bincount(row[one] * m + row[other], g[one], m * m).reshape(m, m) * trust
    np.maximum.at(top, row, shared)
    return np.column_stack(
        [
            np.bincount(row, shared, m),
            top,
            best.max(axis=1),
            np.bincount(row, twice, m),
            np.bincount(row, g, m),
            np.bincount(row, minlength=m),
            [float(np.bincount(np.zeros(t.sum(), np.int64), trust[t], 1)[0]) for t in there],
            (near & (trust > 0)).any(axis=1),
        ]
    )


def _near(words: Words, seen: Mask) -> Mask:
    """Which comments are near-duplicates of each other, of those that see each other."""
    m = len(seen)
    key, row = _distinct(pairs_of(words))
    one, other = _meetings(key)
    both = np.bincount(row[one] * m + row[other], minlength=m * m).reshape(m, m)
    size = np.bincount(row, minlength=m)
    either = size[:, np.newaxis] + size - both
    out: Mask = (np.minimum(size[:, np.newaxis], size) >= FEWEST_PAIRS) & (both >= ALIKE * either)
    word, ptr = words
    number: dict[bytes, int] = {}
    same = np.array([number.setdefault(word[a:b].tobytes(), len(number)) for a, b in pairwise(ptr.tolist())])
    out = seen & (out | (same[:, np.newaxis] == same))
    return out


def _distinct(words: Words) -> tuple[I64, I64]:
    """Different words, by hash without its last bit, and the comment of each; those of the same word together."""
    word, ptr = words
    row = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr)).astype(np.uint64)
    both = np.unique(((word >> np.uint32(1)).astype(np.uint64) << np.uint64(32)) | row)
    return (both >> np.uint64(32)).astype(np.int64), (both & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _meetings(key: I64) -> tuple[I64, I64]:
    """All pairs of places (also of a place with itself) that have the same key; ``key`` is sorted."""
    begin = np.flatnonzero(np.diff(key, prepend=-1))
    length = np.diff(begin, append=len(key))
    many, first = np.repeat(length, length), np.repeat(begin, length)
    one = np.repeat(np.arange(len(key)), many)
    other = np.arange(len(one)) - np.repeat(np.cumsum(many) - many, many) + first[one]
    return one, other
