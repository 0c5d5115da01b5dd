"""The fields of many comments, and all dense features of them in one table.

Usage::

    fields = Fields.of(texts, authors, urls, titles, articles)
    table = dense_features(fields, idf)        # Dense: names, values float64 (comments, features)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.features import relatedness as rel
from spamfilter.features import signals as sig
from spamfilter.text import Batch, encode

__all__ = ["RELATION_COLUMNS", "Dense", "Fields", "dense_features"]

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fields:
    """Comments as columns; each different pair of title and article is held once.

    ``context_of[i]`` is the place of comment ``i``'s title and article in ``titles`` and
    ``articles``; -1 if it has neither.
    """

    texts: Sequence[str]
    authors: Sequence[str | None]
    urls: Sequence[str | None]
    titles: Sequence[str]
    articles: Sequence[str]
    context_of: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        authors: Sequence[str | None] | None = None,
        urls: Sequence[str | None] | None = None,
        titles: Sequence[str | None] | None = None,
        articles: Sequence[str | None] | None = None,
    ) -> Fields:
        """From one sequence a field, all equally long; a field that is left out is empty."""
        n = len(texts)
        none: list[str | None] = [None] * n
        place: dict[tuple[str, str], int] = {}
        context_of = np.full(n, -1, np.int64)
        for i, (title, article) in enumerate(zip(titles or none, articles or none, strict=True)):
            if title or article:
                context_of[i] = place.setdefault((title or "", article or ""), len(place))
        return cls(texts, authors or none, urls or none, [t for t, _ in place], [a for _, a in place], context_of)

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class Dense:
    """Tables of features of the same comments.

    ``values[i, k]`` is the feature ``names[k]`` of comment ``i``; ``relation`` holds the raw counts
    and overlaps (``RELATION_COLUMNS``) from which the model of relatedness judges, and
    ``has_article`` tells which comments have an article long enough to be compared with.
    """

    names: list[str]
    values: F64
    relation: F64
    has_article: NDArray[np.bool_]


#: Articles shorter than this many characters say too little to call a comment off-topic.
ARTICLE_LENGTH: Final = 150
_PLACES: Final = ("article", "article_stem", "title", "title_stem")
RELATION_COLUMNS: Final = (
    *(
        f"{place}_{name}"
        for place in _PLACES
        for name in ("cosine", "share", "both", "top", "density", "mass", *rel.COLUMNS[8:], "size")
    ),
    "pairs",
    "pairs_share",
)


def dense_features(fields: Fields, idf: NDArray[np.float32], batch: Batch | None = None) -> Dense:
    """All features but the n-grams: signals of text, author and links, and relatedness.

    ``batch`` is the encoded texts, if they are at hand.
    """
    facts = sig.text_facts(batch or encode(fields.texts))
    author_facts = sig.text_facts(encode([a or "" for a in fields.authors]))
    context = _Context(fields, facts, idf)
    parts = [
        sig.text_signals(fields.texts, facts),
        sig.author_signals(fields.authors, fields.urls, fields.texts, author_facts),
        context.columns(author_facts),
    ]
    return Dense(
        [n for names, _ in parts for n in names],
        np.hstack([values for _, values in parts]),
        context.relation(),
        context.has_article * _long_enough(fields.articles, fields.context_of) > 0,
    )


def _long_enough(articles: Sequence[str], of: NDArray[np.int64]) -> NDArray[np.bool_]:
    there = np.array([len(a) >= ARTICLE_LENGTH for a in articles] + [False])
    out: NDArray[np.bool_] = there[of]
    return out


class _Context:
    """The overlaps of a batch of comments with their titles and articles, reckoned once."""

    def __init__(self, fields: Fields, facts: sig.TextFacts, idf: NDArray[np.float32]) -> None:
        of = self.of = fields.context_of
        self.facts, self.idf = facts, idf
        self.titles, self.articles = sig.text_facts(encode(fields.titles)), sig.text_facts(encode(fields.articles))
        self.has_title, self.has_article = _present(fields.titles, of), _present(fields.articles, of)
        words, stems = (facts.word, facts.ptr), (facts.stem, facts.ptr)
        self.in_article, self.in_title = np.where(self.has_article > 0, of, -1), np.where(self.has_title > 0, of, -1)
        self.overlap = {
            "article": rel.relate_words(words, (self.articles.word, self.articles.ptr), self.in_article, idf),
            "article_stem": rel.relate_words(stems, (self.articles.stem, self.articles.ptr), self.in_article, idf),
            "title": rel.relate_words(words, (self.titles.word, self.titles.ptr), self.in_title, idf),
            "title_stem": rel.relate_words(stems, (self.titles.stem, self.titles.ptr), self.in_title, idf),
        }
        there = rel.pairs_of((self.articles.word, self.articles.ptr))
        self.pairs = rel.relate_words(rel.pairs_of(words), there, self.in_article, idf)

    def relation(self) -> F64:
        """Raw overlaps by ``RELATION_COLUMNS``."""
        columns: list[F64] = []
        for place in _PLACES:
            r = self.overlap[place]
            mass, shared, dot, own, context, distinct, both, top = r.T[:8]
            where = self.articles if place.startswith("article") else self.titles
            index = self.in_article if place.startswith("article") else self.in_title
            size = np.append(np.diff(where.ptr), 0)[index]
            columns += [
                dot / np.sqrt(np.maximum(own * context, 1e-12)),
                shared / np.maximum(mass, 1e-9),
                np.log1p(both),
                top,
                shared / np.maximum(distinct, 1),
                np.log1p(mass),
                *np.log1p(r[:, 8:]).T,
                np.log1p(size),
            ]
        columns += [np.log1p(self.pairs[:, 6]), self.pairs[:, 6] / np.maximum(self.pairs[:, 5], 3)]
        return np.column_stack(columns)

    def columns(self, author_facts: sig.TextFacts) -> tuple[list[str], F64]:
        """Relatedness of comment and author to title and article: (names, values)."""
        columns: list[tuple[str, F64]] = [("has_title", self.has_title), ("has_article", self.has_article)]
        for place in _PLACES:
            has = self.has_article if place.startswith("article") else self.has_title
            columns += _overlap(place, self.overlap[place], has)
        columns += [
            ("article_pairs", self.pairs[:, 6] / np.maximum(self.pairs[:, 5], 3)),
            ("copied", _copied(self.pairs)),
        ]
        articles = (self.articles.stem, self.articles.ptr)
        name = rel.relate_words((author_facts.stem, author_facts.ptr), articles, self.in_article, self.idf)
        columns.append(("author_in_article", name[:, 1] / np.maximum(name[:, 0], 1e-9)))
        columns += _language_columns(
            self.facts, self.titles, self.articles, self.of, self.has_title, self.has_article
        )
        return [n for n, _ in columns], np.column_stack([v for _, v in columns])


def _present(texts: Sequence[str], of: NDArray[np.int64]) -> F64:
    there = np.array([bool(t.strip()) for t in texts] + [False])
    return there[of].astype(np.float64)


def _overlap(where: str, r: F64, has: F64) -> list[tuple[str, F64]]:
    """Overlap columns as bounded features; zero where there is no context."""
    mass, shared, dot, own, context, distinct, both, top = r.T[:8]
    cosine = dot / np.sqrt(np.maximum(own * context, 1e-12))
    return [
        (f"{where}_cosine", cosine * has),
        (f"{where}_share", shared / np.maximum(mass, 1e-9) * has),
        (f"{where}_missing", np.log1p(mass - shared) * has),
        (f"{where}_both", np.log1p(both) * has),
        (f"{where}_top", top * has),
        (f"{where}_density", np.where(distinct > 0, shared / np.maximum(distinct, 1), 0.0) * has),
    ]


def _copied(pairs: F64) -> F64:
    """1 where nearly the whole of a comment of some length stands in the article."""
    return ((pairs[:, 5] >= 8) & (pairs[:, 6] >= 0.8 * pairs[:, 5])).astype(np.float64)


def _language_columns(
    facts: sig.TextFacts,
    titles: sig.TextFacts,
    articles: sig.TextFacts,
    of: NDArray[np.int64],
    has_title: F64,
    has_article: F64,
) -> list[tuple[str, F64]]:
    mine, sure = sig.languages(facts)
    theirs, _ = sig.languages(articles)
    theirs = np.append(theirs, -1)
    known = (mine >= 0) & (theirs[of] >= 0) & (has_article > 0)
    index = np.where(has_article > 0, of, -1)
    script = sig.scripts_differ(facts, articles, index) if len(articles.ptr) > 1 else np.zeros(len(of))
    title_script = (
        sig.scripts_differ(facts, titles, np.where(has_title > 0, of, -1)) if len(titles.ptr) > 1 else np.zeros(len(of))
    )
    return [
        ("other_language", known * (mine != theirs[of]) * sure),
        ("same_language", known * (mine == theirs[of]) * sure),
        ("language_known", (mine >= 0) * sure),
        ("other_script", np.maximum(script, title_script * (has_article == 0))),
    ]
