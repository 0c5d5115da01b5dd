"""How far people agree with each other about the same comments, near-duplicates counted as the same.

Usage::

    for pair in agreements(store.rows()):
        pair.first, pair.second, pair.n, pair.share, pair.kappa
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from spamfilter.labels.decision import LabelRow

__all__ = ["Agreement", "agreements"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two people (or programs): campaigns that both decided on, about how many they agree, and Cohen's kappa.

    ``kappa`` is what is left of the agreement when chance is taken off (Cohen 1960); None where chance alone would
    make it whole, because both said the same of everything.
    """

    first: str
    second: str
    n: int
    same: int
    kappa: float | None

    @property
    def share(self) -> float:
        """Share of the campaigns that they agree about."""
        return self.same / self.n


def agreements(rows: Iterable[LabelRow]) -> list[Agreement]:
    """Every pair with a campaign in common, the pairs with most in common first.

    ``rows`` are all decisions, in their order; those that were undone do not count, and of several decisions of one
    person about one comment the last does.  A campaign that somebody is divided about, half and half, is left out.
    """
    said = _said(rows)
    both: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for labels in said.values():
        for pair in combinations(sorted(labels), 2):
            both[pair].append((labels[pair[0]], labels[pair[1]]))
    made = [_agreement(first, second, labels) for (first, second), labels in both.items()]
    return sorted(made, key=lambda a: (-a.n, a.first, a.second))


def _said(rows: Iterable[LabelRow]) -> dict[int, dict[str, str]]:
    """Campaign → person → label."""
    last: dict[tuple[int, str], LabelRow] = {}
    for row in rows:
        if row.live:
            last[row.comment_id, row.who] = row
    votes: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for row in last.values():
        votes[row.campaign, row.who][row.label] += 1
    out: dict[int, dict[str, str]] = defaultdict(dict)
    for (campaign, who), count in votes.items():
        if count["spam"] != count["ham"]:
            out[campaign][who] = "spam" if count["spam"] > count["ham"] else "ham"
    return out


def _agreement(first: str, second: str, labels: list[tuple[str, str]]) -> Agreement:
    n, same = len(labels), sum(a == b for a, b in labels)
    spam = [sum(pair[k] == "spam" for pair in labels) / n for k in (0, 1)]
    chance = spam[0] * spam[1] + (1 - spam[0]) * (1 - spam[1])
    kappa = (same / n - chance) / (1 - chance) if chance < 1 else None
    return Agreement(first, second, n, same, kappa)
