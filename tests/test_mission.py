"""The page that started the project: only its article shows that its comment is spam."""

from __future__ import annotations

import json

import pytest

import spamfilter
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def page(request) -> tuple[str, dict]:
    folder = request.getfixturevalue("shared") / "mission"
    return (folder / "hydraulic-lift.txt").read_text(encoding="utf-8"), json.loads(
        (folder / "hydraulic-lift.json").read_text(encoding="utf-8")
    )


def test_the_comment_is_found_and_flagged(sf, page):
    text, gold = page
    scored = sf.score_page(text)
    (comment,), (verdict,) = scored.page.comments, scored.verdicts
    assert (comment.start, comment.end) == (gold["comments"][0]["start"], gold["comments"][0]["end"])
    assert text[comment.start : comment.end] not in scored.page.article
    assert scored.page.title == gold["title"]
    assert verdict.label == "spam"
    assert verdict.probability >= 0.9
    assert "off_topic" in [r.name for r in verdict.reasons]


@pytest.mark.parametrize(
    "other",
    [
        "I disagree.",
        "Putin and Xi meeting in May is mostly theatre.",
        "The gas deal is what matters here. Gazprom needs the western pipeline more than Beijing does, and nine years of "
        "haggling over the price shows it. Whether Ivanov and Li agreed on anything at the Kremlin we will learn in September.",
    ],
)
def test_readers_in_its_place_are_left_alone(sf, page, other):
    text, gold = page
    start, end = gold["comments"][0]["start"], gold["comments"][0]["end"]
    scored = sf.score_page(text[:start] + other + text[end:])
    assert [c.text for c in scored.page.comments] == [other]
    # One reader of twenty may be "unsure": a long comment without a name, the only one of its page, can be that one.
    assert scored.verdicts[0].label != "spam" and scored.verdicts[0].probability < 0.45


def test_the_same_on_a_page_of_our_own(sf):
    scored = sf.score_page((ROOT / "tests/pages/example-ferry.html").read_bytes())
    assert [v.label == "spam" for v in scored.verdicts] == [False, False, True, True, False]
    assert [c.depth for c in scored.page.comments] == [0, 1, 0, 0, 0]
    assert scored.page.comments[3].author_url == "http://outlet-boots-4-you.example/ladies"
    assert "off_topic" in [r.name for r in scored.verdicts[2].reasons]
    kept = spamfilter.clean((ROOT / "tests/pages/example-ferry.html").read_bytes())
    assert "Same here, and the fish market" in kept and "memory foam" not in kept


SAVED = """\
{title}

The night ferry between the old harbour and Skerry Island will keep running for at least two more winters. After four hours of debate the county council voted 19 to 14 on Tuesday against the plan of the finance committee to end the late sailing in October.

The committee had argued that the boat carries eleven passengers on an average weeknight and costs the county 412,000 a year. Islanders answered with a petition and with the shift plans of the hospital and the fish market: nurses and porters who live on Skerry have no other way home after ten in the evening.

The compromise ties the subsidy to a count. If fewer than nine people a night use the sailing this winter, the council will look at a smaller boat, or at a call-ahead service such as the one that the northern islands have had since 2019.

Share this:

One Reply to “{title}”

  1. {comment}

Leave a Reply"""


@pytest.mark.parametrize(
    ("comment", "label"),
    [
        ("The padding is filled with memory foam and the removable\n    cover can be washed at thirty degrees. Choose a firm mattress if you sleep\n    on your back, and turn it every three months so that the springs wear evenly.", "spam"),
        ("I disagree.", "ham"),
        ("Nine people a night is a fair count for a winter boat.", "ham"),
        ("I am a nurse and I live on Skerry. Without the late sailing I would have to\n    rent a room near the hospital four nights a week, so thank you to the council.", "ham"),
    ],
)  # fmt: skip
def test_the_same_layout_with_our_own_words(sf, comment, label):
    text = SAVED.format(title="Council votes to keep the night ferry", comment=comment)
    scored = sf.score_page(text)
    assert [text[c.start : c.end] for c in scored.page.comments] == [comment]
    assert comment not in scored.page.article
    assert scored.verdicts[0].label == label
