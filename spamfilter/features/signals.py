"""Named signals: what a person would look at in a comment, its author and its links, as numbers.

Usage::

    text_signals(texts, text_facts(encode(texts)))         # float64, shape (texts, len(text_names()))

Counts enter as ``log1p``, parts as shares, so that no signal grows without bound with the length of a
comment.  The script that a text is written in is never a signal by itself; that it differs from the
article's is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter import compiled
from spamfilter.features.hashing import distinct_words, word_hashes
from spamfilter.features.letters import pieces
from spamfilter.features.links import LINK_COLUMNS, URL_COLUMNS, host_of, link_counts, url_signals
from spamfilter.features.wordlists import ALNUM, ROOTS, load_lists, roots_in
from spamfilter.text import Batch

__all__ = [
    "AUTHOR_NAMES",
    "TextFacts",
    "Tongue",
    "author_signals",
    "languages",
    "text_facts",
    "text_names",
    "text_signals",
    "tongues",
]

F64 = NDArray[np.float64]

_SCRIPTS: Final = (cc.LATIN, cc.CYRILLIC, cc.GREEK, cc.HANGUL, cc.ARABIC, cc.HEBREW, cc.THAI, cc.INDIC, cc.HAN, cc.KANA)
#: Lists that sell something: their words in a name or address make it a search phrase.
SELLING: Final = ("trade", "money", "gambling", "pharma", "adult", "seo", "service", "hype")


@dataclass(frozen=True, slots=True)
class TextFacts:
    """Counts behind the signals of a batch of texts, shared by several features.

    ``word``, ``stem`` and ``ptr`` are the hashed words; ``hits`` (int32, texts × word lists) counts words of
    each list.
    """

    batch: Batch
    word: NDArray[np.uint32]
    stem: NDArray[np.uint32]
    ptr: NDArray[np.int64]
    hits: NDArray[np.int32]

    @property
    def classes(self) -> F64:
        """Characters of each class as given: texts × character classes."""
        return self.batch.counts.astype(np.float64)

    @property
    def upper(self) -> F64:
        """Upper-case letters of each text."""
        return self.batch.upper.astype(np.float64)

    @property
    def lists(self) -> F64:
        """``hits`` as the twins of the compiled loops reckon with them."""
        return self.hits.astype(np.float64)

    def part(self, first: int, last: int) -> TextFacts:
        """Those of texts ``first`` to ``last`` (that one not), without a copy."""
        if last - first == len(self.batch):
            return self
        begin, end = self.ptr[first], self.ptr[last]
        return TextFacts(
            self.batch.part(first, last),
            self.word[begin:end],
            self.stem[begin:end],
            self.ptr[first : last + 1] - begin,
            self.hits[first:last],
        )

    def copy(self) -> TextFacts:
        """The same in memory of its own."""
        return TextFacts(self.batch.copy(), self.word.copy(), self.stem.copy(), self.ptr.copy(), self.hits.copy())


def text_facts(batch: Batch) -> TextFacts:
    """Count characters, words and listed words of each text."""
    word, stem, ptr = word_hashes(batch)
    return TextFacts(batch, word, stem, ptr, load_lists().counts(word, ptr))


@dataclass(frozen=True, slots=True)
class Tongue:
    """What each text is written in.

    ``script`` is the class that most of its letters have, -1 where there are none.  ``language`` is a number:
    from 0 the ``lang_`` lists in their order, then scripts that tell the language by themselves (100 + class), -1
    where nothing can be told (fewer than two function words); ``sure`` (0..1) how sure that is.
    """

    script: NDArray[np.int64]
    language: NDArray[np.int64]
    sure: F64


def tongues(facts: TextFacts) -> Tongue:
    """Script and language of each text."""
    if compiled.kernel is None:
        script = _main_script(facts)
        return Tongue(script, *_languages(facts, script))
    n = len(facts.batch)
    out = Tongue(np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n))
    compiled.kernel.tell(
        *(facts.batch.counts, facts.hits, _SCRIPT_CLASSES, _TELLING, _places_of(_language_lists())),
        *(out.script, out.language, out.sure),
    )
    return out


def languages(facts: TextFacts) -> tuple[NDArray[np.int64], F64]:
    """Language of each text as a number, and how sure: (language, margin 0..1), as ``Tongue`` explains them."""
    found = tongues(facts)
    return found.language, found.sure


def _languages(facts: TextFacts, script: NDArray[np.int64]) -> tuple[NDArray[np.int64], F64]:
    hits = facts.lists[:, list(_language_lists())]
    rows = np.arange(len(hits))
    best = np.argmax(hits, axis=1)
    top = hits[rows, best]
    rest = hits.copy()
    rest[rows, best] = 0
    margin = (top - rest.max(axis=1, initial=0)) / np.maximum(top, 1)
    telling = _TELLING[script]
    language = np.where(telling, 100 + script, np.where((top >= 2) & (margin > 0), best, -1))
    return language, np.where(telling, 1.0, margin * (language >= 0))


# Scripts that tell the language by themselves, by class; the last place stands for "no letters" (-1).
_ALPHABETS: Final = (cc.LATIN, cc.CYRILLIC, cc.GREEK)
_TELLING: Final = np.isin(np.arange(cc.CLASSES + 1), [s for s in _SCRIPTS if s not in _ALPHABETS])


@cache
def _language_lists() -> tuple[int, ...]:
    return tuple(i for i, n in enumerate(load_lists().names) if n.startswith("lang_"))


@cache
def _places_of(numbers: tuple[int, ...]) -> NDArray[np.uint8]:
    """Numbers of classes or lists as the compiled loops take them."""
    return np.array(numbers, np.uint8)


def _main_script(facts: TextFacts) -> NDArray[np.int64]:
    """The class that most letters of each text have; -1 where there are no letters."""
    counts = facts.classes[:, _SCRIPTS]
    kana = counts[:, _SCRIPTS.index(cc.KANA)]
    kana += np.where(kana > 0, counts[:, _SCRIPTS.index(cc.HAN)], 0)  # Japanese mixes both
    main = _SCRIPT_NUMBERS[np.argmax(counts, axis=1)]
    return np.where(counts.max(axis=1, initial=0) > 0, main, -1)


_SCRIPT_NUMBERS: Final = np.array(_SCRIPTS)
_SCRIPT_CLASSES: Final = np.array(_SCRIPTS, np.uint8)


def text_signals(texts: Sequence[str], facts: TextFacts) -> F64:
    """Signals of the comments' own texts, by ``text_names()``."""
    return np.concatenate((_letter_signals(facts), _other_signals(texts, facts)), axis=1)


