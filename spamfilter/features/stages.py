"""From features to the inputs of the last stage: what the first-stage models say, bent and combined.

Usage::

    inputs = stage_inputs(first, dense)        # float64, shape (comments, len(input_names(dense.names)))

The first stage are models, each of one thing and all but ``foreign`` linear: the words of the text, whether it reads
like an article rather than a comment (``prose``), the author's name, the host its name links to, how far
the comment is from its article (``relation``), and whether it is a passage that belongs to another
article (``foreign``: over the relation's overlaps, the signals of the text and the logits of
``text``, ``prose`` and ``relation``).  ``titled`` is a second model of the words, learnt under titles alone: what
viewers of a video write to each other differs from what readers write under an article, and so does their spam.
One more (``company``) tells how far a comment is from the others of its page, where those are known.
The last stage is one logistic regression over their logits, over bends of them (hinges: ``max(0, x - knot)``),
over products that say "far from the article AND …", and over the dense features; it stays linear, so that each
input's part in a verdict can be stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import compiled
from spamfilter.features import company
from spamfilter.features.fields import Dense

__all__ = [
    "ANEW",
    "BY_CONTEXT",
    "COMPANY",
    "FIRST",
    "FirstStage",
    "anew_names",
    "company_inputs",
    "foreign_inputs",
    "input_names",
    "stage_inputs",
]

F64 = NDArray[np.float64]
FIRST: Final = ("text", "prose", "name", "host", "relation", "foreign")
_HINGES: Final = {
    "text": (-2.0, -1.0, 1.0, 3.0),
    "prose": (-1.0, 1.0),
    "relation": (-1.0, 0.0, 1.0, 2.0, 3.0),
    "foreign": (-2.0, 0.0, 1.0, 2.0, 3.0, 4.0),
}
#: Dense features that change what distance from the article means: a long unrelated text says more than a
#: short one, a text that speaks of "I" and "you" less.
_WITH_RELATION: Final = (
    "length",
    "share_first_person",
    "share_second_person",
    "share_argue",
    "url",
    "links",
    "other_language",
)
#: Products of two dense features: a name that is a phrase in lower case, praise or a short text beside a link.
_PRODUCTS: Final = (
    ("phrase_name", "author_lower", "author_phrase_words"),
    ("phrase_name_url", "author_phrase_words", "url"),
    ("bare_praise", "share_praise", "url"),
    ("selling_name_url", "author_selling", "url"),
    ("site_talk_url", "share_site_talk", "url"),
)
#: Logits beyond this say no more: a text of 5,000 spam words is not 100 times as spammy as one of 50.
LIMIT: Final = 12.0


@dataclass(frozen=True, slots=True)
class FirstStage:
    """Logits of the first-stage models, each of shape (comments,); 0 where a model has nothing to judge.

    ``titled`` is None for models of format 1, which have none.
    """

    text: F64
    prose: F64
    name: F64
    host: F64
    relation: F64
    foreign: F64
    titled: F64 | None = None


def foreign_inputs(text: F64, prose: F64, relation: F64, dense: Dense) -> F64:
    """What the model of foreign passages sees; nothing of the author, which spammers choose freely."""
    logits = np.array([text, prose, relation]).T
    own = dense.values[:, _not_the_authors(dense.names)]
    return np.concatenate((np.minimum(np.maximum(logits, -LIMIT), LIMIT), dense.relation, own), axis=1)


@lru_cache(maxsize=8)
def _not_the_authors(names: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([k for k, name in enumerate(names) if not name.startswith(("author", "url", "has_"))])


@lru_cache(maxsize=8)
def input_names(dense: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns that ``stage_inputs`` makes."""
    names = list(FIRST)
    names += [f"{name}_above_{knot:g}" for name, knots in _HINGES.items() for knot in knots]
    names += ["far_prose", "far_text", "near_text"]
    names += [f"far_{name}" for name in _WITH_RELATION]
    names += ["text_url", "name_url"]
    names += [f"product_{name}" for name, _, _ in _PRODUCTS]
    return (*names, *dense)


def stage_inputs(first: FirstStage, dense: Dense, anew: tuple[str, ...] = (), room: int = 0) -> F64:
    """One row a comment, by ``input_names``, then, where there is a model of titles alone, ``BY_CONTEXT``, then
    ``anew`` (some of ``anew_names``); ``room`` more columns hold zeros."""
    parts = [_stage_inputs(first, dense)]
    if first.titled is not None:
        parts.append(_by_context(first, first.titled, dense))
    if anew:
        parts.append(_said_anew(dense, anew))
    if room:
        parts.append(np.zeros((len(dense.values), room)))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


#: Inputs whose names begin so are signals of the text that count anew under a title alone.
ANEW: Final = "titled_"
#: Which signals do: what a text says, and where it leads.  Viewers of a video make another use of "subscribe" or of
#: "like this" than readers of an article, and hardly ever link.
_ANEW_SIGNALS: Final = (
    *("says_", "links", "link_share", "link_shortener", "link_known", "bare_domains", "phones", "codes"),
)


