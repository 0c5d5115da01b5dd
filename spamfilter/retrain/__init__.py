"""Labels → a challenger → judged beside the champion → promoted, or refused with reasons.

Usage::

    config = read_config(Path("retrain.toml"))
    outcome = retrain(config, progress=print)
    outcome.kind, outcome.reasons, outcome.exit_code
"""

from __future__ import annotations

from spamfilter.retrain.config import RetrainConfig, read_config
from spamfilter.retrain.job import Outcome, retrain

__all__ = ["Outcome", "RetrainConfig", "read_config", "retrain"]
