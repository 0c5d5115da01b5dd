"""How a challenger is made: by moving a base model towards the labels, or by training from scratch.

Usage::

    made = Adapting(base, AdaptationConfig()).fit(rows, weight)
    made.model, made.facts
    probability, cutoff = out_of_fold(recipe, rows, weight, learn, fold)

A recipe is what is judged out of fold: it makes a model without each group of sites and posts in turn, and that model
judges the group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from spamfilter.adaptation import AdaptationConfig, adapt
from spamfilter.datasets import Dataset, merge
from spamfilter.errors import DataError
from spamfilter.evaluation import predict
from spamfilter.model import SpamFilter
from spamfilter.training import TrainingConfig, train

__all__ = ["Adapting", "AsItStands", "Made", "Recipe", "Training", "out_of_fold"]

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A model, rows by set and class that it learnt from, and what its recipe has to say of it."""

    model: SpamFilter
    rows: dict[str, dict[str, int]]
    facts: dict[str, Any]


class Recipe(Protocol):
    """Something that makes a model of rows."""

    @property
    def name(self) -> str:
        """ "adapt", "train" or "as it stands"."""

    def fit(self, rows: Dataset, weight: F64, progress: Progress = ...) -> Made:
        """A model of ``rows`` with weights 0..1."""


@dataclass(frozen=True, slots=True)
class Adapting:
    """The base model, moved towards the rows."""

    base: SpamFilter
    config: AdaptationConfig
    name: str = "adapt"

    def fit(self, rows: Dataset, weight: F64, progress: Progress = lambda _: None) -> Made:
        """As ``adaptation.adapt``: too few rows leave the base as it is."""
        with threadpool_limits(1):  # sums, and so the model, must not depend on how many cores there are
            model, facts = adapt(self.base, rows, self.config, weight, progress)
        before = self.base.manifest.get("rows", {})
        said = {"strength": facts.strength, "note": facts.note, "settings": asdict(self.config)}
        return Made(model, {**before, **facts.rows}, said)

    def logits(self, rows: Dataset, weight: F64) -> F64:
        """Log-odds of each row by a model that has not learnt it, its post or its near-duplicates."""
        with threadpool_limits(1):
            return adapt(self.base, rows, self.config, weight)[1].logits


@dataclass(frozen=True, slots=True)
class Training:
    """A training from scratch on ``always`` and the rows."""

    always: Dataset
    config: TrainingConfig
    name: str = "train"

    def fit(self, rows: Dataset, weight: F64, progress: Progress = lambda _: None) -> Made:
        """As ``training.train``.  Raises ``DataError`` where there is too little of a class."""
        data = merge([rows, self.always])
        with threadpool_limits(1):
            model, facts = train(data, self.config, "trained", progress, np.append(weight, np.ones(len(self.always))))
        return Made(model, facts.rows, {"settings": asdict(self.config)})


@dataclass(frozen=True, slots=True)
class AsItStands:
    """A model that learnt from none of the rows, whatever it is given."""

    model: SpamFilter
    name: str = "as it stands"

    def fit(self, rows: Dataset, weight: F64, progress: Progress = lambda _: None) -> Made:
        """The model."""
        return Made(self.model, {}, {})


def out_of_fold(
    recipe: Recipe,
    rows: Dataset,
    weight: F64,
    learn: Dataset,
    fold: NDArray[np.int64],
    jobs: int = 1,
    progress: Progress = lambda _: None,
) -> tuple[F64, F64]:
    """Probability of each row and the cut-off it is held to, by models made without the row's fold.

    ``learn`` has the rows to learn from, in the same places as ``rows`` but perhaps with other labels; weight 0 leaves
    one out of learning.
    """
    if isinstance(recipe, AsItStands):
        return predict(recipe.model, rows), np.full(len(rows), recipe.model.parameters.spam_cutoff)
    probability, cutoff = np.zeros(len(rows)), np.zeros(len(rows))
    masks = [fold == k for k in sorted(set(fold.tolist()))]
    work = (
        delayed(_judged)(recipe, learn.take(~m & (weight > 0)), weight[~m & (weight > 0)], rows.take(m)) for m in masks
    )
    for n, (mask, found) in enumerate(zip(masks, Parallel(jobs, return_as="generator")(work), strict=True), 1):
        probability[mask], cutoff[mask] = found
        progress(f"{recipe.name}: {n} of {len(masks)} folds judged")
    return probability, cutoff


def _judged(recipe: Recipe, learn: Dataset, weight: F64, judge: Dataset) -> tuple[F64, float]:
    try:
        model = recipe.fit(learn, weight).model
    except DataError as error:
        raise DataError(f"with {len(judge):,} rows left out: {error}") from error
    return predict(model, judge), model.parameters.spam_cutoff
