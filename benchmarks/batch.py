"""What batch scoring costs beside scoring alone, and reading beside FastWARC's bare reading.

Seconds say what a quiet machine gives; processor time says it on one that has other work, too: what scoring alone takes
of it, divided by what the run takes (reader, writer and workers together), is the share of the cores that scores pages.

Usage::

    python benchmarks/batch.py [--pages FOLDER] [--times N] [--workers 1 2]

Builds a WARC archive of the HTML files in FOLDER, each N times, in a temporary folder; prints a table and, with
``--json``, the figures for docs/scale.md.  FOLDER defaults to the test pages of this repository.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fastwarc.warc import ArchiveIterator, WarcRecordType

from spamfilter.batch import Format, Options, Output, ScoreJob, expand, run
from spamfilter.batch.loading import load_scorer
from spamfilter.files import Input, RawPage, read_pages

HERE = Path(__file__).resolve().parent
#: Pages of the archive that are scored alone: enough to be measured, few enough to be held.
KEPT = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, default=HERE.parent / "tests" / "pages")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "pages.warc.gz"
        count = build(archive, given.pages, given.times)
        figures = measure(archive, count, given.workers, Path(folder))
    if given.json:
        print(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:<56} {value:>12,.1f}" if isinstance(value, float) else f"{name:<56} {value:>12,}")


def measure(archive: Path, count: int, workers: list[int], folder: Path) -> dict[str, Any]:
    size = archive.stat().st_size
    bare, read = best(partial(bare_reading, archive)), best(partial(our_reading, archive))
    pages = [item for item in read_pages(Input(str(archive), "warc", "gz")) if isinstance(item, RawPage)][:KEPT]
    scorer = load_scorer()
    alone = best(lambda: [scorer.score_page(page.content, page.url) for page in pages])
    figures: dict[str, Any] = {
        "pages": count,
        "archive, compressed bytes": size,
        "bytes a page": sum(len(page.content) for page in pages) // len(pages),
        "FastWARC, headers and payload read, pages/s": count / bare,
        "read_pages, pages/s": count / read,
        "FastWARC, CPU ms a page": 1000 * best(partial(bare_reading, archive), clock=time.process_time) / count,
        "read_pages, CPU ms a page": 1000 * best(partial(our_reading, archive), clock=time.process_time) / count,
        "score_page alone, pages/s": len(pages) / alone,
    }
    figures.update(interleaved(pages))
    scoring = figures["score_page alone, CPU ms a page"]
    for n in workers:
        figures.update(in_processes(archive, folder, n, count, alone / len(pages), scoring))
    figures["output bytes a page, gzip"] = len(gzip.compress((folder / "out.jsonl").read_bytes())) // count
    return figures


def in_processes(archive: Path, folder: Path, n: int, count: int, alone: float, scoring: float) -> dict[str, Any]:
    """One run with ``n`` workers; 1 stands for no process besides this one."""
    begun, before, peak = time.perf_counter(), spent(), [0]
    done = threading.Event()
    watcher = threading.Thread(target=watch_workers, args=(done, peak))
    watcher.start()
    batch(archive, folder / "out.jsonl", n)
    done.set()
    watcher.join()
    seconds = time.perf_counter() - begun
    mine, theirs = (now - then for now, then in zip(spent(), before, strict=True))
    name = f"{n} workers" if n > 1 else "one process"
    figures = {
        f"batch to JSON lines, {name}, pages/s": count / seconds,
        f"  of score_page alone times {n}, seconds, %": 100 * alone * count / seconds / n,
        f"  of score_page alone, processor time, {name}, %": 100 * scoring * count / 1000 / (mine + theirs),
        f"  CPU ms a page, reader and writer, {name}": 1000 * mine / count,
    }
    if n > 1:
        figures[f"  CPU ms a page, {name}"] = 1000 * theirs / count
        if peak[0]:
            figures[f"  peak memory of a worker, {name}, MB"] = peak[0] / 1024
    return figures


def watch_workers(done: threading.Event, peak: list[int]) -> None:
    """The largest resident size (kB) of any worker, as Linux counts it since the worker's own program began.

    What ``getrusage`` says of a child counts the memory of the process that started it, too.
    """
    while not done.wait(0.1):
        for child in multiprocessing.active_children():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{child.pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        peak[0] = max(peak[0], int(line.split()[1]))


def spent() -> tuple[float, float]:
    """Processor time of this process and of those that it has ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    mine, theirs = (usage.ru_utime + usage.ru_stime for usage in usages)
    return mine, theirs


def build(archive: Path, pages: Path, times: int) -> int:
    count = 0
    bodies = [path.read_bytes() for path in sorted(pages.rglob("*.html"))]
    with archive.open("wb") as file:
        for n in range(times):
            for m, body in enumerate(bodies):
                file.write(gzip.compress(record(f"http://site{m}.example/{n}", body)))
                count += 1
    return count


def record(url: str, body: bytes) -> bytes:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def best(task: Callable[[], Any], times: int = 3, clock: Callable[[], float] = time.perf_counter) -> float:
    """Shortest of some runs: what the machine's other work costs is not this program's."""
    taken = []
    for _ in range(times):
        begun = clock()
        task()
        taken.append(clock() - begun)
    return min(taken)


def interleaved(pages: list[RawPage]) -> dict[str, float]:
    """Processor time of scoring alone and of the batch job, page by page in turn: other work disturbs both alike."""
    job = ScoreJob(load=load_scorer)
    job.open()
    scorer = load_scorer()
    alone = batched = 0.0
    for page in pages:
        begun = time.process_time()
        scorer.score_page(page.content, page.url)
        between = time.process_time()
        job(page)
        alone += between - begun
        batched += time.process_time() - between
    name = "CPU ms a page"
    return {f"score_page alone, {name}": 1000 * alone / len(pages), f"batch job, {name}": 1000 * batched / len(pages)}


def bare_reading(archive: Path) -> int:
    return sum(len(r.reader.read()) for r in ArchiveIterator(str(archive), record_types=WarcRecordType.response))


def our_reading(archive: Path) -> int:
    items = read_pages(Input(str(archive), "warc", "gz"))
    return sum(len(item.content) for item in items if isinstance(item, RawPage))


def batch(archive: Path, out: Path, workers: int) -> None:
    job = ScoreJob(load=load_scorer, format=Format.of(str(out)))
    run(job, list(expand([str(archive)])), Output(out, Format.of(str(out))), Options(workers))


if __name__ == "__main__":
    main()
