"""Everything that requests need, in one place, made from the settings and put away again.

Usage::

    desk = Desk(settings, models)
    desk.site_of(key), desk.judge, desk.journal, desk.labels
    desk.close()
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from spamfilter.errors import ConfigError, OutputError, SpamFilterError
from spamfilter.labels import LabelStore
from spamfilter.service.articles import Articles
from spamfilter.service.config import Moderator, Settings, Site, load_settings
from spamfilter.service.journal import Journal
from spamfilter.service.judging import Judge
from spamfilter.service.ledger import Ledger
from spamfilter.service.metrics import Metrics
from spamfilter.service.models import Models
from spamfilter.service.scoring import Scoring

__all__ = ["Desk"]

_LOG = logging.getLogger("spamfilter.service")
#: Seconds between two clearings of old entries.
_CLEARING: float = 3600.0


class Desk:
    """The parts of a running service."""

    def __init__(self, settings: Settings, models: Models) -> None:
        self.settings, self.models = settings, models
        self.metrics = Metrics()
        try:
            settings.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{settings.data} cannot be made ({error.strerror}); set data in [service]") from error
        self.journal = Journal(settings.data / "journal.db")
        # Two openings of the store: readers do not wait for the one that writes.
        self._writing = LabelStore.open(settings.labels_path)
        self.labels = LabelStore.open(settings.labels_path)
        self.scoring = Scoring(models, self.metrics.batch)
        self.ledger = Ledger(self.journal, self._writing, lambda rows: models.now.explained(rows), self.scoring.quiet)
        self.articles = Articles(self.labels, self.ledger, settings.fetch)
        self.judge = Judge(self.scoring, self.articles, self.ledger, self.journal, self.metrics)
        self.stopping = False

    @property
    def writer(self) -> LabelStore:
        """The label store for work that goes through ``ledger.call``."""
        return self._writing

    def site_of(self, key: str | None) -> Site | None:
        """The site that a key belongs to."""
        name = self.settings.keys.site_of(key)
        return self.settings.sites[name] if name is not None else None

    def sites_of(self, person: Moderator) -> list[str]:
        """The sites whose comments a moderator decides on."""
        return [name for name in self.settings.sites if person.may_see(name)]

    def problems(self) -> Sequence[str]:
        """What keeps the service from working, if anything."""
        found = []
        if self.stopping:
            found.append("stopping")
        try:
            self.journal.standing("", b"")
            self.labels.article_for("about:blank")
        except SpamFilterError as error:
            found.append(str(error))
        return found

    def reconfigure(self) -> None:
        """Read the configuration file again: sites, keys, policies and moderators change, the rest stays."""
        if self.settings.source is None:
            return
        try:
            fresh = load_settings(self.settings.source)
        except ConfigError as error:
            _LOG.error("configuration not taken up", extra={"error": str(error)})
            return
        self.settings = replace(self.settings, sites=fresh.sites, moderators=fresh.moderators)
        _LOG.info("configuration taken up", extra={"sites": len(fresh.sites), "moderators": len(fresh.moderators)})

    async def clear(self) -> None:
        """Delete entries older than ``keep_days``, every hour, for ever."""
        while True:
            await asyncio.sleep(_CLEARING)
            before = time.time() - self.settings.keep_days * 86400
            try:
                gone = await self.ledger.call(partial(self.journal.forget, before))
                _LOG.info("old entries deleted", extra={"entries": gone})
            except SpamFilterError as error:
                _LOG.error("old entries not deleted", extra={"error": str(error)})

    def gauges(self) -> dict[str, float]:
        """Numbers of the moment, for Prometheus."""
        return {
            "spamfilter_scoring_waiting": self.scoring.waiting,
            "spamfilter_ledger_waiting": self.ledger.waiting,
            "spamfilter_entries_dropped": self.ledger.dropped,
            "spamfilter_queue_length": self.labels.queue.count(),
            "spamfilter_articles_fetched": self.articles.fetched,
            "spamfilter_articles_not_fetched": self.articles.not_fetched,
            "spamfilter_model_loads": self.models.loads,
            "spamfilter_model_failures": self.models.failures,
        }

    def close(self) -> None:
        """Answer and write what is left, then close the files."""
        self.scoring.close()
        self.ledger.close()
        self.journal.close()
        self._writing.close()
        self.labels.close()
