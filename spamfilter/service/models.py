"""The model in use: loaded, watched, and replaced without a lost request when another one is promoted.

Usage::

    models = Models(lambda: store.load(name), lambda: stamp_of(name))
    models.now.scorer.score_many(rows)
    await models.watch(2.0)                  # for ever
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spamfilter.errors import SpamFilterError
from spamfilter.features.fields import Fields
from spamfilter.records import Page, ScoredPage, Verdict
from spamfilter.service.policies import Cutoffs

__all__ = ["InUse", "Models", "Row", "Scorer", "model_from_store"]

Row = Mapping[str, Any]

_LOG = logging.getLogger("spamfilter.service")


class Scorer(Protocol):
    """What the service needs of a model; ``spamfilter.SpamFilter`` is one."""

    name: str

    @property
    def parameters(self) -> Any:
        """Has ``spam_cutoff`` and ``unsure_cutoff``."""

    def score_many(self, comments: Sequence[Mapping[str, Any]], /) -> list[Verdict]:
        """Verdicts on rows with text, author, author_url, title and article."""

    def probabilities(self, fields: Fields, /) -> NDArray[np.float64]:
        """Probabilities alone, for a third of the time."""

    def score_split(self, page: Page, /) -> ScoredPage:
        """Verdicts on the comments of a page."""


@dataclass(frozen=True, slots=True)
class InUse:
    """A loaded model with its cut-offs."""

    scorer: Scorer
    cutoffs: Cutoffs
    since: datetime
    stamp: object

    @property
    def name(self) -> str:
        """Name and version."""
        return self.scorer.name

    def verdicts(self, rows: Sequence[Row]) -> list[Verdict]:
        """Verdicts without reasons on rows with text, author, author_url, title and article."""
        columns = ([row[name] for row in rows] for name in ("text", "author", "author_url", "title", "article"))
        found = self.scorer.probabilities(Fields.of(*columns)).tolist()
        return [Verdict(self.cutoffs.label(p), p, (), self.name) for p in found]

    def explained(self, rows: Sequence[Row]) -> list[Verdict]:
        """The same with reasons, which take longer than the verdicts."""
        return self.scorer.score_many(rows)


class Models:
    """Holds the model in use and looks out for another.

    ``load`` gives a model; ``stamp`` something that differs when there is another one to load.
    """

    def __init__(self, load: Callable[[], Scorer], stamp: Callable[[], object]) -> None:
        self._load, self._stamp = load, stamp
        self._refused: object = None
        self.loads = 0
        self.failures = 0
        self.now = self._take(stamp())

    def _take(self, stamp: object) -> InUse:
        scorer = self._load()
        # The first comment makes word lists and tables: better now than while somebody waits.
        p = scorer.parameters
        taken = InUse(scorer, Cutoffs(p.unsure_cutoff, p.spam_cutoff), datetime.now(UTC), stamp)
        first = {"text": "A first comment.", "author": None, "author_url": None, "title": "A title", "article": None}
        taken.verdicts([first])
        taken.explained([first])
        self.loads += 1
        return taken

    def look(self) -> bool:
        """Take up another model if there is one; whether there was.  A model that cannot be used is logged and left."""
        try:
            stamp = self._stamp()
            if stamp in (self.now.stamp, self._refused):
                return False
            begun = time.perf_counter()
            taken = self._take(stamp)
        except (SpamFilterError, OSError) as error:
            self._refuse(error)
            return False
        before, self.now = self.now.name, taken
        self._refused = None
        _LOG.info(
            "model taken up",
            extra={"model": taken.name, "before": before, "seconds": round(time.perf_counter() - begun, 3)},
        )
        return True

    def _refuse(self, error: Exception) -> None:
        try:
            stamp: object = self._stamp()
        except (SpamFilterError, OSError):
            stamp = str(error)
        if stamp != self._refused:  # said once, not every two seconds
            self._refused = stamp
            self.failures += 1
            _LOG.error(
                "model cannot be used, the one before stays", extra={"error": str(error), "model": self.now.name}
            )

    async def watch(self, seconds: float) -> None:
        """Look every so often, in another thread."""
        while True:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self.look)


def model_from_store(model: str | None, models: Path | None = None) -> Models:
    """The model in use in the folder ``models``, as soon as there is one; until then, or without such a folder, the
    model of that name or folder, else the current one of the package.  Follows ``CURRENT``.
    """
    from spamfilter import store

    def wanted() -> str | None:
        return str(models) if models is not None and (models / "CURRENT").is_file() else model

    def stamp() -> object:
        folder = store.find(wanted())
        return str(folder), _changed(folder / "manifest.json")

    return Models(lambda: store.load(wanted()), stamp)


def _changed(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino
