"""SpamFilter + a team's own labels → the same SpamFilter with its weights moved towards them.

Usage::

    adapted, facts = adapt(spamfilter.load(), read_data(["own.jsonl"]))
    facts.strength, facts.note               # how far the labels may move the weights, and why so far

Only weights ship, not the data behind them, so what was learnt before is kept as a prior: the weights of words,
names, hosts and of the last stage are those of the given model plus a change, and the change is drawn to zero by a
ridge penalty (a Gaussian prior centred on the source model: Chelba and Acero 2006).  All changes are fitted together,
as one logistic regression on the model's own log-odds taken linearly around where they stand.  Words, names and hosts
that the team's comments do not hold keep their weights.

How far is learnt too: strengths from 0 (unchanged) upwards are compared on comments left out, near-duplicates and
comments of the same post always together, spam and ham counting the same, and of all that are within one standard
error of the best, the weakest is taken (Breiman et al. 1984).  So a few labels that show nothing change nothing.
Where spam begins is chosen anew only as far as the labels prove (see ``cutoffs``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, stats

from spamfilter.campaigns import campaigns_of
from spamfilter.cutoffs import ENOUGH_HAM, LeftOut, cutoff
from spamfilter.datasets import Dataset
from spamfilter.errors import DataError
from spamfilter.features.fields import Dense, Fields, dense_features
from spamfilter.features.reading import host_texts, name_texts
from spamfilter.features.stages import COMPANY, FirstStage, foreign_inputs, stage_inputs
from spamfilter.fitting import gram_logits
from spamfilter.linear import GramModel
from spamfilter.model import Parameters, SpamFilter, present
from spamfilter.training import fold_numbers, gram_matrix

__all__ = ["AdaptationConfig", "AdaptationFacts", "adapt"]

F64 = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]
Progress = Callable[[str], None]
Matrix = Any  # scipy's sparse matrices carry no types

#: The share of spam by which strengths are compared: losses of either class count the same.
_EVEN: Final = 0.5
#: Bounds of a factor on log-odds, less 1: never turned round.
_ANY_FACTOR: Final = (-0.9, None)
#: Probability that what is normally distributed stays below its mean and one standard error.
_ONE_ERROR: Final = float(stats.norm.cdf(1.0))


@dataclass(frozen=True, slots=True)
class AdaptationConfig:
    """How to adapt; the defaults were chosen with ``benchmarks/teams.py``.

    ``strengths`` are tried beside 0, at most ``per_label`` times the labels of the scarcer class: the variance, in
    squared log-odds, that the prior allows a usual comment's verdict to change by. ``head``, ``text``, ``titled``,
    ``name`` and ``host`` are the shares of it that the last stage and the models of grams get. ``slope`` and
    ``shift`` are the variances of a factor on all log-odds (1 before) and of a change of the intercept;
    probabilities are those of a mix with ``spam_share`` spam, as the training data of the bundled model have it.
    ``fewest`` labels of either class are needed to change anything; from ``enough_ham`` ham comments on, cut-offs
    are chosen anew, so that ``spam_rate`` and ``unsure_rate`` of the ham lie above them.
    """

    seed: int = 20
    folds: int = 5
    strengths: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
    head: float = 0.5
    text: float = 1.0
    titled: float = 1.0
    name: float = 0.5
    host: float = 0.5
    slope: float = 1.0
    shift: float = 4.0
    spam_share: float = 0.2
    fewest: int = 3
    per_label: float = 5.0
    enough_ham: int = ENOUGH_HAM
    spam_rate: float = 0.005
    unsure_rate: float = 0.05


@dataclass(frozen=True, slots=True)
class AdaptationFacts:
    """What adapting saw and chose.

    ``rows`` counts labels by set and class; ``strength`` is 0 where the model was left as it is, ``note`` says why;
    ``logits`` are log-odds of the rows, in their order, each by weights that did not see the row, its post or its
    near-duplicates; ``losses`` are the mean log-losses left out by strength, spam and ham counting the same;
    ``fingerprint`` is that of the rows.
    """

    rows: dict[str, dict[str, int]]
    strength: float
    logits: F64
    fingerprint: str
    note: str
    losses: dict[float, float]


def adapt(
    sf: SpamFilter,
    own: Dataset,
    config: AdaptationConfig | None = None,
    weight: F64 | None = None,
    progress: Progress = lambda _: None,
) -> tuple[SpamFilter, AdaptationFacts]:
    """``sf`` with its weights moved towards the labels of ``own``; ``weight`` (0..1, one a row) scales rows.

    Never raises for too few labels: then ``facts.strength`` is 0 and the model is the same.  The same model, rows
    and config give the same result.
    """
    config = config or AdaptationConfig()
    given = np.ones(len(own)) if weight is None else np.asarray(weight, np.float64)
    if given.shape != (len(own),) or not (np.isfinite(given).all() and (given >= 0).all()):
        raise DataError(f"weight must hold {len(own)} numbers from 0 up, one for each row")
    progress("features of the team's labels")
    run = _Run(sf, own, config, given)
    why = run.too_little()
    chosen = _Chosen(sf.parameters, 0.0, run.base, why) if why else run.choose(progress)
    facts = AdaptationFacts(
        _rows_of(own), chosen.strength, chosen.logits, own.fingerprint(), chosen.note, chosen.losses
    )
    return (SpamFilter(chosen.parameters, sf.name, sf.manifest) if chosen.strength else sf), facts


def _rows_of(own: Dataset) -> dict[str, dict[str, int]]:
    rows: dict[str, dict[str, int]] = {}
    for name, label in zip(own.set, own.label.tolist(), strict=True):
        rows.setdefault(name, {"spam": 0, "ham": 0})["spam" if label else "ham"] += 1
    return rows


@dataclass(frozen=True, slots=True)
class _Change:
    """What is added to a model: weights of grams (all columns of each), coefficients of the last stage, intercept."""

    grams: dict[str, F64]
    head: F64
    intercept: float


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The outcome of a run: see ``AdaptationFacts``."""

    parameters: Parameters
    strength: float
    logits: F64
    note: str
    losses: dict[float, float] = field(default_factory=dict)


