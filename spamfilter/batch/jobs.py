"""What can be done with every page: score it, or only take it apart.

Usage::

    job = ScoreJob(partial(spamfilter.load, "default"), Format.of("out.jsonl"))
    job.open()
    outcome = job(raw_page)
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final, Protocol, TypeVar

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


T = TypeVar("T")
#: A page with its verdicts, and its counts of signals.
Judged = tuple[ScoredPage, Tally]
#: Stands beside the outcome of what is no page.
_NO_PAGE: Final = RawPage("", None, None, b"")
# Pages are scored together up to so many comments, which is what the model reads at once, and only while taking them
# apart was quick: one that took long must not keep the others waiting for their limits.
_COMMENTS: Final = 512
_SECONDS: Final = 0.1


class Scorer(Protocol):
    """The part of ``SpamFilter`` that a job uses."""

    @property
    def name(self) -> str:
        """The model's name and version."""

    def score_splits(self, pages: Sequence[Page]) -> list[ScoredPage]:
        """Verdicts for the comments of pages that are taken apart already."""


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
        return next(self.each([item]))

    def each(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """The outcomes for items."""
        for item in items:
            raw, page = self._apart(item)
            yield page if isinstance(page, Outcome) else self._guarded(raw, partial(self.on_page, raw, page))

    def complete(self, item: Item, outcome: Outcome) -> Outcome:
        """Nothing is left to do."""
        return outcome

    def _apart(self, item: Item) -> tuple[RawPage, Page | Outcome]:
        """An item with its page taken apart, or with the outcome if there is nothing more to do."""
        if isinstance(item, RawPage):
            return item, self._guarded(item, partial(self._split, item))
        if not isinstance(item, (Failure, Other)):
            raise TypeError(f"a job over pages was given {type(item).__name__}")
        return _NO_PAGE, self.on_failure(item) if isinstance(item, Failure) else self.on_other(item)

    def _split(self, raw: RawPage) -> Page | Outcome:
        page = split_page(page_source(raw), raw.url)
        return page if self.where(page) else self.on_other(Other(raw.source, raw.offset, raw.origin), "filtered")

    def _guarded(self, raw: RawPage, step: Callable[[], T]) -> T | Outcome:
        """What the step gives in its time, or the outcome of its failure."""
        try:
            with deadline(self.timeout):
                done = step()
            if isinstance(done, Outcome):
                done.tally["bytes"] = len(raw.content)
            return done
        except TookTooLong:
            reason = f"it took longer than {self.timeout:g} s; raise --timeout to give it more"
            return self._failed(raw, "timeout", reason)
        except InputError as error:
            return self._failed(raw, "unreadable", str(error))
        except MemoryError:
            return self._failed(raw, "memory", "there is not enough memory for this page")
        except RecursionError:
            return self._failed(raw, "nesting", "it is nested too deeply to be taken apart")
        except Exception as error:  # one page must not end a run over millions; the reason names the bug
            return self._failed(raw, "internal", f"internal error ({type(error).__name__}: {error}); please report it")

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

    def each(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """The outcomes for items; pages that are small and quick to take apart are scored together."""
        held, comments, begun = list[tuple[RawPage, Page | Outcome]](), 0, time.monotonic()
        for item in items:
            held.append(self._apart(item))
            comments += len(page.comments) if isinstance(page := held[-1][1], Page) else 0
            if comments > _COMMENTS or time.monotonic() - begun > _SECONDS:
                yield from self._judged(held)
                held, comments, begun = [], 0, time.monotonic()
        yield from self._judged(held)

    def _judged(self, held: Sequence[tuple[RawPage, Page | Outcome]]) -> Iterator[Outcome]:
        scored = iter(self._scored([page for _, page in held if isinstance(page, Page)]))
        for raw, page in held:
            if isinstance(page, Outcome):
                yield page
                continue
            judged: Judged | Outcome | None = next(scored)
            if judged is None:  # what went wrong with some goes wrong again with one of them, whose failure it then is
                judged = self._guarded(raw, partial(self._scored_alone, page))
            yield judged if isinstance(judged, Outcome) else self._guarded(raw, partial(self._named, raw, judged))

    def _scored(self, pages: list[Page]) -> Sequence[Judged | None]:
        """The pages with their verdicts, and their counts of signals; None of all if something is wrong with one."""
        try:
            with deadline(self.timeout):
                return self._with_drift(pages)
        except (TookTooLong, Exception):
            return [None] * len(pages)

    def _scored_alone(self, page: Page) -> Judged:
        return self._with_drift([page])[0]

    def _with_drift(self, pages: list[Page]) -> list[Judged]:
        assert self.scorer is not None
        scored = self.scorer.score_splits(pages) if pages else []
        if self.drift is None:
            return [(page, {}) for page in scored]
        texts = [comment.text for page in pages for comment in page.comments]
        own = [own_probability(verdict) for page in scored for verdict in page.verdicts]
        return list(zip(scored, self.drift.tallies(texts, own, [len(p.comments) for p in pages]), strict=True))

    def _named(self, raw: RawPage, judged: Judged) -> Outcome:
        """The outcome for a scored page, which gets its name in the input."""
        scored, drift = judged
        outcome = self.on_scored(raw, dataclasses.replace(scored, source=raw.name))
        outcome.tally.update(tally_of(scored.page, scored.verdicts))
        outcome.tally.update(drift)
        return outcome

    def on_scored(self, raw: RawPage, scored: ScoredPage) -> Outcome:
        """The page's JSON object, or a row for each of its comments."""
        record = scored.to_dict()
        record["model"] = self.scorer.name if self.scorer else None
        rows = comment_rows(record) if self.rows == "comment" else [record]
        return Outcome(self.format.encode(rows))


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
