"""SpamFilter + Dataset → Scores: how good the verdicts are, on which slices, with intervals.

Usage::

    scores = evaluate(sf, data)                           # on data the model has not seen
    probability = left_out(data, folds=8, always=corpus)  # each site judged by a model that never saw it
    scores = score(data, probability)
    scores.sets["wp_blogs"].auc

A kind of spam or ham has one class only: it is ranked against all rows of the other class, so that each
kind of spam has a recall at a false-positive rate over the same ham.

Area under the ROC curve and average precision move ties together; recall at a false-positive rate is
that of the highest threshold at which no larger share of ham lies above it; ECE has ten bins of equal
width (Guo et al. 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from spamfilter.datasets import Dataset, merge
from spamfilter.errors import DataError
from spamfilter.features.fields import Fields
from spamfilter.model import SpamFilter
from spamfilter.training import TrainingConfig, fold_numbers, groups_of, train

__all__ = ["LeftOut", "Metrics", "Scores", "evaluate", "left_out", "metrics", "predict", "score"]

F64 = NDArray[np.float64]
#: Bootstrap samples; with 200 the ends of a 95 % interval rest on five samples each.
SAMPLES: Final = 200
#: Slices with fewer rows than this are not reported: their figures would be noise.
FEWEST: Final = 20
#: Slices with fewer rows get no intervals: a percentile of so few says nothing.
FEWEST_FOR_INTERVALS: Final = 50


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
    """Figures of all rows and by set, language and kind.

    ``cutoff`` is the probability from which on a row counts as spam (the median, where folds had one each).
    """

    cutoff: float
    all: Metrics
    sets: dict[str, Metrics]
    languages: dict[str, Metrics]
    kinds: dict[str, Metrics]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return asdict(self)


def metrics(y: NDArray[Any], p: F64, cutoff: float | F64 = 0.5, samples: int = 0, seed: int = 0) -> Metrics:
    """Figures for labels (1 spam, 0 ham) and probabilities; with ``samples`` also bootstrap intervals (95 %).

    ``cutoff`` is one probability, or one a row.  The bootstrap draws rows: it does not know that other
    sites may be unlike these.
    """
    y = np.asarray(y).astype(bool)
    ranking = _ranking(y, p)
    hit = p >= cutoff
    a, b = int((hit & y).sum()), int((hit & ~y).sum())
    c, d = int((~hit & y).sum()), int((~hit & ~y).sum())
    root = np.sqrt(float(a + b) * (a + c) * (d + b) * (d + c))
    interval = _bootstrap(y, p, hit, samples, seed) if samples and ranking["auc"] is not None else {}
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


def _bootstrap(
    y: NDArray[np.bool_], p: F64, hit: NDArray[np.bool_], samples: int, seed: int
) -> dict[str, tuple[float, float]]:
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(samples):
        pick = rng.integers(0, len(y), len(y))
        drawn: dict[str, float | None] = {**_ranking(y[pick], p[pick]), "ece": _ece(y[pick], p[pick])}
        spam, flagged = y[pick], hit[pick]
        drawn["recall"] = float(flagged[spam].mean()) if spam.any() else None
        drawn["blocked_ham"] = float(flagged[~spam].mean()) if not spam.all() else None
        for name, value in drawn.items():
            if value is not None:
                found.setdefault(name, []).append(value)
    return {
        name: (round(float(np.quantile(v, 0.025)), 4), round(float(np.quantile(v, 0.975)), 4))
        for name, v in found.items()
    }


def predict(sf: SpamFilter, data: Dataset, threads: Sequence[Hashable] | None = None) -> F64:
    """Probability of spam of each row, with the fields the row has.

    Each row is judged for itself; with ``threads``, rows of the same value there (not None) are comments of one page.
    """
    if threads is not None:
        return _with_company(sf, data, threads)
    out = np.zeros(len(data))
    for at in range(0, len(data), 2000):
        part = slice(at, at + 2000)
        out[part] = sf.probabilities(
            Fields.of(data.text[part], data.author[part], data.author_url[part], data.title[part], data.article[part])
        )
    return out


def _with_company(sf: SpamFilter, data: Dataset, threads: Sequence[Hashable]) -> F64:
    out = np.zeros(len(data))
    fields = Fields.of(data.text, data.author, data.author_url, data.title, data.article, threads)
    for rows, part, kept in fields.windows(2000):
        out[rows] = sf.probabilities(part)[kept]
    return out


def score(data: Dataset, probability: F64, cutoff: float | F64 = 0.5, samples: int = SAMPLES) -> Scores:
    """Figures of given probabilities, in all and by slice; ``cutoff`` is one probability, or one a row."""
    if not len(data):
        raise DataError("there are no rows to score; give labelled rows")
    slices = _Slices(data, probability, np.broadcast_to(np.asarray(cutoff, np.float64), (len(data),)), samples)
    return Scores(
        float(np.median(slices.cutoff)),
        metrics(data.label, probability, slices.cutoff, samples),
        slices.by(data.set),
        slices.by(data.lang),
        slices.by(data.kind, against_all=True),
    )


@dataclass(frozen=True, slots=True)
class _Slices:
    data: Dataset
    probability: F64
    cutoff: F64
    samples: int

    def by(self, values: Sequence[str | None], against_all: bool = False) -> dict[str, Metrics]:
        """Figures of the rows of each value, largest first."""
        names, place = np.unique([v or "unknown" for v in values], return_inverse=True)
        sizes = np.bincount(place)
        order = sorted(range(len(names)), key=lambda k: (-sizes[k], names[k]))
        return {str(names[k]): self._of(place == k, against_all) for k in order if sizes[k] >= FEWEST}

    def _of(self, mask: NDArray[np.bool_], against_all: bool) -> Metrics:
        own = self._figures(mask, self.samples if mask.sum() >= FEWEST_FOR_INTERVALS else 0)
        if not against_all or own.auc is not None:
            return own
        other = self.data.label != self.data.label[mask][0]
        ranked = self._figures(mask | other, self.samples if mask.sum() >= FEWEST_FOR_INTERVALS else 0)
        of_own = {"recall"} if own.spam else {"blocked_ham"}
        ranks = ("auc", "ap", "recall_at_01", "recall_at_1", "recall_at_5") if own.spam else ("auc",)
        kept = {k: v for k, v in ranked.interval.items() if k in of_own or k in ranks}
        return replace(own, **{k: getattr(ranked, k) for k in ranks}, interval=kept)

    def _figures(self, mask: NDArray[np.bool_], samples: int) -> Metrics:
        return metrics(self.data.label[mask], self.probability[mask], self.cutoff[mask], samples)


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
    jobs: int = 1,
) -> LeftOut:
    """Judge every row by a model trained without its site (``by="set"``: without its whole set).

    Sites are left out in ``folds`` groups, which is stricter than one at a time; ``always`` is
    trained on in every fold and never judged.  ``jobs`` folds are trained at once, each in a process of its own.
    Raises ``DataError`` where nothing is left to learn from.
    """
    groups = list(data.set) if by == "set" else groups_of(data)
    number = fold_numbers(groups, max(1, min(folds, len(set(groups))) if by == "site" else len(set(groups))))
    masks = [number == fold for fold in sorted(set(number.tolist()))]
    if len(masks) < 2 and always is None:
        raise DataError(f"all rows are of one {by}: nothing is left to learn from; give more data, or --always")
    out = LeftOut(np.zeros(len(data)), np.zeros(len(data)), np.zeros(len(data)))
    for n, (mask, judged) in enumerate(_folds_judged(data, masks, always, config, jobs), 1):
        out.probability[mask], out.cutoff[mask], out.unsure[mask] = judged
        progress(f"{n} of {len(masks)} folds judged")
    return out


_Judged = tuple[F64, float, float]


def _folds_judged(
    data: Dataset, masks: list[NDArray[np.bool_]], always: Dataset | None, config: TrainingConfig | None, jobs: int
) -> Iterator[tuple[NDArray[np.bool_], _Judged]]:
    def parts(mask: NDArray[np.bool_]) -> tuple[Dataset, Dataset]:
        rest = data.take(~mask)
        return (rest if always is None else merge([rest, always])), data.take(mask)

    if jobs <= 1 or len(masks) == 1:
        for mask in masks:
            yield mask, _judge_fold(*parts(mask), config)
        return
    work = (delayed(_judge_fold)(*parts(mask), config) for mask in masks)
    yield from zip(masks, Parallel(min(jobs, len(masks)), return_as="generator")(work), strict=True)


def _judge_fold(learn: Dataset, judge: Dataset, config: TrainingConfig | None) -> _Judged:
    with threadpool_limits(1):  # folds run side by side, and sums must not depend on how many cores there are
        try:
            sf, _ = train(learn, config)
        except DataError as error:
            raise DataError(f"with {len(judge):,} rows left out: {error}") from error
    return predict(sf, judge), sf.parameters.spam_cutoff, sf.parameters.unsure_cutoff
