"""``spamfilter evaluate``: how good a model, or the way it is trained, is on labelled comments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spamfilter.cli import options
from spamfilter.cli.waiting import Waiting
from spamfilter.errors import ConfigError
from spamfilter.store.durable import write_text, writing

if TYPE_CHECKING:
    from spamfilter.datasets import Dataset
    from spamfilter.evaluationjob import Evaluated

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter evaluate mine.csv                                  the current model on your comments
  spamfilter evaluate data/corpus --split test --model models/mine --report mine.html
  spamfilter evaluate sets/ --leave-one-out site --always data/corpus --jobs 2 -o predictions.jsonl

\b
With --leave-one-out no model is needed: every site (or set) is judged by a model that is trained on all
the others. Without it the model judges all rows; rows that it has learnt from flatter it.
"""


@app.command(epilog=_EXAMPLES)
def evaluate(
    data: Annotated[
        list[str], typer.Argument(metavar="DATA...", help="Files or folders of labelled comments.", show_default=False)
    ],
    model: options.Model = None,
    leave_one_out: Annotated[
        str | None, typer.Option(metavar="site|set", help="Train without each site (or set) in turn, and judge it.")
    ] = None,
    always: Annotated[
        list[str] | None,
        typer.Option(metavar="DATA", help="Data to train on in every turn, never judged; may be repeated."),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="Groups of sites that are left out together.  [default: 8]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write every row's probability, as JSON lines.")
    ] = None,
    scores: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the scores as JSON.")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an HTML page with plots and the worst errors.")
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings of the trainings, as TOML.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of whatever is drawn at random.")] = None,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Trainings at once, each in a process of its own.")] = 1,
    split: Annotated[str | None, typer.Option(help="Only the threads and rows of this split (train, test).")] = None,
) -> None:
    """Judge labelled comments and compare: per set, language and kind, with intervals."""
    from spamfilter.datasets import read_data
    from spamfilter.evaluationjob import EvaluationJob
    from spamfilter.scoretable import text_table
    from spamfilter.trainingjob import read_config

    if leave_one_out not in (None, "site", "set"):
        raise ConfigError(f"--leave-one-out is site or set, not {leave_one_out!r}")
    for name, given in (("--always", always), ("--folds", folds)):
        if given and leave_one_out is None:
            raise ConfigError(f"{name} goes with --leave-one-out")
    if model is not None and leave_one_out is not None:
        raise ConfigError("give either --model or --leave-one-out: the latter trains models of its own")
    for path in (out, scores, report):
        if path is not None and not path.parent.is_dir():
            raise ConfigError(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    if report is not None:
        from spamfilter.report import require_plots

        require_plots()
    rows = read_data(data, split=split)
    for line in rows.report.lines():
        typer.echo(line, err=True)
    job = EvaluationJob(
        rows, model, leave_one_out, read_data(always) if always else None, folds or 8, read_config(config, seed), jobs
    )
    with Waiting() as waiting:
        done = job.run(waiting.say)
    typer.echo(text_table(done.scores))
    typer.echo(f"taken so: {done.how}")
    for warning in done.warnings:
        typer.echo(f"spamfilter: {warning}", err=True)
    _write(done, rows, out, scores, report)


def _write(done: Evaluated, rows: Dataset, out: Path | None, scores: Path | None, report: Path | None) -> None:
    if out is not None:
        _put(out, "".join(_prediction_lines(done, rows)))
    if scores is not None:
        _put(scores, json.dumps({"how": done.how, **done.scores.to_dict()}, indent=1, ensure_ascii=False) + "\n")
    if report is not None:
        from spamfilter.report import evaluation_html

        _put(report, evaluation_html(rows, done.probability, done.cutoff, done.scores, done.how))
        typer.echo(f"report: {report}", err=True)


def _put(path: Path, text: str) -> None:
    """Write a file whole or not at all; a device or a pipe as it comes."""
    text = text.encode("utf-8", "replace").decode("utf-8")  # half a character of a damaged comment
    if path.exists() and not path.is_file():
        with writing(path):
            path.write_text(text, encoding="utf-8")
    else:
        write_text(path, text)


def _prediction_lines(done: Evaluated, rows: Dataset) -> Iterator[str]:
    for i in range(len(rows)):
        line = {
            "id": rows.id[i],
            "probability": float(done.probability[i]),
            "cutoff": float(done.cutoff[i]),
            "label": "spam" if rows.label[i] else "ham",
            "set": rows.set[i],
            "site": rows.site[i],
            "lang": rows.lang[i],
            "kind": rows.kind[i],
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"
