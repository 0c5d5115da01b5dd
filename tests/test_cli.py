import csv
import gzip
import io
import json
import os
import pty
import re
import subprocess
import sys
import threading

import pytest

from spamfilter.cli import COMMANDS, main
from tests.blogpages import ARTICLE, HAM, SPAM, TITLE, blog, warc_gz, warc_record
from tests.conftest import ROOT


@pytest.fixture
def saved(tmp_path):
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "spam.html").write_text(blog())
    (folder / "ham.html").write_text(blog(HAM))
    return folder


def command(*given, **options):
    return subprocess.run(
        [sys.executable, "-m", "spamfilter", *map(str, given)],
        capture_output=True, text=True, timeout=120, check=False, **options,
    )  # fmt: skip


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


# ------------------------------------------------------------------------------------------- help
def test_overview_lists_every_command_and_needs_nothing_heavy():
    code = (
        "import sys; from spamfilter.cli import main; main(['--help']);"
        "heavy = {'numpy', 'typer', 'rich', 'pandas', 'sklearn', 'selectolax'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", done.stdout, re.M)


@pytest.mark.parametrize("name", ["score", "split", "clean", "explain", "classify"])
def test_every_command_has_help_with_examples(name, capsys):
    assert main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"spamfilter {name} " in said.split("Examples:")[1]


