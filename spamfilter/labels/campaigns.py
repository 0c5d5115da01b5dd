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

from spamfilter.minhash import BANDS, ROWS, lowest
from spamfilter.text import fold

__all__ = ["bands", "sameness"]

# Texts with fewer pairs of words belong together only if they are the same ("thanks for sharing").
_FEWEST_PAIRS: Final = 6
# Campaigns change their links and numbers and keep their words.
_LINK: Final = re.compile(r"https?://\S+|www\.\S+|<[^<>]*>")
_WORD: Final = re.compile(r"[^\W\d_]+")
# A comment longer than this is told by its beginning; spam that pads itself repeats its beginning too.
_LONGEST: Final = 20_000


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
    hashed = np.fromiter((zlib.crc32(p.encode("utf-8", "surrogatepass")) for p in pairs), np.uint32, len(pairs))
    rows = lowest(hashed, np.array([0, len(pairs)], np.int64)).astype("<u4").reshape(BANDS, ROWS)
    return tuple(_key(b"band%d" % i, row.tobytes()) for i, row in enumerate(rows))


def _key(kind: bytes, data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, person=kind).digest(), "big") >> 1


def sameness(text: str) -> bytes:
    """Digest of the text without what a reader does not see or count: case, spacing, disguised letters."""
    return hashlib.blake2b(" ".join(fold(text).split()).encode("utf-8", "surrogatepass"), digest_size=12).digest()
