"""Labelled comments judged by a saved model, or by models trained without their site or set.

Usage::

    done = EvaluationJob(data, model="models/mine").run()
    done = EvaluationJob(data, leave_one_out="site", always=corpus).run(progress=print)
    done.scores, done.probability
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamfilter import store
from spamfilter.datasets import Dataset
from spamfilter.errors import DataError
from spamfilter.evaluation import Scores, left_out, predict, score
from spamfilter.training import TrainingConfig

__all__ = ["Evaluated", "EvaluationJob"]

F64 = NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Probability and cut-off of every row, the scores, how they were taken, and what to beware of."""

    probability: F64
    cutoff: F64
    scores: Scores
    how: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """One evaluation; with ``leave_one_out`` ("site" or "set") models are trained for it, else ``model`` judges."""

    data: Dataset
    model: str | None = None
    leave_one_out: str | None = None
    always: Dataset | None = None
    folds: int = 8
    config: TrainingConfig | None = None
    jobs: int = 1

    def run(self, progress: Progress = lambda _: None) -> Evaluated:
        """Judge and score all rows.  Raises ``DataError`` without rows."""
        if not len(self.data):
            raise DataError("there are no rows to judge; give labelled rows")
        if self.leave_one_out is None:
            return self._by_model(progress)
        found = left_out(
            self.data, self.config, self.folds, self.always, self.leave_one_out, progress=progress, jobs=self.jobs
        )
        how = f"each {self.leave_one_out} judged by a model trained without it"
        if self.always is not None:
            how += f", on the rest and {len(self.always):,} rows that all of them learn from"
        return Evaluated(found.probability, found.cutoff, score(self.data, found.probability, found.cutoff), how)

    def _by_model(self, progress: Progress) -> Evaluated:
        sf = store.load(self.model)
        progress(f"{sf.name} judges {len(self.data):,} rows")
        probability = predict(sf, self.data)
        cutoff = np.full(len(self.data), sf.parameters.spam_cutoff)
        seen = set(sf.manifest.get("rows", {})) & set(self.data.set)
        warnings: tuple[str, ...] = ()
        if sf.manifest.get("fingerprint") == self.data.fingerprint():
            warnings = (f"{sf.name} was trained on these very rows: the figures say nothing; use --leave-one-out site",)
        elif seen:
            some = ", ".join(sorted(seen)[:8])
            warnings = (f"{sf.name} was trained on sets of the same name ({some}): the figures may flatter it",)
        return Evaluated(probability, cutoff, score(self.data, probability, cutoff), f"judged by {sf.name}", warnings)
