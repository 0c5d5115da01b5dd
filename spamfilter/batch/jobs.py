"""What can be done with every page: score it, or only take it apart.

Usage::

    job = ScoreJob(partial(spamfilter.load, "default"), Format.of("out.jsonl"))
    job.open()
    outcome = job(raw_page)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from spamfilter.batch.deadline import TookTooLong, deadline
from spamfilter.batch.driftcounts import DriftCounter
from spamfilter.batch.filters import Where
from spamfilter.batch.outcome import Item, Outcome, Tally, failed
from spamfilter.errors import InputError
from spamfilter.files.charset import page_source
from spamfilter.files.formats import Format
from spamfilter.files.rawpage import Failure, Other, RawPage
from spamfilter.records import Page, ScoredPage, Verdict, comment_dict
from spamfilter.segment import split_page

__all__ = ["COMMENT_COLUMNS", "PageJob", "ScoreJob", "Scorer", "SplitJob"]

#: Columns of results with one row a comment: CSV always, others with ``rows="comment"``.
COMMENT_COLUMNS = (
    *("source", "url", "title", "lang", "n", "author", "author_url", "date", "text", "start", "end"),
    *("verdict", "probability", "reasons", "model"),
)


class Scorer(Protocol):
    """The part of ``SpamFilter`` that a job uses."""

    @property
    def name(self) -> str:
        """The model's name and version."""

    def score_split(self, page: Page) -> ScoredPage:
        """Verdicts for the comments of a page that is taken apart already."""


@dataclass
class PageJob:
    """Any job over pages: takes the page apart in the given time, and turns what goes wrong into a failure.

    ``where`` drops pages before they are scored; ``timeout`` is in seconds a page.
    """

    format: Format = field(default_factory=lambda: Format("jsonl"))
    where: Where = field(default_factory=Where)
    timeout: float | None = None

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, item: Item) -> Outcome:
        """The outcome for one item."""
        if isinstance(item, Failure):
            return self.on_failure(item)
        if isinstance(item, Other):
            return self.on_other(item)
        if not isinstance(item, RawPage):
            raise TypeError(f"a job over pages was given {type(item).__name__}")
        try:
            with deadline(self.timeout):
                outcome = self._outcome(item)
            outcome.tally["bytes"] = len(item.content)
            return outcome
        except TookTooLong:
            reason = f"it took longer than {self.timeout:g} s; raise --timeout to give it more"
            return self._failed(item, "timeout", reason)
        except InputError as error:
            return self._failed(item, "unreadable", str(error))
        except MemoryError:
            return self._failed(item, "memory", "there is not enough memory for this page")
        except RecursionError:
            return self._failed(item, "nesting", "it is nested too deeply to be taken apart")
        except Exception as error:  # one page must not end a run over millions; the reason names the bug
            return self._failed(item, "internal", f"internal error ({type(error).__name__}: {error}); please report it")

    def complete(self, item: Item, outcome: Outcome) -> Outcome:
        """Nothing is left to do."""
        return outcome

    def _outcome(self, raw: RawPage) -> Outcome:
        page = split_page(page_source(raw), raw.url)
        if not self.where(page):
            return self.on_other(Other(raw.source, raw.offset, raw.origin), "filtered")
        return self.on_page(raw, page)

    def _failed(self, raw: RawPage, kind: str, reason: str) -> Outcome:
        return self.on_failure(Failure(raw.source, raw.offset, kind, reason, raw.origin))

    def on_page(self, raw: RawPage, page: Page) -> Outcome:
        """What is done with a page that could be taken apart."""
        raise NotImplementedError

    def on_other(self, other: Other, word: str = "skipped") -> Outcome:
        """What is done with a record that is no page, or not wanted."""
        return Outcome(tally={word: 1})

    def on_failure(self, failure: Failure) -> Outcome:
        """What is done with what could not be read."""
        return failed(failure)


@dataclass
class SplitJob(PageJob):
    """Segmentation only: article and comments, without verdicts."""

    def on_page(self, raw: RawPage, page: Page) -> Outcome:
        """The page's JSON object, without the model's part."""
        record = {
            "source": raw.name,
            "url": page.url,
            "title": page.title,
            "lang": page.lang,
            "kind": page.kind,
            "engine": page.engine,
            "article": page.article,
            "comments": [comment_dict(n, comment, None) for n, comment in enumerate(page.comments, 1)],
        }
        return Outcome(self.format.encode([record]), tally_of(page, ()))


@dataclass
class ScoreJob(PageJob):
    """A verdict for every comment of every page.

    ``load`` makes the scorer and must be picklable; ``rows`` says whether a result row is a page or a comment.
    """

    load: Callable[[], Scorer] | None = None
    rows: str = "page"
    scorer: Scorer | None = field(default=None, repr=False)
    drift: DriftCounter | None = field(default=None, repr=False)

    unpickled: ClassVar = ("scorer", "drift")

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if self.load is not None:  # each process loads its own; arrays do not travel
            state.update(dict.fromkeys(self.unpickled))
        return state

    def open(self) -> None:
        """Load the model."""
        if self.scorer is None:
            if self.load is None:
                raise TypeError("a job needs a scorer, or load, which makes one")
            self.scorer = self.load()
        self.drift = DriftCounter.of(self.scorer)

    def counted(self, scored: ScoredPage) -> Tally:
        """The counts of one page with its verdicts."""
        tally = tally_of(scored.page, scored.verdicts)
        if self.drift is not None:
            texts = [comment.text for comment in scored.page.comments]
            tally.update(self.drift.tally(texts, [own_probability(verdict) for verdict in scored.verdicts]))
        return tally

    def score(self, raw: RawPage, page: Page) -> ScoredPage:
        """The page with its verdicts, and with its name in the input."""
        assert self.scorer is not None
        return dataclasses.replace(self.scorer.score_split(page), source=raw.name)

    def on_page(self, raw: RawPage, page: Page) -> Outcome:
        """The page's JSON object, or a row for each of its comments."""
        scored = self.score(raw, page)
        record = scored.to_dict()
        record["model"] = self.scorer.name if self.scorer else None
        rows = comment_rows(record) if self.rows == "comment" else [record]
        return Outcome(self.format.encode(rows), self.counted(scored))


def comment_rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a comment, with the page's fields on each."""
    page = {name: record[name] for name in ("source", "url", "title", "lang", "model")}
    return [{name: {**page, **comment}.get(name) for name in COMMENT_COLUMNS} for comment in record["comments"]]


def own_probability(verdict: Verdict) -> float:
    """The model's own probability, without what belonging to a campaign added."""
    added = sum(reason.weight for reason in verdict.reasons if reason.name == "campaign")
    if not added:
        return verdict.probability
    return 1.0 / (1.0 + math.exp(added - sum(reason.weight for reason in verdict.reasons)))


def tally_of(page: Page, verdicts: tuple[Verdict, ...]) -> Tally:
    """The counts of one page, whole and by language and engine."""
    counts = {"pages": 1, "comments": len(page.comments)}
    for verdict in verdicts:
        counts[verdict.label] = counts.get(verdict.label, 0) + 1
    out = dict(counts)
    for slice_name, value in (("lang", page.lang), ("engine", page.engine)):
        out.update({f"{slice_name}:{value or 'unknown'}:{name}": n for name, n in counts.items()})
    return out
