"""Why a verdict: the inputs of the last stage gathered into reasons that a person can check.

Usage::

    explainer = Explainer(parameters.inputs)
    explainer.reasons(Seen(fields, i, read, text_model, idf), parts, logit)     # tuple of Reason

The last stage is linear, so every input has a part in the log-odds: its weight times how far it is
from that of a typical ham comment.  Parts of inputs that speak of the same thing are added up; what
is left over, with the log-odds of the typical comment itself, stands under "rest".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter import compiled
from spamfilter.features.company import REACH
from spamfilter.features.fields import Fields, Reading
from spamfilter.features.hashing import tokens, word_hashes
from spamfilter.features.links import host_of
from spamfilter.features.relatedness import IDF_BITS
from spamfilter.features.signals import TextFacts
from spamfilter.features.wordlists import load_lists
from spamfilter.linear import GramModel
from spamfilter.records import Reason
from spamfilter.text import Batch, encode

__all__ = ["GROUPS", "Explainer", "Seen", "group_of"]

F64 = NDArray[np.float64]

#: Group, name and words when it speaks for spam, name and words when it speaks for ham.
GROUPS: Final = {
    "subject": ("off_topic", "shares no subject with the article", "on_topic", "takes up the article's subject"),
    "company": (
        "shares_nothing",
        "shares nothing with the other comments",
        "in_company",
        "takes up what other readers say",
    ),
    "words": ("spam_words", "worded like spam", "reader_words", "worded like a reader"),
    "prose": (
        "reads_like_copy",
        "reads like copied or advertising prose, not like a comment",
        "reads_like_comment",
        "reads like a comment",
    ),
    "name": (
        "author_name",
        "author name looks like a search phrase",
        "author_name_ordinary",
        "author name looks like a person's",
    ),
    "address": (
        "author_url",
        "author's link looks commercial",
        "author_url_ordinary",
        "author's link looks personal, or there is none",
    ),
    "links": ("links", "links or contact details in the text", "no_links", "no links in the text"),
    "selling": ("selling_words", "words that sell or promise", "no_selling_words", "no words that sell"),
    "praise": ("generic_praise", "praise that would fit any page", "plain_talk", "talks plainly"),
    "site": (
        "talks_of_site",
        "talks about the site instead of the subject",
        "not_about_site",
        "does not talk about the site",
    ),
    "disguise": ("disguised_letters", "disguised letters or hidden characters", "no_disguise", "no disguised letters"),
    "language": ("other_language", "another language than the article's", "same_language", "the article's language"),
    "talk": ("impersonal", "does not speak as a reader to others", "speaks_personally", "speaks as a reader to others"),
    "shape": (
        "unusual_shape",
        "length, case or signs unusual for a reader",
        "usual_shape",
        "length and signs usual for a reader",
    ),
}
_GROUP_OF: Final = {
    "subject": ("relation", "foreign", "far_", "near_", "article_", "title_", "copied"),
    "company": ("company",),
    "words": ("text",),
    "prose": ("prose", "far_prose"),
    "name": ("name", "author", "product_phrase", "product_selling"),
    "address": ("host", "url"),
    "links": ("link", "anchors", "bbcode", "bare_", "handles", "phones", "emails"),
    "selling": tuple(
        f"{a}_{b}"
        for a in ("says", "share")
        for b in (
            "trade",
            "money",
            "gambling",
            "pharma",
            "adult",
            "seo",
            "hype",
            "service",
            "testimony",
            "promote",
            "contact",
        )
    ),
    "praise": ("says_praise", "share_praise", "says_thanks", "share_thanks", "product_bare_praise"),
    "site": ("product_site", "says_site", "share_site", "says_writing", "share_writing"),
    "disguise": ("fancy_", "hidden_", "mixed_", "spaced_"),
    "language": ("other_", "same_", "language_"),
    "talk": ("says_", "share_"),
}
#: Reasons of less weight than this are not named: they move a probability of .5 to less than .58.
LEAST: Final = 0.3
#: Reasons named in a verdict, and in the column of a table.
MOST: Final = 6
MOST_IN_TABLE: Final = 3
#: Words quoted in a reason.
QUOTED: Final = 5


#: Inputs that say which fields there are, not what is in them: their parts stand under "rest".
_NO_REASON: Final = ("has_",)


def group_of(name: str) -> str:
    """The group of reasons that an input belongs to: the one whose prefix fits it best."""
    best, length = "shape", 0
    for group, prefixes in _GROUP_OF.items():
        for prefix in prefixes:
            if name.startswith(prefix) and len(prefix) > length:
                best, length = group, len(prefix)
    return best


@dataclass(frozen=True, slots=True)
class Seen:
    """A comment, number ``i`` of ``given``, with what was read of it and of its title and article."""

    given: Fields
    i: int
    read: Reading
    text: GramModel
    idf: NDArray[np.float32]


class Explainer:
    """Gathers the parts of inputs into reasons."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self.groups = list(GROUPS)
        place = {g: k for k, g in enumerate(self.groups)}
        self._labels = np.array([[GROUPS[g][0], GROUPS[g][2]] for g in self.groups], object)
        self._member = np.zeros((len(inputs), len(self.groups)))
        for i, name in enumerate(inputs):
            if not name.startswith(_NO_REASON):
                self._member[i, place[group_of(name)]] = 1.0

    def names(self, z: F64, coef: F64, typical: F64) -> list[str]:
        """For each row the names of the weightiest reasons for its side, as one string."""
        parts = z - typical
        parts *= coef
        weights = parts @ self._member
        left, rows = np.abs(weights), np.arange(len(weights))
        labels = []
        for _ in range(MOST_IN_TABLE):  # a few times the largest costs less than to sort them all
            largest = np.argmax(left, axis=1)
            left[rows, largest] = -1.0
            labels.append(self._labels[largest, (weights[rows, largest] < 0).astype(np.int64)].tolist())
        return [", ".join(row) for row in zip(*labels, strict=True)]

    def reasons(self, comment: Seen, parts: F64, logit: float) -> tuple[Reason, ...]:
        """Reasons for a comment, given the parts of the inputs; their weights add up to ``logit``."""
        weights = np.round(parts @ self._member, 6).tolist()
        named = [k for k, weight in enumerate(weights) if abs(weight) >= LEAST]
        order = sorted(named, key=lambda k: -abs(weights[k]))[:MOST]
        out = [_reason(self.groups[k], weights[k], comment) for k in order]
        rest = logit - sum(r.weight for r in out)
        out.append(Reason("rest", "everything else", rest))
        return tuple(out)