class _Rows:
    """A team's comments as the model sees them, made once."""

    def __init__(self, sf: SpamFilter, own: Dataset) -> None:
        fields = Fields.of(own.text, own.author, own.author_url, own.title, own.article)
        self.p, self.anew = sf.parameters, sf.anew
        p = self.p
        self.dense: Dense = sf.fitting(dense_features(fields, p.idf))
        self.grams: dict[str, Matrix] = {
            "text": gram_matrix(p.text.grams, own.text),
            "name": _where(
                gram_matrix(p.name.grams, name_texts(fields.authors)), present(np.ones(len(own)), fields.authors)
            ),
            "host": _where(gram_matrix(p.host.grams, host_texts(fields.urls)), present(np.ones(len(own)), fields.urls)),
        }
        self.first = {
            "text": gram_logits(p.text, self.grams["text"]),
            "name": present(gram_logits(p.name, self.grams["name"]), fields.authors),
            "host": present(gram_logits(p.host, self.grams["host"]), fields.urls),
        }
        if p.titled is not None:  # models of format 1 have none
            self.grams["titled"] = self.grams["text"]
            self.first["titled"] = gram_logits(p.titled, self.grams["text"])
        self.prose = gram_logits(p.prose, self.grams["text"])
        self.relation = np.where(self.dense.has_article, p.relation.logits(self.dense.relation), 0.0)

    def standard(self, first: dict[str, F64]) -> F64:
        """Standardised inputs of the last stage, given the logits of the models that move."""
        p, dense = self.p, self.dense
        foreign = p.foreign.logits(foreign_inputs(first["text"], self.prose, self.relation, dense))
        foreign = np.where(dense.has_article, foreign, 0.0)
        stage = FirstStage(
            first["text"], self.prose, first["name"], first["host"], self.relation, foreign, first.get("titled")
        )
        # A team's labels come one by one: what is on their pages beside them is not known.
        inputs = stage_inputs(stage, dense, self.anew, 0 if p.company is None else len(COMPANY))
        return p.head.standardise(inputs)

    def slopes(self) -> dict[str, F64]:
        """How much the verdict's log-odds change with each moved model's, comment by comment (one unit either way)."""
        out = {}
        for name in self.first:
            up, down = ({**self.first, name: self.first[name] + step} for step in (1.0, -1.0))
            out[name] = (self.p.head.of_standard(self.standard(up)) - self.p.head.of_standard(self.standard(down))) / 2
        return out

    def logits(self, change: _Change, rows: Index) -> F64:
        """Log-odds of some rows by the changed model: exact, not taken linearly."""
        first = dict(self.first)
        for name, delta in change.grams.items():
            first[name] = first[name].copy()
            first[name][rows] += self.grams[name][rows] @ delta
        z = self.standard(first)[rows]
        out: F64 = np.einsum("ij,j->i", z, self.p.head.coef + change.head) + self.p.head.intercept + change.intercept
        return out


