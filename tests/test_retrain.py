"""Labels to a model in use: every way a run can end, be ended, or be fooled."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from spamfilter import store
from spamfilter.adaptation import AdaptationConfig
from spamfilter.cli import main
from spamfilter.errors import ConfigError, DataError, LockedError, ModelDamaged, OutputError, StoreError
from spamfilter.labels import LabelStore
from spamfilter.labels.hygiene import Limits
from spamfilter.promotion import Rules
from spamfilter.retrain import RetrainConfig, read_config, retrain
from spamfilter.retrain.gathering import gather
from spamfilter.retraining import Retraining
from spamfilter.store import ModelsFolder
from tests.conftest import ROOT
from tests.labelledrows import SMALL, threads, write_jsonl
from tests.team import fill
from tests.tinymodel import manifest, tiny

#: Fewer folds, strengths and samples than by default: what is tested is the way, not how good the models are.
QUICK = AdaptationConfig(folds=2, strengths=(10.0,))
NIGHT = datetime(2026, 4, 1, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "tiny"
    return store.save(tiny(), folder, manifest("1", rows={"tiny": {"spam": 100, "ham": 200}}))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("labels") / "labels.db", 120).read_bytes()


def made_config(folder, base, labelled):
    (folder / "labels.db").write_bytes(labelled)
    return RetrainConfig(
        labels=folder / "labels.db",
        models=folder / "models",
        base=str(base),
        folds=2,
        adaptation=QUICK,
        rules=Rules(samples=100),
    )


@pytest.fixture
def config(tmp_path, base, labelled):
    return made_config(tmp_path, base, labelled)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory, base, labelled):
    folder = tmp_path_factory.mktemp("first")
    outcome = run(made_config(folder, base, labelled))
    return folder / "models", outcome


@pytest.fixture
def used(config, first_run):
    """The same labels, when the first run has put a model in use."""
    shutil.copytree(first_run[0], config.models)
    return config


def run(config, **given):
    return retrain(config, clock=lambda: NIGHT, **given)


def versions(config):
    return [v.name for v in ModelsFolder(config.models).versions()]


def snapshot(path):
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(Path(path).rglob("*")) if p.is_file()}


# ------------------------------------------------------------------------------------------- how it ends
def test_labels_make_a_better_model_that_is_put_in_use(used, first_run):
    config, outcome = used, first_run[1]
    assert (outcome.kind, outcome.exit_code, outcome.current) == ("promoted", 0, "2026.04.01")
    assert versions(config) == ["tiny-1", "2026.04.01"]
    sf = store.load(config.models)
    assert sf.name == "team@2026.04.01"
    spam = "By the way, warm hands at low tide, Marlo of the mill, bring a friend to the wellness circle, Sunday."
    assert sf.score(spam).probability > tiny().score(spam).probability + 0.1
    folder = config.models / "2026.04.01"
    done = Retraining.read(folder)
    assert (done.champion, done.parent, done.recipe) == ("tiny-1", "tiny-1", "adapt")
    assert done.decision.promote and len(done.unseen) == len(done.learnt) == done.counts["rows"]
    assert json.loads((folder / "scores.json").read_text())["all"]["n"] == len(done.unseen)
    assert (folder / "README.md").read_text().startswith("# team 2026.04.01\n")
    lineage = store.verify(folder)["lineage"]
    assert (lineage["parent"], lineage["champion"], lineage["labels"]["last"]) == ("tiny-1", "tiny-1", 120)


def test_nothing_new_changes_nothing_until_it_is_forced_or_somebody_decides(used):
    before = snapshot(used.models)
    outcome = run(used)
    assert (outcome.kind, outcome.exit_code, outcome.version) == ("nothing new", 0, None)
    assert "2026.04.01" in outcome.reasons[0]
    assert snapshot(used.models) == before
    assert run(used, force=True).kind == "refused"
    fill(used.labels, 30, first=120)
    assert run(used).kind != "nothing new"


def test_what_is_no_better_is_refused_and_kept(used):
    fill(used.labels, 30, first=120)
    outcome = run(used)
    assert (outcome.kind, outcome.exit_code, outcome.current) == ("refused", 1, "2026.04.01")
    assert outcome.reasons[0].startswith("not better beyond noise")
    assert versions(used) == ["tiny-1", "2026.04.01", "2026.04.01.2"]
    assert not Retraining.read(used.models / "2026.04.01.2").decision.promote


def test_a_champion_is_not_flattered_by_labels_that_it_remembers(config, tmp_path):
    """Labels without any pattern: whoever learnt them knows them, and out of fold nobody does."""
    rng = random.Random(5)
    with LabelStore.open(tmp_path / "noise.db") as labels:
        from tests.team import decision

        for n in range(120):
            label = "spam" if rng.random() < 0.5 else "ham"
            labels.add(dataclasses.replace(decision(n, False, rng), label=label))
    config = dataclasses.replace(
        config, labels=tmp_path / "noise.db", adaptation=dataclasses.replace(QUICK, strengths=(10.0,))
    )
    run(config)
    models = ModelsFolder(config.models)
    models.promote("2026.04.01")  # whatever was decided
    outcome = run(config, force=True)
    measures = {c.measure: c for c in outcome.retraining.decision.unseen}
    assert measures["ap"].champion < 0.75
    assert outcome.kind == "refused"


def test_a_challenger_is_not_forgiven_the_mistakes_that_it_is_sure_of(config):
    """A label that a model is sure is wrong teaches less, and is judged in full all the same."""
    gathered = gather(config)
    ham = np.flatnonzero(gathered.rows.label == 0)[:6]
    sure = np.where(gathered.rows.label == 1, 0.95, 0.05)
    sure[ham] = 0.97
    again = gathered.weighed(dict(zip(gathered.rows.id, sure.tolist(), strict=True)), {})
    assert (again.weight[ham] == Limits().doubtful_weight).all() and (again.judging == 1).all()


def test_the_newest_labels_are_judged_by_models_that_came_before_them(used):
    fill(used.labels, 80, first=120)
    done = run(used).retraining
    learnt = set(Retraining.read(used.models / "2026.04.01").learnt.id)
    assert len(done.newest) == 40 and not learnt & set(done.newest.id)
    assert "labels:200" in done.newest.id


def test_a_store_made_anew_of_the_same_labels_is_recognised(used, tmp_path):
    """As in a job that imports a table every night: numbers change, the champion still knows what it learnt."""
    table = tmp_path / "labels.jsonl"
    assert main(["label", "export", "--store", str(used.labels), "-o", str(table)]) == 0
    lines = table.read_text().splitlines()
    table.write_text("".join(f"{line}\n" for line in reversed(lines)))
    assert main(["label", "import", str(table), "--store", str(tmp_path / "anew.db")]) == 0
    done = run(dataclasses.replace(used, labels=tmp_path / "anew.db"), force=True).retraining
    assert done.newest is None  # nothing is new
    learnt = Retraining.read(used.models / "2026.04.01").learnt
    assert dict(zip(done.learnt.key, done.learnt.label, strict=True)) == dict(
        zip(learnt.key, learnt.label, strict=True)
    )


def test_a_dry_run_writes_nothing(config):
    outcome = run(config, dry_run=True)
    assert (outcome.kind, outcome.version, outcome.dry_run) == ("promoted", None, True)
    assert not config.models.exists()
    run(config)
    fill(config.labels, 30, first=120)
    before = snapshot(config.models)
    run(config, dry_run=True)
    assert snapshot(config.models) == before


def test_too_few_labels_wait_for_more(config, tmp_path):
    config = dataclasses.replace(config, labels=fill(tmp_path / "few.db", 12))
    outcome = run(config)
    assert (outcome.kind, outcome.exit_code) == ("too few labels", 0)
    assert "10 of each are needed" in outcome.reasons[0]
    assert versions(config) == ["tiny-1"] and store.load(config.models).name == "tiny@1"  # the base is in use meanwhile


def test_what_was_rolled_back_does_not_come_back_by_itself(used):
    ModelsFolder(used.models).rollback(why="blocks readers")
    assert run(used).kind == "nothing new"
    assert store.load(used.models).name == "tiny@1"


def test_wrong_labels_of_a_hostile_source_promote_nothing(used):
    """Right labels of four people, then 300 wrong ones of a fifth in one day."""
    rng = random.Random(8)
    with LabelStore.open(used.labels) as labels:
        from tests.team import decision

        for _ in range(300):
            made = decision(1000, rng.random() < 0.5, rng, who="eve")
            wrong = "ham" if made.label == "spam" else "spam"
            labels.add(dataclasses.replace(made, label=wrong))
    outcome = run(used)
    assert outcome.kind == "refused" and outcome.current == "2026.04.01"
    assert {"flood", "unreliable"} & {f.kind for f in outcome.retraining.findings}


def test_a_base_that_came_of_a_retraining_is_refused(used):
    again = dataclasses.replace(used, base=str(used.models / "2026.04.01"))
    with pytest.raises(ConfigError, match="learnt twice"):
        run(again)


def test_the_base_is_never_the_champion_of_the_environment(used, monkeypatch):
    monkeypatch.setenv("SPAMFILTER_MODEL", str(used.models))
    fill(used.labels, 30, first=120)
    outcome = run(dataclasses.replace(used, base=None))
    assert outcome.retraining.parent.startswith("default-")


def test_training_from_scratch_is_judged_beside_adapting(config, tmp_path):
    corpus = write_jsonl(tmp_path / "corpus.jsonl", threads(comments=200))
    config = dataclasses.replace(config, always=(str(corpus),), training=SMALL, folds=2)
    done = run(config).retraining
    assert set(done.recipes) == {"adapt", "train"}
    assert done.recipe == max(done.recipes, key=done.recipes.get)
    fill(config.labels, 40, first=120)
    again = run(dataclasses.replace(config, recipe="train")).retraining
    assert again.recipe == "train" and again.adaptation["settings"]["word_bits"] == SMALL.word_bits


def test_a_champion_that_cannot_be_made_again_is_judged_as_it_stands(used):
    """Its base was deleted by hand; what it learnt is still known, so the newest labels are those it has not seen."""
    shutil.rmtree(used.models / "tiny-1")
    fill(used.labels, 80, first=120)
    done = run(dataclasses.replace(used, base=None)).retraining
    assert any("it is judged as it stands, which flatters it" in note for note in done.notes)
    learnt = set(Retraining.read(used.models / "2026.04.01").learnt.key)
    assert done.newest is not None
    assert not learnt & {
        key for key, name in zip(done.learnt.key, done.learnt.id, strict=True) if name in done.newest.id
    }


def test_further_data_are_learnt_and_guarded_data_only_watched(config, tmp_path):
    more = write_jsonl(
        tmp_path / "more.jsonl",
        [{"text": f"Our river walk number {n} went past the old kiln", "label": "ham", "site": "w"} for n in range(20)],
    )
    guard = write_jsonl(tmp_path / "guard.jsonl", threads("de", comments=60))
    done = run(dataclasses.replace(config, data=(str(more),), guard=(str(guard),))).retraining
    assert done.counts["rows"] == done.counts["labels"] - sum(done.left_out.values()) + 20
    assert "more" in done.unseen.set and set(done.guard.set) == {"guard"}
    assert not set(done.guard.id) & set(done.learnt.id)


def test_labels_that_were_exported_are_not_learnt_twice(config, tmp_path):
    assert main(["label", "export", "--store", str(config.labels), "-o", str(tmp_path / "out.jsonl")]) == 0
    done = run(dataclasses.replace(config, data=(str(tmp_path / "out.jsonl"),)), dry_run=True).retraining
    assert done.counts["rows"] <= done.counts["labels"]


def test_old_versions_are_pruned_where_that_is_asked_for(config):
    config = dataclasses.replace(config, keep=1)
    for n in range(3):
        outcome = run(config)
        fill(config.labels, 12, first=120 + 12 * n)
    assert outcome.pruned == ("2026.04.01.2",)


# ------------------------------------------------------------------------------------------- how it is ended
def in_child(work):
    """Run ``work`` in a forked process; how that ended, as ``os.waitstatus_to_exitcode`` gives it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(config, step):
    """A run that kills itself when it is about to write for the ``step``-th time."""

    def work():
        left = step

        def counted(call):
            def counting(*args, **kwargs):
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **kwargs)

            return counting

        os.fsync, os.replace, os.rename, os.mkdir = map(counted, (os.fsync, os.replace, os.rename, os.mkdir))
        Path.replace, Path.rename = counted(Path.replace), counted(Path.rename)
        run(config)

    return in_child(work)


