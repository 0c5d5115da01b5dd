import csv
import io
import json

import pytest

from spamfilter.cli import main
from tests.blogpages import ARTICLE, HAM, SPAM

ROWS = [
    {"id": n, "comment": text, "user": author, "post": ARTICLE[0]}
    for n, (author, text) in enumerate([*HAM, *SPAM, ("No", "")], 1)
]
ADDED = ["spam_probability", "verdict", "reasons"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "comments.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def test_csv_rows_come_out_in_order_with_three_more_columns(table, tmp_path):
    out = tmp_path / "out.csv"
    assert main(["classify", str(table), "-o", str(out)]) == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert list(rows[0]) == [*ROWS[0], *ADDED]
    assert [{name: row[name] for name in ROWS[0]} for row in rows] == [{**row, "id": str(row["id"])} for row in ROWS]
    assert [row["verdict"] == "spam" for row in rows] == [False, False, True, False]
    assert float(rows[2]["spam_probability"]) > 0.8 and rows[2]["reasons"]
    assert [rows[3][name] for name in ADDED] == ["", "", ""]


def test_every_format_gives_the_same_verdicts(table, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    results = []
    for name in ("a.parquet", "a.jsonl.gz", "b.parquet"):
        source = table if name == "a.parquet" else tmp_path / "a.parquet"
        assert main(["classify", str(source), "-o", str(tmp_path / name)]) == 0
    results = [pq.read_table(tmp_path / name).to_pylist() for name in ("a.parquet", "b.parquet")]
    assert results[0] == results[1] and len(results[0]) == len(ROWS)


def test_bytes_that_are_not_utf8_go_through_csv_unchanged(tmp_path, capfdbinary):
    (tmp_path / "t.csv").write_bytes("id,comment\n1,Der Schlauch hält\n".encode("cp1252"))
    assert main(["classify", str(tmp_path / "t.csv"), "-o", str(tmp_path / "o.csv")]) == 0
    assert "Der Schlauch hält".encode("cp1252") in (tmp_path / "o.csv").read_bytes()
    assert main(["classify", str(tmp_path / "t.csv")]) == 0
    assert json.loads(capfdbinary.readouterr().out)["comment"] == "Der Schlauch hält"


def test_columns_are_mapped_and_the_author_counts(tmp_path, capfdbinary):
    rows = [{"words": HAM[0][1], "who": name} for name in ("Ingrid",)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["classify", str(tmp_path / "t.jsonl"), "--column", "words", "--map", "author=who"]) == 0
    (row,) = map(json.loads, capfdbinary.readouterr().out.splitlines())
    assert list(row) == ["words", "who", *ADDED]


@pytest.mark.parametrize(
    "more", [["--column", "nope"], ["--map", "author"], ["--map", "colour=user"], ["--map", "author=nope"]]
)
def test_wrong_columns_are_wrong_usage(table, capfd, more):
    assert main(["classify", str(table), *more]) == 2
    assert capfd.readouterr().out == ""


def test_damaged_rows_are_counted_and_pages_are_refused(table, tmp_path, capfd):
    (tmp_path / "t.jsonl").write_text(json.dumps(ROWS[0]) + "\n{broken\n" + json.dumps(ROWS[2]) + "\n")
    (tmp_path / "p.html").write_text("<p>x")
    errors = tmp_path / "errors.jsonl"
    assert main(["classify", str(tmp_path / "t.jsonl"), str(tmp_path / "p.html"), "--errors", str(errors)]) == 1
    said = capfd.readouterr()
    assert [json.loads(line)["id"] for line in said.out.splitlines()] == [1, 3]
    assert [json.loads(line)["offset"] for line in errors.read_text().splitlines()] == [2, None]


def test_fail_on_spam_and_summary(table, tmp_path, capfd):
    summary = tmp_path / "summary.json"
    assert main(["classify", str(table), "--fail-on-spam", "--summary", str(summary)]) == 3
    counts = json.loads(summary.read_text())
    assert (counts["comments"], counts["spam"], counts["skipped"], counts["session"]["pages"]) == (3, 1, 1, 4)


def test_many_rows_in_workers_in_order(tmp_path):
    (tmp_path / "t.jsonl").write_text("".join(json.dumps({"n": n, "text": HAM[n % 2][1]}) + "\n" for n in range(3_000)))
    for workers in ("1", "2"):
        assert (
            main(
                ["classify", str(tmp_path / "t.jsonl"), "-o", str(tmp_path / f"{workers}.jsonl"), "--workers", workers]
            )
            == 0
        )
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert [json.loads(line)["n"] for line in (tmp_path / "1.jsonl").read_text().splitlines()] == list(range(3_000))


def test_lines_of_json_keep_their_wording(tmp_path):
    """The verdict stands at the end of the line; a line that holds it already, or is no plain UTF-8, is written anew."""
    lines = [
        b'{"text":"Which gate?",  "n": 1.50, "n": 2}\r\n',
        '\ufeff{"text": "Wo ist das Tor?"}\n'.encode(),
        b'{"text": "Which \\ud83d gate?"}\n',
        b'{"verdict": "old", "text": "Which gate?"}\n',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"".join(lines))
    for workers in ("1", "2"):
        out = tmp_path / f"{workers}.jsonl"
        assert main(["classify", str(tmp_path / "in.jsonl"), "-o", str(out), "--workers", workers]) == 0
    written = out.read_bytes().splitlines()
    assert written == (tmp_path / "1.jsonl").read_bytes().splitlines()
    assert written[0].startswith(b'{"text":"Which gate?",  "n": 1.50, "n": 2, "spam_probability": ')
    rows = [json.loads(line) for line in written]
    assert [row["verdict"] for row in rows] == ["ham"] * 4 and rows[1]["text"] == "Wo ist das Tor?"
    assert written[3].count(b'"verdict"') == 1
