"""What an import reads: comments with a status, rows that cannot be used, and the count of both.

Usage::

    for item in read_wxr(path):
        if isinstance(item, Unusable): item.where, item.reason
        else: item.comment, item.status
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from spamfilter.labels.decision import Context, Look
from spamfilter.records import Comment, Verdict

__all__ = ["STATUSES", "Entry", "ImportReport", "Status", "Unusable", "read_status"]

Status = Literal["spam", "approved", "trash", "pending"]

#: The words that tables, WordPress and its plugins use, and what they mean here.  Numbers are left out on purpose:
#: in a column "label" 1 often means spam, in WordPress it means approved (its importers translate that themselves).
STATUSES: Final[dict[str, Status]] = {
    "spam": "spam",
    "ham": "approved",
    "approved": "approved",
    "approve": "approved",
    "trash": "trash",
    "post-trashed": "trash",
    "deleted": "trash",
    "pending": "pending",
    "hold": "pending",
    "unapproved": "pending",
    "moderated": "pending",
    "unsure": "pending",
}
#: Rows of a reason that are named one by one in a report.
_EXAMPLES: Final = 5


def read_status(word: str) -> Status | None:
    """The status that ``word`` names, or None."""
    return STATUSES.get(word.strip().lower())


@dataclass(frozen=True, slots=True)
class Entry:
    """One comment of an export.

    ``where`` names its place in the file; ``who`` and ``source`` win over the import's.
    """

    comment: Comment
    context: Context
    status: Status
    where: str
    who: str | None = None
    source: str | None = None
    at: datetime | None = None
    look: Look | None = None
    verdict: Verdict | None = None
    email: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something in an export that became no entry, and why.  ``damaged``: it could not be read at all."""

    where: str
    reason: str
    damaged: bool = False


@dataclass(slots=True)
class ImportReport:
    """What became of every row: read = spam + ham + queued + repeated + all skipped."""

    path: str
    kind: str
    read: int = 0
    spam: int = 0
    ham: int = 0
    queued: int = 0
    repeated: int = 0
    damaged: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def skip(self, reason: str, where: str) -> None:
        """Count one row that is left out; the first five of each reason are named."""
        self.skipped[reason] += 1
        named = self.examples.setdefault(reason, [])
        if len(named) < _EXAMPLES:
            named.append(where)

    def lines(self) -> list[str]:
        """The report for a person."""
        out = [
            f"{self.path} ({self.kind}): {self.read:,} comments read",
            f"  {self.spam:,} labelled spam, {self.ham:,} labelled ham, {self.queued:,} put into the queue, "
            f"{self.repeated:,} known already",
        ]
        for reason, n in self.skipped.most_common():
            more = ", …" if n > _EXAMPLES else ""
            out.append(f"  {n:,} left out: {reason} ({', '.join(self.examples[reason])}{more})")
        return out + [f"  {note}" for note in self.notes]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        names = ("path", "kind", "read", "spam", "ham", "queued", "repeated", "damaged")
        return {name: getattr(self, name) for name in names} | {
            "skipped": dict(self.skipped),
            "examples": self.examples,
            "notes": self.notes,
        }
