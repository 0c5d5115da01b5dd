"""Champion or challenger: a pure decision from both models' probabilities of the same rows that neither has learnt.

Usage::

    decision = decide(unseen, newest)           # Judged rows; the newest slice may be missing
    decision.promote, decision.reasons          # True, ["average precision 0.912 → 0.934 (+0.008 to +0.038)"]

The challenger is promoted if it is *better* in at least one measure, *worse* in none, and no slice falls below its
floor.  The measures are average precision, recall at 1 % false positives, and the share of ham that is blocked at the
model's own cut-off.  Differences come with a paired bootstrap over campaigns (Efron and Tibshirani 1993, ch. 16; rows
that are near-duplicates are drawn together, since ten copies of a comment are not ten pieces of evidence):

* better: the whole 90 % interval of the difference is on the good side (so a coin is taken for a gain in one case of
  twenty);
* worse: the whole interval is on the bad side, or, where there are rows enough, the difference itself is beyond
  ``most_lost`` and likely to be a loss at all: four samples of five say so.  So little proof is asked for because a
  loss hurts readers and a gain can wait; not none, since recall at 1 % can hang on a single comment.

Labels hold slips: of ten much-used test sets, 3.3 % are labelled wrongly (Northcutt et al. 2021).  A model that finds
more spam also finds more of the spam that somebody called ham, which looks like blocked ham.  So for each spam
comment that only the challenger finds, ``slips`` blocked ham are excused; a challenger that finds no more spam has
nothing excused, and no single row is forgiven because a model is sure of it.  In simulated nights with 3 % of the
labels wrong, 0.03 promoted nine of ten clear gains, and also a third to a half of the models that really block 2 % of
the ham more; 0.02 promoted nine of ten and one in thirty of those, hence the default.

A slice is held to its floor by exact tests: the ham that only the challenger blocks against the ham that only the
champion blocks, the same for spam that is missed (sign test; McNemar 1947), and the share of ham that is blocked
against the most a slice may have (binomial).  Rows count with their weights from ``labels.hygiene``; slices count
rows that weigh at least a half.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, poisson

from spamfilter.cutoffs import SLIPS
from spamfilter.errors import DataError

__all__ = ["MEASURES", "Change", "Decision", "Judged", "Rules", "SliceChange", "average_precision", "compare", "decide"]

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Outcome = Literal["better", "worse", "same", "unknown"]

#: Measure → how it is called, and whether more of it is better.
MEASURES: Final = {
    "ap": ("average precision", True),
    "recall_at_1": ("recall at 1 % false positives", True),
    "blocked_ham": ("blocked ham", False),
}
#: Where ``_figures`` has, after the measures, the spam found at the cut-off, per ham row (as blocked ham is counted).
_FOUND: Final = len(MEASURES)
#: Bootstrap samples worked on at once: bounds the memory to some 20 MB for 20,000 rows.
_AT_ONCE: Final = 64
#: Rows below which a language or set is not held to a floor: five rows of twenty decide nothing.
_FEWEST: Final = 20
#: A row's label counts in a slice from this weight on.
_COUNTS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Rules:
    """What a challenger must keep to.

    ``samples``: with 1,000 the ends of a 90 % interval rest on fifty samples each, so they move by a tenth of
    its width from seed to seed.  ``level``: probability mass on either side of an interval.  ``most_lost``: what a team
    would notice, by measure; applied from ``enough`` rows of the class on, below which a single row is more than one
    in a hundred, and where at most ``likely`` of the samples show no loss.  ``negligible``: a smaller fall is none,
    even if it is sure.  ``slips``: labels that are wrong by mistake, as a share (what label noise excuses, see above).
    ``blocked``: the most ham that may be blocked, by slice (twice to four times the share that the cut-off is chosen
    for; less for authors whom the team trusts, since those are readers whom it knows).  ``ham_level`` and
    ``spam_level``: how sure a fall
    must be; a blocked reader is the graver error, so less proof is asked for.  ``fall``: a slice may lose so much of
    its ham or spam before it matters.
    """

    samples: int = 1000
    seed: int = 20
    level: float = 0.05
    most_lost: Mapping[str, float] = field(
        default_factory=lambda: {"ap": 0.02, "recall_at_1": 0.05, "blocked_ham": 0.01}
    )
    negligible: float = 0.001
    enough: int = 100
    likely: float = 0.2
    slips: float = SLIPS
    blocked: Mapping[str, float] = field(
        default_factory=lambda: {"language": 0.02, "set": 0.02, "length": 0.02, "author": 0.01}
    )
    ham_level: float = 0.05
    spam_level: float = 0.01
    fall: Mapping[str, float] = field(default_factory=lambda: {"ham": 0.01, "spam": 0.05})


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows that both models judged and neither learnt from, as columns of equal length.

    ``label`` is 1 for spam, 0 for ham; ``weight`` 0..1; ``champion`` and ``challenger`` are probabilities of spam, each
    with the cut-off of the model that gave it; ``unit`` names what is drawn together; ``short`` and ``trusted`` mark
    short comments, and comments of authors whom the team has approved several times and never rejected.
    """

    id: list[str]
    label: NDArray[np.int8]
    weight: F64
    champion: F64
    champion_cutoff: F64
    challenger: F64
    challenger_cutoff: F64
    lang: list[str | None]
    set: list[str]
    site: list[str]
    date: list[str | None]
    unit: list[str]
    short: Mask
    trusted: Mask

    def __len__(self) -> int:
        return len(self.id)

    def take(self, mask: Mask) -> Judged:
        """The rows where ``mask`` is true."""
        wanted = np.flatnonzero(mask)
        taken: dict[str, Any] = {}
        for f in fields(self):
            column = getattr(self, f.name)
            taken[f.name] = column[wanted] if isinstance(column, np.ndarray) else [column[i] for i in wanted.tolist()]
        return Judged(**taken)

    def to_dict(self) -> dict[str, list[Any]]:
        """As JSON takes it; probabilities with six digits."""
        out: dict[str, list[Any]] = {}
        for f in fields(self):
            column = getattr(self, f.name)
            if isinstance(column, np.ndarray):
                column = (np.round(column, 6) if column.dtype == np.float64 else column).tolist()
            out[f.name] = list(column)
        return out

    @classmethod
    def from_dict(cls, columns: Mapping[str, Sequence[Any]]) -> Judged:
        """The reverse of ``to_dict``.  Raises ``DataError`` where columns are missing or of unequal length."""
        try:
            made: dict[str, Any] = {f.name: list(columns[f.name]) for f in fields(cls)}
        except (KeyError, TypeError) as error:
            raise DataError(f"judged rows lack the column {error}; run the retraining again") from error
        if len({len(column) for column in made.values()}) > 1:
            raise DataError("judged rows have columns of unequal length; run the retraining again")
        kinds = {"label": np.int8, "short": np.bool_, "trusted": np.bool_} | dict.fromkeys(
            ("weight", "champion", "champion_cutoff", "challenger", "challenger_cutoff"), np.float64
        )
        return cls(**{k: np.array(v, kinds[k]) if k in kinds else v for k, v in made.items()})


