"""``spamfilter score``: a verdict for every comment of every page."""

from __future__ import annotations

import dataclasses
import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from spamfilter import view
from spamfilter.batch import COMMENT_COLUMNS, Format, Options, PageScorer, ScoreJob, Summary, Where
from spamfilter.batch.loading import load_scorer
from spamfilter.batch.shards import SHARD_ITEMS
from spamfilter.cli import options
from spamfilter.cli.campaigning import Asked
from spamfilter.cli.running import Run, drift_told, exit_code, found_inputs, output_to, pipe, write_summary
from spamfilter.errors import ConfigError
from spamfilter.files import Columns

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter score page.html                            a table, on a terminal
  curl -s https://example.org/post | spamfilter score -
  spamfilter score saved/ notes.txt -o verdicts.jsonl   JSON lines, one page each
  spamfilter score crawl.warc.gz -o out.parquet --workers 8 --resume
  spamfilter score pages.csv --column body --where lang=en -o spam.csv
  spamfilter score crawl/ --campaigns -o out.jsonl      comments that repeat all over the crawl count as such
  spamfilter score saved/ --fail-on-spam                exit code 3 if there is spam

\b
Exit codes: 0 done; 1 done, but some inputs could not be read; 2 could not be run
as asked; 3 with --fail-on-spam and spam found; 130 stopped by Ctrl-C.
"""


@app.command(epilog=_EXAMPLES)
def score(
    inputs: options.Inputs,
    out: options.Out = None,
    threshold: options.Threshold = None,
    model: options.Model = None,
    rows: Annotated[
        str, typer.Option(help="A row of the output is a 'page' or a 'comment'; CSV is always the latter.")
    ] = "page",
    workers: options.Workers = 0,
    resume: options.Resume = False,
    part_size: options.PartSize = SHARD_ITEMS,
    fail_on_spam: Annotated[bool, typer.Option("--fail-on-spam", help="Exit with 3 if a comment is spam.")] = False,
    errors: options.Errors = None,
    limit: options.Limit = None,
    sample: options.Sample = 1.0,
    where: options.Where = None,
    timeout: options.Timeout = None,
    campaigns: options.Campaigns = False,
    known_campaigns: options.KnownCampaigns = None,
    column: options.Column = None,
    url_column: options.UrlColumn = None,
    summary: options.SummaryFile = None,
    engine: Annotated[
        str, typer.Option(help="'local', or 'daft' (on Ray too, if it is set up): into a folder of Parquet files.")
    ] = "local",
) -> None:
    """Find the article and the comments of every page, and judge each comment against the article.

    On a terminal this prints a table a page; piped, or with -o, one JSON object a page.
    """
    if rows not in ("page", "comment"):
        raise typer.BadParameter("it is 'page' or 'comment'", param_hint="--rows")
    if engine != "local":
        only_local = resume or limit is not None or sample < 1 or bool(where) or errors is not None or rows != "page"
        known = str(known_campaigns.resolve()) if known_campaigns else None
        scorer = PageScorer(model, threshold, timeout, known)
        done = _elsewhere(engine, inputs, out, only_local or campaigns, scorer, column, url_column)
        write_summary(summary, done)
        raise typer.Exit(exit_code(done, fail_on_spam=fail_on_spam))
    job = ScoreJob(
        where=Where.parse(where or ()), timeout=timeout, rows=rows, load=partial(load_scorer, model, threshold)
    )
    how = Options(workers, timeout, limit, sample, Columns(column, url_column), part_size)
    found = found_inputs(inputs, Path(out) if out else None)
    job.open()  # what is wrong with the model is said once, before anything is read
    name = job.scorer.name if job.scorer else None
    asked = Asked(campaigns, known_campaigns, model, threshold)
    run = Run(job, found, how, [name, threshold, rows, str(job.where), *asked.settings()], errors)
    if out is None:
        with asked.prepared(run, None):
            done = run.show(view.page_printer() if sys.stdout.isatty() and rows == "page" else pipe)
    else:
        target = output_to(Path(out), out, partial(_format, job), resume=resume, errors=errors)
        with asked.prepared(run, target):
            done = run.to(target)
        view.tell(done)
    write_summary(summary, done, model=name, drift=drift_told(done, job.scorer))
    raise typer.Exit(exit_code(done, fail_on_spam=fail_on_spam))


def _format(job: ScoreJob, path: str) -> Format:
    """The format of the output, of which the job learns what its workers need."""
    rows = "comment" if Format.of(path).name == "csv" else job.rows
    format = Format.of(path, COMMENT_COLUMNS if rows == "comment" else ())
    job.rows, job.format = rows, format
    if format.name != "parquet":
        return format
    from spamfilter.files.schemas import comment_schema, page_schema

    return dataclasses.replace(format, schema=comment_schema() if rows == "comment" else page_schema())


def _elsewhere(
    engine: str,
    inputs: list[str],
    out: str | None,
    only_local: bool,
    scorer: PageScorer,
    column: str | None,
    url: str | None,
) -> Summary:
    if engine != "daft":
        raise typer.BadParameter("it is 'local' or 'daft'", param_hint="--engine")
    if out is None or only_local:
        raise ConfigError(
            "--engine daft needs -o DIR, and knows none of --resume --limit --sample --where --errors --rows "
            "--campaigns; leave them out, or use the local engine"
        )
    from spamfilter.batch._daft import score_into

    begun = time.monotonic()
    tally = score_into(inputs, out, scorer, column, url)
    return Summary(tally, time.monotonic() - begun, tally["pages"])
