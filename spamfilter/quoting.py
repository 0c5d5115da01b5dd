"""The words of comments that reasons quote: the rarest that the article shares or lacks, the loudest of a model.

Usage::

    seen = Seen(fields, read, text_model, idf)
    subject_words(seen, rows, ham)    # for ham the rarest words shared with the article, for spam those it lacks
    company_words(seen, rows, ham)    # for ham the rarest words that other comments of the page have too
    loud_words(seen, rows, ham)       # the words that speak loudest for ham, or for spam

``rows`` (int64) are the comments asked for and ``ham`` (bool) their sides.  Each gives one string a row: words with a
comma between them, empty where there are none to be told.
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
from spamfilter.features.fields import Fields
from spamfilter.features.hashing import tokens, word_hashes
from spamfilter.features.reading import Reading
from spamfilter.features.relatedness import IDF_BITS
from spamfilter.features.signals import TextFacts
from spamfilter.features.wordlists import load_lists
from spamfilter.linear import GramModel
from spamfilter.text import Batch, encode

__all__ = ["QUOTED", "Seen", "company_words", "loud_words", "subject_words"]

#: Words quoted in a reason.
QUOTED: Final = 5
#: Rare words looked at for quotation: some of them are the same word again, or single letters.
LOOKED_AT: Final = 20
#: Rarity (0..1, as the model's table of document frequencies has it) from which on a word is quoted: those in more than
#: one text in twenty are function words, which tell a person nothing.
LEAST: Final = 0.3
#: Characters of a comment in which the words are looked for that speak loudest.
READ: Final = 5000

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
_NO_THREADS: Final = np.zeros(0, np.int64)
Places = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Seen:
    """Comments, with what was read of them and of their titles and articles."""

    given: Fields
    read: Reading
    text: GramModel
    idf: NDArray[np.float32]


# ------------------------------------------------------------------ what comment and context share
def subject_words(seen: Seen, rows: I64, ham: Flags) -> Sequence[str | None]:
    """The rarest words of each comment that its title and article have too (``ham``), or have not; None where there is
    neither."""
    placed = seen.given.context_of[rows] >= 0
    if placed.all():
        return _rarest_of(seen, rows, ham)
    found = iter(_rarest_of(seen, rows[placed], ham[placed]) if placed.any() else ())
    return [next(found) if there else None for there in placed.tolist()]


def company_words(seen: Seen, rows: I64, ham: Flags) -> list[str]:
    """The rarest words of each comment that others of its page have too; none for spam, which shares little."""
    if seen.given.thread_of is None or not ham.any():
        return [""] * len(rows)
    found = iter(_rarest_of(seen, rows[ham], np.ones(int(ham.sum()), np.bool_), others=True))
    return [next(found) if there else "" for there in ham.tolist()]


def _rarest_of(seen: Seen, rows: I64, shared: Flags, *, others: bool = False) -> list[str]:
    said: list[str | None] = [None] * len(rows)
    if compiled.kernel is not None:
        texts, titles, articles = seen.read.texts, seen.read.titles, seen.read.articles
        said = compiled.kernel.rarest(
            *(texts.batch.points, texts.batch.classes, texts.batch.starts),
            *(rows, shared, seen.given.context_of),
            *(texts.word, texts.ptr, titles.word, titles.ptr, articles.word, articles.ptr),
            *(cc.patterns(), seen.idf, seen.given.thread_of if others else _NO_THREADS),
            *(32 - IDF_BITS, LOOKED_AT, QUOTED, LEAST),
        )
    if None not in said:
        return said  # type: ignore[return-value]
    return [
        _spelled(seen.read.texts.batch, _rarest(seen, i, there, others)) if words is None else words
        for words, i, there in zip(said, rows.tolist(), shared.tolist(), strict=True)
    ]


def _rarest(seen: Seen, i: int, wanted: bool, others: bool) -> Places:
    """Places in the batch of the rarest words that the context has too (``wanted``), or has not."""
    facts, word = seen.read.texts, _words_of(seen.read.texts, i)
    context = _of_others(facts, i, seen.given.thread_of) if others else _of_article(seen, int(seen.given.context_of[i]))
    batch, at = facts.batch, int(facts.batch.starts[i])
    places = [(a + at, b + at) for a, b in _word_places(batch.only(i), len(word))]
    if not places:
        return []
    rarity = seen.idf[word >> np.uint32(32 - IDF_BITS)] * (np.isin(word, context) == wanted)
    order = np.argsort(-rarity, kind="stable")[:LOOKED_AT]
    order = order[rarity[order] > LEAST]
    found: dict[str, tuple[int, int]] = {}
    for a, b in (places[k] for k in order.tolist()):
        if b - a > 1:
            found.setdefault(batch.spelled(a, b), (a, b))
    return list(found.values())[:QUOTED]


def _of_article(seen: Seen, context: int) -> NDArray[np.uint32]:
    return np.concatenate((_words_of(seen.read.titles, context), _words_of(seen.read.articles, context)))


def _of_others(facts: TextFacts, i: int, thread_of: I64 | None) -> NDArray[np.uint32]:
    """Words of the other comments of the page of comment ``i``."""
    if thread_of is None:
        return facts.word[:0]
    others = np.flatnonzero(thread_of == thread_of[i]).tolist()
    return np.concatenate([facts.word[:0], *(_words_of(facts, k) for k in others if k != i)])


def _words_of(facts: TextFacts, i: int) -> NDArray[np.uint32]:
    return facts.word[facts.ptr[i] : facts.ptr[i + 1]]


def _word_places(batch: Batch, n: int) -> Places:
    """Places of the words that ``word_hashes`` saw, if they can be told (not for Chinese and Japanese)."""
    begin, end, _, _ = tokens(batch)
    places = list(zip(begin.tolist(), end.tolist(), strict=True))
    words = [(a, b) for a, b in places if b - a > 1 or batch.spelled(a, b).isalnum()]
    return words if len(words) == n else []


# ------------------------------------------------------------------ the words with the largest weights
def loud_words(seen: Seen, rows: I64, ham: Flags) -> list[str]:
    """The words and pairs of each comment that the model of the text weighs most, for ham or for spam."""
    batch, texts = seen.read.texts.batch, seen.given.texts
    long = np.array([len(texts[i]) > READ for i in rows.tolist()], np.bool_)
    if not long.any():
        return _loudest_of(batch, seen.text, rows, ham)
    found = iter(_loudest_of(batch, seen.text, rows[~long], ham[~long]))
    return [
        _loudest_of(encode([texts[i][:READ]]), seen.text, _FIRST, ham[k : k + 1])[0] if long[k] else next(found)
        for k, i in enumerate(rows.tolist())
    ]


_FIRST: Final = np.zeros(1, np.int64)


def _loudest_of(batch: Batch, model: GramModel, rows: I64, ham: Flags) -> list[str]:
    if compiled.kernel is None:
        sides = zip(rows.tolist(), ham.tolist(), strict=True)
        return [_spelled(batch, _loudest(batch, model, -1.0 if is_ham else 1.0, i)) for i, is_ham in sides]
    grams, lists = model.grams, load_lists()
    said: list[str] = compiled.kernel.quotes(
        *(batch.points, batch.classes, batch.starts),
        *(rows, ham, model.word, grams.word_bits, grams.salt),
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
        places = [_without_clutter(kind, int(start[k]), int(end[k])) for k in order[at : at + LOOKED_UP]]
        spelled = [batch.spelled(a, b) for a, b in places]
        for (a, b), words, telling in zip(places, spelled, _telling(spelled), strict=True):
            if not telling or not letter[a:b].any() or words in said or any(x < b and a < y for x, y in taken):
                continue
            taken.append((a, b))
            said.append(words)
            if len(said) == QUOTED:
                return [(a + base, b + base) for a, b in taken]
    return [(a + base, b + base) for a, b in taken]


def _without_clutter(kind: NDArray[np.uint8], a: int, b: int) -> tuple[int, int]:
    """Of a sign and a word the word: quotations are a list with commas, where a sign beside a word reads as a slip."""
    if b - a > 1 and kind[a] in _CLUTTER:
        a += 1
        while a < b - 1 and _is_gap(kind[a]):
            a += 1
    elif b - a > 1 and kind[b - 1] in _CLUTTER:
        b -= 1
        while a < b - 1 and _is_gap(kind[b - 1]):
            b -= 1
    return a, b


def _is_gap(kind: int) -> bool:
    return kind <= cc.NEWLINE or kind >= cc.INVISIBLE


#: Signs that tell nothing by themselves; a call, a question, money and emoji do.
_CLUTTER: Final = frozenset((cc.STOP, cc.BRACKET, cc.TECHNICAL, cc.OTHER_PUNCTUATION))
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
