"""Pages marked by hand become a file of readers' comments (``benchmarks/readers.py``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
