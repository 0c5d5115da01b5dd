"""The fields of many comments, and all dense features of them in one table.

Usage::

    fields = Fields.of(texts, authors, urls, titles, articles)
    table = dense_features(fields, idf)        # Dense: names, values float64 (comments, features)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import compiled
from spamfilter.features import company
from spamfilter.features import relatedness as rel
from spamfilter.features import signals as sig
from spamfilter.features.links import address
from spamfilter.features.reading import Reading, read

__all__ = ["RELATION_COLUMNS", "Dense", "Fields", "dense_features", "read_features"]

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fields:
    """Comments as columns; each different pair of title and article is held once.

    ``context_of[i]`` is the place of comment ``i``'s title and article in ``titles`` and
    ``articles``; -1 if it has neither.  ``thread_of[i]`` is the number of the page it is on, whose comments
    are each other's company, in their order; -1 where none is known, and None where none is known of all.
    """

    texts: Sequence[str]
    authors: Sequence[str | None]
    urls: Sequence[str | None]
    titles: Sequence[str]
    articles: Sequence[str]
    context_of: NDArray[np.int64]
    thread_of: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        authors: Sequence[str | None] | None = None,
        urls: Sequence[str | None] | None = None,
        titles: Sequence[str | None] | None = None,
        articles: Sequence[str | None] | None = None,
        threads: Sequence[Hashable] | None = None,
    ) -> Fields:
        """From one sequence a field, all equally long; a field that is left out is empty.  Of addresses only those that
        name a host are kept.  Comments with the same value of ``threads`` are on one page (None: not known)."""
        n = len(texts)
        none: list[str | None] = [None] * n
        place: dict[tuple[str, str], int] = {}
        context_of = np.full(n, -1, np.int64)
        for i, (title, article) in enumerate(zip(titles or none, articles or none, strict=True)):
            if title or article:
                context_of[i] = place.setdefault((title or "", article or ""), len(place))
        links = [address(u) for u in urls] if urls else none
        thread_of = None if threads is None else _numbers(threads)
        return cls(texts, authors or none, links, [t for t, _ in place], [a for _, a in place], context_of, thread_of)

    def __len__(self) -> int:
        return len(self.texts)

    def batches(self, size: int) -> Iterator[tuple[NDArray[np.int64], Fields]]:
        """Rows and fields of at most ``size`` comments at a time, those of the same article together."""
        order = np.argsort(self.context_of, kind="stable")
        for at in range(0, len(self), size):
            rows = order[at : at + size]
            yield rows, self._take(rows)

    def windows(self, size: int) -> Iterator[tuple[NDArray[np.int64], Fields, slice]]:
        """Rows of at most ``size`` comments at a time, fields that hold them and the company they can have, and where
        they stand in those: what is judged does not depend on ``size``."""
        if self.thread_of is None:
            for rows, part in self.batches(size):
                yield rows, part, slice(0, len(rows))
            return
        order = np.argsort(self.thread_of, kind="stable")
        thread = self.thread_of[order]
        for at in range(0, len(self), size):
            end = min(at + size, len(self))
            begin = max(at - company.REACH, int(np.searchsorted(thread, thread[at]))) if thread[at] >= 0 else at
            until = int(np.searchsorted(thread, thread[end - 1], "right")) if thread[end - 1] >= 0 else end
            part = self._take(order[begin : min(end + company.REACH, until)])
            yield order[at:end], part, slice(at - begin, end - begin)

    def _take(self, rows: NDArray[np.int64]) -> Fields:
        places, of = np.unique(self.context_of[rows], return_inverse=True)
        none = int(len(places) > 0 and places[0] < 0)
        kept, where = places[none:].tolist(), rows.tolist()
        return Fields(
            [self.texts[i] for i in where],
            [self.authors[i] for i in where],
            [self.urls[i] for i in where],
            [self.titles[k] for k in kept],
            [self.articles[k] for k in kept],
            of.astype(np.int64) - none,
            None if self.thread_of is None else self.thread_of[rows],
        )


def _numbers(values: Sequence[Hashable]) -> NDArray[np.int64]:
    """A number for each different value, -1 for None."""
    number: dict[Hashable, int] = {}
    return np.array([-1 if v is None else number.setdefault(v, len(number)) for v in values], np.int64)


@dataclass(frozen=True, slots=True)
class Dense:
    """Tables of features of the same comments.

    ``values[i, k]`` is the feature ``names[k]`` of comment ``i``; ``relation`` holds the raw counts
    and overlaps (``RELATION_COLUMNS``) from which the model of relatedness judges, and
    ``has_article`` tells which comments have an article long enough to be compared with.
    """

    names: tuple[str, ...]
    values: F64
    relation: F64
    has_article: NDArray[np.bool_]

    @property
    def under_article(self) -> NDArray[np.bool_]:
        """Which comments stand under an article, however short."""
        out: NDArray[np.bool_] = self.values[:, self.names.index("has_article")] > 0
        return out


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


_MEASURES: Final = ("cosine", "share", "missing", "both", "top", "density")
CONTEXT_COLUMNS: Final = (
    *("has_title", "has_article"),
    *(f"{place}_{measure}" for place in _PLACES for measure in _MEASURES),
    *("article_pairs", "copied", "author_in_article"),
    *("other_language", "same_language", "language_known", "other_script"),
)


def dense_features(fields: Fields, idf: NDArray[np.float32]) -> Dense:
    """All features but the n-grams: signals of text, author and links, and relatedness."""
    return read_features(fields, idf)[0]


def read_features(fields: Fields, idf: NDArray[np.float32]) -> tuple[Dense, Reading]:
    """As ``dense_features``, and what was read for them, for those who judge and explain."""
    seen = read(fields.texts, fields.authors, fields.urls, fields.titles, fields.articles)
    relation, context = _overlaps(fields, seen, idf)
    text = sig.text_signals(fields.texts, seen.texts)
    author = sig.author_signals(fields.authors, fields.urls, fields.texts, seen.names)
    parts = (text, author, _goods(text, author), context)
    has_article = (context[:, _HAS_ARTICLE] > 0) & _long_enough(fields.articles, fields.context_of)
    return Dense(_dense_names(), np.concatenate(parts, axis=1), relation, has_article), seen


@cache
def _dense_names() -> tuple[str, ...]:
    return (*sig.text_names(), *sig.AUTHOR_NAMES, *GOODS_COLUMNS, *CONTEXT_COLUMNS)


#: In how many of two places, the author's name or host and the hosts in the text, stand goods that readers do not
#: sell: each place alone is rare, so that little could be learnt of it.
GOODS_COLUMNS: Final = ("goods_crude", "goods_brands")


def _goods(text: F64, author: F64) -> F64:
    """Columns ``GOODS_COLUMNS``, of the signals of text and author."""
    linked = text[:, [sig.text_names().index(f"link_{kind}") for kind in ("crude", "brands")]]
    named = author[:, [sig.AUTHOR_NAMES.index(f"author_{kind}") for kind in ("crude", "brands")]]
    out: F64 = (linked > 0).astype(np.float64) + (named > 0)
    return out


def _long_enough(articles: Sequence[str], of: NDArray[np.int64]) -> NDArray[np.bool_]:
    there = np.array([len(a) >= ARTICLE_LENGTH for a in articles] + [False])
    out: NDArray[np.bool_] = there[of]
    return out


def _overlaps(fields: Fields, seen: Reading, idf: NDArray[np.float32]) -> tuple[F64, F64]:
    """What comments share with titles and articles: tables by ``RELATION_COLUMNS`` and ``CONTEXT_COLUMNS``."""
    if compiled.kernel is None:
        context = _Context(fields, seen, idf)
        return context.relation(), context.columns(seen.names)
    facts, names, titles, articles = seen.texts, seen.names, seen.titles, seen.articles
    n, mine = len(fields), sig.tongues(facts)
    relation, columns = np.zeros((n, len(RELATION_COLUMNS))), np.zeros((n, len(CONTEXT_COLUMNS)))
    if not len(fields.articles):
        columns[:, _LANGUAGE_KNOWN] = (mine.language >= 0) * mine.sure
        return relation, columns
    script, article = sig.tongues(titles).script, sig.tongues(articles)
    compiled.kernel.overlaps(
        *(facts.word, facts.stem, facts.ptr, mine.script, mine.language, mine.sure, names.stem, names.ptr),
        *(articles.word, articles.stem, articles.ptr, article.script, article.language, _there(fields.articles)),
        *(titles.word, titles.stem, titles.ptr, script, _there(fields.titles)),
        *(np.argsort(fields.context_of, kind="stable"), fields.context_of),
        *(idf, 32 - rel.IDF_BITS, relation, columns),
    )
    relation[:, _RELATION_LOGS] = np.log1p(relation[:, _RELATION_LOGS])
    columns[:, _CONTEXT_LOGS] = np.log1p(columns[:, _CONTEXT_LOGS])
    return relation, columns


_HAS_ARTICLE: Final = CONTEXT_COLUMNS.index("has_article")
_LANGUAGE_KNOWN: Final = CONTEXT_COLUMNS.index("language_known")
# Columns that are logarithms: the compiled loops leave those to NumPy, whose own differ in the last bit.
_PLAIN: Final = ("cosine", "share", "top", "density")
_RELATION_LOGS: Final = [k for k, n in enumerate(RELATION_COLUMNS) if not n.endswith(_PLAIN)]
_CONTEXT_LOGS: Final = [k for k, n in enumerate(CONTEXT_COLUMNS) if n.endswith(("_missing", "_both"))]


def _there(texts: Sequence[str]) -> NDArray[np.uint8]:
    """1 for each text that holds more than blanks."""
    return np.array([bool(t.strip()) for t in texts], np.uint8)


class _Context:
    """The overlaps of a batch of comments with their titles and articles: the twin of the compiled loops."""

    def __init__(self, fields: Fields, seen: Reading, idf: NDArray[np.float32]) -> None:
        of = self.of = fields.context_of
        self.facts, self.idf = seen.texts, idf
        self.there = bool((of >= 0).any())
        self.has_title, self.has_article = _present(fields.titles, of), _present(fields.articles, of)
        if not self.there:
            return
        facts, self.titles, self.articles = seen.texts, seen.titles, seen.articles
        self.in_article, self.in_title = np.where(self.has_article > 0, of, -1), np.where(self.has_title > 0, of, -1)
        words, stems = (facts.word, facts.ptr), (facts.stem, facts.ptr)
        self.overlap = np.stack(
            [
                rel.relate_words(words, (self.articles.word, self.articles.ptr), self.in_article, idf),
                rel.relate_words(stems, (self.articles.stem, self.articles.ptr), self.in_article, idf),
                rel.relate_words(words, (self.titles.word, self.titles.ptr), self.in_title, idf),
                rel.relate_words(stems, (self.titles.stem, self.titles.ptr), self.in_title, idf),
            ],
            axis=1,
        )
        there = rel.pairs_of((self.articles.word, self.articles.ptr))
        self.pairs = rel.relate_words(rel.pairs_of(words), there, self.in_article, idf)
        self._reckon()

    def _reckon(self) -> None:
        """Bounded measures of overlap: each of shape (comments, places)."""
        mass, shared, dot, own, context, distinct, both, top = np.moveaxis(self.overlap[:, :, :8], 2, 0)
        self.mass, self.missing, self.top = np.log1p(mass), np.log1p(mass - shared), top
        self.cosine = dot / np.sqrt(np.maximum(own * context, 1e-12))
        self.share = shared / np.maximum(mass, 1e-9)
        self.both = np.log1p(both)
        self.density = shared / np.maximum(distinct, 1)
        self.pairs_share = self.pairs[:, 6] / np.maximum(self.pairs[:, 5], 3)

    def relation(self) -> F64:
        """Raw overlaps by ``RELATION_COLUMNS``; zeros for comments that have no context."""
        n = len(self.of)
        out = np.zeros((n, len(RELATION_COLUMNS)))
        if not self.there:
            return out
        width = (len(RELATION_COLUMNS) - 2) // len(_PLACES)
        places = out[:, :-2].reshape(n, len(_PLACES), width)  # a view: the last axis is contiguous
        measures = (self.cosine, self.share, self.both, self.top, self.density, self.mass)
        for k, measure in enumerate(measures):
            places[:, :, k] = measure
        places[:, :, len(measures) : -1] = np.log1p(self.overlap[:, :, 8:])
        places[:, :2, -1] = np.log1p(_sizes(self.articles)[self.in_article])[:, np.newaxis]
        places[:, 2:, -1] = np.log1p(_sizes(self.titles)[self.in_title])[:, np.newaxis]
        out[:, :-2] = places.reshape(n, -1)
        out[:, -2], out[:, -1] = np.log1p(self.pairs[:, 6]), self.pairs_share
        out[self.of < 0] = 0.0
        return out

    def columns(self, author_facts: sig.TextFacts) -> F64:
        """Relatedness of comment and author to title and article, by ``CONTEXT_COLUMNS``."""
        n, measured = len(self.of), len(_PLACES) * len(_MEASURES)
        out = np.zeros((n, len(CONTEXT_COLUMNS)))
        mine = sig.tongues(self.facts)
        language, sure = mine.language, mine.sure
        out[:, -2] = (language >= 0) * sure
        if not self.there:
            return out
        out[:, 0], out[:, 1] = self.has_title, self.has_article
        places = np.empty((n, len(_PLACES), len(_MEASURES)))
        for k, measure in enumerate((self.cosine, self.share, self.missing, self.both, self.top, self.density)):
            places[:, :, k] = measure
        places[:, :2] *= self.has_article[:, np.newaxis, np.newaxis]
        places[:, 2:] *= self.has_title[:, np.newaxis, np.newaxis]
        out[:, 2 : 2 + measured] = places.reshape(n, measured)
        at = 2 + measured
        out[:, at], out[:, at + 1] = self.pairs_share, _copied(self.pairs)
        articles = (self.articles.stem, self.articles.ptr)
        if len(author_facts.stem):
            name = rel.relate_words((author_facts.stem, author_facts.ptr), articles, self.in_article, self.idf)
            out[:, at + 2] = name[:, 1] / np.maximum(name[:, 0], 1e-9)
        articles_ = sig.tongues(self.articles)
        theirs = np.append(articles_.language, -1)[self.of]
        known = (language >= 0) & (theirs >= 0) & (self.has_article > 0)
        out[:, at + 3] = known * (language != theirs) * sure
        out[:, at + 4] = known * (language == theirs) * sure
        out[:, -1] = self._other_script(mine.script, articles_.script)
        return out

    def _other_script(self, mine: NDArray[np.int64], articles: NDArray[np.int64]) -> F64:
        """1 where a comment is mainly in another script than its article, or where there is none, its title."""
        article = np.append(articles, -1)[self.in_article]
        title = np.append(sig.tongues(self.titles).script, -1)[self.in_title]
        theirs = np.where(self.has_article > 0, article, title)
        out: F64 = ((mine >= 0) & (theirs >= 0) & (mine != theirs)).astype(np.float64)
        return out


def _sizes(facts: sig.TextFacts) -> NDArray[np.int64]:
    """Number of words of each text, and 0 for the place -1."""
    return np.append(np.diff(facts.ptr), 0)


def _present(texts: Sequence[str], of: NDArray[np.int64]) -> F64:
    there = np.array([bool(t.strip()) for t in texts] + [False])
    return there[of].astype(np.float64)


def _copied(pairs: F64) -> F64:
    """1 where nearly the whole of a comment of some length stands in the article."""
    return ((pairs[:, 5] >= 8) & (pairs[:, 6] >= 0.8 * pairs[:, 5])).astype(np.float64)
