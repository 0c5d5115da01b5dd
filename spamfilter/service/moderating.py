"""Decisions of moderators: into the label store, on the list of what can be undone, into what commenters are known for.

Usage::

    moderating = Moderating(desk, person)
    batch = await moderating.decide([12, 13], "spam")
    await moderating.undo(batch)
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from spamfilter.errors import DataError
from spamfilter.labels import LabelRow, Pending
from spamfilter.labels.decision import TeamLabel
from spamfilter.service.config import Moderator
from spamfilter.service.desk import Desk
from spamfilter.service.journal import Seen

__all__ = ["Moderating"]

#: Comments of a campaign that one click decides on.
_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Moderating:
    """What one person may do."""

    desk: Desk
    person: Moderator

    def may_see(self, item: Pending) -> bool:
        """Whether a comment is this person's to decide on."""
        return self.person.may_see(item.context.site or "")

    def item(self, number: int) -> Pending | None:
        """A comment of the queue, decided or not, if this person may see it."""
        found = self.desk.labels.queue.get(number)
        return found if found is not None and self.may_see(found) else None

    def explained(self, item: Pending) -> Pending:
        """``item`` with reasons, where its verdict has none yet."""
        if item.verdict is None or any(not r.name.startswith("rule_") for r in item.verdict.reasons):
            return item
        reasons = (*item.verdict.reasons, *self.desk.scoring.explain(item.fields()))
        return replace(item, verdict=replace(item.verdict, reasons=reasons))

    def campaign(self, number: int) -> list[Pending]:
        """The waiting comments of a campaign."""
        found = self.desk.labels.queue.pending("oldest", campaign=number, limit=_MOST)
        return [item for item in found if self.may_see(item)]

    async def decide(self, numbers: Sequence[int], label: TeamLabel) -> str:
        """Decide on comments alike; gives the batch by which it can be undone.  On the disk when this returns."""
        items = [self.item(number) for number in dict.fromkeys(numbers)]
        known = [item for item in items if item is not None]
        if not known or len(known) < len(items):
            raise DataError("one of these comments is not in the queue; load the page again")
        batch = secrets.token_hex(8)
        await self.desk.ledger.call(lambda: self._decide(known, label, batch))
        for item in known:
            self.desk.metrics.feedback(item.context.site or "", label, "page")
        return batch

    def decided(self, seen: Seen) -> LabelRow | None:
        """The decision that holds on a comment of the history, if there is one."""
        return self.desk.labels.label_of(seen.given.comment(), seen.given.context(seen.site))

    async def correct(self, site: str, guid: str, label: TeamLabel) -> str:
        """Decide on a comment of the history, also one that passed; undone, it waits in the queue."""
        seen = self.desk.journal.seen(guid, site) if self.person.may_see(site) else None
        if seen is None:
            raise DataError("this comment is not in the history; load the page again")
        number = await self.desk.ledger.call(lambda: self._enqueue(seen))
        return await self.decide([number], label)

    def _enqueue(self, seen: Seen) -> int:
        known = self.desk.articles.known(seen.site, seen.given.permalink) if seen.given.permalink else None
        given = replace(seen.given, article=known.article) if known else seen.given
        number = self.desk.writer.queue.enqueue(given.comment(), given.context(seen.site), seen.verdict)
        with self.desk.journal.writing() as sql:
            self.desk.journal.set_waiting(sql, seen.guid, number)
        return number

    def _decide(self, items: Sequence[Pending], label: TeamLabel, batch: str) -> None:
        self.desk.writer.queue.resolve_many([i.id for i in items], label, self.person.name, source="page", look="shown")
        with self.desk.journal.writing() as sql:
            for item in items:
                self.desk.journal.act(sql, self.person.name, item, label, batch)
        self._count(items, label, 1)

    async def undo(self, batch: str) -> int:
        """Take back what was decided together; gives how many comments wait again."""
        return await self.desk.ledger.call(lambda: self._undo(batch))

    def _undo(self, batch: str) -> int:
        actions = [a for a in self.desk.journal.actions(self.person.name, batch, _MOST) if not a.undone]
        done = 0
        for action in actions:
            try:
                self.desk.writer.undo(action.comment, self.person.name)
            except DataError:  # someone else has decided anew since
                continue
            finally:
                with self.desk.journal.writing() as sql:
                    self.desk.journal.take_back(sql, action)
            item = self.item(action.comment)
            if item is not None:
                self._count([item], action.label, -1)
            done += 1
        return done

    def _count(self, items: Sequence[Pending], label: str, n: int) -> None:
        """What commenters are known for, and how often the model was wrong."""
        journal = self.desk.journal
        owners = [journal.commenter_of(item.id) for item in items]
        with journal.writing() as sql:
            for item, owner in zip(items, owners, strict=True):
                if owner is not None:
                    column = "approved" if label == "ham" else "rejected"
                    journal.count_commenter(sql, owner[0], owner[1], **{column: n})
                if item.verdict and label == "ham" and item.verdict.label == "spam":
                    journal.count(sql, item.context.site or "", "false_alarm", n)
                if item.verdict and label == "spam" and item.verdict.label == "ham":
                    journal.count(sql, item.context.site or "", "missed", n)
