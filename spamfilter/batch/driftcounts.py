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
from spamfilter.drift import BINS, SIGNALS, Drift, Known, Reference, known_words, signal_counts

__all__ = ["DriftCounter", "drift_of"]

_PREFIX: Final = "drift"


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
        if not texts:
            return {}
        counts = signal_counts(texts, np.asarray(probabilities, np.float64), self.known)
        places = np.nonzero(counts)
        names = (f"{_PREFIX}:{SIGNALS[signal]}:{b}" for signal, b in zip(*(p.tolist() for p in places), strict=True))
        return dict(zip(names, counts[places].tolist(), strict=True))


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
