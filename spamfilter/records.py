"""The nouns of the domain, as small frozen dataclasses.

Usage::

    page.title, page.article, page.comments[0].author
    verdict.label, verdict.probability, verdict.reasons[0].detail
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Comment", "Page", "Reason", "ScoredPage", "Verdict"]

Label = Literal["spam", "unsure", "ham"]
CommentKind = Literal["comment", "pingback", "trackback"]
PageKind = Literal["html", "text"]


@dataclass(frozen=True, slots=True)
class Comment:
    """One reader comment.

    ``start`` and ``end`` are character offsets into the input (``input[start:end] == text``) for
    plain text and ``None`` for HTML.  ``depth`` is 0 for a comment on the article, 1 for an answer
    to it, and so on; ``parent`` is the position of the answered comment in ``Page.comments``.
    ``date`` is ISO 8601 where it could be read, else as printed.
    """

    text: str
    author: str | None = None
    author_url: str | None = None
    date: str | None = None
    id: str | None = None
    permalink: str | None = None
    depth: int = 0
    parent: int | None = None
    kind: CommentKind = "comment"
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page taken apart: title, article and reader comments, in reading order.

    ``article_start`` and ``article_end`` are character offsets into the input
    (``input[article_start:article_end] == article``) for plain text and ``None`` for HTML.
    ``engine`` is the software that made the page, where it is known ("wordpress", "discourse", …).
    ``lang`` is a two-letter language code where it could be told.
    """

    title: str | None
    article: str
    comments: tuple[Comment, ...] = ()
    kind: PageKind = "html"
    lang: str | None = None
    url: str | None = None
    engine: str | None = None
    article_start: int | None = None
    article_end: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that moved a verdict.

    ``name`` is stable and meant for programs ("off_topic"); ``detail`` is for people ("shares no
    subject with the article").  ``weight`` is what it adds to the log-odds of spam: above zero
    towards spam, below zero towards ham.  The weights of all reasons of a verdict, with the
    remainder under the name "rest", add up to ``log(p / (1 - p))``.
    """

    name: str
    detail: str
    weight: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model says of one comment: ``probability`` of spam in 0..1, calibrated."""

    label: Label
    probability: float
    reasons: tuple[Reason, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class ScoredPage:
    """A page with one verdict for each of its comments, in the same order."""

    page: Page
    verdicts: tuple[Verdict, ...] = field(default_factory=tuple)
    source: str | None = None

    def spam(self) -> list[tuple[Comment, Verdict]]:
        """The flagged comments with their verdicts."""
        return [(c, v) for c, v in zip(self.page.comments, self.verdicts, strict=True) if v.label == "spam"]

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of one page, as ``spamfilter score`` writes it."""
        page = self.page
        return {
            "source": self.source,
            "url": page.url,
            "title": page.title,
            "lang": page.lang,
            "article": page.article,
            "comments": [
                comment_dict(n, c, v) for n, (c, v) in enumerate(zip(page.comments, self.verdicts, strict=True), 1)
            ],
            "model": self.verdicts[0].model if self.verdicts else None,
        }


def comment_dict(n: int, comment: Comment, verdict: Verdict | None) -> dict[str, Any]:
    """One comment of the JSON output; without verdict, only what segmentation found."""
    out: dict[str, Any] = {
        "n": n,
        "author": comment.author,
        "author_url": comment.author_url,
        "date": comment.date,
        "id": comment.id,
        "permalink": comment.permalink,
        "depth": comment.depth,
        "parent": None if comment.parent is None else comment.parent + 1,
        "kind": comment.kind,
        "text": comment.text,
        "start": comment.start,
        "end": comment.end,
    }
    if verdict is not None:
        out["verdict"] = verdict.label
        out["probability"] = round(verdict.probability, 6)
        out["reasons"] = [{"name": r.name, "detail": r.detail, "weight": round(r.weight, 4)} for r in verdict.reasons]
    return out
