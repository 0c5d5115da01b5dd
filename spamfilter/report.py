"""Scores of an evaluation as one HTML page: figures, plots, the worst errors.

Usage::

    Path("report.html").write_text(evaluation_html(data, probability, cutoff, scores, how))

Needs the extra ``report`` (matplotlib).  The page stands alone: plots are embedded as SVG, nothing is loaded,
nothing runs, and all that comes from comments is escaped and no link.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.datasets import Dataset
from spamfilter.errors import MissingExtra
from spamfilter.evaluation import Metrics, Scores
from spamfilter.scoretable import COLUMNS, cell

__all__ = ["evaluation_html", "require_plots"]

F64 = NDArray[np.float64]
#: Errors that are shown of each kind, and sets whose curves are drawn apart: more is not read.
_WORST: Final = 25
_CURVES: Final = 6
_TEXT: Final = 600
_BINS: Final = 10
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
.ci { color: #5d6675; font-size: .75rem; display: block; }
.errors td { text-align: left; } .errors td.p { font-weight: 700; text-align: right; } .text { white-space: pre-wrap; }
"""
_HEAD: Final = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
    '<meta name="referrer" content="no-referrer">\n<title>{title}</title>\n<style>{css}</style>\n</head>\n<body>\n'
)


def require_plots() -> None:
    """Raise ``MissingExtra`` unless matplotlib is there."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtra("report", "matplotlib") from error


def evaluation_html(
    data: Dataset, probability: F64, cutoff: F64, scores: Scores, how: str, title: str = "Evaluation"
) -> str:
    """The page; ``probability`` and ``cutoff`` have one value for each row of ``data``."""
    require_plots()
    parts = [
        _HEAD.format(title=_safe(title), css=_CSS),
        f"<h1>{_safe(title)}</h1>\n<p>{_safe(how)}; {scores.all.n:,} comments, {scores.all.spam:,} of them spam. "
        f"Cut-off for spam: {scores.cutoff:.3f}. Small figures: 95 % intervals (bootstrap over rows).</p>\n",
        _table("in all", {"all": scores.all}),
        _table("by set", scores.sets),
        '<h2>Plots</h2>\n<div class="plots">\n',
        *_plots(data, probability, scores),
        "</div>\n",
        _table("by language", scores.languages),
        _table("by kind (spam ranked against all ham, ham against all spam)", scores.kinds),
        _errors(data, probability, cutoff),
        "</body>\n</html>\n",
    ]
    return "".join(parts)


# ---------------------------------------------------------------------------------------------- figures
def _table(title: str, slices: Mapping[str, Metrics]) -> str:
    head = "<tr><th></th>" + "".join(f'<th scope="col">{escape(c)}</th>' for c in COLUMNS) + "</tr>\n"
    rows = "".join(
        f'<tr><th scope="row">{_safe(name)}</th>' + "".join(_figure(m, field) for field in COLUMNS.values()) + "</tr>\n"
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
        out += [_precision_recall(y, p, curves), _roc(y, p, curves)]
    return [*out, _calibration(y, p), _distribution(y, p)]


def _thresholds(y: NDArray[np.bool_], p: F64) -> tuple[F64, F64]:
    """True and false positives at every threshold, from the highest down; ties move together."""
    order = np.argsort(-p, kind="stable")
    last = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    tp = np.cumsum(y[order])[last].astype(np.float64)
    return tp, last + 1 - tp


def _precision_recall(y: NDArray[np.bool_], p: F64, curves: Mapping[str, NDArray[np.bool_]]) -> str:
    figure, axes = _figure_of("recall", "precision", "Precision and recall")
    for name, mask in curves.items():
        tp, fp = _thresholds(y[mask], p[mask])
        axes.step(
            tp / max(tp[-1], 1), tp / (tp + fp), where="post", label=_plain(name), linewidth=2 if name == "all" else 1
        )
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=8)
    return _image(figure, "Precision against recall, in all and by set")


def _roc(y: NDArray[np.bool_], p: F64, curves: Mapping[str, NDArray[np.bool_]]) -> str:
    figure, axes = _figure_of("share of ham above the threshold (log)", "share of spam above it", "ROC")
    for name, mask in curves.items():
        tp, fp = _thresholds(y[mask], p[mask])
        ham = max(fp[-1], 1)
        # A logarithmic axis has no zero: what is before the first false positive stands at half of one.
        axes.step(
            np.maximum(fp, 0.5) / ham,
            tp / max(tp[-1], 1),
            where="post",
            label=_plain(name),
            linewidth=2 if name == "all" else 1,
        )
    for rate in (0.001, 0.01, 0.05):
        axes.axvline(rate, color="#999", linewidth=0.6, linestyle=":")
    axes.set_xscale("log")
    axes.legend(fontsize=8)
    return _image(figure, "Share of spam found against share of ham blocked, in all and by set")


def _calibration(y: NDArray[np.bool_], p: F64) -> str:
    figure, axes = _figure_of("stated probability", "share that is spam", "Calibration")
    place = np.minimum(_BINS - 1, (p * _BINS).astype(np.int64))
    size = np.bincount(place, minlength=_BINS)
    some = size > 0
    stated = np.bincount(place, p, _BINS)[some] / size[some]
    found = np.bincount(place, y.astype(np.float64), _BINS)[some] / size[some]
    spread = 1.96 * np.sqrt(found * (1 - found) / size[some])
    axes.plot([0, 1], [0, 1], color="#999", linewidth=0.8)
    axes.errorbar(stated, found, yerr=spread, fmt="o-", capsize=3)
    for x, height, n in zip(stated, found, size[some], strict=True):
        axes.annotate(f"{n:,}", (x, height), fontsize=7, textcoords="offset points", xytext=(4, -10))
    return _image(figure, "Share of spam among comments by stated probability, with the number of comments in each bin")


def _distribution(y: NDArray[np.bool_], p: F64) -> str:
    figure, axes = _figure_of("probability of spam", "comments (log)", "Distribution of probabilities")
    edges = np.linspace(0, 1, 41).tolist()
    axes.hist([p[~y], p[y]], bins=edges, label=["ham", "spam"], color=["#1e6b3a", "#b3261e"], stacked=False)
    axes.set_yscale("symlog", linthresh=1)
    axes.legend(fontsize=8)
    return _image(figure, "How many spam and ham comments have which probability")


def _figure_of(x: str, y: str, title: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # not pyplot: it would keep every figure and look for a display

    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.grid(alpha=0.3, linewidth=0.5)
    return figure, axes


def _image(figure: Any, alternative: str) -> str:
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "spamfilter"}):  # the same scores make the same page
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{escape(alternative)}" src="data:image/svg+xml;base64,{code}">\n'


def _plain(name: str) -> str:
    """A label for a plot: no mathematics (``$``), and no underscore first, which would hide it."""
    return _INVISIBLE.sub(" ", name).replace("$", "S").lstrip("_")[:30] or "?"


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
    under = f'<div class="dim">under: {_safe(_cut(data.title[i] or "", 120))}</div>' if data.title[i] else ""
    return (
        f'<tr><td class="p">{p[i]:.3f}</td><td><div class="dim">{_safe(_cut(about, 200))}</div>{under}'
        f'<div>{_safe(_cut(who, 200))}</div><div class="text">{_safe(_cut(data.text[i], _TEXT))}</div></td></tr>\n'
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _safe(text: str) -> str:
    return escape(_INVISIBLE.sub("·", text))
