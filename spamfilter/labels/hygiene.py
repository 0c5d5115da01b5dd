"""Labels that must not count in full: contradictions, floods from one source, echoes of the model's own verdicts.

Usage::

    rows = list(store.current())
    hygiene = weigh(rows, probability=out_of_fold)     # probability: optional, one per row
    hygiene = weigh(rows, out_of_fold, untaught=bundled)
    hygiene.weights                                    # float64, one per row, 0..1, same order
    hygiene.reasons[i], hygiene.findings               # why, per row and per source

Nothing is deleted and nothing here looks at a clock or a model: the same rows always give the same weights.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.labels.decision import LabelRow

__all__ = [
    "Finding",
    "Hygiene",
    "Limits",
    "contradictions",
    "echoes",
    "floods",
    "mislabelled",
    "reversed_sources",
    "unreliable",
    "weigh",
]

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much.

    ``per_day``: labels of one person (or program) by one road in on one day that count in full; a busy moderator
    makes some hundred.  Sources that begin with one of ``bulk`` are run by whoever owns the store and have no cap.
    ``voice``: how many rows of one person count in a campaign.  ``others`` and ``share``: a label contradicts if at
    least so many others, and such a share of them, say otherwise.  ``deviations``: how far beyond chance a source
    must be, in standard deviations (4: once in 30,000 sources).  ``fewest``: labels below which a source is not
    judged.  ``echo_weight``: what the labels of a source that seems to repeat verdicts count.
    """

    per_day: int = 200
    bulk: tuple[str, ...] = ("import",)
    voice: float = 5.0
    others: float = 3.0
    share: float = 0.8
    deviations: float = 4.0
    fewest: int = 20
    echo_fewest: int = 50
    echo_agreement: float = 0.97
    echo_weight: float = 0.2
    doubtful_weight: float = 0.25


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: ``kind`` "contradiction", "mislabelled", "unreliable", "flood" or "echo"."""

    kind: str
    who: str
    rows: int
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.who}: {self.detail}"


@dataclass(slots=True)
class Hygiene:
    """Weights (0..1) and reasons per row, and what was found per source."""

    weights: F64
    reasons: list[list[str]]
    findings: list[Finding] = field(default_factory=list)

    def _lower(self, rows: Iterable[int], factor: float | Callable[[int], float], reason: str) -> None:
        for i in rows:
            self.weights[i] *= factor(i) if callable(factor) else factor
            self.reasons[i].append(reason)


def weigh(
    rows: Sequence[LabelRow],
    probability: F64 | None = None,
    limits: Limits | None = None,
    untaught: F64 | None = None,
) -> Hygiene:
    """Weight, reasons and findings for the current labels ``rows``.

    ``probability`` is that of spam for each row by a model that was not trained on the row (out of fold); without it,
    only labels of near-duplicates can contradict each other.  ``untaught`` is the same by a model that has learnt none
    of these labels, such as the one that ships: by it, sources that say the reverse are found, however many labels
    they give.
    """
    limits = limits or Limits()
    hygiene = Hygiene(np.ones(len(rows)), [[] for _ in rows])
    against = contradictions(rows, limits)
    hygiene._lower(np.flatnonzero(against), 0.0, "contradicts the labels of its near-duplicates")
    _by_who(hygiene, rows, against, "contradiction", "contradict labels of near-duplicates")
    doubtful = against
    if probability is not None:
        wrong = mislabelled(rows, probability) & ~against
        hygiene._lower(np.flatnonzero(wrong), limits.doubtful_weight, "contradicts what all other labels teach")
        _by_who(hygiene, rows, wrong, "mislabelled", "contradict what all other labels teach")
        doubtful = against | wrong
    for who, trust, detail in unreliable(rows, doubtful, limits):
        mine = [i for i, row in enumerate(rows) if row.who == who]
        hygiene._lower(mine, trust, "its source contradicts the others far more often than they each other")
        hygiene.findings.append(Finding("unreliable", who, len(mine), detail))
    for who, detail in reversed_sources(rows, untaught, limits) if untaught is not None else ():
        mine = [i for i, row in enumerate(rows) if row.who == who]
        hygiene._lower(mine, 0.0, "its source calls spam what looks like ham, and ham what looks like spam")
        hygiene.findings.append(Finding("unreliable", who, len(mine), detail))
    _cap_echoes(hygiene, rows, limits)
    _cap_floods(hygiene, rows, limits)
    return hygiene


def _by_who(hygiene: Hygiene, rows: Sequence[LabelRow], mask: Mask, kind: str, what: str) -> None:
    total = Counter(row.who for row in rows)
    found = Counter(rows[i].who for i in np.flatnonzero(mask).tolist())
    for who, n in found.most_common():
        hygiene.findings.append(Finding(kind, who, n, f"{n} of {total[who]} labels {what}"))


def _cap_echoes(hygiene: Hygiene, rows: Sequence[LabelRow], limits: Limits) -> None:
    copied = [i for i, row in enumerate(rows) if row.look == "automatic"]
    hygiene._lower(copied, 0.0, "nobody looked: a program's verdict was written down as a label")
    for who, n in Counter(rows[i].who for i in copied).most_common():
        hygiene.findings.append(Finding("echo", who, n, f"{n} labels that nobody looked at count nothing"))
    for mine, detail in echoes(rows, limits):
        hygiene._lower(mine, limits.echo_weight, "its source repeats the model's verdicts")
        hygiene.findings.append(Finding("echo", rows[mine[0]].who, len(mine), detail))


def _cap_floods(hygiene: Hygiene, rows: Sequence[LabelRow], limits: Limits) -> None:
    for mine, day in floods(rows, limits):
        # What counts nothing already takes no room under the cap.
        counting = [i for i in mine if hygiene.weights[i] > 0]
        if len(counting) <= limits.per_day:
            continue
        factor = limits.per_day / len(counting)
        hygiene._lower(counting, factor, "more labels in a day than one source may count with")
        detail = f"{len(mine)} labels on {day} count as {limits.per_day}"
        hygiene.findings.append(Finding("flood", rows[mine[0]].who, len(mine), detail))


def contradictions(rows: Sequence[LabelRow], limits: Limits | None = None) -> Mask:
    """Which labels contradict many others about the same campaign.

    Each person counts with at most ``voice`` rows in a campaign, so that a thousand labels of one hostile source
    do not outvote three people.
    """
    limits = limits or Limits()
    campaigns: dict[int, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        campaigns[row.campaign].append(i)
    found = np.zeros(len(rows), np.bool_)
    for members in campaigns.values():
        if len({rows[i].label for i in members}) > 1:
            found[_outvoted(rows, members, limits)] = True
    return found


def _outvoted(rows: Sequence[LabelRow], members: list[int], limits: Limits) -> list[int]:
    count = Counter(rows[i].who for i in members)
    voice = {who: min(1.0, limits.voice / n) for who, n in count.items()}
    said = {label: sum(voice[rows[i].who] for i in members if rows[i].label == label) for label in ("spam", "ham")}
    out = []
    for i in members:
        mine = rows[i].label
        other, same = said["ham" if mine == "spam" else "spam"], said[mine] - voice[rows[i].who]
        if other >= limits.others and other / (other + same) >= limits.share:
            out.append(i)
    return out


def mislabelled(rows: Sequence[LabelRow], probability: F64) -> Mask:
    """Which labels a model that did not see them is confident are the other one.

    Confident learning (Northcutt, Jiang and Chuang 2021): confident means a probability of the other label at least
    as high as rows with that label get on average, and never below 0.9 here, because what the model does not know
    yet is what a team's labels are for.
    """
    spam = np.array([row.label == "spam" for row in rows], np.bool_)
    if not spam.any() or spam.all():
        return np.zeros(len(rows), np.bool_)
    as_spam = max(0.9, float(probability[spam].mean()))
    as_ham = max(0.9, float((1 - probability[~spam]).mean()))
    return np.where(spam, 1 - probability >= as_ham, probability >= as_spam)


def unreliable(rows: Sequence[LabelRow], doubtful: Mask, limits: Limits | None = None) -> list[tuple[str, float, str]]:
    """Sources whose share of ``doubtful`` labels is beyond chance: (who, weight, detail).

    Each is held against all the others together; with e the share, its labels count 1 - 2 e: someone who flips
    coins (e = 1/2) tells nothing (the reliability of Dawid and Skene's two-class model).
    """
    limits = limits or Limits()
    total, bad = Counter(row.who for row in rows), Counter(rows[i].who for i in np.flatnonzero(doubtful).tolist())
    out = []
    for who, n in total.items():
        rest, rest_bad = len(rows) - n, sum(bad.values()) - bad[who]
        if n < limits.fewest or rest < limits.fewest:
            continue
        usual = (rest_bad + 1) / (rest + 2)  # Laplace: none in twenty is not never
        beyond = (bad[who] - n * usual) / math.sqrt(n * usual * (1 - usual))
        share = bad[who] / n
        if beyond > limits.deviations and share > 2 * usual:
            weight = max(0.0, 1 - 2 * share)
            detail = f"{share:.0%} of {n} labels are doubtful, of the others' {usual:.0%}; they count {weight:.2f}"
            out.append((who, weight, detail))
    return out


def reversed_sources(rows: Sequence[LabelRow], untaught: F64, limits: Limits | None = None) -> list[tuple[str, str]]:
    """Sources whose labels run against a model that agrees with all the others': (who, detail).

    The area under the ROC curve of the source's labels lies below one half, that of all the others' together above it,
    each by ``deviations`` standard deviations (Mann and Whitney 1947).  It asks for the order alone, so it also finds
    what no probability is sure enough of; and the model has learnt none of the labels, so that a thousand of them
    cannot win it over.
    """
    limits = limits or Limits()
    spam = np.array([row.label == "spam" for row in rows], np.bool_)
    names = np.array([row.who for row in rows], object)
    out = []
    for who in dict.fromkeys(names.tolist()):
        mine = names == who
        if mine.sum() < limits.fewest:
            continue
        (auc, beyond), (others, beyond_others) = (_auc(spam[of], untaught[of]) for of in (mine, ~mine))
        if beyond < -limits.deviations and beyond_others > limits.deviations:
            detail = (
                f"its spam ranks below its ham (area under the curve {auc:.2f}, the others' {others:.2f}); "
                f"its {int(mine.sum())} labels count nothing"
            )
            out.append((who, detail))
    return out


def _auc(spam: Mask, probability: F64) -> tuple[float, float]:
    """Area under the ROC curve, ties counting half, and how many standard deviations it is above one half."""
    high, low = probability[spam], np.sort(probability[~spam])
    n, m = len(high), len(low)
    if not n or not m:
        return 0.5, 0.0
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    auc = float(below.sum() / (2 * n * m))
    return auc, (auc - 0.5) / math.sqrt((n + m + 1) / (12 * n * m))


def floods(rows: Sequence[LabelRow], limits: Limits | None = None) -> list[tuple[list[int], str]]:
    """Labels of one person by one road in on one day beyond the cap: (places of the rows, day)."""
    limits = limits or Limits()
    days: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if not row.source.startswith(limits.bulk):
            days[row.who, row.source, row.at.date().isoformat()].append(i)
    return [(mine, day) for (_, _, day), mine in days.items() if len(mine) > limits.per_day]


# A verdict is never taken for surer than this: one wrong in 200 is the best a calibrated model can promise here.
_SUREST: Final = 0.995


def echoes(rows: Sequence[LabelRow], limits: Limits | None = None) -> list[tuple[list[int], str]]:
    """Sources that agree with the model more often than a calibrated model can be right: (places of the rows, detail).

    By source and calendar month.  If the model says 0.8, an independent look disagrees in a fifth of the cases; the
    number of agreements is compared with the sum of those probabilities (a Poisson binomial, by its normal
    approximation).  Rows decided "blind" are left out.
    """
    limits = limits or Limits()
    months: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row.verdict is not None and row.look not in ("blind", "automatic"):
            months[row.who, row.source, row.at.strftime("%Y-%m")].append(i)
    out = []
    for (_, _, month), mine in months.items():
        if len(mine) >= limits.echo_fewest and (found := _echo(rows, mine, limits)):
            out.append((found[0], f"{found[1]} in {month}"))
    return out


def _echo(rows: Sequence[LabelRow], mine: list[int], limits: Limits) -> tuple[list[int], str] | None:
    p = np.array([verdict.probability for i in mine if (verdict := rows[i].verdict) is not None])
    agrees = np.array([(rows[i].label == "spam") == (x >= 0.5) for i, x in zip(mine, p.tolist(), strict=True)])
    right = np.minimum(np.maximum(p, 1 - p), _SUREST)
    expected, spread = right.sum(), math.sqrt((right * (1 - right)).sum())
    share = agrees.mean()
    if share < limits.echo_agreement or (agrees.sum() - expected) / spread <= limits.deviations:
        return None
    usual = expected / len(mine)
    detail = f"{share:.1%} of {len(mine)} labels equal the model's verdict, {usual:.1%} were to be expected"
    return [i for i, same in zip(mine, agrees.tolist(), strict=True) if same], detail
