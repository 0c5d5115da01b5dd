"""Champion and challenger on rows that neither has learnt from.

Usage::

    judge = Judge(gathered, champion, folds=5, jobs=1, progress=print)
    unseen = judge.unseen(recipe)                 # out of fold by site and post
    newest = judge.newest(recipe)                 # the newest labels, or None where there are too few

A champion that came of an earlier retraining has learnt most of today's labels, so it would remember what the
challenger must guess.  Two comparisons are fair, and both are made:

* *recipe against recipe*: for each group of sites and posts, both models are made again without it (the champion by its
  own recipe, from its own base, of the labels it learnt, as they were then), and judge it;
* *champion as it stands, on what came later*: it judges the newest labels, given after it was made; the challenger's
  recipe learns only what came before them.

A champion that learnt none of the team's labels (the model that ships) judges as it stands in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.campaigns import campaigns_of
from spamfilter.datasets import Dataset
from spamfilter.evaluation import predict
from spamfilter.model import SpamFilter
from spamfilter.promotion import Judged
from spamfilter.retrain.gathering import Gathered
from spamfilter.retrain.recipes import AsItStands, Recipe, out_of_fold
from spamfilter.retraining import Learnt
from spamfilter.training import fold_numbers, groups_of

__all__ = ["Champion", "Judge", "guarded"]

F64 = NDArray[np.float64]
Progress = Callable[[str], None]
#: Letters up to which a comment is short: "Thanks, that worked for me!" has little to be judged by.
SHORT: Final = 40
#: Labels below which the newest ones are no slice of their own.
_FEWEST_NEW: Final = 20
#: The share of all labels that the newest slice has at most; the rest is what the challenger learns for it.
_NEWEST: Final = 0.25


@dataclass(frozen=True, slots=True)
class Champion:
    """The model in use, the recipe that makes it again, and the labels that it learnt (None: none of the team's)."""

    version: str
    model: SpamFilter
    recipe: Recipe
    learnt: Learnt | None

    def knew(self) -> Mapping[str, tuple[str, float]]:
        """Key of each row that it learnt → label and weight then."""
        if self.learnt is None:
            return {}
        columns = zip(self.learnt.key, self.learnt.label, self.learnt.weight, strict=True)
        return {key: (label, weight) for key, label, weight in columns}


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges champion and challenger on the rows of ``gathered``."""

    gathered: Gathered
    champion: Champion
    folds: int = 5
    jobs: int = 1
    progress: Progress = lambda _: None

    def out_of_fold(self, recipe: Recipe) -> tuple[F64, F64]:
        """Probability and cut-off of each row by a recipe that learns from all the others' groups."""
        rows = self.gathered.rows
        return out_of_fold(recipe, rows, self.gathered.weight, rows, self._fold(), self.jobs, self.progress)

    def champion_out_of_fold(self) -> tuple[F64, F64]:
        """The same by the champion's recipe, of what it learnt, labelled as it was then."""
        rows, knew, keys = self.gathered.rows, self.champion.knew(), self.gathered.keys()
        weight = np.array([knew[key][1] if key in knew else 0.0 for key in keys])
        label = [knew[k][0] == "spam" if k in knew else bool(y) for k, y in zip(keys, rows.label, strict=True)]
        learn = replace(rows, label=np.array(label, np.int8))
        return out_of_fold(self.champion.recipe, rows, weight, learn, self._fold(), self.jobs, self.progress)

    def _fold(self) -> NDArray[np.int64]:
        groups = groups_of(self.gathered.rows)
        return fold_numbers(groups, max(2, min(self.folds, len(set(groups)))))

    def unseen(self, challenger: tuple[F64, F64]) -> Judged:
        """All rows, with what both gave them out of fold."""
        champion = self.champion_out_of_fold()
        return judged(self.gathered, champion, challenger)

    def newest(self, recipe: Recipe) -> Judged | None:
        """The newest labels: judged by the champion as it stands, and by the recipe on what came before."""
        late = self._newest()
        if not late.any():
            return None
        rows, weight = self.gathered.rows, self.gathered.weight
        self.progress("the newest labels")
        model = recipe.fit(rows.take(~late), weight[~late]).model
        part = rows.take(late)
        cutoffs = (np.full(len(part), m.parameters.spam_cutoff) for m in (self.champion.model, model))
        champion, challenger = zip((predict(m, part) for m in (self.champion.model, model)), cutoffs, strict=True)
        return judged(self.gathered, champion, challenger, late)

    def _newest(self) -> NDArray[np.bool_]:
        """The later half of what the champion has not learnt, at most a quarter of all.

        Half, so that the challenger has new labels to learn from: without any it would be the champion over again.
        """
        place, rows = self.gathered.place, self.gathered.rows
        knew = self.champion.knew()
        keys = self.gathered.keys()
        new = np.array([p > 0 and key not in knew for p, key in zip(place.tolist(), keys, strict=True)], np.bool_)
        n = min(int(new.sum()) // 2, int(len(rows) * _NEWEST))
        if n < _FEWEST_NEW:
            return np.zeros(len(rows), np.bool_)
        late: NDArray[np.bool_] = new & (place >= np.sort(place[new])[-n])
        return late


def judged(
    gathered: Gathered, champion: tuple[F64, F64], challenger: tuple[F64, F64], mask: NDArray[np.bool_] | None = None
) -> Judged:
    """Rows (where ``mask``, if there is one) with probabilities and cut-offs of both models."""
    rows = gathered.rows
    trusted, weight = gathered.trusted(), gathered.judging
    if mask is not None:
        rows, trusted, weight = rows.take(mask), trusted[mask], weight[mask]
    return _judged(rows, weight, trusted, champion, challenger)


def guarded(rows: Dataset, champion: SpamFilter, challenger: SpamFilter) -> Judged:
    """Rows that neither learnt, or both alike, judged by both as they stand."""
    found = [(predict(m, rows), np.full(len(rows), m.parameters.spam_cutoff)) for m in (champion, challenger)]
    return _judged(rows, np.ones(len(rows)), np.zeros(len(rows), np.bool_), found[0], found[1])


def _judged(
    rows: Dataset, weight: F64, trusted: NDArray[np.bool_], champion: tuple[F64, F64], challenger: tuple[F64, F64]
) -> Judged:
    return Judged(
        id=rows.id,
        label=rows.label,
        weight=weight,
        champion=champion[0],
        champion_cutoff=champion[1],
        challenger=challenger[0],
        challenger_cutoff=challenger[1],
        lang=rows.lang,
        set=rows.set,
        site=rows.site,
        date=rows.date,
        unit=[str(number) for number in campaigns_of(rows.text).tolist()],
        short=np.array([len(text.strip()) <= SHORT for text in rows.text], np.bool_),
        trusted=trusted,
    )


def as_it_stands(version: str, model: SpamFilter) -> Champion:
    """A champion that learnt none of the team's labels."""
    return Champion(version, model, AsItStands(model), None)