@pytest.mark.parametrize("part", range(7))
def test_killed_at_any_write_the_champion_is_whole_and_the_next_run_ends_well(config, part):
    """A random write in each seventh of all; the whole run has some forty."""
    step = part * 6 + random.randrange(6)
    print(f"killed at write {step}")
    code = killed_at(config, step)
    assert code in (-signal.SIGKILL, 0)
    if (config.models / "CURRENT").exists():
        store.load(config.models)
    for version in ModelsFolder(config.models).versions():
        assert version.problem is None
        store.verify(version.folder)
    assert run(config).kind in ("promoted", "nothing new")  # nothing new: it was killed after the swap
    assert store.load(config.models).name.startswith("team@")
    assert not [p for p in config.models.iterdir() if p.name.startswith(".2026")]
    assert run(config).kind == "nothing new"


def test_killed_between_storing_and_promoting_the_next_run_promotes(config, monkeypatch):
    promote = ModelsFolder.promote

    def stopped(self, name, *args, **kwargs):
        if name.startswith("2026"):
            raise KeyboardInterrupt
        promote(self, name, *args, **kwargs)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(ModelsFolder, "promote", stopped)
        run(config)
    assert store.load(config.models).name == "tiny@1" and versions(config) == ["tiny-1", "2026.04.01"]
    outcome = run(config)
    assert (outcome.kind, outcome.version) == ("promoted", "2026.04.01")
    assert "before it could be promoted" in outcome.reasons[0]
    assert versions(config) == ["tiny-1", "2026.04.01"]


