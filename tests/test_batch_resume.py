import gzip
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spamfilter.batch import Format, Options, Output, run
from spamfilter.errors import ConfigError, LockedError, OutputError
from spamfilter.files import Failure, Input
from tests.batchjobs import ObeyJob
from tests.blogpages import HAM, SPAM, blog

PAGES = 150


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Pages with and without spam, and lines that are damaged, as JSON lines."""
    draw = random.Random(5)
    path = tmp_path_factory.mktemp("input") / "pages.jsonl"
    with path.open("w") as file:
        for n in range(PAGES):
            comments = draw.sample(HAM, draw.randint(0, 2)) + list(SPAM)[: draw.randint(0, 1)]
            row = {"url": f"http://blog.example/{n}", "html": blog(comments, f"Inner tubes, part {n}")}
            file.write(("{broken" if n % 31 == 7 else json.dumps(row)) + "\n")
    return path


def command(table: Path, out: Path, *more: str) -> list[str]:
    errors = out.parent / "errors.jsonl"
    return [sys.executable, "-m", "spamfilter", "score", str(table), "-o", str(out), "--part-size", "11",
            "--errors", str(errors), *more]  # fmt: skip


def score(table: Path, out: Path, *more: str) -> int:
    return subprocess.run(command(table, out, *more), capture_output=True, timeout=300, check=False).returncode


def parts(out: Path) -> int:
    folder = out if out.is_dir() else out.with_name(out.name + ".parts")
    return len(list(folder.glob("_markers/part-*.json")))


@pytest.mark.parametrize("name", ["out.jsonl.gz", "out.parquet"])
def test_killed_at_random_points_and_resumed_gives_the_bytes_of_an_undisturbed_run(tmp_path, table, name):
    pytest.importorskip("pyarrow")
    draw = random.Random(name)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, killed = tmp_path / "a" / name, tmp_path / "b" / name
    assert score(table, whole, "--workers", "1") == 1  # the damaged lines
    kills = 0
    while kills < 3:
        more = ("--resume", "--workers", draw.choice("12"))
        process = subprocess.Popen(command(table, killed, *more), stderr=subprocess.PIPE)
        target = parts(killed) + draw.randint(1, 3)
        while process.poll() is None and parts(killed) < target:
            time.sleep(0.01)
        time.sleep(draw.random() / 20)
        process.kill()
        process.communicate()
        kills += 1
        if killed.exists():
            break
    assert kills > 1
    assert score(table, killed, "--resume", "--workers", "2") == 1
    assert killed.read_bytes() == whole.read_bytes()
    assert (tmp_path / "b" / "errors.jsonl").read_bytes() == (tmp_path / "a" / "errors.jsonl").read_bytes()
    assert sorted(path.name for path in killed.parent.iterdir()) == ["errors.jsonl", name, f"{name}.done.json"]


def test_a_finished_run_is_not_done_again(tmp_path, table):
    out = tmp_path / "out.jsonl"
    assert score(table, out, "--resume") == 1
    before = out.stat().st_mtime_ns
    assert score(table, out, "--resume") == 1
    assert out.stat().st_mtime_ns == before
    assert score(table, out, "--resume", "--threshold", "0.99") == 1  # another run
    assert out.stat().st_mtime_ns != before


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_ctrl_c_or_terminated_keeps_what_is_finished(tmp_path, table, stop):
    out = tmp_path / "out.jsonl"
    process = subprocess.Popen(command(table, out, "--workers", "2"), stderr=subprocess.PIPE, text=True)
    while parts(out) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(stop)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + stop
    assert "Traceback" not in said and "--resume" in said
    assert parts(out) >= 2 and not out.exists()
    assert score(table, out, "--resume") == 1
    assert len(out.read_text().splitlines()) == PAGES - len(range(7, PAGES, 31))


def test_a_folder_of_parts_that_are_each_whole(tmp_path, table):
    assert score(table, tmp_path / "out", "--workers", "1") == 2  # no suffix, no folder: no format
    folder = tmp_path / "parts"
    folder.mkdir()
    assert score(table, folder, "--workers", "1") == 1
    assert score(table, tmp_path / "one.jsonl", "--workers", "1") == 1
    joined = b"".join(gzip.decompress(path.read_bytes()) for path in sorted(folder.glob("part-*.jsonl.gz")))
    assert joined == (tmp_path / "one.jsonl").read_bytes()
    assert json.loads((folder / "_SUCCESS").read_text())["summary"]["pages"] == PAGES - len(range(7, PAGES, 31))


# ------------------------------------------------------------------------------------ the library below
def ordered(tmp_path, orders):
    table = tmp_path / "orders.jsonl"
    table.write_text("".join(json.dumps({"html": order}) + "\n" for order in orders))
    return [Input(str(table), "jsonl")]


def obey(tmp_path, orders, output, **options):
    return run(ObeyJob(), ordered(tmp_path, orders), output, Options(1, shard_items=4, **options))


def test_resuming_another_run_is_refused(tmp_path):
    out = Output(tmp_path / "out.txt", Format("bytes"))
    with pytest.raises(KeyboardInterrupt):
        run(ObeyJob(), [Input("none", "page")] * 9, out, Options(1, shard_items=4), watch=interrupt_at(6))
    again = Output(tmp_path / "out.txt", Format("bytes"), resume=True)
    with pytest.raises(ConfigError, match="other inputs"):
        obey(tmp_path, ["1", "2"], again)
    assert obey(tmp_path, ["1", "2"], out)["pages"] == 2  # without --resume it begins again
    assert (tmp_path / "out.txt").read_text() == "1\n2\n"


def interrupt_at(item):
    seen = []

    def watch(outcome, position):
        seen.append(outcome)
        if len(seen) == item:
            raise KeyboardInterrupt

    return watch


def test_two_runs_into_one_output_are_refused(tmp_path):
    out = Output(tmp_path / "out.txt", Format("bytes"))
    refused = []

    def watch(outcome, position):
        try:
            obey(tmp_path, ["1"], out)
        except LockedError as error:
            refused.append(str(error))

    run(ObeyJob(), [Failure("x", None, "missing", "…")], out, watch=watch)
    assert "another run writes" in refused[0]


def test_a_full_disk_ends_the_run_with_one_line_and_can_be_resumed(tmp_path):
    import resource

    inputs = ordered(tmp_path, [f"{n} " + "x" * 3000 for n in range(100)])
    out = Output(tmp_path / "out.txt", Format("bytes"), resume=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # The parts fit, the joined file does not: as on a disk that fills up at the end.
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, before[1]))
        with pytest.raises(OutputError, match="--resume"):
            run(ObeyJob(), inputs, out, Options(1, shard_items=4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not (tmp_path / "out.txt").exists()
    seen = []
    run(ObeyJob(), inputs, out, Options(1, shard_items=4), watch=lambda outcome, position: seen.append(outcome))
    assert len((tmp_path / "out.txt").read_text().splitlines()) == 100
    assert seen == []  # every part was there already


def test_a_disk_that_is_full_in_the_middle_of_a_part_keeps_the_parts_before_it(tmp_path):
    import resource

    orders = [f"{n} " + "x" * (9_000 if n == 30 else 100) for n in range(60)]
    inputs = ordered(tmp_path, orders)
    out = Output(tmp_path / "out.txt", Format("bytes"), resume=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, before[1]))
        with pytest.raises(OutputError, match="--resume"):
            run(ObeyJob(), inputs, out, Options(1, shard_items=4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert parts(tmp_path / "out.txt") == 7  # of four each; the eighth holds the large one
    seen = []
    run(ObeyJob(), inputs, out, Options(1, shard_items=4), watch=lambda outcome, position: seen.append(position.items))
    assert seen == list(range(29, 61))
    assert (tmp_path / "out.txt").read_text() == "".join(f"{order}\n" for order in orders)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_standard_output(table):
    with Path("/dev/full").open("w") as full:
        call = [sys.executable, "-m", "spamfilter", "split", str(table)]
        done = subprocess.run(call, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and "cannot be written" in done.stderr


def test_limit_and_sample_take_the_same_pages_whoever_works(tmp_path):
    orders = [str(n) for n in range(400)]
    for workers in (1, 2):
        obey_out = Output(tmp_path / f"{workers}.txt", Format("bytes"))
        options = Options(workers, limit=50, sample=0.25, shard_items=8)
        assert run(ObeyJob(), ordered(tmp_path, orders), obey_out, options)["pages"] == 50
    kept = (tmp_path / "1.txt").read_text()
    assert kept == (tmp_path / "2.txt").read_text()
    # The draw is by the file's whole name, which differs from run to run: the fiftieth of a quarter stands
    # near 200 with a standard deviation of 24, so five of those either way.
    assert 80 < int(kept.split()[-1]) < 320
