"""Parts of training and of the last stage that have rules of their own: how tightly grams are held, what counts anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spamfilter.datasets import read_rows
from spamfilter.features.fields import Fields, dense_features
from spamfilter.features.hashing import NGrams, word_hashes
from spamfilter.features.stages import ANEW, BY_CONTEXT, FirstStage, anew_names, stage_inputs
from spamfilter.features.wordlists import load_lists
from spamfilter.fitting import gram_model, telling
from spamfilter.nuisance import nuisance
from spamfilter.reasons import group_of
from spamfilter.rowweights import language_evenness
from spamfilter.text import encode
from spamfilter.training import gram_matrix, train
from tests.labelledrows import SMALL, threads

GRAMS = NGrams(12, 12, 0)
#: "weir" stands in all, "outlet" in spam alone, "ferry" in ham alone.
TEXTS = ["weir outlet", "weir outlet now", "weir ferry", "weir ferry home"] * 5
LABELS = np.array([1, 1, 0, 0] * 5)
WEIGHT = np.ones(len(TEXTS))


def place_of(word: str) -> int:
    return int(gram_matrix(GRAMS, [word]).indices.min())  # words come before characters


def test_a_gram_that_tells_by_itself_is_held_less_tightly() -> None:
    matrix = gram_matrix(GRAMS, TEXTS)
    tells = telling(matrix, LABELS, WEIGHT, 0.1)
    assert tells[place_of("outlet")] > 1.5 * tells[place_of("weir")] and tells.min() > 0
    mass = np.bincount(matrix.indices, matrix.data.astype(np.float64) ** 2, GRAMS.width)
    assert np.average(tells, weights=mass) == pytest.approx(1.0, abs=1e-5)
    more_for_rare = telling(matrix, LABELS, WEIGHT, 10.0)
    assert more_for_rare[place_of("outlet")] < tells[place_of("outlet")]


def test_the_scale_is_in_the_weights() -> None:
    matrix = gram_matrix(GRAMS, TEXTS)
    plain, held = (gram_model(matrix, LABELS, WEIGHT, 1.0, GRAMS, rare) for rare in (0.0, 0.1))
    said = held.logits(encode(["weir outlet", "weir ferry"]))
    assert said[0] > 1 > -1 > said[1]
    share = [abs(m.word[place_of("weir")]) / m.word[place_of("outlet")] for m in (plain, held)]
    assert share[1] < share[0]


def test_nothing_is_scaled_without_texts() -> None:
    empty = gram_matrix(GRAMS, ["", ""])
    assert np.allclose(telling(empty, np.array([0, 1]), np.ones(2), 0.1), 1.0)


def test_signals_count_anew_under_a_title_alone() -> None:
    text = "Subscribe to me, like this, and see https://circle.example/"
    fields = Fields.of([text] * 3, None, None, ["A song", "A song", None], [None, "The path was dry. " * 20, None])
    dense = dense_features(fields, np.ones(1 << 18, np.float32))
    none = np.zeros(3)
    first = FirstStage(none, none, none, none, none, none, none)
    names = anew_names(dense.names)
    plain, inputs = stage_inputs(first, dense), stage_inputs(first, dense, names)
    some = stage_inputs(first, dense, names[2:4], room=3)  # a model may have been made when there were fewer
    assert (some[:, plain.shape[1] : -3] == inputs[:, plain.shape[1] + 2 : plain.shape[1] + 4]).all()
    assert not some[:, -3:].any()
    assert inputs.shape[1] == plain.shape[1] + len(names) and (inputs[:, : plain.shape[1]] == plain).all()
    anew = inputs[:, plain.shape[1] :]
    assert not anew[1:].any()
    for name, value in zip(names, anew[0].tolist(), strict=True):
        assert value == dense.values[0, dense.names.index(name.removeprefix(ANEW))]
    said = dict(zip(names, anew[0].tolist(), strict=True))
    assert said["titled_says_rally"] > 0 and said["titled_links"] > 0
    assert "titled_anchors" not in said  # viewers have none, and every input costs time
    assert not set(names) & {*BY_CONTEXT, *dense.names}
    assert group_of("titled_links") == "links" and group_of("titled_says_rally") == "selling"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("like this comment if you were here first", 3),
        ("Thumbs up if you agree", 1),
        ("Ставьте лайк и подпишитесь", 2),
        ("I like the weir, and they share a boat", 0),
    ],
)
def test_calls_to_like_and_share_are_counted(text: str, found: int) -> None:
    lists = load_lists()
    word, _, ptr = word_hashes(encode([text]))
    assert lists.counts(word, ptr)[0, lists.names.index("rally")] == found


def test_a_language_is_no_sign_of_spam() -> None:
    """Nine in ten German comments are spam here, one in ten English ones: they weigh nearer to alike, and both sum up."""
    lang, label = ["de"] * 100 + ["en"] * 100 + ["cs"] * 5, [1] * 90 + [0] * 10 + [1] * 10 + [0] * 90 + [1] * 5
    weight = language_evenness(lang, label, np.ones(205))
    spam, ham = weight[:90].sum(), weight[90:100].sum()
    assert 1 < spam / ham < 9 and weight[100:110].sum() / weight[110:200].sum() > 10 / 90
    assert np.all(weight[200:] == 1)  # nothing to be even with
    assert weight.max() <= np.sqrt(3) and weight.min() >= np.sqrt(1 / 3)


def test_words_of_a_language_do_not_carry_what_its_comments_happened_to_be() -> None:
    """Nine in ten Dutch comments are spam here, one in ten English ones, and in both "outlet" stands in spam alone."""
    texts = ["het water van de sluis", "the water of the lock"] * 100
    label = np.array([int(k % 20 != 0) if k % 2 == 0 else int(k % 20 == 1) for k in range(200)])
    sells = label * (np.arange(200) % 3 == 0)  # a third of the spam says so
    texts = [f"{t} outlet" if s else t for t, s in zip(texts, sells.tolist(), strict=True)]
    matrix, aside = gram_matrix(GRAMS, texts), nuisance(texts, ["nl", "en"] * 100)
    plain, without = (gram_model(matrix, label, np.ones(200), 5.0, GRAMS, 0.1, a) for a in (None, aside))
    dutch, english, outlet = range(3)
    asked = encode(["het water van de sluis", "the water of the lock", "the water of the lock outlet"])
    before, after = plain.logits(asked), without.logits(asked)
    assert abs(after[dutch] - after[english]) < abs(before[dutch] - before[english]) / 2
    assert after[outlet] > 1 + after[english]


def test_the_length_of_comments_of_a_language_is_set_aside() -> None:
    """Long comments are spam here; nothing else tells one from the other."""
    texts = ["the weir"] * 50 + ["the weir and the lock and the mill and the ferry at the bridge " * 4] * 50
    label = np.array([0] * 50 + [1] * 50)
    matrix, aside = gram_matrix(GRAMS, texts), nuisance(texts, [None] * 100)
    plain, without = (gram_model(matrix, label, np.ones(100), 1.0, GRAMS, 0.0, a) for a in (None, aside))
    asked = encode([texts[0], texts[-1]])
    assert np.ptp(without.logits(asked)) < np.ptp(plain.logits(asked)) * 0.8


def test_no_more_ham_than_stated_lies_above_the_cutoffs() -> None:
    rows = read_rows(threads(comments=300), "tiny")
    sf, facts = train(rows, replace(SMALL, spam_rate=0.02, unsure_rate=0.1))
    p = 1 / (1 + np.exp(-facts.logits[rows.label == 0]))
    assert sf.parameters.spam_cutoff >= 0.5
    for cutoff, rate in ((sf.parameters.spam_cutoff, 0.02), (sf.parameters.unsure_cutoff, 0.1)):
        assert (p > cutoff).mean() <= rate + 1 / len(p)  # it lies between two comments
    assert (p >= sf.parameters.unsure_cutoff).mean() > 0.08  # nor is it set higher than it has to be
