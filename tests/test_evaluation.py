import errno
import importlib.util
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamfilter.cli import main
from spamfilter.datasets import read_data
from spamfilter.errors import DataError
from spamfilter.evaluation import left_out, metrics, score
from spamfilter.modelcard import weaknesses
from spamfilter.scoretable import markdown_table, text_table
from spamfilter.trainingjob import TrainingJob
from tests.labelledrows import SMALL, SMALL_TOML, threads, write_jsonl

#: Our name → that of ../shared/tools/score_comments.py.
NAMES = {
    "n": "n",
    "spam": "spam",
    "auc": "auc",
    "ap": "ap",
    "recall_at_01": "recall@0.1%fpr",
    "recall_at_1": "recall@1.0%fpr",
    "recall_at_5": "recall@5.0%fpr",
    "mcc": "mcc",
    "precision": "precision",
    "recall": "recall",
    "blocked_ham": "blocked_ham",
    "brier": "brier",
    "ece": "ece",
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A set of two languages, a model trained on it, and the folder of both."""
    folder = tmp_path_factory.mktemp("small")
    write_jsonl(folder / "en.jsonl", threads(comments=250))
    write_jsonl(folder / "de.jsonl", threads("de", 100))
    TrainingJob([str(folder / "en.jsonl")], folder / "model", "1", SMALL).run()
    (folder / "train.toml").write_text(SMALL_TOML)
    return folder


# ------------------------------------------------------------------------------------------- figures
def test_figures_equal_those_of_the_reference_scorer_also_with_ties(shared):
    spec = importlib.util.spec_from_file_location("score_comments", shared / "tools" / "score_comments.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    rng = np.random.default_rng(1)
    for n, steps in ((1, 3), (2, 2), (40, 4), (500, 7), (500, 1000), (3000, 50)):
        for share in (0.0, 0.02, 0.5, 1.0):
            y = (rng.random(n) < share).astype(int)
            p = rng.integers(0, steps + 1, n) / steps
            theirs, ours = reference.metrics(y.tolist(), p.tolist()), metrics(y, p)
            for mine, name in NAMES.items():
                value = getattr(ours, mine)
                assert (value is None) == (name not in theirs), (mine, n, share)
                if value is not None:
                    assert value == pytest.approx(theirs[name], abs=5.1e-5), (mine, n, share)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows):
    y, p = np.array([r[0] for r in rows]), np.array([r[1] / 6 for r in rows])
    found = metrics(y, p)
    pairs = [(a > b) + (a == b) / 2 for a in p[y] for b in p[~y]]
    assert found.auc is None if not pairs else found.auc == pytest.approx(np.mean(pairs))
    assert 0 <= found.ece <= 1


def test_recall_at_a_rate_counts_the_ham_above():
    y = np.r_[np.ones(10), np.zeros(100)]
    p = np.r_[np.full(4, 0.9), np.full(6, 0.5), np.full(1, 0.7), np.full(99, 0.1)]
    found = metrics(y, p, 0.6)
    assert (found.recall_at_01, found.recall_at_1, found.recall_at_5) == (0.4, 1.0, 1.0)
    assert (found.recall, found.blocked_ham, found.precision) == (0.4, 0.01, 0.8)


def test_every_row_may_have_its_own_cutoff():
    found = metrics(np.array([1, 1, 0, 0]), np.array([0.4, 0.4, 0.4, 0.4]), np.array([0.3, 0.5, 0.3, 0.5]))
    assert (found.recall, found.blocked_ham) == (0.5, 0.5)


def test_intervals_hold_the_figure_and_are_repeatable():
    rng = np.random.default_rng(2)
    y = rng.random(400) < 0.3
    p = np.clip(rng.normal(0.3 + 0.3 * y, 0.2), 0, 1)
    one, two = (metrics(y, p, samples=100) for _ in range(2))
    assert one.interval == two.interval
    for name in ("auc", "ap", "recall_at_1", "recall", "blocked_ham"):
        low, high = one.interval[name]
        assert low <= getattr(one, name) <= high
    assert one.interval["auc"][1] - one.interval["auc"][0] < 0.15


def test_kinds_of_one_class_are_ranked_against_the_other(small):
    data = read_data([small / "en.jsonl"])
    p = np.where(data.label == 1, 0.8, 0.2)
    praise = np.array(data.kind) == "praise"
    p[praise] = 0.1  # below all ham
    scores = score(data, p)
    kinds = {k: m for k, m in scores.kinds.items() if m.spam}
    assert all(m.auc == 1.0 for k, m in kinds.items() if k != "praise")
    assert all(m.n == m.spam for m in kinds.values())
    ham = [m for m in scores.kinds.values() if not m.spam]
    assert ham and all(m.recall_at_1 is None and m.auc is not None for m in ham)
    if "praise" in kinds:
        assert kinds["praise"].auc == 0.0 and kinds["praise"].recall == 0.0


def test_slices_too_small_to_show_are_counted(small):
    data = read_data([small / "en.jsonl"])
    data.lang[:7] = ["eo"] * 7
    table = text_table(score(data, np.full(len(data), 0.1), 0.5, 0))
    assert re.search(r"by language\nen +\d+.*\nothers +7  in slices of fewer than 20\n", table)


def test_no_rows_are_refused(small):
    data = read_data([small / "en.jsonl"])
    with pytest.raises(DataError, match="no rows"):
        score(data.take([]), np.zeros(0))


# ------------------------------------------------------------------------------------------- leaving out
def test_no_site_is_judged_by_a_model_that_learnt_from_it(small, monkeypatch):
    import spamfilter.evaluation as room

    data = read_data([small / "en.jsonl"])
    always = read_data([small / "de.jsonl"])
    learnt, judged = [], []
    real_train, real_predict = room.train, room.predict
    monkeypatch.setattr(room, "train", lambda d, c=None: learnt.append(d) or real_train(d, c))
    monkeypatch.setattr(room, "predict", lambda sf, d: judged.append(d) or real_predict(sf, d))
    found = left_out(data, SMALL, folds=2, always=always)
    assert sum(map(len, judged)) == len(data)
    for one, other in zip(learnt, judged, strict=True):
        assert not set(one.post) & set(other.post)
        assert set(always.site) <= set(one.site)
    assert (found.probability > 0).all() and (found.cutoff > 0).all()


def test_processes_give_the_same_as_one_after_the_other(small):
    data = read_data([small / "en.jsonl"])
    one, two = (left_out(data, SMALL, folds=2, jobs=jobs) for jobs in (1, 2))
    assert np.array_equal(one.probability, two.probability)


def test_one_set_alone_cannot_be_left_out(small):
    with pytest.raises(DataError, match="nothing is left to learn from"):
        left_out(read_data([small / "en.jsonl"]), SMALL, by="set")


# ------------------------------------------------------------------------------------------- the command
def test_a_disk_that_fills_leaves_no_part_of_a_file(small, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    out = tmp_path / "predictions.jsonl"
    assert main(["evaluate", str(small / "en.jsonl"), "--model", str(small / "model"), "-o", str(out)]) == 2
    assert not list(tmp_path.iterdir()) and "make room" in capsys.readouterr().err


def test_folds_alone_are_refused(small, capsys):
    assert main(["evaluate", str(small / "en.jsonl"), "--model", str(small / "model"), "--folds", "4"]) == 2
    assert "--folds goes with --leave-one-out" in capsys.readouterr().err


def test_evaluate_prints_slices_and_writes_predictions_and_scores(small, tmp_path, capsys):
    out, js = tmp_path / "p.jsonl", tmp_path / "s.json"
    files = [str(small / n) for n in ("en.jsonl", "de.jsonl")]
    assert main(["evaluate", *files, "--model", str(small / "model"), "-o", str(out), "--json", str(js)]) == 0
    said = capsys.readouterr()
    for part in ("by set", "by language", "by kind", "95 % interval", "judged by model@1"):
        assert part in said.out
    assert "the figures may flatter it" in said.err
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    data = read_data(files)
    assert [r["id"] for r in rows] == data.id
    y, p = np.array([r["label"] == "spam" for r in rows]), np.array([r["probability"] for r in rows])
    assert json.loads(js.read_text())["all"]["auc"] == pytest.approx(metrics(y, p).auc)
    assert set(json.loads(js.read_text())["languages"]) == {"en", "de"}


def test_evaluating_on_the_training_rows_is_called_out(small, capsys):
    assert main(["evaluate", str(small / "en.jsonl"), "--model", str(small / "model")]) == 0
    assert "was trained on these very rows" in capsys.readouterr().err


def test_leave_one_out_in_one_command(small, capsys):
    command = ["evaluate", str(small / "en.jsonl"), "--leave-one-out", "site", "--folds", "2"]
    assert main([*command, "--always", str(small / "de.jsonl"), "--config", str(small / "train.toml")]) == 0
    said = capsys.readouterr().out
    assert "each site judged by a model trained without it" in said
    files = [str(small / n) for n in ("en.jsonl", "de.jsonl")]
    assert main(["evaluate", *files, "--leave-one-out", "set", "--config", str(small / "train.toml")]) == 0
    assert "each set judged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--leave-one-out", "page"], "site or set"),
        (["--always", "x.csv"], "goes with --leave-one-out"),
        (["--leave-one-out", "site", "--model", "m"], "either --model or"),
        (["--json", "no/such/folder/s.json"], "there is no folder"),
        (["--model", "no/such/model"], "no model"),
        (["--split", "none"], "no rows to judge"),
    ],
)
def test_wrong_usage(small, given, says, capsys):
    assert main(["evaluate", str(small / "de.jsonl"), *given]) == 2
    assert says in capsys.readouterr().err


def test_the_card_names_weak_slices(small):
    data = read_data([small / "en.jsonl", small / "de.jsonl"])
    p = np.where(data.label == 1, 0.9, 0.1)
    german = np.array(data.lang) == "de"
    p[german] = np.where(data.label[german] == 1, 0.1, 0.9)
    found = weaknesses(score(data, p))
    assert any(line.startswith("language de: calls 100.0% of the ham spam") for line in found)
    assert not any(line.startswith("language en:") for line in found)


def test_names_of_sets_cannot_break_a_table(small):
    data = read_data([small / "en.jsonl"])
    scores = score(data, np.full(len(data), 0.5))
    table = markdown_table("set", {"a|b\n`c`": scores.all})
    assert len(table.splitlines()) == 3
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    assert "–" in text_table(scores) or scores.kinds


# ------------------------------------------------------------------------------------------- the report
def test_the_report_stands_alone_and_is_escaped(small, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")
    evil = {
        "text": "<script>alert(1)</script> \u202ehttp://x.example",
        "label": "spam",
        "author": "<b>x</b>",
        "kind": "$a_b$",
    }
    rows = [*threads(comments=100), {**evil, "lang": "en", "site": '"><img src=x>'}]
    path = write_jsonl(tmp_path / "en.jsonl", rows)
    page = tmp_path / "r.html"
    assert main(["evaluate", str(path), "--model", str(small / "model"), "--report", str(page)]) == 0
    text = page.read_text()
    assert text.count("data:image/svg+xml;base64,") == 4
    outside = re.sub(r'src="data:[^"]*"', "", text)
    assert "<script" not in outside and "<b>x" not in outside and "<img src=x" not in outside
    assert "&lt;script&gt;" in outside and "\u202e" not in outside
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert re.findall(r"<(?:link|iframe|object|embed|form|a)\b", outside) == []


def test_without_matplotlib_the_extra_is_named_before_any_work(small, tmp_path, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["evaluate", str(small / "en.jsonl"), "--report", str(tmp_path / "r.html")]) == 2
    assert "comment-spamfilter[report]" in capsys.readouterr().err
