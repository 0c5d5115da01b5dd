"""What batch scoring costs beside scoring alone, and reading beside FastWARC's bare reading.

Usage::

    python benchmarks/batch.py [--pages FOLDER] [--times N] [--workers 1 2]

Builds a WARC archive of the HTML files in FOLDER, each N times, in a temporary folder; prints a table and, with
``--json``, the figures for docs/scale.md.  FOLDER defaults to the test pages of this repository.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import resource
import tempfile
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
        print(f"{name:<44} {value:>12,.1f}" if isinstance(value, float) else f"{name:<44} {value:>12,}")


def measure(archive: Path, count: int, workers: list[int], folder: Path) -> dict[str, Any]:
    size = archive.stat().st_size
    bare, read = best(partial(bare_reading, archive)), best(partial(our_reading, archive))
    pages = [item for item in read_pages(Input(str(archive), "warc", "gz")) if isinstance(item, RawPage)]
    scorer = load_scorer()
    alone = best(lambda: [scorer.score_page(page.content, page.url) for page in pages])
    figures: dict[str, Any] = {
        "pages": count,
        "archive, compressed bytes": size,
        "bytes a page": sum(len(page.content) for page in pages) // count,
        "FastWARC, headers and payload read, pages/s": count / bare,
        "read_pages, pages/s": count / read,
        "score_page alone, pages/s": count / alone,
    }
    figures.update(interleaved(pages))
    for n in workers:
        seconds = best(partial(batch, archive, folder / "out.jsonl", n), times=2)
        figures[f"batch to JSON lines, {n} worker(s), pages/s"] = count / seconds
        figures[f"  of score_page alone times {n}, %"] = 100 * alone / seconds / n
    figures["output bytes a page, gzip"] = len(gzip.compress((folder / "out.jsonl").read_bytes())) // count
    figures["peak memory of a worker, MB"] = worker_memory(archive, folder)
    return figures


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


def best(task: Callable[[], Any], times: int = 3) -> float:
    """Shortest of some runs: what the machine's other work costs is not this program's."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        task()
        taken.append(time.perf_counter() - begun)
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


def worker_memory(archive: Path, folder: Path) -> float:
    """Largest resident size of a process that does a worker's whole work."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(str(archive), there))
    process.start()
    peak: float = here.recv()
    process.join()
    return peak


def _work(archive: str, connection: Any) -> None:
    job = ScoreJob(load=load_scorer)
    job.open()
    for item in read_pages(Input(archive, "warc", "gz")):
        job(item)
    connection.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
