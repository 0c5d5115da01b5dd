"""The other comments of a page: who is company to whom, and that verdicts depend on the page alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spamfilter import model as model_room
from spamfilter import store
from spamfilter.errors import DataError
from spamfilter.features.company import COLUMNS, REACH, Seats, company, confidence
from spamfilter.features.hashing import word_hashes
from spamfilter.features.relatedness import IDF_BITS
from spamfilter.features.stages import COMPANY
from spamfilter.model import SpamFilter
from spamfilter.records import Comment, Page
from spamfilter.text import encode
from tests.tinymodel import manifest, tiny

TITLE = "The weir at the mill"
ARTICLE = "The river rose by two metres overnight, and the old weir at the mill held after all. " * 8
COMMENTS = [
    ("Hanna", "My grandfather rebuilt the sluice with oak planks, and nobody thanked him for it."),
    ("Jo", "Oak planks rot at the waterline, Hanna, the sluice needs larch."),
    ("Ada", "Larch is dear this year. My sister paid twice as much for her jetty."),
    (None, "Wash the memory foam cover every three months, and turn the mattress for even wear."),
    ("cheap watches", "Cheap replica watches, visit www.watches.example today!!!"),
    ("Jo", "Your sister should have asked at the sawmill in Ebbing, Ada."),
]


@pytest.fixture(scope="module")
def seated() -> SpamFilter:
    return tiny()


def page(comments: list[tuple[str | None, str]]) -> Page:
    return Page(TITLE, ARTICLE, tuple(Comment(text, author) for author, text in comments))


def frame(pages: int = 1, comments: list[tuple[str | None, str]] | None = None) -> pd.DataFrame:
    rows = [
        {"text": text, "author": author, "title": TITLE, "article": ARTICLE, "thread": f"page {k}"}
        for k in range(pages)
        for author, text in (comments or COMMENTS)
    ]
    return pd.DataFrame(rows)


def crowd(n: int) -> list[tuple[str | None, str]]:
    return [(a, f"{text} {n // 7} {words}") for n, (a, text) in zip(range(n), COMMENTS * n, strict=False)
            for words in [" ".join(f"w{n * k % 31}" for k in range(9))]]  # fmt: skip


def table(texts: list[str], trust: list[float] | None = None, place: list[int] | None = None) -> dict[str, list[float]]:
    word, _, ptr = word_hashes(encode(texts))
    n = len(texts)
    seats = Seats(np.zeros(n, np.int64), np.array(place or range(n)), np.array(trust or [1.0] * n))
    found = company((word, ptr), seats, np.ones(1 << IDF_BITS, np.float32))
    return dict(zip(COLUMNS, found.T.tolist(), strict=True))


# ---------------------------------------------------------------- who is company to whom
def test_words_that_others_have_are_shared() -> None:
    found = table(["oak planks rot", "oak planks last", "a new jetty", "the oak"])
    assert found["shared"] == [2, 2, 0, 1]
    assert found["best"] == [2, 2, 0, 1]
    assert found["twice"] == [1, 1, 0, 1]  # oak alone is said by two others
    assert found["others"] == [3, 3, 3, 3]
    assert found["distinct"] == [3, 3, 3, 2]


def test_near_duplicates_are_no_company() -> None:
    spun = "buy these fine watches from our shop in the old town"
    found = table([spun, spun.replace("fine", "good"), f"{spun} today", "thanks", "Thanks", "fine watches"])
    assert found["alike"] == [1, 1, 1, 1, 1, 0]
    assert found["shared"][0] == 2 and found["shared"][3] == 0
    assert found["others"] == [3, 3, 3, 4, 4, 5]


def test_others_count_as_far_as_they_are_trusted() -> None:
    texts = ["oak planks", "oak beams", "oak doors and planks"]
    assert table(texts, [1, 0.25, 0.5])["shared"][0] == 0.75 + 0.5
    assert table(texts, [1, 1, 1])["shared"][0] == 2
    assert table(texts, [1, 0, 0])["shared"][0] == 0


def test_who_is_far_away_or_in_the_same_seat_is_not_seen() -> None:
    assert table(["oak"] + ["larch wood"] * REACH + ["oak tree"])["shared"][-1] == 0
    assert table(["oak"] + ["larch wood"] * (REACH - 1) + ["oak tree"])["shared"][-1] == 1
    assert table(["oak", "oak tree"], place=[3, 3])["others"] == [0, 0]


def test_no_company_no_confidence() -> None:
    rows = np.zeros((2, len(COLUMNS)))
    rows[1, COLUMNS.index("others")] = 1
    assert confidence(rows).tolist() == [0, 0.5]


# ---------------------------------------------------------------- verdicts
def test_a_page_is_judged_as_a_table_of_its_comments(seated: SpamFilter) -> None:
    verdicts = seated.score_split(page(COMMENTS)).verdicts
    scored = seated.score_frame(frame())["spam_probability"]
    assert [v.probability for v in verdicts] == pytest.approx(scored.tolist(), abs=1e-12)
    alone = seated.score_frame(frame().drop(columns="thread"))["spam_probability"]
    assert (scored != alone).any()


def test_without_company_a_comment_is_judged_as_ever(seated: SpamFilter) -> None:
    text = COMMENTS[1][1]
    alone = seated.score(text, "Jo", None, TITLE, ARTICLE)
    assert seated.score_split(page([COMMENTS[1]])).verdicts[0] == alone
    assert seated.score(text, "Jo", None, TITLE, ARTICLE, thread=[]) == alone
    nobody = frame().assign(thread=None)
    pd.testing.assert_series_equal(
        seated.score_frame(nobody)["spam_probability"],
        seated.score_frame(nobody.drop(columns="thread"))["spam_probability"],
    )
    assert not {"shares_nothing", "in_company"} & {r.name for r in alone.reasons}


def test_the_thread_of_one_comment_is_given_as_texts(seated: SpamFilter) -> None:
    nameless = [(None, text) for _, text in COMMENTS]
    *others, last = [text for _, text in nameless]
    given = seated.score(last, title=TITLE, article=ARTICLE, thread=others).probability
    assert given == pytest.approx(seated.score_split(page(nameless)).verdicts[-1].probability, abs=1e-12)
    long = [text for _, text in crowd(300)]
    assert seated.score(last, thread=long) == seated.score(last, thread=long[-REACH:])


@pytest.mark.parametrize("size", [1, 7, 100])
def test_pages_of_any_length_in_batches_of_any_size(
    seated: SpamFilter, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, rows = page(crowd(230)), pd.concat([frame(3), frame(1, crowd(150)).assign(thread="long")])
    verdicts, scored = seated.score_split(whole).verdicts, seated.score_frame(rows)
    monkeypatch.setattr(model_room, "BATCH", size)
    assert seated.score_split(whole).verdicts == verdicts
    pd.testing.assert_frame_equal(seated.score_frame(rows), scored, check_exact=True)


def test_other_pages_and_their_order_do_not_matter(seated: SpamFilter) -> None:
    rows = pd.concat([frame(), frame(1, crowd(60)).assign(thread="other"), frame().assign(thread=None)])
    rows = rows.reset_index(drop=True)
    scored = seated.score_frame(rows)["spam_probability"]
    shuffled = seated.score_frame(rows.sample(frac=1.0, random_state=3)).sort_index()["spam_probability"]
    few = rows["thread"] != "other"  # a longer page is read in its order
    assert shuffled[few].to_numpy() == pytest.approx(scored[few].to_numpy(), abs=1e-12)
    turn = rows.groupby("thread", dropna=False).cumcount()
    between = rows.iloc[np.argsort(turn.to_numpy(), kind="stable")]  # pages mixed, each in its order
    pd.testing.assert_series_equal(seated.score_frame(between).sort_index()["spam_probability"], scored)


def test_the_pipeline_is_equal(seated: SpamFilter) -> None:
    rows = pd.concat([frame(2), frame(1, crowd(100)).assign(thread="long")]).sample(frac=1.0, random_state=5)
    ours = seated.score_frame(rows)["spam_probability"].to_numpy()
    assert np.abs(seated.to_pipeline().predict_proba(rows)[:, 1] - ours).max() < 1e-6


def test_reasons_add_up(seated: SpamFilter) -> None:
    for verdict in seated.score_split(page(COMMENTS)).verdicts:
        logit = sum(r.weight for r in verdict.reasons)
        assert 1 / (1 + np.exp(-logit)) == pytest.approx(verdict.probability, abs=1e-6)


def test_company_is_a_reason(seated: SpamFilter) -> None:
    p = seated.parameters
    coef = p.head.coef.copy()
    coef[p.inputs.index("company_share")] = -2.0
    sure = SpamFilter(replace(p, head=replace(p.head, coef=coef)), "sure")
    found = [{r.name: r.detail for r in v.reasons} for v in sure.score_split(page(COMMENTS)).verdicts]
    assert found[1]["in_company"].startswith("takes up what other readers say: ")
    words = found[1]["in_company"].partition(": ")[2].split(", ")
    assert "planks" in words and "waterline" not in words
    assert found[3]["shares_nothing"] == "shares nothing with the other comments"


@pytest.mark.parametrize("thread", ["one text", [None], 5, b"bytes"])
def test_a_thread_that_is_no_list_of_texts_is_refused(seated: SpamFilter, thread) -> None:
    with pytest.raises(DataError, match="list of the texts"):
        seated.score("Which planks?", thread=thread)


# ---------------------------------------------------------------- models with and without
def test_a_model_without_company_judges_each_comment_for_itself(seated: SpamFilter) -> None:
    p, k = seated.parameters, len(seated.parameters.inputs) - len(COMPANY)
    head = replace(p.head, mean=p.head.mean[:k], scale=p.head.scale[:k], coef=p.head.coef[:k])
    old = SpamFilter(
        replace(p, company=None, company_middle=None, head=head, typical=p.typical[:k], inputs=p.inputs[:k]), "old"
    )
    verdicts = old.score_split(page(COMMENTS)).verdicts
    texts = [text for _, text in COMMENTS]
    assert [
        old.score(text, author, None, TITLE, ARTICLE, thread=texts).probability for author, text in COMMENTS
    ] == pytest.approx([v.probability for v in verdicts], abs=1e-12)


def test_company_is_saved_and_loaded(seated: SpamFilter, tmp_path) -> None:
    again = store.load(store.save(seated, tmp_path / "again", manifest("1")))
    assert again.parameters.company is not None
    assert [v.probability for v in again.score_split(page(COMMENTS)).verdicts] == [
        v.probability for v in seated.score_split(page(COMMENTS)).verdicts
    ]
