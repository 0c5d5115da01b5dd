"""Plots of a report, each an ``<img>`` with the SVG in it.

Usage::

    require_plots()                       # MissingExtra without matplotlib
    figure, axes = figure_of("recall", "precision", "Precision and recall")
    html = image(figure, "Precision against recall")
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.errors import MissingExtra
from spamfilter.report.page import one_line

__all__ = ["calibration", "figure_of", "image", "plain", "precision_recall", "require_plots", "thresholds"]

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
_BINS: Final = 10


def require_plots() -> None:
    """Raise ``MissingExtra`` unless matplotlib is there."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtra("report", "matplotlib") from error


def thresholds(y: Mask, p: F64) -> tuple[F64, F64]:
    """True and false positives at every threshold, from the highest down; ties move together."""
    order = np.argsort(-p, kind="stable")
    last = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    tp = np.cumsum(y[order])[last].astype(np.float64)
    return tp, last + 1 - tp


def precision_recall(curves: Mapping[str, tuple[Mask, F64]], alternative: str, bold: str = "all") -> str:
    """Precision against recall of each curve (labels, probabilities)."""
    figure, axes = figure_of("recall", "precision", "Precision and recall")
    for name, (y, p) in curves.items():
        tp, fp = thresholds(y, p)
        axes.step(
            tp / max(tp[-1], 1), tp / (tp + fp), where="post", label=plain(name), linewidth=2 if name == bold else 1
        )
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=8)
    return image(figure, alternative)


def calibration(curves: Mapping[str, tuple[Mask, F64]], alternative: str) -> str:
    """Share of spam among comments by stated probability, with their number and 95 % of chance."""
    figure, axes = figure_of("stated probability", "share that is spam", "Calibration")
    axes.plot([0, 1], [0, 1], color="#999", linewidth=0.8)
    for name, (y, p) in curves.items():
        place = np.minimum(_BINS - 1, (p * _BINS).astype(np.int64))
        size = np.bincount(place, minlength=_BINS)
        some = size > 0
        stated = np.bincount(place, p, _BINS)[some] / size[some]
        found = np.bincount(place, y.astype(np.float64), _BINS)[some] / size[some]
        spread = 1.96 * np.sqrt(found * (1 - found) / size[some])
        axes.errorbar(stated, found, yerr=spread, fmt="o-", capsize=3, label=plain(name))
        for x, height, n in zip(stated, found, size[some], strict=True) if len(curves) == 1 else ():
            axes.annotate(f"{n:,}", (x, height), fontsize=7, textcoords="offset points", xytext=(4, -10))
    if len(curves) > 1:
        axes.legend(fontsize=8)
    return image(figure, alternative)


def figure_of(x: str, y: str, title: str, size: tuple[float, float] = (5.6, 4.2)) -> tuple[Any, Any]:
    """Figure and axes with these labels; ``size`` in inches."""
    from matplotlib.figure import Figure  # not pyplot: it would keep every figure and look for a display

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.grid(alpha=0.3, linewidth=0.5)
    return figure, axes


def image(figure: Any, alternative: str) -> str:
    """The figure as an ``<img>``; ``alternative`` says what it shows to who cannot see it."""
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "spamfilter"}):  # the same scores make the same page
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{escape(alternative)}" src="data:image/svg+xml;base64,{code}">\n'


def plain(name: str) -> str:
    """A label for a plot: no mathematics (``$``), and no underscore first, which would hide it."""
    return one_line(name).replace("$", "S").lstrip("_")[:30] or "?"
