"""Labelled files → a saved model with its scores and card, in one call.

Usage::

    done = TrainingJob(["data/corpus", "mine.csv"], Path("models/mine")).run(progress=print)
    done.scores.all.auc, done.folder
"""

from __future__ import annotations

import difflib
import json
import platform
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from spamfilter import store
from spamfilter.datasets import Dataset, read_data
from spamfilter.driftreference import reference_of
from spamfilter.errors import ConfigError, OutputError
from spamfilter.evaluation import Scores, left_out, score
from spamfilter.model import SpamFilter
from spamfilter.modelcard import model_card
from spamfilter.training import TrainingConfig, TrainingFacts, train

__all__ = ["Trained", "TrainingJob", "read_config"]

Progress = Callable[[str], None]
_PACKAGES: Final = ("numpy", "scipy", "scikit-learn")
_WITHIN: Final = (
    "out of fold by site within this training; the last calibration and the cut-offs have seen these figures' "
    "logits, so they flatter a little (--folds N judges every site by models that never saw it)"
)


def read_config(path: Path | None, seed: int | None = None) -> TrainingConfig:
    """The settings of a TOML file (keys of ``TrainingConfig``, at the top or under ``[training]``); ``seed`` wins.

    Raises ``ConfigError`` for an unknown key, with the nearest one, or a value of the wrong type.
    """
    raw = _toml(path) if path is not None else {}
    table = raw.get("training", raw)
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: training must be a table")
    kinds = {name: type(value) for name, value in asdict(TrainingConfig()).items()}
    for name, value in table.items():
        if name not in kinds:
            near = difflib.get_close_matches(name, list(kinds), 1)
            raise ConfigError(
                f"{path}: unknown setting {name!r}; "
                + (f"is {near[0]!r} meant?" if near else f"there are: {', '.join(kinds)}")
            )
        wanted = kinds[name]
        if isinstance(value, bool) or not isinstance(value, (int, float) if wanted is float else wanted):
            raise ConfigError(f"{path}: {name} = {value!r}, a number ({wanted.__name__}) is expected")
        if value < 0:
            raise ConfigError(f"{path}: {name} = {value!r}, it must not be below 0")
    config = replace(TrainingConfig(), **table)
    return config if seed is None else replace(config, seed=seed)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; name a TOML file that is there") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from error


@dataclass(frozen=True, slots=True)
class Trained:
    """A model in its folder, its scores and the data it learnt from."""

    folder: Path
    model: SpamFilter
    data: Dataset
    scores: Scores
    how: str


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One training: which files, into which folder, how.

    With ``folds`` the scores come from so many further trainings, each without the sites that it judges, and
    ``jobs`` of them run at once; without, from the training's own logits out of fold.  ``readers`` are further files of
    comments that a site has published: those without a label count as ham.
    """

    sources: Sequence[str]
    folder: Path
    version: str | None = None
    config: TrainingConfig = field(default_factory=TrainingConfig)
    conflicts: str = "drop"
    split: str | None = None
    folds: int = 0
    jobs: int = 1
    command: str = ""
    readers: Sequence[str] = ()

    def read(self) -> Dataset:
        """The data, checked: raises before an hour is spent on what cannot be used or written."""
        if self.folder.exists():
            raise OutputError(f"{self.folder} exists; models are never changed once written, choose another name")
        data = read_data(self.sources, self.conflicts, self.split, self.readers)
        data.require_both_classes()
        return data

    def run(self, data: Dataset | None = None, progress: Progress = lambda _: None) -> Trained:
        """Train, score, write the card, save."""
        data = data if data is not None else self.read()
        with threadpool_limits(1):  # sums, and so the model, must not depend on how many cores there are
            sf, facts = train(data, self.config, self.folder.name, progress)
        scores, how = self._scores(data, sf, facts, progress)
        manifest = self._manifest(data, facts, scores, how)
        texts = {"scores.json": json.dumps({"how": how, **scores.to_dict()}, indent=1, ensure_ascii=False) + "\n"}
        cutoffs = {"spam": sf.parameters.spam_cutoff, "unsure": sf.parameters.unsure_cutoff}
        texts["README.md"] = model_card({**manifest, "cutoffs": cutoffs}, scores, how)
        progress("saving")
        return Trained(store.save(sf, self.folder, manifest, texts), sf, data, scores, how)

    def _scores(self, data: Dataset, sf: SpamFilter, facts: TrainingFacts, progress: Progress) -> tuple[Scores, str]:
        if not self.folds:
            probability: NDArray[np.float64] = 1 / (1 + np.exp(-facts.logits))
            return score(data, probability, sf.parameters.spam_cutoff), _WITHIN
        judged = left_out(data, self.config, self.folds, progress=progress, jobs=self.jobs)
        how = f"{self.folds} further trainings, each judging the sites that it never saw"
        return score(data, judged.probability, judged.cutoff), how

    def _manifest(self, data: Dataset, facts: TrainingFacts, scores: Scores, how: str) -> Mapping[str, Any]:
        now = datetime.now(UTC)
        return {
            "name": self.folder.name,
            "version": self.version or now.strftime("%Y.%m.%d"),
            "created": now.isoformat(timespec="seconds"),
            "command": self.command,
            "config": asdict(self.config),
            "rows": facts.rows,
            "fingerprint": facts.fingerprint,
            "left_out": dict(data.report.left_out),
            "versions": {"python": platform.python_version(), **{p: metadata.version(p) for p in _PACKAGES}},
            "reference": reference_of(data, facts.logits, self.config.folds).to_dict(),
            "metrics": {"how": how, "auc": scores.all.auc, "ap": scores.all.ap, "recall_at_1": scores.all.recall_at_1},
        }
