"""One comment through the whole house: article, model, the site's policy, journal.

Usage::

    judge = Judge(settings, scoring, articles, ledger, journal, metrics)
    done = await judge.judge(site, [submission], "akismet")
    done[0].guid, done[0].judgement.answer
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spamfilter.labels import Decision
from spamfilter.labels.decision import Look, TeamLabel
from spamfilter.records import Verdict
from spamfilter.service.articles import Articles
from spamfilter.service.config import Site
from spamfilter.service.ids import new_id
from spamfilter.service.journal import Entry, Journal, Seen
from spamfilter.service.languages import language_of
from spamfilter.service.ledger import Ledger
from spamfilter.service.metrics import Metrics
from spamfilter.service.policies import Judgement, Standing
from spamfilter.service.scoring import Scoring
from spamfilter.service.submission import Submission

__all__ = ["Judge", "Judged"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A comment with its outcome; ``guid`` names it in later feedback."""

    guid: str
    given: Submission
    judgement: Judgement


class Judge:
    """Judges comments and takes in what people say of the verdicts."""

    def __init__(
        self, scoring: Scoring, articles: Articles, ledger: Ledger, journal: Journal, metrics: Metrics
    ) -> None:
        self._scoring, self._articles, self._ledger = scoring, articles, ledger
        self._journal, self._metrics = journal, metrics

    async def judge(
        self, site: Site, given: Sequence[Submission], channel: str, *, record: bool = True, explained: bool = True
    ) -> list[Judged]:
        """Judge comments of one site, in order; without ``explained``, the model's reasons are left for later.

        Raises Overloaded.
        """
        whole = [await self._completed(site, one) for one in given]
        verdicts, used = await self._scoring.score([one.row() for one in whole], explained=explained)
        out = []
        for one, verdict in zip(whole, verdicts, strict=True):
            judgement = site.policy.judge(one, verdict, used.cutoffs, self._standing(site, one))
            out.append(self._done(site, one, judgement, channel, record))
        return out

    async def _completed(self, site: Site, given: Submission) -> Submission:
        given = await self._articles.complete(site, given)
        if site.policy.languages and not given.lang:
            given = replace(given, lang=language_of(given.text))
        return given

    def _standing(self, site: Site, given: Submission) -> Standing:
        if site.policy.trusted_after is None and site.policy.first_time == "normal":
            return Standing()
        return self._journal.standing(site.name, self._journal.commenter(given.email))

    def _done(self, site: Site, given: Submission, judgement: Judgement, channel: str, record: bool) -> Judged:
        guid = new_id()
        self._metrics.judged(site.name, judgement.label, judgement.by)
        if record:
            self._ledger.note(Entry(guid, time.time(), site.name, channel, given, judgement))
        return Judged(guid, given, judgement)

    def explain(self, seen: Seen) -> Seen:
        """``seen`` with the reasons of the model in use, where none were written down."""
        if any(not reason.name.startswith("rule_") for reason in seen.verdict.reasons):
            return seen
        found = self._articles.known(seen.site, seen.given.permalink) if seen.given.permalink else None
        given = replace(seen.given, article=found.article if found else None)
        reasons = self._scoring.explain(given.row())
        return replace(seen, verdict=replace(seen.verdict, reasons=(*seen.verdict.reasons, *reasons)))

    async def feedback(
        self,
        site: Site,
        given: Submission,
        label: TeamLabel,
        *,
        who: str,
        source: str,
        key: str | None = None,
        look: Look | None = None,
    ) -> int:
        """What a person or their software says of a comment; on the disk when this returns, with its number."""
        given = await self._articles.complete(site, given)
        comment = given.comment()
        seen = self._journal.last_like(site.name, comment.text, comment.author)
        verdict = seen.verdict if seen else None
        decision = Decision(
            comment,
            label,
            who,
            source,
            given.context(site.name),
            verdict,
            look,
            key=key,
            email=given.email,
            ip=given.ip,
        )
        seq = await self._ledger.decide(decision)
        commenter = self._journal.commenter(given.email) or (seen.commenter if seen else None)
        await self._ledger.call(lambda: self._count(site.name, label, verdict, commenter))
        self._metrics.feedback(site.name, label, source)
        return seq

    def _count(self, site: str, label: TeamLabel, verdict: Verdict | None, commenter: bytes | None) -> None:
        with self._journal.writing() as sql:
            if label == "spam":
                self._journal.count_commenter(sql, site, commenter, rejected=1)
            else:
                self._journal.count_commenter(sql, site, commenter, approved=1)
            if verdict is not None and label == "spam" and verdict.label == "ham":
                self._journal.count(sql, site, "missed")
            if verdict is not None and label == "ham" and verdict.label == "spam":
                self._journal.count(sql, site, "false_alarm")
