"""Passages of articles, as material for training.

Usage::

    off_topic(data, 2000, rng)        # Dataset of passages standing under articles they do not belong to
    prose(data, 6000, rng)            # list of (text, site)
    own_and_other(data, rng)          # comments paired with their own article, and with others

Spam like "They may be rented …" under a political article is fluent prose about something else.  To
know it one needs examples that differ from readers' comments in just that.  Taking readers' comments
and standing them under foreign articles teaches that readers' words are spam; sentences of foreign
articles do less harm, and none to the model of words if it never sees them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from spamfilter.datasets import PUBLISHED, DataReport, Dataset

__all__ = ["INVENTED", "Pairs", "off_topic", "own_and_other", "prose"]

Rng = np.random.Generator
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_LINK: Final = re.compile(r"https?:|www\.|@|\[email\]|\{\{|[<>{}|]{1}")
#: Length of a passage in characters: from a short sentence to a paragraph, as comments are long.
SHORTEST, LONGEST = 50, 900
#: Sentences of a passage.
SENTENCES: Final = 4
#: An article gives passages, and takes them, from this length on.
ARTICLE: Final = 300
#: Share of off-topic passages drawn from another site than that under whose article they are put.
OTHER_SITE: Final = 0.8
#: Ham comments of a site that count towards its share of the passages: as many for each site would put most of them
#: under the short articles of the open corpus (recall at 1 % false alarms on blogs left out .44, so .48).
HOST_ROWS: Final = 400
#: Hosts that nobody can own (RFC 2606): sites of comments written for training.
INVENTED: Final = ".example"
#: Share of a site of the open corpus beside a site of readers: there are many, with an article each, and a passage is
#: to be told from what real readers write (.5: passages .532, end to end AP .938; .2: .569 and .957).
WRITTEN_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class _Article:
    text: str
    title: str | None
    site: str
    post: str
    lang: str | None


def _articles(data: Dataset, published: bool = True) -> list[_Article]:
    found: dict[str, _Article] = {}
    for i, article in enumerate(data.article):
        if data.set[i] == PUBLISHED and not published:
            continue
        if article and len(article) >= (ARTICLE if data.lang[i] not in ("ja", "zh", "ko") else ARTICLE // 3):
            found.setdefault(data.post[i], _Article(article, data.title[i], data.site[i], data.post[i], data.lang[i]))
    return list(found.values())


def _by(articles: list[_Article], field: str) -> dict[Any, list[_Article]]:
    out: dict[Any, list[_Article]] = defaultdict(list)
    for a in articles:
        out[getattr(a, field)].append(a)
    return out


def _passage(article: _Article, rng: Rng) -> str | None:
    paragraphs = [p for p in article.text.split("\n") if len(p) >= SHORTEST]
    if not paragraphs:
        return None
    sentences = [s.strip() for s in _SENTENCE.split(str(rng.choice(paragraphs))) if s.strip()]
    n = int(rng.integers(1, SENTENCES + 1))
    if len(sentences) < n:
        return None
    at = int(rng.integers(0, len(sentences) - n + 1))
    text = " ".join(sentences[at : at + n])
    return text if SHORTEST <= len(text) <= LONGEST and not _LINK.search(text) else None


def off_topic(data: Dataset, n: int, rng: Rng) -> tuple[Dataset, list[str]]:
    """About ``n`` passages under articles they do not belong to, and the site each comes from.

    The author's fields are those of a ham comment of the site, so that nothing but the text, and that it does not
    belong, tells.  Articles above comments that are only known as published give none (with theirs: recall at 1 % .551
    instead of .584), but take some.  A site gets them ∝ √(its ham comments), of which at most ``HOST_ROWS`` count; a
    site of the open corpus ``WRITTEN_SHARE`` of that.
    """
    articles = _articles(data, published=False)
    if len(articles) < 2:
        return _rows(data, []), []
    by_lang = _by(articles, "lang")
    hosts: dict[str, list[int]] = defaultdict(list)
    for i in np.flatnonzero(data.label == 0).tolist():
        if data.article[i] and data.kind[i] not in ("pingback", "trackback"):
            hosts[data.site[i]].append(i)
    sites, sources = sorted(hosts), list[str]()
    share = np.sqrt([min(len(hosts[s]), HOST_ROWS) for s in sites])
    share *= np.array([WRITTEN_SHARE if s.endswith(INVENTED) else 1.0 for s in sites])
    rows: list[tuple[str, int, int]] = []
    for _ in range(20 * n):  # most tries that fail do so for want of a passage of the right length
        if len(rows) == n or not sites:
            break
        here = hosts[sites[int(rng.choice(len(sites), p=share / share.sum()))]]
        at, who = here[int(rng.integers(len(here)))], here[int(rng.integers(len(here)))]
        there = by_lang.get(data.lang[at], [])
        source = there[int(rng.integers(len(there)))] if there else None
        if (
            source is None
            or source.post == data.post[at]
            or (source.site == data.site[at] and rng.random() < OTHER_SITE)
        ):
            continue
        text = _passage(source, rng)
        if text:
            rows.append((text, at, who))
            sources.append(source.site)
    return _rows(data, rows), sources


def _rows(data: Dataset, rows: list[tuple[str, int, int]]) -> Dataset:
    at = [r[1] for r in rows]
    place = data.take(np.array(at, np.int64))
    who = data.take(np.array([r[2] for r in rows], np.int64))
    return Dataset(
        text=[r[0] for r in rows],
        label=np.ones(len(rows), np.int8),
        author=who.author,
        author_url=who.author_url,
        title=place.title,
        article=place.article,
        site=place.site,
        post=place.post,
        set=place.set,
        lang=place.lang,
        kind=["off_topic_passage"] * len(rows),
        date=[None] * len(rows),
        id=[f"passage:{k}" for k in range(len(rows))],
        report=DataReport(),
    )


def prose(data: Dataset, n: int, rng: Rng) -> list[tuple[str, str]]:
    """About ``n`` passages of articles with their sites, ∝ √(articles of the site)."""
    by_site = _by(_articles(data, published=False), "site")
    if not by_site:
        return []
    sites = sorted(by_site)
    weight = np.sqrt([len(by_site[s]) for s in sites])
    out: list[tuple[str, str]] = []
    for site in rng.choice(np.array(sites, object), 3 * n, p=weight / weight.sum()).tolist():
        articles = by_site[site]
        text = _passage(articles[int(rng.integers(len(articles)))], rng)
        if text:
            out.append((text, site))
        if len(out) == n:
            break
    return out


@dataclass(frozen=True, slots=True)
class Pairs:
    """Comments beside an article: their own (``other`` 0) or another (1)."""

    text: list[str]
    title: list[str | None]
    article: list[str | None]
    site: list[str]
    other: np.ndarray[Any, np.dtype[np.int8]]


def own_and_other(data: Dataset, most: int, rng: Rng) -> Pairs:
    """Ham comments with their own article, with another of the site, and with one of another site.

    At most ``most`` comments of one site are used.
    """
    articles = _articles(data)
    by_site, by_lang = _by(articles, "site"), _by(articles, "lang")
    own = {a.post: a for a in articles}
    rows: list[tuple[str, _Article, str, int]] = []
    for site, places in _ham_by_site(data, own).items():
        for i in rng.permutation(places)[:most].tolist():
            rows.append((data.text[i], own[data.post[i]], site, 0))
            for pool in (by_site[site], by_lang[data.lang[i]]):
                other = pool[int(rng.integers(len(pool)))]
                if other.post != data.post[i]:
                    rows.append((data.text[i], other, site, 1))
    return Pairs(
        [r[0] for r in rows],
        [r[1].title for r in rows],
        [r[1].text for r in rows],
        [r[2] for r in rows],
        np.array([r[3] for r in rows], np.int8),
    )


def _ham_by_site(data: Dataset, own: dict[str, _Article]) -> dict[str, list[int]]:
    out: dict[str, list[int]] = defaultdict(list)
    for i in np.flatnonzero(data.label == 0).tolist():
        if data.post[i] in own and data.kind[i] not in ("pingback", "trackback", "post"):
            out[data.site[i]].append(i)
    return out
