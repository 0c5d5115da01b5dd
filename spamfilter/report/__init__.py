"""Reports as HTML pages that stand alone: of an evaluation, and of a retraining.  Needs the extra ``report``.

Usage::

    Path("report.html").write_text(evaluation_html(data, probability, cutoff, scores, how))
    Path("report.html").write_text(retraining_html(done, earlier, Told.of(store)))
"""

from __future__ import annotations

from spamfilter.report.evaluation import evaluation_html
from spamfilter.report.plots import require_plots
from spamfilter.report.retraining import Told, retraining_html

__all__ = ["Told", "evaluation_html", "require_plots", "retraining_html"]
