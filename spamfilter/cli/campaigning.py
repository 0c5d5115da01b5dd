"""Jobs that take campaigns into account: those of the input itself, or those in a table.

Usage::

    asked = Asked(campaigns, known_campaigns, model, threshold)
    with asked.prepared(run, target):      # the job's verdicts know of campaigns
        done = run.to(target)
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from spamfilter.batch import Output, ScoreJob, Where
from spamfilter.batch._local import finished
from spamfilter.batch.campaignrun import CampaignRun
from spamfilter.batch.campaigntable import CampaignTable, save
from spamfilter.batch.classifyjob import ClassifyJob
from spamfilter.batch.loading import load_with_campaigns
from spamfilter.batch.outcome import Job
from spamfilter.cli.progress import Progress
from spamfilter.cli.running import Run
from spamfilter.cli.stopping import Terminated
from spamfilter.errors import ConfigError

__all__ = ["Asked"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command was asked: to find the input's own campaigns (``here``), or to use those of the file ``known``."""

    here: bool
    known: Path | None
    model: str | None = None
    threshold: float | None = None

    def settings(self) -> list[Any]:
        """What a resumed run must have in common with the stopped one."""
        if self.here and self.known is not None:
            raise ConfigError("--campaigns finds the campaigns of the input, --known-campaigns brings others; give one")
        return ["campaigns", self.here, None if self.known is None else CampaignTable(self.known).digest()]

    @contextlib.contextmanager
    def prepared(self, run: Run, target: Output | None) -> Iterator[None]:
        """Make the run's job know the campaigns; what was found on the way is removed when the block ends well."""
        if self.known is not None:
            self._teach(run, self.known)
        if not self.here or (target and finished(run.inputs, target, run.options, run.settings) is not None):
            yield
        elif target is None:
            with tempfile.TemporaryDirectory() as folder:
                self._find(run, Path(folder), resume=False)
                yield
        else:
            folder_ = _beside(target)
            try:
                self._find(run, folder_, resume=target.resume)
            except (KeyboardInterrupt, Terminated):
                print(f"spamfilter: finished parts are kept in {folder_}; go on with --resume", file=sys.stderr)
                raise
            yield
            shutil.rmtree(folder_, ignore_errors=True)

    def _find(self, run: Run, folder: Path, *, resume: bool) -> None:
        job = _asking(run.job)
        where, columns = (job.where, None) if isinstance(job, ScoreJob) else (Where(), job.fields)
        search = CampaignRun(run.inputs, run.options, folder, where, resume=resume, table=columns)
        with Progress(run.inputs, "campaigns: ") as progress:
            found, _ = search.find(progress.advance)
        table = folder / "campaigns.npy"
        save(table, found)
        self._teach(run, table)

    def _teach(self, run: Run, table: Path) -> None:
        job = _asking(run.job)
        job.load = partial(load_with_campaigns, self.model, self.threshold, str(table))
        job.scorer = None
        job.open()


def _asking(job: Job) -> ScoreJob | ClassifyJob:
    assert isinstance(job, (ScoreJob, ClassifyJob))
    return job


def _beside(target: Output) -> Path:
    return target.path / "_campaigns" if target.apart else target.path.with_name(target.path.name + ".campaigns")