#: Signals of pieces between blanks: share of random letters among them, whether a few words hold some, names that end
#: in a number, ends of broken addresses, long codes.
_LETTERS: Final = ("random_letters", "random_alone", "numbered_names", "links_broken", "codes")
#: A comment of at most so many pieces says little beside its random letters.
FEW_PIECES: Final = 4


def _letter_signals(facts: TextFacts) -> F64:
    every, random, *counts = pieces(facts.batch).T
    # One piece alone is half, so that a single odd name is not all that is said.
    return np.array((random / np.maximum(every, 2), (random > 0) & (every <= FEW_PIECES), *np.log1p(counts))).T


def _other_signals(texts: Sequence[str], facts: TextFacts) -> F64:
    links = link_counts(texts, facts.batch)
    if compiled.kernel is None:
        return _text_signals(facts, links)
    n, logs, batch = len(facts.batch), _text_logs(), facts.batch
    logged, out = np.empty((n, len(logs))), np.empty((n, len(text_names()) - len(_LETTERS)))
    compiled.kernel.text_signals(
        *(batch.counts, batch.upper, batch.folds, batch.raw_starts, facts.word, facts.ptr, facts.hits, links),
        *(_places_of(_COUNTED), _places_of(_SHARED), _places_of(_SHARES), _places_of(_said_lists()), len(_OWN)),
        *(logged, out),
    )
    out[:, logs] = np.log1p(logged)
    return out


@cache
def _text_logs() -> NDArray[np.int64]:
    """Columns that are logarithms of counts, in the order in which the compiled loops write those."""
    own, end = len(_OWN), len(_OWN) + 2 * len(_said_lists())
    return np.array([*_LOGGED, *range(own, end, 2), *range(end, end + len(LINK_COLUMNS))])


