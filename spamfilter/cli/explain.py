"""``spamfilter explain``: one HTML page per input, with every verdict and its reasons."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from spamfilter.batch import Options, ScoreJob, Where
from spamfilter.batch.loading import load_scorer
from spamfilter.batch.shards import writing
from spamfilter.cli import options
from spamfilter.cli.running import Run, exit_code, found_inputs
from spamfilter.explain import index_html, page_html
from spamfilter.files import Columns

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter explain page.html -o report/          report/page.html, to open in a browser
  spamfilter explain crawl.warc.gz -o report/ --limit 50
"""


@app.command(epilog=_EXAMPLES)
def explain(
    inputs: options.Inputs,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the pages; made if need be.")],
    threshold: options.Threshold = None,
    model: options.Model = None,
    errors: options.Errors = None,
    limit: options.Limit = None,
    sample: options.Sample = 1.0,
    where: options.Where = None,
    timeout: options.Timeout = None,
    column: options.Column = None,
    url_column: options.UrlColumn = None,
) -> None:
    """Write an HTML page for every page: the article, the comments by verdict, and what speaks for and against each."""
    job = ScoreJob(where=Where.parse(where or ()), timeout=timeout, load=partial(load_scorer, model, threshold))
    job.open()
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    how = Options(1, timeout, limit, sample, Columns(column, url_column))
    report = _Report(out)
    done = Run(job, found_inputs(inputs), how, errors=errors).show(report.add)
    report.finish()
    raise typer.Exit(exit_code(done))


class _Report:
    """The pages written so far, and the index over them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: list[tuple[str, dict[str, Any]]] = []
        self._names: set[str] = {"index.html"}

    def add(self, piece: Any) -> None:
        for line in piece.splitlines():
            page = json.loads(line)
            name = self._name(page["source"])
            with writing(self._folder / name):
                (self._folder / name).write_text(page_html(page), encoding="utf-8", errors="replace")
            # The index needs neither texts nor reasons: a report may have many pages.
            verdicts = [{"verdict": comment["verdict"]} for comment in page["comments"]]
            self._entries.append((name, {"title": page["title"], "source": page["source"], "comments": verdicts}))

    def finish(self) -> None:
        if len(self._entries) > 1:
            with writing(self._folder / "index.html"):
                text = index_html(self._entries)
                (self._folder / "index.html").write_text(text, encoding="utf-8", errors="replace")
        if self._entries:
            first = self._entries[0][0] if len(self._entries) == 1 else "index.html"
            typer.echo(self._folder / first)

    def _name(self, source: str) -> str:
        """A file name after the input's, never the same twice."""
        stem = Path(source).name.split("#")[0] if source != "-" else "stdin"
        at = re.sub(r"[^\w.-]", "_", re.sub(r"\.(html?|xhtml|txt)$", "", stem)) + re.sub(r".*?(#\d+)?$", r"\1", source)
        base = at.replace("#", "-") or "page"
        name, n = f"{base}.html", 1
        while name.lower() in self._names:
            n += 1
            name = f"{base}-{n}.html"
        self._names.add(name.lower())
        return name