@dataclass(frozen=True, slots=True)
class Change:
    """One measure of both models.  ``difference`` and its interval are positive where the challenger is better."""

    measure: str
    champion: float | None
    challenger: float | None
    difference: float | None
    low: float | None
    high: float | None
    outcome: Outcome

    def __str__(self) -> str:
        name, more = MEASURES[self.measure]
        if self.champion is None or self.challenger is None or self.low is None or self.high is None:
            return f"{name}: too few rows"
        # Adding 0.0 makes a negative zero a plain one.
        low, high = (self.low, self.high) if more else (0.0 - self.high, 0.0 - self.low)
        return f"{name} {self.champion:.3f} → {self.challenger:.3f} ({low:+.3f} to {high:+.3f})"


@dataclass(frozen=True, slots=True)
class SliceChange:
    """One slice: ``what`` is "language", "set", "length" or "author"; ``below`` says which floor it falls below."""

    what: str
    name: str
    spam: int
    ham: int
    missed_by_champion: int
    missed_by_challenger: int
    blocked_by_champion: int
    blocked_by_challenger: int
    below: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to promote, and why: for a refusal all that speaks against it."""

    promote: bool
    reasons: tuple[str, ...]
    unseen: tuple[Change, ...]
    newest: tuple[Change, ...]
    slices: tuple[SliceChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Decision:
        """The reverse of ``to_dict``.  Raises ``DataError`` for what it cannot be."""
        try:
            return cls(
                bool(found["promote"]),
                tuple(map(str, found["reasons"])),
                tuple(Change(**c) for c in found["unseen"]),
                tuple(Change(**c) for c in found["newest"]),
                tuple(SliceChange(**c) for c in found["slices"]),
            )
        except (KeyError, TypeError) as error:
            raise DataError(f"a decision cannot be read ({error}); run the retraining again") from error


def decide(
    unseen: Judged, newest: Judged | None = None, guard: Judged | None = None, rules: Rules | None = None
) -> Decision:
    """Whether the challenger takes the champion's place.

    ``unseen``: rows of groups that neither model learnt; they alone can show that the challenger is better.
    ``newest``: rows that came after everything either model learnt.  ``guard``: rows of further sets which both know
    equally well, such as data that the common base learnt from.  In ``newest`` and ``guard`` the challenger must not be
    worse.  The same rows, rules and seed give the same decision.
    """
    rules = rules or Rules()
    changes = compare(unseen, rules)
    later = compare(newest, rules) if newest is not None else ()
    guarded = compare(guard, rules) if guard is not None else ()
    slices = (*_slices(unseen, rules), *(_slices(guard, rules) if guard is not None else ()))
    against = [f"worse: {c}" for c in changes if c.outcome == "worse"]
    against += [f"worse on the newest rows: {c}" for c in later if c.outcome == "worse"]
    against += [f"worse on the guarded rows: {c}" for c in guarded if c.outcome == "worse"]
    against += [f"{s.what} {s.name}: {s.below}" for s in slices if s.below]
    gains = [str(c) for c in changes if c.outcome == "better"]
    if not gains:
        against.append("not better beyond noise: " + "; ".join(map(str, changes)))
    return Decision(not against, tuple(against or gains), changes, later, tuple(slices))


# ---------------------------------------------------------------------- measures
def compare(rows: Judged, rules: Rules) -> tuple[Change, ...]:
    """Each measure of both models on ``rows``, with the interval of the difference."""
    y = rows.label == 1
    if not (rows.weight[y].sum() > 0 and rows.weight[~y].sum() > 0):
        return tuple(Change(name, None, None, None, None, None, "unknown") for name in MEASURES)
    ones = rows.weight[np.newaxis]
    points = [_figures(y, p, c, ones) for p, c in _models(rows)]
    drawn: list[list[F64]] = [[], []]
    for weights in _samples(rows, rules):
        for model, (p, c) in zip(drawn, _models(rows), strict=True):
            model.append(_figures(y, p, c, weights))
    champion, challenger = (np.hstack(parts) for parts in drawn)
    found_more = challenger[_FOUND] - champion[_FOUND]
    seen_more = float(points[1][_FOUND, 0] - points[0][_FOUND, 0])
    out = []
    for k, (name, (_, more)) in enumerate(MEASURES.items()):
        sign = 1.0 if more else -1.0
        differences = sign * (challenger[k] - champion[k])
        low, high = np.quantile(differences, (rules.level, 1 - rules.level)).tolist()
        before, after = float(points[0][k, 0]), float(points[1][k, 0])
        excused = name == "blocked_ham"
        loss = differences + (rules.slips * np.maximum(found_more, 0.0) if excused else 0.0)
        seen = sign * (after - before) + (rules.slips * max(seen_more, 0.0) if excused else 0.0)
        outcome: Outcome = "better" if low > 0 else "worse" if _worse(name, seen, loss, rows, rules) else "same"
        out.append(Change(name, before, after, sign * (after - before), low, high, outcome))
    return tuple(out)


def average_precision(label: NDArray[Any], probability: F64, weight: F64) -> float:
    """Average precision of weighted rows (ties move together); 0 without spam."""
    return float(_figures(np.asarray(label) == 1, probability, np.ones(len(label)), weight[np.newaxis])[0, 0])


def _models(rows: Judged) -> tuple[tuple[F64, F64], tuple[F64, F64]]:
    return (rows.champion, rows.champion_cutoff), (rows.challenger, rows.challenger_cutoff)


def _worse(name: str, seen: float, drawn: F64, rows: Judged, rules: Rules) -> bool:
    """Whether a loss is sure, or beyond what a team would notice and likely; ``drawn`` are the samples' differences."""
    if seen >= -rules.negligible:
        return False
    sure, likely = np.quantile(drawn, (1 - rules.level, 1 - rules.likely)).tolist()
    of_class = rows.label == (1 if name == "ap" else 0)  # the other two hang on how many ham rows there are
    enough = int(of_class.sum()) >= rules.enough
    return bool(sure < 0 or (enough and seen < -rules.most_lost[name] and likely < 0))


