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


def precision_recall(
    curves: Mapping[str, tuple[Mask, F64]],
    alternative: str,
    bold: str = "all",
    colours: Mapping[str, str] | None = None,
) -> str:
    """Precision against recall of each curve (labels, probabilities); ``colours`` for curves that have one."""
    figure, axes = figure_of("recall", "precision", "Precision and recall")
    for name, (y, p) in curves.items():
        tp, fp = thresholds(y, p)
        axes.step(
            tp / max(tp[-1], 1),
            tp / (tp + fp),
            where="post",
            label=plain(name),
            linewidth=2 if name == bold else 1,
            color=(colours or {}).get(name),
        )
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=8)
    return image(figure, alternative)


def calibration(
    curves: Mapping[str, tuple[Mask, F64]], alternative: str, colours: Mapping[str, str] | None = None
) -> str:
    """Share of spam among comments by stated probability, with their number and 95 % of chance."""
    figure, axes = figure_of("stated probability", "share that is spam", "Calibration")
    axes.plot([0, 1], [0, 1], color="#999", linewidth=0.8)
    for name, (y, p) in curves.items():
        place = np.minimum(_BINS - 1, (p * _BINS).astype(np.int64))
        size = np.bincount(place, minlength=_BINS)
        some = size > 0
        stated = np.bincount(place, p, _BINS)[some] / size[some]
        found = np.bincount(place, y.astype(np.float64), _BINS)[some] / size[some]
        ends = _wilson(found, size[some])
        colour = (colours or {}).get(name)
        axes.errorbar(stated, found, yerr=np.abs(ends - found), fmt="o-", capsize=3, label=plain(name), color=colour)
        for x, height, n in zip(stated, found, size[some], strict=True) if len(curves) == 1 else ():
            axes.annotate(f"{n:,}", (x, height), fontsize=7, textcoords="offset points", xytext=(4, -10))
    axes.set_ylim(-0.02, 1.02)
    if len(curves) > 1:
        axes.legend(fontsize=8)
    return image(figure, alternative)


def _wilson(share: F64, n: NDArray[np.int64]) -> F64:
    """Ends of the 95 % interval of shares (Wilson 1927), shape (2, shares): never below 0 or above 1."""
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    out: F64 = np.stack([np.minimum(middle - half, share), np.maximum(middle + half, share)])
    return out


def figure_of(x: str, y: str, title: str, size: tuple[float, float] = (5.6, 4.2)) -> tuple[Any, Any]:
    """Figure and axes with these labels; ``size`` in inches."""
    from matplotlib.figure import Figure  # not pyplot: it would keep every figure and look for a display

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.grid(alpha=0.3, linewidth=0.5)
    return figure, axes


def image(figure: Any, alternative: str, wide: bool = False) -> str:
    """The figure as an ``<img>``; ``alternative`` says what it shows to who cannot see it."""
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "spamfilter"}):  # the same scores make the same page
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    style = ' class="wide"' if wide else ""
    return f'<img{style} alt="{escape(alternative)}" src="data:image/svg+xml;base64,{code}">\n'


def plain(name: str) -> str:
    """A label for a plot: no mathematics (``$``), and no underscore first, which would hide it."""
    return one_line(name).replace("$", "S").lstrip("_")[:30] or "?"
