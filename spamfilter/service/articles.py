"""The article a comment stands under: given with it, known by its permalink, or fetched where the operator allows.

Usage::

    articles = Articles(labels, ledger, fetch_settings)
    submission = await articles.complete(site, submission)
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urldefrag

from spamfilter.errors import SpamFilterError
from spamfilter.labels import Context, LabelStore
from spamfilter.service.config import Fetch, Site
from spamfilter.service.fetching import NotFetched, fetch
from spamfilter.service.ledger import Ledger
from spamfilter.service.submission import LONGEST_ARTICLE, Submission

__all__ = ["Articles"]

_LOG = logging.getLogger("spamfilter.service")
#: Articles held in memory; at 20 KB each some ten megabytes.
_HELD: Final = 512
#: Seconds for which what is held counts, so that another process's changes are seen soon.
_FRESH: Final = 30.0
#: Seconds before an article that could not be fetched is tried again.
_RETRY: Final = 600.0
#: Seconds that a check waits for a fetch: clients give up after one.  The article then serves the next comment.
_PATIENCE: Final = 0.6
#: Fetches at a time.
_FETCHES: Final = 4


@dataclass(slots=True)
class _Held:
    context: Context | None
    until: float


class Articles:
    """Looks articles up and remembers them, each for its own site alone."""

    def __init__(self, labels: LabelStore, ledger: Ledger, limits: Fetch) -> None:
        self._labels, self._ledger, self._limits = labels, ledger, limits
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()
        self._fetching: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_FETCHES)
        self.fetched = 0
        self.not_fetched = 0

    async def complete(self, site: Site, given: Submission) -> Submission:
        """``given`` with title and article, as far as they can be had."""
        if not given.permalink:
            return given
        if given.article:
            await self._remember_given(site, given)
            return given
        found = self._known(site.name, _place(given.permalink))
        if found is None and self._limits.allowed:
            found = await self._fetched(site, _place(given.permalink))
        return given if found is None else replace(given, title=given.title or found.title, article=found.article)

    async def remember(self, site: str, permalink: str, title: str | None, article: str | None) -> None:
        """Keep an article; the latest one given counts."""
        place, article = _place(permalink), article[:LONGEST_ARTICLE] if article else None
        await self._ledger.call(lambda: self._labels.put_article(place, title, article, site=site))
        self._hold(site, place, Context(title, article, place, site), _FRESH)

    def known(self, site: str, permalink: str) -> Context | None:
        """The article that is known at ``permalink``."""
        return self._known(site, _place(permalink))

    async def _remember_given(self, site: Site, given: Submission) -> None:
        known = self._known(site.name, _place(given.permalink or ""))
        if known is None or known.article != (given.article or "")[:LONGEST_ARTICLE]:
            await self.remember(site.name, given.permalink or "", given.title, given.article)

    def _known(self, site: str, place: str) -> Context | None:
        held = self._held.get((site, place))
        if held is not None and held.until > time.monotonic():
            self._held.move_to_end((site, place))
            return held.context
        context = self._labels.article_for(place, site=site)
        if context is not None:
            self._hold(site, place, context, _FRESH)
        return context

    def _hold(self, site: str, place: str, context: Context | None, seconds: float) -> None:
        self._held[site, place] = _Held(context, time.monotonic() + seconds)
        self._held.move_to_end((site, place))
        while len(self._held) > _HELD:
            self._held.popitem(last=False)

    async def _fetched(self, site: Site, place: str) -> Context | None:
        held = self._held.get((site.name, place))
        if held is not None and held.until > time.monotonic():  # tried not long ago, in vain
            return held.context
        at = (site.name, place)
        task = self._fetching.get(at)
        if task is None:
            task = self._fetching[at] = asyncio.create_task(self._fetch(site, place))
            task.add_done_callback(lambda _: self._fetching.pop(at, None))
        await asyncio.wait({task}, timeout=_PATIENCE)
        held = self._held.get(at)
        return held.context if held is not None else None

    async def _fetch(self, site: Site, place: str) -> None:
        try:
            async with self._slots:
                title, article = await asyncio.to_thread(_fetch_article, place, site.url, self._limits)
            await self.remember(site.name, place, title, article)
            self.fetched += 1
        except SpamFilterError as error:
            self.not_fetched += 1
            self._hold(site.name, place, None, _RETRY)
            _LOG.warning("article not fetched", extra={"site": site.name, "permalink": place, "error": str(error)})


def _fetch_article(url: str, site: str, limits: Fetch) -> tuple[str | None, str]:
    from spamfilter.segment import split_page

    page = split_page(fetch(url, site, limits), url)
    if not page.article.strip():
        raise NotFetched("no article was found on the page")
    return page.title, page.article


def _place(permalink: str) -> str:
    """A permalink without its fragment: "…/bread#comment-5" stands under the article "…/bread"."""
    return urldefrag(permalink.strip())[0]
