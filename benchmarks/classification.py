"""How well comments of unseen sites are judged: every site left out in turn, sets left out whole, off-topic passages.

Usage::

    python benchmarks/classification.py [--data DATA] [--pages PAGES] [--jobs 2] [-o predictions.jsonl] > table.md

The corpus of this repository and the readers of real pages (``readers.py``, none of a site that is judged) are in every
training, as they are for the bundled model, and are never judged.  The labelled comments belong to others and are
measured in place.  Each comment is judged for itself, and once more among the others of its page.  Prints Markdown;
``-o`` writes one probability a row, of comments judged for themselves.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import readers  # noqa: E402
from spamfilter import passages  # noqa: E402
from spamfilter.datasets import Dataset, merge, read_data  # noqa: E402
from spamfilter.evaluation import Metrics, Scores, metrics, predict, score  # noqa: E402
from spamfilter.model import SpamFilter  # noqa: E402
from spamfilter.scoretable import markdown_table  # noqa: E402
from spamfilter.training import fold_numbers, groups_of, train  # noqa: E402

#: Sites are left out in so many groups.
FOLDS = 8
#: Off-topic passages are drawn so many, with this seed; those under articles of left-out blogs are judged.
PASSAGES, SEED = 1500, 5
#: Sets without both labels or with a few rows are not left out whole: no figure would mean anything.
WHOLE = ("wp_blogs", "wp_midonet", "wp_dagnamusic", "youtube_uci", "id_judol_llm", "tg_spam")


@dataclass(frozen=True)
class Turn:
    """One training: rows to learn from, rows and passages to judge."""

    learn: Dataset
    judge: Dataset
    passages: Dataset


@dataclass(frozen=True)
class Judged:
    """Probabilities: of each comment and passage for itself, and among the comments of its page."""

    rows: NDArray[np.float64]
    passages: NDArray[np.float64]
    rows_in_company: NDArray[np.float64]
    passages_in_company: NDArray[np.float64]
    cutoff: float


def judge(turn: Turn) -> Judged:
    with threadpool_limits(1):
        model, _ = train(turn.learn)
    off = predict(model, turn.passages) if len(turn.passages) else np.zeros(0)
    rows = predict(model, turn.judge, pages_of(turn.judge))
    on_pages = passages_on_pages(model, turn.judge, turn.passages)
    return Judged(predict(model, turn.judge), off, rows, on_pages, model.parameters.spam_cutoff)


def pages_of(data: Dataset) -> list[str | None]:
    """The page of each comment, None where nothing says that those of one post met."""
    return [p if t or a else None for p, t, a in zip(data.post, data.title, data.article, strict=True)]


def passages_on_pages(model: SpamFilter, data: Dataset, off: Dataset) -> NDArray[np.float64]:
    """Each passage among the comments of its page, but not among the other passages there."""
    members: dict[str, list[int]] = {}
    for i, post in enumerate(data.post):
        members.setdefault(post, []).append(i)
    pages = [members.get(post, []) for post in off.post]
    ends = np.cumsum([len(page) + 1 for page in pages], dtype=np.int64)
    if not len(off):
        return np.zeros(0)
    both = merge([data, off])
    order = [i for k, page in enumerate(pages) for i in (*page, len(data) + k)]
    threads = [k for k, page in enumerate(pages) for _ in range(len(page) + 1)]
    return predict(model, both.take(order), threads)[ends - 1]


@dataclass(frozen=True)
class BySite:
    """Probabilities of all rows with their sites left out, the cut-offs, and lines about the off-topic passages."""

    alone: NDArray[np.float64]
    in_company: NDArray[np.float64]
    cutoff: NDArray[np.float64]
    lines: list[str]


def by_site(data: Dataset, corpus: Dataset, jobs: int) -> BySite:
    """Every row judged with its site left out."""
    fold = fold_numbers(groups_of(data), FOLDS)
    blogs = np.array([s.startswith("wp") for s in data.set])
    off, sources = passages.off_topic(data, PASSAGES, np.random.default_rng(SEED))
    of_site = {s: f for s, f, b in zip(data.site, fold.tolist(), blogs.tolist(), strict=True) if b}
    off_fold = np.array([of_site.get(s, -1) for s in off.site])
    turns = [
        Turn(merge([data.take(fold != k), corpus]), data.take(fold == k), off.take(off_fold == k)) for k in range(FOLDS)
    ]
    p, company, cutoff = (np.zeros(len(data)) for _ in range(3))
    off_p, off_company, off_cut = (np.zeros(len(off)) for _ in range(3))
    with ProcessPoolExecutor(jobs) as pool:
        for k, done in enumerate(pool.map(judge, turns)):
            p[fold == k], company[fold == k], cutoff[fold == k] = done.rows, done.rows_in_company, done.cutoff
            off_p[off_fold == k], off_cut[off_fold == k] = done.passages, done.cutoff
            off_company[off_fold == k] = done.passages_in_company
            print(f"site left out: {k + 1} of {FOLDS} groups", file=sys.stderr)
    ham = blogs & (data.label == 0)
    unseen = np.array([of_site.get(s, -2) == f for s, f in zip(sources, off_fold.tolist(), strict=True)])
    lines = []
    for name, keep in (("all", off_fold >= 0), ("from articles of left-out blogs too", (off_fold >= 0) & unseen)):
        lines.append(passage_line(name, p[ham], off_p[keep], off_cut[keep]))
        lines.append(passage_line(f"{name}, in company", company[ham], off_company[keep], off_cut[keep]))
    return BySite(p, company, cutoff, lines)


def passage_line(name: str, ham: NDArray[np.float64], off: NDArray[np.float64], cutoff: NDArray[np.float64]) -> str:
    if not len(off):
        return f"| {name} | 0 | – | – | – | – |"
    m = metrics(np.r_[np.zeros(len(ham)), np.ones(len(off))], np.r_[ham, off])
    return (
        f"| {name} | {len(off)} | {m.auc:.3f} | {m.recall_at_01:.3f} | {m.recall_at_1:.3f} | "
        f"{float((off >= cutoff).mean()):.3f} |"
    )


def sets_whole(data: Dataset, corpus: Dataset, jobs: int) -> dict[str, Metrics]:
    """Each set judged by a model that saw nothing of it."""
    sets = np.array(data.set)
    names = [n for n in WHOLE if (sets == n).any()]
    nothing = data.take(np.zeros(0, np.int64))
    turns = [Turn(merge([data.take(sets != n), corpus]), data.take(sets == n), nothing) for n in names]
    out = {}
    with ProcessPoolExecutor(jobs) as pool:
        for name, turn, done in zip(names, turns, pool.map(judge, turns), strict=True):
            out[name] = metrics(turn.judge.label, done.rows, done.cutoff, samples=200)
            print(f"set left out: {name}", file=sys.stderr)
    return out


def show_sets(data: Dataset, p: NDArray[np.float64], cutoff: NDArray[np.float64]) -> Scores:
    """Print the figures by set, and the mean of the videos."""
    scores = score(data, p, cutoff)
    blogs = np.array([s.startswith("wp") for s in data.set])
    together = {"wp_* together": metrics(data.label[blogs], p[blogs], cutoff[blogs], samples=200)}
    print(markdown_table("set", {"all": scores.all, **together, **scores.sets}))
    sites = np.array(data.site)
    videos = sorted({s for s in data.site if s.startswith("youtube")})
    mcc = [metrics(data.label[sites == v], p[sites == v]).mcc for v in videos]
    if mcc:
        print(f"YouTube, each video left out: mean MCC at probability 0.5: {np.mean(mcc):.3f}\n")
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--corpus", type=Path, default=ROOT / "data" / "corpus")
    parser.add_argument("--pages", type=Path, default=ROOT.parent / "shared" / "pages")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-whole-sets", action="store_true", help="leave out the trainings without whole sets")
    parser.add_argument("-o", "--out", type=Path)
    given = parser.parse_args()
    begun = time.time()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is done is there, should the rest be stopped
    data, corpus = read_data([given.data]), merge([read_data([given.corpus]), readers.of_pages(given.pages)])
    done = by_site(data, corpus, given.jobs)
    p, cutoff = done.alone, done.cutoff
    if given.out:
        rows = (json.dumps({"id": i, "probability": float(q)}) for i, q in zip(data.id, p, strict=True))
        given.out.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"## Each site left out ({FOLDS} groups; the open corpus and readers of real pages always trained on)\n")
    scores = show_sets(data, p, cutoff)
    print("## The same, each comment among the others of its page\n")
    show_sets(data, done.in_company, cutoff)
    print("### By language\n")
    print(markdown_table("language", scores.languages, intervals=False))
    print("## Off-topic passages against real ham, blogs left out\n")
    print("| passages | n | AUC | R@0.1% | R@1% | at the cut-off |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    print("\n".join(done.lines), "\n")
    if not given.no_whole_sets:
        print("## Each set left out whole\n")
        print(markdown_table("set", sets_whole(data, corpus, given.jobs)))
    print(f"{time.time() - begun:.0f} s with {given.jobs} processes; {len(data):,} comments judged.")


if __name__ == "__main__":
    main()
