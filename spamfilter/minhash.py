"""MinHash signatures: 32 numbers that say how alike two sets are.

Usage::

    lowest(hashes, ptr)          # uint32, sets × PERMUTATIONS: the signature of each set
    (a == b).mean()              # of two signatures: estimates the sets' Jaccard similarity, ± .09

The share of permutations under which two sets have the same smallest element is an unbiased estimate of their
Jaccard similarity (Broder 1997).  Permutations in bands of ``ROWS``: sets of similarity s agree on a whole band with
probability ``1 - (1 - s**ROWS) ** BANDS``: .89 at .7, .40 at .5, .06 at .3.

Signatures are kept in label stores and in the files of a crawl, so nothing here may depend on the run, the machine
or the version of a library.  Of the libraries, datasketch and rensa hash strings one set at a time, into objects;
these arrays come from hashes that scoring makes anyway (``benchmarks/campaigns.py`` measures all three).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "PERMUTATIONS", "ROWS", "lowest"]

BANDS: Final = 8
ROWS: Final = 4
PERMUTATIONS: Final = BANDS * ROWS

U64 = NDArray[np.uint64]
# Elements permuted at once: 32 permutations of them fill about a megabyte, which stays in the caches.
_AT_ONCE: Final = 1 << 12


def _constants() -> tuple[U64, U64]:
    """Multipliers (odd) and summands of the permutations, by splitmix64 (Steele et al. 2014) from a fixed seed."""
    state, out = 0x5350464C, []
    for _ in range(2 * PERMUTATIONS):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        out.append(z ^ z >> 31)
    numbers = np.array(out, np.uint64).reshape(2, -1)
    return numbers[0] | np.uint64(1), numbers[1]


_MULTIPLIERS, _SUMMANDS = _constants()


def lowest(hashes: NDArray[Any], ptr: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Signatures of sets: 32-bit ``hashes`` of their elements back to back, set ``i`` in ``ptr[i]:ptr[i + 1]``.

    Elements may repeat.  An empty set gets the signature of nothing, all ones.
    """
    out = np.full((len(ptr) - 1, PERMUTATIONS), np.uint32(0xFFFFFFFF))
    filled = np.flatnonzero(np.diff(ptr) > 0)
    for some in np.split(filled, np.flatnonzero(np.diff(ptr[filled] // _AT_ONCE)) + 1) if filled.size else ():
        begin, end = int(ptr[some[0]]), int(ptr[some[-1] + 1])
        # Empty sets in between take no room, so the filled ones lie back to back.
        permuted = np.multiply.outer(_MULTIPLIERS, hashes[begin:end].astype(np.uint64))
        permuted += _SUMMANDS[:, np.newaxis]
        permuted >>= np.uint64(32)
        out[some] = np.minimum.reduceat(permuted, ptr[some] - begin, axis=1).T.astype(np.uint32)
    return out
