"""A report as one HTML page that stands alone: head, style, and texts made harmless.

Usage::

    text = page("Evaluation", [section("by set", table), ...])
    cell = safe(cut(comment.text, 600))

Nothing is loaded and nothing runs (a policy in the head forbids both); whatever comes from comments goes through
``safe``, so it is escaped and no link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final

__all__ = ["cut", "one_line", "page", "safe"]

#: Marks that turn the direction of what follows, and other invisible characters.
_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_CSS: Final = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2330; background: #fff; max-width: 75rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { padding: .2rem .55rem; border-bottom: 1px solid #d8dde6; text-align: right; vertical-align: top;
  font-variant-numeric: tabular-nums; } th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; } .dim { color: #5d6675; font-size: .85rem; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } .plots img { width: 34rem; max-width: 100%; }
.plots img.wide { width: 52rem; }
/* Figures stay in one piece: a table too wide scrolls; only texts may break anywhere. */
th, td { overflow-wrap: normal; } .ci, .errors td.p { white-space: nowrap; }
.errors td, .facts td { overflow-wrap: anywhere; } .errors td.p { overflow-wrap: normal; }
.ci { color: #5d6675; font-size: .75rem; display: block; }
.good { color: #1e6b3a; } .bad { color: #b3261e; } .note { border-left: 3px solid #c98a00; padding-left: .6rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; } table + table { margin-top: 1rem; } .facts td { text-align: left; }
td.good, td.bad { text-align: left; }
.errors th, .errors td { text-align: left; }
 .errors td.p { font-weight: 700; text-align: right; } .text { white-space: pre-wrap; }
"""
_HEAD: Final = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
    '<meta name="referrer" content="no-referrer">\n<title>{title}</title>\n<style>{css}</style>\n</head>\n<body>\n'
)


def page(title: str, parts: Iterable[str]) -> str:
    """The whole page; ``parts`` are HTML."""
    return "".join((_HEAD.format(title=safe(title), css=_CSS), *parts, "</body>\n</html>\n"))


def cut(text: str, length: int) -> str:
    """``text``, at most so long."""
    return text if len(text) <= length else text[: length - 1] + "…"


def safe(text: str) -> str:
    """``text`` as HTML: escaped, and what is invisible or turns the direction shown as a dot."""
    return escape(_INVISIBLE.sub("·", text))


def one_line(text: str) -> str:
    """``text`` without invisible characters, for places where HTML is not understood."""
    return _INVISIBLE.sub(" ", text)
