import csv
import gzip
import json
import subprocess
import sys

import pytest

from spamfilter.datasets import merge, read_data
from spamfilter.errors import DataError, UnreadableFile
from tests.labelledrows import write_jsonl

ROWS = [
    {"text": "What flour did you use for this?", "label": "ham", "author": "Marit", "site": "rye.example"},
    {"text": "Buy cheap lifts at http://lifts.example", "label": "spam", "author": "lifts", "site": "rye.example"},
]


def write_csv(path, rows, **options):
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as out:
        table = csv.DictWriter(out, list(rows[0]), **options)
        table.writeheader()
        table.writerows(rows)
    return path


# ------------------------------------------------------------------------------------------- shapes
def test_a_table_a_thread_and_a_joined_folder_give_the_same_rows(tmp_path):
    title, article = "Rye bread", "Rye bread needs a long rest before it is cut."
    write_csv(tmp_path / "a.csv", [{**r, "title": title, "article": article, "set": "s"} for r in ROWS])
    thread = {"id": "t1", "site": "rye.example", "title": title, "article": article, "set": "s"}
    comments = [{k: v for k, v in r.items() if k != "site"} for r in ROWS]
    write_jsonl(tmp_path / "b.jsonl", [{**thread, "comments": comments}])
    joined = tmp_path / "joined"
    joined.mkdir()
    write_jsonl(joined / "comments.jsonl", [{**r, "post": "p", "set": "s"} for r in ROWS])
    write_jsonl(joined / "posts.jsonl", [{"post": "p", "title": title, "text": article}])
    read = [read_data([tmp_path / name]) for name in ("a.csv", "b.jsonl", "joined")]
    assert len({d.fingerprint() for d in read}) == 1
    for data in read:
        assert data.text == [r["text"] for r in ROWS]
        assert data.label.tolist() == [0, 1]
        assert (data.title, data.article) == ([title] * 2, [article] * 2)


def test_a_folder_is_read_with_its_folders_but_a_joined_one_as_one_set(tmp_path):
    inner = tmp_path / "public" / "set-a"
    inner.mkdir(parents=True)
    write_jsonl(inner / "comments.jsonl", [{**ROWS[0], "post": "p"}])
    write_jsonl(inner / "posts.jsonl", [{"post": "p", "title": "Rye", "text": "Long rest."}])
    (inner / "original.csv").write_text("no,labels\n1,2\n")
    write_csv(tmp_path / "mine.csv", ROWS[1:])
    data = read_data([tmp_path])
    assert sorted(data.set) == ["mine", "set-a"]
    assert "Rye" in data.title


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.csv.gz"])
def test_compressed_tables(tmp_path, name):
    plain = tmp_path / name.removesuffix(".gz")
    (write_jsonl if "jsonl" in name else write_csv)(plain, ROWS)
    (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes()))
    assert read_data([tmp_path / name]).text == read_data([plain]).text


def test_other_delimiters_are_told_by_the_header(tmp_path):
    path = write_csv(tmp_path / "excel.csv", ROWS, delimiter=";")
    assert read_data([path]).author == ["Marit", "lifts"]


# ------------------------------------------------------------------------------------------- what cannot be used
@pytest.mark.parametrize("label", ["Spam?", "1", 1, None, float("nan"), True, "offen", ""])
def test_other_labels_are_refused_with_the_number_of_the_row(tmp_path, label):
    path = write_jsonl(tmp_path / "r.jsonl", [*ROWS, {"text": "Thanks", "label": label}])
    with pytest.raises(DataError, match=r"r\.jsonl row 3: label .* is neither 'spam' nor 'ham'"):
        read_data([path])


@pytest.mark.parametrize(("label", "means"), [("SPAM", 1), (" ham ", 0)])
def test_labels_may_differ_in_case_and_spaces(tmp_path, label, means):
    assert read_data([write_jsonl(tmp_path / "r.jsonl", [{"text": "x y", "label": label}])]).label.tolist() == [means]


