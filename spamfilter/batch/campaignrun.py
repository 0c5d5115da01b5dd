"""The campaigns of a whole input: every comment signed, the signatures grouped, examples looked up.

Usage::

    run = CampaignRun(inputs, options, folder)
    found, summary = run.find()
    for campaign in listed(run, found, top=100): campaign["comments"], campaign["examples"]

Signing is a run like any other (workers, parts, resume), so a stopped one goes on, and the campaigns do not depend on
the number of workers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from spamfilter.batch._local import Options, Output, Reader, Watch, run, stream
from spamfilter.batch.campaigntable import Spread
from spamfilter.batch.classifyjob import GROUP
from spamfilter.batch.filters import Where
from spamfilter.batch.grouping import CAMPAIGN, EXAMPLE, LEAST, Found, Table, grouped
from spamfilter.batch.jobs import PageJob
from spamfilter.batch.outcome import Item, Job, Outcome
from spamfilter.batch.rowsigning import SignRowsJob
from spamfilter.batch.signing import FEWEST_PAIRS, RECORD, SignJob, page_number, wordings
from spamfilter.batch.summary import Summary
from spamfilter.errors import ConfigError
from spamfilter.files import Failure, Input, RawPage, read_pages, row_groups
from spamfilter.files.formats import Format
from spamfilter.files.inputs import STDIN
from spamfilter.records import Page

__all__ = ["CampaignRun", "listed"]

# Characters of an example that are kept: a campaign is recognised by its beginning.
_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class CampaignRun:
    """Which inputs, read how, and the ``folder`` where the records of their comments lie meanwhile (92 bytes each).

    ``table`` names the columns of tables with a row a comment (see ``rowfields.field_columns``); None: the inputs
    hold pages.
    """

    inputs: Sequence[Input | Failure]
    options: Options
    folder: Path
    where: Where = field(default_factory=Where)
    least: int = LEAST
    resume: bool = False
    errors: Path | None = None
    table: Mapping[str, str] | None = None

    def find(self, watch: Watch | None = None) -> tuple[Found, Summary]:
        """The campaigns, and what became of the pages.

        Raises what ``run`` raises, and ConfigError for standard input, which cannot be read twice.
        """
        if any(isinstance(found, Input) and found.path == STDIN for found in self.inputs):
            raise ConfigError("campaigns need the input twice; save what comes on standard input to a file first")
        output = Output(self.folder / "comments.bin", Format("bytes"), resume=self.resume, errors=self.errors)
        self.folder.mkdir(parents=True, exist_ok=True)
        job: Job = SignJob(format=Format("bytes"), where=self.where, timeout=self.options.timeout)
        reader: Reader | None = None
        if self.table is not None:
            job, reader = SignRowsJob(fields=self.table, format=Format("bytes")), partial(row_groups, size=GROUP)
        settings = ["campaigns", str(self.where), self.options.timeout, FEWEST_PAIRS, RECORD.descr, self.table]
        summary = run(job, self.inputs, output, self.options, settings=settings, reader=reader, watch=watch)
        return grouped(output.path, self.least), summary


def listed(run_: CampaignRun, found: Found, top: int) -> Iterator[dict[str, Any]]:
    """The ``top`` largest campaigns with examples, for which the pages that hold them are read once more."""
    campaigns, examples = found.campaigns[:top], found.examples[found.examples["campaign"] < top]
    texts = _examples(run_, examples)
    for n, row in enumerate(campaigns):
        spread = Spread(*(int(row[name]) for name in CAMPAIGN.names or ()))
        counts = {name: int(row[name]) for name in CAMPAIGN.names or ()}
        yield {"campaign": n + 1, **counts, "log_odds": round(spread.log_odds, 4), "examples": texts[n]}


def _examples(run_: CampaignRun, examples: Table) -> dict[int, list[dict[str, Any]]]:
    wanted = set(examples["page"].tolist())
    options = replace(run_.options, limit=None, sample=1.0)

    def pages(found: Input) -> Iterator[Item]:
        for item in read_pages(found, options.columns):
            if isinstance(item, RawPage) and page_number(item.name) in wanted:
                yield item

    out: dict[int, list[dict[str, Any]]] = defaultdict(list)
    inputs = [found for found in run_.inputs if isinstance(found, Input)]
    for outcome, _ in stream(_ExampleJob(examples=examples), inputs, options, reader=pages):
        assert isinstance(outcome.piece, list)
        for example in outcome.piece:
            out[example.pop("campaign")].append(example)
    return out


@dataclass
class _ExampleJob(PageJob):
    """The comments that are examples, in full."""

    examples: Table = field(default_factory=lambda: np.zeros(0, EXAMPLE))

    def on_page(self, raw: RawPage, page: Page) -> Outcome:
        """The wanted comments of one page, once each."""
        wanted = self.examples[self.examples["page"] == page_number(raw.name)]
        keys = wordings([comment.text for comment in page.comments]).tolist()
        out = []
        for campaign, wording in zip(wanted["campaign"].tolist(), wanted["wording"].tolist(), strict=True):
            if wording in keys:
                comment = page.comments[keys.index(wording)]
                keys[keys.index(wording)] = None  # the next example of the same words is another comment
                text = comment.text if len(comment.text) <= _SHOWN else comment.text[: _SHOWN - 1] + "…"
                place = {"source": raw.name, "url": page.url, "author": comment.author}
                out.append({"campaign": campaign, **place, "text": text})
        return Outcome(out)
