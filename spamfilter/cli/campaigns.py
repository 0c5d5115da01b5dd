"""``spamfilter campaigns``: the comments that repeat all over an input."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from spamfilter import view
from spamfilter.batch import Format, Options, Outcome, Position, Where
from spamfilter.batch.campaignrun import CampaignRun, listed
from spamfilter.batch.campaigntable import save
from spamfilter.batch.grouping import LEAST
from spamfilter.batch.shards import writing
from spamfilter.cli import options
from spamfilter.cli.progress import Progress
from spamfilter.cli.running import Failures, exit_code, found_inputs, pipe, write_summary
from spamfilter.errors import ConfigError
from spamfilter.files import Columns

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter campaigns crawl/*.warc.gz                    a table of the largest, on a terminal
  spamfilter campaigns crawl/ -o campaigns.jsonl          JSON lines, one campaign each
  spamfilter campaigns crawl/ --save campaigns.npy        for the next line, on any machine
  spamfilter score more/ --known-campaigns campaigns.npy -o out.jsonl

\b
A campaign is a text that appears, whole or with small changes, at least --least times.
What does not count: short phrases ("thanks!"), a comment that is seen again on the
same site or under the same article elsewhere, readers who quote each other.
"""


@app.command(epilog=_EXAMPLES)
def campaigns(
    inputs: options.Inputs,
    out: Annotated[
        str | None, typer.Option("-o", "--out", metavar="FILE", help="Write JSON lines to this file (also .gz, .zst).")
    ] = None,
    save_: Annotated[
        Path | None,
        typer.Option("--save", metavar="FILE", help="Write the table that score --known-campaigns reads: no texts."),
    ] = None,
    least: Annotated[
        int, typer.Option(min=2, metavar="N", help="Appearances from which on a repetition is a campaign.")
    ] = LEAST,
    top: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="List so many, the largest. [default: 20 on a terminal, else all]"),
    ] = None,
    workers: options.Workers = 0,
    errors: options.Errors = None,
    limit: options.Limit = None,
    sample: options.Sample = 1.0,
    where: options.Where = None,
    timeout: options.Timeout = None,
    column: options.Column = None,
    url_column: options.UrlColumn = None,
    summary: options.SummaryFile = None,
) -> None:
    """List the comments that repeat, whole or with small changes, on several sites or under several articles.

    Needs no model. On a terminal this prints a table; piped, or with -o, one JSON object a campaign.
    """
    format = _format(out)
    found_ = found_inputs(inputs, Path(out) if out else None)
    how = Options(workers, timeout, limit, sample, Columns(column, url_column))
    failures = Failures()
    with tempfile.TemporaryDirectory(dir=Path(out).parent if out else None, prefix=".campaigns.") as folder:
        run = CampaignRun(found_, how, Path(folder), Where.parse(where or ()), least, errors=errors)
        with Progress(found_) as progress:

            def watch(outcome: Outcome, position: Position) -> None:
                progress.advance(outcome, position)
                failures.tell(outcome.failure)

            found, done = run.find(watch)
        failures.tell_rest()
        if save_ is not None:
            save(save_, found)
        table = out is None and sys.stdout.isatty()
        rows = listed(run, found, len(found.campaigns) if top is None and not table else 20 if top is None else top)
        _put(rows, out, format, table=table, total=len(found.campaigns))
    write_summary(summary, done, campaigns=len(found.campaigns))
    raise typer.Exit(exit_code(done))


def _format(out: str | None) -> Format:
    format = Format("jsonl") if out is None else Format.of(out)
    if format.name != "jsonl":
        raise ConfigError(f"{out}: campaigns are written as JSON lines; call the output .jsonl (or .jsonl.gz, .zst)")
    return format


def _put(rows: Iterable[dict[str, Any]], out: str | None, format: Format, *, table: bool, total: int) -> None:
    if table:
        view.print_campaigns(rows, total)
    elif out is None:
        for row in rows:
            pipe(format.encode([row]))
    else:
        beside = Path(out + "~")
        with writing(out):
            with format.shard(beside, first=True) as file:
                for row in rows:
                    file.write(format.encode([row]))
            beside.replace(out)
