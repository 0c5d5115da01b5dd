"""Word lists as data: how many words and phrases of each list stand in a text.

Usage::

    lists = load_lists()
    counts = lists.counts(word, ptr)          # int32, shape (texts, len(lists.names))
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import compiled
from spamfilter.features.hashing import mix, word_hashes
from spamfilter.text import encode

__all__ = ["ALNUM", "ROOTS", "WordLists", "load_lists", "roots_in"]

_PATH: Final = Path(__file__).with_name("wordlists.toml")
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
#: Longest phrase of a list, in words.
PHRASE_WORDS: Final = 3
#: Letters of the shortest piece of a name.
ROOT_START: Final = 3


@dataclass(frozen=True, slots=True)
class WordLists:
    """Lists of words and phrases, found by hash.

    ``keys`` (uint32) is a hash table with open addressing, 0 for a free place; ``member`` (uint64)
    has one bit for each list that holds the word.
    """

    names: tuple[str, ...]
    keys: NDArray[np.uint32]
    member: NDArray[np.uint64]

    def counts(self, word: NDArray[np.uint32], ptr: NDArray[np.int64]) -> NDArray[np.int32]:
        """Hits by text and list: int32, shape (texts, lists)."""
        out = np.zeros((len(ptr) - 1, len(self.names)), np.int32)
        if compiled.kernel is None:
            return self._counts(word, ptr, out)
        compiled.kernel.list_counts(word, ptr, self.keys, self.member, len(self.names), out)
        return out

    def _counts(self, word: NDArray[np.uint32], ptr: NDArray[np.int64], out: NDArray[np.int32]) -> NDArray[np.int32]:
        order = np.argsort(self.keys)
        keys, member = self.keys[order], self.member[order]
        text = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
        h = word.astype(np.uint64)
        for k in range(PHRASE_WORDS):
            if k:
                n = max(len(word) - k, 0)
                same = text[k:] == text[:n]
                h = mix(h[:n] * _MIX + word[k:]) >> np.uint64(32)
            else:
                n, same = len(word), np.ones(len(word), np.bool_)
            look = np.maximum(h, 1)
            at = np.minimum(np.searchsorted(keys, look), len(keys) - 1)
            hit = np.flatnonzero((keys[at] == look) & same)
            for b in range(len(self.names)):
                found = (member[at[hit]] >> np.uint64(b)) & np.uint64(1)
                np.add.at(out[:, b], text[:n][hit], found.astype(np.int32))
        return out


@cache
def load_lists() -> WordLists:
    """The lists of ``wordlists.toml``."""
    lists: dict[str, str] = _read()["lists"]
    names = tuple(lists)
    entries = [(entry.replace("_", " "), n) for n, name in enumerate(names) for entry in lists[name].split()]
    word, _, ptr = word_hashes(encode([entry for entry, _ in entries]))
    found: dict[int, int] = {}
    words, edges = word.tolist(), ptr.tolist()
    for (_, n), begin, end in zip(entries, edges[:-1], edges[1:], strict=True):
        if 0 < end - begin <= PHRASE_WORDS:
            h = _phrase_hash(words[begin:end])
            found[h] = found.get(h, 0) | (1 << n)
    return WordLists(names, *_hash_table(found))


#: Kinds of pieces of names, by which ``roots_in`` counts.
ROOTS: Final = ("selling", "crude", "brands")
#: More pieces of a kind than this in one name say no more.
MOST_ROOTS: Final = 3
#: What names and hosts are made of, without what stands between.
ALNUM: Final = re.compile(r"[^\W_]+")


@lru_cache(maxsize=65536)
def roots_in(name: str) -> tuple[float, ...]:
    """How many pieces of each kind (``ROOTS``) stand in a lower-case name or host, at most ``MOST_ROOTS`` of each."""
    bare, roots = "".join(ALNUM.findall(name)), _roots()
    found: tuple[set[str], ...] = tuple(set() for _ in ROOTS)
    for at in range(len(bare) - ROOT_START + 1):
        for root, kind in roots.get(bare[at : at + ROOT_START], ()):
            if bare.startswith(root, at):
                found[kind].add(root)
    return tuple(float(min(len(kind), MOST_ROOTS)) for kind in found)


@cache
def _roots() -> dict[str, tuple[tuple[str, int], ...]]:
    """Pieces of names and the number of the kind of each, by their first ``ROOT_START`` letters."""
    lists: dict[str, str] = _read()["roots"]
    out: dict[str, tuple[tuple[str, int], ...]] = {}
    for kind, name in enumerate(ROOTS):
        for root in dict.fromkeys(lists[name].split()):
            out[root[:ROOT_START]] = (*out.get(root[:ROOT_START], ()), (root, kind))
    return out


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_PATH.read_text(encoding="utf-8"))


def _phrase_hash(words: list[int]) -> int:
    h = words[0]
    for w in words[1:]:
        h = int(mix(np.array([h * int(_MIX) + w & 0xFFFFFFFFFFFFFFFF], np.uint64))[0]) >> 32
    return max(h, 1)


def _hash_table(found: dict[int, int]) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    size = 1 << (4 * len(found)).bit_length()  # at most a quarter full: short probes
    keys, member = [0] * size, [0] * size
    for h, bits in found.items():
        at = h & (size - 1)
        while keys[at]:
            at = (at + 1) & (size - 1)
        keys[at], member[at] = h, bits
    return np.array(keys, np.uint32), np.array(member, np.uint64)