def _reason(group: str, weight: float, comment: Seen) -> Reason:
    spam_name, spam_words, ham_name, ham_words = GROUPS[group]
    name, words = (spam_name, spam_words) if weight > 0 else (ham_name, ham_words)
    if group == "name" and not comment.given.authors[comment.i]:
        name, words = ("no_author", "gives no author name")
    if group == "address" and not comment.given.urls[comment.i]:
        name, words = ("no_author_url", "the author's name links nowhere")
    shown = _SHOWN.get(group)
    extra = shown(comment, weight) if shown else ""
    return Reason(name, words + (f": {extra}" if extra else ""), weight)


def _subject(comment: Seen, weight: float) -> str:
    """The rarest words that stand in the context too (or, for spam, that do not)."""
    context = int(comment.given.context_of[comment.i])
    if context < 0:
        return ""
    return _rare_words(comment, _of(comment.read.titles, context), _of(comment.read.articles, context), weight < 0)


def _company(comment: Seen, weight: float) -> str:
    """The rarest words that other comments of the page have too; none where it shares little."""
    if comment.given.thread_of is None or weight > 0:
        return ""
    facts, i = comment.read.texts, comment.i  # verdicts with reasons are given on one page at a time
    begin, end = max(i - REACH, 0), min(i + REACH + 1, len(comment.given))
    before, after = (facts.word, facts.ptr[begin], facts.ptr[i]), (facts.word, facts.ptr[i + 1], facts.ptr[end])
    return _rare_words(comment, before, after, True)


#: Hashed words of several texts, and where those that are meant begin and end.
_Part = tuple[NDArray[np.uint32], int, int]


def _rare_words(comment: Seen, one: _Part, other: _Part, wanted: bool) -> str:
    """The rarest words of a comment that either part has too (``wanted``), or neither has."""
    batch, places = comment.read.texts.batch, None
    if compiled.kernel is not None:
        places = compiled.kernel.rarest(
            *(batch.points, batch.classes, batch.starts[comment.i], batch.starts[comment.i + 1]),
            *_of(comment.read.texts, comment.i),
            *(*one, *other),
            *(cc.patterns(), comment.idf, 32 - IDF_BITS, wanted, LOOKED_AT, QUOTED),
        )
    if places is None:
        places = _rarest(comment, one, other, wanted)
    return ", ".join(batch.spelled(a, b) for a, b in places)


#: Rare words looked at for quotation: some of them are the same word again, or single letters.
LOOKED_AT: Final = 20


def _of(facts: TextFacts, i: int) -> _Part:
    """All hashed words, and where those of text ``i`` begin and end."""
    return facts.word, facts.ptr[i], facts.ptr[i + 1]


