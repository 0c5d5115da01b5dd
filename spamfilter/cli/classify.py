"""``spamfilter classify``: a table of comments, judged row by row."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from spamfilter import view
from spamfilter.batch import Format, Options
from spamfilter.batch.classifyjob import ADDED, GROUP, ClassifyJob
from spamfilter.batch.loading import load_scorer
from spamfilter.batch.rowfields import field_columns
from spamfilter.batch.rowsigning import tells_where
from spamfilter.batch.shards import SHARD_ITEMS
from spamfilter.cli import options
from spamfilter.cli.campaigning import Asked
from spamfilter.cli.running import Run, drift_told, exit_code, found_inputs, output_to, pipe, write_summary
from spamfilter.errors import ConfigError
from spamfilter.files import Failure, Input, Row, read_rows, row_groups
from spamfilter.files.inputs import STDIN
from spamfilter.files.tables import parquet_file

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter classify comments.csv -o judged.csv
  spamfilter classify dump.parquet -o judged.parquet --column body --map author=user
  spamfilter classify dump.csv -o judged.csv --campaigns --map page=post_id
  spamfilter classify new.jsonl | jq 'select(.verdict == "spam")'

\b
The same rows come out, in the same order, with three more columns: spam_probability,
verdict (spam, unsure or ham) and reasons. Columns that are known by name besides the
text: author, author_url, title and article (the text that is commented on); for
--campaigns page (its address, or whatever tells it from others).
"""


@app.command(epilog=_EXAMPLES)
def classify(
    tables: Annotated[
        list[str],
        typer.Argument(
            metavar="TABLE...",
            help="Tables with a row a comment: .csv .tsv .jsonl, each also with .gz or .zst, and .parquet; "
            "- for JSON lines.",
            show_default=False,
        ),
    ],
    out: options.Out = None,
    column: Annotated[str | None, typer.Option(metavar="NAME", help="Column with the comment's text.")] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=NAME", help="Column of author, author_url, title, article or page; may be repeated."
        ),
    ] = None,
    threshold: options.Threshold = None,
    model: options.Model = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    part_size: options.PartSize = SHARD_ITEMS,
    campaigns: options.Campaigns = False,
    known_campaigns: options.KnownCampaigns = None,
    fail_on_spam: Annotated[bool, typer.Option("--fail-on-spam", help="Exit with 3 if a comment is spam.")] = False,
    errors: options.Errors = None,
    summary: options.SummaryFile = None,
) -> None:
    """Judge tables of comments: the same rows, with probability, verdict and reasons."""
    fields = _fields(column, map_ or [])
    found = [_as_table(one) for one in found_inputs(tables, Path(out) if out else None)]
    job = ClassifyJob(load=partial(load_scorer, model, threshold), fields=fields)
    job.open()
    name = getattr(job.scorer, "name", None)
    _check_columns(found, fields, where=campaigns)
    asked = Asked(campaigns, known_campaigns, model, threshold)
    run = Run(
        job,
        found,
        Options(workers, shard_items=part_size),
        ["classify", name, threshold, fields, *asked.settings()],
        errors,
        partial(row_groups, size=GROUP),
    )
    if out is None:
        with asked.prepared(run, None):
            done = run.show(pipe)
    else:
        target = output_to(Path(out), out, partial(_format, job, found), resume=resume, errors=errors)
        with asked.prepared(run, target):
            done = run.to(target)
        _tell(done, out)
    write_summary(summary, done, model=name, drift=drift_told(done, job.scorer))
    raise typer.Exit(exit_code(done, fail_on_spam=fail_on_spam))


def _fields(column: str | None, mapped: list[str]) -> dict[str, str]:
    fields = {} if column is None else {"text": column}
    for text in mapped:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise typer.BadParameter(f"{text!r}: write it as FIELD=NAME, for example author=user", param_hint="--map")
        fields[name] = value
    return fields


def _as_table(found: Input | Failure) -> Input | Failure:
    if isinstance(found, Failure) or found.kind in ("csv", "jsonl", "parquet"):
        return found
    if found.path == STDIN:
        return dataclasses.replace(found, kind="jsonl")
    return Failure(
        found.path, None, "unreadable", "this is no table (.csv .tsv .jsonl .parquet); spamfilter score takes pages"
    )


def _check_columns(found: list[Input | Failure], fields: dict[str, str], *, where: bool) -> None:
    """A wrong column is wrong usage: said before the first table is read, by its first row.

    ``where``: a column must tell where comments stood.
    """
    for one in found:
        if isinstance(one, Input) and one.path != STDIN:
            first = next(_rows(one), None)
            if first is not None:
                columns = field_columns(list(first.values), fields)
                if where and not tells_where(columns):
                    raise ConfigError(
                        f"{one.path}: no column says where comments stood, so none can be a campaign; name one with "
                        "the address or number of the page, by --map page=NAME"
                    )
            return


def _rows(found: Input) -> Iterator[Row]:
    return (row for row in read_rows(found) if isinstance(row, Row))


def _format(job: ClassifyJob, found: list[Input | Failure], path: str) -> Format:
    """The output's format, with the columns of the input and those that are added."""
    format = Format.of(path)
    inputs = [one for one in found if isinstance(one, Input)]
    if format.name == "csv":
        columns = dict.fromkeys(name for one in inputs for name in _header(one))
        format = dataclasses.replace(format, columns=(*(name for name in columns if name not in ADDED), *ADDED))
    job.format = format
    return dataclasses.replace(format, schema=_schema(inputs)) if format.name == "parquet" else format


def _header(found: Input) -> list[str]:
    if found.kind == "jsonl":
        raise ConfigError(f"{found.path}: rows of JSON lines may differ in their columns; call the output .jsonl")
    if found.kind == "parquet":
        with parquet_file(found) as file:
            return list(file.schema_arrow.names)
    first = next(_rows(found), None)
    return [] if first is None else list(first.values)


def _schema(found: list[Input]) -> Any:
    """The Arrow schema of the rows that are written; where the input has none, every column is text."""
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for one in found:
        if one.kind == "parquet":
            with parquet_file(one) as file:
                columns.update({column.name: column.type for column in file.schema_arrow})
        else:
            columns.update({name: pa.large_string() for name in _header(one)})
    columns.update(spam_probability=pa.float64(), verdict=pa.string(), reasons=pa.string())
    return pa.schema(list(columns.items()))


def _tell(done: Any, out: str) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        judged = f"{done['rows']:,} rows, {done['spam']:,} spam, {done['unsure']:,} unsure"
        print(f"{view.plain(out)}: {judged}; {done['skipped']:,} without text", file=sys.stderr)
