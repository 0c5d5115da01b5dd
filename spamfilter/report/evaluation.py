"""Scores of an evaluation as one HTML page: figures, plots, the worst errors.

Usage::

    Path("report.html").write_text(evaluation_html(data, probability, cutoff, scores, how))

Needs the extra ``report`` (matplotlib).  The page stands alone: plots are embedded as SVG, nothing is loaded,
nothing runs, and all that comes from comments is escaped and no link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.datasets import Dataset
from spamfilter.evaluation import Metrics, Scores
from spamfilter.report.page import cut, page, safe
from spamfilter.report.plots import calibration, figure_of, image, plain, precision_recall, require_plots, thresholds
from spamfilter.scoretable import COLUMNS, cell

__all__ = ["evaluation_html"]

F64 = NDArray[np.float64]
#: Errors that are shown of each kind, and sets whose curves are drawn apart: more is not read.
_WORST: Final = 25
_CURVES: Final = 6
_TEXT: Final = 600
_CALIBRATION: Final = "Share of spam among comments by stated probability, with the number of comments in each bin"


def evaluation_html(
    data: Dataset, probability: F64, cutoff: F64, scores: Scores, how: str, title: str = "Evaluation"
) -> str:
    """The page; ``probability`` and ``cutoff`` have one value for each row of ``data``."""
    require_plots()
    parts = [
        f"<h1>{safe(title)}</h1>\n<p>{safe(how)}; {scores.all.n:,} comments, {scores.all.spam:,} of them spam. "
        f"Cut-off for spam: {scores.cutoff:.3f}. Small figures: 95 % intervals (bootstrap over rows).</p>\n",
        _table("in all", {"all": scores.all}),
        _table("by set", scores.sets),
        '<h2>Plots</h2>\n<div class="plots">\n',
        *_plots(data, probability, scores),
        "</div>\n",
        _table("by language", scores.languages),
        _table("by kind (spam ranked against all ham, ham against all spam)", scores.kinds),
        _errors(data, probability, cutoff),
    ]
    return page(title, parts)


# ---------------------------------------------------------------------------------------------- figures
def _table(title: str, slices: Mapping[str, Metrics]) -> str:
    head = "<tr><th></th>" + "".join(f'<th scope="col">{escape(c)}</th>' for c in COLUMNS) + "</tr>\n"
    rows = "".join(
        f'<tr><th scope="row">{safe(name)}</th>' + "".join(_figure(m, field) for field in COLUMNS.values()) + "</tr>\n"
        for name, m in slices.items()
    )
    return f'<h2>{escape(title)}</h2>\n<div class="scroll"><table>\n{head}{rows}</table></div>\n'


def _figure(m: Metrics, field: str) -> str:
    text, ends = cell(m, field), m.interval.get(field)
    small = f'<span class="ci">{ends[0]:.3f}–{ends[1]:.3f}</span>' if ends and text != "–" else ""
    return f"<td>{text}{small}</td>"


# ---------------------------------------------------------------------------------------------- plots
def _plots(data: Dataset, p: F64, scores: Scores) -> list[str]:
    y = np.asarray(data.label).astype(bool)
    curves = {"all": np.ones(len(y), np.bool_)}
    sets = np.array(data.set, object)
    for name in list(scores.sets)[:_CURVES] if len(scores.sets) > 1 else []:
        if scores.sets[name].auc is not None:
            curves[name] = sets == name
    out = []
    if y.any() and not y.all():
        of_curves = {name: (y[mask], p[mask]) for name, mask in curves.items()}
        out = [precision_recall(of_curves, "Precision against recall, in all and by set"), _roc(y, p, curves)]
    return [*out, calibration({"all": (y, p)}, _CALIBRATION), _distribution(y, p)]


def _roc(y: NDArray[np.bool_], p: F64, curves: Mapping[str, NDArray[np.bool_]]) -> str:
    figure, axes = figure_of("share of ham above the threshold (log)", "share of spam above it", "ROC")
    for name, mask in curves.items():
        tp, fp = thresholds(y[mask], p[mask])
        ham = max(fp[-1], 1)
        # A logarithmic axis has no zero: what is before the first false positive stands at half of one.
        axes.step(
            np.maximum(fp, 0.5) / ham,
            tp / max(tp[-1], 1),
            where="post",
            label=plain(name),
            linewidth=2 if name == "all" else 1,
        )
    for rate in (0.001, 0.01, 0.05):
        axes.axvline(rate, color="#999", linewidth=0.6, linestyle=":")
    axes.set_xscale("log")
    axes.legend(fontsize=8)
    return image(figure, "Share of spam found against share of ham blocked, in all and by set")


def _distribution(y: NDArray[np.bool_], p: F64) -> str:
    figure, axes = figure_of("probability of spam", "comments (log)", "Distribution of probabilities")
    edges = np.linspace(0, 1, 41).tolist()
    axes.hist([p[~y], p[y]], bins=edges, label=["ham", "spam"], color=["#1e6b3a", "#b3261e"], stacked=False)
    axes.set_yscale("symlog", linthresh=1)
    axes.legend(fontsize=8)
    return image(figure, "How many spam and ham comments have which probability")


# ---------------------------------------------------------------------------------------------- errors
def _errors(data: Dataset, p: F64, cutoff: F64) -> str:
    y = np.asarray(data.label).astype(bool)
    blocked = [i for i in np.argsort(-p, kind="stable").tolist() if not y[i] and p[i] >= cutoff[i]]
    missed = [i for i in np.argsort(p, kind="stable").tolist() if y[i] and p[i] < cutoff[i]]
    return _error_table("Ham called spam", data, p, blocked) + _error_table("Spam that was missed", data, p, missed)


def _error_table(title: str, data: Dataset, p: F64, rows: Sequence[int]) -> str:
    shown = "".join(_error_row(data, p, i) for i in rows[:_WORST])
    more = f", the worst {_WORST}" if len(rows) > _WORST else ""
    body = f'<table class="errors">\n{shown}</table>\n' if shown else "<p>none</p>\n"
    return f"<h2>{escape(title)}: {len(rows):,}{more}</h2>\n{body}"


def _error_row(data: Dataset, p: F64, i: int) -> str:
    facts = [data.set[i], data.site[i], data.lang[i], data.kind[i], data.id[i]]
    about = " · ".join(dict.fromkeys(f for f in facts if f))
    who = " · ".join(f for f in (data.author[i], data.author_url[i]) if f)
    under = f'<div class="dim">under: {safe(cut(data.title[i] or "", 120))}</div>' if data.title[i] else ""
    return (
        f'<tr><td class="p">{p[i]:.3f}</td><td><div class="dim">{safe(cut(about, 200))}</div>{under}'
        f'<div>{safe(cut(who, 200))}</div><div class="text">{safe(cut(data.text[i], _TEXT))}</div></td></tr>\n'
    )
