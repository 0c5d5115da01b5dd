"""The nouns of the label store: a decision, its context, a comment that waits for one, labels that disagree.

Usage::

    under = Context(title="On bread", site="bread.example")
    decision = Decision(Comment("Great post!"), "spam", who="ana", context=under)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, get_args

from spamfilter.records import Comment, Verdict

__all__ = [
    "LOOKS",
    "TEAM_LABELS",
    "Conflict",
    "Context",
    "Decision",
    "LabelRow",
    "Look",
    "Pending",
    "Stats",
    "TeamLabel",
]

TeamLabel = Literal["spam", "ham"]
#: How the person came to the label: without seeing the model's verdict, with it in view, or not at all (a rule or
#: a program copied the verdict).
Look = Literal["blind", "shown", "automatic"]
TEAM_LABELS: Final[tuple[TeamLabel, ...]] = get_args(TeamLabel)
LOOKS: Final[tuple[Look, ...]] = get_args(Look)


@dataclass(frozen=True, slots=True)
class Context:
    """What a comment stands under.

    ``permalink`` is the article's address; ``site`` is told from it where not given.
    """

    title: str | None = None
    article: str | None = None
    permalink: str | None = None
    site: str | None = None
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one comment.

    ``who`` is the person or program that decided, ``source`` where it came in ("page", "feedback", "import:wxr" …).
    ``verdict`` is what the model said at the time and ``look`` whether the person saw it.  ``at`` is when it was
    decided (default: now); the order of decisions is that in which the store received them, whatever the clock says.
    ``key`` makes adding idempotent: the same key is stored once.  ``email`` and ``ip`` are those of the comment's
    author; they are dropped unless the store keeps personal data.
    """

    comment: Comment
    label: TeamLabel
    who: str
    source: str = "api"
    context: Context = field(default_factory=Context)
    verdict: Verdict | None = None
    look: Look | None = None
    at: datetime | None = None
    key: str | None = None
    email: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A stored decision.

    ``seq`` is its place in the order of decisions, ``comment_id`` the number of the comment, ``campaign`` the number
    that near-duplicates of this comment share (it never changes), ``live`` whether it has not been undone.
    """

    seq: int
    comment_id: int
    comment: Comment
    context: Context
    label: TeamLabel
    who: str
    source: str
    at: datetime
    verdict: Verdict | None
    look: Look | None
    campaign: int
    live: bool = True
    email: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A comment that waits for a decision.

    ``verdict`` is the model's, or None where it was not scored yet.  ``campaign_size`` counts the comments of the
    same campaign that wait, this one included.  ``skips`` counts how often it was put off.
    """

    id: int
    comment: Comment
    context: Context
    verdict: Verdict | None
    at: datetime
    campaign: int
    campaign_size: int = 1
    skips: int = 0

    def fields(self) -> dict[str, str | None]:
        """The row that ``SpamFilter.score_many`` takes."""
        return comment_fields(self.comment, self.context)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Labels that cannot all be right.

    ``kind`` is "people" (two people decided differently about one comment), "same" (the same text, to the letter
    after folding, has both labels) or "near" (near-duplicates have both labels).
    """

    kind: Literal["people", "same", "near"]
    rows: tuple[LabelRow, ...]

    def counts(self) -> dict[str, int]:
        """How many of the rows say what."""
        return {label: sum(row.label == label for row in self.rows) for label in TEAM_LABELS}


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of a label store; ``by_*`` count current labels.

    ``agreement`` is the share of current labels that equal the model's verdict at the time, over those with a verdict
    that was spam or ham (None without any).  ``clock_steps_back`` counts decisions stored with an earlier time
    than the one before.
    """

    decisions: int
    undone: int
    comments: int
    spam: int
    ham: int
    pending: int
    articles: int
    by_who: Mapping[str, int]
    by_source: Mapping[str, int]
    by_site: Mapping[str, int]
    first: datetime | None
    last: datetime | None
    agreement: float | None
    clock_steps_back: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        counts = ("decisions", "undone", "comments", "spam", "ham", "pending", "articles")
        out: dict[str, Any] = {name: getattr(self, name) for name in (*counts, "agreement", "clock_steps_back")}
        out |= {name: dict(getattr(self, name)) for name in ("by_who", "by_source", "by_site")}
        out |= {name: t.isoformat() if (t := getattr(self, name)) else None for name in ("first", "last")}
        return out


def comment_fields(comment: Comment, context: Context) -> dict[str, str | None]:
    """Comment and context as the flat row of fields that scoring takes."""
    return {
        "text": comment.text,
        "author": comment.author,
        "author_url": comment.author_url,
        "title": context.title,
        "article": context.article,
    }
