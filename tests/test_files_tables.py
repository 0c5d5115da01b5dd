import gzip
import json

import pytest

from spamfilter.files import Columns, Failure, Input, RawPage, expand, read_pages
from spamfilter.files.charset import page_source


def read(path, **columns):
    (found,) = expand([str(path)])
    assert isinstance(found, Input)
    return list(read_pages(found, Columns(**columns)))


def contents(items):
    return [item.content for item in items if isinstance(item, RawPage)]


def kinds(items):
    return [(item.offset, item.kind) for item in items if isinstance(item, Failure)]


def test_jsonl_columns_are_told_by_name_or_given(tmp_path):
    rows = [{"body": "<p>one", "other": "1", "url": "http://a.example/"}, {"body": "<p>two", "other": "2"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    items = read(tmp_path / "a.jsonl")
    assert contents(items) == ["<p>one", "<p>two"]
    assert [(item.offset, item.url) for item in items] == [(1, "http://a.example/"), (2, None)]
    assert contents(read(tmp_path / "a.jsonl", page="other")) == ["1", "2"]


def test_jsonl_bad_lines_are_told_and_the_rest_is_read(tmp_path):
    lines = [b'{"html": "<p>one"}', b"{not json", b'["list"]', b'{"html": null}', b'{"html": 7}', b'{"url": "x"}',
             b'{"html": "\xff"}', b"[" * 100_000, b'{"html": "<p>two"}']  # fmt: skip
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    items = read(tmp_path / "a.jsonl")
    assert contents(items) == ["<p>one", "<p>two"]
    assert kinds(items) == [(2, "damaged"), (3, "damaged"), (4, "empty"), (5, "column"), (6, "empty"), (7, "damaged"),
                            (8, "damaged")]  # fmt: skip


def test_wrong_column_is_one_failure_that_names_the_columns(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"foo": "x", "bar": "y"}\n' * 50)
    (failure,) = read(tmp_path / "a.jsonl", page="page")
    assert "foo, bar" in failure.reason and "--column" in failure.reason


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_compressed_and_cut_short(tmp_path, name):
    text = "".join(json.dumps({"html": f"<p>{n} " + "x" * n}) + "\n" for n in range(500)).encode()
    if name.endswith("gz"):
        data = gzip.compress(text[: len(text) // 2]) + gzip.compress(text[len(text) // 2 :])
    else:
        stream_io = pytest.importorskip("fastwarc.stream_io")
        with (tmp_path / "z").open("wb") as file, stream_io.ZstdWriter(file) as writer:
            writer.write(text)
        data = (tmp_path / "z").read_bytes()
    (tmp_path / name).write_bytes(data)
    assert len(contents(read(tmp_path / name))) == 500
    (tmp_path / name).write_bytes(data[:-40])
    items = read(tmp_path / name)
    assert [kind for _, kind in kinds(items)] == ["damaged"]
    assert contents(items) == [f"<p>{n} " + "x" * n for n in range(len(contents(items)))]


def test_csv_with_quotes_newlines_and_another_delimiter(tmp_path):
    text = '\ufeffid;html;url\n1;"<p>a;\nb ""c""";http://x.example/\n2;<p>d;\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    items = read(tmp_path / "a.csv")
    assert contents(items) == ['<p>a;\nb "c"', "<p>d"]
    assert items[0].url == "http://x.example/"


def test_csv_that_is_not_utf8_keeps_the_page_bytes(tmp_path):
    (tmp_path / "a.csv").write_bytes("id,html\n1,<meta charset=windows-1251><p>Привет\n".encode("cp1251"))
    (item,) = read(tmp_path / "a.csv")
    assert item.content.decode("cp1251").endswith("Привет")


def test_csv_damage(tmp_path):
    (tmp_path / "a.csv").write_text("id,html\n1,<p>a\n2,<p>b,c,d\n3,<p>e\n")
    items = read(tmp_path / "a.csv")
    assert contents(items) == ["<p>a", "<p>e"]
    assert kinds(items) == [(2, "damaged")]
    (tmp_path / "empty.csv").write_text("")
    assert kinds(read(tmp_path / "empty.csv")) == [(None, "unreadable")]
    (tmp_path / "twice.csv").write_text("html,id,html\n<p>a,1,<p>b\n")
    assert kinds(read(tmp_path / "twice.csv")) == [(None, "unreadable")]


def test_csv_with_a_quote_that_is_never_closed_loses_no_rows_in_silence(tmp_path):
    (tmp_path / "a.csv").write_text('id,html\n1,<p>a\n2,"<p>b\n3,<p>c\n4,<p>d\n')
    items = read(tmp_path / "a.csv")
    assert contents(items) == ["<p>a"]
    assert kinds(items) == [(2, "damaged")]


def test_csv_in_utf_16(tmp_path):
    (tmp_path / "a.csv").write_text("id,html\n1,<p>Grüße\n", encoding="utf-16")
    assert contents(read(tmp_path / "a.csv")) == ["<p>Grüße"]


def test_parquet_text_and_binary_pages(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    columns = {"n": [1, 2, 3], "html": ["<p>a", None, "<p>c"], "raw": [b"x", b"y", b"z"], "url": ["u", "v", "w"]}
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "a.parquet")
    items = read(tmp_path / "a.parquet")
    assert contents(items) == ["<p>a", "<p>c"]
    assert kinds(items) == [(2, "empty")]
    assert contents(read(tmp_path / "a.parquet", page="raw")) == [b"x", b"y", b"z"]
    assert "n, html, raw, url" in read(tmp_path / "a.parquet", page="nope")[0].reason
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:-20])
    assert kinds(read(tmp_path / "b.parquet")) == [(None, "unreadable")]


@pytest.mark.parametrize(
    ("content", "charset", "expected"),
    [
        ("<p>Привет, как дела".encode("koi8-r"), "koi8-r", "<p>Привет, как дела"),
        ("<p>grün".encode(), "iso-8859-1", "<p>grün".encode()),  # the bytes are UTF-8, the header is not right
        ("<p>“curly”".encode("cp1252"), "ISO-8859-1", "<p>“curly”"),  # as browsers read that name
        (b"<p>\xff\xfe", "hex", b"<p>\xff\xfe"),
        (b"<p>\xff\xfe", "no-such-charset", b"<p>\xff\xfe"),
        (b"\x00\x01\x02\xff" * 9, "latin-1", b"\x00\x01\x02\xff" * 9),  # binary stays for split_page to refuse
        (b"<p>abc", None, b"<p>abc"),
    ],
)
def test_charset_of_the_http_header(content, charset, expected):
    assert page_source(RawPage("a", 0, None, content, charset)) == expected
