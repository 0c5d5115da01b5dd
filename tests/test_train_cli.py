import json
import subprocess
import sys

import numpy as np
import pytest

from spamfilter import store
from spamfilter.cli import main
from spamfilter.datasets import read_data
from spamfilter.errors import ConfigError
from spamfilter.evaluation import predict
from spamfilter.training import TrainingConfig
from spamfilter.trainingjob import TrainingJob, read_config
from tests.labelledrows import ROOT, SMALL, SMALL_TOML, threads, write_jsonl


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_jsonl(tmp_path_factory.mktemp("data") / "tiny.jsonl", threads(comments=300))


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "train.toml"
    path.write_text(SMALL_TOML)
    return path


def test_train_writes_a_model_with_scores_and_card(tmp_path, data, settings, capsys):
    out = tmp_path / "models" / "mine"
    command = ["train", str(data), "-o", str(out), "--version", "7", "--config", str(settings), "--seed", "3"]
    assert main(command) == 0
    said = capsys.readouterr().out
    rows = read_data([data])
    assert f"read {len(rows):,} comments from {data}" in said
    assert "by kind" in said
    sf = store.load(out)
    assert sf.name == "mine@7"
    manifest = store.verify(out)
    assert manifest["config"]["seed"] == 3
    assert manifest["fingerprint"] == rows.fingerprint()
    assert manifest["rows"]["tiny"] == {"spam": int(rows.label.sum()), "ham": int((rows.label == 0).sum())}
    scores = json.loads((out / "scores.json").read_text())
    assert scores["all"]["n"] == len(rows)
    card = (out / "README.md").read_text()
    assert card.startswith("# mine 7\n")
    assert f"{scores['all']['auc']:.3f}" in card
    assert "What it is bad at" in card
    assert str(rows.fingerprint()) in card


def test_same_data_and_seed_make_the_same_model(tmp_path, data):
    one, two = (TrainingJob([str(data)], tmp_path / n, "1", SMALL).run() for n in ("a", "b"))
    rows = read_data([data])
    assert np.array_equal(predict(one.model, rows), predict(two.model, rows))
    digests = [store.verify(d.folder)["files"] for d in (one, two)]
    assert digests[0] == digests[1]


def test_a_model_is_never_written_over(tmp_path, data, capsys):
    (tmp_path / "m").mkdir()
    assert main(["train", str(data), "-o", str(tmp_path / "m")]) == 2
    assert "never changed once written" in capsys.readouterr().err


def test_scores_of_further_trainings(tmp_path, data):
    done = TrainingJob([str(data)], tmp_path / "m", "1", SMALL, folds=2, jobs=2).run()
    assert done.how.startswith("2 further trainings")
    assert done.scores.all.n == len(done.data)


def test_training_is_told_from_what_it_leaves_out(tmp_path, settings, capsys):
    extra = [
        {"text": "", "label": "ham"},
        {"text": "Is the bridge open again?", "label": "ham"},
        {"text": "is the bridge open again?", "label": "spam"},
    ]
    mixed = write_jsonl(tmp_path / "mixed.jsonl", [*threads(comments=150), *extra])
    listed = tmp_path / "left.tsv"
    command = ["train", str(mixed), "-o", str(tmp_path / "m"), "--config", str(settings), "--left-out", str(listed)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "left out 1: empty text" in said
    assert "left out 2: the same text is labelled both spam and ham" in said
    assert len(listed.read_text().splitlines()) == 3
    assert store.verify(tmp_path / "m")["left_out"] == {
        "empty text": 1,
        "the same text is labelled both spam and ham": 2,
    }


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"text": f"Question {i}", "label": "ham"} for i in range(60)], "0 rows labelled spam"),
        (
            [{"text": f"t {i}", "label": "spam" if i < 19 else "ham"} for i in range(80)],
            "19 rows labelled spam, at least 20",
        ),
        ([{"text": "a", "label": "ham"}, {"text": "b", "label": "maybe"}], "row 2: label 'maybe'"),
        ([{"comment": "a", "label": "ham"}], "is 'comment' meant?"),
    ],
)
def test_refusals_name_the_row_and_the_next_step(tmp_path, rows, says, capsys):
    path = write_jsonl(tmp_path / "r.jsonl", rows)
    assert main(["train", str(path), "-o", str(tmp_path / "m")]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("word_bit = 12", "is 'word_bits' meant?"),
        ('seed = "x"', "a number"),
        ("folds = 2.5", "a number"),
        ("folds = true", "a number"),
        ("drop = -1", "below 0"),
        ("x =", "not TOML"),
        ("training = 3", "must be a table"),
    ],
)
def test_settings_are_checked(tmp_path, text, says):
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_config(tmp_path / "t.toml")


def test_settings_may_stand_in_a_table_and_the_seed_wins(tmp_path):
    (tmp_path / "t.toml").write_text("[training]\nfolds = 3\nseed = 1\ndrop = 0\n")
    config = read_config(tmp_path / "t.toml", seed=9)
    assert (config.folds, config.seed, config.drop) == (3, 9, 0)
    assert read_config(None) == TrainingConfig()


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_help_with_examples(name, capsys):
    assert main([name, "--help"]) == 0
    assert f"spamfilter {name} " in capsys.readouterr().out.split("Examples:")[1]


@pytest.mark.parametrize("name", ["list", "fetch", "check"])
def test_help_of_the_group(name, capsys):
    assert main(["datasets", name, "--help"]) == 0
    assert f"spamfilter datasets {name}" in capsys.readouterr().out.split("Examples:")[1]


def test_progress_goes_to_a_terminal_only(tmp_path, data, settings):
    command = [
        sys.executable,
        "-m",
        "spamfilter",
        "train",
        str(data),
        "-o",
        str(tmp_path / "m"),
        "--config",
        str(settings),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
