"""Results as tables on a terminal.

Usage::

    show = page_printer()
    show(b'{"title": …}\\n')         # the JSON line of a page
    tell(summary)
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from spamfilter.batch.summary import Summary

__all__ = ["page_printer", "plain", "print_campaigns", "printable", "tell"]

_STYLES: Final = {"spam": "bold red", "unsure": "yellow", "ham": "green"}
# Escape sequences and direction marks in a scraped page must not reach the terminal that shows it.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+")
_WORDS: Final = 100  # characters of a comment that are shown
_PLACE: Final = 60  # and of an address
_REASONS: Final = 3
_SLICES: Final = 8  # languages and engines in the summary


def plain(text: str | None, width: int = 0) -> str:
    """``text`` in one line that is safe to print, cut to ``width`` characters."""
    line = " ".join(_UNPRINTABLE.sub(" ", text or "").split())
    return line if not width or len(line) <= width else line[: width - 1].rstrip() + "…"


def printable(line: str) -> str:
    """``line`` as it is, but for what must not reach a terminal: spaces keep columns apart."""
    return _UNPRINTABLE.sub(" ", line)


def page_printer() -> Callable[[Any], None]:
    """What prints the JSON lines of pages as tables."""
    from rich.console import Console

    console = Console(highlight=False)

    def show(piece: Any) -> None:
        for line in piece.splitlines():
            _print_page(console, json.loads(line))

    return show


def _print_page(console: Console, page: dict[str, Any]) -> None:
    from rich.text import Text

    comments = page["comments"]
    console.print()
    console.print(Text(plain(page["title"]) or "(no title)", "bold"))
    console.print(Text(plain(page["source"] if not page["url"] else f"{page['source']}  {page['url']}"), "dim"))
    console.print(Text(_counts(page)))
    judged = any("verdict" in comment for comment in comments)
    shown = [c for c in comments if c["verdict"] != "ham"] if judged else comments
    if not judged:
        console.print(Text(plain(page["article"], 4 * _WORDS)))
    if shown:
        console.print(_comment_table(shown, judged))


def _counts(page: dict[str, Any]) -> str:
    comments = page["comments"]
    if not comments:
        return "no comments found"
    text = f"{len(comments)} comment{'s' if len(comments) > 1 else ''}"
    if "verdict" not in comments[0]:
        return f"article of {len(page['article']):,} characters, {text}"
    verdicts = [comment["verdict"] for comment in comments]
    unsure = verdicts.count("unsure")
    return f"{text}, {verdicts.count('spam') or 'none'} flagged as spam" + (f", {unsure} unsure" if unsure else "")


def _comment_table(comments: list[dict[str, Any]], judged: bool) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("author", max_width=24)
    if judged:
        table.add_column("verdict", no_wrap=True)
        table.add_column("p", justify="right", no_wrap=True)
        table.add_column("reasons", ratio=2)
    table.add_column("first words", ratio=3)
    for comment in comments:
        cells = [Text(str(comment["n"])), Text(plain(comment["author"], 40) or "–")]
        if judged:
            verdict = comment["verdict"]
            cells += [Text(verdict, _STYLES[verdict]), Text(f"{comment['probability']:.2f}"), Text(_reasons(comment))]
        table.add_row(*cells, Text(plain(comment["text"], _WORDS)))
    return table


def _reasons(comment: dict[str, Any]) -> str:
    towards = [reason for reason in comment["reasons"] if reason["weight"] > 0 and reason["name"] != "rest"]
    return "; ".join(plain(reason["detail"]) or reason["name"] for reason in towards[:_REASONS]) or "–"


def print_campaigns(rows: Iterable[dict[str, Any]], total: int) -> None:
    """Campaigns as a table: how often, where, and the first words of an example."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("comments", "counted", "sites", "wordings"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("where", ratio=2)
    table.add_column("first words", ratio=3)
    for row in rows:
        counts = (f"{row[name]:,}" for name in ("comments", "appearances", "sites", "wordings"))
        examples = row["examples"]
        where = Text("\n".join(plain(e["url"] or e["source"], _PLACE) for e in examples))
        table.add_row(*map(Text, counts), where, Text(plain(examples[0]["text"], _WORDS) if examples else "–"))
    shown = table.row_count
    console.print(f"{total or 'no'} campaign{'' if total == 1 else 's'}" + (f", the largest {shown}" * (shown < total)))
    if shown:
        console.print(table)


def tell(summary: Summary) -> None:
    """The summary of a run, on standard error, where that is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    record = summary.to_dict()
    share = record["flagged_share"]
    speed = record["session"]
    console.print(
        f"{summary['pages']:,} pages, {summary['comments']:,} comments, {summary['spam']:,} flagged as spam"
        + (f" ({share:.1%})" if share is not None else "")
        + f"; {speed['pages_per_second']:,.1f} pages a second with {speed['workers']} worker(s)"
    )
    if summary["skipped"] or summary["filtered"]:
        console.print(f"{summary['skipped']:,} records that are no pages, {summary['filtered']:,} pages not wanted")
    for kind, n in summary.errors_by_kind().items():
        console.print(f"{n:,} could not be read: {kind}", style="yellow")
    if summary["pages"]:
        console.print(_slices(summary))


def _slices(summary: Summary) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("", "pages", "comments", "flagged", box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for kind in ("lang", "engine"):
        for name, counts in list(summary.by(kind).items())[:_SLICES]:
            share = f"{counts['spam'] / counts['comments']:.1%}" if counts["comments"] else "–"
            table.add_row(f"{kind} {plain(name)}", f"{counts['pages']:,}", f"{counts['comments']:,}", share)
    return table
