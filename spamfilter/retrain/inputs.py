"""The fingerprint of everything that goes into a retraining: equal inputs, nothing new.

Usage::

    inputs = fingerprint(config, gathered, base_manifest, always, guard)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from spamfilter import __version__
from spamfilter.datasets import Dataset
from spamfilter.retrain.config import RetrainConfig
from spamfilter.retrain.gathering import Gathered

__all__ = ["fingerprint", "weights_digest"]


def fingerprint(
    config: RetrainConfig,
    gathered: Gathered,
    base: Mapping[str, Any],
    always: Dataset | None,
    guard: Dataset | None,
) -> str:
    """SHA-256 over rows with their weights, the base's weights, further data, settings and the package's version.

    The champion is not in it: after a rollback the same labels must not bring the same model back the next night.
    """
    settings = asdict(config)
    for name in ("labels", "models", "base", "data", "always", "guard", "jobs", "keep"):
        del settings[name]  # where things are and how fast does not matter, what is in them is below
    parts = {
        "rows": _rows_digest(gathered),
        "base": weights_digest(base),
        "always": always.fingerprint() if always is not None else None,
        "guard": guard.fingerprint() if guard is not None else None,
        "settings": settings,
        "code": __version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def weights_digest(manifest: Mapping[str, Any]) -> str:
    """What tells one model's weights from another's."""
    return hashlib.sha256(json.dumps(manifest.get("files", {}), sort_keys=True).encode()).hexdigest()


def _rows_digest(gathered: Gathered) -> str:
    rows = gathered.rows
    columns = (
        rows.text,
        rows.author,
        rows.author_url,
        rows.title,
        rows.article,
        rows.site,
        rows.post,
        rows.lang,
    )
    lines = sorted(
        hashlib.sha256("\x1f".join(map(str, row)).encode("utf-8", "surrogatepass")).digest()
        for row in zip(*columns, rows.label.tolist(), gathered.weight.round(6).tolist(), strict=True)
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()
