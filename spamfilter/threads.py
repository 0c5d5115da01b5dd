"""Threads of labelled comments, as material for training.

Usage::

    seats = seats_of(data, off, rng)              # who stands on which page, rows and off-topic passages
    away = strangers(data, seats, 600, rng)       # readers' comments put on pages they do not belong to

What a comment has in common with its page is learnt from readers' comments alone: on their own page, and on another.
Spam must not teach it, since where it came in campaigns it has most in common with other spam.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamfilter.datasets import Dataset
from spamfilter.features.company import places

__all__ = ["Places", "seats_of", "strangers"]

I64 = NDArray[np.int64]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Places:
    """Number of the page of some comments (-1: none known) and their places there."""

    thread_of: I64
    place: I64


def seats_of(data: Dataset, off: Dataset, rng: Rng) -> Places:
    """Pages and places of the rows of ``data`` and then of the passages ``off``.

    Comments of one post are of one page, if it has a title or an article: else nothing says that they met.  A passage
    takes the place of a comment of its page, which it does not see, so that pages with and without are equally long.
    """
    number: dict[str, int] = {}
    of = [
        number.setdefault(post, len(number)) if title or article else -1
        for post, title, article in zip(data.post, data.title, data.article, strict=True)
    ]
    thread_of = np.array([*of, *(number.get(post, -1) for post in off.post)], np.int64)
    rows = thread_of[: len(data)]
    of_passages = _some_place(thread_of[len(data) :], rows, rng)
    return Places(thread_of, np.concatenate((places(rows), of_passages)))


def _some_place(wanted: I64, rows: I64, rng: Rng) -> I64:
    """For each page that is wanted, a place on it; 0 where it has no comments."""
    size = np.bincount(rows[rows >= 0], minlength=int(wanted.max(initial=0)) + 1)[np.maximum(wanted, 0)]
    out: I64 = (rng.random(len(wanted)) * size).astype(np.int64)
    return out


@dataclass(frozen=True, slots=True)
class Strangers:
    """Rows of readers' comments, and pages and places that are not theirs."""

    row: I64
    seats: Places


def strangers(data: Dataset, seats: Places, most: int, rng: Rng) -> Strangers:
    """Ham comments that have company, each put on another page of its site and on another of its language.

    At most ``most`` comments of one site are used.
    """
    rows = seats.thread_of[: len(data)]
    size = np.bincount(rows[rows >= 0], minlength=1)
    there = (rows >= 0) & (size[np.maximum(rows, 0)] > 1) & (data.label == 0)
    by_site: dict[str, list[int]] = defaultdict(list)
    pages: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for i in np.flatnonzero(there).tolist():
        by_site[data.site[i]].append(i)
        for kind in (("site", data.site[i]), ("lang", data.lang[i])):
            pages[kind].append(int(rows[i]))
    pool = {kind: np.unique(numbers) for kind, numbers in pages.items()}
    row, thread = list[int](), list[int]()
    for site, of_site in by_site.items():
        for i in rng.permutation(of_site)[:most].tolist():
            for kind in (("site", site), ("lang", data.lang[i])):
                other = int(pool[kind][int(rng.integers(len(pool[kind])))])
                if other != rows[i]:
                    row.append(i)
                    thread.append(other)
    of = np.array(thread, np.int64)
    return Strangers(np.array(row, np.int64), Places(of, _some_place(of, rows, rng)))