def test_a_champion_chosen_meanwhile_is_not_overruled(used, monkeypatch):
    models = ModelsFolder(used.models)
    models.rollback()
    add = ModelsFolder.add

    def and_somebody_promotes(self, *args):
        folder = add(self, *args)
        models.promote("2026.04.01", by="ana")
        return folder

    monkeypatch.setattr(ModelsFolder, "add", and_somebody_promotes)
    with pytest.raises(LockedError, match="put in use meanwhile"):
        run(used, force=True)
    assert models.current() == "2026.04.01"


def test_two_runs_do_not_collide(config):
    with ModelsFolder(config.models).job(), pytest.raises(LockedError, match="another retraining"):
        run(config)
    assert versions(config) == []


def test_a_clock_that_goes_backwards_changes_no_order(used):
    fill(used.labels, 30, first=120)
    retrain(used, clock=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    assert versions(used) == ["tiny-1", "2026.04.01", "2020.01.01"]
    assert retrain(used, clock=lambda: datetime(2019, 1, 1, tzinfo=UTC)).kind == "nothing new"


def test_a_disk_that_fills_while_the_challenger_is_saved(used):
    fill(used.labels, 30, first=120)
    before = snapshot(used.models)

    def work():
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            run(used)
        except OutputError as error:
            os._exit(7 if "what was there is unchanged" in str(error) else 8)

    assert in_child(work) == 7
    assert snapshot(used.models) == before


def test_a_models_folder_that_cannot_be_written_is_said_before_any_work(config, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"):
        run(dataclasses.replace(config, models=tmp_path / "file" / "models"))


# ------------------------------------------------------------------------------------------- what it is given
def damaged(path):
    content = bytearray(path.read_bytes())
    content[2_000:40_000] = b"\x55" * 38_000
    path.write_bytes(content)


def foreign(path):
    path.unlink()
    with sqlite3.connect(path) as sql:
        sql.execute("CREATE TABLE recipes (id INTEGER)")
    sql.close()


def newer(path):
    with sqlite3.connect(path) as sql:
        sql.execute("INSERT INTO migrations (name, at) VALUES ('0099_later', '2027-01-01')")
    sql.close()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (damaged, "damaged"),
        (foreign, "is not a label store"),
        (newer, "a later version of this package"),
        (lambda path: path.write_text("label,text\n"), "not a label store"),
        (lambda path: path.write_bytes(b""), "older one|label store"),
        (lambda path: path.unlink(), "no label store here"),
    ],
)
def test_a_label_store_that_cannot_be_used_leaves_it_and_the_champion_alone(used, spoil, says):
    models, again = snapshot(used.models), used.labels.read_bytes
    spoil(used.labels)
    labels = again() if used.labels.exists() else None
    with pytest.raises((StoreError, ConfigError), match=says):
        run(used)
    assert snapshot(used.models) == models
    assert (again() if used.labels.exists() else None) == labels


