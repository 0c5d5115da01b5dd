"""Every kind of bad input: a result or one clear line, the right exit code, and nothing else lost."""

import json
import os
import subprocess
import sys

import pytest

from spamfilter.cli import main
from tests.blogpages import ARTICLE, HAM, blog


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "zz-good.html"
    path.write_text(blog())
    return path


def score(*given, capfd):
    code = main(["score", *map(str, given)])
    said = capfd.readouterr()
    assert "Traceback" not in said.err
    return code, [json.loads(line) for line in said.out.splitlines()], said.err.splitlines()


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.html", b"", "empty"),
        ("blank.txt", b" \n\t\r\n ", "empty"),
        ("picture.html", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "PNG"),
        ("noise.html", bytes(range(256)) * 40, "binary"),
        ("packed.html", b"PK\x03\x04" + b"\0\1\2" * 99, "ZIP"),
    ],
)
def test_what_is_no_page_is_one_line_and_loses_nothing_else(tmp_path, good, capfd, name, content, word):
    (tmp_path / name).write_bytes(content)
    errors = tmp_path / "errors.jsonl"
    code, pages, said = score(tmp_path, "--errors", errors, capfd=capfd)
    assert code == 1
    assert [page["source"] for page in pages] == [str(good)]
    assert len(said) == 1 and name in said[0] and word in said[0]
    (error,) = map(json.loads, errors.read_text().splitlines())
    assert error["source"].endswith(name) and error["offset"] is None and error["reason"] in said[0]


def test_missing_file_and_folder_without_pages(tmp_path, good, capfd):
    (tmp_path / "folder").mkdir()
    code, pages, said = score(tmp_path / "no.html", tmp_path / "folder", good, capfd=capfd)
    assert code == 1 and len(pages) == 1
    assert len(said) == 2 and "no such file" in said[0] and "no pages" in said[1]


@pytest.mark.parametrize(
    ("encode", "declared"),
    [
        ("latin-1", "utf-8"),
        ("latin-1", "latin-1"),
        ("utf-8", "latin-1"),
        ("cp1252", "ascii"),
        ("utf-16", "utf-8"),
    ],
)
def test_mislabelled_encodings(tmp_path, capfd, encode, declared):
    comment = "Mein Rücklicht fällt öfter aus als der Schlauch Löcher bekommt, weiß jemand, wieso?"
    text = blog([("Jürgen Größe", comment)]).replace('charset="utf-8"', f'charset="{declared}"')
    (tmp_path / "page.html").write_bytes(text.replace("“", '"').replace("”", '"').encode(encode))
    code, (page,), _ = score(tmp_path / "page.html", capfd=capfd)
    assert code == 0
    assert page["comments"][0]["author"] == "Jürgen Größe"


def test_page_without_comments_and_page_without_article(tmp_path, capfd):
    article = f"<article><h1>T</h1><p>{ARTICLE[0]}</p><p>{ARTICLE[1]}</p></article>"
    (tmp_path / "a.html").write_text(f"<html><title>T</title>{article}")
    only = blog()
    begin, end = only.index('<article class="post">'), only.index('<div id="comments"')
    (tmp_path / "b.html").write_text(only[:begin] + only[end:])
    code, (first, second), said = score(tmp_path, capfd=capfd)
    assert code == 0 and said == []
    assert first["comments"] == [] and first["article"].startswith("Last Sunday")
    assert len(second["comments"]) == 3


def test_20_000_nested_tags(tmp_path, good, capfd):
    (tmp_path / "deep.html").write_text("<html><body>" + "<div>" * 20_000 + "deep down" + "</div>" * 20_000)
    code, pages, said = score(tmp_path, "--timeout", "60", capfd=capfd)
    assert str(good) in [page["source"] for page in pages]
    assert (code, len(pages), said) == (0, 2, []) or (code, len(pages), len(said)) == (1, 1, 1)