class _Run:
    """One adaptation: a ridge regression over all changes at once, for each strength and fold."""

    def __init__(self, sf: SpamFilter, own: Dataset, config: AdaptationConfig, given: F64) -> None:
        self.p, self.own, self.config = sf.parameters, own, config
        self.rows = _Rows(sf, own)
        self.y = np.asarray(own.label, np.float64)
        campaign = campaigns_of(own.text) if len(own) else np.zeros(0, np.int64)
        self.given = given
        self.weight = given / np.sqrt(np.bincount(campaign)[campaign]) if len(own) else given
        self.group = _groups(own, campaign)
        z = self.rows.standard(self.rows.first)
        self.base = self.p.head.of_standard(z)
        # Inputs that are the same in all of a team's comments must not stand in for the intercept.
        self.middle = np.average(z, axis=0, weights=self.weight) if self.weight.sum() > 0 else np.zeros(z.shape[1])
        self.centre = float(np.average(self.base, weights=self.weight)) if self.weight.sum() > 0 else 0.0
        self._make_columns(z - self.middle)

    def _make_columns(self, z: F64) -> None:
        """Columns of the regression, scaled so that strength 1 lets each part move a usual row by its share."""
        slopes, c = self.rows.slopes(), self.config
        self.kept: dict[str, Index] = {}
        self.scale: list[F64] = []
        blocks = []
        parts: list[tuple[str, Matrix, float]] = [("head", sparse.csr_matrix(z), c.head)]
        for name, matrix in self.rows.grams.items():
            self.kept[name] = np.unique(matrix.indices).astype(np.int64)
            part = sparse.diags(slopes[name]) @ matrix[:, self.kept[name]]
            parts.append((name, part, getattr(c, name)))
        for _, part, share in parts:
            squares = np.asarray(part.multiply(part).sum(axis=1)).ravel()
            usual = float(squares[squares > 0].mean()) if (squares > 0).any() else 1.0
            factor = np.sqrt(share / max(usual, 1e-9))
            blocks.append(part * factor)
            self.scale.append(np.full(part.shape[1], factor))
        self.x: Matrix = sparse.hstack(blocks).tocsr() if len(self.y) else None

    def too_little(self) -> str:
        """Why nothing can be learnt from these rows, or nothing."""
        counts = self.given > 0
        spam, ham = int((self.y[counts] == 1).sum()), int((self.y[counts] == 0).sum())
        if min(spam, ham) < self.config.fewest:
            return (
                f"unchanged: {spam} labels spam and {ham} ham count, at least {self.config.fewest} of each are needed"
            )
        if len(set(self.group)) < 2:
            return "unchanged: all labels are of one campaign or post, so nothing can be left out to compare on"
        return ""

    # ------------------------------------------------------------------ fitting
    def _fit(self, rows: Index, strength: float, start: F64 | None = None) -> F64:
        """Scaled changes, then those of slope and shift: argmin of weighted log-loss + squares / (2 variance).

        Of strength 0, slope and shift alone, which leave the order of comments as it is: what others are held to.
        """
        x, y, w, offset = self.x[rows], self.y[rows], self.weight[rows], self.base[rows]
        width = x.shape[1]
        if not strength:
            x = x[:, :0]
        line = offset - self.centre
        transposed = x.T.tocsr()
        penalty = np.full(x.shape[1] + 2, 1 / strength if strength else 0.0)
        penalty[-2:] = 1 / self.config.slope, 1 / self.config.shift

        def forward(v: F64) -> F64:
            out: F64 = x @ v[:-2] + v[-2] * line + v[-1]
            return out

        def back(by_row: F64) -> F64:
            return np.concatenate((transposed @ by_row, [line @ by_row, by_row.sum()]))

        def loss(theta: F64) -> tuple[float, F64]:
            z = offset + forward(theta)
            value = float(w @ (np.logaddexp(0, z) - y * z) + 0.5 * (penalty * theta * theta).sum())
            return value, back(w * (_probability(z) - y)) + penalty * theta

        def curvature(theta: F64, v: F64) -> F64:
            p = _probability(offset + forward(theta))
            return back(w * p * (1 - p) * forward(v)) + penalty * v

        # Newton's method with conjugate gradients: many columns, few rows, so that few steps of either are needed.
        found = optimize.minimize(
            loss,
            np.zeros(x.shape[1] + 2) if start is None or not strength else start,
            jac=True,
            hessp=curvature,
            method="Newton-CG",
            options={"xtol": 1e-5},
        )
        return np.concatenate((np.zeros(width - x.shape[1]), found.x))

    def _change(self, theta: F64) -> _Change:
        """The changes of weights that scaled changes stand for, the shift left out."""
        parts = np.split(theta[:-2], np.cumsum([len(s) for s in self.scale])[:-1])
        head = parts[0] * self.scale[0]
        grams = {}
        for name, part, scale in zip(self.rows.grams, parts[1:], self.scale[1:], strict=True):
            delta = np.zeros(self.rows.grams[name].shape[1])
            delta[self.kept[name]] = part * scale
            grams[name] = delta
        steeper = float(theta[-2])
        level = steeper * (self.p.head.intercept - self.centre) - float(self.middle @ head)
        return _Change(grams, head + steeper * self.p.head.coef, level)

    # ------------------------------------------------------------------ choosing
    def choose(self, progress: Progress) -> _Chosen:
        """The strength that labels left out speak for, and the model of that strength."""
        fold = fold_numbers(self.group, min(self.config.folds, len(set(self.group))))
        scarce = min((self.y == 1).sum(), (self.y == 0).sum())
        strengths = (0.0, *sorted(s for s in self.config.strengths if s <= self.config.per_label * scarce))
        left_out = {s: np.zeros(len(self.y)) for s in strengths}
        for k in sorted(set(fold.tolist())):
            progress(f"own labels, fold {k + 1}")
            learn, out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            theta: F64 | None = None
            for s in strengths:
                theta = self._fit(learn, s, theta)
                left_out[s][out] = self.rows.logits(self._change(theta), out)
        loss = {s: self._balanced_loss(z) for s, z in left_out.items()}
        # A factor forgives weights that are sure of what is not so, as those are that learnt a liar's labels: whether
        # anything moves at all is therefore asked without it.
        as_sure = {s: self._balanced_loss(z, (0.0, 0.0)) for s, z in left_out.items()}
        chosen = self._weakest_within_error(loss) if self._weakest_within_error(as_sure) else 0.0
        losses = {s: round(float(v.sum()), 5) for s, v in loss.items()}
        if not chosen:
            note = "unchanged: no strength was better beyond chance on labels left out"
            return _Chosen(self.p, 0.0, self.base, note, losses)
        progress("own labels, all")
        change = self._change(self._fit(np.arange(len(self.y)), chosen))
        slope, shift = self._calibration(left_out[chosen], self.config.spam_share)
        spam, unsure = self._cutoffs(left_out[chosen] * slope + shift)
        # What is called spam is more likely spam than not, as in training.  Where less would be found so than before,
        # the probabilities give way: there they come of a handful of ham, and the order of comments does not.
        lift = max(0.0, -spam)
        moved = self._moved(change, slope, shift + lift, _probability_of(spam + lift), _probability_of(unsure + lift))
        note = f"log-loss on labels left out {losses[0.0]:.4f} → {losses[chosen]:.4f}"
        return _Chosen(moved, chosen, left_out[chosen] * slope + shift + lift, note, losses)

    def _balanced_loss(self, logits: F64, factor: tuple[float, float | None] = _ANY_FACTOR) -> F64:
        """Log-loss of each row, as a part of a mean in which spam and ham count the same.

        All strengths are compared after the best factor and shift, so that none gets credit for a different share of
        spam.  In the mix that was labelled, four spam comments among 400 would hardly count: there a model is better
        that is surer of the ham, whatever becomes of the spam.
        """
        slope, shift = self._calibration(logits, _EVEN, factor)
        z = logits * slope + shift
        out: F64 = self._mix(_EVEN) * (np.logaddexp(0, z) - self.y * z)
        return out

    def _mix(self, share: float) -> F64:
        """Weights that make the rows a mix with this share of spam; their sum is 1."""
        spam = self.y == 1
        of_spam, of_ham = self.weight[spam].sum(), self.weight[~spam].sum()
        out: F64 = self.weight * np.where(spam, share / of_spam, (1 - share) / of_ham)
        return out

    def _weakest_within_error(self, loss: dict[float, F64]) -> float:
        """The weakest strength whose loss is within one standard error of the best.

        Groups are the units.  An error that rests on four groups with spam is itself uncertain: hence Student's t
        with as many as the scarcer class has.
        """
        best = min(loss, key=lambda s: loss[s].sum())
        names, group = np.unique(self.group, return_inverse=True)
        total = np.bincount(group, self._mix(_EVEN), len(names))
        scarce = min(len(set(group[self.y == label].tolist())) for label in (0, 1))
        errors = stats.t.ppf(_ONE_ERROR, max(scarce - 1, 1))
        for s in sorted(loss):
            if s >= best:
                break
            gap = np.bincount(group, loss[s] - loss[best], len(names))
            mean = gap.sum()
            if mean <= errors * np.sqrt(((gap - total * mean) ** 2).sum()):
                return s
        return best

    # ------------------------------------------------------------------ the changed model
    def _trusted(self) -> Mask:
        # A label at half weight or less is doubtful; cut-offs must not rest on it.
        out: Mask = self.given > 0.5
        return out

    def _calibration(
        self, logits: F64, share: float, factor: tuple[float, float | None] = _ANY_FACTOR
    ) -> tuple[float, float]:
        """Slope and shift that make log-odds left out those of a mix with this share of spam.

        Not of the mix that was labelled: people label what they are asked about, or what went wrong.
        """
        spam = self.y == 1
        # As many rows of that mix as the scarcer class has enough for.
        weight = self._mix(share) * min(self.weight[spam].sum() / share, self.weight[~spam].sum() / (1 - share))
        variance = np.array([self.config.slope, self.config.shift])

        def loss(v: F64) -> tuple[float, F64]:
            z = logits * (1 + v[0]) + v[1]
            gap = weight * (_probability(z) - self.y)
            value = weight @ (np.logaddexp(0, z) - self.y * z) + 0.5 * (v * v / variance).sum()
            return float(value), np.array([gap @ logits, gap.sum()]) + v / variance

        found = optimize.minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[factor, (None, None)])
        return 1 + float(found.x[0]), float(found.x[1])

    def _moved(self, change: _Change, slope: float, shift: float, spam: float, unsure: float) -> Parameters:
        p = self.p
        moved: dict[str, Any] = {name: _with_delta(getattr(p, name), d) for name, d in change.grams.items()}
        intercept = (p.head.intercept + change.intercept) * slope + shift
        head = replace(p.head, coef=(p.head.coef + change.head) * slope, intercept=intercept)
        return replace(p, **moved, head=head, spam_cutoff=spam, unsure_cutoff=unsure)

    def _cutoffs(self, logits: F64) -> tuple[float, float]:
        """Log-odds from which on the team's comments are spam, and unsure (see ``cutoffs``)."""
        c, trusted = self.config, self._trusted()
        spam, ham = (trusted & (self.y == label) for label in (1, 0))
        out = []
        for rate, probability, floor in (
            (c.spam_rate, self.p.spam_cutoff, 0.0),
            (c.unsure_rate, self.p.unsure_cutoff, -60.0),
        ):
            before = _log_odds(probability)
            rows = LeftOut(logits[ham], logits[spam], int((self.base[spam] >= before).sum()))
            out.append(cutoff(rows, before, rate, c.enough_ham, floor))
        return out[0], min(out)