def test_a_damaged_champion_is_said_with_the_way_back(used):
    with (used.models / "2026.04.01" / "text.safetensors").open("r+b") as file:
        file.write(b"\0" * 100)
    fill(used.labels, 30, first=120)
    with pytest.raises(ModelDamaged):
        run(used)
    assert ModelsFolder(used.models).current() == "2026.04.01"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[retrain]\nlabel = 'x'", "is 'labels' meant?"),
        ("[retrian]\n", "is 'retrain' meant?"),
        ("[retrain]\nlabels = 3", "must be a path"),
        ("[retrain]\nfolds = 1", "at least 2"),
        ("[retrain]\nfolds = true", "a whole number"),
        ("[retrain]\nrecipe = 'both'", "is none of 'auto', 'adapt', 'train'"),
        ("[retrain]\nrecipe = 'train'", "needs data to learn from"),
        ("[retrain]\ndata = 'x.csv'", "must be a list"),
        ("[retrain]\nname = '../x'", "a plain name"),
        ("[promotion]\nmost_lost = {app = 0.1}", "is 'ap' meant?"),
        ("[promotion]\nlevel = -1", "below 0"),
        ("[adaptation]\nfold = 3", "is 'folds' meant?"),
        ("[hygiene]\nbulk = [1]", "must be a text"),
        ("retrain = 3", "must be a table"),
        ("[retrain", "not TOML"),
    ],
)
def test_settings_are_checked(tmp_path, text, says):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_config(tmp_path / "r.toml", labels=tmp_path / "labels.db")


