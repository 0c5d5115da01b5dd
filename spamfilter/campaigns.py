"""Texts that repeat, whole or with small changes: campaigns for training, near-duplicates for checks.

Usage::

    campaigns_of(texts)                    # number of the campaign of each text; fast, approximate
    for i, j in repeats(texts): ...        # pairs of texts that are nearly the same; exact
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.features.hashing import word_hashes
from spamfilter.features.relatedness import pairs_of
from spamfilter.minhash import BANDS, ROWS, lowest
from spamfilter.text import Batch, encode

__all__ = ["ALIKE", "campaign_sizes", "campaigns_of", "repeats"]

I64 = NDArray[np.int64]
#: Texts with fewer pairs of words than this are a campaign only if they are the same ("thanks!").
FEWEST_PAIRS: Final = 4
#: Share of pairs of neighbouring words, of all that either text has, from which on two texts are near-duplicates.
#: Half: one sentence of two rewritten still counts, two texts on one subject do not.
ALIKE: Final = 0.5
#: Texts compared with all others at once: bounds the memory of the products.
_AT_ONCE: Final = 1000


def campaigns_of(texts: Sequence[str]) -> I64:
    """Number of the campaign of each text: texts that repeat, whole or with small changes, share one.

    MinHash over pairs of neighbouring words in bands (see ``spamfilter.minhash``); very
    short texts are joined only if they are the same after folding.
    """
    batch = encode(texts)
    pair, pair_ptr = _pairs(batch)
    parent = np.arange(len(texts))
    long = np.flatnonzero(np.diff(pair_ptr) >= FEWEST_PAIRS)
    for keys, places in _band_keys(pair, pair_ptr, long):
        _join(parent, keys, places)
    _join(parent, _folded(batch), range(len(texts)))
    roots = np.array([_root(parent, i) for i in range(len(texts))], np.int64)
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def campaign_sizes(texts: Sequence[str]) -> I64:
    """How many of the texts belong to the campaign of each text (1: it stands alone)."""
    campaign = campaigns_of(texts)
    return np.bincount(campaign)[campaign].astype(np.int64)


def repeats(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs (earlier, later) of near-duplicates: the same after folding (letter case, look-alike letters,
    spacing), or at least ``ALIKE`` of the pairs of neighbouring words of both are the same (Jaccard).

    Texts with fewer than ``FEWEST_PAIRS`` different pairs of words count only if they are the same.
    Time grows with the square of the number of texts: a second for 5,000, half a minute for 30,000.
    """
    from scipy import sparse

    batch = encode([" ".join(t.split()) for t in texts])
    yield from _same(_folded(batch))
    pair, ptr = _pairs(batch)
    key, column = np.unique(pair, return_inverse=True)
    x = sparse.csr_matrix((np.ones(len(pair), np.float32), column, ptr), shape=(len(texts), max(len(key), 1)))
    x.sum_duplicates()
    x.data[:] = 1.0
    size = np.diff(x.indptr)
    folded = np.array([hash(f) for f in _folded(batch)], np.int64)
    for at in range(0, len(texts), _AT_ONCE):
        shared = (x[at : at + _AT_ONCE] @ x.T).tocoo()
        i, j = shared.row + at, shared.col
        either = size[i] + size[j] - shared.data
        near = (j < i) & (shared.data >= ALIKE * either) & (np.minimum(size[i], size[j]) >= FEWEST_PAIRS)
        near &= folded[i] != folded[j]
        yield from zip(j[near].tolist(), i[near].tolist(), strict=True)


def _same(folded: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    first: dict[bytes, int] = {}
    for i, text in enumerate(folded):
        if text and first.setdefault(text, i) != i:
            yield first[text], i


def _folded(batch: Batch) -> list[bytes]:
    return [batch.points[a : b - 1].tobytes() for a, b in zip(batch.starts[:-1], batch.starts[1:], strict=True)]


def _pairs(batch: Batch) -> tuple[NDArray[Any], I64]:
    word, _, ptr = word_hashes(batch)
    return pairs_of((word, ptr))


def _band_keys(pair: NDArray[np.uint32], ptr: I64, long: I64) -> Iterator[tuple[list[bytes], list[int]]]:
    bands = lowest(pair, ptr)[long].reshape(-1, BANDS, ROWS)
    for band in range(BANDS if long.size else 0):
        yield [row.tobytes() for row in bands[:, band]], long.tolist()


def _join(parent: I64, keys: Sequence[bytes], places: Iterable[int]) -> None:
    first: dict[bytes, int] = {}
    for key, place in zip(keys, places, strict=True):
        other = first.setdefault(key, place)
        if other != place:
            parent[_root(parent, place)] = _root(parent, other)


def _root(parent: I64, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = int(parent[i])
    return i
