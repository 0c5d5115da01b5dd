"""Known campaigns on disk, and what it does to a verdict that a comment belongs to one.

Usage::

    save(path, found)                                  # written beside and renamed
    table = CampaignTable(path)                        # mapped: worker processes share it
    table.look_up(["a text", …])                       # Spread or None for each
    CampaignScorer(spamfilter.load(), table).score_split(page)

The file is a NumPy array of one row a wording, 28 bytes each, sorted by wording: numbers only, no text.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from spamfilter.batch.grouping import CAMPAIGN, Found
from spamfilter.batch.shards import writing
from spamfilter.batch.signing import wordings
from spamfilter.errors import UnreadableFile
from spamfilter.features.fields import Fields
from spamfilter.reasons import MOST_IN_TABLE
from spamfilter.records import Page, Reason, ScoredPage, Verdict

__all__ = ["CampaignScorer", "CampaignTable", "Spread", "raised", "save"]

F64 = NDArray[np.float64]
_KNOWN: Final = np.dtype([("wording", "<u8"), *((name, "<u4") for name in CAMPAIGN.names or ())])
_NAME: Final = "campaign"
#: Log-odds that each doubling of the appearances adds, given what the model says already: the maximum-likelihood fit
#: to the out-of-fold verdicts of 23,313 labelled comments (``benchmarks/campaigns.py --weigh``).
PER_DOUBLING: Final = 1.9
#: The most that is added: of comments that the model holds for ham, 1.1 % of the spam and none of 16,900 from readers
#: belong to a campaign, so with 95 % confidence a campaign is exp(4.1) times as frequent among spam (rule of three).
#: What a crawl repeats besides campaigns (a theme's own sentences taken for comments) stays below the cut-off so.
MOST: Final = 4.1


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the campaign of a comment has spread; see ``grouping.CAMPAIGN``."""

    comments: int
    appearances: int
    places: int
    sites: int
    wordings: int

    @property
    def log_odds(self) -> float:
        """What belonging to this campaign adds to the log-odds of spam."""
        return min(MOST, PER_DOUBLING * math.log2(max(self.appearances, 1)))

    def reason(self) -> Reason:
        """The reason of a verdict."""
        changes = ", with small changes" if self.wordings > 1 else ""
        where = f"on {self.sites:,} sites" if self.sites > 1 else "under several articles of one site"
        detail = f"part of a campaign: {self.comments:,} comments say the same{changes}, {where}"
        return Reason(_NAME, detail, round(self.log_odds, 6))


class Filter(Protocol):
    """The part of ``SpamFilter`` that is used here."""

    @property
    def name(self) -> str:
        """The model's name and version."""

    def score_splits(self, pages: Sequence[Page]) -> list[ScoredPage]:
        """Verdicts for the comments of pages."""

    def score_fields(self, given: Fields) -> tuple[F64, Any, Any]:
        """Probability, verdict and reasons of the comments of a table."""

    def labels(self, probability: NDArray[np.float64]) -> NDArray[np.str_]:
        """Verdicts for probabilities."""


class CampaignTable:
    """The campaigns of a file made by ``save``.  Raises UnreadableFile where it is none."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            known = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise UnreadableFile(f"{path} is no table of campaigns ({error}); {_NEXT}") from error
        if known.dtype != _KNOWN:
            raise UnreadableFile(f"{path} is no table of campaigns; {_NEXT}")
        self._path = Path(path)
        self._known = known
        self._wording = np.ascontiguousarray(known["wording"])

    def __len__(self) -> int:
        return len(self._known)

    def look_up(self, texts: Sequence[str]) -> list[Spread | None]:
        """The campaign that each text belongs to."""
        if not len(self._known) or not texts:
            return [None] * len(texts)
        keys = wordings(texts)
        at = np.minimum(np.searchsorted(self._wording, keys), len(self._wording) - 1)
        hit = self._wording[at] == keys
        return [self._spread(i) if there else None for i, there in zip(at.tolist(), hit.tolist(), strict=True)]

    def _spread(self, i: int) -> Spread:
        row = self._known[i]
        return Spread(*(int(row[name]) for name in CAMPAIGN.names or ()))

    def digest(self) -> str:
        """SHA-256 of the file, by which runs with another table are told apart."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


_NEXT: Final = "make one by: spamfilter campaigns INPUT… --save FILE"


def save(path: Path, found: Found) -> None:
    """Write the table of ``found``, whole or not at all."""
    table = np.zeros(len(found.members), _KNOWN)
    table["wording"] = found.members["wording"]
    for name in CAMPAIGN.names or ():
        table[name] = found.campaigns[name][found.members["campaign"]]
    beside = path.with_name(path.name + "~")
    with writing(path):
        with beside.open("wb") as file:
            np.save(file, table, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


class CampaignScorer:
    """A ``SpamFilter`` whose verdicts take into account that a comment belongs to a campaign."""

    def __init__(self, scorer: Filter, table: CampaignTable) -> None:
        self._scorer, self._table = scorer, table

    @property
    def name(self) -> str:
        """The model's name and version."""
        return self._scorer.name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._scorer, name)

    def score_splits(self, pages: Sequence[Page]) -> list[ScoredPage]:
        """Verdicts for the comments of pages, raised where they repeat."""
        scored = self._scorer.score_splits(pages)
        spreads = iter(self._table.look_up([comment.text for page in pages for comment in page.comments]))
        return [dataclasses.replace(page, verdicts=self._raised(page, spreads)) for page in scored]

    def score_split(self, page: Page) -> ScoredPage:
        """Verdicts for the comments of a page, raised where they repeat."""
        return self.score_splits([page])[0]

    def score_fields(self, given: Fields) -> tuple[F64, Any, Any]:
        """Probability, verdict and reasons of the comments of a table, as ``SpamFilter.score_fields`` gives them."""
        probability, labels, reasons = self._scorer.score_fields(given)
        spreads = self._table.look_up(given.texts)
        hit = np.array([spread is not None for spread in spreads], np.bool_)
        if hit.any():
            added = np.array([spread.log_odds for spread in spreads if spread is not None])
            odds = probability[hit] / np.maximum(1.0 - probability[hit], 1e-26) * np.exp(added)
            probability[hit] = odds / (1.0 + odds)
            labels = self._scorer.labels(probability)
            for i in np.flatnonzero(hit).tolist():
                reasons[i] = ", ".join([_NAME, *reasons[i].split(", ")[: MOST_IN_TABLE - 1]])
        return probability, labels, reasons

    def _raised(self, scored: ScoredPage, spreads: Iterator[Spread | None]) -> tuple[Verdict, ...]:
        found = zip(scored.verdicts, spreads, strict=False)  # the pages share the one iterator
        return tuple([v if spread is None else raised(v, spread, self._scorer) for v, spread in found])


def raised(verdict: Verdict, spread: Spread, scorer: Filter) -> Verdict:
    """The verdict with the campaign as its first reason; the weights still add up to the log-odds."""
    reasons = (spread.reason(), *verdict.reasons)
    logit = sum(reason.weight for reason in reasons)
    probability = 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit))))
    label: Any = str(scorer.labels(np.array([probability]))[0])
    return dataclasses.replace(verdict, label=label, probability=probability, reasons=reasons)
