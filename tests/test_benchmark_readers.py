"""Pages marked by hand become a file of readers' comments (``benchmarks/readers.py``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import readers


def gold(folder: Path, number: str, url: str | None, **more: Any) -> None:
    page = {
        "id": number,
        "page_url": url,
        "kind": "article+comments",
        "lang": "en",
        "title": "The weir",
        "article": "The weir was opened on Sunday. " * 9,
        "comments": [
            {
                "author": "Mo",
                "text": f"I walked there, {number}.",
                "url": "https://web.archive.org/web/2013/mo.example/x",
            },
            {"author": "Ann", "text": "Which gate?", "url": None},
            {"author": "Bo", "text": " ", "url": None},
        ],
        **more,
    }
    (folder / f"{number}.json").write_text(json.dumps(page), encoding="utf-8")


def test_readers_of_marked_pages_are_read_as_published_ham(tmp_path: Path) -> None:
    gold(tmp_path, "001", "https://web.archive.org/web/20130307194448/weirs.example/2013/05/")
    gold(tmp_path, "002", None)
    gold(tmp_path, "003", "https://stackoverflow.blog/2020/01/20/rust/")  # a site of the labelled sets
    gold(tmp_path, "004", "https://forum.example/", kind="thread")
    gold(tmp_path, "005", "https://quiet.example/", comments=[])
    data = readers.of_pages(tmp_path)
    assert data.text == ["I walked there, 001.", "Which gate?", "I walked there, 002.", "Which gate?"]
    assert set(data.set) == {"(published)"} and not data.label.any()
    assert sorted(set(data.site)) == ["page-002", "weirs.example"]
    assert data.author_url[:2] == ["http://mo.example/x", None] and data.author[1] == "Ann"
    assert all(data.title) and all(data.article) and len(set(data.post)) == 2
    assert readers.of_pages(tmp_path, lambda page: page == "002").site == ["page-002"] * 2


def test_the_file_is_one_that_training_reads(tmp_path: Path, capsys, monkeypatch) -> None:
    gold(tmp_path, "001", "https://weirs.example/")
    out = tmp_path / "out" / "readers.jsonl"
    out.parent.mkdir()
    monkeypatch.setattr("sys.argv", ["readers.py", str(out), "--pages", str(tmp_path)])
    readers.main()
    assert capsys.readouterr().out == "1 pages with comments\n"
    assert readers.read_data([], readers=[out]).text == ["I walked there, 001.", "Which gate?"]


def test_a_page_that_cannot_be_read_is_named_and_the_others_are_taken(tmp_path: Path, capsys) -> None:
    gold(tmp_path, "001", "https://weirs.example/")
    (tmp_path / "002.json").write_text("{broken", encoding="utf-8")
    (tmp_path / "003.json").write_text("[1]", encoding="utf-8")
    assert set(readers.of_pages(tmp_path).site) == {"weirs.example"}
    said = capsys.readouterr().err.splitlines()
    assert [("002.json" in said[0], "003.json" in said[1], len(said))] == [(True, True, 2)]


def test_a_folder_without_marked_pages_stops(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no marked pages.*--pages"):
        readers.of_pages(tmp_path / "nowhere")
