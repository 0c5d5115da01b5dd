"""Dataset + TrainingConfig → fitted scikit-learn models → SpamFilter.

Usage::

    sf, facts = train(read_data(["data/corpus"]), TrainingConfig())

Two stages (Wolpert 1992, stacked generalisation).  The first: logistic regressions over hashed n-grams
of the text (spam or ham; one more of texts that stand under a title alone), of passages of articles
and comments (prose or comment), of authors' names and of the hosts they link to;
one over overlaps of comments with articles (own or another's), and one over overlaps of comments with
the others of their page (own or another); and small neural networks over all that tells passages of other articles.
The second, a logistic regression over their logits and the dense features, sees first-stage logits
only of sites that the first stage did not learn from.  Probabilities are calibrated (Platt 1999) and
the cut-offs chosen on second-stage logits that are out of fold by site as well.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spamfilter import passages, threads
from spamfilter.datasets import PUBLISHED, Dataset, campaign_sizes, merge
from spamfilter.features.company import MEASURES, Seats, company, confidence, measures
from spamfilter.features.fields import RELATION_COLUMNS, Dense, Fields, dense_features
from spamfilter.features.hashing import NGrams, word_hashes
from spamfilter.features.reading import host_texts, name_texts
from spamfilter.features.relatedness import IDF_BITS, Words
from spamfilter.features.stages import (
    BY_CONTEXT,
    COMPANY,
    FirstStage,
    anew_names,
    company_inputs,
    foreign_inputs,
    input_names,
    stage_inputs,
)
from spamfilter.fitting import Calibration, calibration, gram_logits, gram_model, linear_model, network, no_grams
from spamfilter.linear import GramModel, LinearModel
from spamfilter.model import Parameters, SpamFilter, present
from spamfilter.network import Network
from spamfilter.nuisance import nuisance
from spamfilter.passages import INVENTED
from spamfilter.rowweights import balanced, even, invented, passage_weights
from spamfilter.text import encode

__all__ = ["TrainingConfig", "TrainingFacts", "groups_of", "train"]

F64 = NDArray[np.float64]
Index = NDArray[np.int64]
Progress = Callable[[str], None]
Matrix = Any  # scipy's sparse matrices carry no types


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train; the defaults were chosen on sites left out of ``benchmarks/classification.py``.

    ``word_bits`` and ``char_bits`` size the hashed tables; the ``*_c`` are inverse strengths of
    regularisation; ``networks`` are so many starts, of ``units`` hidden units each, of the model of foreign passages
    (``foreign_c`` is that of the linear one, where there is little to learn from); ``rare`` is added to the counts of
    each gram in spam and in ham, whose ratio says how tightly it is
    held (0: all alike; not in the model of titles alone); ``drop`` is the share of rows that lose their author, and of
    those that lose their article, so that comments with fewer fields are judged well; ``passages`` off-topic
    passages enter the second stage with weight ``passage_weight`` each (a labelled row weighs 1 on
    average); ``written`` is the weight of rows that were written for training, not received by a site (sites that
    end in ``.example``): at full weight they teach their writers' habits; ``published`` that of comments of which
    nothing is known but that a site has published them; ``drop_url`` is the share
    that loses the author's address alone, as plain text does, ``drop_article`` the share
    that keeps a title alone; ``drop_thread`` is the share that loses the other comments of its page, as comments that
    are judged one by one do; ``spam_rate`` and ``unsure_rate`` are the largest shares of ham above the cut-offs.
    """

    seed: int = 20
    folds: int = 4
    word_bits: int = 18
    char_bits: int = 18
    text_c: float = 5.0
    rare: float = 0.1
    name_c: float = 3.0
    relation_c: float = 0.1
    foreign_c: float = 0.03
    networks: int = 6
    units: int = 16
    head_c: float = 0.005
    drop: float = 0.1
    drop_url: float = 0.35
    drop_article: float = 0.1
    drop_thread: float = 0.5
    passages: int = 9000
    passage_weight: float = 0.5
    written: float = 0.13
    published: float = 0.15
    prose: int = 6000
    most_per_site: int = 3000
    spam_rate: float = 0.005
    unsure_rate: float = 0.05


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What training saw: rows by set and label, and out-of-fold logits of the rows, in their order."""

    rows: dict[str, dict[str, int]]
    logits: F64
    fingerprint: str


def train(
    data: Dataset,
    config: TrainingConfig | None = None,
    name: str = "trained",
    progress: Progress = lambda _: None,
    weight: F64 | None = None,
) -> tuple[SpamFilter, TrainingFacts]:
    """Train on ``data``; ``weight`` scales rows.  Same data and config, same model.

    Raises ``DataError`` where there is too little of a class.
    """
    config = config or TrainingConfig()
    data.require_both_classes()
    run = _Run(data, config, progress, weight)
    parameters, logits = run.fit()
    rows: dict[str, dict[str, int]] = {}
    for s, label in zip(data.set, data.label.tolist(), strict=True):
        rows.setdefault(s, {"spam": 0, "ham": 0})["spam" if label else "ham"] += 1
    return SpamFilter(parameters, name), TrainingFacts(rows, logits, data.fingerprint())


def groups_of(data: Dataset) -> list[str]:
    """What is left out together: the site; where one site is most of what there is of its language or a
    seventh of a class, its posts, or its single comments if it has none."""
    by_lang, by_site = Counter(data.lang), Counter(data.site)
    of_class = Counter(data.label.tolist())
    classes: Counter[tuple[str, int]] = Counter(zip(data.site, data.label.tolist(), strict=True))
    split = {
        site
        for site, lang in set(zip(data.site, data.lang, strict=True))
        if by_site[site] > by_lang[lang] / 2 or any(classes[site, c] > of_class[c] / 7 for c in (0, 1))
    }
    posts = Counter(data.post)
    return [
        site if site not in split else post if posts[post] < by_site[site] / 4 else row
        for site, post, row in zip(data.site, data.post, data.id, strict=True)
    ]


def fold_numbers(groups: Sequence[str], folds: int) -> Index:
    """A fold for each row, the same for equal groups: the largest groups first, each to the emptiest fold."""
    sizes = Counter(groups)
    load, of = np.zeros(folds), {}
    for group in sorted(sizes, key=lambda g: (-sizes[g], g)):
        of[group] = int(np.argmin(load))
        load[of[group]] += sizes[group]
    return np.array([of[g] for g in groups], np.int64)


_EXAMPLE: Final = re.compile(r"([\w-]+)\.example\b", re.I)
_ENDINGS: Final = ("com", "com", "com", "net", "org", "info")


def with_real_endings(text: str | None) -> str | None:
    """Addresses of the open corpus end in ``.example`` so that they belong to nobody; a model must not
    learn that ending, so for training each gets one of the usual ones, by its name."""
    if not text or ".example" not in text.lower():
        return text
    return _EXAMPLE.sub(lambda m: f"{m[1]}.{_ENDINGS[hashlib.sha256(m[1].lower().encode()).digest()[0] % 6]}", text)


#: Ham comments under articles from which on the cut-offs are chosen on them alone: five lie above the stricter one.
ENOUGH_HAM: Final = 1000
#: Readers' comments of a site that are put on other pages, so that one with many pages is not all that is learnt from.
STRANGERS: Final = 600
#: Comments on pages that are not theirs below which nothing is learnt from them.
ENOUGH_STRANGERS: Final = 50
#: Readers' comments and passages below which a linear model tells passages of other articles.
ENOUGH_FOR_UNITS: Final = 2000
#: Comments whose features are made at once, and characters read at once: a hundred MB in between at most.
AT_ONCE: Final = 2000
CHARACTERS: Final = 1_000_000


class _Run:
    """One training run: rows and passages side by side, features made once."""

    def __init__(self, data: Dataset, config: TrainingConfig, progress: Progress, weight: F64 | None) -> None:
        self.config, self.progress = config, progress
        rng = np.random.default_rng(config.seed)
        self.data = replace(
            data,
            text=[with_real_endings(t) or "" for t in data.text],
            author=[with_real_endings(a) for a in data.author],
            author_url=[with_real_endings(u) for u in data.author_url],
        )
        self.n = len(data)
        self.y = data.label.astype(np.int64)
        self.inner = fold_numbers(groups_of(data), config.folds)
        progress("campaigns")
        extra = np.ones(self.n) if weight is None else weight
        by_campaign = extra / np.sqrt(campaign_sizes(self.data.text))
        self.weight = balanced(self.data, by_campaign, config.written, config.published)
        self.learn = _capped(self.data, config.most_per_site, rng)
        off, sources = passages.off_topic(self.data, config.passages, rng)
        self.off_site, self.off_source = off.site, sources
        self.off_weight = passage_weights(self.data, self.weight, off)
        self.prose = passages.prose(self.data, config.prose, rng)
        self.pairs = passages.own_and_other(self.data, config.most_per_site, rng)
        # Numbers of its own, so that what else is drawn does not change with the pages.
        self.rng = np.random.default_rng([config.seed, 1])
        self.seats = threads.seats_of(self.data, off, self.rng)
        self.strangers = threads.strangers(self.data, self.seats, STRANGERS, self.rng)
        self._make_features(merge([self.data, off]), rng)

    def _make_features(self, rows: Dataset, rng: np.random.Generator) -> None:
        c = self.config
        self.progress("features")
        self.idf = document_frequencies(self.data)
        keep_author, keep_context = (rng.random(len(rows)) >= c.drop for _ in range(2))
        # A passage is off-topic by its article alone: without one it would teach that prose is spam.
        passage = np.arange(len(rows)) >= self.n
        keep_context |= passage
        keep_article = keep_context & (passage | (rng.random(len(rows)) >= c.drop_article))
        keep_url = keep_author & (rng.random(len(rows)) >= c.drop_url)
        self.fields = Fields.of(
            rows.text,
            _kept(rows.author, keep_author),
            _kept(rows.author_url, keep_url),
            _kept(rows.title, keep_context),
            _kept(rows.article, keep_article),
        )
        self.text_grams = NGrams(c.word_bits, c.char_bits, 0)
        self.name_grams = NGrams(15, 16, 1)  # names and hosts are short: a few ten thousand different grams
        self.host_grams = NGrams(15, 16, 2)
        self.x_text = gram_matrix(self.text_grams, rows.text)
        # As the rows are, before fields are dropped: a comment of an article is no viewer's.
        self.titled = np.array([bool(t) and not a for t, a in zip(self.data.title, self.data.article, strict=True)])
        self.x_prose = gram_matrix(self.text_grams, [t for t, _ in self.prose])
        self.aside = nuisance(self.data.text, self.data.lang)
        self.x_name = gram_matrix(self.name_grams, name_texts(self.fields.authors))
        self.x_host = gram_matrix(self.host_grams, host_texts(self.fields.urls))
        self.dense = all_features(self.fields, self.idf)
        self.words = words_of(rows.text)
        paired = Fields.of(self.pairs.text, None, None, self.pairs.title, self.pairs.article)
        self.x_pairs = np.zeros((len(paired), len(RELATION_COLUMNS)))
        for at, part in paired.batches(AT_ONCE):
            self.x_pairs[at] = dense_features(part, self.idf).relation

    # ------------------------------------------------------------------ first stage
    def _fit_text(self, keep: NDArray[np.bool_]) -> GramModel:
        keep = keep & self.learn
        rows, c = self.x_text[: self.n][keep], self.config
        return gram_model(rows, self.y[keep], self.weight[keep], c.text_c, self.text_grams, c.rare, self.aside[keep])

    def _fit_names(self, matrix: Matrix, keep: NDArray[np.bool_], grams: NGrams) -> GramModel:
        keep = keep & self.learn
        rows, c = matrix[: self.n][keep], self.config
        return gram_model(rows, self.y[keep], self.weight[keep], c.name_c, grams, c.rare)

    def _fit_titled(self, keep: NDArray[np.bool_]) -> GramModel:
        keep = keep & self.learn & self.titled
        weight = self.weight[keep]
        # Without ``rare``: viewers' comments are few, and what tells there by itself is told by the model of all texts.
        # On average 1, so that the strength of regularisation means the same whatever the share of these rows.
        weight = weight / weight.mean() if len(weight) else weight
        return gram_model(self.x_text[: self.n][keep], self.y[keep], weight, self.config.text_c, self.text_grams)

    def _fit_prose(self, keep_sites: Callable[[str], bool], keep_rows: NDArray[np.bool_]) -> GramModel:
        of_prose = np.array([keep_sites(s) for _, s in self.prose], np.bool_)
        comments = np.flatnonzero(keep_rows & (self.y == 0) & self.learn)
        sites = [s for (_, s), k in zip(self.prose, of_prose, strict=True) if k]
        weight = np.concatenate((even(sites), even([self.data.site[i] for i in comments])))
        y = np.concatenate((np.ones(len(sites), np.int64), np.zeros(len(comments), np.int64)))
        if not sites:
            return no_grams(self.text_grams)
        matrix = sparse.vstack((self.x_prose[of_prose], self.x_text[comments]), format="csr")
        c = self.config
        return gram_model(matrix, y, weight * len(y) / 2, c.text_c, self.text_grams, c.rare)

    def _fit_relation(self, keep_sites: Callable[[str], bool]) -> LinearModel:
        keep = np.array([keep_sites(s) for s in self.pairs.site], np.bool_)
        y = self.pairs.other[keep].astype(np.int64)
        if len(np.unique(y)) < 2:
            width = len(RELATION_COLUMNS)
            return LinearModel(np.zeros(width), np.ones(width), np.zeros(width), 0.0)
        sites = [s for s, k in zip(self.pairs.site, keep, strict=True) if k]
        weight = even([s.partition(":")[0] for s in sites]) * len(y)
        return linear_model(self.x_pairs[keep], y, weight, self.config.relation_c)

    def _first_stage(self) -> tuple[FirstStage, dict[str, Any]]:
        """Out-of-fold logits of all rows and passages, and the models fitted on all."""
        c, n = self.config, self.n
        total = len(self.fields)
        logits = {k: np.zeros(total) for k in ("text", "prose", "name", "host", "relation", "titled")}
        source_fold = fold_numbers([s for _, s in self.prose] + self.off_source, c.folds)
        of_source = dict(zip([s for _, s in self.prose] + self.off_source, source_fold.tolist(), strict=True))
        off_fold = np.array([of_source[s] for s in self.off_source], np.int64)
        site_fold = {s: int(f) for s, f in zip(self.data.site, self.inner.tolist(), strict=True)}
        with_name = np.array([bool(a) for a in self.fields.authors])
        with_host = np.array([bool(u) for u in self.fields.urls])
        for fold in range(c.folds):
            self.progress(f"first stage, fold {fold + 1} of {c.folds}")
            out = np.concatenate((self.inner == fold, off_fold == fold))
            keep = self.inner != fold
            text = self._fit_text(keep)
            titled = self._fit_titled(keep)
            name = self._fit_names(self.x_name, keep & with_name[:n], self.name_grams)
            host = self._fit_names(self.x_host, keep & with_host[:n], self.host_grams)
            prose = self._fit_prose(partial(_outside, of_source, fold), keep)
            relation = self._fit_relation(partial(_outside, site_fold, fold))
            for key, model, matrix in (
                ("text", text, self.x_text),
                ("prose", prose, self.x_text),
                ("titled", titled, self.x_text),
                ("name", name, self.x_name),
                ("host", host, self.x_host),
            ):
                logits[key][out] = gram_logits(model, matrix[out])
            logits["relation"][out] = relation.logits(self.dense.relation[out])
        self.progress("first stage, all")
        every = np.ones(n, np.bool_)
        models = {
            "text": self._fit_text(every),
            "prose": self._fit_prose(lambda _: True, every),
            "titled": self._fit_titled(every),
            "name": self._fit_names(self.x_name, with_name[:n], self.name_grams),
            "host": self._fit_names(self.x_host, with_host[:n], self.host_grams),
            "relation": self._fit_relation(lambda _: True),
        }
        logits["name"] = present(logits["name"], self.fields.authors)
        logits["host"] = present(logits["host"], self.fields.urls)
        logits["relation"] = np.where(self.dense.has_article, logits["relation"], 0.0)
        logits["foreign"], models["foreign"] = self._foreign(logits)
        return FirstStage(**logits), models

    def _foreign(self, logits: dict[str, F64]) -> tuple[F64, LinearModel | Network]:
        """Out-of-fold logits of the model of foreign passages, and the model fitted on all."""
        x = foreign_inputs(logits["text"], logits["prose"], logits["relation"], self.dense)
        n, passages_ = self.n, len(x) - self.n
        y = np.concatenate((np.zeros(n, np.int64), np.ones(passages_, np.int64)))
        use = self.dense.has_article & (np.concatenate((self.y, np.zeros(passages_, np.int64))) == 0)
        use &= np.concatenate((self.learn, np.ones(passages_, np.bool_)))
        site = [*self.data.site, *self.off_site]
        weight = np.zeros(len(x))
        for label in (0, 1):
            of = np.flatnonzero(use & (y == label))
            weight[of] = even([site[i] for i in of]) * max(use.sum(), 1) / 2
        fold, out = self._folds(), np.zeros(len(x))
        if len(np.unique(y[use])) < 2:
            none = np.zeros(x.shape[1])
            return out, LinearModel(none, none + 1.0, none, 0.0)
        for k in range(self.config.folds):
            keep = use & (fold != k)
            if len(np.unique(y[keep])) == 2:
                self.progress(f"foreign passages, fold {k + 1} of {self.config.folds}")
                out[fold == k] = self._foreign_model(x[keep], y[keep], weight[keep]).logits(x[fold == k])
        self.progress("foreign passages, all")
        return np.where(self.dense.has_article, out, 0.0), self._foreign_model(x[use], y[use], weight[use])

    def _foreign_model(self, x: F64, y: Index, weight: F64) -> LinearModel | Network:
        """A network; of few rows, which it would know by heart, a linear model."""
        c = self.config
        if len(y) < ENOUGH_FOR_UNITS:
            return linear_model(x, y, weight, c.foreign_c)
        return network(x, y, weight, c.networks, c.units, c.seed)

    def _folds(self) -> Index:
        """Folds of rows and passages: a passage goes with the site under whose article it stands."""
        site_fold = {s: int(f) for s, f in zip(self.data.site, self.inner.tolist(), strict=True)}
        return np.concatenate((self.inner, np.array([site_fold[s] for s in self.off_site], np.int64)))

    # ------------------------------------------------------------------ second stage
    def fit(self) -> tuple[Parameters, F64]:
        """Parameters, and out-of-fold calibrated logits of the rows."""
        first, models = self._first_stage()
        self.progress("second stage")
        anew = anew_names(self.dense.names)
        names = (*input_names(self.dense.names), *BY_CONTEXT, *anew)
        self.contexts = [names.index(name) for name in CONTEXTS]
        x = stage_inputs(first, self.dense, anew)
        x[:, [names.index(name) for name in HABITS]] = 0.0  # so their coefficients are 0
        if self._enough_strangers():
            self.progress("company")
            columns, models["company"], models["company_middle"] = self._company(first, self._out_of_fold(x)[0])
            x, names = np.concatenate((x, columns), axis=1), (*names, *COMPANY)
        logits, calibrated = self._out_of_fold(x)
        y, weight, learn = self._targets()
        head = calibrated.of(linear_model(x[learn], y[learn], weight[learn], self.config.head_c), self.contexts)
        spam, unsure = self._cutoffs(logits)
        typical = np.average(head.standardise(x[: self.n][self.y == 0]), axis=0, weights=self.weight[self.y == 0])
        if "company" in models:  # a comment without company has no part of it in its reasons
            typical[-len(COMPANY) :] = head.standardise(np.zeros((1, len(names))))[0, -len(COMPANY) :]
        return Parameters(
            **models,
            head=head,
            typical=typical,
            idf=self.idf,
            inputs=names,
            spam_cutoff=spam,
            unsure_cutoff=unsure,
        ), logits

    def _targets(self) -> tuple[Index, F64, NDArray[np.bool_]]:
        """Labels and weights of rows and passages, and which of them are learnt from."""
        passages_ = len(self.fields) - self.n
        return (
            np.concatenate((self.y, np.ones(passages_, np.int64))),
            np.concatenate((self.weight, self.config.passage_weight * self.off_weight)),
            np.concatenate((self.learn, np.ones(passages_, np.bool_))),
        )

    def _out_of_fold(self, x: F64) -> tuple[F64, Calibration]:
        """Calibrated logits of the rows by last stages that did not learn from their sites; the calibration."""
        y, weight, learn = self._targets()
        fold, raw = self._folds(), np.zeros(self.n)
        for k in range(self.config.folds):
            keep = (fold != k) & learn
            part = linear_model(x[keep], y[keep], weight[keep], self.config.head_c)
            raw[self.inner == k] = part.logits(x[: self.n][self.inner == k])
        # Calibrated on rows as they come, not balanced: half spam is not what a page holds, nor what was written to be
        # hard to tell.
        weight = np.where(invented(self.data), self.config.written, 1.0)
        context = x[: self.n, self.contexts]
        found = calibration(raw, context, self.y, np.where(self.learn, weight, 0.0))
        return found.logits(raw, context), found

    # ------------------------------------------------------------------ company
    def _enough_strangers(self) -> bool:
        """Whether in every fold enough comments are left to learn what readers have in common with their page."""
        fold = self.inner[self.strangers.row]
        return all((fold != k).sum() >= ENOUGH_STRANGERS for k in range(self.config.folds))

    def _company(self, first: FirstStage, logits: F64) -> tuple[F64, LinearModel, F64]:
        """Columns ``COMPANY`` of rows and passages, the model behind them, and the columns' usual values."""
        total, row = len(self.fields), self.strangers.row
        trust = np.zeros(total + len(row))  # passages and strangers are nobody's company
        trust[: self.n] = 1 / (1 + np.exp(np.clip(logits, -60, 60)))
        thread_of, place = (
            np.concatenate((getattr(self.seats, name), getattr(self.strangers.seats, name)))
            for name in ("thread_of", "place")
        )
        table = company(_with_rows(self.words, row), Seats(thread_of, place, trust), self.idf)
        stranger, model = self._strange(measures(table), confidence(table) > 0)
        raw = company_inputs(first, stranger, table[:total])
        # Comments that are judged one by one have no company: half of the rows are to know that.
        table[:total][self.rng.random(total) < self.config.drop_thread] = 0.0
        weight = self._targets()[1] * (confidence(table[:total]) > 0)
        middle = np.average(raw, axis=0, weights=weight) if weight.any() else np.zeros(raw.shape[1])
        out = (raw - middle) * confidence(table[:total])[:, np.newaxis]
        return out, model, middle

    def _strange(self, x: F64, there: NDArray[np.bool_]) -> tuple[F64, LinearModel]:
        """Out-of-fold logits, of rows and passages, of belonging to another page; the model fitted on all."""
        total, moved = len(self.fields), self.strangers.row
        own = np.unique(moved)
        rows = np.concatenate((own, np.arange(total, len(x))))
        source = np.concatenate((own, moved))[there[rows]]
        rows = rows[there[rows]]
        y = (rows >= total).astype(np.int64)
        weight = even([self.data.site[i].partition(":")[0] for i in source])
        for label in (0, 1):
            weight[y == label] *= len(y) / 2 / max(weight[y == label].sum(), 1e-9)
        fold, out = self._folds(), np.zeros(total)
        for k in range(self.config.folds):
            keep = self.inner[source] != k
            if len(np.unique(y[keep])) == 2:
                part = linear_model(x[rows[keep]], y[keep], weight[keep], self.config.relation_c)
                out[fold == k] = part.logits(x[:total][fold == k])
        if len(np.unique(y)) < 2:
            none = np.zeros(len(MEASURES))
            return out, LinearModel(none, none + 1.0, none, 0.0)
        return out, linear_model(x[rows], y, weight, self.config.relation_c)

    def _cutoffs(self, logits: F64) -> tuple[float, float]:
        """Probabilities above which the stated shares of ham lie, out of fold."""
        ham = self.y == 0
        rows = zip(self.data.article, self.data.site, self.data.set, strict=True)
        # Nobody has looked at comments that are only known as published: some of them are spam.
        real = ham & np.array([bool(a) and not s.endswith(INVENTED) and name != PUBLISHED for a, s, name in rows])
        # Pages have an article, and ham that was written to be hard is not what they hold: the rates are those of real
        # readers under articles, where there are enough of them to tell.
        p = 1 / (1 + np.exp(-logits[real if real.sum() >= ENOUGH_HAM else ham]))
        spam, unsure = (float(np.quantile(p, 1 - rate)) for rate in (self.config.spam_rate, self.config.unsure_rate))
        # A comment called spam must be more likely spam than not, whatever the rates allow.
        spam = max(spam, 0.5)
        return spam, min(unsure, spam)