def _samples(rows: Judged, rules: Rules) -> Iterator[F64]:
    """Weights of the rows in bootstrap samples of the units: samples × rows, some at a time."""
    rng = np.random.default_rng(rules.seed)
    names, unit = np.unique(np.array(rows.unit), return_inverse=True)
    for at in range(0, rules.samples, _AT_ONCE):
        n = min(_AT_ONCE, rules.samples - at)
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), n)
        yield times[:, unit] * rows.weight


def _figures(y: Mask, p: F64, cutoff: F64, weights: F64) -> F64:
    """``MEASURES`` and ``_FOUND`` for each row of ``weights`` (samples × rows): shape (figures, samples).

    Ties move together.
    """
    order = np.argsort(-p, kind="stable")
    last = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    spam = weights * y
    ham = weights - spam
    # A sample without a class tells nothing about it; the least number keeps the division defined.
    positives, negatives = (np.maximum(part.sum(axis=1, keepdims=True), 1e-12) for part in (spam, ham))
    tp = np.cumsum(spam[:, order], axis=1)[:, last]
    fp = np.cumsum(ham[:, order], axis=1)[:, last]
    found = np.diff(tp, axis=1, prepend=0.0)
    ap = (found / positives * tp / np.maximum(tp + fp, 1e-12)).sum(axis=1)
    recall = np.where(fp / negatives <= 0.01, tp / positives, 0.0).max(axis=1)
    blocked = (ham * (p >= cutoff)).sum(axis=1) / negatives[:, 0]
    caught = (spam * (p >= cutoff)).sum(axis=1) / negatives[:, 0]
    return np.stack([ap, recall, blocked, caught])


