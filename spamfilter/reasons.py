"""Why a verdict: the inputs of the last stage gathered into reasons that a person can check.

Usage::

    explainer = Explainer(parameters.inputs)
    explainer.reasons(Seen(fields, read, text_model, idf), parts, logits)       # for each comment a tuple of Reason

The last stage is linear, so every input has a part in the log-odds: its weight times how far it is
from that of a typical ham comment.  Parts of inputs that speak of the same thing are added up; what
is left over, with the log-odds of the typical comment itself, stands under "rest".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.features.links import host_of
from spamfilter.features.stages import ANEW
from spamfilter.quoting import Seen, company_words, loud_words, subject_words
from spamfilter.records import Reason

__all__ = ["GROUPS", "Explainer", "Seen", "group_of"]

F64 = NDArray[np.float64]

#: Group, name and words when it speaks for spam, name and words when it speaks for ham.  What is absent from a comment
#: is absent from the typical reader's too and weighs next to nothing: where links, say, speak for ham they are there,
#: set as readers set them, so no reason for ham says that there are none.
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
        "author's link looks personal",
    ),
    "links": (
        "links",
        "links or contact details in the text",
        "reader_links",
        "links, or names with an @, as readers write them",
    ),
    "selling": (
        "selling_words",
        "words that sell or promise",
        "reader_on_goods",
        "speaks of goods, money or people as readers do",
    ),
    "goods": (
        "shady_goods",
        "name or link of a shop for sex, drugs, bets or counterfeits",
        "reader_goods",
        "words of such shops in name or link, as readers have them",
    ),
    "praise": ("generic_praise", "praise that would fit any page", "reader_praise", "thanks or praises as readers do"),
    "site": (
        "talks_of_site",
        "talks about the site instead of the subject",
        "reader_on_site",
        "talks about the site as readers do",
    ),
    "disguise": (
        "disguised_letters",
        "disguised letters or hidden characters",
        "reader_letters",
        "unusual letters as readers use them",
    ),
    "letters": (
        "random_letters",
        "words of random letters, or names that end in a number",
        "reader_oddities",
        "odd words or names as readers write them",
    ),
    "language": (
        "other_language",
        "another language than the article's",
        "language_of_readers",
        "its language speaks for a reader",
    ),
    "talk": (
        "impersonal",
        "few of the words with which readers discuss",
        "speaks_personally",
        "discusses or speaks to others as readers do",
    ),
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
    "links": ("link", "anchors", "bbcode", "bare_", "handles", "phones", "emails", "codes"),
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
            "rally",
            "seek",
            "contact",
        )
    ),
    "goods": ("goods_", "author_crude", "author_brands", "link_crude", "link_brands"),
    "praise": ("says_praise", "share_praise", "says_thanks", "share_thanks", "product_bare_praise"),
    "site": ("product_site", "says_site", "share_site", "says_writing", "share_writing"),
    "disguise": ("fancy_", "hidden_", "mixed_", "spaced_"),
    "letters": ("random_", "numbered_"),
    "language": ("other_", "same_", "language_"),
    "talk": ("says_", "share_"),
}
#: Reasons of less weight than this are not named: they move a probability of .5 to less than .58.
LEAST: Final = 0.3
#: Reasons named in a verdict, and in the column of a table.
MOST: Final = 6
MOST_IN_TABLE: Final = 3
#: Characters of a name or host that are shown.
SHOWN: Final = 60
#: Inputs that say which fields there are, not what is in them: their parts stand under "rest".
_NO_REASON: Final = ("has_",)


def group_of(name: str) -> str:
    """The group of reasons that an input belongs to: the one whose prefix fits it best."""
    name = name.removeprefix(ANEW)  # a signal that counts anew under a title alone is still that signal
    best, length = "shape", 0
    for group, prefixes in _GROUP_OF.items():
        for prefix in prefixes:
            if name.startswith(prefix) and len(prefix) > length:
                best, length = group, len(prefix)
    return best


class Explainer:
    """Gathers the parts of inputs into reasons."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self.groups = list(GROUPS)
        place = self._place = {g: k for k, g in enumerate(self.groups)}
        self._quoting = {place[group] for group in _QUOTING}
        self._sides = [((spam, said), (ham, meant)) for spam, said, ham, meant in GROUPS.values()]
        self._labels = np.array([[GROUPS[g][0], GROUPS[g][2]] for g in self.groups], object)
        #: Inputs that say whether there is a title, an article; an old or a small model may have neither.
        self._context = [i for i, name in enumerate(inputs) if name in ("has_title", "has_article")]
        self._article = [i for i, name in enumerate(inputs) if name == "has_article"]
        member = np.zeros((len(inputs), len(self.groups)))
        for i, name in enumerate(inputs):
            if not name.startswith(_NO_REASON):
                member[i, place[group_of(name)]] = 1.0
        # Inputs by their groups, and where those of each begin.  An old model may have none of a group.
        sizes = member.sum(axis=0).astype(np.int64)
        self._filled = np.flatnonzero(sizes)
        self._by_group = np.concatenate([np.flatnonzero(column) for column in member.T])
        self._begins = (np.cumsum(sizes) - sizes)[self._filled]

    def names(self, z: F64, coef: F64, typical: F64) -> list[str]:
        """For each row the names of the weightiest reasons for its side, as one string."""
        parts = z - typical
        parts *= coef
        weights = self._by_groups(parts)
        left, rows = np.abs(weights), np.arange(len(weights))
        # Standardised, what is not there lies below the middle.
        missing = (z[:, self._article] < 0).all(axis=1) if self._article else np.zeros(len(z), np.bool_)
        alone = missing & (z[:, self._context] < 0).all(axis=1)
        labels = []
        for _ in range(MOST_IN_TABLE):  # a few times the largest costs less than to sort them all
            largest = np.argmax(left, axis=1)
            left[rows, largest] = -1.0
            named = self._labels[largest, (weights[rows, largest] < 0).astype(np.int64)]
            subject = largest == self._place["subject"]
            named[subject & missing & (weights[:, self._place["subject"]] > 0)] = _NO_ARTICLE[0]
            named[subject & alone] = _MISSING["subject"][0]
            labels.append(named.tolist())
        return [", ".join(row) for row in zip(*labels, strict=True)]

    def reasons(self, seen: Seen, parts: F64, logits: F64, first: int = 0) -> list[tuple[Reason, ...]]:
        """Reasons for comments of ``seen`` from number ``first`` on, given the parts of their inputs.

        The weights of a comment's reasons add up to its logit.
        """
        if not len(parts):
            return []
        rows = self._by_groups(parts).round(6).tolist()
        named = [self._weightiest(row) for row in rows]
        told = self._told(seen, rows, named, first)
        out = []
        for row, groups, said, logit in zip(rows, named, told, logits.tolist(), strict=True):
            found, rest = [], logit
            for k in groups:
                weight = row[k]
                name, detail = said.get(k) or self._sides[k][weight < 0]
                found.append(Reason(name, detail, weight))
                rest -= weight
            out.append((*found, Reason("rest", "everything else", rest)))
        return out

    def _by_groups(self, parts: F64) -> F64:
        """The parts of each group added up: comments × groups."""
        # Not as a product of matrices: BLAS adds up in an order that depends on the batch, and its threads, which wait
        # for work by turning in circles, take a second core from the other workers.
        weights: F64 = np.add.reduceat(parts.take(self._by_group, axis=1), self._begins, axis=1)
        if len(self._filled) < len(self.groups):
            some, weights = weights, np.zeros((len(parts), len(self.groups)))
            weights[:, self._filled] = some
        return weights

    @staticmethod
    def _weightiest(weights: list[float]) -> list[int]:
        """Groups to be named, the weightiest first."""
        named = [(-abs(weight), k) for k, weight in enumerate(weights) if weight >= LEAST or weight <= -LEAST]
        named.sort()
        return [k for _, k in named[:MOST]]

    def _told(
        self, seen: Seen, weights: list[list[float]], named: list[list[int]], first: int
    ) -> list[dict[int, tuple[str, str]]]:
        """For each comment, by group: name and words of the reasons that quote something or say what is missing."""
        out: list[dict[int, tuple[str, str]]] = [{} for _ in named]
        rows_of: dict[int, list[int]] = {}
        for i, groups in enumerate(named):
            for k in groups:
                if k in self._quoting:
                    rows_of.setdefault(k, []).append(i)
        for k, rows in rows_of.items():
            group, ham = self.groups[k], [weights[i][k] < 0 for i in rows]
            quoted = _QUOTING[group](seen, np.array(rows) + first, np.array(ham))
            titled = _under_titles_alone(seen, rows, first) if group == "subject" else [False] * len(rows)
            for i, is_ham, words, alone in zip(rows, ham, quoted, titled, strict=True):
                name, detail = self._sides[k][is_ham]
                if words is None:
                    out[i][k] = _MISSING[group]
                elif alone and not is_ham:
                    out[i][k] = _NO_ARTICLE
                elif words:
                    out[i][k] = (name, f"{detail.replace('article', 'title') if alone else detail}: {words}")
                elif group == "subject":
                    out[i][k] = (name, _UNQUOTED[is_ham])
        return out


