"""The words of comments that reasons quote: the rarest that the article shares or lacks, the loudest of a model.

Usage::

    seen = Seen(fields, read, text_model, idf)
    subject_words(seen, [(0, True), (3, False)])    # of comment 0 those shared with its article, of 3 those lacking
    loud_words(seen, [(0, True)])                   # of comment 0 those that speak for spam

Each gives one string a comment asked for: words with a comma between them, empty where there are none to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter import compiled
from spamfilter.features.fields import Fields, Reading
from spamfilter.features.hashing import tokens, word_hashes
from spamfilter.features.relatedness import IDF_BITS
from spamfilter.features.signals import TextFacts
from spamfilter.features.wordlists import load_lists
from spamfilter.linear import GramModel
from spamfilter.text import Batch, encode

__all__ = ["QUOTED", "Seen", "loud_words", "subject_words"]

#: Words quoted in a reason.
QUOTED: Final = 5
#: Rare words looked at for quotation: some of them are the same word again, or single letters.
LOOKED_AT: Final = 20
#: Characters of a comment in which the words are looked for that speak loudest.
READ: Final = 5000

Places = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Seen:
    """Comments, with what was read of them and of their titles and articles."""

    given: Fields
    read: Reading
    text: GramModel
    idf: NDArray[np.float32]


# ------------------------------------------------------------------ what comment and context share
def subject_words(seen: Seen, asked: Sequence[tuple[int, bool]]) -> list[str]:
    """Of each comment (its number) the rarest words that title and article have too (True), or have not."""
    context_of = seen.given.context_of
    rows = [(i, shared) for i, shared in asked if context_of[i] >= 0]
    found = dict(zip(rows, _rarest_of(seen, rows), strict=True)) if rows else {}
    return [found.get(row, "") for row in asked]


def _rarest_of(seen: Seen, rows: Sequence[tuple[int, bool]]) -> list[str]:
    said: list[str | None] = [None] * len(rows)
    if compiled.kernel is not None:
        read = seen.read
        said = compiled.kernel.rarest(
            *(read.texts.batch.points, read.texts.batch.classes, read.texts.batch.starts),
            *(np.array([i for i, _ in rows], np.int64), np.array([s for _, s in rows], np.uint8)),
            seen.given.context_of,
            *(part for facts in (read.texts, read.titles, read.articles) for part in (facts.word, facts.ptr)),
            *(cc.patterns(), seen.idf, 32 - IDF_BITS, LOOKED_AT, QUOTED),
        )
    return [
        _spelled(seen.read.texts.batch, _rarest(seen, i, shared)) if words is None else words
        for words, (i, shared) in zip(said, rows, strict=True)
    ]


def _rarest(seen: Seen, i: int, wanted: bool) -> Places:
    """Places in the batch of the rarest words that title and article have too (``wanted``), or have not."""
    context, facts = int(seen.given.context_of[i]), seen.read.texts
    word, title, article = (
        _words_of(facts, i),
        _words_of(seen.read.titles, context),
        _words_of(seen.read.articles, context),
    )
    batch, at = facts.batch, int(facts.batch.starts[i])
    places = [(a + at, b + at) for a, b in _word_places(batch.only(i), len(word))]
    if not places:
        return []
    rarity = seen.idf[word >> np.uint32(32 - IDF_BITS)] * (np.isin(word, np.concatenate((title, article))) == wanted)
    order = np.argsort(-rarity, kind="stable")[:LOOKED_AT]
    order = order[rarity[order] > 0]
    found: dict[str, tuple[int, int]] = {}
    for a, b in (places[k] for k in order.tolist()):
        if b - a > 1:
            found.setdefault(batch.spelled(a, b), (a, b))
    return list(found.values())[:QUOTED]


def _words_of(facts: TextFacts, i: int) -> NDArray[np.uint32]:
    return facts.word[facts.ptr[i] : facts.ptr[i + 1]]


def _word_places(batch: Batch, n: int) -> Places:
    """Places of the words that ``word_hashes`` saw, if they can be told (not for Chinese and Japanese)."""
    begin, end, _, _ = tokens(batch)
    places = list(zip(begin.tolist(), end.tolist(), strict=True))
    words = [(a, b) for a, b in places if b - a > 1 or batch.spelled(a, b).isalnum()]
    return words if len(words) == n else []


# ------------------------------------------------------------------ the words with the largest weights
def loud_words(seen: Seen, asked: Sequence[tuple[int, bool]]) -> list[str]:
    """Of each comment (its number) the words and pairs that the model of the text weighs most, for spam (True) or ham."""
    batch, texts = seen.read.texts.batch, seen.given.texts
    long = {row for row in asked if len(texts[row[0]]) > READ}
    found = dict(zip(short := [r for r in asked if r not in long], _loudest_of(batch, seen.text, short), strict=True))
    for row in long:
        found[row] = _loudest_of(encode([texts[row[0]][:READ]]), seen.text, [(0, row[1])])[0]
    return [found[row] for row in asked]


def _loudest_of(batch: Batch, model: GramModel, rows: Sequence[tuple[int, bool]]) -> list[str]:
    if compiled.kernel is None:
        return [_spelled(batch, _loudest(batch, model, 1.0 if spam else -1.0, i)) for i, spam in rows]
    grams, lists = model.grams, load_lists()
    said: list[str] = compiled.kernel.quotes(
        *(batch.points, batch.classes, batch.starts),
        *(np.array([i for i, _ in rows], np.int64), np.array([1.0 if spam else -1.0 for _, spam in rows])),
        *(model.word, grams.word_bits, grams.salt),
        *(lists.keys, lists.member, _function_words(), QUOTED),
    )
    return said


def _loudest(whole: Batch, model: GramModel, sign: float, i: int) -> Places:
    """Places of the words and pairs of text ``i`` that the model weighs most, those that tell a person something."""
    batch, base = whole.only(i), int(whole.starts[i])
    number, start, end = model.grams.word_grams(batch)
    value = model.word[number] * sign
    order = np.argsort(-value, kind="stable")
    order = order[: np.count_nonzero(value > 0)]
    kind = batch.classes
    letter = (kind >= cc.LATIN) & (kind <= cc.KANA) & (kind != cc.DIGIT) & (kind != cc.MARK)
    said: list[str] = []
    taken: Places = []
    for at in range(0, len(order), LOOKED_UP):
        places = [(int(start[k]), int(end[k])) for k in order[at : at + LOOKED_UP]]
        spelled = [batch.spelled(a, b) for a, b in places]
        for (a, b), words, telling in zip(places, spelled, _telling(spelled), strict=True):
            if not telling or not letter[a:b].any() or words in said or any(x < b and a < y for x, y in taken):
                continue
            taken.append((a, b))
            said.append(words)
            if len(said) == QUOTED:
                return [(a + base, b + base) for a, b in taken]
    return [(a + base, b + base) for a, b in taken]


#: Candidates for quotation looked up at once: mostly enough to find five that tell something.
LOOKED_UP: Final = 16


def _telling(spelled: list[str]) -> list[bool]:
    """For each: is there a word in it that is neither a sign nor a function word."""
    word, _, ptr = word_hashes(encode(spelled))
    common, hashes, edges = _common_words(), word.tolist(), ptr.tolist()
    return [any(h not in common for h in hashes[a:b]) for a, b in pairwise(edges)]


@cache
def _common_words() -> frozenset[int]:
    """Hashes of function words, which explain nothing to a person."""
    lists = load_lists()
    return frozenset(lists.keys[(lists.member & np.uint64(_function_words())) > 0].tolist())


@cache
def _function_words() -> int:
    """The lists of function words, one bit each."""
    return sum(1 << k for k, name in enumerate(load_lists().names) if name.startswith("lang_"))


def _spelled(batch: Batch, places: Places) -> str:
    return ", ".join([batch.spelled(a, b) for a, b in places])
