"""Comments as fixed-size records in which repetitions can be found without the texts.

Usage::

    SignJob(format=Format("bytes"))(raw_page).piece       # records of the page's comments, as bytes
    np.memmap("comments.bin", RECORD)                     # all of them
    wordings(["a text", "another"])                       # how a text is found again

A record has 92 bytes and no text.  Short comments ("thanks!", "great post, keep it up") get none: that they repeat
says nothing.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from spamfilter.batch.jobs import PageJob, tally_of
from spamfilter.batch.outcome import Outcome
from spamfilter.features.hashing import distinct_words, word_hashes
from spamfilter.features.relatedness import Words, pairs_of
from spamfilter.files.rawpage import RawPage
from spamfilter.minhash import BANDS, lowest
from spamfilter.records import Comment, Page
from spamfilter.text import encode

__all__ = [
    "FEWEST_PAIRS",
    "RECORD",
    "SignJob",
    "Stand",
    "article_start",
    "host_of_site",
    "page_number",
    "records",
    "signed",
    "wordings",
]

#: ``wording``: the text without links, numbers, case and disguise; ``bands``: its MinHash signature, 16 bits a
#: permutation, so that each band is one number; ``page``: where it stood; ``site``, ``article``, ``voice`` (author and
#: wording): what tells a campaign from one comment that was seen again.
RECORD: Final = np.dtype(
    [("wording", "<u8"), ("bands", "<u8", (BANDS,)), ("page", "<u8")]
    + [(name, "<u4") for name in ("site", "article", "voice")]
)
#: Comments with fewer different pairs of neighbouring words get no record.  Among 16,000 comments of readers nothing
#: of 6 pairs recurs in three places (benchmarks/campaigns.py), but a crawl has many more, and sentences of thanks have
#: up to a dozen words.
FEWEST_PAIRS: Final = 12
# Campaigns change their links and numbers and keep their words.
_VARIES: Final = re.compile(r"https?://\S+|www\.\S+|<[^<>]*>|\d+")
# An article is told by its beginning, which mirrors and later pages of its comments have too.
_ARTICLE: Final = 400
# With less than this of an article, which may be a teaser, the title has a say.
_SHORT_ARTICLE: Final = 80


@dataclass
class SignJob(PageJob):
    """The records of every page's comments; needs no model."""

    def on_page(self, raw: RawPage, page: Page) -> Outcome:
        """The records of one page."""
        records = signed(page.comments, page, raw.name)
        return Outcome(records.tobytes(), {**tally_of(page, ()), "signed": len(records)})


def signed(comments: Sequence[Comment], page: Page, name: str) -> NDArray[np.void]:
    """The records of ``comments`` under ``page``, which is called ``name`` in the input; short ones get none."""
    stand = Stand(
        page_number(name), host_of_site(page.url), article_start(page.article, page.title) or page.url or name
    )
    return records([(comment.text, comment.author, stand) for comment in comments])


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a comment stands: the number of its page, its site, and what tells the article above it."""

    page: int
    site: str
    article: str


def records(comments: Sequence[tuple[str, str | None, Stand]]) -> NDArray[np.void]:
    """The records of comments (text, author, stand), without those that are too short to have one."""
    words = _words([text for text, _, _ in comments])
    pairs, ptr = pairs_of(words)
    long = np.flatnonzero(distinct_words(pairs, ptr) >= FEWEST_PAIRS)
    out = np.zeros(len(long), RECORD)
    if not len(long):
        return out
    keys, kept = _wordings(words)[long], [comments[i] for i in long.tolist()]
    number = cache(_number)
    out["wording"] = keys
    out["bands"] = lowest(pairs, ptr)[long].astype("<u2").view("<u8")
    out["page"] = [stand.page for _, _, stand in kept]
    out["site"] = [number(stand.site, 4) for _, _, stand in kept]
    out["article"] = [number(stand.article, 4) for _, _, stand in kept]
    out["voice"] = [
        _number(f"{(author or '').strip()}\0{key}", 4) for (_, author, _), key in zip(kept, keys, strict=True)
    ]
    return out


def wordings(texts: Sequence[str]) -> NDArray[np.uint64]:
    """A number for each text, equal for texts that differ in links, numbers, letter case, signs or disguise only."""
    return _wordings(_words(texts))


def page_number(name: str) -> int:
    """The number of the page called ``name`` in the input."""
    return _number(name, 8)


def host_of_site(url: str | None) -> str:
    """The host that counts as a site, "" where it is not known."""
    try:
        return (urlsplit(url or "").hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""


def _words(texts: Sequence[str]) -> Words:
    word, _, ptr = word_hashes(encode([_VARIES.sub(" ", text) for text in texts]))
    return word, ptr


def _wordings(words: Words) -> NDArray[np.uint64]:
    data, edges = words[0].astype("<u4").tobytes(), (4 * words[1]).tolist()
    digests = [hashlib.blake2b(data[a:b], digest_size=8).digest() for a, b in itertools.pairwise(edges)]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def article_start(article: str, title: str | None) -> str:
    """What tells one article from another: how it begins, with its title where that is short."""
    start = " ".join(article[: 2 * _ARTICLE].split())[:_ARTICLE].lower()
    return start if len(start) >= _SHORT_ARTICLE else f"{title or ''} {start}".strip().lower()


def _number(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest(), "little")
