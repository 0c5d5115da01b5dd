"""How unlike a model's training data an input is.

Usage::

    reference = Reference.of(manifest)                    # None for models that have none
    counts += signal_counts(texts, probabilities, known)  # of any number of comments
    drift = reference.compare(counts)
    drift.unlike, drift.distances["unknown_words"]

Every comment falls into one bin of each signal: its score, its length, how many of its words no other training data
has, script, links, capitals, digits, signs.  The reference holds the counts of the bins for each part of the training
data (a set, spam or ham).  An input need not look like all of them at once: it is compared with that mixture of the
parts which fits it best (weights by expectation-maximisation, Dempster et al. 1977), so neither its share of spam nor
its mix of platforms counts as drift.  What no mixture explains does: per signal, the Jensen-Shannon divergence
(Lin 1991) between the input and the best mixture, in bits, from 0 (the same) to 1 (nothing in common).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter.features.hashing import word_hashes
from spamfilter.features.relatedness import IDF_BITS
from spamfilter.text import Batch, encode

__all__ = ["FEWEST", "SIGNALS", "UNLIKE", "Drift", "Known", "Reference", "known_words", "signal_bins", "signal_counts"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Known = NDArray[np.bool_]

#: Upper edges of the bins of each signal; the last bin has none.  Scripts are numbered, not ordered.
EDGES: Final[dict[str, tuple[float, ...]]] = {
    "score": (0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99),  # probability of spam
    "length": (15, 30, 60, 120, 240, 480, 960, 1920),  # characters
    "unknown_words": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6),  # share of the words
    "script": tuple(range(10)),
    "links": (0, 1, 2, 4),
    "capitals": (0.0, 0.02, 0.04, 0.08, 0.2, 0.5),  # share of the letters
    "digits": (0.0, 0.01, 0.03, 0.1),  # share of the characters
    "signs": (0.0, 0.02, 0.04, 0.06, 0.1, 0.2),
}
SIGNALS: Final = tuple(EDGES)
#: Bins that the longest signal has, and so columns of a table of counts.
BINS: Final = max(map(len, EDGES.values())) + 1
#: Divergence from which on a signal is called unlike.  Comments of known sets that the reference was made without stay
#: at .026 and below; languages and scripts that were left out, and shuffled letters, reach .041 to .84
#: (benchmarks/drift.py; of six sets left out three stay below, whose comments are like others').
UNLIKE: Final = 0.03
#: Comments below which nothing is said: chance alone takes the farthest signal of 300 comments up to .034.
FEWEST: Final = 500
#: Rows below which a part of the training data joins the others of its label: its bins would be noise.
SMALLEST_PART: Final = 50
#: Added to each bin of a part, so that one comment in a bin that was empty in training is no contradiction.
SMOOTHING: Final = 0.5
#: Rounds of expectation-maximisation; the divergences no longer change in the third digit.
ROUNDS: Final = 200
_LINK: Final = re.compile(r"https?://|www\.|\[url|<a ", re.I)
_MARKS: Final = ("http", "www.", "[url", "<a ")
_SCRIPTS: Final = (
    *(cc.LATIN, cc.CYRILLIC, cc.GREEK, cc.HANGUL, cc.ARABIC, cc.HEBREW, cc.THAI, cc.INDIC, cc.HAN, cc.KANA),
)
_SIGNS: Final = slice(cc.STOP, cc.EMOJI + 1)


def known_words(idf: NDArray[np.float32]) -> Known:
    """Which hashed words the training data has, told by their inverse document frequency (1: in no document)."""
    known: Known = idf < 1.0
    return known


def signal_bins(texts: Sequence[str], probability: F64, known: Known) -> NDArray[np.int8]:
    """The bin of each comment by each signal: shape (comments, len(SIGNALS))."""
    batch = encode(texts)
    characters = np.maximum(np.diff(batch.raw_starts) - 1, 1)
    letters = np.maximum(batch.counts[:, cc.LATIN : cc.KANA + 1].sum(axis=1) - batch.counts[:, cc.DIGIT], 1)
    values = (
        probability,
        characters,
        _unknown(batch, known),
        np.argmax(batch.counts[:, list(_SCRIPTS)], axis=1),
        np.array([_links(text) for text in texts]),
        batch.upper / letters,
        batch.counts[:, cc.DIGIT] / characters,
        batch.counts[:, _SIGNS].sum(axis=1) / characters,
    )
    bins = [np.searchsorted(EDGES[name], column) for name, column in zip(SIGNALS, values, strict=True)]
    return np.stack(bins, axis=1).astype(np.int8)


def _links(text: str) -> int:
    """How many links a text has; most have none, and to see that costs a tenth of the search."""
    lower = text.lower()
    return len(_LINK.findall(text)) if any(mark in lower for mark in _MARKS) else 0


def signal_counts(texts: Sequence[str], probability: F64, known: Known) -> I64:
    """How many comments fall into each bin: shape (len(SIGNALS), BINS)."""
    return _counted(signal_bins(texts, probability, known))


def _counted(bins: NDArray[np.int8]) -> I64:
    out = np.zeros((len(SIGNALS), BINS), np.int64)
    for signal in range(len(SIGNALS)):
        out[signal] = np.bincount(bins[:, signal], minlength=BINS)
    return out


def _unknown(batch: Batch, known: Known) -> F64:
    word, _, ptr = word_hashes(batch)
    strange = np.concatenate(([0], np.cumsum(~known[word >> np.uint32(32 - IDF_BITS)])))
    out: F64 = np.diff(strange[ptr]) / np.maximum(np.diff(ptr), 1)
    return out


@dataclass(frozen=True, slots=True)
class Drift:
    """The outcome of a comparison: ``distances`` by signal (0..1), and which of them are ``unlike`` the training data.

    ``comments`` is how many were compared; with fewer than ``FEWEST`` nothing is called unlike.
    """

    comments: int
    distances: dict[str, float]

    @property
    def unlike(self) -> list[str]:
        """Signals beyond the threshold, the farthest first."""
        if self.comments < FEWEST:
            return []
        far = [name for name, distance in self.distances.items() if distance >= UNLIKE]
        return sorted(far, key=lambda name: -self.distances[name])

    def to_dict(self) -> dict[str, Any]:
        """The field of ``--summary``."""
        rounded = {name: round(distance, 4) for name, distance in self.distances.items()}
        return {"comments": self.comments, "threshold": UNLIKE, "unlike": self.unlike, "distances": rounded}


@dataclass(frozen=True, slots=True)
class Reference:
    """Counts of the bins for each part of the training data: shape (parts, len(SIGNALS), BINS)."""

    parts: tuple[str, ...]
    counts: I64

    @classmethod
    def measured(cls, parts: Sequence[str], bins: NDArray[np.int8]) -> Reference:
        """From the bins of training rows and the part that each row belongs to ("set/spam", "set/ham")."""
        names, of = np.unique(np.array(parts), return_inverse=True)
        size = np.bincount(of)
        small = (size < SMALLEST_PART).tolist()
        joined = [f"others/{n.rpartition('/')[2]}" if few else n for n, few in zip(names.tolist(), small, strict=True)]
        kept, place = np.unique(np.array(joined), return_inverse=True)
        counts = [_counted(bins[place[of] == k]) for k in range(len(kept))]
        return cls(tuple(map(str, kept)), np.array(counts).reshape(-1, len(SIGNALS), BINS))

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Reference | None:
        """The reference in a model's manifest; None where there is none, or one of other signals or bins."""
        stored = manifest.get("reference")
        if not isinstance(stored, dict) or stored.get("edges") != _edges():
            return None
        parts = stored.get("parts", {})
        counts = np.zeros((len(parts), len(SIGNALS), BINS), np.int64)
        for k, part in enumerate(parts.values()):
            for s, name in enumerate(SIGNALS):
                row = [int(n) for n in part[name].split()]
                counts[k, s, : len(row)] = row
        return cls(tuple(parts), counts) if parts else None

    def to_dict(self) -> dict[str, Any]:
        """What stands under "reference" in a manifest: per part and signal the counts, as one line."""
        tables = (dict(zip(SIGNALS, table, strict=True)) for table in self.counts.tolist())
        rows = ({name: " ".join(map(str, row[: len(EDGES[name]) + 1])) for name, row in t.items()} for t in tables)
        return {"edges": _edges(), "parts": dict(zip(self.parts, rows, strict=True))}

    def compare(self, counts: I64) -> Drift:
        """How far an input with these counts is from the nearest mixture of the parts."""
        smooth = self.counts + SMOOTHING * _exists()
        parts = smooth / smooth.sum(axis=2, keepdims=True)
        mixture = np.tensordot(self._weights(parts, counts), parts, axes=1)
        given = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        distances = {name: _divergence(a, b) for name, a, b in zip(SIGNALS, given, mixture, strict=True)}
        return Drift(int(counts[0].sum()), distances)

    def _weights(self, parts: F64, counts: I64) -> F64:
        weight = np.full(len(parts), 1.0 / len(parts))
        for _ in range(ROUNDS):
            joint = weight[:, np.newaxis, np.newaxis] * parts
            share = joint / np.maximum(joint.sum(axis=0), 1e-12)
            weight = (share * counts).sum(axis=(1, 2))
            weight /= max(weight.sum(), 1e-12)
        return weight


def _edges() -> dict[str, str]:
    return {name: " ".join(f"{edge:g}" for edge in edges) for name, edges in EDGES.items()}


def _exists() -> NDArray[np.bool_]:
    """Which bins there are: signals have different numbers of them."""
    return np.arange(BINS) <= np.array([[len(edges)] for edges in EDGES.values()])


def _divergence(a: F64, b: F64) -> float:
    """Jensen-Shannon divergence in bits."""
    middle = (a + b) / 2
    return float(_entropy(middle) - (_entropy(a) + _entropy(b)) / 2)


def _entropy(p: F64) -> float:
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())