# ---------------------------------------------------------------------- slices
def _slices(rows: Judged, rules: Rules) -> list[SliceChange]:
    rows = rows.take(rows.weight >= _COUNTS)
    out = []
    for what, name, mask in _masks(rows):
        part = rows.take(mask)
        if len(part) >= (_FEWEST if what in ("language", "set") else 1):
            out.append(_slice(what, name, part, rules))
    return out


def _masks(rows: Judged) -> Iterator[tuple[str, str, Mask]]:
    for what, values in (("language", rows.lang), ("set", rows.set)):
        names = np.array([v or "unknown" for v in values])
        for name in sorted(set(names.tolist())):
            yield what, name, names == name
    yield "length", "short comments", rows.short
    yield "author", "trusted authors", rows.trusted


def _slice(what: str, name: str, rows: Judged, rules: Rules) -> SliceChange:
    spam = rows.label == 1
    champion, challenger = (p >= c for p, c in _models(rows))
    n_spam, n_ham = int(spam.sum()), int((~spam).sum())
    missed = [int((spam & ~hit).sum()) for hit in (champion, challenger)]
    blocked = [int((~spam & hit).sum()) for hit in (champion, challenger)]
    below = []
    slips = rules.slips * max(missed[0] - missed[1], 0)
    # Against a fixed share, the slips among all the spam that the challenger finds are excused, not only among the new.
    most = rules.blocked[what] + rules.slips * (n_spam - missed[1]) / max(n_ham, 1)
    if _falls(~spam & challenger, ~spam & champion, rows.unit, rules.ham_level, rules.fall["ham"] * n_ham, slips):
        below.append(f"blocks {blocked[1]} of {n_ham} ham, the champion {blocked[0]}")
    elif blocked[1] > blocked[0] and binom.sf(blocked[1] - 1, n_ham, min(most, 1.0)) < rules.ham_level:
        below.append(f"blocks {blocked[1]} of {n_ham} ham, at most {rules.blocked[what]:.0%} may be")
    if _falls(spam & ~challenger, spam & ~champion, rows.unit, rules.spam_level, rules.fall["spam"] * n_spam):
        below.append(f"misses {missed[1]} of {n_spam} spam, the champion {missed[0]}")
    return SliceChange(
        what, name, n_spam, n_ham, missed[0], missed[1], blocked[0], blocked[1], below="; ".join(below) or None
    )


def _falls(wrong: Mask, before: Mask, unit: Sequence[str], level: float, most: float, slips: float = 0.0) -> bool:
    """Whether more is ``wrong`` than ``before``: by more than ``most`` and ``slips`` rows, and beyond chance.

    Units, not rows, are evidence.  ``slips`` rows are expected to be wrong by their label alone; how many there are
    is a matter of chance as well (Poisson).
    """
    if wrong.sum() - before.sum() <= most + slips:
        return False
    turned: dict[str, int] = {}
    for name, change in zip(unit, (wrong.astype(int) - before.astype(int)).tolist(), strict=True):
        turned[name] = turned.get(name, 0) + change
    worse, better = sum(n > 0 for n in turned.values()), sum(n < 0 for n in turned.values())
    excused = np.arange(worse + 1)
    chance = binom.sf(worse - excused - 1, worse - excused + better, 0.5)
    return bool(poisson.pmf(excused, slips) @ chance + poisson.sf(worse, slips) < level)
