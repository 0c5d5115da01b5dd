"""What a model's training data looks like, for telling later that an input is unlike it.

Usage::

    reference_of(data, facts.logits, folds=4).to_dict()     # goes into the manifest as "reference"

Scores and unknown words are out of fold by site, as they are for an input that training has not seen: every word of
the training data would be known, and every score too sure.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from spamfilter.datasets import Dataset
from spamfilter.drift import SIGNALS, Known, Reference, signal_bins
from spamfilter.features.hashing import word_hashes
from spamfilter.features.relatedness import IDF_BITS
from spamfilter.text import encode
from spamfilter.training import fold_numbers, groups_of

__all__ = ["reference_of"]

# Bounds the memory of the arrays in between.
_TEXTS_AT_ONCE = 2000


def reference_of(data: Dataset, logits: NDArray[np.float64], folds: int) -> Reference:
    """The reference of training data with these log-odds out of fold (``TrainingFacts.logits``)."""
    fold = fold_numbers(groups_of(data), folds)
    probability = 1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))
    known = [_words_of(data, np.flatnonzero(fold == k)) for k in range(folds)]
    bins = np.zeros((len(data), len(SIGNALS)), np.int8)
    for k in range(folds):
        rows = np.flatnonzero(fold == k)
        elsewhere = np.any([known[j] for j in range(folds) if j != k], axis=0)
        if len(rows):
            bins[rows] = signal_bins([data.text[i] for i in rows.tolist()], probability[rows], elsewhere)
    labels = ("spam" if label else "ham" for label in data.label.tolist())
    return Reference.measured([f"{s}/{label}" for s, label in zip(data.set, labels, strict=True)], bins)


def _words_of(data: Dataset, rows: NDArray[np.int64]) -> Known:
    """The hashed words of the comments and articles in ``rows``."""
    texts = list(dict.fromkeys(_texts(data, rows.tolist())))
    known = np.zeros(1 << IDF_BITS, np.bool_)
    for at in range(0, len(texts), _TEXTS_AT_ONCE):
        word, _, _ = word_hashes(encode(texts[at : at + _TEXTS_AT_ONCE]))
        known[word >> np.uint32(32 - IDF_BITS)] = True
    return known


def _texts(data: Dataset, rows: list[int]) -> Iterable[str]:
    for i in rows:
        yield data.text[i]
        article = data.article[i]
        if article:
            yield article
