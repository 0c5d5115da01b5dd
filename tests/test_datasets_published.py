"""Comments that a site has published, read as ham."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spamfilter import passages, store
from spamfilter.cli import main
from spamfilter.datasets import PUBLISHED, read_data
from spamfilter.errors import DataError, UnreadableFile
from tests.labelledrows import SMALL_TOML, threads, write_jsonl

PAGE = (
    "<html><head><title>The weir at Holm</title></head><body class='wordpress'><article class='post'>"
    "<h1>The weir at Holm</h1><div class='entry-content'><p>{article}</p></div></article>"
    "<ol class='commentlist'>{comments}</ol></body></html>"
)
COMMENT = (
    "<li class='comment' id='comment-{n}'><cite class='fn'>{author}</cite>"
    "<div class='comment-content'><p>{text}</p></div></li>"
)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    said = ["The eels came up last night.", "Has anybody seen the old sluice?", "It was dry in 1976, too."]
    items = [COMMENT.format(n=n, author=f"Reader {n}", text=t) for n, t in enumerate(said)]
    article = "The weir was mended in spring, and the water stands a foot higher than it did. " * 8
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "weir.html").write_text(PAGE.format(article=article, comments="".join(items)))
    assert main(["split", str(tmp_path / "saved"), "-o", str(tmp_path / "pages.jsonl")]) == 0
    return tmp_path / "pages.jsonl"


def test_what_split_writes_is_read_as_ham(pages: Path) -> None:
    rows = read_data([], readers=[pages])
    assert len(rows) == 3 and not rows.label.any()
    assert set(rows.set) == set(rows.kind) == {PUBLISHED} and set(rows.site) == {"weir.html"}
    assert rows.article[0] and len(set(rows.post)) == 1


def test_labels_are_kept_and_pingbacks_left_out(tmp_path: Path) -> None:
    rows = [
        {"text": "cheap loans", "label": "spam", "url": "https://weir.example/a"},
        {"text": "so it goes", "url": "https://weir.example/a"},
        {"text": "[…] as they say at the weir […]", "kind": "pingback"},
    ]
    found = read_data([], readers=[write_jsonl(tmp_path / "rows.jsonl", rows)])
    assert found.label.tolist() == [1, 0] and set(found.site) == {"weir.example"}
    assert found.report.left_out["published, but no reader's comment"] == 1


def test_an_address_that_is_none_and_a_file_of_that_name_do_no_harm(tmp_path: Path) -> None:
    rows = [{"text": "so it goes", "label": "ham", "url": "http://[weir", "id": "7"}]
    published = write_jsonl(tmp_path / "published.jsonl", rows)
    assert read_data([], readers=[published]).site == ["7"]
    assert read_data([published]).set == ["published"] != [PUBLISHED]


def test_a_text_that_others_label_spam_is_left_out(tmp_path: Path) -> None:
    labelled = write_jsonl(tmp_path / "labelled.jsonl", [{"text": "buy my boots", "label": "spam", "title": "Weir"}])
    published = write_jsonl(tmp_path / "published.jsonl", [{"text": "Buy my boots", "title": "Weir"}])
    rows = read_data([labelled], readers=[published])
    assert not len(rows) and sum(rows.report.left_out.values()) == 2


def test_without_readers_the_way_is_named(pages: Path) -> None:
    with pytest.raises(DataError, match="train --readers"):
        read_data([pages])


@pytest.mark.parametrize("given", ["saved", "saved/weir.html"])
def test_pages_themselves_are_told_how_to_become_a_file(pages: Path, given: str) -> None:
    with pytest.raises((DataError, UnreadableFile), match="`spamfilter split PAGES -o pages"):
        read_data([], readers=[pages.parent / given])


def test_their_articles_give_no_passages(tmp_path: Path, pages: Path) -> None:
    labelled = write_jsonl(tmp_path / "tiny.jsonl", threads(comments=300))
    both = read_data([labelled], readers=[pages])
    text = " ".join(t for t, _ in passages.prose(both, 300, np.random.default_rng(1)))
    off, sources = passages.off_topic(both, 300, np.random.default_rng(1))
    assert text and "weir was mended" not in text
    assert len(off) and "weir.html" not in sources and "weir.html" in off.site


def test_train_takes_them(tmp_path: Path, pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.toml").write_text(SMALL_TOML)
    data = write_jsonl(tmp_path / "tiny.jsonl", threads(comments=300))
    command = ["train", str(data), "--readers", str(pages), "-o", str(tmp_path / "mine")]
    assert main([*command, "--config", str(tmp_path / "train.toml")]) == 0
    assert f"read 3 comments from {pages}" in capsys.readouterr().out
    manifest = store.read_manifest(tmp_path / "mine")
    assert manifest["rows"][PUBLISHED] == {"spam": 0, "ham": 3}
    assert json.dumps(manifest["config"]["published"]) == "0.15"
