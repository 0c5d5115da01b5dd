"""Which comments are one campaign: near-duplicates found by MinHash bands that can be stored and looked up.

Usage::

    bands(text)      # tuple of ints; two texts that share one belong together
    sameness(text)   # digest of the folded text: equal for texts that differ in case, spacing or look-alike letters

Nothing here may depend on the run or the version of a library: the numbers are kept in label stores.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.text import fold

__all__ = ["bands", "sameness"]

# MinHash over pairs of neighbouring words (Broder 1997) in BANDS bands of ROWS: texts of which 7 in 10 pairs agree
# share a band with probability 1 - (1 - .7^4)^8 = .89, 5 in 10 with .40, 3 in 10 with .06.
_BANDS: Final = 8
_ROWS: Final = 4
# Texts with fewer pairs of words belong together only if they are the same ("thanks for sharing").
_FEWEST_PAIRS: Final = 6
# Campaigns change their links and numbers and keep their words.
_LINK: Final = re.compile(r"https?://\S+|www\.\S+|<[^<>]*>")
_WORD: Final = re.compile(r"[^\W\d_]+")
# A comment longer than this is told by its beginning; spam that pads itself repeats its beginning too.
_LONGEST: Final = 20_000


def _constants() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Multipliers (odd) and summands of the permutations, by splitmix64 (Steele et al. 2014) from a fixed seed."""
    state, out = 0x5350464C, []
    for _ in range(2 * _BANDS * _ROWS):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        out.append(z ^ z >> 31)
    numbers = np.array(out, np.uint64).reshape(2, -1, 1)
    return numbers[0] | np.uint64(1), numbers[1]


_MULTIPLIERS, _SUMMANDS = _constants()


def bands(text: str) -> tuple[int, ...]:
    """The keys of ``text`` (63-bit, so that SQLite takes them): one for the text as such, and its MinHash bands."""
    folded = fold(text[:_LONGEST])
    words = _WORD.findall(_LINK.sub(" ", folded))
    whole = _key(b"whole", " ".join(words or folded.split()).encode("utf-8", "surrogatepass"))
    pairs = {f"{a} {b}" for a, b in itertools.pairwise(words)}
    if len(pairs) < _FEWEST_PAIRS:
        return (whole,)
    return (whole, *_minhash(pairs))


def _minhash(pairs: set[str]) -> tuple[int, ...]:
    hashed = np.fromiter((zlib.crc32(p.encode("utf-8", "surrogatepass")) for p in pairs), np.uint64, len(pairs))
    lowest = (hashed * _MULTIPLIERS + _SUMMANDS >> np.uint64(32)).min(axis=1).astype("<u4").reshape(_BANDS, _ROWS)
    return tuple(_key(b"band%d" % i, row.tobytes()) for i, row in enumerate(lowest))


def _key(kind: bytes, data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, person=kind).digest(), "big") >> 1


def sameness(text: str) -> bytes:
    """Digest of the text without what a reader does not see or count: case, spacing, disguised letters."""
    return hashlib.blake2b(" ".join(fold(text).split()).encode("utf-8", "surrogatepass"), digest_size=12).digest()
