"""Weights of rows and of passages, so that no set, language or label is learnt instead of spam.

Usage::

    weight = balanced(data, np.ones(len(data)), written=0.13, published=0.15)     # 1 on average
    passage_weights(data, weight, off)                                            # the same for passages
    even(names)                                                                   # sums to 1, each name ∝ √(its rows)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.datasets import PUBLISHED, Dataset
from spamfilter.passages import INVENTED

__all__ = ["balanced", "even", "invented", "language_evenness", "passage_weights"]

F64 = NDArray[np.float64]
#: Added to the size of a family before its root is taken, so that a handful of rows does not weigh as a set.
FAMILY_FLOOR: Final = 20.0
#: The set of all comments written for training.
WRITTEN: Final = "written"
#: Beyond this ratio of the weights of two labels a handful of comments would have to stand for a language.
MOST_UNEVEN: Final = 3.0


def balanced(data: Dataset, weight: F64, written: float = 1.0, published: float = 1.0) -> F64:
    """Row weights, 1 on average: each set, language and label ∝ √(its weight), spam and ham half each; rows of invented
    sites, which are one set in however many files they are, ``written`` times that, of published comments ``published``
    times."""
    sets = [WRITTEN if s.endswith(INVENTED) else name for name, s in zip(data.set, data.site, strict=True)]
    family = list(zip(sets, data.lang, data.label.tolist(), strict=True))
    total: Counter[Any] = Counter()
    for f, w in zip(family, weight.tolist(), strict=True):
        total[f] += w
    weight = weight * np.array([1 / np.sqrt(total[f] + FAMILY_FLOOR) for f in family])
    weight = weight * np.where(invented(data), written, 1.0)
    weight = weight * np.where([name == PUBLISHED for name in data.set], published, 1.0)
    weight *= language_evenness(data.lang, data.label.tolist(), weight)
    for label in (0, 1):
        of = data.label == label
        weight[of] /= weight[of].sum()
    return weight * len(weight) / 2


def invented(data: Dataset) -> NDArray[np.bool_]:
    """Which rows are of invented sites."""
    return np.array([s.endswith(INVENTED) for s in data.site], np.bool_)


def language_evenness(langs: Sequence[Any], labels: Sequence[int], weight: F64) -> F64:
    """Factors that bring the two labels of each language nearer to the same weight: else its commonest words tell one
    from the other.  Roots, as of all weights: what a site receives in a language says something, too."""
    total: Counter[Any] = Counter()
    for lang, label, w in zip(langs, labels, weight.tolist(), strict=True):
        total[lang, label] += w
    factor = {
        k: _bounded((w + total[k[0], 1 - k[1]]) / 2 / w) for k, w in total.items() if total[k[0], 1 - k[1]] > 0 < w
    }
    return np.array([factor.get(k, 1.0) for k in zip(langs, labels, strict=True)])


def passage_weights(data: Dataset, weight: F64, off: Dataset) -> F64:
    """Weights of passages, 1 on average: in each language nearer to the same share of its readers' comments."""
    readers: Counter[Any] = Counter()
    for lang, article, label, w in zip(data.lang, data.article, data.label.tolist(), weight.tolist(), strict=True):
        readers[lang] += w * (bool(article) and label == 0)
    passages_ = Counter(off.lang)
    usual = max(sum(readers.values()), 1e-9) / max(len(off), 1)
    out = np.array([_bounded(readers[lang] / passages_[lang] / usual) for lang in off.lang])
    return out / out.mean() if len(out) else out


def _bounded(ratio: float) -> float:
    return float(np.sqrt(min(max(ratio, 1 / MOST_UNEVEN), MOST_UNEVEN)))


def even(names: Sequence[str]) -> F64:
    """Weights that sum to 1 and give each name a share ∝ √(its rows)."""
    sizes = Counter(names)
    weight = np.array([1 / np.sqrt(sizes[n]) for n in names])
    out: F64 = weight / weight.sum() if len(weight) else weight
    return out
