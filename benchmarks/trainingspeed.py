"""What training costs: time and memory of ``spamfilter train`` against the number of rows.

Usage::

    python benchmarks/speed.py training                     # 12,500 to 100,000 rows
    python benchmarks/speed.py training --rows 25000        # one size

Rows are the labelled comments beside the repository, and as many altered copies of them as it takes, under altered
copies of their articles and of other sites: a third of the words of a copy are words of other comments, so that
copies are no near-duplicates.  Each size is trained in a process of its own, as the command does it: reading, training,
scores and writing.  The figures mean nothing about quality.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (12_500, 25_000, 50_000, 100_000)
#: Share of the words of a copy that are replaced: pairs of neighbouring words then agree in less than a third.
REPLACED = 0.35
_WORD = re.compile(r"\S+")


def run(data: Path, rows: int | None) -> None:
    """The table of all sizes, or one of them in this process."""
    if rows is not None:
        _train(data, rows)
        return
    print("     rows    clock     processor    µs a row   peak memory")
    for size in SIZES:
        command = [sys.executable, str(Path(__file__).with_name("speed.py")), "training", "--data", str(data)]
        done = subprocess.run([*command, "--rows", str(size)], check=True, capture_output=True, text=True)
        print(done.stdout.splitlines()[-1], flush=True)


def _train(data: Path, rows: int) -> None:
    from spamfilter.trainingjob import TrainingJob

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        folder.mkdir()
        # In a process of its own, so that its memory is not counted.
        script = f"import trainingspeed as t; t.write({str(data)!r}, {str(folder)!r}, {rows})"
        subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parent)
        begin, busy = time.perf_counter(), time.process_time()
        last = begin

        def progress(what: str) -> None:
            nonlocal last
            now = time.perf_counter()
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  {now - last:7.1f} s, {memory:7,.0f} MB at most until: {what}", file=sys.stderr, flush=True)
            last = now

        done = TrainingJob([str(folder)], Path(name) / "model").run(progress=progress)
        clock, busy = time.perf_counter() - begin, time.process_time() - busy
        peak, n = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(done.data)
    print(f"{n:9,} {clock:7.1f} s {busy:9.1f} s {busy / n * 1e6:12,.0f} {peak:9,.0f} MB")


def write(data: str, folder: str, rows: int) -> None:
    """Write ``rows`` comments and the articles that they stand under to ``folder``."""
    comments, posts = _lines(Path(data) / "comments.jsonl"), _lines(Path(data) / "posts.jsonl")
    rng = np.random.default_rng(7)
    rng.shuffle(comments)  # type: ignore[arg-type]
    words = [w for c in comments[:4000] for w in _WORD.findall(c["text"])]
    kept, used = [], set()
    for n in range(rows):
        copy, row = divmod(n, len(comments))
        kept.append(_copy(comments[row], copy, words, rng))
        used.add(kept[-1]["post"])
    copies = range(-(-rows // len(comments)))
    altered = (_copy(post, copy, words, rng) for copy in copies for post in posts)
    _write(Path(folder) / "comments.jsonl", kept)
    _write(Path(folder) / "posts.jsonl", (post for post in altered if post["post"] in used))


def _copy(row: dict[str, Any], copy: int, words: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
    if not copy:
        return row
    own = {name: f"{row[name]}~{copy}" for name in ("id", "site", "post", "author") if row.get(name)}
    return {**row, **own, "text": _altered(row["text"] or "", words, rng)}


def _altered(text: str, words: Sequence[str], rng: np.random.Generator) -> str:
    """``text`` with some of its words replaced by others."""
    places = list(_WORD.finditer(text))
    other = rng.integers(len(words), size=len(places)).tolist()
    change = (rng.random(len(places)) < REPLACED).tolist()
    out, at = [], 0
    for place, k, changed in zip(places, other, change, strict=True):
        out += [text[at : place.start()], words[k] if changed else place[0]]
        at = place.end()
    return "".join([*out, text[at:]])


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def _write(path: Path, rows: Iterator[dict[str, Any]] | Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
