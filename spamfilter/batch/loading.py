"""The model as a worker process loads it.

Usage::

    ScoreJob(load=partial(load_scorer, "default", 0.9))
    ScoreJob(load=partial(load_with_campaigns, "default", 0.9, "campaigns.npy"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spamfilter.batch.campaigntable import CampaignScorer
    from spamfilter.model import SpamFilter

__all__ = ["load_scorer", "load_with_campaigns"]


def load_scorer(model: str | None = None, threshold: float | None = None) -> SpamFilter:
    """The model called ``model`` (name or path; None: the current one), with ``threshold`` as cut-off for spam."""
    from spamfilter import store

    scorer: SpamFilter = store.load(model)
    return scorer if threshold is None else scorer.with_cutoffs(spam=threshold)


def load_with_campaigns(model: str | None, threshold: float | None, campaigns: str) -> CampaignScorer:
    """The same model, its verdicts raised for comments of the campaigns in the table at ``campaigns``."""
    from spamfilter.batch.campaigntable import CampaignScorer, CampaignTable

    return CampaignScorer(load_scorer(model, threshold), CampaignTable(campaigns))
