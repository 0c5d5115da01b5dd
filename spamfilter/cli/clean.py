"""``spamfilter clean``: pages without their spam."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import typer

from spamfilter import view
from spamfilter.batch import Format, Options, Where
from spamfilter.batch.cleanjob import CleanJob
from spamfilter.batch.loading import load_scorer
from spamfilter.batch.shards import SHARD_ITEMS
from spamfilter.cli import options
from spamfilter.cli.campaigning import Asked
from spamfilter.cli.running import Run, drift_told, exit_code, found_inputs, output_to, pipe, write_summary
from spamfilter.errors import ConfigError
from spamfilter.files import Columns, Failure, Input, Row, read_pages, read_rows
from spamfilter.files.inputs import kind_of
from spamfilter.files.tables import parquet_file

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter clean page.html                       article and comments as text, spam left out
  spamfilter clean page.html -o clean.html         the same page, its spam taken out of the HTML
  spamfilter clean saved/ -o texts.jsonl           one JSON object a page: source, url, title, text
  spamfilter clean crawl.warc.gz -o clean.warc.gz  the archive, every record, pages without their spam
  spamfilter clean pages.parquet -o clean.parquet  the same rows, pages without their spam
"""


@app.command(epilog=_EXAMPLES)
def clean(
    inputs: options.Inputs,
    out: options.Out = None,
    threshold: options.Threshold = None,
    model: options.Model = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    part_size: options.PartSize = SHARD_ITEMS,
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
) -> None:
    """Write pages without their spam comments.

    An output of the input's own kind keeps its shape: HTML stays HTML, an archive keeps its records, a table
    its rows and columns. Any other output gets the text: the article and the comments that are not spam.
    """
    found = found_inputs(inputs, Path(out) if out else None)
    job = CleanJob(where=Where.parse(where or ()), timeout=timeout, load=partial(load_scorer, model, threshold))
    job.open()
    name = job.scorer.name if job.scorer else None
    columns = Columns(column, url_column)
    how = Options(workers, timeout, limit, sample, columns, part_size)
    format = None if out is None else _shape(job, found, out)
    if out is None:
        single = len(found) == 1 and isinstance(found[0], Input) and found[0].kind == "page"
        job.shape = "text" if single else "object"
    reader = partial(read_pages, columns=columns, origins=job.shape in ("warc", "row"))
    asked = Asked(campaigns, known_campaigns, model, threshold)
    run = Run(job, found, how, ["clean", name, threshold, job.shape, str(job.where), *asked.settings()], errors, reader)
    if out is None or format is None:
        with asked.prepared(run, None):
            done = run.show(_text if job.shape == "text" else pipe)
    else:
        target = output_to(Path(out), out, lambda path: format, resume=resume, errors=errors)
        with asked.prepared(run, target):
            done = run.to(target)
        view.tell(done)
    write_summary(summary, done, model=name, drift=drift_told(done, job.scorer))
    raise typer.Exit(exit_code(done))


def _text(piece: Any) -> None:
    pipe(piece.rstrip(b"\f"))


def _shape(job: CleanJob, found: list[Input | Failure], out: str) -> Format:
    """How the output looks, by its name and the inputs; the job learns what its workers need of it."""
    inputs = [one for one in found if isinstance(one, Input)]
    folder = out.endswith("/") or Path(out).is_dir()
    known = kind_of("part.jsonl.gz" if folder else out)
    kind, compression = known or ("page", None)
    if kind == "warc":
        if any(one.kind != "warc" for one in inputs):
            raise ConfigError(f"{out}: an archive can be written only from archives; call the output .jsonl for texts")
        job.shape, job.compress = "warc", compression == "gz"
        return Format("bytes")
    if kind == "page":
        return _page_shape(job, inputs, out, compression)
    format = Format.of("part.jsonl.gz" if folder else out, ("source", "url", "title", "text"))
    if inputs and all(one.kind == kind for one in inputs):
        job.shape = "row"
        format = _row_format(format, inputs)
    job.format = dataclasses.replace(format, schema=None)
    return format


def _page_shape(job: CleanJob, inputs: list[Input], out: str, compression: str | None) -> Format:
    html = ".htm" in out.lower() or ".xhtml" in out.lower()
    if html and (len(inputs) > 1 or any(one.kind != "page" for one in inputs)):
        raise ConfigError(f"{out}: one page can be written to it, and there are more; call the output .jsonl for texts")
    job.shape = "page" if html else "text"
    return Format("bytes", compression)


def _row_format(format: Format, inputs: list[Input]) -> Format:
    """Rows as they came: CSV with the columns of its header, Parquet with its schema."""
    if format.name == "csv":
        headers = {tuple(_header(one)) for one in inputs}
        if len(headers) > 1:
            raise ConfigError("the tables have different columns; clean them one by one")
        return dataclasses.replace(format, columns=headers.pop())
    if format.name == "parquet":
        schemas = []
        for one in inputs:
            with parquet_file(one) as file:
                schemas.append(file.schema_arrow.remove_metadata())
        if any(schema != schemas[0] for schema in schemas):
            raise ConfigError("the tables have different columns; clean them one by one")
        return dataclasses.replace(format, schema=schemas[0])
    return format


def _header(found: Input) -> list[str]:
    first = next((row for row in read_rows(found) if isinstance(row, Row)), None)
    return [] if first is None else list(first.values)
