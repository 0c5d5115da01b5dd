"""Quality floors of the judge: a model trained here, judged on sites that it never saw."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from benchmarks import readers
from spamfilter import passages
from spamfilter.datasets import Dataset, merge, read_data
from spamfilter.evaluation import metrics, predict
from spamfilter.model import SpamFilter
from spamfilter.training import train
from tests.conftest import ROOT

FLOORS = tomllib.loads((ROOT / "tests/floors.toml").read_text(encoding="utf-8"))["classifier"]
#: Left out: all blogs under campaigns, every other of the other blogs, two of five videos.
CAMPAIGNS = ("wp_midonet", "wp_dagnamusic", "wp_centered")


@pytest.fixture(scope="module")
def in_company(judged) -> tuple[np.ndarray, np.ndarray]:
    """The same comments and passages, each among the comments of its page (a passage not among other passages)."""
    test, _, off, _, _, sf = judged
    pages = [p if a or t else None for p, a, t in zip(test.post, test.article, test.title, strict=True)]
    rows = predict(sf, test, pages)
    members = [np.flatnonzero(np.array(test.post) == post) for post in off.post]
    order = [i for k, page in enumerate(members) for i in (*page.tolist(), len(test) + k)]
    threads = [k for k, page in enumerate(members) for _ in range(len(page) + 1)]
    ends = np.cumsum([len(page) + 1 for page in members]) - 1
    return rows, predict(sf, merge([test, off]).take(order), threads)[ends]


@pytest.fixture(scope="module")
def judged(request) -> tuple[Dataset, np.ndarray, Dataset, np.ndarray, float, SpamFilter]:
    folder = request.getfixturevalue("shared")
    data = read_data([folder / "data"])
    blogs = sorted({s for s, name in zip(data.site, data.set, strict=True) if name == "wp_blogs"})
    videos = sorted({s for s, name in zip(data.site, data.set, strict=True) if name == "youtube_uci"})
    unseen = {*blogs[::2], *videos[:2]} | {s for s, name in zip(data.site, data.set, strict=True) if name in CAMPAIGNS}
    out = np.array([s in unseen for s in data.site])
    sf, _ = train(merge([data.take(~out), read_data([ROOT / "data/corpus"]), readers.of_pages(folder / "pages")]))
    test = data.take(out)
    off, _ = passages.off_topic(data, 800, np.random.default_rng(5))
    off = off.take(np.array([s in unseen and not s.startswith("youtube") for s in off.site]))
    return test, predict(sf, test), off, predict(sf, off), sf.parameters.spam_cutoff, sf


def test_unseen_blogs(judged):
    test, p, _, _, cutoff, _ = judged
    of = np.array([name.startswith("wp") for name in test.set])
    found, floors = metrics(test.label[of], p[of], cutoff), FLOORS["blogs"]
    assert found.auc >= floors["auc"]
    assert found.ap >= floors["ap"]
    assert found.recall_at_1 >= floors["recall_at_1"]
    assert found.blocked_ham <= floors["blocked_ham"]
    assert found.ece <= floors["ece"]


def test_unseen_videos(judged):
    test, p, _, _, cutoff, _ = judged
    of = np.array([name == "youtube_uci" for name in test.set])
    found, floors = metrics(test.label[of], p[of], cutoff), FLOORS["videos"]
    assert found.auc >= floors["auc"]
    assert found.ap >= floors["ap"]
    assert found.blocked_ham <= floors["blocked_ham"]


def test_off_topic_passages_on_unseen_blogs(judged):
    test, p, _, off, _, _ = judged
    ham = p[np.array([name.startswith("wp") for name in test.set]) & (test.label == 0)]
    found = metrics(np.r_[np.zeros(len(ham)), np.ones(len(off))], np.r_[ham, off])
    assert found.auc >= FLOORS["off_topic"]["auc"]
    assert found.recall_at_1 >= FLOORS["off_topic"]["recall_at_1"]


def test_comments_judged_among_those_of_their_page(judged, in_company):
    test, _, _, _, cutoff, _ = judged
    rows, off = in_company
    blogs = np.array([name.startswith("wp") for name in test.set])
    found, floors = metrics(test.label[blogs], rows[blogs], cutoff), FLOORS["blogs_in_company"]
    assert found.auc >= floors["auc"]
    assert found.recall_at_1 >= floors["recall_at_1"]
    assert found.blocked_ham <= floors["blocked_ham"]
    ham = rows[blogs & (test.label == 0)]
    found = metrics(np.r_[np.zeros(len(ham)), np.ones(len(off))], np.r_[ham, off])
    assert found.auc >= FLOORS["off_topic_in_company"]["auc"]
    assert found.recall_at_1 >= FLOORS["off_topic_in_company"]["recall_at_1"]
