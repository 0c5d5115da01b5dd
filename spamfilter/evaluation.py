"""SpamFilter + Dataset → Scores: how good the verdicts are, on which slices, with intervals.

Usage::

    scores = evaluate(sf, data)                           # on data the model has not seen
    probability = left_out(data, folds=8, always=corpus)  # each site judged by a model that never saw it
    scores = score(data, probability)
    scores.to_dict()["sets"]["wp_blogs"]["auc"]

Area under the ROC curve and average precision move ties together; recall at a false-positive rate is
that of the highest threshold at which no larger share of ham lies above it; ECE has ten bins of equal
width (Guo et al. 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.datasets import Dataset, merge
from spamfilter.features.fields import Fields
from spamfilter.model import SpamFilter
from spamfilter.training import TrainingConfig, fold_numbers, groups_of, train

__all__ = ["Metrics", "Scores", "evaluate", "left_out", "metrics", "score"]

F64 = NDArray[np.float64]
#: Bootstrap samples; with 200 the ends of a 95 % interval rest on five samples each.
SAMPLES: Final = 200
#: Slices with fewer rows than this are not reported: their figures would be noise.
FEWEST: Final = 20


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one slice; those that need both classes are None without."""

    n: int
    spam: int
    auc: float | None
    ap: float | None
    recall_at_01: float | None
    recall_at_1: float | None
    recall_at_5: float | None
    precision: float
    recall: float
    blocked_ham: float
    mcc: float
    brier: float
    ece: float
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures of all rows and by set, language and kind; ``cutoff`` is the probability that counts as spam."""

    cutoff: float
    all: Metrics
    sets: dict[str, Metrics]
    languages: dict[str, Metrics]
    kinds: dict[str, Metrics]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return asdict(self)


def metrics(y: NDArray[Any], p: F64, cutoff: float = 0.5, samples: int = 0, seed: int = 0) -> Metrics:
    """Figures for labels (1 spam, 0 ham) and probabilities; with ``samples`` also bootstrap intervals (95 %)."""
    y = np.asarray(y).astype(bool)
    ranking = _ranking(y, p)
    hit = p >= cutoff
    a, b = int((hit & y).sum()), int((hit & ~y).sum())
    c, d = int((~hit & y).sum()), int((~hit & ~y).sum())
    root = np.sqrt(float(a + b) * (a + c) * (d + b) * (d + c))
    interval = _bootstrap(y, p, samples, seed) if samples and ranking["auc"] is not None else {}
    return Metrics(
        n=len(y),
        spam=int(y.sum()),
        **ranking,
        precision=a / max(a + b, 1),
        recall=a / max(a + c, 1),
        blocked_ham=b / max(b + d, 1),
        mcc=(a * d - b * c) / root if root else 0.0,
        brier=float(np.mean((p - y) ** 2)) if len(y) else 0.0,
        ece=_ece(y, p),
        interval=interval,
    )


def _ranking(y: NDArray[np.bool_], p: F64) -> dict[str, float | None]:
    names = ("auc", "ap", "recall_at_01", "recall_at_1", "recall_at_5")
    pos, neg = int(y.sum()), int((~y).sum())
    if not pos or not neg:
        return dict.fromkeys(names)
    order = np.argsort(-p, kind="stable")
    last = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))  # ties move together
    tp = np.cumsum(y[order])[last].astype(np.float64)
    fp = (last + 1) - tp
    dtp, dfp = np.diff(tp, prepend=0.0), np.diff(fp, prepend=0.0)
    auc = float((dfp * (tp - dtp / 2)).sum() / (pos * neg))
    ap = float((dtp / pos * tp / (tp + fp)).sum())
    recalls = [float(np.max(tp[fp / neg <= rate] / pos, initial=0.0)) for rate in (0.001, 0.01, 0.05)]
    return dict(zip(names, (auc, ap, *recalls), strict=True))


def _ece(y: NDArray[np.bool_], p: F64) -> float:
    if not len(y):
        return 0.0
    place = np.minimum(9, (p * 10).astype(np.int64))
    gap = np.bincount(place, p, 10) - np.bincount(place, y.astype(np.float64), 10)
    return float(np.abs(gap).sum() / len(y))


def _bootstrap(y: NDArray[np.bool_], p: F64, samples: int, seed: int) -> dict[str, tuple[float, float]]:
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {"auc": [], "ap": [], "recall_at_1": []}
    for _ in range(samples):
        pick = rng.integers(0, len(y), len(y))
        ranking = _ranking(y[pick], p[pick])
        for name, values in found.items():
            value = ranking[name]
            if value is not None:
                values.append(value)
    return {
        name: (round(float(np.quantile(v, 0.025)), 4), round(float(np.quantile(v, 0.975)), 4))
        for name, v in found.items()
        if v
    }


def predict(sf: SpamFilter, data: Dataset) -> F64:
    """Probability of spam of each row, with the fields the row has."""
    out = np.zeros(len(data))
    for at in range(0, len(data), 2000):
        part = slice(at, at + 2000)
        out[part] = sf.probabilities(
            Fields.of(data.text[part], data.author[part], data.author_url[part], data.title[part], data.article[part])
        )
    return out


def score(data: Dataset, probability: F64, cutoff: float = 0.5, samples: int = SAMPLES) -> Scores:
    """Figures of given probabilities, in all and by slice."""
    y = data.label

    def slices(values: Sequence[str | None]) -> dict[str, Metrics]:
        names = np.array([v or "unknown" for v in values], object)
        found = sorted(set(names.tolist()), key=lambda n: (-int((names == n).sum()), n))
        return {
            n: metrics(y[names == n], probability[names == n], cutoff, samples if (names == n).sum() >= 200 else 0)
            for n in found
            if (names == n).sum() >= FEWEST
        }

    return Scores(
        cutoff,
        metrics(y, probability, cutoff, samples),
        slices(data.set),
        slices(data.lang),
        slices(data.kind),
    )


def evaluate(sf: SpamFilter, data: Dataset, samples: int = SAMPLES) -> Scores:
    """Figures of a model on data it has not seen, at its own cut-off."""
    return score(data, predict(sf, data), sf.parameters.spam_cutoff, samples)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Probabilities by models that never saw the row's site, and the cut-off of the model that gave each."""

    probability: F64
    cutoff: F64
    unsure: F64


def left_out(
    data: Dataset,
    config: TrainingConfig | None = None,
    folds: int = 8,
    always: Dataset | None = None,
    by: str = "site",
    progress: Callable[[str], None] = lambda _: None,
) -> LeftOut:
    """Judge every row by a model trained without its site (``by="set"``: without its whole set).

    Sites are left out in ``folds`` groups, which is stricter than one at a time; ``always`` is
    trained on in every fold and never judged.
    """
    groups = list(data.set) if by == "set" else groups_of(data)
    number = fold_numbers(groups, folds if by == "site" else len(set(groups)))
    out = LeftOut(np.zeros(len(data)), np.zeros(len(data)), np.zeros(len(data)))
    for fold in sorted(set(number.tolist())):
        test = number == fold
        rest = data.take(~test)
        progress(f"fold {fold + 1}: {int(test.sum())} rows left out")
        sf, _ = train(merge([rest, always]) if always is not None else rest, config)
        out.probability[test] = predict(sf, data.take(test))
        out.cutoff[test] = sf.parameters.spam_cutoff
        out.unsure[test] = sf.parameters.unsure_cutoff
    return out
