"""The fields of many comments, and all dense features of them in one table.

Usage::

    fields = Fields.of(texts, authors, urls, titles, articles)
    table = dense_features(fields, idf)        # Dense: names, values float64 (comments, features)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamfilter.features import relatedness as rel
from spamfilter.features import signals as sig
from spamfilter.text import encode

__all__ = ["Dense", "Fields", "dense_features"]

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
    """A table of features: ``values[i, k]`` is the feature ``names[k]`` of comment ``i``."""

    names: list[str]
    values: F64


def dense_features(fields: Fields, idf: NDArray[np.float32], facts: sig.TextFacts | None = None) -> Dense:
    """All features but the n-grams: signals of text, author and links, and relatedness."""
    facts = facts or sig.text_facts(encode(fields.texts))
    author_facts = sig.text_facts(encode([a or "" for a in fields.authors]))
    parts = [
        sig.text_signals(fields.texts, facts),
        sig.author_signals(fields.authors, fields.urls, fields.texts, author_facts),
        context_features(fields, facts, author_facts, idf),
    ]
    return Dense([n for names, _ in parts for n in names], np.hstack([values for _, values in parts]))


def context_features(
    fields: Fields, facts: sig.TextFacts, author_facts: sig.TextFacts, idf: NDArray[np.float32]
) -> tuple[list[str], F64]:
    """Relatedness of comment and author to title and article: (names, values)."""
    of = fields.context_of
    titles, articles = sig.text_facts(encode(fields.titles)), sig.text_facts(encode(fields.articles))
    has_title = _present(fields.titles, of)
    has_article = _present(fields.articles, of)
    columns: list[tuple[str, F64]] = [("has_title", has_title), ("has_article", has_article)]
    words = (facts.word, facts.ptr), (facts.stem, facts.ptr)
    for where, there, has in (("title", titles, has_title), ("article", articles, has_article)):
        context = np.where(has > 0, of, -1)
        both = rel.relate_words(words[0], (there.word, there.ptr), context, idf)
        stem = rel.relate_words(words[1], (there.stem, there.ptr), context, idf)
        columns += _overlap(where, both, has) + _overlap(f"{where}_stem", stem, has)
    context = np.where(has_article > 0, of, -1)
    pairs = rel.relate_words(rel.pairs_of(words[0]), rel.pairs_of((articles.word, articles.ptr)), context, idf)
    columns += [("article_pairs", pairs[:, 6] / np.maximum(pairs[:, 5], 3)), ("copied", _copied(pairs))]
    name = rel.relate_words((author_facts.stem, author_facts.ptr), (articles.stem, articles.ptr), context, idf)
    columns.append(("author_in_article", name[:, 1] / np.maximum(name[:, 0], 1e-9)))
    columns += _language_columns(facts, titles, articles, of, has_title, has_article)
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
