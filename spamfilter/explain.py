"""A scored page as an HTML page for people: article, comments by verdict, and what every verdict rests on.

Usage::

    Path("page.html").write_text(page_html(scored.to_dict()))
    with Gallery.writing(Path("many.html")) as gallery: gallery.add(json_lines)

The pages stand alone: no script, nothing loaded from elsewhere, and everything that comes from the scraped page
escaped; its links are shown as text, so that nobody follows spam by a slip of the mouse.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Any, Final, TextIO

__all__ = ["Gallery", "index_html", "page_html"]

# The bar of a reason is full at this weight: e³ is twenty times the odds.
_FULL: Final = 3.0
_TOGETHER: Final = "together: the log-odds of spam (red speaks for spam, green for ham)"
_CSS: Final = """
:root { color-scheme: light dark; --ink: #1d2330; --dim: #5d6675; --paper: #fff; --line: #d8dde6;
  --spam: #b3261e; --unsure: #8a6100; --ham: #1e6b3a; --spambg: #fdecea; --unsurebg: #fff5dc; --hambg: #f2f8f4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #9aa4b5; --paper: #14181f; --line: #333b48;
  --spam: #ff8a80; --unsure: #ffca5c; --ham: #7fd39b; --spambg: #3a1c1b; --unsurebg: #352a10; --hambg: #16261c; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 52rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
.dim { color: var(--dim); font-size: .9rem; margin: .1rem 0; } .text { white-space: pre-wrap; margin: .4rem 0; }
details.article { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem 1rem; margin: 1rem 0; }
summary { cursor: pointer; } ol { list-style: none; padding: 0; margin: 0; }
li.c { border: 1px solid var(--line); border-left-width: .4rem; border-radius: .4rem; padding: .6rem 1rem;
  margin: .7rem 0 .7rem calc(min(var(--depth, 0), 6) * 1.2rem); }
li.spam { border-left-color: var(--spam); background: var(--spambg); }
li.unsure { border-left-color: var(--unsure); background: var(--unsurebg); }
li.ham { border-left-color: var(--ham); } .verdict { font-weight: 700; }
.spam > .head .verdict { color: var(--spam); } .unsure > .head .verdict { color: var(--unsure); }
.ham > .head .verdict { color: var(--ham); } .head { display: flex; flex-wrap: wrap; gap: .2rem .8rem; }
.author { font-weight: 600; } table { border-collapse: collapse; width: 100%; font-size: .88rem; }
td { padding: .1rem .4rem .1rem 0; vertical-align: top; } td.w { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; width: 3.5rem; } td.b { width: 9rem; }
tr.sum td { border-top: 1px solid var(--line); color: var(--dim); }
.bar { display: flex; height: .7rem; margin-top: .35rem;
  background: linear-gradient(var(--line), var(--line)) center / 1px 100% no-repeat; }
.bar i { display: block; height: 100%; } .bar .up { margin-left: 50%; background: var(--spam); }
.bar .down { margin-left: auto; margin-right: 50%; background: var(--ham); }
section + section { border-top: 2px solid var(--line); margin-top: 3rem; padding-top: 2rem; }
.index td { padding: .25rem .6rem .25rem 0; } .index td.n { text-align: right; }
"""
# Nothing may run and nothing may be fetched, whatever slipped through: the browser is told so too.
_HEAD: Final = (
    '<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    '<meta name="referrer" content="no-referrer">\n<title>{title}</title>\n<style>{css}</style>\n</head>\n<body>\n'
)
_TAIL: Final = "</body>\n</html>\n"


def page_html(page: dict[str, Any]) -> str:
    """The HTML page for one page in the form of the JSON output (with verdicts or, from ``split``, without)."""
    return _head(page["title"] or "(no title)", "en") + _section(page) + _TAIL


def index_html(entries: Iterable[tuple[str, dict[str, Any]]]) -> str:
    """A table of contents: file name and counts of every page."""
    rows = []
    for name, page in entries:
        verdicts = [comment.get("verdict") for comment in page["comments"]]
        numbers = "".join(
            f'<td class="n">{n}</td>' for n in (len(verdicts), verdicts.count("spam"), verdicts.count("unsure"))
        )
        title = escape(page["title"] or "(no title)")
        link = f'<a href="{escape(name)}">{title}</a>'
        rows.append(f'<tr><td>{link}<div class="dim">{_safe(page["source"])}</div></td>{numbers}</tr>\n')
    head = "<tr><th>page</th><th>comments</th><th>spam</th><th>unsure</th></tr>\n"
    table = f'<table class="index">{head}{"".join(rows)}</table>\n'
    return _head("Pages and their comments", "en") + "<h1>Pages and their comments</h1>\n" + table + _TAIL


class Gallery:
    """Many pages in one HTML file, written as they come."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    @contextmanager
    def writing(cls, path: Path) -> Iterator[Gallery]:
        """A gallery that becomes ``path`` when the block ends well."""
        beside = path.with_name(path.name + "~")
        try:
            with beside.open("w", encoding="utf-8", errors="replace") as file:
                file.write(_head("Pages taken apart", "en"))
                yield cls(file)
                file.write(_TAIL)
            beside.replace(path)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def add(self, piece: Any) -> None:
        """Add the pages of some JSON lines."""
        for line in piece.splitlines():
            self._file.write(_section(json.loads(line)))


def _head(title: str, lang: str) -> str:
    return _HEAD.format(lang=escape(lang), title=_safe(title), css=_CSS)


def _section(page: dict[str, Any]) -> str:
    lang = f' lang="{escape(page["lang"])}"' if page["lang"] else ""
    comments = "".join(_comment(comment) for comment in page["comments"])
    article = page["article"]
    return (
        f"<section{lang}>\n<h1>{_safe(page['title'] or '(no title)')}</h1>\n"
        + "".join(f'<p class="dim" lang="en">{_safe(line)}</p>\n' for line in _facts(page))
        + f'<details class="article" open><summary lang="en">Article ({len(article):,} characters)</summary>'
        + f'<p class="text">{_safe(article)}</p></details>\n'
        + f'<h2 lang="en">{_count(page["comments"])}</h2>\n<ol>\n{comments}</ol>\n</section>\n'
    )


def _facts(page: dict[str, Any]) -> list[str]:
    facts = [page["source"] or "", page["url"] or ""]
    if page.get("model"):
        facts.append(f"judged by {page['model']}")
    return [fact for fact in facts if fact]


def _count(comments: list[dict[str, Any]]) -> str:
    if not comments:
        return "No comments found"
    text = "1 comment" if len(comments) == 1 else f"{len(comments)} comments"
    verdicts = [comment.get("verdict") for comment in comments]
    named = ", ".join(
        f"{verdicts.count(label)} {label}" for label in ("spam", "unsure", "ham") if verdicts.count(label)
    )
    return f"{text}: {named}" if named else text


def _comment(comment: dict[str, Any]) -> str:
    verdict = comment.get("verdict")
    kind = verdict if verdict in ("spam", "unsure", "ham") else ""
    parts = [f'<span class="dim">{comment["n"]}</span>']
    if kind:
        parts.append(f'<span class="verdict" lang="en">{kind} {comment["probability"]:.3f}</span>')
    parts.append(f'<span class="author">{_safe(comment["author"] or "(no name)")}</span>')
    parts += [f'<span class="dim">{_safe(comment[name])}</span>' for name in ("author_url", "date") if comment[name]]
    depth = int(comment.get("depth") or 0)
    return (
        f'<li class="c {kind}" style="--depth: {depth}"><div class="head">{"".join(parts)}</div>'
        f'<p class="text">{_safe(comment["text"])}</p>{_reasons(comment.get("reasons") or [], kind)}</li>\n'
    )


def _reasons(reasons: list[dict[str, Any]], kind: str) -> str:
    if not reasons:
        return ""
    rows = "".join(
        f'<tr><td class="w">{reason["weight"]:+.2f}</td><td class="b">{_bar(reason["weight"])}</td>'
        f"<td>{_safe(reason['detail'] or reason['name'])}</td></tr>"
        for reason in reasons
    )
    shown = " open" if kind in ("spam", "unsure") else ""  # what somebody will want to check lies open
    total = sum(reason["weight"] for reason in reasons)
    rows += f'<tr class="sum"><td class="w">{total:+.2f}</td><td class="b"></td><td>{_TOGETHER}</td></tr>'
    return f'<details lang="en"{shown}><summary class="dim">why</summary><table>{rows}</table></details>'


def _bar(weight: float) -> str:
    width = min(abs(weight) / _FULL, 1.0) * 50
    return f'<div class="bar"><i class="{"up" if weight > 0 else "down"}" style="width: {width:.1f}%"></i></div>'


def _safe(text: str) -> str:
    """Escaped, and without the characters that turn the direction of what follows."""
    return escape(
        "".join(char for char in text if char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    )
