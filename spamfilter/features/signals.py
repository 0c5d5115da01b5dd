"""Named signals: what a person would look at in a comment, its author and its links, as numbers.

Usage::

    table = signals(fields)                # Signals: names, values float64 (comments, signals)

Counts enter as ``log1p``, parts as shares, so that no signal grows without bound with the length of a
comment.  The script that a text is written in is never a signal by itself; that it differs from the
article's is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter.features.hashing import word_hashes
from spamfilter.features.links import LINK_COLUMNS, URL_COLUMNS, host_of, link_counts, url_signals
from spamfilter.features.wordlists import load_lists
from spamfilter.text import Batch

__all__ = ["TextFacts", "author_signals", "languages", "text_facts", "text_signals"]

F64 = NDArray[np.float64]

_SCRIPTS: Final = (cc.LATIN, cc.CYRILLIC, cc.GREEK, cc.HANGUL, cc.ARABIC, cc.HEBREW, cc.THAI, cc.INDIC, cc.HAN, cc.KANA)
#: Lists that sell something: their words in a name or address make it a search phrase.
SELLING: Final = ("trade", "money", "gambling", "pharma", "adult", "seo", "service", "hype")


@dataclass(frozen=True, slots=True)
class TextFacts:
    """Counts behind the signals of a batch of texts, shared by several features.

    ``classes`` (texts × character classes) counts characters as given, ``upper`` upper-case
    letters; ``word``, ``stem`` and ``ptr`` are the hashed words; ``lists`` (texts × word lists)
    counts words of each list.
    """

    batch: Batch
    classes: F64
    upper: F64
    word: NDArray[np.uint32]
    stem: NDArray[np.uint32]
    ptr: NDArray[np.int64]
    lists: F64


def text_facts(batch: Batch) -> TextFacts:
    """Count characters, words and listed words of each text."""
    word, stem, ptr = word_hashes(batch)
    owner = np.repeat(np.arange(len(batch)), np.diff(batch.raw_starts))
    kinds = batch.raw_classes & 0x7F
    classes = np.bincount(owner * cc.CLASSES + kinds, minlength=len(batch) * cc.CLASSES)
    upper = np.bincount(owner[batch.raw_classes >= cc.UPPER], minlength=len(batch))
    lists = load_lists().counts(word, ptr)
    return TextFacts(
        batch,
        classes.reshape(len(batch), cc.CLASSES).astype(np.float64),
        upper.astype(np.float64),
        word,
        stem,
        ptr,
        lists.astype(np.float64),
    )


def languages(facts: TextFacts) -> tuple[NDArray[np.int64], F64]:
    """Language of each text as a number, and how sure: (language, margin 0..1).

    Numbers from 0 are the ``lang_`` lists in their order; scripts that tell the language by
    themselves follow (100 + class); -1 where nothing can be told (fewer than two function words).
    """
    names = load_lists().names
    columns = [i for i, n in enumerate(names) if n.startswith("lang_")]
    hits = facts.lists[:, columns]
    best = np.argmax(hits, axis=1)
    top = hits[np.arange(len(hits)), best]
    rest = hits.copy()
    rest[np.arange(len(hits)), best] = 0
    margin = (top - rest.max(axis=1, initial=0)) / np.maximum(top, 1)
    language = np.where((top >= 2) & (margin > 0), best, -1)
    script = _main_script(facts)
    telling = ~np.isin(script, (cc.LATIN, cc.CYRILLIC, cc.GREEK, -1))
    language = np.where(telling, 100 + np.where(script == cc.KANA, cc.KANA, script), language)
    return language, np.where(telling, 1.0, margin * (language >= 0))


def _main_script(facts: TextFacts) -> NDArray[np.int64]:
    counts = facts.classes[:, _SCRIPTS].copy()
    kana = counts[:, _SCRIPTS.index(cc.KANA)]
    counts[:, _SCRIPTS.index(cc.KANA)] += np.where(kana > 0, counts[:, _SCRIPTS.index(cc.HAN)], 0)  # Japanese mixes both
    main = np.array(_SCRIPTS)[np.argmax(counts, axis=1)]
    return np.where(counts.max(axis=1, initial=0) > 0, main, -1)


def scripts_differ(facts: TextFacts, other: TextFacts, index: NDArray[np.int64]) -> F64:
    """1 where the text and its context are mainly in different scripts."""
    mine, theirs = _main_script(facts), _main_script(other)
    return ((index >= 0) & (mine >= 0) & (theirs[index] >= 0) & (mine != theirs[index])).astype(np.float64)


def text_signals(texts: Sequence[str], facts: TextFacts) -> tuple[list[str], F64]:
    """Signals of the comments' own texts: (names, values)."""
    c, batch = facts.classes, facts.batch
    size = np.maximum(np.diff(batch.raw_starts) - 1, 1).astype(np.float64)
    letters = c[:, cc.LATIN : cc.KANA + 1].sum(axis=1) - c[:, cc.DIGIT]
    words = np.diff(facts.ptr).astype(np.float64)
    columns: list[tuple[str, F64]] = [
        ("length", np.log1p(size)),
        ("words", np.log1p(words)),
        ("word_length", np.minimum(letters / np.maximum(words, 1), 20)),
        ("upper", facts.upper / np.maximum(letters, 1)),
        ("digits", c[:, cc.DIGIT] / size),
        ("exclamations", np.log1p(c[:, cc.EXCLAMATION])),
        ("questions", np.log1p(c[:, cc.QUESTION])),
        ("currency", np.log1p(c[:, cc.CURRENCY])),
        ("brackets", np.log1p(c[:, cc.BRACKET])),
        ("technical", c[:, cc.TECHNICAL] / size),
        ("stops", c[:, cc.STOP] / size),
        ("emoji", np.log1p(c[:, cc.EMOJI])),
        ("symbols", np.log1p(c[:, cc.SYMBOL])),
        ("lines", np.log1p(c[:, cc.NEWLINE])),
        ("fancy_letters", np.log1p(c[:, cc.FANCY] + c[:, cc.FULLWIDTH])),
        ("hidden_characters", np.log1p(batch.folds[:, 0])),
        ("mixed_words", np.log1p(batch.folds[:, 1])),
        ("spaced_words", np.log1p(batch.folds[:, 2])),
        ("variety", _variety(facts)),
    ]
    names = load_lists().names
    for i, name in enumerate(names):
        if not name.startswith("lang_"):
            columns.append((f"says_{name}", np.log1p(facts.lists[:, i])))
            columns.append((f"share_{name}", facts.lists[:, i] / np.maximum(words, 4)))
    links = link_counts(texts)
    for i, name in enumerate(LINK_COLUMNS):
        columns.append((name, np.log1p(links[:, i])))
    return [n for n, _ in columns], np.column_stack([v for _, v in columns])


