"""Threads as training material: who is put where."""

from __future__ import annotations

import numpy as np

from spamfilter.datasets import Dataset, read_rows
from spamfilter.threads import seats_of, strangers


def rows(posts: dict[str, int], label: str = "ham", **more: str | None) -> list[dict[str, object]]:
    return [
        {"text": f"comment {n} of {post}", "label": label, "post": post, "site": post[0], "lang": "en", "title": post, **more}
        for post, size in posts.items()
        for n in range(size)
    ]  # fmt: skip


def data(*parts: list[dict[str, object]]) -> Dataset:
    return read_rows([row for part in parts for row in part], "threads")


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def test_comments_of_a_post_are_seated_in_order() -> None:
    own = data(rows({"a1": 3, "b1": 2}), rows({"c1": 2}, title=None))
    seats = seats_of(own, own.take([]), rng())
    assert seats.thread_of.tolist() == [0, 0, 0, 1, 1, -1, -1]  # nothing stands above c1: its rows need not have met
    assert seats.place.tolist()[:5] == [0, 1, 2, 0, 1]


def test_a_passage_takes_the_place_of_a_comment() -> None:
    own = data(rows({"a1": 3, "b1": 1}))
    off = own.take([0, 1, 3, 3])
    seats = seats_of(own, off, rng())
    assert seats.thread_of[4:].tolist() == [0, 0, 1, 1]
    assert set(seats.place[4:6].tolist()) <= {0, 1, 2} and seats.place[6:].tolist() == [0, 0]


def test_strangers_are_readers_on_pages_that_are_not_theirs() -> None:
    own = data(rows({"a1": 3, "a2": 2, "b1": 4, "b2": 1}), rows({"a1": 5}, label="spam"))
    seats = seats_of(own, own.take([]), rng())
    away = strangers(own, seats, 100, rng())
    assert len(away.row) and (own.label[away.row] == 0).all()
    assert (away.seats.thread_of != seats.thread_of[away.row]).all()
    assert "b2" not in {own.post[i] for i in away.row}  # had no company at home
    size = np.bincount(seats.thread_of)
    assert (away.seats.place < size[away.seats.thread_of]).all()
    few = strangers(own, seats, 1, rng())
    assert np.bincount(few.row).astype(bool).sum() <= 2  # one comment of each site
    again = strangers(own, seats, 100, rng())
    assert again.row.tolist() == away.row.tolist()


def test_without_pages_there_are_no_strangers() -> None:
    own = data(rows({"a1": 1, "b1": 1}))
    assert not len(strangers(own, seats_of(own, own.take([]), rng()), 100, rng()).row)
