"""Reports as HTML pages that stand alone: of an evaluation, and of a retraining.  Needs the extra ``report``.

Usage::

    Path("report.html").write_text(evaluation_html(data, probability, cutoff, scores, how))
    Path("report.html").write_text(retraining_html(done, told))
"""

from __future__ import annotations

from spamfilter.report.evaluation import evaluation_html
from spamfilter.report.plots import require_plots

__all__ = ["evaluation_html", "require_plots"]