def _variety(facts: TextFacts) -> F64:
    """Different words of all words; 1 for an empty text."""
    n = np.diff(facts.ptr)
    key = np.repeat(np.arange(len(n)), n).astype(np.uint64) << np.uint64(32) | facts.word
    distinct = np.bincount((np.unique(key) >> np.uint64(32)).astype(np.int64), minlength=len(n))
    out: F64 = np.where(n > 0, distinct / np.maximum(n, 1), 1.0)
    return out


def author_signals(
    authors: Sequence[str | None], urls: Sequence[str | None], texts: Sequence[str], facts: TextFacts
) -> tuple[list[str], F64]:
    """Signals of the author's name and address; ``facts`` are those of the names."""
    c = facts.classes
    size = np.maximum(np.diff(facts.batch.raw_starts) - 1, 0).astype(np.float64)
    words = np.diff(facts.ptr).astype(np.float64)
    letters = np.maximum(c[:, cc.LATIN : cc.KANA + 1].sum(axis=1) - c[:, cc.DIGIT], 1)
    known = (size > 0).astype(np.float64)
    names = load_lists().names
    selling = facts.lists[:, [names.index(n) for n in SELLING]].sum(axis=1)
    common = facts.lists[:, [i for i, n in enumerate(names) if n.startswith("lang_")]].max(axis=1, initial=0)
    columns: list[tuple[str, F64]] = [
        ("author", known),
        ("author_words", np.minimum(words, 8)),
        ("author_phrase_words", np.clip(words - 1, 0, 4)),
        ("author_length", np.log1p(size)),
        ("author_digits", c[:, cc.DIGIT] / np.maximum(size, 1)),
        ("author_upper", np.minimum(facts.upper, 6) / np.maximum(words, 1)),
        ("author_lower", known * (facts.upper == 0) * (c[:, cc.LATIN] > 0)),
        ("author_signs", np.log1p(np.maximum(size - letters - c[:, cc.DIGIT] - c[:, cc.SPACE], 0))),
        ("author_selling", np.log1p(selling)),
        ("author_selling_share", selling / np.maximum(words, 1)),
        ("author_phrase", np.log1p(common)),
    ]
    columns += [(n, v) for n, v in zip(URL_COLUMNS, url_signals(urls).T, strict=True)]
    columns += _name_and_address(authors, urls, texts)
    return [n for n, _ in columns], np.column_stack([v for _, v in columns])


def _name_and_address(
    authors: Sequence[str | None], urls: Sequence[str | None], texts: Sequence[str]
) -> list[tuple[str, F64]]:
    out = np.zeros((len(texts), 4))
    for i, (author, url) in enumerate(zip(authors, urls, strict=True)):
        if author:
            name = author.strip().lower()
            out[i, 0] = len(name) > 3 and name in texts[i].lower()
            out[i, 1] = "." in name and host_of(name).rpartition(".")[2].isalpha() and " " not in name
        if url:
            host = host_of(url)
            out[i, 2] = len(host) > 3 and host in texts[i].lower()
            if author:
                out[i, 3] = _in_host(author, host)
    labels = ("author_in_text", "author_is_domain", "url_in_text", "author_in_url")
    return [(n, out[:, k]) for k, n in enumerate(labels)]


def _in_host(author: str, host: str) -> float:
    """Share of the words of the name (3 letters or more) that stand in the host name."""
    words = [w for w in "".join(ch if ch.isalnum() else " " for ch in author.lower()).split() if len(w) > 2]
    bare = host.replace("-", "").replace(".", "")
    return sum(w in bare for w in words) / len(words) if words else 0.0
