"""``spamfilter classify`` over a big table with one and two workers: time, memory, and what of the model they share.

Usage::

    python benchmarks/speed.py workers

The table is the labelled comments beside the repository with their articles, several times over.  Times are of the
clock, whole processes, in turn, the best of three: other work on the machine counts, so look at the ratio on a quiet
one (the load is printed).  Memory is the largest resident size of any process of a run.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pandas as pd

#: Comments of the small table; the large one has four times as many.
ROWS = 25_000


def run(data: Path, model: str | None) -> None:
    """The figures, one a line."""
    import speed

    frame, _ = speed.read(data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = _table(frame, ROWS, folder / "small.jsonl"), _table(frame, 4 * ROWS, folder / "large.jsonl")
        times, busy = {1: float("inf"), 2: float("inf")}, {1: float("inf"), 2: float("inf")}
        for _ in range(3):
            for workers in times:
                seconds, of_processors, _ = _classify(small, folder / f"{workers}.jsonl", workers, model)
                times[workers], busy[workers] = min(times[workers], seconds), min(busy[workers], of_processors)
        same = (folder / "1.jsonl").read_bytes() == (folder / "2.jsonl").read_bytes()
        peak = {table.stem: _classify(table, folder / "out.jsonl", 2, model)[2] for table in (small, large)}
    load = os.getloadavg()[0]
    print(
        f"{ROWS:,} comments: {times[1]:.1f} s with one worker, {times[2]:.1f} s with two: {times[1] / times[2]:.2f} x"
    )
    print(f"  processors: {busy[1]:.1f} s with one, {busy[2]:.1f} s with two")
    print(f"  the same bytes: {same}; load of the machine at the end {load:.1f}, {os.cpu_count()} cores")
    for table, megabytes in peak.items():
        print(f"  largest process, {table} table: {megabytes:,.0f} MB")
    _shared(model)


def _table(frame: pd.DataFrame, rows: int, path: Path) -> Path:
    """The comments over and over, with their articles."""
    places = [n % len(frame) for n in range(rows)]
    frame.iloc[places].to_json(path, orient="records", lines=True, force_ascii=False)
    return path


_CHILD = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def _classify(table: Path, out: Path, workers: int, model: str | None) -> tuple[float, float, float]:
    """Seconds of the clock, seconds of all processors, and megabytes of the largest process."""
    command = [sys.executable, "-m", "spamfilter", "classify", str(table), "-o", str(out), "--workers", str(workers)]
    command += ["--model", model] if model else []
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _CHILD, *command], check=True, capture_output=True, text=True)
    busy, peak = map(float, done.stdout.split())
    return time.perf_counter() - begin, busy, peak


def _shared(model: str | None) -> None:
    """How much of the model's arrays two processes have in common, as Linux counts it."""
    if not Path("/proc/self/smaps").is_file():
        print("  what processes share is read from /proc, which this system has not")
        return
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(2):
        here, there = context.Pipe()
        processes.append(context.Process(target=_worker, args=(model, there)))
        processes[-1].start()
        pipes.append(here)
    for pipe in pipes:
        pipe.recv()  # both have judged
    for n, pipe in enumerate(pipes, 1):
        pipe.send("count")
        common, own = pipe.recv()
        print(
            f"  worker {n}: {common / 1024:.1f} MB of the model's files mapped and shared, {own / 1024:.1f} MB its own"
        )
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send("end")
        process.join()


def _worker(model: str | None, pipe: Connection) -> None:
    import spamfilter

    sf = spamfilter.load(model)
    sf.score_many([f"comment {n} on mills and rivers" for n in range(1000)])
    pipe.send("ready")
    pipe.recv()
    pipe.send(_mapped())
    pipe.recv()


def _mapped() -> tuple[int, int]:
    """Kilobytes of mapped model files that others have in memory too, and that this process has alone."""
    common, own, ours = 0, 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, _, value = line.partition(":")
        if " " in name:  # the head of a mapping: addresses, rights, file
            ours = line.endswith(".safetensors")
        elif ours and name.startswith("Shared_"):
            common += int(value.split()[0])
        elif ours and name.startswith("Private_"):
            own += int(value.split()[0])
    return common, own
