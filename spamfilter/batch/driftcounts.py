"""Drift over a run: each worker counts signals, the counts add up in the tally, the end compares.

Usage::

    counter = DriftCounter.of(scorer)                 # None for a model without reference
    tally |= counter.tally(texts, probabilities)      # "drift:length:3": 12, …
    drift_of(summary.tally, manifest)                 # Drift, or None
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from spamfilter.batch.outcome import Tally
from spamfilter.drift import BINS, SIGNALS, Drift, Known, Reference, known_words, signal_bins

__all__ = ["DriftCounter", "drift_of"]

_PREFIX: Final = "drift"
_NAMES: Final = [f"{_PREFIX}:{signal}:{b}" for signal in SIGNALS for b in range(BINS)]
#: Where the bins of each signal begin among ``_NAMES``.
_FIRST_BIN: Final = BINS * np.arange(len(SIGNALS))


@dataclass(frozen=True, slots=True)
class DriftCounter:
    """Counts the signals of comments; ``known`` says which words the training data has."""

    known: Known

    @classmethod
    def of(cls, scorer: Any) -> DriftCounter | None:
        """The counter for a model that has a reference to compare with."""
        if Reference.of(getattr(scorer, "manifest", None) or {}) is None:
            return None
        return cls(known_words(scorer.parameters.idf))

    def tally(self, texts: Sequence[str], probabilities: Sequence[float]) -> Tally:
        """The counts of some comments, those above zero."""
        return self.tallies(texts, probabilities, [len(texts)])[0]

    def tallies(self, texts: Sequence[str], probabilities: Sequence[float], sizes: Sequence[int]) -> list[Tally]:
        """The counts of each of several pages, of so many comments one after the other."""
        if not texts:
            return [{} for _ in sizes]
        bins = signal_bins(texts, np.asarray(probabilities, np.float64), self.known)
        places, out, at = bins + _FIRST_BIN, [], 0
        for size in sizes:
            counts = np.bincount(places[at : at + size].ravel(), minlength=len(_NAMES))
            some = counts.nonzero()[0].tolist()
            out.append({_NAMES[k]: n for k, n in zip(some, counts[some].tolist(), strict=True)})
            at += size
        return out


def drift_of(tally: Tally, manifest: Mapping[str, Any]) -> Drift | None:
    """The drift of a run against the model with this manifest; None where nothing was counted."""
    reference = Reference.of(manifest)
    counts = np.zeros((len(SIGNALS), BINS), np.int64)
    for name, n in tally.items():
        prefix, _, rest = name.partition(":")
        if prefix == _PREFIX:
            signal, _, place = rest.partition(":")
            counts[SIGNALS.index(signal), int(place)] = n
    return None if reference is None or not counts.any() else reference.compare(counts)