def _rarest(comment: Seen, one: _Part, other: _Part, wanted: bool) -> list[tuple[int, int]]:
    """Places in the batch of the rarest words that either part has too (``wanted``), or neither has."""
    word, here, there = (whole[a:b] for whole, a, b in (_of(comment.read.texts, comment.i), one, other))
    batch, at = comment.read.texts.batch, int(comment.read.texts.batch.starts[comment.i])
    places = [(a + at, b + at) for a, b in _word_places(batch.only(comment.i), len(word))]
    if not places:
        return []
    rarity = comment.idf[word >> np.uint32(32 - IDF_BITS)] * (np.isin(word, np.concatenate((here, there))) == wanted)
    order = np.argsort(-rarity, kind="stable")[:LOOKED_AT]
    order = order[rarity[order] > 0]
    found: dict[str, tuple[int, int]] = {}
    for a, b in (places[k] for k in order.tolist()):
        if b - a > 1:
            found.setdefault(batch.spelled(a, b), (a, b))
    return list(found.values())[:QUOTED]


def _word_places(batch: Batch, n: int) -> list[tuple[int, int]]:
    """Places of the words that ``word_hashes`` saw, if they can be told (not for Chinese and Japanese)."""
    begin, end, _, _ = tokens(batch)
    places = list(zip(begin.tolist(), end.tolist(), strict=True))
    words = [(a, b) for a, b in places if b - a > 1 or batch.spelled(a, b).isalnum()]
    return words if len(words) == n else []


#: Characters of a comment in which the words are looked for that speak loudest.
READ: Final = 5000


def _words(comment: Seen, weight: float) -> str:
    """The words with the largest weights on the side of the verdict."""
    text, batch, i = comment.given.texts[comment.i], comment.read.texts.batch, comment.i
    if len(text) > READ:
        batch, i = encode([text[:READ]]), 0
    places = quotes(batch, comment.text, 1.0 if weight > 0 else -1.0, i)
    return ", ".join(batch.spelled(a, b).strip() for a, b in places)


def quotes(batch: Batch, model: GramModel, sign: float, i: int = 0) -> list[tuple[int, int]]:
    """Places of the words and pairs of text ``i`` that the model weighs most, those that tell a person something."""
    if compiled.kernel is None:
        at = int(batch.starts[i])
        return [(a + at, b + at) for a, b in _quotes(batch.only(i), model, sign)]
    grams, lists = model.grams, load_lists()
    places: list[tuple[int, int]] = compiled.kernel.quotes(
        *(batch.points, batch.classes, batch.starts[i], batch.starts[i + 1]),
        *(model.word, grams.word_bits, grams.salt, sign),
        *(lists.keys, lists.member, _function_words(), QUOTED),
    )
    return places


def _quotes(batch: Batch, model: GramModel, sign: float) -> list[tuple[int, int]]:
    number, start, end = model.grams.word_grams(batch)
    value = model.word[number] * sign
    order = np.argsort(-value, kind="stable")
    order = order[: np.count_nonzero(value > 0)]
    kind = batch.classes
    letter = (kind >= cc.LATIN) & (kind <= cc.KANA) & (kind != cc.DIGIT) & (kind != cc.MARK)
    said: list[str] = []
    taken: list[tuple[int, int]] = []
    for at in range(0, len(order), LOOKED_UP):
        places = [(int(start[k]), int(end[k])) for k in order[at : at + LOOKED_UP]]
        spelled = [batch.spelled(a, b).strip() for a, b in places]
        for (a, b), words, telling in zip(places, spelled, _telling(spelled), strict=True):
            if not telling or not letter[a:b].any() or words in said or any(x < b and a < y for x, y in taken):
                continue
            taken.append((a, b))
            said.append(words)
            if len(said) == QUOTED:
                return taken
    return taken


#: Candidates for quotation looked up at once: mostly enough to find five that tell something.
LOOKED_UP: Final = 16


def _telling(spelled: list[str]) -> list[bool]:
    """For each: is there a word in it that is neither a sign nor a function word."""
    word, _, ptr = word_hashes(encode(spelled))
    common, hashes, edges = _common_words(), word.tolist(), ptr.tolist()
    return [any(h not in common for h in hashes[a:b]) for a, b in pairwise(edges)]


def _name(comment: Seen, _: float) -> str:
    return (comment.given.authors[comment.i] or "").strip()[:60]


@cache
def _common_words() -> frozenset[int]:
    """Hashes of function words, which explain nothing to a person."""
    lists = load_lists()
    return frozenset(lists.keys[(lists.member & np.uint64(_function_words())) > 0].tolist())


@cache
def _function_words() -> int:
    """The lists of function words, one bit each."""
    return sum(1 << k for k, name in enumerate(load_lists().names) if name.startswith("lang_"))


def _address(comment: Seen, _: float) -> str:
    return host_of(comment.given.urls[comment.i] or "")[:60]


_SHOWN: Final[dict[str, Callable[[Seen, float], str]]] = {
    "subject": _subject,
    "company": _company,
    "words": _words,
    "name": _name,
    "address": _address,
}