def _groups(own: Dataset, campaign: Index) -> list[str]:
    """What is left out together: a campaign that is under several posts; else the post, or, where a post is a quarter
    of all, the campaign.

    Posts are not joined through the campaigns that they share: one that goes everywhere would leave a single group.
    """
    posts = Counter(own.post)
    spread: dict[int, set[str]] = {}
    for post, number in zip(own.post, campaign.tolist(), strict=True):
        spread.setdefault(number, set()).add(post)
    return [
        post if len(spread[number]) == 1 and posts[post] < len(own) / 4 else f"campaign {number}"
        for post, number in zip(own.post, campaign.tolist(), strict=True)
    ]


def _where(matrix: Matrix, there: F64) -> Matrix:
    """Rows of ``matrix`` where ``there`` is 1; the others empty."""
    out = (sparse.diags(there) @ matrix).tocsr()
    out.eliminate_zeros()
    return out


def _with_delta(model: GramModel, delta: F64) -> GramModel:
    words = len(model.word)
    return replace(
        model,
        word=(model.word + delta[:words]).astype(np.float32),
        char=(model.char + delta[words:]).astype(np.float32),
    )


def _probability(logits: F64) -> F64:
    out: F64 = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    return out


def _probability_of(logit: float) -> float:
    return float(_probability(np.array([logit]))[0])


def _log_odds(probability: float) -> float:
    p = min(max(probability, 1e-16), 1 - 1e-16)
    return float(np.log(p) - np.log1p(-p))
