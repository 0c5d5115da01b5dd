"""How far people agree: near-duplicates are one campaign, what was undone or changed does not count."""

import dataclasses
from datetime import UTC, datetime

import pytest

from spamfilter.labels import Context, LabelRow, LabelStore
from spamfilter.labels.agreement import agreements
from spamfilter.records import Comment
from tests.team import fill

AT = datetime(2026, 3, 1, tzinfo=UTC)


def said(campaign, who, label, comment=None, live=True):
    number = campaign if comment is None else comment
    return LabelRow(1, number, Comment("x"), Context(), label, who, "page", AT, None, None, campaign, live)


def test_pairs_agree_as_far_as_their_campaigns_do():
    rows = [said(n, who, "spam" if n < 5 else "ham") for n in range(10) for who in ("ana", "ben")]
    rows = [dataclasses.replace(r, label="ham") if (r.campaign, r.who) == (0, "ben") else r for r in rows]
    (pair,) = agreements(rows)
    assert (pair.first, pair.second, pair.n, pair.same) == ("ana", "ben", 10, 9)
    # Chance: 0.5 * 0.4 + 0.5 * 0.6 = 0.5, so (0.9 - 0.5) / 0.5.
    assert pair.share == 0.9 and pair.kappa == pytest.approx(0.8)


def test_the_last_decision_counts_and_what_was_undone_does_not():
    rows = [said(1, "ana", "ham"), said(1, "ben", "spam"), said(1, "ben", "ham"), said(2, "ben", "spam", live=False)]
    (pair,) = agreements([*rows, said(2, "ana", "ham")])
    assert (pair.n, pair.same, pair.kappa) == (1, 1, None)


def test_somebody_divided_about_a_campaign_says_nothing_of_it():
    rows = [said(1, "ana", "ham", comment=1), said(1, "ana", "spam", comment=2), said(1, "ben", "spam", comment=3)]
    assert agreements(rows) == []
    assert agreements([*rows, said(1, "ana", "spam", comment=4)])[0].same == 1


def test_one_person_alone_agrees_with_nobody(tmp_path):
    with LabelStore.open(fill(tmp_path / "labels.db", 20)) as store:
        assert agreements(store.rows()) == []
