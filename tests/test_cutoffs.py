"""Where spam begins, from a team's labels: near the cut-off in use until the labels prove that it must be another."""

from __future__ import annotations

import numpy as np
import pytest

from spamfilter.cutoffs import LeftOut, cutoff

RATE = 0.005


def normal(mean, n, seed=1):
    return np.random.default_rng(seed).normal(mean, 1.0, n)


def share(values, above):
    return float((values >= above).mean())


def test_enough_ham_brings_the_cutoff_down_to_where_the_ham_ends():
    ham, spam = normal(-4, 400), normal(2, 100)
    found = cutoff(LeftOut(ham, spam, 30), 2.4, RATE)
    assert found < 0 and share(ham, found) == pytest.approx(RATE, abs=0.003) and share(spam, found) > 0.95


def test_the_cutoff_rises_until_the_blocked_ham_is_no_more_than_chance():
    ham = np.append(normal(-4, 370), normal(3, 30))
    spam = normal(4, 100)
    found = cutoff(LeftOut(ham, spam, 90), 2.0, RATE)
    assert share(ham, 2.0) > 0.05 and found > 2.0 and 0 < share(ham, found) < 0.02
    # Less spam is found than before, since too many readers were blocked.
    assert share(spam, found) < 0.9


def test_what_chance_explains_does_not_move_the_cutoff():
    ham = np.append(normal(-4, 396), [2.5, 2.6, 2.7, 3.5])  # four of 400, two are to be expected
    assert cutoff(LeftOut(ham, normal(3, 5), 3), 2.4, RATE) == 2.4


@pytest.mark.parametrize("seed", range(5))
def test_spam_that_was_labelled_ham_does_not_lift_the_cutoff_above_the_spam(seed):
    spam, ham = normal(3, 200, seed), normal(-3, 190, seed + 50)
    slips = normal(3, 8, seed + 90)  # a twenty-fifth of the spam
    before = 3.5
    found = cutoff(LeftOut(np.append(ham, slips), spam, round(200 * share(spam, before))), before, RATE)
    assert share(spam, found) >= share(spam, before) - 0.02 and share(ham, found) == 0


def test_of_four_spam_comments_one_found_is_no_licence_to_lose_half():
    # Ham whose next comment may be anywhere up to 4.3.
    ham, spam = np.array([1.8, -1.5, 0.5, -0.5, 1.2, -1.0, 2.0, -0.8, 0.0, 1.5]), np.array([5.0, 2.9, 0.5, -0.5])
    assert cutoff(LeftOut(ham, spam, 1), 2.4, RATE) == 2.4
    # A hundred, of which seventy stay above, would be another matter.
    assert cutoff(LeftOut(ham, np.repeat([5.0, 2.9, 0.5], [70, 10, 20]), 25), 2.4, RATE) > 3.5


def test_a_few_ham_comments_say_little_so_the_cutoff_rises_if_the_spam_allows():
    scattered = np.array([-3.0, -1.0, 0.5, -2.0, 1.0, -4.0, 0.0, -2.5])
    assert cutoff(LeftOut(scattered, normal(9, 40), 20), 2.4, RATE) > 3.5
    assert cutoff(LeftOut(scattered - 6, normal(9, 40), 20), 2.4, RATE) == 2.4  # and does not fall


def test_with_few_ham_labels_the_cutoff_falls_where_spam_would_be_missed():
    spam = normal(1, 40)
    found = cutoff(LeftOut(normal(-6, 20), spam, 30), 2.4, RATE)
    assert share(spam, 2.4) < 0.2 and share(spam, found) >= 0.75


@pytest.mark.parametrize(("ham", "spam"), [(0, 0), (1, 0), (0, 4), (1, 4)])
def test_where_nothing_is_known_the_cutoff_stays(ham, spam):
    assert cutoff(LeftOut(np.full(ham, -3.0), np.full(spam, 5.0), spam), 2.4, RATE) == 2.4


def test_below_even_odds_only_for_spam_that_would_be_missed():
    far, spam = normal(-6, 400), normal(2, 100)
    assert cutoff(LeftOut(far, spam, 60), 2.4, RATE, floor=0.0) == 0.0
    found = cutoff(LeftOut(far, spam - 3, 60), 2.4, RATE, floor=0.0)
    assert -2.0 < found < 0 and share(spam - 3, found) >= 0.6