def _under_titles_alone(seen: Seen, rows: Sequence[int], first: int) -> list[bool]:
    """For each row: does it stand under a title without an article."""
    articles, places = seen.given.articles, seen.given.context_of[np.array(rows) + first].tolist()
    return [place >= 0 and not articles[place] for place in places]


def _names(seen: Seen, rows: NDArray[np.int64], _: NDArray[np.bool_]) -> list[str | None]:
    authors = [seen.given.authors[i] for i in rows.tolist()]
    return [author.strip()[:SHOWN] if author else None for author in authors]


def _hosts(seen: Seen, rows: NDArray[np.int64], _: NDArray[np.bool_]) -> list[str | None]:
    urls = [seen.given.urls[i] for i in rows.tolist()]
    return [host_of(url)[:SHOWN] if url else None for url in urls]


#: What a group of reasons quotes of comments (for ham where the flag is set): words, or None where there is nothing.
_QUOTING: Final[dict[str, Callable[[Seen, NDArray[np.int64], NDArray[np.bool_]], Sequence[str | None]]]] = {
    "subject": subject_words,
    "company": company_words,
    "words": loud_words,
    "name": _names,
    "address": _hosts,
}
#: Name and words under a title without an article: what an article would tell is missing there, which weighs the same
#: whatever is said, and the title itself tells little.
_NO_ARTICLE: Final = ("no_article", "no article to compare with, only a title")
#: Words for spam and for ham where no word tells the subject: a thumb up takes up nothing, and shares nothing either.
_UNQUOTED: Final = ("says nothing of the subject", "no sign that it belongs elsewhere")
#: Name and words where an author gives no name, or no address, or nothing is known that the comment stands under.
_MISSING: Final = {
    "subject": ("no_context", "no title or article to compare with"),
    "name": ("no_author", "gives no author name"),
    "address": ("no_author_url", "the author's name links nowhere"),
}
