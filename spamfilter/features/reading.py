"""All texts of a batch of comments read in one go: comments, names, hosts, titles and articles.

Usage::

    seen = read(texts, authors, urls, titles, articles)
    seen.texts.word, seen.names.batch, seen.articles.ptr

To read a text of a few words costs as much as to set out for it; a page's comments, their authors and its article are
therefore read as one array and told apart afterwards.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import Final

from spamfilter.features.links import own_host
from spamfilter.features.signals import TextFacts, text_facts
from spamfilter.text import Batch, encode

__all__ = ["Reading", "forget", "host_texts", "name_texts", "read"]

#: Longest context that is kept for the next call, and most that is kept with it, in characters.
KEPT: Final = 100_000
#: Titles and articles that are kept: those of the longest take 40 MB.
MOST_KEPT: Final = 32


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of the fields of a batch, each in its order.

    ``names`` (as ``name_texts`` gives them) is empty where there are neither names nor addresses, ``hosts`` (as
    ``host_texts`` gives them) where there are no addresses.
    """

    texts: TextFacts
    names: TextFacts
    titles: TextFacts
    articles: TextFacts
    hosts: Batch


def name_texts(authors: Sequence[str | None]) -> list[str]:
    """Authors' names as the model of names reads them."""
    return [a or "" for a in authors]


def host_texts(urls: Sequence[str | None]) -> list[str]:
    """Hosts of the authors' addresses as the model of hosts reads them."""
    return [own_host(u) if u else "" for u in urls]


def read(
    texts: Sequence[str],
    authors: Sequence[str | None],
    urls: Sequence[str | None],
    titles: Sequence[str],
    articles: Sequence[str],
) -> Reading:
    """Read the fields of comments; of titles and articles each different pair once."""
    linked = any(urls)
    names = name_texts(authors) if linked or any(authors) else []
    hosts = host_texts(urls) if linked else []
    old = [_kept(titles), _kept(articles)]
    new = [[] if kept else list(contexts) for kept, contexts in zip(old, (titles, articles), strict=True)]
    whole = encode([*texts, *names, *new[0], *new[1], *hosts])
    facts = text_facts(whole.part(0, len(whole) - len(hosts)))
    ends = [0]
    for part in (texts, names, *new):
        ends.append(ends[-1] + len(part))
    mine, theirs, *read_now = [facts.part(a, b) if a < b else nothing() for a, b in pairwise(ends)]
    title, article = (kept or _keep(these, part, whole) for kept, these, part in zip(old, new, read_now, strict=True))
    return Reading(mine, theirs, title, article, whole.part(ends[-1], len(whole)) if hosts else nothing().batch)


@cache
def nothing() -> TextFacts:
    """What is read of no texts."""
    return text_facts(encode([]))


# ------------------------------------------------------------------ the last titles and articles
_memory: OrderedDict[str, TextFacts] = OrderedDict()
_lock: Final = Lock()


def _kept(contexts: Sequence[str]) -> TextFacts | None:
    """What is known of a title or an article that stands alone: the next comment may stand under it too."""
    if len(contexts) != 1:
        return None
    with _lock:
        facts = _memory.get(contexts[0])
        if facts is not None:
            _memory.move_to_end(contexts[0])
    return facts


def _keep(contexts: Sequence[str], facts: TextFacts, whole: Batch) -> TextFacts:
    if len(contexts) != 1 or len(contexts[0]) > KEPT:
        return facts
    if len(whole.points) > KEPT:  # else what was read with it may stay in memory too, which is faster than a copy
        facts = facts.copy()
    with _lock:
        _memory[contexts[0]] = facts
        if len(_memory) > MOST_KEPT:
            _memory.popitem(last=False)
    return facts


def forget() -> None:
    """Forget the titles and articles that were kept."""
    with _lock:
        _memory.clear()
