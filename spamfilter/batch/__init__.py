"""Many inputs: one shard in, one file out, resumable.

Usage::

    from functools import partial
    from pathlib import Path
    from spamfilter.batch import Format, Options, Output, ScoreJob, expand, run

    output = Output(Path("out.jsonl.gz"), Format.of("out.jsonl.gz"), resume=True)
    summary = run(ScoreJob(load=spamfilter.load), list(expand(["crawl/"])), output, Options(workers=8))
"""

from __future__ import annotations

from spamfilter.batch._daft import scored
from spamfilter.batch._datatrove import spam_step
from spamfilter.batch._local import Options, Output, run, stream
from spamfilter.batch.driftcounts import drift_of
from spamfilter.batch.filters import Where
from spamfilter.batch.jobs import COMMENT_COLUMNS, ScoreJob, SplitJob
from spamfilter.batch.outcome import Outcome
from spamfilter.batch.scorer import RESULT_COLUMNS, SPARK_SCHEMA, PageScorer
from spamfilter.batch.shards import Position
from spamfilter.batch.summary import Summary
from spamfilter.files import expand
from spamfilter.files.formats import Format

__all__ = [
    "COMMENT_COLUMNS",
    "RESULT_COLUMNS",
    "SPARK_SCHEMA",
    "Format",
    "Options",
    "Outcome",
    "Output",
    "PageScorer",
    "Position",
    "ScoreJob",
    "SplitJob",
    "Summary",
    "Where",
    "drift_of",
    "expand",
    "run",
    "scored",
    "spam_step",
    "stream",
]
