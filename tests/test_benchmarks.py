"""The hot functions, timed by pytest-benchmark where it is installed; nothing here depends on seconds.

``pytest tests/test_benchmarks.py --benchmark-only`` prints the table; without the plugin each runs once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spamfilter.features import links, relatedness, signals
from spamfilter.features.fields import Fields, dense_features
from spamfilter.linear import gram_logits
from spamfilter.model import SpamFilter
from spamfilter.text import encode

_PLAIN = "I walked past the old mill on Sunday; the weir is leaking again, and nobody seems to be in charge of it. "
_TEXTS = [
    _PLAIN * 2,
    "Great post!! Buy cheap watches at http://watches.example/deal?id=7 or call +44 (20) 7946-0000 now",
    "C’est très bien expliqué, merci — j’attends la suite avec impatience…",
    "Спасибо автору, всё работает после перезагрузки 👍",
    "ｆｒｅｅ b o n u s at www.casino.example, раураl accepted",
] * 40
_ARTICLE = "The council has put off the repair of the weir for another year, although the mill is listed. " * 40

Timer = Callable[..., Any]


@pytest.fixture
def timed(request: pytest.FixtureRequest) -> Timer:
    """``benchmark`` of pytest-benchmark, or a plain call where the plugin is missing."""
    if request.config.pluginmanager.hasplugin("benchmark"):
        timer: Timer = request.getfixturevalue("benchmark")
        return timer
    return lambda job, *args: job(*args)


def test_encode(timed: Timer) -> None:
    batch = timed(encode, _TEXTS)
    assert len(batch) == len(_TEXTS)


def test_grams(timed: Timer, sf: SpamFilter) -> None:
    models = (sf.parameters.text, sf.parameters.prose)
    text, prose = timed(gram_logits, encode(_TEXTS), *models)
    assert np.array_equal(text, models[0].logits(encode(_TEXTS))) and len(prose) == len(_TEXTS)


def test_facts(timed: Timer) -> None:
    facts = timed(signals.text_facts, encode(_TEXTS))
    assert len(facts.ptr) == len(_TEXTS) + 1


def test_links(timed: Timer) -> None:
    found = timed(links.link_counts, _TEXTS, encode(_TEXTS))
    assert found[1, 0] == 1 and found[4, 0] == 1 and found[:, 0].sum() == 80


def test_relatedness(timed: Timer, sf: SpamFilter) -> None:
    mine, theirs = signals.text_facts(encode(_TEXTS)), signals.text_facts(encode([_ARTICLE]))
    of = np.zeros(len(_TEXTS), np.int64)
    table = timed(relatedness.relate_words, (mine.word, mine.ptr), (theirs.word, theirs.ptr), of, sf.parameters.idf)
    assert table[0, 1] > 0


def test_dense_features(timed: Timer, sf: SpamFilter) -> None:
    rows = Fields.of(_TEXTS, ["Jo"] * len(_TEXTS), None, ["The weir"] * len(_TEXTS), [_ARTICLE] * len(_TEXTS))
    dense = timed(dense_features, rows, sf.parameters.idf)
    assert dense.values.shape == (len(_TEXTS), len(dense.names)) and dense.has_article.all()


def test_score_frame(timed: Timer, sf: SpamFilter) -> None:
    frame = pd.DataFrame({"text": _TEXTS, "title": "The weir", "article": _ARTICLE})
    scored = timed(sf.score_frame, frame)
    assert list(scored["text"]) == _TEXTS and scored["spam_probability"].between(0, 1).all()


def test_score_one(timed: Timer, sf: SpamFilter) -> None:
    verdict = timed(sf.score, _TEXTS[1], "Jo", None, "The weir", _ARTICLE)
    logit = np.log(verdict.probability / (1 - verdict.probability))
    assert sum(reason.weight for reason in verdict.reasons) == pytest.approx(logit, abs=1e-6)


def test_last_stage(timed: Timer, sf: SpamFilter) -> None:
    rows = Fields.of(_TEXTS, ["Jo"] * len(_TEXTS), None, ["The weir"] * len(_TEXTS), [_ARTICLE] * len(_TEXTS))
    table = timed(sf.inputs, rows)
    assert table.shape == (len(_TEXTS), len(sf.parameters.inputs)) and np.isfinite(table).all()


def test_verdicts_of_a_page_with_reasons(timed: Timer, sf: SpamFilter) -> None:
    rows = [{"text": text, "author": "Jo", "title": "The weir", "article": _ARTICLE} for text in _TEXTS]
    verdicts = timed(sf.score_many, rows)
    assert len(verdicts) == len(_TEXTS) and all(verdict.reasons[-1].name == "rest" for verdict in verdicts)
