"""Options that several commands share, each written once.

Usage::

    def score(inputs: Inputs, out: Out = None, workers: Workers = 0) -> None: ...
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Campaigns",
    "Column",
    "Errors",
    "Inputs",
    "KnownCampaigns",
    "Limit",
    "Model",
    "Out",
    "PartSize",
    "Resume",
    "Sample",
    "SummaryFile",
    "Threshold",
    "Timeout",
    "UrlColumn",
    "Where",
    "Workers",
]

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Files, folders, globs or - for standard input: .html .htm .xhtml .txt, .warc .wet, .jsonl .csv .tsv "
        ".parquet; all but .parquet also with .gz or .zst.",
        show_default=False,
    ),
]
#: Text, not a path: the slash at its end counts.
Out = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FILE",
        help="Write to this file (.jsonl .csv .tsv, also with .gz or .zst, or .parquet), or to a folder of parts "
        "if it ends with a slash.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="Model to use: a version or a folder. [default: the current one]"),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        metavar="P",
        help="Call spam what has at least this probability. [default: the model's own cut-off]",
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        min=0, metavar="N", help="Worker processes; 0 means one a core for large inputs, none for small ones."
    ),
]
Timeout = Annotated[
    float | None, typer.Option(min=0.01, metavar="SECONDS", help="Give a page up after this time, as an error.")
]
Limit = Annotated[int | None, typer.Option(min=0, metavar="N", help="Stop after this many pages.")]
Sample = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Take this share of the pages, the same ones in every run."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD=VALUE", help="Only pages whose lang, engine, kind or host is (or with != is not) this."
    ),
]
Column = Annotated[str | None, typer.Option(metavar="NAME", help="Column with the page. [default: told by its name]")]
UrlColumn = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column with the page's address. [default: told by its name]")
]
PartSize = Annotated[
    int,
    typer.Option("--part-size", min=1, metavar="N", help="Pages a part: what a stopped run loses at most."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where a stopped run into the same output ended.")]
Errors = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="List what could not be read, with offset and reason, as JSON lines."),
]
SummaryFile = Annotated[
    Path | None, typer.Option("--summary", metavar="FILE", help="Write the run's counts and speed as JSON.")
]
Campaigns = Annotated[
    bool,
    typer.Option(
        "--campaigns",
        help="Read the input twice, first to find comments that repeat on several sites or under several articles; "
        "that they do becomes a reason.",
    ),
]
KnownCampaigns = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Take into account the campaigns in this file, made by: spamfilter campaigns --save."
    ),
]