def _outside(fold_of: dict[str, int], fold: int, site: str) -> bool:
    """True if the site is not in this fold."""
    return fold_of.get(site, -1) != fold


def all_features(fields: Fields, idf: NDArray[np.float32]) -> Dense:
    """The dense features of many comments, made in portions: the texts as arrays need more memory than the features."""
    n, names = len(fields), dense_features(Fields.of([]), idf).names
    out = Dense(names, np.empty((n, len(names))), np.empty((n, len(RELATION_COLUMNS))), np.empty(n, np.bool_))
    for at, part in fields.batches(AT_ONCE):
        dense = dense_features(part, idf)
        out.values[at], out.relation[at], out.has_article[at] = dense.values, dense.relation, dense.has_article
    return out


def words_of(texts: Sequence[str]) -> Words:
    """Hashed words of many texts, read in portions."""
    parts = [word_hashes(encode(part)) for part in portions(texts)]
    length = [np.diff(ptr) for _, _, ptr in parts]
    ends = np.cumsum(np.concatenate(length) if length else np.zeros(0, np.int64))
    word = np.concatenate([word for word, _, _ in parts]) if parts else np.zeros(0, np.uint32)
    return word, np.concatenate((np.zeros(1, np.int64), ends))


def _with_rows(words: Words, rows: Index) -> Words:
    """The words of the texts, and once more those of some of them."""
    word, ptr = words
    again = [word[ptr[i] : ptr[i + 1]] for i in rows.tolist()]
    ends = ptr[-1] + np.cumsum(np.diff(ptr)[rows])
    return np.concatenate([word, *again]), np.concatenate((ptr, ends))


