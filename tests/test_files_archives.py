import gzip
import random

import pytest

from spamfilter.files import Failure, Input, Other, RawPage, read_pages
from tests.blogpages import blog, warc_gz, warc_record

pytest.importorskip("fastwarc")


def read(path):
    return list(read_pages(Input(str(path), "warc", "gz" if path.suffix == ".gz" else None)))


def urls(items):
    return [item.url for item in items if isinstance(item, RawPage)]


def failures(items):
    return [item for item in items if isinstance(item, Failure)]


@pytest.fixture
def records():
    # Random letters after the page: damage inside compressed data then shows as damage.
    draw = random.Random(4)
    noise = ["".join(draw.choices("abcdefghij ", k=3000)) for _ in range(4)]
    return [warc_record(f"http://blog.example/{n}", (blog() + f"<!-- {x} -->").encode()) for n, x in enumerate(noise)]


ALL = [f"http://blog.example/{n}" for n in range(4)]


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc"])
def test_pages_come_with_address_and_the_offset_of_their_record(tmp_path, records, name):
    pieces = [gzip.compress(r) for r in records] if name.endswith("gz") else records
    (tmp_path / name).write_bytes(b"".join(pieces))
    items = read(tmp_path / name)
    assert urls(items) == ALL
    assert [item.offset for item in items] == [sum(map(len, pieces[:n])) for n in range(4)]
    assert items[1].name == f"{tmp_path / name}#{len(pieces[0])}"
    assert items[1].content.startswith(b"<!DOCTYPE html>")


def test_what_is_no_page_is_counted(tmp_path, records):
    image = warc_record("http://blog.example/i.png", b"\x89PNG" * 9, content_type="image/png")
    request = warc_record("http://blog.example/0", b"GET / HTTP/1.1\r\n\r\n", "request")
    gone = records[1].replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 404 NO")
    (tmp_path / "a.warc.gz").write_bytes(warc_gz([request, records[0], image, gone]))
    items = read(tmp_path / "a.warc.gz")
    assert [type(item) for item in items] == [RawPage, Other, Other]


def test_wet_and_resource_records(tmp_path):
    text = warc_record("http://blog.example/t", "Ein Text, grün".encode(), "conversion", "text/plain")
    page = warc_record("http://blog.example/r", blog().encode(), "resource", "text/html")
    (tmp_path / "a.wet.gz").write_bytes(warc_gz([text, page]))
    items = read(tmp_path / "a.wet.gz")
    assert items[0].content.decode() == "Ein Text, grün"
    assert items[1].content.decode() == blog()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "chunked", "wrong"])
def test_encoded_bodies(tmp_path, encoding):
    import zlib

    page = blog().encode()
    body, header = {
        "gzip": (gzip.compress(page), "Content-Encoding: gzip\r\n"),
        "deflate": (zlib.compress(page), "Content-Encoding: deflate\r\n"),
        "chunked": (b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page), "Transfer-Encoding: chunked\r\n"),
        "wrong": (page, "Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n"),  # stored decoded, header left
    }[encoding]
    (tmp_path / "a.warc").write_bytes(warc_record("http://blog.example/", body, http=header))
    assert [item.content for item in read(tmp_path / "a.warc")] == [page]


def test_a_body_that_is_not_what_its_header_says(tmp_path, records):
    broken = warc_record("http://blog.example/x", b"\x00\x01 no gzip", http="Content-Encoding: gzip\r\n")
    (tmp_path / "a.warc.gz").write_bytes(warc_gz([broken, records[0]]))
    items = read(tmp_path / "a.warc.gz")
    assert failures(items)[0].kind == "damaged"
    assert urls(items) == ALL[:1]


def damaged_member(records):
    pieces = [gzip.compress(r) for r in records]
    broken = bytearray(pieces[1])
    broken[400:420] = bytes(20)
    return b"".join([pieces[0], bytes(broken), *pieces[2:]]), [ALL[0], *ALL[2:]]


def truncated(records):
    return warc_gz(records)[:-300], ALL[:3]


def truncated_plain(records):
    return b"".join(records)[:-300], ALL[:3]


def garbage(records):
    return warc_gz(records[:2]) + b"this is not a record " * 50 + warc_gz(records[2:]), ALL


def garbage_plain(records):
    return b"".join(records[:2]) + b"this is not a record\r\n" * 50 + b"".join(records[2:]), ALL


def length_too_large(records):
    return b"".join([records[0], other_length(records[1], 900), *records[2:]]), ALL


def length_too_small(records):
    return warc_gz([records[0], other_length(records[1], -900), *records[2:]]), ALL


def no_length(records):
    head, _, rest = records[1].partition(b"msgtype=response\r\nContent-Length: ")
    broken = head + b"msgtype=response\r\nContent-Nothing: " + rest
    return b"".join([records[0], broken, *records[2:]]), [ALL[0], *ALL[2:]]


def other_length(record, by):
    head, _, rest = record.partition(b"msgtype=response\r\nContent-Length: ")
    number, _, rest = rest.partition(b"\r\n")
    return head + b"msgtype=response\r\nContent-Length: %d\r\n" % (int(number) + by) + rest


@pytest.mark.parametrize(
    "damage",
    [damaged_member, truncated, truncated_plain, garbage, garbage_plain, length_too_large, length_too_small, no_length],
)
def test_damage_costs_the_damaged_record_only_and_is_told(tmp_path, records, damage):
    data, expected = damage(records)
    path = tmp_path / ("a.warc.gz" if data.startswith(b"\x1f\x8b") else "a.warc")
    path.write_bytes(data)
    items = read(path)
    assert urls(items) == expected
    assert [failure.kind for failure in failures(items)] == ["damaged"]
    assert failures(items)[0].offset is not None


@pytest.mark.parametrize("data", [b"no archive at all " * 99, b"\x1f\x8b\x08 nor this " * 99, b""])
def test_what_is_no_archive_is_one_failure(tmp_path, data):
    (tmp_path / "a.warc").write_bytes(data)
    items = read(tmp_path / "a.warc")
    assert [type(item) for item in items] == [Failure]


def test_any_cut_of_an_archive_gives_whole_pages_or_failures(tmp_path, records):
    data = warc_gz(records)
    draw = random.Random(7)
    for cut in [draw.randrange(1, len(data)) for _ in range(25)]:
        (tmp_path / "a.warc.gz").write_bytes(data[:cut])
        items = read(tmp_path / "a.warc.gz")
        assert urls(items) == ALL[: len(urls(items))]
        assert all(item.content.endswith(b"-->") for item in items if isinstance(item, RawPage))
        whole = cut in {len(warc_gz(records[:n])) for n in range(5)}
        assert whole or failures(items)
