"""``spamfilter split``: article and comments, without verdicts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from spamfilter import view
from spamfilter.batch import Format, Options, SplitJob, Where
from spamfilter.batch.shards import SHARD_ITEMS, writing
from spamfilter.cli import options
from spamfilter.cli.running import Run, exit_code, found_inputs, output_to, pipe, write_summary
from spamfilter.errors import ConfigError
from spamfilter.files import Columns

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter split page.html                   title, article and comments, on a terminal
  spamfilter split saved/ -o pages.jsonl       JSON lines, one page each
  spamfilter split page.html --show page.view.html   the same as an HTML page to look at
"""


@app.command(epilog=_EXAMPLES)
def split(
    inputs: options.Inputs,
    out: options.Out = None,
    show: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one HTML page that shows what was found, to check it by eye."),
    ] = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    part_size: options.PartSize = SHARD_ITEMS,
    errors: options.Errors = None,
    limit: options.Limit = None,
    sample: options.Sample = 1.0,
    where: options.Where = None,
    timeout: options.Timeout = None,
    column: options.Column = None,
    url_column: options.UrlColumn = None,
    summary: options.SummaryFile = None,
) -> None:
    """Find the article and the single comments of every page; no model is needed."""
    job = SplitJob(where=Where.parse(where or ()), timeout=timeout)
    how = Options(workers, timeout, limit, sample, Columns(column, url_column), part_size)
    run = Run(job, found_inputs(inputs, Path(out) if out else None), how, ["split", str(job.where)], errors)
    if show is not None:
        from spamfilter.explain import Gallery

        with writing(show), Gallery.writing(show) as gallery:
            done = run.show(gallery.add)
    elif out is None:
        done = run.show(view.page_printer() if sys.stdout.isatty() else pipe)
    else:
        done = run.to(output_to(Path(out), out, lambda path: _format(job, path), resume=resume, errors=errors))
        view.tell(done)
    write_summary(summary, done)
    raise typer.Exit(exit_code(done))


def _format(job: SplitJob, path: str) -> Format:
    job.format = Format.of(path)
    if job.format.name != "jsonl":
        raise ConfigError(f"{path}: split writes JSON lines; call the output .jsonl, .jsonl.gz or .jsonl.zst")
    return job.format
