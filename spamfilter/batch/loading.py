"""The model as a worker process loads it.

Usage::

    ScoreJob(load=partial(load_scorer, "default", 0.9))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spamfilter.model import SpamFilter

__all__ = ["load_scorer"]


def load_scorer(model: str | None = None, threshold: float | None = None) -> SpamFilter:
    """The model called ``model`` (name or path; None: the current one), with ``threshold`` as cut-off for spam."""
    from spamfilter import store

    scorer: SpamFilter = store.load(model)
    return scorer if threshold is None else scorer.with_cutoffs(spam=threshold)