def test_a_comment_of_a_megabyte(tmp_path, capfd):
    (tmp_path / "long.html").write_text(blog([*HAM, ("Eve", "all about the rear wheel again " * 33_000)]))
    code, (page,), _ = score(tmp_path / "long.html", capfd=capfd)
    assert code == 0
    assert len(page["comments"]) == 3 and len(page["comments"][2]["text"]) > 1_000_000


def test_a_page_of_50_megabytes(tmp_path, good, capfd):
    filler = "<p>" + "The tube holds its pressure and the wheel turns. " * 20 + "</p>\n"
    text = blog().replace("<main>", "<main><div>" + filler * (50_000_000 // len(filler)) + "</div>")
    (tmp_path / "huge.html").write_text(text)
    code, pages, said = score(tmp_path, capfd=capfd)
    assert str(good) in [page["source"] for page in pages]
    assert (code, len(pages), said) == (0, 2, []) or (code, len(pages), len(said)) == (1, 1, 1)


def test_a_file_larger_than_any_page_is_not_even_read(tmp_path, good, capfd):
    with (tmp_path / "sparse.html").open("wb") as file:
        file.truncate(2_000_000_000)
    code, pages, said = score(tmp_path, capfd=capfd)
    assert code == 1 and len(pages) == 1 and "2,000,000,000 bytes" in said[0]


def test_standard_input_closed_or_empty():
    call = [sys.executable, "-m", "spamfilter", "score", "-"]
    for shell in ('exec 0<&-; exec "$@"', 'exec "$@" </dev/null'):
        done = subprocess.run(
            ["bash", "-c", shell, "_", *call], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr


def test_unwritable_outputs(tmp_path, good, capfd):
    (tmp_path / "folder.jsonl.parts").write_text("a file where the parts would go")
    for out in (tmp_path / "no" / "out.jsonl", tmp_path / "folder.jsonl", "/proc/none/out.jsonl", good):
        code, pages, said = score(good, "-o", out, capfd=capfd)
        assert (code, pages, len(said)) == (2, [], 1)
    assert good.read_text() == blog()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_no_permission(tmp_path, good, capfd):
    (tmp_path / "secret.html").write_text(blog())
    (tmp_path / "secret.html").chmod(0)
    code, pages, said = score(tmp_path, capfd=capfd)
    assert code == 1 and len(pages) == 1 and "permission" in said[0]


def test_an_output_is_not_among_the_inputs(tmp_path, good, capfd):
    out = tmp_path / "out.jsonl"
    out.write_text(json.dumps({"html": blog()}))
    code, _, said = score(tmp_path, "-o", out, capfd=capfd)
    assert code == 2 and "also an input" in said[0]
    assert json.loads(out.read_text())["html"] == blog()


def test_halves_of_characters_in_json(tmp_path, capfd):
    row = json.dumps({"html": blog([("Half \ud83d", HAM[0][1] + " \udc4d\ud83d"), *HAM])})
    (tmp_path / "a.jsonl").write_text(row)
    code, (page,), _ = score(tmp_path / "a.jsonl", capfd=capfd)
    assert code == 0 and len(page["comments"]) == 3
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        assert main(["score", str(tmp_path / "a.jsonl"), "-o", str(tmp_path / name)]) == 0
    (tmp_path / "c.jsonl").write_text(json.dumps({"text": "cut \ud83d", "author": "\ud83d"}))
    assert main(["classify", str(tmp_path / "c.jsonl"), "-o", str(tmp_path / "d.jsonl")]) == 0
    assert json.loads((tmp_path / "d.jsonl").read_text())["verdict"]


def test_closed_outputs_do_not_break_it(good):
    call = [sys.executable, "-m", "spamfilter", "score", str(good), "--fail-on-spam"]
    for shell in ('exec "$@" >&-', 'exec "$@" 2>&-'):
        done = subprocess.run(
            ["bash", "-c", shell, "_", *call], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (3, "")
