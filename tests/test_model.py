"""The judge, through the public door: verdicts, order, equality of the ways to call it, reasons, damage."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spamfilter
from spamfilter import store

ARTICLE = (
    "The night ferry between the old harbour and Skerry Island will keep running for two more winters. After four hours of "
    "debate the county council voted against the plan of the finance committee to end the late sailing in October. Nurses "
    "and porters who live on the island have no other way home after ten in the evening."
)
TITLE = "Council votes to keep the night ferry"
ROWS = [
    {"text": "I take that ferry home after every late shift, so thank you to the council.", "author": "Elspeth"},
    {"text": "Cheap watches and handbags, visit http://outlet.example/now", "author": "cheap watches outlet", "author_url": "http://outlet.example"},
    {"text": "The removable cover can be washed and the memory foam turned every three months for even wear.", "author": "Howard"},
    {"text": "ok", "author": None},
    {"text": "", "author": ""},
    {"text": "Спасибо, очень интересная статья", "author": "Ольга"},
    {"text": "フェリーが残ってよかったです。", "author": "健太"},
    {"text": "f r e e  c a s i n o  ｂｏｎｕｓ​ 𝐯𝐢𝐩", "author": "x"},
]  # fmt: skip
for _row in ROWS:
    _row.update(title=TITLE, article=ARTICLE)


def test_spam_and_readers_are_told_apart(sf):
    verdicts = sf.score_many(ROWS[:3])
    assert [v.label for v in verdicts] == ["ham", "spam", "spam"]
    assert all(0.0 <= v.probability <= 1.0 for v in verdicts)
    assert {v.model for v in verdicts} == {sf.name}


def test_only_the_article_shows_that_it_is_spam(sf):
    text = "Turn the mattress every three months so that the springs wear evenly, and wash the cover at thirty degrees."
    beds = "How to care for a mattress. Turn the mattress and wash its cover: springs wear evenly if you do. " * 4
    away = sf.score(text, title=TITLE, article=ARTICLE)
    home = sf.score(text, title="How to care for a mattress", article=beds)
    assert away.probability > home.probability + 0.3
    assert "off_topic" in [r.name for r in away.reasons]


def test_the_ways_to_call_it_agree(sf):
    many = [v.probability for v in sf.score_many(ROWS)]
    one = [sf.score(**row).probability for row in ROWS]
    frame = sf.score_frame(pd.DataFrame(ROWS))
    assert np.allclose(many, one, atol=1e-12, rtol=0)
    assert np.allclose(many, frame["spam_probability"], atol=1e-12, rtol=0)


def test_frames_keep_rows_order_and_index(sf):
    frame = pd.DataFrame(ROWS, index=list("hgfedcba"))
    frame["kept"] = range(len(ROWS))
    out = sf.score_frame(frame)
    assert list(out.index) == list("hgfedcba")
    assert list(out["kept"]) == list(range(len(ROWS)))
    assert list(out.columns) == [*frame.columns, "spam_probability", "verdict", "reasons"]
    assert "spam_probability" not in frame.columns
    assert sf.score_frame(frame.iloc[:0]).empty


def test_results_do_not_depend_on_batch_or_order(sf):
    rows = [{**ROWS[i % 8], "text": f"{ROWS[i % 8]['text']} {i}"} for i in range(1100)]
    forward = [v.probability for v in sf.score_many(rows)]
    backward = [v.probability for v in sf.score_many(rows[::-1])][::-1]
    assert np.allclose(forward, backward, atol=1e-12, rtol=0)
    assert np.allclose(forward[7:9], [sf.score(**r).probability for r in rows[7:9]], atol=1e-12, rtol=0)


def test_the_pipeline_is_equal(sf):
    pipe = sf.to_pipeline()
    frame = pd.DataFrame(ROWS)
    probability = pipe.predict_proba(frame)[:, list(pipe.classes_).index("spam")]
    assert np.allclose(probability, sf.score_frame(frame)["spam_probability"], atol=1e-6, rtol=0)
    assert pipe["features"].get_feature_names_out().shape == (pipe["classify"].n_features_in_,)


def test_the_pipeline_is_equal_on_real_comments(sf, shared):
    posts = {p["post"]: p for p in map(json.loads, (shared / "data/posts.jsonl").open(encoding="utf-8"))}
    rows = []
    for row in map(json.loads, (shared / "data/comments.jsonl").open(encoding="utf-8")):
        post = posts.get(row["post"]) or {}
        rows.append(
            {
                **{k: row[k] for k in ("text", "author", "author_url")},
                "title": post.get("title"),
                "article": post.get("text"),
            }
        )
    frame = pd.DataFrame(rows)
    ours = sf.score_frame(frame)["spam_probability"].to_numpy()
    theirs = np.concatenate(
        [sf.to_pipeline().predict_proba(frame.iloc[a : a + 3000])[:, 1] for a in range(0, len(frame), 3000)]
    )
    assert np.abs(ours - theirs).max() < 1e-6


def test_reasons_add_up_and_are_plain(sf):
    for verdict in sf.score_many(ROWS):
        logit = sum(r.weight for r in verdict.reasons)
        assert math.isclose(1 / (1 + math.exp(-logit)), verdict.probability, abs_tol=1e-6)
        assert verdict.reasons[-1].name == "rest"
        assert all(r.detail and not r.name.startswith("_") for r in verdict.reasons)


def test_nothing_is_called_off_topic_where_nothing_is_known_that_it_stands_under(sf):
    text = "see palace99, the wellness circle of the valley, every evening"
    for title, article in ((None, None), ("A walk past the weir", None), (None, "The path was dry. " * 30)):
        said = {r.name for r in sf.score(text, title=title, article=article).reasons}
        row = {"text": text, "title": title, "article": article}
        table = set(sf.score_frame(pd.DataFrame([row]))["reasons"][0].split(", "))
        if article:
            assert not {"no_context", "no_article"} & (said | table)
        else:
            assert not {"off_topic", "on_topic"} & (said | table)
            assert ("no_article" if title else "no_context") in said & table


def test_reasons_state_no_falsehoods(sf):
    """What is named for ham is there; nothing is called the article's language or subject that is not."""
    bridge = {"title": "How we rebuilt the old bridge", "article": "The old bridge was closed after the floods. " * 20}
    said = sf.score("Отличная статья, спасибо", author="Олег", **bridge).reasons
    assert not any("the article's language" in r.detail for r in said)
    for text in ("👍👍", "ok"):
        assert not any("subject" in r.detail and "takes up" in r.detail for r in sf.score(text, **bridge).reasons)
    for text in ("@Brigid the toll house is gone", "as https://en.wikipedia.org/wiki/Bridge says"):
        assert not any("no links" in r.detail for r in sf.score(text, author="Kim", **bridge).reasons)


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), ("\0\0", "nul"), ("\ud800 lone", "surrogate"), ("a" * 1_000_000, "one word of a megabyte"), ("😀" * 500, "emoji"), ("‮​", "hidden")],
)  # fmt: skip
def test_odd_texts_get_a_verdict(sf, text, why):
    verdict = sf.score(text, author="\0", author_url="http://[::1", title="\0", article="\ud800")
    assert 0.0 <= verdict.probability <= 1.0, why


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(max_size=80), min_size=1, max_size=5), author=st.text(max_size=20), url=st.text(max_size=30)
)
def test_any_text_gets_the_same_verdict_alone_and_in_company(sf, texts, author, url):
    rows = [{"text": t, "author": author, "author_url": url, "title": "t", "article": ARTICLE} for t in texts]
    together = [v.probability for v in sf.score_many(rows)]
    assert np.allclose(together, [sf.score(**r).probability for r in rows], atol=1e-12, rtol=0)


