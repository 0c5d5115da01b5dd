"""The queue: what waits, in which order, and how a decision takes it out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spamfilter.errors import DataError
from spamfilter.labels import Context, Decision, LabelStore
from spamfilter.records import Comment, Reason, Verdict

PILLS = "Order your tablets from our trusted pharmacy today, delivery to every country within three days"
WATCH = "Luxury watches at a fraction of the price, every brand you know, free parcel service all over the world"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(tmp_path / "labels.db") as opened:
        yield opened


def verdict(p: float, *names: str) -> Verdict:
    label = "spam" if p > 0.8 else "unsure" if p > 0.3 else "ham"
    return Verdict(label, p, tuple(Reason(name, name, 1.0) for name in names), "m")  # type: ignore[arg-type]


def put(store: LabelStore, text: str, p: float | None = None, *names: str, site: str = "blog.example") -> int:
    return store.queue.enqueue(Comment(text), Context(site=site), None if p is None else verdict(p, *names))


def test_a_comment_waits_until_someone_decides_and_again_after_undo(store: LabelStore) -> None:
    number = put(store, "Which flour?", 0.5)
    assert [item.id for item in store.queue.pending()] == [number]
    store.queue.resolve(number, "ham", "ana")
    assert store.queue.pending() == [] and store.queue.count() == 0
    (row,) = store.current()
    assert (row.label, row.source, row.look, row.verdict) == ("ham", "queue", "shown", verdict(0.5))
    assert put(store, "Which flour?", 0.6) == number  # decided: it does not wait again
    assert store.queue.count() == 0
    store.queue.undo(number, "ana")
    assert [item.id for item in store.queue.pending()] == [number]


def test_a_decision_by_any_road_takes_the_comment_out(store: LabelStore) -> None:
    put(store, "Which flour?")
    store.add(Decision(Comment("Which flour?"), "ham", "ben", "feedback", Context(site="https://blog.example/")))
    assert store.queue.count() == 0


def test_most_uncertain_first(store: LabelStore) -> None:
    texts = {"sure spam": 0.99, "coin": 0.5, "unscored": None, "sure ham": 0.01, "leaning": 0.7}
    for text, p in texts.items():
        put(store, text, p)
    assert [i.comment.text for i in store.queue.pending("uncertain")] == [
        "coin",
        "leaning",
        "unscored",
        "sure spam",
        "sure ham",
    ]


def test_useful_order_takes_one_of_each_campaign_and_large_ones_first(store: LabelStore) -> None:
    for i in range(8):
        put(store, f"{PILLS} http://shop{i}.example", 0.6)
    put(store, f"{WATCH} http://w.example", 0.6)
    put(store, "Does this work with spelt flour?", 0.1)
    items = store.queue.pending("useful")
    assert [item.campaign_size for item in items[:3]] == [8, 1, 1]
    assert len({item.campaign for item in items[:3]}) == 3
    assert [i.comment.text for i in items[1:3]] == [f"{WATCH} http://w.example", "Does this work with spelt flour?"]


def test_newest_and_oldest(tmp_path: Path) -> None:
    now = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(9))
    with LabelStore.open(tmp_path / "labels.db", clock=lambda: next(now)) as store:
        for text in ("first", "second", "third"):
            put(store, text)
        assert [i.comment.text for i in store.queue.pending("newest", limit=2)] == ["third", "second"]
        assert [i.comment.text for i in store.queue.pending("oldest", limit=2, offset=1)] == ["second", "third"]
        assert [i.comment.text for i in store.queue.pending(since=datetime(2026, 1, 3, tzinfo=UTC))] == ["third"]
    with pytest.raises(DataError, match="sideways"):
        store.queue.pending("sideways")  # type: ignore[arg-type]


def test_filters_and_their_counts_agree(store: LabelStore) -> None:
    put(store, "100% off_topic here", 0.5, "links", "off_topic")
    put(store, "1000 things", 0.5, "off_topic_b")
    put(store, 'she said ["off_topic", loudly', 0.5, "caps")
    put(store, "Kaffee für alle", 0.5, site="cafe.example")
    cases = [
        ({"reason": "off_topic"}, 1),
        ({"reason": "none"}, 0),
        ({"query": "100%"}, 1),
        ({"query": "100_ off"}, 0),
        ({"query": "KAFFEE"}, 1),
        ({"site": "https://Cafe.example/"}, 1),
        ({"site": "blog.example", "scored": True}, 3),
        ({"scored": False}, 0),
        ({}, 4),
    ]
    for filters, n in cases:
        assert len(store.queue.pending(**filters)) == store.queue.count(**filters) == n, filters  # type: ignore[arg-type]


def test_a_site_reads_and_decides_nothing_of_another(store: LabelStore) -> None:
    number = put(store, "Which flour?", 0.5, site="one.example")
    assert store.queue.get(number, site="two.example") is None
    for attempt in (
        lambda: store.queue.resolve(number, "spam", "eve", site="two.example"),
        lambda: store.queue.undo(number, "eve", site="two.example"),
    ):
        with pytest.raises(DataError, match=r"no comment .* of two\.example"):
            attempt()
    assert store.queue.resolve(number, "ham", "ana", site="one.example") == 1


def test_a_campaign_is_decided_at_once_or_not_at_all(store: LabelStore) -> None:
    numbers = [put(store, f"{PILLS} number {i}", 0.7) for i in range(5)]
    with pytest.raises(DataError):
        store.queue.resolve_many([*numbers, 999], "spam", "ana")
    assert store.queue.count() == 5
    campaign = store.queue.pending(limit=1)[0].campaign
    assert store.queue.count(campaign=campaign) == 5
    store.queue.resolve_many(numbers, "spam", "ana")
    assert store.queue.count() == 0
    store.queue.undo_many(numbers, "ana")
    assert store.queue.count() == 5


def test_resolving_with_a_key_twice_is_one_decision(store: LabelStore) -> None:
    number = put(store, "Which flour?", 0.5)
    assert store.queue.resolve(number, "ham", "ana", key="click-1") == store.queue.resolve(
        number, "ham", "ana", key="click-1"
    )
    assert store.stats().decisions == 1


def test_skipped_comments_come_last(store: LabelStore) -> None:
    first, second = put(store, "one", 0.5), put(store, "two", 0.9)
    store.queue.skip(first)
    assert [item.id for item in store.queue.pending()] == [second, first]
    assert store.queue.pending()[1].skips == 1


def test_a_later_verdict_replaces_the_earlier(store: LabelStore) -> None:
    number = put(store, "one")
    assert [item.id for item in store.queue.pending(scored=False)] == [number]
    store.queue.set_verdicts([(number, verdict(0.2, "short"))])
    put(store, "one", 0.9, "links")
    (item,) = store.queue.pending()
    assert item.verdict == verdict(0.9, "links")


def test_decided_in_the_queue_keeps_the_article_that_came_later(store: LabelStore) -> None:
    place = "https://blog.example/rye"
    number = store.queue.enqueue(Comment("Which flour?"), Context(permalink=place))
    store.put_article(place, "Rye", "About rye.", site="blog.example")
    (item,) = store.queue.pending()
    assert item.fields()["article"] == "About rye."
    store.queue.resolve(number, "ham", "ana")
    assert store.stats().comments == 1
    assert next(store.to_rows())["article"] == "About rye."
