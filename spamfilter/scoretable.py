"""Scores as a table: plain text for a terminal, Markdown for a page.

Usage::

    print(text_table(scores))
    page += markdown_table("set", scores.sets)
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from spamfilter.evaluation import FEWEST, Metrics, Scores

__all__ = ["COLUMNS", "cell", "markdown_table", "text_table"]

#: Heading → field of Metrics.
COLUMNS: Final = {
    "n": "n",
    "spam": "spam",
    "AUC": "auc",
    "AP": "ap",
    "R@0.1%": "recall_at_01",
    "R@1%": "recall_at_1",
    "R@5%": "recall_at_5",
    "prec": "precision",
    "recall": "recall",
    "blocked": "blocked_ham",
    "MCC": "mcc",
    "Brier": "brier",
    "ECE": "ece",
}
_NAME: Final = 24
_LEGEND: Final = (
    "AUC, AP: ranking; R@x%: recall when x % of the ham lies above the threshold; prec, recall, blocked (share of "
    "ham called spam), MCC: at the cut-off; Brier, ECE: calibration. Kinds of spam are ranked against all ham, "
    "kinds of ham against all spam."
)


def text_table(scores: Scores) -> str:
    """All slices as aligned text."""
    head = " " * _NAME + "".join(f"{name:>8}" for name in COLUMNS)
    out = [f"cut-off for spam: {scores.cutoff:.3f}", head, _text_row("all", scores.all), *_intervals(scores.all)]
    for what, slices in (("set", scores.sets), ("language", scores.languages), ("kind", scores.kinds)):
        out += ["", f"by {what}"]
        out += [_text_row(name, m) for name, m in slices.items()]
        if few := scores.all.n - sum(m.n for m in slices.values()):
            out.append(f"{'others':<{_NAME}}{few:>8}  in slices of fewer than {FEWEST}")
    return "\n".join([*out, "", *textwrap.wrap(_LEGEND, 110), ""])


def markdown_table(what: str, slices: Mapping[str, Metrics], intervals: bool = True) -> str:
    """One table of slices; with ``intervals`` AUC, AP and recall at 1 % carry theirs."""
    out = [f"| {what} | " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for name, m in slices.items():
        cells = [cell(m, field) + (_interval(m, field) if intervals else "") for field in COLUMNS.values()]
        safe = re.sub(r"([|\\`*_<>\[\]])", r"\\\1", " ".join(name.split()))
        out.append(f"| {safe} | " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"


def _text_row(name: str, m: Metrics) -> str:
    short = name if len(name) < _NAME else name[: _NAME - 2] + "…"
    return f"{short:<{_NAME}}" + "".join(f"{cell(m, field):>8}" for field in COLUMNS.values())


def cell(m: Metrics, field: str) -> str:
    """A figure, or a dash where the slice lacks the class that it is about: a 0 would mislead."""
    value = getattr(m, field)
    spam, ham = m.spam > 0, m.spam < m.n
    shown = {"precision": spam and ham, "mcc": spam and ham, "ece": spam and ham, "recall": spam, "blocked_ham": ham}
    if value is None or not shown.get(field, True):
        return "–"
    if isinstance(value, int):
        return f"{value}"
    return f"{value:.4f}" if field in ("blocked_ham", "brier") else f"{value:.3f}"


def _interval(m: Metrics, field: str) -> str:
    if field not in ("auc", "ap", "recall_at_1", "blocked_ham") or field not in m.interval or cell(m, field) == "–":
        return ""
    low, high = m.interval[field]
    return f" ({low:.3f}–{high:.3f})"


def _intervals(m: Metrics) -> Iterator[str]:
    for k, name in enumerate(("low", "high")):
        if m.interval:
            ends = (f"{m.interval[f][k]:.3f}" if f in m.interval else "" for f in COLUMNS.values())
            yield f"{f'  95 % interval, {name}':<{_NAME}}" + "".join(f"{e:>8}" for e in ends)