def test_cutoffs(sf):
    low = sf.with_cutoffs(spam=0.0, unsure=0.0)
    assert low.score("hello").label == "spam"
    assert sf.with_cutoffs(spam=1.0).score("hello").label != "spam"
    with pytest.raises(spamfilter.DataError, match="cut-offs"):
        sf.with_cutoffs(spam=0.2, unsure=1.5)


def test_missing_columns_are_named(sf):
    with pytest.raises(spamfilter.DataError, match="no column 'text'"):
        sf.score_frame(pd.DataFrame({"body": ["x"]}))
    with pytest.raises(spamfilter.DataError, match="needs a 'text'"):
        sf.score_many([{"body": "x"}])
    with pytest.raises(spamfilter.DataError, match="two columns are called 'text'"):
        sf.score_frame(pd.DataFrame([["a", "b"]], columns=["text", "text"]))


def test_fields_that_are_no_text_are_told_and_missing_ones_are_none(sf):
    for text in (None, float("nan"), 12, b"bytes"):
        with pytest.raises(spamfilter.DataError, match="text"):
            sf.score(text)
        with pytest.raises(spamfilter.DataError, match="text"):
            sf.score_many([{"text": text}])
    with pytest.raises(spamfilter.DataError, match="author is int"):
        sf.score("hello", author=7)
    with pytest.raises(spamfilter.DataError, match="a comment is"):
        sf.score_many([None])
    assert sf.score("hello", author=float("nan")) == sf.score("hello")


# ---------------------------------------------------------------- the store
@pytest.fixture
def copy(tmp_path) -> Path:
    target = tmp_path / "model"
    shutil.copytree(store.find(), target)
    return target


def test_a_saved_model_judges_the_same(sf, tmp_path):
    folder = store.save(sf, tmp_path / "again", {"name": "again", "version": "1"})
    again = store.load(folder)
    assert again.name == "again@1"
    assert [v.probability for v in again.score_many(ROWS)] == [v.probability for v in sf.score_many(ROWS)]
    with pytest.raises(spamfilter.OutputError, match="never changed"):
        store.save(sf, folder, {"name": "again", "version": "1"})


def test_damage_is_found_before_anything_is_built(copy):
    path = copy / "text.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(spamfilter.ModelDamaged, match=r"text\.safetensors"):
        store.load(copy)
    path.unlink()
    with pytest.raises(spamfilter.ModelDamaged, match="cannot be read"):
        store.load(copy)


def test_a_newer_format_and_a_broken_manifest_are_refused(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(spamfilter.ModelTooNew, match="upgrade"):
        store.load(copy)
    (copy / "manifest.json").write_text("{")
    with pytest.raises(spamfilter.ModelDamaged, match="cannot be read"):
        store.load(copy)


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(spamfilter.ModelNotFound, match="no model 'nowhere'"):
        store.load("nowhere")


def test_the_arrays_are_plain_safetensors(copy):
    safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    read = safetensors.load_file(copy / "stages.safetensors")
    assert set(read) >= {"idf", "typical", "head.coef", "relation.mean"}