@pytest.mark.parametrize(
    ("column", "near"),
    [
        ("texts", "'texts'"),
        ("Comment", "'Comment'"),
        ("body", "'body'"),
        ("zzz", "add a column 'text'"),
        ("site", "add a column 'text'"),
    ],
)
def test_a_missing_text_column_is_named_with_the_nearest(tmp_path, column, near):
    path = write_csv(tmp_path / "r.csv", [{column: "Thanks", "label": "ham"}])
    with pytest.raises(DataError) as caught:
        read_data([path])
    assert "no column 'text'" in str(caught.value)
    assert f"found: {column}, label" in str(caught.value)
    assert near in str(caught.value)


def test_empty_texts_and_nan_are_counted_not_dropped_in_silence(tmp_path):
    rows = [*ROWS, *({"text": t, "label": "ham"} for t in ("", "  \n", None, float("nan")))]
    data = read_data([write_jsonl(tmp_path / "r.jsonl", rows)])
    assert len(data) == 2
    assert data.report.left_out == {"empty text": 4}
    assert data.report.read.total() == 6
    assert any("left out 4: empty text (r.jsonl row 3;" in line for line in data.report.lines())


def test_missing_values_of_fields_are_none(tmp_path):
    row = {**ROWS[0], "author": float("nan"), "title": "", "author_url": None}
    data = read_data([write_jsonl(tmp_path / "r.jsonl", [row])])
    assert (data.author, data.title, data.author_url) == ([None], [None], [None])