def test_settings_of_the_file_are_beside_it_and_the_command_wins(tmp_path):
    (tmp_path / "r.toml").write_text(
        "[retrain]\nlabels = 'l.db'\nmodels = 'm'\nguard = ['g.csv']\n[promotion]\nmost_lost = {ap = 0.5}\n"
        "[adaptation]\nstrengths = [1, 2]\n"
    )
    config = read_config(tmp_path / "r.toml", models=Path("elsewhere"))
    assert (config.labels, config.models) == (tmp_path / "l.db", Path("elsewhere"))
    assert config.guard == (str(tmp_path / "g.csv"),)
    assert config.rules.most_lost == {**Rules().most_lost, "ap": 0.5}
    assert config.adaptation.strengths == (1.0, 2.0)


def test_without_labels_and_data_there_is_nothing_to_learn():
    with pytest.raises(ConfigError, match="name a label store"):
        read_config(None)


def test_data_that_cannot_be_used_are_named(config, tmp_path):
    bad = write_jsonl(tmp_path / "bad.jsonl", [{"text": "a", "label": "perhaps"}])
    with pytest.raises(DataError, match="label 'perhaps'"):
        run(dataclasses.replace(config, data=(str(bad),)))


# ------------------------------------------------------------------------------------------- the commands
@pytest.fixture
def settings(tmp_path, config):
    path = tmp_path / "retrain.toml"
    path.write_text(
        f"[retrain]\nlabels = 'labels.db'\nmodels = 'models'\nbase = '{config.base}'\nfolds = 2\n"
        "[adaptation]\nfolds = 2\nstrengths = [10.0]\n[promotion]\nsamples = 100\n"
    )
    return path


