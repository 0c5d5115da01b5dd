"""``spamfilter train``: labelled comments in, a model with its card out."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from spamfilter.batch.shards import writing
from spamfilter.cli.waiting import Waiting

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter train data/corpus -o models/mine
  spamfilter train data/corpus decisions.csv --version 2026.12 -o models/2026.12
  spamfilter split saved/ -o pages.jsonl
  spamfilter train data/corpus --readers pages.jsonl -o models/ours
  spamfilter train data/corpus data/public/youtube-uci --folds 8 --jobs 2 -o models/both

\b
DATA is a table (.csv .tsv .jsonl, also with .gz, or .parquet) with the columns text and label (spam or
ham) and, where there are any, author, author_url, title, article, site, post, lang, kind, date, id;
or a folder of such files, or of threads as in data/corpus. The folder of the model gets its
arrays, manifest.json, scores.json and README.md (the card). Same data, settings and seed, same model.
"""


@app.command(epilog=_EXAMPLES)
def train(
    data: Annotated[
        list[str], typer.Argument(metavar="DATA...", help="Files or folders of labelled comments.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="New folder for the model.")],
    version: Annotated[str | None, typer.Option(help="Version of the model.  [default: today's date]")] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings of the training, as TOML.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of whatever is drawn at random.")] = None,
    conflicts: Annotated[
        str,
        typer.Option(
            help="A text labelled both spam and ham under one article: drop all its rows, or keep the newest."
        ),
    ] = "drop",
    split: Annotated[str | None, typer.Option(help="Only the threads and rows of this split (train, test).")] = None,
    readers: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Comments that a moderated site has published, as `spamfilter split` writes them or as a table: "
            "those without a label count as ham.  May be given several times.",
            show_default=False,
        ),
    ] = None,
    folds: Annotated[
        int, typer.Option(min=0, metavar="N", help="Score by N further trainings, each without the sites it judges.")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="So many of those at once.")] = 1,
    left_out: Annotated[
        Path | None,
        typer.Option("--left-out", metavar="FILE", help="List the rows left out (the first 10,000) with reasons."),
    ] = None,
) -> None:
    """Train a model on labelled comments and save it with its scores and its card."""
    from spamfilter.scoretable import text_table
    from spamfilter.trainingjob import TrainingJob, read_config

    command = shlex.join(["spamfilter", *sys.argv[1:]]) if "train" in sys.argv else ""
    settings = read_config(config, seed)
    job = TrainingJob(data, out, version, settings, conflicts, split, folds, jobs, command, readers or ())
    rows = job.read()
    for line in rows.report.lines():
        typer.echo(line)
    if left_out is not None:
        with writing(left_out):
            left_out.write_text(
                "".join(f"{reason}\t{place}\n" for reason, place in rows.report.listed), encoding="utf-8"
            )
    typer.echo(
        f"training on {len(rows):,} comments: {int(rows.label.sum()):,} spam, {int((rows.label == 0).sum()):,} ham"
    )
    with Waiting() as waiting:
        done = job.run(rows, waiting.say)
    typer.echo(text_table(done.scores))
    typer.echo(f"scores: {done.how}")
    typer.echo(f"saved to {done.folder}; its card is {done.folder / 'README.md'}")