def test_rows_with_surplus_cells_are_left_out_and_short_ones_read(tmp_path):
    (tmp_path / "r.csv").write_text("text,label,author\nWhere is it?,ham,Ida\nI, too,ham,Bo\nThanks a lot,ham\n")
    with pytest.raises(DataError, match="row 2: label ' too'"):
        read_data([tmp_path / "r.csv"])
    (tmp_path / "r.csv").write_text("label,text,author\nham,Where is it?,Ida\nham,I, too,Bo\nham,Thanks a lot\n")
    data = read_data([tmp_path / "r.csv"])
    assert data.text == ["Where is it?", "Thanks a lot"]
    assert data.report.left_out == {"more cells than the header has columns": 1}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("r.jsonl", b'{"text": "a", "label": "ham"}\n{broken\n', "line 2: not JSON"),
        ("r.jsonl", b'["text"]\n', "expected an object"),
        ("r.jsonl", b'{"comments": "none"}\n', "a list of objects is expected"),
        ("r.jsonl", b'{"comments": [{"label": "ham"}]}\n', "row 1 comment 1: no column 'text'"),
        ("r.csv", b"", "empty"),
        ("r.csv.gz", b"\x1f\x8b\x08\x00broken", "gzip"),
        ("r.csv", b'text,label\nThanks,ham\n"never closed,ham\n', r"row 2: not CSV .*unclosed quote"),
        ("r.csv", b'label,text\nham,"never closed\nspam,buy\n', r"row 1: not CSV .*unclosed quote"),
        ("r.csv", b"text,label\nThanks\n", r"row 1: label None .*is a cell missing"),
        ("r.csv", b"text,label,text\nThanks,ham,too\n", "two columns are called 'text'"),
        ("r.csv", "text,label\nThanks,ham\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        ("r.pdf", b"%PDF", "not a file of rows"),
    ],
)
def test_files_that_cannot_be_read_say_so(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((DataError, UnreadableFile), match=says):
        read_data([tmp_path / name])


def test_a_missing_file_and_an_empty_folder(tmp_path):
    with pytest.raises(UnreadableFile, match="no such file"):
        read_data([tmp_path / "none.csv"])
    with pytest.raises(DataError, match="in this folder"):
        read_data([tmp_path])


# ------------------------------------------------------------------------------------------- encodings
def test_rows_in_latin_1_among_utf_8_are_read_and_counted(tmp_path):
    utf8 = [f"Grüße aus Köln Nummer {i}" for i in range(30)]
    lines = [f"ham,{t}".encode() for t in utf8] + ["ham,Schöne Grüße – „danke“".encode("cp1252")]
    (tmp_path / "mixed.csv").write_bytes(b"label,text\n" + b"\n".join(lines) + b"\n")
    data = read_data([tmp_path / "mixed.csv"])
    assert data.text == [*utf8, "Schöne Grüße – „danke“"]
    assert data.report.notes["rows of mixed.csv that were not UTF-8, read as Windows-1252"] == 1


def test_a_file_wholly_in_another_encoding_is_refused_with_the_remedy(tmp_path):
    rows = "".join(f"Привет из Казани, {i};ham\n" for i in range(30))
    (tmp_path / "r.csv").write_bytes(("text;label\n" + rows).encode("cp1251"))
    with pytest.raises(UnreadableFile, match=r"30 of 30 rows .* iconv -f ENCODING .*WINDOWS-1251"):
        read_data([tmp_path / "r.csv"])
    (tmp_path / "r.csv").write_bytes(("text;label\n" + "Grüße aus dem Süden;ham\n" * 30).encode("cp1252"))
    with pytest.raises(UnreadableFile, match=r"iconv -f WINDOWS-1252 -t UTF-8 r\.csv"):
        read_data([tmp_path / "r.csv"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_byte_order_marks(tmp_path, encoding):
    path = write_csv(tmp_path / "r.csv", [{"text": "Grüße", "label": "ham"}], encoding=encoding)
    assert read_data([path]).text == ["Grüße"]


# ------------------------------------------------------------------------------------------- doubles and conflicts
def test_conflicting_labels_are_listed_and_left_out(tmp_path):
    rows = [*ROWS, {"text": "Nice  post", "label": "ham"}, {"text": "nice post", "label": "spam"}]
    data = read_data([write_jsonl(tmp_path / "r.jsonl", rows)])
    assert data.text == [r["text"] for r in ROWS]
    assert data.report.left_out == {"the same text is labelled both spam and ham": 2}
    (first, _) = (place for _, place in data.report.listed)
    assert first == "r.jsonl row 3 is ham: “Nice post”"


@pytest.mark.parametrize(
    ("dates", "kept"),
    [
        (("2026-01-01", "2026-02-01"), [1]),
        (("2026-03-01", "2026-02-01"), [0]),
        ((None, "2026-02-01"), [1]),
        (("2026-02-01", "2026-02-01"), []),
        ((None, None), []),
    ],
)
def test_the_newest_of_conflicting_rows_may_win(tmp_path, dates, kept):
    rows = [{"text": "Nice", "label": label, "date": d} for label, d in zip(("ham", "spam"), dates, strict=True)]
    assert read_data([write_jsonl(tmp_path / "r.jsonl", rows)], conflicts="newest").label.tolist() == kept


def test_the_same_words_under_another_article_are_no_conflict(tmp_path):
    rows = [{"text": "Nice", "label": label, "title": t} for label, t in (("ham", "Rye"), ("spam", "Lifts"))]
    assert len(read_data([write_jsonl(tmp_path / "r.jsonl", rows)])) == 2


def test_articles_without_titles_are_told_apart(tmp_path):
    rows = [{"text": "Nice", "label": label, "article": a} for label, a in (("ham", "Of rye."), ("spam", "Of lifts."))]
    rows += [{"text": "Nice", "label": "ham", "article": "Of oats."}]
    data = read_data([write_jsonl(tmp_path / "r.jsonl", rows)])
    assert len(data) == len(set(data.post)) == 3


def test_a_text_that_is_no_text_is_counted(tmp_path):
    rows = [*ROWS, {"text": ["a", "b"], "label": "ham"}, {"text": {"en": "a"}, "label": "ham"}]
    assert read_data([write_jsonl(tmp_path / "r.jsonl", rows)]).report.left_out.total() == 2


def test_letter_for_letter_repetitions_are_kept_once(tmp_path):
    data = read_data([write_jsonl(tmp_path / "r.jsonl", ROWS * 3)])
    assert len(data) == 2
    assert data.report.left_out == {"the same comment again": 4}


def test_an_unknown_rule_is_refused(tmp_path):
    with pytest.raises(DataError, match="drop, newest"):
        read_data([write_jsonl(tmp_path / "r.jsonl", ROWS)], conflicts="oldest")


# ------------------------------------------------------------------------------------------- the dataset
def test_fingerprint_depends_on_content_not_on_order(tmp_path):
    data = read_data([write_jsonl(tmp_path / "r.jsonl", ROWS)])
    assert data.fingerprint() == data.take([1, 0]).fingerprint()
    assert data.fingerprint() != data.take([0]).fingerprint()
    assert merge([data.take([0]), data.take([1])]).fingerprint() == data.fingerprint()


def test_too_few_rows_of_a_class_are_refused(tmp_path):
    rows = [{"text": f"Question number {i}", "label": "ham"} for i in range(40)]
    data = read_data([write_jsonl(tmp_path / "r.jsonl", rows)])
    with pytest.raises(DataError, match="0 rows labelled spam, at least 20"):
        data.require_both_classes()


def test_merged_reports_keep_counts_and_places(tmp_path):
    parts = [
        read_data([write_jsonl(tmp_path / f"{n}.jsonl", [*ROWS, {"text": "", "label": "ham"}])]) for n in ("a", "b")
    ]
    report = merge(parts).report
    assert report.left_out == {"empty text": 2}
    assert report.examples["empty text"] == ["a.jsonl row 3", "b.jsonl row 3"]


def test_ids_are_distinct_also_within_threads(tmp_path):
    comments = [{"text": "Thanks", "label": "ham", "author": a} for a in "abc"]
    thread = {"id": "t", "site": "s.example", "comments": comments}
    data = read_data([write_jsonl(tmp_path / "r.jsonl", [thread, {**thread, "id": "u"}])])
    assert len(set(data.id)) == len(data) == 6


def test_only_one_split_is_read(tmp_path):
    rows = [{"id": s, "split": s, "comments": [r]} for s, r in zip(("train", "test"), ROWS, strict=True)]
    path = write_jsonl(tmp_path / "r.jsonl", rows)
    assert read_data([path], split="test").text == [ROWS[1]["text"]]
    assert len(read_data([path])) == 2


def test_a_hundred_thousand_rows_take_little_memory(tmp_path):
    """A million rows must fit a small machine: the bound is 1 kB a row of about a hundred characters."""
    script = (
        "import resource, sys\n"
        "from spamfilter.datasets import read_data\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "data = read_data([sys.argv[1]])\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(len(data), (after - before) * 1024 // len(data))\n"
    )
    path = tmp_path / "many.jsonl"
    with path.open("w") as out:
        for i in range(100_000):
            text = f"Reader {i} asks how long the dough of row {i * 7} should rest before it goes into the oven"
            out.write(json.dumps({"text": text, "label": "ham", "author": f"r{i % 500}", "site": f"s{i % 50}"}) + "\n")
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    rows, bytes_a_row = map(int, done.stdout.split())
    assert rows == 100_000
    assert bytes_a_row < 1000


def test_sites_that_count_their_posts_do_not_share_them(tmp_path):
    rows = [
        {"text": "the weir was dry", "label": "ham", "site": site, "post": "1", "title": f"Weirs of {site}"}
        for site in ("a.example", "b.example")
    ] + [{"text": "so it goes", "label": "ham", "site": "a.example", "post": "2"}]
    found = read_data([write_jsonl(tmp_path / "rows.jsonl", rows)])
    assert found.post == ["a.example|1", "b.example|1", "2"] and not found.report.left_out
