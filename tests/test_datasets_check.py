import copy
import json

import pytest

from spamfilter.campaigns import repeats
from spamfilter.cli import main
from spamfilter.corpuscheck import Limits, check_corpus
from tests.labelledrows import CORPUS, threads, write_jsonl

#: Rules of size do not apply to a corpus of a few threads.
TINY = Limits(0, 0, 0, (0.0, 1.0), (0.0, 1.0), 0, 0.02, (0.0, 1.0), 150)


@pytest.fixture
def some():
    return copy.deepcopy(threads(comments=150))


def problems(tmp_path, rows, limits=TINY):
    folder = tmp_path / "corpus"
    folder.mkdir()
    write_jsonl(folder / "en.jsonl", rows)
    return check_corpus(folder, limits).problems


def test_the_corpus_of_this_repository_is_well(capsys):
    assert main(["datasets", "check", str(CORPUS)]) == 0
    said = capsys.readouterr().out
    assert "all is well" in said
    report = check_corpus(CORPUS)
    assert report.threads >= 200
    assert report.comments.total() >= 4000
    assert len(report.languages) >= 12
    assert report.near_duplicate_rate < 0.02


def test_threads_as_they_are_have_no_problem(tmp_path, some):
    assert problems(tmp_path, some) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.pop("article"), "missing or of the wrong type: article"),
        (lambda t: t.update(comments={}), "missing or of the wrong type: comments"),
        (lambda t: t.update(split="dev"), "split 'dev' is neither"),
        (lambda t: t.update(lang="English"), "no language code"),
        (lambda t: t.update(article="Too short."), "only 10 characters"),
        (lambda t: t["comments"][0].update(label="Spam"), "comment 1: label 'Spam'"),
        (lambda t: t["comments"][0].update(kind="nonsense"), "kind 'nonsense' is no kind of"),
        (lambda t: t["comments"][0].update(text=" "), "comment 1: no text"),
        (lambda t: t["comments"][0].update(author=7), "author is not text"),
        (lambda t: t["comments"][0].update(ip="127.0.0.1"), "unknown key ip"),
        (lambda t: t["comments"][0].update(text="write to somebody@mail.com please"), "e-mail address"),
    ],
)
def test_what_is_out_of_form_is_named(tmp_path, some, change, says):
    change(some[0])
    assert any(says in p for p in problems(tmp_path, some))


def test_every_broken_line_is_named_and_the_others_are_checked(tmp_path, some):
    some[1]["split"] = "dev"
    folder = tmp_path / "corpus"
    folder.mkdir()
    first, second, third, *rest = (json.dumps(t) for t in some)
    lines = ["{broken", first, second[:-1], second, "[" * 100_000, third, *rest]
    (folder / "en.jsonl").write_text("\n".join(lines) + "\n")
    report = check_corpus(folder, TINY)
    assert report.threads == len(some)
    broken = [p for p in report.problems if "not JSON" in p]
    assert [p.partition(":")[0].rpartition(" ")[2] for p in broken] == ["1", "3", "5"]
    assert any("split 'dev' is neither" in p for p in report.problems)


def test_two_threads_of_one_id(tmp_path, some):
    some[1]["id"] = some[0]["id"]
    assert any("2 threads have the id" in p for p in problems(tmp_path, some))


def test_a_site_in_both_splits_leaks(tmp_path, some):
    some[0].update(site="both.example", split="train")
    some[1].update(site="both.example", split="test")
    assert any("site both.example is in train and test" in p for p in problems(tmp_path, some))


def test_a_text_in_both_splits_leaks(tmp_path, some):
    some[0]["split"], some[1]["split"] = "train", "test"
    long = next(c for c in some[0]["comments"] if len(c["text"].split()) > 12)
    some[1]["comments"].append({**long, "text": long["text"] + " Really."})
    found = problems(tmp_path, some)
    assert any(p.startswith("comment “") and "(test)" in p and "(train)" in p for p in found)


def test_too_many_near_duplicates(tmp_path, some):
    first = some[0]["comments"][0]
    some[0]["comments"] += [{**first, "text": first["text"].upper()} for _ in range(8)]
    found = problems(tmp_path, some)
    assert any("repeat an earlier one" in p for p in found)
    for c in some[0]["comments"][-8:]:
        c.update(kind="copied_ham", label="spam")
    (tmp_path / "again").mkdir()
    assert not any("repeat an earlier one" in p for p in problems(tmp_path / "again", some))


def test_sizes_and_balance_are_checked(tmp_path, some):
    found = problems(tmp_path, some, Limits())
    assert any("threads, at least 200" in p for p in found)
    assert any("1 languages, at least 12" in p for p in found)
    assert any("in the main language" in p for p in found)
    assert any("of kind" in p for p in found)


def test_the_command_fails_with_reasons(tmp_path, some, capsys):
    some[0]["comments"][0]["kind"] = "nonsense"
    write_jsonl(tmp_path / "en.jsonl", some)
    assert main(["datasets", "check", str(tmp_path)]) == 1
    assert "PROBLEM: en.jsonl line 1" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "not json\n", '{"id": 1}\n'])
def test_files_that_are_no_corpus(tmp_path, content, capsys):
    (tmp_path / "x.jsonl").write_text(content)
    assert main(["datasets", "check", str(tmp_path)]) == 2
    assert "spamfilter: " in capsys.readouterr().err


def test_counts_as_tables(tmp_path):
    assert main(["datasets", "check", str(CORPUS), "--markdown", str(tmp_path / "t.md")]) == 0
    text = (tmp_path / "t.md").read_text()
    rows = [json.loads(line) for f in CORPUS.glob("*.jsonl") for line in f.open(encoding="utf-8")]
    thanks = sum(c["kind"] == "thanks" for t in rows for c in t["comments"])
    assert f"| thanks | {thanks:,} | a few words of thanks |" in text


def test_the_data_card_holds_the_counts_of_the_command():
    card = (CORPUS.parent / "README.md").read_text(encoding="utf-8")
    mend = "run: spamfilter datasets check --markdown data/README.md"
    assert check_corpus(CORPUS).within(card) == card, mend


# ------------------------------------------------------------------------------------------- near-duplicates
@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("Thanks a lot!", "thanks  a LOT!", True),
        ("Thanks a lot!", "Thanks a bunch!", False),
        ("The bridge will be closed for two years from May", "The bridge will be closed for two years from June", True),
        ("The bridge will be closed for two years", "Our ferry runs every hour from seven to seven", False),
        ("Frее cоffее for all of you today", "Free coffee for all of you today", True),
    ],
)
def test_what_counts_as_a_near_duplicate(one, other, near):
    assert list(repeats([one, "Something else that is in between altogether", other])) == ([(0, 2)] if near else [])