def anew_names(dense: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns that a new model has anew, by the names of its signals."""
    return tuple(ANEW + name for name in dense if name.startswith(_ANEW_SIGNALS))


def _said_anew(dense: Dense, anew: tuple[str, ...]) -> F64:
    alone = _title_alone(dense)
    if not alone.any():  # as on most pages
        return np.zeros((len(alone), len(anew)))
    out: F64 = dense.values.take(_signals_of(anew, dense.names), axis=1)
    return out if alone.all() else out * alone[:, np.newaxis]


@lru_cache(maxsize=8)
def _signals_of(anew: tuple[str, ...], names: tuple[str, ...]) -> NDArray[np.int64]:
    place = {name: k for k, name in enumerate(names)}
    return np.array([place[name.removeprefix(ANEW)] for name in anew], np.int64)


def _title_alone(dense: Dense) -> F64:
    """1 for comments that stand under a title alone."""
    place = dense.names.index("has_title")
    out: F64 = ((dense.values[:, place] > 0) & ~(dense.values[:, place + 1] > 0)).astype(np.float64)
    return out


#: Logits by what a comment stands under (an article; a title alone; nothing), and which it is.
BY_CONTEXT: Final = (
    *("text_titled", "text_titled_above_0", "text_titled_bare"),
    *("text_under_title", "text_bare", "text_under_article"),
    *("has_title_alone", "has_no_context"),
)


def _by_context(first: FirstStage, titled: F64, dense: Dense) -> F64:
    """Columns ``BY_CONTEXT``."""
    titled = np.minimum(np.maximum(titled, -LIMIT), LIMIT)
    text = np.minimum(np.maximum(first.text, -LIMIT), LIMIT)
    place = dense.names.index("has_title")
    title, article = dense.values[:, place] > 0, dense.values[:, place + 1] > 0
    alone, bare = _title_alone(dense), (~title & ~article).astype(np.float64)
    columns = (titled * alone, np.maximum(titled, 0.0) * alone, titled * bare)
    return np.array((*columns, text * alone, text * bare, text * article, alone, bare)).T


#: What a comment has in common with the others of its page: the logit that it belongs to another page, bent and
#: multiplied by how far it is from the article (``relation``) and whether it is a passage (``foreign``); whether a
#: near-duplicate is on the page; measures of ``spamfilter.features.company``.
COMPANY: Final = (
    *("company", "company_above_0", "company_above_2", "company_alike"),
    *("company_far", "company_far_near", "company_foreign", "company_foreign_near", "company_foreign_alone"),
    *("company_share", "company_top", "company_best", "company_twice"),
)


def company_inputs(first: FirstStage, stranger: F64, table: F64, middle: F64 | None = None) -> F64:
    """Columns ``COMPANY``, given the logits of belonging to another page and the table of ``company.company``.

    With ``middle``, the columns' usual values, they are what a comment departs from those, less where its company
    says little: 0 without any, as for a comment whose page is not known.
    """
    far = np.minimum(np.maximum(first.relation, 0.0), LIMIT)
    foreign = np.minimum(np.maximum(first.foreign, 0.0), LIMIT)
    stranger = np.minimum(np.maximum(stranger, -LIMIT), LIMIT)
    up, down = np.maximum(stranger, 0.0), np.maximum(-stranger, 0.0)
    share, top, best, twice = company.measures(table).T[:4]
    alike = table[:, company.COLUMNS.index("alike")]
    columns = (stranger, up, np.maximum(stranger - 2.0, 0.0), alike)
    products = (far * up, far * down, foreign * up, foreign * down, foreign * (1.0 - share))
    out: F64 = np.array((*columns, *products, share, top, best, twice)).T
    return out if middle is None else (out - middle) * company.confidence(table)[:, np.newaxis]


def _stage_inputs(first: FirstStage, dense: Dense) -> F64:
    if compiled.kernel is None:
        return _stage_columns(first, dense)
    tables = _tables(dense.names)
    logits = np.array([getattr(first, name) for name in FIRST])
    out = np.empty((len(dense.values), len(input_names(dense.names))))
    compiled.kernel.stages(logits, dense.values, *tables, LIMIT, out)
    return out


@lru_cache(maxsize=8)
def _tables(names: tuple[str, ...]) -> tuple[NDArray[np.int32], F64, NDArray[np.int32], int, NDArray[np.int32]]:
    """What the compiled loops need to know: bent models and knots, columns that are multiplied."""
    bends = [(FIRST.index(name), knot) for name, knots in _HINGES.items() for knot in knots]
    return (
        np.array([k for k, _ in bends], np.int32),
        np.array([knot for _, knot in bends]),
        np.array([names.index(name) for name in _WITH_RELATION], np.int32),
        names.index("url"),
        np.array([[names.index(a), names.index(b)] for _, a, b in _PRODUCTS], np.int32),
    )


def _stage_columns(first: FirstStage, dense: Dense) -> F64:
    logit = {name: np.minimum(np.maximum(getattr(first, name), -LIMIT), LIMIT) for name in FIRST}
    columns = [logit[name] for name in FIRST]
    columns += [np.maximum(logit[name] - knot, 0.0) for name, knots in _HINGES.items() for knot in knots]
    far, near = np.maximum(logit["relation"], 0.0), np.maximum(-logit["relation"], 0.0)
    columns += [far * np.maximum(logit["prose"], 0.0), far * logit["text"], near * logit["text"]]
    place, values = {name: k for k, name in enumerate(dense.names)}, dense.values
    url = values[:, place["url"]]
    columns += [far * values[:, place[name]] for name in _WITH_RELATION]
    columns += [url * logit["text"], url * logit["name"]]
    columns += [values[:, place[a]] * values[:, place[b]] for _, a, b in _PRODUCTS]
    out = np.empty((len(values), len(columns) + values.shape[1]))
    out[:, : len(columns)] = np.array(columns).T
    out[:, len(columns) :] = values
    return out
