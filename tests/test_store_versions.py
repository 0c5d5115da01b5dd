"""A team's models folder: versions, the way back, locks, and what goes wrong on disks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from spamfilter import store
from spamfilter.errors import ConfigError, LockedError, ModelDamaged, ModelNotFound, OutputError
from spamfilter.service.models import model_from_store
from spamfilter.store import Event, ModelsFolder
from spamfilter.store.durable import append_line, write_text
from spamfilter.store.history import add_event, trail
from tests.conftest import ROOT
from tests.tinymodel import manifest, tiny


@pytest.fixture
def models(tmp_path):
    return ModelsFolder(tmp_path / "models")


def add(models, *names, **lineage):
    with models.job():
        for name in names:
            models.add(tiny(), name, manifest(name, lineage=lineage), {"scores.json": "{}\n"})
    return models


# ------------------------------------------------------------------------------------------- versions
def test_versions_come_in_the_order_they_were_added_whatever_the_clock_says(tmp_path):
    days = iter([datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 3, tzinfo=UTC)])
    models = ModelsFolder(tmp_path / "models")
    for day in days:
        models._clock = lambda day=day: day
        add(models, models.new_name())
    assert [v.name for v in models.versions()] == ["2026.05.03", "2026.05.01", "2026.05.03.2"]


def test_names_of_deleted_versions_do_not_come_again(models):
    models._clock = lambda: datetime(2026, 5, 1, tzinfo=UTC)
    add(models, "2026.05.01", "b")
    models.promote("b")
    with models.job():
        assert models.prune(1) == ["2026.05.01"]
    assert models.new_name() == "2026.05.01.2"


def test_a_version_is_never_written_over(models):
    add(models, "a")
    with pytest.raises(OutputError, match="never changed once written"):
        add(models, "a")


def test_an_empty_folder_has_no_version_in_use_and_writes_nothing(models):
    assert models.current() is None and models.versions() == [] and models.trail() == []
    assert not models.path.exists()


def test_the_folder_of_the_package_is_refused():
    for path in (store.models_folder(), store.models_folder() / "default"):
        with pytest.raises(ConfigError, match="an upgrade replaces"):
            ModelsFolder(path)


def test_adopting_copies_the_model_that_ships_once(models):
    with models.job():
        name = models.adopt(store.find(store.models_folder()))
        assert models.adopt(store.find(store.models_folder())) == name
    models.verify(name)
    assert [v.name for v in models.versions()] == [name]
    assert models.load(name).name == store.load(store.models_folder()).name


def test_another_model_of_the_same_name_is_adopted_beside_it(models, tmp_path, sf):
    for n, model in enumerate((tiny(), sf)):
        store.save(model, tmp_path / f"m{n}", manifest("1"))
    with models.job():
        assert [models.adopt(tmp_path / f"m{n}") for n in range(2)] == ["tiny-1", "tiny-1.2"]


# ------------------------------------------------------------------------------------------- switching
def test_rolling_back_goes_back_step_by_step(models):
    add(models, "a", "b", "c", "d")
    for name in "abc":
        models.promote(name)
    assert models.rollback() == "b"
    models.promote("d")
    assert [models.rollback(), models.rollback()] == ["b", "a"]
    with pytest.raises(ModelNotFound, match="no version was in use before"):
        models.rollback()
    assert models.current() == "a"


def test_rolling_back_twice_does_not_come_back_to_what_was_left(models):
    add(models, "a", "b")
    for name in "aba":
        models.promote(name)
    assert [models.rollback(), models.rollback()] == ["b", "a"]


def test_the_history_says_who_and_why(models):
    add(models, "a")
    models.promote("a", by="ana", why="looked at it")
    event = models.events()[-1]
    assert (event.kind, event.version, event.before, event.by, event.why) == (
        "promoted",
        "a",
        None,
        "ana",
        "looked at it",
    )


def test_promoting_what_is_in_use_adds_no_step(models):
    add(models, "a", "b")
    for name in "abb":
        models.promote(name)
    assert models.trail() == ["a", "b"]


def test_a_promotion_that_was_only_written_down_is_no_step(models):
    """The power went between the line in the history and the swap of CURRENT."""
    add(models, "a", "b")
    models.promote("a")
    add_event(models.path, Event("promoted", "b", "a", "", "", ""))
    assert models.trail() == ["a"] and not models.was_used("b")
    models.promote("b")
    assert models.trail() == ["a", "b"] and models.was_used("b")


def test_a_version_chosen_by_hand_is_a_step(models):
    add(models, "a", "b", "c")
    models.promote("a")
    (models.path / "CURRENT").write_text("b\n")
    models.promote("c")
    assert models.trail() == ["a", "b", "c"]


def test_a_cut_off_line_of_the_history_is_passed_over_and_stays_alone(models):
    add(models, "a", "b")
    models.promote("a")
    with (models.path / "HISTORY.jsonl").open("a") as out:
        out.write('{"kind": "promoted", "vers')
    models.promote("b")
    assert models.trail() == ["a", "b"]
    assert len((models.path / "HISTORY.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize("text", ["", "../elsewhere", "/etc", ".work", "gone", "\x00", "a\nb"])
def test_a_damaged_current_is_said_and_mended_by_promoting_or_rolling_back(models, text):
    add(models, "a", "b")
    models.promote("a")
    (models.path / "CURRENT").write_text(text)
    with pytest.raises(ModelDamaged, match="spamfilter models promote"):
        store.load(models.path)
    assert models.rollback() == "a"
    (models.path / "CURRENT").write_text(text)
    models.promote("b")
    assert store.load(models.path).name == "tiny@b"


def test_what_is_not_whole_is_not_put_in_use(models):
    add(models, "a", "b", "c")
    models.promote("b")
    models.promote("a")
    with (models.path / "b" / "text.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x7f")
    for call in (lambda: models.promote("b"), models.rollback):
        with pytest.raises(ModelDamaged, match="SHA-256 differs"):
            call()
    assert models.current() == "a"


def test_expecting_another_version_in_use_promotes_nothing(models):
    add(models, "a", "b", "c")
    models.promote("b")
    with pytest.raises(LockedError, match="b was put in use meanwhile, not a"):
        models.promote("c", expect="a")
    assert models.current() == "b"


def test_an_unknown_version_is_named_with_those_there_are(models):
    add(models, "a")
    with pytest.raises(ModelNotFound, match="there are: a"):
        models.promote("z")


def test_the_service_takes_up_what_is_promoted(models):
    add(models, "a", "b")
    models.promote("a")
    used = model_from_store(str(models.path))
    assert used.now.name == "tiny@a" and not used.look()
    models.promote("b")
    assert used.look() and used.now.name == "tiny@b"
    models.rollback()
    assert used.look() and used.now.name == "tiny@a"


def test_whoever_loads_while_versions_are_switched_gets_a_whole_one(models):
    add(models, "a", "b")
    models.promote("a")
    found, stop = set(), threading.Event()

    def read():
        while not stop.is_set():
            found.add(store.load(models.path).name)

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(60):
        models.promote("ab"[n % 2])
    while len(found) < 2 and reader.is_alive():
        models.promote("a")
        models.promote("b")
    stop.set()
    reader.join()
    assert found == {"tiny@a", "tiny@b"}


# ------------------------------------------------------------------------------------------- pruning
def test_pruning_leaves_what_is_needed(models):
    add(models, "base")
    for name in "abcdefgh":
        add(models, name, parent="base")
    for name in "abcde":
        models.promote(name)
    with models.job():
        assert models.prune(1) == ["a", "f", "g"]  # e is in use, b c d are the way back, h is the newest
    assert [v.name for v in models.versions()] == ["base", "b", "c", "d", "e", "h"]
    assert [models.rollback() for _ in range(3)] == ["d", "c", "b"]


def test_what_a_kept_version_was_made_from_stays(models):
    add(models, "base", "other")
    add(models, "a", parent="base")
    add(models, "b")
    models.promote("b")
    with models.job():
        assert models.prune(2) == ["other"]


# ------------------------------------------------------------------------------------------- locks
def test_two_jobs_cannot_hold_the_folder(models):
    with models.job():
        with pytest.raises(LockedError, match="another retraining or pruning"), ModelsFolder(models.path).job():
            pass
        with pytest.raises(LockedError):
            hold(models.path, "pass").check_returncode()
    with models.job():
        pass


def hold(path, what, **options):
    code = (
        "import sys, time; from spamfilter.store import ModelsFolder; from spamfilter.errors import LockedError\n"
        f"try:\n  with ModelsFolder(sys.argv[1]).job(): {what}\n"
        "except LockedError: sys.exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=False, timeout=60, **options)
    if done.returncode == 9:
        raise LockedError
    return done


def test_a_killed_job_leaves_no_lock_and_nothing_half_made(models):
    work = models.path / ".work" / "half"
    code = (
        "import sys, time; from pathlib import Path; from spamfilter.store import ModelsFolder\n"
        "with ModelsFolder(sys.argv[1]).job(): Path(sys.argv[2]).mkdir(); print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(models.path), str(work)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(LockedError), models.job():
        pass
    child.kill()
    child.wait()
    child.stdout.close()
    assert work.is_dir()
    with models.job():
        assert not work.exists()
    assert models.versions() == []


def test_switching_goes_on_while_a_job_runs(models):
    """Whoever has to roll back at night does not wait for the retraining."""
    add(models, "a", "b")
    with models.job():
        models.promote("a")
        models.promote("b")
        assert models.rollback() == "a"


# ------------------------------------------------------------------------------------------- disks
def test_a_disk_that_fills_leaves_no_part_of_a_version(models):
    add(models, "a")
    models.promote("a")
    before = snapshot(models.path)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from spamfilter import store; from spamfilter.store import ModelsFolder; from spamfilter.errors import OutputError\n"
        "m = ModelsFolder(sys.argv[1]); sf = m.load('a')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "try:\n  with m.job(): m.add(sf, 'b', {'name': 'tiny', 'version': 'b'}, {})\n"
        "except OutputError as error: print(error); sys.exit(3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(models.path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "File too large" in done.stdout and "what was there is unchanged" in done.stdout
    assert snapshot(models.path) == before
    assert not list((models.path / ".work").iterdir())
    assert store.load(models.path).name == "tiny@a"


def snapshot(path):
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("number", ["EROFS", "ENOSPC", "EACCES"])
def test_what_cannot_be_written_changes_nothing_and_says_what_to_do(models, monkeypatch, number):
    import errno
    import tempfile

    add(models, "a", "b")
    models.promote("a")
    before = snapshot(models.path)

    def refuse(*args, **kwargs):
        raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(OutputError, match=os.strerror(getattr(errno, number))):
        add(models, "c")
    assert snapshot(models.path) == before


def test_a_swap_that_fails_leaves_the_old_text(tmp_path, monkeypatch):
    write_text(tmp_path / "CURRENT", "a\n")

    def refuse(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match="make room"):
        write_text(tmp_path / "CURRENT", "b\n")
    assert (tmp_path / "CURRENT").read_text() == "a\n"
    assert [p.name for p in tmp_path.iterdir()] == ["CURRENT"]


def test_a_folder_beneath_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="is a file"):
        ModelsFolder(tmp_path / "file")
    with pytest.raises(OutputError, match="a part of the path is a file"), ModelsFolder(tmp_path / "file" / "m").job():
        pass


def test_lines_are_appended(tmp_path):
    for n in range(3):
        append_line(tmp_path / "log", f"{n} ä")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "0 ä\n1 ä\n2 ä\n"


def test_the_trail_of_no_events():
    assert trail([], None) == [] and trail([], "a") == ["a"]
