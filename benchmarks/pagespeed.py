"""What taking a page apart and judging its comments costs, beside the extraction of trafilatura alone.

Usage::

    python benchmarks/speed.py pages [--pages FOLDER]     # real pages, ../shared/pages unless another folder is named

Each goes over all pages, one after the other as a crawl is read, then the next does; of every page the best of several
such rounds counts.  (Taking turns page by page would measure how fast each gets its code and tables back into the
caches: that costs ours a tenth and trafilatura nothing to speak of.)  trafilatura gives the text of the article and of
all comments together, and judges nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import spamfilter

ROUNDS = 3


def run(folder: Path, model: str | None) -> None:
    """The table; without trafilatura only our side of it."""
    pages = [path.read_bytes() for path in sorted(folder.rglob("*.html"))]
    if not pages:
        sys.exit(f"{folder}: no .html file; name a folder of pages with --pages")
    sf = spamfilter.load(model)
    split = [spamfilter.split_page(page) for page in pages]
    jobs: dict[str, Callable[[int], object]] = {
        "score_page": lambda k: sf.score_page(pages[k]),
        "taking apart alone (split_page)": lambda k: spamfilter.split_page(pages[k]),
        "judging alone (score_split)": lambda k: sf.score_split(split[k]),
    }
    try:
        import trafilatura
    except ImportError:
        print("trafilatura is not installed (pip install trafilatura): our side only")
    else:
        jobs["trafilatura.extract"] = lambda k: trafilatura.extract(pages[k])
    comments, size = sum(len(page.comments) for page in split), sum(map(len, pages))
    print(
        f"{len(pages)} pages of {size / len(pages) / 1000:.0f} kB and {comments / len(pages):.1f} comments on average"
    )
    seconds = _best(jobs, len(pages))
    theirs = seconds.get("trafilatura.extract", np.nan)
    for what, each in seconds.items():
        print(f"  {what:34s} {each * 1e3:7.2f} ms a page {1 / each:8,.0f} a second {theirs / each:6.1f} x")


def _best(jobs: dict[str, Callable[[int], object]], pages: int) -> dict[str, float]:
    """Processor seconds a page: of each page the quickest of ``ROUNDS``, the jobs in turn over all pages."""
    quickest = {what: np.full(pages, np.inf) for what in jobs}
    for _ in range(ROUNDS):
        for what, job in jobs.items():
            for k in range(pages):
                begin = time.process_time()
                job(k)
                quickest[what][k] = min(quickest[what][k], time.process_time() - begin)
    return {what: float(times.mean()) for what, times in quickest.items()}