@pytest.mark.parametrize(
    "given",
    [
        ["nonsense"],
        ["score"],
        ["score", "--no-such-option", "x"],
        ["score", "x", "--rows", "y"],
        ["score", "x", "--where", "colour=red"],
        ["score", "x", "--threshold", "2"],
        ["score", "x", "--model", "no/such/model"],
        ["score", "x", "-o", "out.xls"],
        ["score", "x", "-o", "no/such/folder/out.jsonl"],
    ],
)
def test_wrong_usage_is_2_and_one_line_says_why(given, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text(blog())
    assert main(given) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err and len(said.err.strip()) > 10


def test_completion_knows_the_commands():
    env = {**os.environ, "_SPAMFILTER_COMPLETE": "complete_bash", "COMP_WORDS": "spamfilter cl", "COMP_CWORD": "1"}
    done = command(env=env)
    assert {"clean", "classify"} <= set(done.stdout.split())


def test_scoring_a_page_imports_neither_pandas_nor_scikit_learn(saved):
    code = (
        "import sys; from spamfilter.cli import main; main(sys.argv[1:]);"
        "heavy = {'sklearn', 'pandas', 'scipy', 'matplotlib', 'rich'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    given = [sys.executable, "-c", code, "score", str(saved / "spam.html")]
    done = subprocess.run(given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------------------------------- score
def test_score_prints_one_json_object_a_page(saved, capfdbinary):
    assert main(["score", str(saved)]) == 0
    ham, spam = lines(capfdbinary.readouterr().out.decode())
    assert ham["source"].endswith("ham.html") and spam["source"].endswith("spam.html")
    assert spam["title"] == TITLE and spam["article"].startswith(ARTICLE[0])
    assert [comment["author"] for comment in spam["comments"]] == ["Ingrid", "Tomasz", "cheap pills online"]
    assert [comment["verdict"] for comment in spam["comments"]][2] == "spam"
    assert spam["comments"][2]["reasons"][0]["weight"] > 0
    assert spam["model"] == ham["model"] and "@" in spam["model"]
    assert list(spam) == ["source", "url", "title", "lang", "article", "comments", "model"]


def test_score_reads_standard_input(saved):
    done = command("score", "-", input=blog())
    assert done.returncode == 0
    (page,) = lines(done.stdout)
    assert page["source"] == "-" and len(page["comments"]) == 3
    rows = "\n".join(json.dumps({"body": page}) for page in (blog(), blog(HAM)))
    done = command("score", "-", "--column", "body", input=rows)
    assert [len(page["comments"]) for page in lines(done.stdout)] == [3, 2]


def test_fail_on_spam(saved, capfd):
    assert main(["score", str(saved / "spam.html"), "--fail-on-spam"]) == 3
    assert main(["score", str(saved / "spam.html"), "--fail-on-spam", "--threshold", "1"]) == 0
    assert main(["score", str(saved), str(saved / "none.html"), "--fail-on-spam"]) == 3


def test_mixed_inputs_into_every_format(saved, tmp_path, capfd):
    pq = pytest.importorskip("pyarrow.parquet")
    records = [warc_record(f"http://blog.example/{n}", blog().encode()) for n in range(2)]
    (tmp_path / "a.warc.gz").write_bytes(warc_gz(records))
    (tmp_path / "b.jsonl").write_text(json.dumps({"html": blog(), "url": "http://blog.example/j"}))
    inputs = [str(saved), str(tmp_path / "a.warc.gz"), str(tmp_path / "b.jsonl")]
    outs = {name: tmp_path / f"out.{name}" for name in ("jsonl", "jsonl.gz", "jsonl.zst", "csv", "parquet")}
    for out in outs.values():
        assert main(["score", *inputs, "-o", str(out)]) == 0
    expected = outs["jsonl"].read_bytes()
    assert gzip.decompress(outs["jsonl.gz"].read_bytes()) == expected
    pages = lines(expected.decode())
    assert [page["url"] for page in pages] == [None, None, *(f"http://blog.example/{n}" for n in "01j")]
    places = [page["source"].rsplit("/", 1)[1] for page in pages]
    assert places[2:] == ["a.warc.gz#0", f"a.warc.gz#{len(warc_gz(records[:1]))}", "b.jsonl#1"]
    assert pq.read_table(outs["parquet"]).to_pylist() == pages
    rows = list(csv.DictReader(io.StringIO(outs["csv"].read_text())))
    comments = [(page["url"] or "", comment["text"]) for page in pages for comment in page["comments"]]
    assert [(row["url"], row["text"]) for row in rows] == comments
    assert json.loads(rows[0]["reasons"]) == pages[0]["comments"][0]["reasons"]


def test_rows_of_comments_in_parquet_and_json(saved, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    for name in ("out.jsonl", "out.parquet"):
        assert main(["score", str(saved), "-o", str(tmp_path / name), "--rows", "comment"]) == 0
    rows = lines((tmp_path / "out.jsonl").read_text())
    assert [row["author"] for row in rows] == ["Ingrid", "Tomasz", "Ingrid", "Tomasz", "cheap pills online"]
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == rows


def test_where_limit_and_summary(saved, tmp_path, capfdbinary):
    german = blog([("Jens", "Das mit dem Draht im Mantel kenne ich gut, seit ich den Schlauch immer selbst flicke.")])
    (saved / "de.html").write_text(german.replace('lang="en"', 'lang="de"'))
    summary = tmp_path / "summary.json"
    assert main(["score", str(saved), "--where", "lang=de", "--summary", str(summary)]) == 0
    assert [page["lang"] for page in lines(capfdbinary.readouterr().out.decode())] == ["de"]
    counts = json.loads(summary.read_text())
    assert (counts["pages"], counts["filtered"], counts["comments"]) == (1, 2, 1)
    assert main(["score", str(saved), "--limit", "2"]) == 0
    assert len(lines(capfdbinary.readouterr().out.decode())) == 2


def on_terminal(*given):
    """Run the command with a terminal as its output; what the terminal got."""
    here, there = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    call = [sys.executable, "-m", "spamfilter", *map(str, given)]
    process = subprocess.Popen(call, stdout=there, stderr=there, env=env)
    os.close(there)
    got = bytearray()

    def read():
        try:
            while chunk := os.read(here, 4096):
                got.extend(chunk)
        except OSError:  # the other side is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    process.wait(120)
    reader.join(10)
    os.close(here)
    return got.decode()


def test_on_a_terminal_there_is_a_table_of_the_flagged(saved):
    text = on_terminal("score", saved / "spam.html")
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    assert TITLE in shown and "3 comments, 1 flagged as spam" in shown
    assert "cheap pills" in shown and "Buy viagra" in shown
    assert "0.9" in shown or "1.00" in shown
    assert "Ingrid" not in shown


def test_a_page_cannot_write_escape_sequences_to_the_terminal(saved):
    comments = [("\x1b]0;owned\x07", SPAM[0][1] + "\x1b[2Jgone \u202egnp.exe")]
    (saved / "evil.html").write_text(blog(comments, "T\x1b[31mitle"))
    text = on_terminal("score", saved / "evil.html")
    assert "\x1b]0;" not in text and "\x1b[2J" not in text and "\u202e" not in text


def test_a_reader_that_closes_the_pipe_early(tmp_path):
    (tmp_path / "pages.jsonl").write_text("".join(json.dumps({"html": blog()}) + "\n" for _ in range(200)))
    call = f"{sys.executable} -m spamfilter split {tmp_path / 'pages.jsonl'} | head -1"
    shell = ["bash", "-c", f"set -o pipefail; {call}"]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=120, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == "" and done.returncode == 141


# ------------------------------------------------------------------------------------------- split, explain
def test_split_needs_no_model(saved, capfdbinary, monkeypatch):
    monkeypatch.setenv("SPAMFILTER_MODEL", "no/such/model")
    assert main(["split", str(saved / "spam.html")]) == 0
    (page,) = lines(capfdbinary.readouterr().out.decode())
    assert page["engine"] == "wordpress" and "verdict" not in page["comments"][0]


def test_split_show(saved, tmp_path):
    assert main(["split", str(saved), "--show", str(tmp_path / "look.html")]) == 0
    text = (tmp_path / "look.html").read_text()
    assert text.count("<section") == 2 and "Ingrid" in text


def test_split_show_that_cannot_be_written_is_one_line(saved, tmp_path, capsys):
    assert main(["split", str(saved), "--show", str(tmp_path / "none" / "look.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    (tmp_path / "look.html").mkdir()
    assert main(["split", str(saved), "--show", str(tmp_path / "look.html")]) == 2
    assert not (tmp_path / "look.html~").exists()


def test_explain_writes_pages_that_are_escaped_and_stand_alone(saved, tmp_path, capsys):
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    (saved / "evil.html").write_text(blog([(evil, evil + SPAM[0][1])], evil.replace("<", "&lt;")))
    assert main(["explain", str(saved), "-o", str(tmp_path / "report")]) == 0
    assert capsys.readouterr().out.strip().endswith("index.html")
    names = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert names == ["evil.html", "ham.html", "index.html", "spam.html"]
    spam = (tmp_path / "report" / "spam.html").read_text()
    assert 'class="c spam"' in spam and 'class="bar"' in spam and "Buy viagra" in spam
    for why in re.findall(r"<table>.*?</table>", spam):  # the weights shown add up to the sum shown, but for rounding
        *parts, total = (float(w) for w in re.findall(r'<td class="w">([+-][\d.]+)</td>', why))
        assert abs(sum(parts) - total) < 0.05
    for name in names:
        text = (tmp_path / "report" / name).read_text()
        assert not re.search(r"<script|<img|<[^>]*\s(src|onerror)=|<a [^>]*href=.?http", text)


# ------------------------------------------------------------------------------------------- doctor
def test_doctor_says_what_works(capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "compiled kernel" in said and "digests agree" in said and "everything works" in said


def test_doctor_finds_a_damaged_model(tmp_path, capsys):
    import shutil

    from spamfilter import store

    shutil.copytree(store.find(), tmp_path / "model")
    victim = next((tmp_path / "model").glob("*.safetensors"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x01")
    assert main(["doctor", "--model", str(tmp_path / "model")]) == 1
    said = capsys.readouterr().out
    assert "WRONG  model" in said and "next step" in said


# ------------------------------------------------------------------------------------------- documentation
def test_every_command_is_in_the_documentation():
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"| `spamfilter {name}" in text, f"docs/cli.md does not name the command {name}"


def test_every_reason_is_in_the_documentation():
    from spamfilter.reasons import GROUPS

    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for spam, said, ham, meant in GROUPS.values():
        assert f"| `{spam}` | {said} | `{ham}` | {meant} |" in text


def test_every_kind_of_error_is_in_the_documentation():
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "spamfilter").glob("[bf]*/*.py"))
    kinds = set(re.findall(r'Failure\([^"]*?, "([a-z_]+)",', code)) | set(
        re.findall(r'_failed\(raw, "([a-z_]+)"', code)
    )
    assert {"missing", "damaged", "timeout"} <= kinds
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in text] == []
