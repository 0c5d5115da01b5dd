"""Weighted rows → fitted models as plain arrays.

Usage::

    gram_model(matrix, y, weight, c, grams)            # over hashed n-grams
    linear_model(x, y, weight, c)                      # over standardised inputs
    network(x, y, weight, networks, units, seed)       # the same with hidden units
    calibration(raw, context, y, weight).logits(raw, context)

``y`` holds 1 and 0, ``weight`` what each row counts; ``c`` is the inverse strength of regularisation.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from spamfilter.errors import DataError
from spamfilter.features.hashing import NGrams
from spamfilter.linear import GramModel, LinearModel
from spamfilter.network import Network

__all__ = ["Calibration", "calibration", "gram_logits", "gram_model", "linear_model", "network", "no_grams", "telling"]

F64 = NDArray[np.float64]
Index = NDArray[np.int64]
Matrix = Any  # scipy's sparse matrices carry no types


def gram_model(
    matrix: Matrix, y: Index, weight: F64, c: float, grams: NGrams, rare: float = 0.0, aside: Matrix = None
) -> GramModel:
    """A logistic regression over grams; with ``rare``, each is held less tightly the more it tells by itself.

    Columns of ``aside`` are fitted with the grams but are no part of the model, only their usual value is.
    """
    if len(np.unique(y)) < 2:
        return no_grams(grams)
    scale = np.ones(1, np.float32)
    if rare > 0:
        scale = telling(matrix, y, weight, rare)
        values = matrix.data * scale[matrix.indices]
        matrix = sparse.csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    width = matrix.shape[1]
    if aside is not None:
        matrix = sparse.hstack((matrix, aside), format="csr")
    # 60 iterations: the log-odds out of fold no longer change in the second digit.
    fitted = LogisticRegression(C=c, max_iter=60, tol=1e-3).fit(matrix, y, sample_weight=weight)
    usual = 0.0 if aside is None else float(np.average(aside @ fitted.coef_[0, width:], weights=weight))
    # A gram that is scaled in training needs no scaling afterwards: it is in the weight.
    coef = (fitted.coef_[0, :width] * scale).astype(np.float32)
    words = 1 << grams.word_bits
    return GramModel(coef[:words].copy(), coef[words:].copy(), float(fitted.intercept_[0]) + usual, grams.salt)


#: Added to what a gram tells by itself, so that those that tell nothing alone keep a part in what is said together.
TELLING_FLOOR: Final = 0.5


def telling(matrix: Matrix, y: Index, weight: F64, rare: float) -> NDArray[np.float32]:
    """How much each gram tells by itself, 1 on average over what stands in the texts.

    That is the ratio of its shares of spam and of ham, as a logarithm without its sign, ``rare`` added to either
    count (Wang & Manning 2012: naive Bayes as a prior of a linear model).
    """
    spam, ham = (matrix.T @ (weight * (y == label)) + rare for label in (1, 0))
    ratio = np.abs(np.log(spam / spam.sum()) - np.log(ham / ham.sum()))
    mass = np.bincount(matrix.indices, matrix.data.astype(np.float64) ** 2, matrix.shape[1])
    usual = np.average(ratio, weights=mass) if mass.any() else 0.0
    out: NDArray[np.float32] = ((ratio + TELLING_FLOOR) / (usual + TELLING_FLOOR)).astype(np.float32)
    return out


def no_grams(grams: NGrams) -> GramModel:
    """A model over grams that says nothing."""
    word, char = np.zeros(1 << grams.word_bits, np.float32), np.zeros(1 << grams.char_bits, np.float32)
    return GramModel(word, char, 0.0, grams.salt)


def gram_logits(model: GramModel, matrix: Matrix) -> F64:
    """Log-odds of each row of a matrix of grams."""
    out: F64 = (matrix @ np.concatenate((model.word, model.char))).astype(np.float64) + model.intercept
    return out


def linear_model(x: F64, y: Index, weight: F64, c: float) -> LinearModel:
    """A logistic regression over standardised inputs.  Raises ``DataError`` where there is one class only."""
    if len(np.unique(y)) < 2:
        raise DataError("a part of the data has one class only; give data from more sites, or with both labels")
    model = _standardising(x, weight)
    fitted = LogisticRegression(C=c, max_iter=500).fit(model.standardise(x), y, sample_weight=weight)
    return replace(model, coef=fitted.coef_[0].astype(np.float64), intercept=float(fitted.intercept_[0]))


def _standardising(x: F64, weight: F64) -> LinearModel:
    """A model that says nothing yet, with the means and scales of the inputs."""
    mean = np.average(x, axis=0, weights=weight)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight))
    scale[scale < 1e-9] = 1.0
    return LinearModel(mean, scale, np.zeros(x.shape[1]), 0.0)


#: What was measured with sites left out and gave about the same: epochs 15 to 40, L2 .1 to 1 (10: worse).
EPOCHS: Final = 30
#: Of few rows there are more epochs, or nothing would be learnt: so many steps at least.
STEPS: Final = 300
L2: Final = 1.0
#: Large batches with long steps: a third of the time of batches of 256.
ROWS_AT_ONCE: Final = 1024
STEP: Final = 5e-3


def network(x: F64, y: Index, weight: F64, networks: int, units: int, seed: int) -> Network:
    """Networks of one hidden layer from as many starts, side by side as one: what they say is their mean."""
    model = _standardising(x, weight)
    z, weight, parts = model.standardise(x), weight / weight.mean(), []
    size = min(ROWS_AT_ONCE, len(y))
    epochs = max(EPOCHS, -(-STEPS * size // len(y)))
    for k in range(networks):
        part = MLPClassifier(
            (units,),
            alpha=L2,
            batch_size=size,
            learning_rate_init=STEP,
            max_iter=epochs,
            random_state=seed + k,
        )
        with warnings.catch_warnings():  # it stops by intention before nothing changes any more
            warnings.simplefilter("ignore", ConvergenceWarning)
            parts.append(part.fit(z, y, sample_weight=weight))
    return Network(
        model.mean,
        model.scale,
        np.ascontiguousarray(np.concatenate([p.coefs_[0] for p in parts], axis=1)),
        np.concatenate([p.intercepts_[0] for p in parts]),
        np.concatenate([p.coefs_[1][:, 0] for p in parts]) / networks,
        float(np.mean([p.intercepts_[1][0] for p in parts])),
    )


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes raw logits log-odds: a slope, a shift, and one more shift for each context (a column of 1 and 0)."""

    slope: float
    shift: float
    under: F64

    def logits(self, raw: F64, context: F64) -> F64:
        """Calibrated logits of rows whose contexts are given (rows × contexts)."""
        out: F64 = raw * self.slope + self.shift + context @ self.under
        return out

    def of(self, model: LinearModel, columns: Sequence[int]) -> LinearModel:
        """The model that states calibrated logits; ``columns`` are the places of the contexts among its inputs."""
        without, with_ = model.standardise(np.array([[0.0], [1.0]]) * np.ones(len(model.coef)))[:, columns]
        added = self.under / (with_ - without)
        coef = model.coef * self.slope
        coef[columns] += added
        return replace(model, coef=coef, intercept=float(model.intercept * self.slope + self.shift - added @ without))


#: Inverse strength at which slope and shift of a calibration are held: not at all.
FREE: Final = 1e6


def calibration(raw: F64, context: F64, y: Index, weight: F64) -> Calibration:
    """Slope and shifts that make logits log-odds (Platt 1999).

    The shifts of contexts are normally distributed around 0 with a standard deviation of 1 before anything is seen, so
    that a context with a handful of comments, or with one class, moves little.
    """
    x = np.concatenate((raw[:, np.newaxis], context / np.sqrt(FREE)), axis=1)
    fitted = LogisticRegression(C=FREE, solver="newton-cholesky").fit(x, y, sample_weight=weight)
    slope, *under = fitted.coef_[0].tolist()
    return Calibration(slope, float(fitted.intercept_[0]), np.array(under) / np.sqrt(FREE))