def _text_signals(facts: TextFacts, links: F64) -> F64:
    c, batch = facts.classes, facts.batch
    size = np.maximum(np.diff(batch.raw_starts) - 1, 1).astype(np.float64)
    letters = _letters(c)
    words = np.diff(facts.ptr).astype(np.float64)
    says = facts.lists[:, list(_said_lists())]
    n, k = len(batch), says.shape[1]
    logged = np.empty((n, len(_LOGGED)))
    logged[:, 0], logged[:, 1] = size, words
    logged[:, 2:9] = c[:, list(_COUNTED)]
    # Chinese and Japanese are written with full-width letters and digits.
    logged[:, 9] = c[:, cc.FANCY] + np.where(c[:, cc.HAN] + c[:, cc.KANA] > 0, 0, c[:, cc.FULLWIDTH])
    logged[:, 10:] = batch.folds
    own, end = len(_OWN), len(_OWN) + 2 * k
    out = np.empty((n, end + len(LINK_COLUMNS)))
    out[:, list(_LOGGED)] = np.log1p(logged)
    out[:, 2] = np.minimum(letters / np.maximum(words, 1), 20)
    out[:, 3] = facts.upper / np.maximum(letters, 1)
    out[:, list(_SHARES)] = c[:, list(_SHARED)] / size[:, np.newaxis]
    out[:, own - 1] = _variety(facts)
    out[:, own:end:2] = np.log1p(says)
    out[:, own + 1 : end : 2] = says / np.maximum(words, 4)[:, np.newaxis]
    out[:, end:] = np.log1p(links)
    return out


_OWN: Final = (
    *("length", "words", "word_length", "upper", "digits", "exclamations", "questions", "currency", "brackets"),
    *("technical", "stops", "emoji", "symbols", "lines", "fancy_letters"),
    *("hidden_characters", "mixed_words", "spaced_words", "variety"),
)
# Of those: counts, as log1p (length, words, the classes below, styled letters, folds), and shares of all characters.
_LOGGED: Final = (0, 1, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17)
_COUNTED: Final = (cc.EXCLAMATION, cc.QUESTION, cc.CURRENCY, cc.BRACKET, cc.EMOJI, cc.SYMBOL, cc.NEWLINE)
_SHARES: Final = (4, 9, 10)
_SHARED: Final = (cc.DIGIT, cc.TECHNICAL, cc.STOP)


@cache
def _said_lists() -> tuple[int, ...]:
    return tuple(i for i, n in enumerate(load_lists().names) if not n.startswith("lang_"))


@cache
def text_names() -> tuple[str, ...]:
    """Names of the columns of ``text_signals``."""
    names = load_lists().names
    said = (f"{kind}_{names[i]}" for i in _said_lists() for kind in ("says", "share"))
    return (*_LETTERS, *_OWN, *said, *LINK_COLUMNS)


def _letters(classes: F64) -> F64:
    out: F64 = classes[:, cc.LATIN : cc.KANA + 1].sum(axis=1) - classes[:, cc.DIGIT]
    return out


def _variety(facts: TextFacts) -> F64:
    """Different words of all words; 1 for an empty text."""
    n = np.diff(facts.ptr)
    distinct = distinct_words(facts.word, facts.ptr)
    out: F64 = np.where(n > 0, distinct / np.maximum(n, 1), 1.0)
    return out


def author_signals(
    authors: Sequence[str | None], urls: Sequence[str | None], texts: Sequence[str], facts: TextFacts
) -> F64:
    """Signals of the author's name and address, by ``AUTHOR_NAMES``; ``facts`` are those of the names (not used if
    there are none)."""
    out = np.zeros((len(texts), len(AUTHOR_NAMES)))
    if not any(authors) and not any(urls):
        return out
    _name_signals(facts, out)
    out[:, _RANDOM_NAME] = pieces(facts.batch)[:, 1] > 0
    at = len(AUTHOR_NAMES) - len(_BOTH) - len(URL_COLUMNS)
    out[:, at : at + len(URL_COLUMNS)] = url_signals(urls)
    _name_and_address(authors, urls, texts, out[:, -len(_BOTH) :])
    return out


def _name_signals(facts: TextFacts, out: F64) -> None:
    """The columns of the names alone, written to ``out``."""
    if compiled.kernel is not None:
        batch, logged = facts.batch, np.empty((len(facts.batch), len(_NAME_LOGS)))
        compiled.kernel.name_signals(
            *(batch.counts, batch.upper, batch.raw_starts, facts.ptr, facts.hits),
            *(_places_of(_selling_lists()), _places_of(_language_lists()), logged, out),
        )
        out[:, _NAME_LOGS] = np.log1p(logged)
        return
    c = facts.classes
    size = np.maximum(np.diff(facts.batch.raw_starts) - 1, 0).astype(np.float64)
    words = np.diff(facts.ptr).astype(np.float64)
    letters = np.maximum(_letters(c), 1)
    known = (size > 0).astype(np.float64)
    selling = facts.lists[:, list(_selling_lists())].sum(axis=1)
    common = facts.lists[:, list(_language_lists())].max(axis=1, initial=0)
    columns = (
        known,
        np.minimum(words, 8),
        np.clip(words - 1, 0, 4),
        np.log1p(size),
        c[:, cc.DIGIT] / np.maximum(size, 1),
        np.minimum(facts.upper, 6) / np.maximum(words, 1),
        known * (facts.upper == 0) * (c[:, cc.LATIN] > 0),
        np.log1p(np.maximum(size - letters - c[:, cc.DIGIT] - c[:, cc.SPACE], 0)),
        np.log1p(selling),
        selling / np.maximum(words, 1),
        np.log1p(common),
    )
    for k, column in enumerate(columns):
        out[:, k] = column


