"""Fits of networks and calibrations, and what of them is saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spamfilter import compiled, store, training
from spamfilter.datasets import read_rows
from spamfilter.fitting import Calibration, calibration, linear_model, network
from spamfilter.linear import LinearModel
from spamfilter.network import Network
from spamfilter.training import train
from tests.labelledrows import SMALL, threads
from tests.tinymodel import manifest


def crossed(n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that are 1 where their two first inputs have the same sign: no line parts them."""
    rng = np.random.default_rng(3)
    x = rng.normal(2.0, 3.0, (n, 4))
    return x, ((x[:, 0] > 2) == (x[:, 1] > 2)).astype(np.int64), np.ones(n)


def right(said: np.ndarray, y: np.ndarray) -> float:
    return float(((said > 0) == y).mean())


def test_a_network_learns_what_no_line_parts() -> None:
    x, y, weight = crossed()
    assert right(linear_model(x, y, weight, 1.0).logits(x), y) < 0.65
    found = network(x[:400], y[:400], weight[:400], 3, 16, 1)
    assert found.hidden.shape == (4, 48) and right(found.logits(x[400:]), y[400:]) > 0.85


def test_networks_side_by_side_say_their_mean_and_the_same_again() -> None:
    x, y, weight = crossed(200)
    together = network(x, y, weight, 2, 4, 5)
    each = [network(x, y, weight, 1, 4, seed) for seed in (5, 6)]
    assert np.allclose(together.logits(x), (each[0].logits(x) + each[1].logits(x)) / 2)
    assert np.array_equal(network(x, y, weight, 2, 4, 5).hidden, together.hidden)
    assert not np.allclose(each[0].logits(x), each[1].logits(x))


def test_a_network_goes_by_the_weights_of_rows() -> None:
    x, y, _ = crossed(400)
    x, y = np.concatenate((x, x)), np.concatenate((y, 1 - y))  # every row is both
    half = np.arange(800) < 400
    for counts in (half, ~half):
        said = network(x, y, np.where(counts, 9.0, 1.0), 2, 16, 1).logits(x[counts])
        assert right(said, y[counts]) > 0.8


def some_network(inputs: int = 5, units: int = 7) -> Network:
    rng = np.random.default_rng(8)
    shapes = ((inputs,), (inputs,), (inputs, units), (units,), (units,))
    mean, scale, hidden, bias, coef = (rng.normal(size=shape) for shape in shapes)
    return Network(mean, np.abs(scale) + 0.1, hidden, bias, coef, 0.25)


def test_a_row_is_judged_alike_in_any_company_and_by_the_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    found = some_network()
    x = np.random.default_rng(2).normal(0, 20, (40, 5))  # far beyond six standard deviations, too
    said = found.logits(x)
    assert np.array_equal(said, [found.logits(row[np.newaxis])[0] for row in x])
    assert np.array_equal(said, found.logits(np.asfortranarray(x)))
    z = np.clip((x - found.mean) / found.scale, -6, 6)
    assert np.allclose(said, np.maximum(z @ found.hidden + found.bias, 0) @ found.coef + 0.25)
    monkeypatch.setattr(compiled, "kernel", None)
    assert np.array_equal(said, found.logits(x)) and len(found.logits(x[:0])) == 0


@pytest.mark.skipif(compiled.kernel is None, reason="the compiled loops are not installed")
def test_the_loop_refuses_arrays_that_do_not_fit() -> None:
    assert compiled.kernel is not None
    five, seven = np.ones(5), np.ones(7)
    for hidden, out in ((np.ones((5, 6)), np.ones((2, 7))), (np.ones((5, 7)), np.ones((1, 7)))):
        with pytest.raises(ValueError, match="a weight for every input and unit"):
            compiled.kernel.units(np.ones((2, 5)), five, five, hidden, seven, 6.0, out)


@pytest.mark.parametrize(("enough", "kind"), [(10, Network), (10**6, LinearModel)])
def test_passages_are_told_by_a_network_where_there_is_enough(
    enough: int, kind: type, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(training, "ENOUGH_FOR_UNITS", enough)
    rows = read_rows(threads(comments=300), "tiny")
    config = replace(SMALL, networks=2, units=3)
    sf, facts = train(rows, config)
    assert isinstance(sf.parameters.foreign, kind)
    assert np.array_equal(train(rows, config)[1].logits, facts.logits)
    saved = store.load(store.save(sf, tmp_path / "model", manifest("1")))
    assert isinstance(saved.parameters.foreign, kind)
    comments = [
        {"text": t, "title": title, "article": a}
        for t, title, a in zip(rows.text[:20], rows.title[:20], rows.article[:20], strict=True)
    ]
    assert [v.probability for v in saved.score_many(comments)] == [v.probability for v in sf.score_many(comments)]


def test_training_states_calibrated_log_odds(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_rows(threads(comments=300), "tiny")
    said = []
    for under in ([0.0, 0.0], [4.0, -4.0]):
        found = Calibration(1.0, 0.0, np.array(under))
        monkeypatch.setattr(training, "calibration", lambda *_, found=found: found)
        sf, _ = train(rows, SMALL)
        comment, title, article = "Which gate?", "A walk past the weir", "The path was dry and we met nobody. " * 9
        p = [sf.score(comment, title=title), sf.score(comment), sf.score(comment, title=title, article=article)]
        said.append([np.log(v.probability / (1 - v.probability)) for v in p])
    # Whom the others of a page trust goes by it too, so the trainings are not quite the same.
    assert np.subtract(said[1], said[0]) == pytest.approx([4.0, -4.0, 0.0], abs=0.5)


def contexts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw logits that mean what they say, twice as steep; in the second context one more."""
    rng = np.random.default_rng(6)
    context = np.zeros((6000, 2))
    context[3000:, 0] = 1
    true = rng.normal(0, 2, 6000) + context[:, 0]
    return (true - context[:, 0]) * 2, context, (rng.random(6000) < 1 / (1 + np.exp(-true))).astype(np.int64)


def test_each_context_is_calibrated() -> None:
    raw, context, y = contexts()
    found = calibration(raw, context, y, np.ones(6000))
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.under == pytest.approx([1.0, 0.0], abs=0.15)  # of the other nothing was seen
    p = 1 / (1 + np.exp(-found.logits(raw, context)))
    for half in (slice(0, 3000), slice(3000, None)):
        assert p[half].mean() == pytest.approx(y[half].mean(), abs=0.01)


def test_a_context_with_a_few_comments_of_one_class_moves_little() -> None:
    raw, context, y = contexts()
    context[:5, 1], y[:5] = 1, 1
    assert 0 < calibration(raw, context, y, np.ones(6000)).under[1] < 2


def test_a_calibrated_model_states_calibrated_log_odds() -> None:
    rng = np.random.default_rng(7)
    x = np.concatenate((rng.normal(size=(50, 3)), rng.integers(0, 2, (50, 2))), axis=1)
    # The last but one hardly ever stands in training, so that it is cut off at six standard deviations.
    model = LinearModel(np.array([0, 0, 0, 0.001, 0.5]), np.array([1, 2, 1, 0.03, 0.5]), rng.normal(size=5), 0.2)
    found = Calibration(0.8, -0.3, np.array([1.5, -0.7]))
    assert np.allclose(found.of(model, [3, 4]).logits(x), found.logits(model.logits(x), x[:, 3:]))