def gram_matrix(grams: NGrams, texts: Sequence[str]) -> Matrix:
    """Hashed n-grams of texts as a scipy CSR matrix (texts × ``grams.width``, float32)."""
    # Counted twice: the first time only how many there are, so that the matrix is never there in parts and as a whole.
    sizes = [len(grams.counts(encode(part))[0]) for part in portions(texts)]
    index, values = np.empty(sum(sizes), np.int32), np.empty(sum(sizes), np.float32)
    ptr, row, at = np.zeros(len(texts) + 1, np.int64), 0, 0
    for part, size in zip(portions(texts), sizes, strict=True):
        of_part, count, ends = grams.counts(encode(part))
        index[at : at + size], values[at : at + size] = of_part, grams.values(of_part, count, ends)
        ptr[row + 1 : row + len(ends)] = at + ends[1:]
        row, at = row + len(part), at + size
    return sparse.csr_matrix((values, index, ptr), shape=(len(texts), grams.width))


def portions(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in order, at most ``CHARACTERS`` together at a time (a longer one comes alone)."""
    begin, length = 0, 0
    for i, text in enumerate(texts):
        if length + len(text) > CHARACTERS and i > begin:
            yield texts[begin:i]
            begin, length = i, 0
        length += len(text)
    if begin < len(texts):
        yield texts[begin:]


def document_frequencies(data: Dataset) -> NDArray[np.float32]:
    """Inverse document frequency of hashed words in articles and comments, scaled to 0..1."""
    texts = list({*(a for a in data.article if a), *data.text})
    size = 1 << IDF_BITS
    counts = np.zeros(size)
    for part in portions(texts):
        batch = encode(part)
        word, _, ptr = word_hashes(batch)
        text = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr)).astype(np.uint64)
        key = np.unique((text << np.uint64(IDF_BITS)) | (word >> np.uint32(32 - IDF_BITS)))
        counts += np.bincount((key & np.uint64(size - 1)).astype(np.int64), minlength=size)
    idf = np.log((1 + len(texts)) / (1 + counts))
    out: NDArray[np.float32] = (idf / idf.max()).astype(np.float32)
    return out


def _kept(column: Sequence[str | None], keep: NDArray[np.bool_]) -> list[str | None]:
    return [v if k else None for v, k in zip(column, keep.tolist(), strict=True)]


#: Signals that tell the age and the software of a site rather than spam: on sites left out the last stage is better
#: without them (blogs: AUC .9802 → .9814).
HABITS: Final = ("url_https", "author_lower", "author_upper")
#: Inputs that say what a comment stands under, other than an article: a title alone, or nothing.  Each is calibrated
#: apart: of what sites got there more was spam (videos left out: mean MCC .914 → .922; blogs: ECE .031 → .013).
CONTEXTS: Final = ("has_title_alone", "has_no_context")


def _capped(data: Dataset, most: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """At most ``most`` rows of each site and label to learn from: more add time, not knowledge."""
    keep = np.ones(len(data), np.bool_)
    key = list(zip(data.site, data.label.tolist(), strict=True))
    places: dict[tuple[str, int], list[int]] = defaultdict(list)
    for i, k in enumerate(key):
        places[k].append(i)
    for of in places.values():
        if len(of) > most:
            keep[rng.permutation(np.array(of))[most:]] = False
    return keep