_BOTH: Final = (
    *("author_in_text", "author_is_domain", "url_in_text", "author_in_url", "author_roots", "url_roots"),
    *("author_said", "author_signed", "author_opens"),
    *("author_crude", "author_brands"),
)
AUTHOR_NAMES: Final = (
    *(
        "author",
        "author_words",
        "author_phrase_words",
        "author_length",
        "author_digits",
        "author_upper",
        "author_lower",
    ),
    *("author_signs", "author_selling", "author_selling_share", "author_phrase", "author_random"),
    *URL_COLUMNS,
    *_BOTH,
)
_RANDOM_NAME: Final = AUTHOR_NAMES.index("author_random")
#: Of the names' columns those that are logarithms of counts, as the compiled loops write them.
_NAME_LOGS: Final = [AUTHOR_NAMES.index(f"author_{n}") for n in ("length", "signs", "selling", "phrase")]


@cache
def _selling_lists() -> tuple[int, ...]:
    return tuple(load_lists().names.index(n) for n in SELLING)


def _name_and_address(
    authors: Sequence[str | None], urls: Sequence[str | None], texts: Sequence[str], out: F64
) -> None:
    # Filled in one go: to write a single number into an array takes as long as to look a name up.
    out[:] = [_both(a, u, t) if a or u else _NEITHER for a, u, t in zip(authors, urls, texts, strict=True)]


_NEITHER: Final = (0.0,) * len(_BOTH)


def _both(author: str | None, url: str | None, text: str) -> tuple[float, ...]:
    """Columns ``_BOTH`` of one comment."""
    text = text.lower()
    named = signed = domain = linked = hosted = opens = 0.0
    name_roots = host_roots = _NO_ROOTS
    host = ""
    if author:
        name = author.strip().lower()
        name_roots = roots_in(name)
        domain = "." in name and " " not in name and host_of(name).rpartition(".")[2].isalpha()
        if len(name) > 3 and name in text:
            signed, opens = _signed(text, name), _opens(text, name)
            named = not signed
    if url:
        host = host_of(url)
        linked, host_roots = len(host) > 3 and host in text, roots_in(host)
        if author:
            hosted = _in_host(author, host)
    said = _said(text, author, host) if len(text) <= LONGEST_NAME else 0.0
    usual = (named, domain, linked, hosted, name_roots[0], host_roots[0], said, signed, opens)
    return (*usual, *(a + b for a, b in zip(name_roots[1:], host_roots[1:], strict=True)))


_NO_ROOTS: Final = (0.0,) * len(ROOTS)


def _opens(text: str, name: str) -> bool:
    """Whether a text begins with its author's name as with a title, as trackbacks do, and goes on."""
    body = text.lstrip()
    return body.startswith(name) and body[len(name) :].lstrip(" ").startswith(("...", "…", "\n", ":", "|"))


#: What may stand after a signature.
_AFTER_NAME: Final = " \n\r\t.,!…-)"


def _signed(text: str, name: str) -> bool:
    """Whether a text ends in its author's name, which stands nowhere else in it: readers sign, spammers repeat."""
    rest = text.rstrip(_AFTER_NAME).removesuffix(name)
    return len(rest) > len(name) and name not in rest


#: Characters of a comment that may say nothing but the words of its author's name and link.
LONGEST_NAME: Final = 80


def _said(text: str, author: str | None, host: str) -> float:
    """Share of the words of a short text (4 letters or more) that stand in the name or the host of its author."""
    words = [w for w in ALNUM.findall(text) if len(w) > 3]
    if not words:
        return 0.0
    name = "".join(ALNUM.findall(f"{author or ''}.{host}".lower()))
    return sum(w in name for w in words) / len(words)


@lru_cache(maxsize=65536)
def _in_host(author: str, host: str) -> float:
    """Share of the words of the name (3 letters or more) that stand in the host name."""
    words = [w for w in ALNUM.findall(author.lower()) if len(w) > 2]
    bare = host.replace("-", "").replace(".", "")
    return sum(w in bare for w in words) / len(words) if words else 0.0
