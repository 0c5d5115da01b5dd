"""Logistic regressions as plain arrays: over hashed n-grams, and over standardised inputs.

Usage::

    GramModel(word, char, intercept, salt).logits(encode(texts))
    LinearModel(mean, scale, coef, intercept).logits(x)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.features.hashing import NGrams
from spamfilter.text import Batch

__all__ = ["Z_LIMIT", "GramModel", "LinearModel"]

F64 = NDArray[np.float64]
#: Standardised inputs beyond this many standard deviations say no more.
Z_LIMIT: Final = 6.0


@dataclass(frozen=True, slots=True)
class GramModel:
    """A logistic regression over hashed n-grams: weights of words and of characters, and an intercept."""

    word: NDArray[np.float32]
    char: NDArray[np.float32]
    intercept: float
    salt: int = 0

    @property
    def grams(self) -> NGrams:
        """The hashing that the weights belong to."""
        return NGrams(len(self.word).bit_length() - 1, len(self.char).bit_length() - 1, self.salt)

    def logits(self, batch: Batch) -> F64:
        """Log-odds of each text."""
        return gram_logits(batch, self)[0]


def gram_logits(batch: Batch, *models: GramModel) -> list[F64]:
    """Log-odds of each text by models of the same hashing, in one pass over the texts."""
    sums = models[0].grams.dots(batch, [(m.word, m.char) for m in models]).sum(axis=2)
    return [sums[:, k] + m.intercept for k, m in enumerate(models)]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A logistic regression over standardised inputs: ``clip((x - mean) / scale) @ coef + intercept``."""

    mean: F64
    scale: F64
    coef: F64
    intercept: float

    def standardise(self, x: F64) -> F64:
        """Inputs in standard deviations, within ±``Z_LIMIT``."""
        out: F64 = x - self.mean
        out /= self.scale
        np.maximum(out, -Z_LIMIT, out=out)
        np.minimum(out, Z_LIMIT, out=out)
        return out

    def last(self, n: int) -> LinearModel:
        """The part of the model that its last ``n`` inputs have."""
        return LinearModel(self.mean[-n:], self.scale[-n:], self.coef[-n:], self.intercept)

    def logits(self, x: F64) -> F64:
        """Log-odds of each row."""
        return self.of_standard(self.standardise(x))

    def of_standard(self, z: F64) -> F64:
        """Log-odds of each row of standardised inputs."""
        # Row by row, not as one matrix product: BLAS would sum in an order that depends on the batch.
        out: F64 = np.einsum("ij,j->i", z, self.coef) + self.intercept
        return out
