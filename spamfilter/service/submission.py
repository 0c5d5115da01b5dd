"""A comment as it comes in, by whichever protocol.

Usage::

    given = Submission(text="Great post!", author="Ana", permalink="https://blog.example/bread")
    given.comment(), given.context("blog.example")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spamfilter.labels import Context
from spamfilter.records import Comment, CommentKind

__all__ = ["LONGEST_ARTICLE", "LONGEST_TEXT", "Submission"]

#: Characters of a comment that are judged and kept; the longest comments that people write have some ten thousand.
LONGEST_TEXT: Final = 60_000
#: Characters of an article that are compared; a long essay has 50,000, and each costs time on every comment.
LONGEST_ARTICLE: Final = 120_000
#: Characters of a name, an address, a title.
LONGEST_FIELD: Final = 2_000


@dataclass(frozen=True, slots=True)
class Submission:
    """One comment with what was told of it; e-mail and IP address are used for rules and never stored as they are."""

    text: str
    author: str | None = None
    author_url: str | None = None
    email: str | None = None
    ip: str | None = None
    permalink: str | None = None
    title: str | None = None
    article: str | None = None
    kind: CommentKind = "comment"
    lang: str | None = None
    date: str | None = None
    external_id: str | None = None

    def comment(self) -> Comment:
        """As the record that the rest of the package knows."""
        return Comment(
            self.text[:LONGEST_TEXT],
            _cut(self.author),
            _cut(self.author_url),
            _cut(self.date),
            id=_cut(self.external_id),
            kind=self.kind,
        )

    def context(self, site: str) -> Context:
        """What the comment stands under."""
        article = self.article[:LONGEST_ARTICLE] if self.article else None
        return Context(_cut(self.title), article, _cut(self.permalink), site, self.lang)

    def row(self) -> dict[str, str | None]:
        """The row that ``SpamFilter.score_many`` takes."""
        return {
            "text": self.text[:LONGEST_TEXT],
            "author": _cut(self.author),
            "author_url": _cut(self.author_url),
            "title": _cut(self.title),
            "article": self.article[:LONGEST_ARTICLE] if self.article else None,
        }


def _cut(text: str | None) -> str | None:
    return text[:LONGEST_FIELD] if text else None
