import csv
import io
import json

import pytest

from spamfilter.cli import main
from spamfilter.files import Input, read_pages
from spamfilter.segment import split_page
from tests.blogpages import ARTICLE, HAM, SPAM, blog, warc_gz, warc_record

SPAM_TEXT = SPAM[0][1][:40]


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(blog())
    return path


def texts(source):
    return [comment.text for comment in split_page(source).comments]


def test_text_of_one_page(page, capfd):
    assert main(["clean", str(page)]) == 0
    said = capfd.readouterr().out
    assert said.startswith(ARTICLE[0]) and HAM[1][1] in said and SPAM_TEXT not in said


def test_html_stays_html_and_loses_the_spam_only(page, tmp_path):
    out = tmp_path / "clean.html"
    assert main(["clean", str(page), "-o", str(out)]) == 0
    cleaned = out.read_text()
    assert texts(cleaned) == [text for _, text in HAM]
    assert SPAM_TEXT not in cleaned and SPAM[0][0] not in cleaned
    assert split_page(cleaned).article == split_page(page.read_text()).article


def test_a_reply_stays_when_the_spam_it_answers_goes(tmp_path):
    begin, end = '<li class="comment" id="comment-3">', "</article></li></ol>"
    reply = (
        '</article><ol class="children"><li class="comment" id="comment-4"><article class="comment-body">'
        '<div class="comment-author vcard"><b class="fn">Ines</b> <span class="says">says:</span></div>'
        '<div class="comment-content"><p>Does anybody check these before they go online?</p></div>'
        "</article></li></ol></li></ol>"
    )
    source = blog().replace(end, reply)
    assert begin in source and "Ines" in source
    (tmp_path / "page.html").write_text(source)
    assert main(["clean", str(tmp_path / "page.html"), "-o", str(tmp_path / "out.html")]) == 0
    cleaned = (tmp_path / "out.html").read_text()
    assert SPAM_TEXT not in cleaned
    assert "Does anybody check these" in cleaned and HAM[0][1] in cleaned


def test_a_page_without_spam_is_not_touched(tmp_path):
    (tmp_path / "ham.html").write_text(blog(HAM))
    assert main(["clean", str(tmp_path / "ham.html"), "-o", str(tmp_path / "out.html")]) == 0
    assert (tmp_path / "out.html").read_bytes() == (tmp_path / "ham.html").read_bytes()


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc"])
def test_archive_keeps_its_records(tmp_path, name):
    warc = pytest.importorskip("fastwarc.warc")
    latin = blog(
        [("Zoë", "Der Schlauch hält auch bei mir, größere Löcher flicke ich schon lange nicht mehr selbst."), *SPAM]
    )
    records = [
        warc_record("http://blog.example/robots", b"GET / HTTP/1.1\r\n\r\n", "request"),
        warc_record("http://blog.example/spam", blog().encode(), http="X-Kept: yes\r\n"),
        warc_record("http://blog.example/picture", b"\x89PNG" * 50, content_type="image/png"),
        warc_record("http://blog.example/ham", blog(HAM).encode()),
        warc_record(
            "http://blog.example/latin",
            latin.replace('charset="utf-8"', "").encode("cp1252"),
            content_type="text/html; charset=ISO-8859-1",
        ),
    ]
    (tmp_path / name).write_bytes(warc_gz(records) if name.endswith("gz") else b"".join(records))
    out = tmp_path / f"clean-{name}"
    assert main(["clean", str(tmp_path / name), "-o", str(out)]) == 0
    before = {r.record_id: (r.content_length, r.reader.read()) for r in warc.ArchiveIterator(str(tmp_path / name))}
    after = {}
    for record in warc.ArchiveIterator(str(out), parse_http=False):
        block = record.reader.read()
        assert record.content_length == len(block)
        after[record.record_id] = (record, block)
    assert list(after) == list(before)
    spam, latin_page = (after[list(before)[n]] for n in (1, 4))
    assert b"X-Kept: yes" in spam[1] and SPAM_TEXT.encode() not in spam[1]
    assert spam[0].headers["WARC-Payload-Digest"] != "sha1:PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP"
    assert b"charset=utf-8" in latin_page[1] and "größere Löcher".encode() in latin_page[1]
    original = (tmp_path / name).read_bytes()
    untouched = [records[n] for n in (0, 2, 3)]
    written = out.read_bytes()
    if not name.endswith("gz"):
        assert all(record in original and record in written for record in untouched)
    pages = [item for item in read_pages(Input(str(out), "warc")) if hasattr(item, "content")]
    assert [len(texts(page.content)) for page in pages] == [2, 2, 1]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_table_keeps_its_rows_and_columns(tmp_path, name):
    rows = [
        {"id": 1, "html": blog(), "note": "x, y"},
        {"id": 2, "html": blog(HAM), "note": None},
        {"id": 3, "html": "", "note": "z"},
    ]
    path, out = tmp_path / name, tmp_path / f"clean-{name}"
    if name.endswith("jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif name.endswith("csv"):
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["id", "html", "note"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    else:
        pa = pytest.importorskip("pyarrow")
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    assert main(["clean", str(path), "-o", str(out)]) == 1  # the row without a page is told, and stays
    if name.endswith("jsonl"):
        after = [json.loads(line) for line in out.read_text().splitlines()]
    elif name.endswith("csv"):
        after = list(csv.DictReader(io.StringIO(out.read_text())))
    else:
        assert pq.read_schema(out).equals(pq.read_schema(path))
        after = pq.read_table(out).to_pylist()
    assert [str(row["id"]) for row in after] == ["1", "2", "3"]
    assert [row["note"] or "" for row in after] == ["x, y", "", "z"]
    assert texts(after[0]["html"]) == [text for _, text in HAM]
    assert after[1]["html"] == blog(HAM)


def test_plain_text_loses_the_comment_and_the_line_that_names_its_author(tmp_path):
    lines = ["Repairing a tube", "", *ARTICLE, "", "3 Comments", ""]
    for author, text in (*HAM, *SPAM):
        lines += [f"{author} says:", "May 3, 2026 at 10:00 am", text, "Reply", ""]
    (tmp_path / "page.txt").write_text("\n".join(lines) + "\nLeave a Reply\n")
    row = tmp_path / "pages.jsonl"
    row.write_text(json.dumps({"text": (tmp_path / "page.txt").read_text()}) + "\n")
    assert main(["clean", str(row), "-o", str(tmp_path / "out.jsonl")]) == 0
    cleaned = json.loads((tmp_path / "out.jsonl").read_text())["text"]
    assert SPAM_TEXT not in cleaned and SPAM[0][0] not in cleaned
    assert HAM[0][1] in cleaned and "Tomasz says:" in cleaned and ARTICLE[2] in cleaned


def test_texts_as_json_lines_and_what_cannot_be_written(page, tmp_path, capfd):
    out = tmp_path / "texts.jsonl"
    assert main(["clean", str(page), "-o", str(out)]) == 0
    row = json.loads(out.read_text())
    assert list(row) == ["source", "url", "title", "text"] and HAM[0][1] in row["text"]
    (tmp_path / "other.html").write_text(blog())
    assert main(["clean", str(page), "-o", str(tmp_path / "out.warc.gz")]) == 2
    assert main(["clean", str(page), str(tmp_path / "other.html"), "-o", str(tmp_path / "out.html")]) == 2
    assert len(capfd.readouterr().err.splitlines()) == 2
