import gzip
import json
import pickle

import pytest

from spamfilter.batch import RESULT_COLUMNS, PageScorer, scored, spam_step
from spamfilter.cli import main
from spamfilter.errors import MissingExtra
from tests.blogpages import HAM, blog, warc_gz, warc_record

KEPT = ("title", "lang", "article", "comments", "model")


@pytest.fixture
def archive(tmp_path):
    records = [
        warc_record("http://blog.example/1", blog().encode()),
        warc_record("http://blog.example/1", b"GET /", "request"),
        warc_record("http://blog.example/2", gzip.compress(blog(HAM).encode()), http="Content-Encoding: gzip\r\n"),
        warc_record("http://blog.example/3.png", b"\x89PNG" * 20, content_type="image/png"),
        warc_record("http://blog.example/4", b"\x00\x01\x02" * 200),
    ]
    path = tmp_path / "in" / "a.warc.gz"
    path.parent.mkdir()
    path.write_bytes(warc_gz(records))
    return path


def local(path, tmp_path):
    out = tmp_path / "local.jsonl"
    assert main(["score", str(path), "-o", str(out)]) == 1
    return {row["url"]: row for row in map(json.loads, out.read_text().splitlines())}


def test_one_page_and_what_is_none():
    score = PageScorer()
    result = score(blog(), "http://blog.example/")
    assert list(result) == list(RESULT_COLUMNS)
    assert result["error"] is None and result["spam"] == 1 and len(result["comments"]) == 3
    assert PageScorer(threshold=1.0)(blog())["spam"] == 0
    for nothing in (None, "", b"", " ", b"\x89PNG\r\n\x1a\n" * 20, b"HTTP/1.1 404 Not Found\r\n\r\n<p>gone"):
        result = score(nothing)
        assert list(result) == list(RESULT_COLUMNS) and result["error"] and result["comments"] == []


def test_it_pickles_small_and_scores_the_same_afterwards():
    score = PageScorer(timeout=60)
    before = score(blog())
    packed = pickle.dumps(score)
    assert len(packed) < 1_000
    assert pickle.loads(packed)(blog()) == before


def test_frame_keeps_rows_order_and_index():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"html": [blog(), None, blog(HAM).encode()], "url": ["a", "b", None]}, index=[7, 3, 5])
    out = PageScorer().frame(frame, content="html")
    assert list(out.index) == [7, 3, 5] and list(out.columns) == list(RESULT_COLUMNS)
    assert out["spam"].tolist() == [1, 0, 0]
    assert [error is None or error != error for error in out["error"]] == [True, False, True]
    chunks = list(PageScorer().frames([frame.rename(columns={"html": "content"})[:2]]))
    assert [len(chunk) for chunk in chunks] == [2]


def test_engines_that_are_not_installed_say_how_to_install_them(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "daft", None)
    monkeypatch.setitem(__import__("sys").modules, "datatrove.pipeline", None)
    with pytest.raises(MissingExtra, match=r"comment-spamfilter\[daft\]"):
        scored(None, PageScorer())
    with pytest.raises(MissingExtra, match=r"comment-spamfilter\[datatrove\]"):
        spam_step()


def test_daft_gives_the_results_of_the_local_run(archive, tmp_path):
    pytest.importorskip("daft")
    pq = pytest.importorskip("pyarrow.parquet")
    summary = tmp_path / "summary.json"
    given = ["score", str(archive), "--engine", "daft", "-o", str(tmp_path / "out"), "--summary", str(summary)]
    assert main(given) == 1  # the binary page
    rows = pq.read_table(tmp_path / "out").to_pylist()
    expected = local(archive, tmp_path)
    assert {row["url"]: {name: row[name] for name in KEPT} for row in rows if not row["error"]} == {
        url: {name: row[name] for name in KEPT} for url, row in expected.items()
    }
    assert [row["url"] for row in rows if row["error"]] == ["http://blog.example/4"]
    counts = json.loads(summary.read_text())
    assert (counts["pages"], counts["comments"], counts["spam"], counts["errors"]) == (2, 5, 1, 1)


def test_datatrove_annotates_and_cleans():
    data = pytest.importorskip("datatrove.data")
    documents = [data.Document(text=blog(), id="1", metadata={"url": "http://blog.example/1"}), data.Document("", "2")]
    step = pickle.loads(pickle.dumps(spam_step(clean=True)))
    first, second = step.run(iter(documents))
    expected = PageScorer()(blog(), "http://blog.example/1")
    assert {name: first.metadata[name] for name in KEPT if name != "article"} == {
        name: expected[name] for name in KEPT if name != "article"
    }
    assert "viagra" not in first.text and HAM[0][1] in first.text
    assert second.text == "" and second.metadata["error"].startswith("empty")