def test_the_command_says_what_it_did_and_why(settings, tmp_path, capsys):
    command = ["retrain", "--config", str(settings), "--summary", str(tmp_path / "last.json")]
    assert main([*command, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "would be promoted: average precision" in said and "rows that neither has learnt" in said
    assert not (tmp_path / "models").exists()
    assert main(command) == 0
    assert "\npromoted: average precision" in capsys.readouterr().out
    summary = json.loads((tmp_path / "last.json").read_text())
    assert (summary["outcome"], summary["exit_code"], summary["current"]) == ("promoted", 0, summary["version"])
    assert summary["measures"][0]["measure"] == "ap" and summary["durations"]["judging"] > 0
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "nothing new"
    assert main([*command, "--force"]) == 1
    assert "refused: not better beyond noise" in capsys.readouterr().out


def test_a_run_that_fails_says_so_in_the_summary_too(settings, tmp_path, capsys):
    command = ["retrain", "--config", str(settings), "--summary", str(tmp_path / "last.json")]
    with ModelsFolder(tmp_path / "models").job():
        assert main(command) == 4
    assert "another retraining" in capsys.readouterr().err
    assert json.loads((tmp_path / "last.json").read_text())["exit_code"] == 4
    (tmp_path / "labels.db").write_bytes(b"nothing of the kind")
    assert main(command) == 2
    assert "not a label store" in json.loads((tmp_path / "last.json").read_text())["error"]


def test_models_are_listed_shown_switched_verified_and_pruned(settings, tmp_path, capsys):
    main(["retrain", "--config", str(settings)])
    main(["retrain", "--config", str(settings), "--force"])
    models = ["--models", str(tmp_path / "models")]
    day = ModelsFolder(tmp_path / "models").current()
    capsys.readouterr()

    def said(*given, code=0):
        assert main(["models", *given, *models]) == code
        return capsys.readouterr().out

    listed = said("list")
    assert f"*  {day}" in " ".join(listed.split("\n")).replace("   ", "  ") and "refused" in listed
    table = json.loads(said("list", "--json"))
    assert table["current"] == day and [v["state"] for v in table["versions"]] == ["was in use", "in use", "refused"]
    assert "decision     promote" in said("show") and "from         tiny-1, by adapt" in said("show", day)
    shown = json.loads(said("show", "--json"))
    assert shown["decision"]["promote"] and shown["history"][-1]["kind"] == "promoted"
    assert "tiny-1 is in use again" in said("rollback", "--why", "to see it", "--who", "ana")
    assert f"{day} is in use, tiny-1 was before" in said("promote", day, "--who", "ana")
    assert said("verify").count("ok ") == 3
    with (tmp_path / "models" / "tiny-1" / "host.safetensors").open("ab") as file:
        file.write(b"x")
    assert "WRONG  tiny-1" in said("verify", code=1)
    assert "nothing to take away" in said("prune", "--keep", "2")
    assert main(["models", "promote", "nope", *models]) == 2
    assert "there are: tiny-1" in capsys.readouterr().err


def test_pruning_asks_or_is_told(settings, tmp_path, capsys):
    for given in ([], ["--force"], ["--force"]):
        main(["retrain", "--config", str(settings), *given])
    command = ["models", "prune", "--keep", "1", "--models", str(tmp_path / "models")]
    assert main(command) == 2
    assert "say --yes" in capsys.readouterr().err
    assert main([*command, "--yes"]) == 0
    assert "deleted 1" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["list", "show", "promote", "rollback", "verify", "prune", "export"])
def test_help_of_models_has_examples(name, capsys):
    assert main(["models", name, "--help"]) == 0
    assert f"spamfilter models {name}" in capsys.readouterr().out.split("Examples:")[1]


def test_help_of_retrain_has_examples_and_exit_codes(capsys):
    assert main(["retrain", "--help"]) == 0
    said = capsys.readouterr().out
    assert "spamfilter retrain " in said.split("Examples:")[1] and "Exit codes:" in said


def test_killed_from_outside_at_a_random_moment(settings, tmp_path):
    """The real command, SIGKILL, and then the real command again."""
    command = [sys.executable, "-m", "spamfilter", "retrain", "--config", str(settings), "--json"]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        child.wait(random.uniform(1.0, 6.0))
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] in ("promoted", "nothing new")
    assert store.load(tmp_path / "models").name.startswith("team@")
