"""From a page to its flags: real spam put into real pages, by models that saw neither its source nor the pages.

Usage::

    python benchmarks/endtoend.py [--shared ../shared] [--leave-out wp_midonet] [--sets wp_midonet] [--model FOLDER]
    python benchmarks/endtoend.py --draws 5 --seeds 20 21 22 23      # means of so many draws and trainings

Trains without the sets named by ``--leave-out`` (or takes ``--model``; not the bundled one, which has learnt from the
readers of these very pages).  As the bundled model does, it learns from the readers of the pages (``readers.py``), but
in ``FOLDS`` turns, each without the pages that it judges and all others of their sites; ``--no-readers`` does without.
(One page, 068, is of a site whose older posts are a labelled set, ``stackblog``; that set is always learnt from.)
Lets the measuring set's own ``inject.py`` put spam of ``--sets`` into its pages, scores every page as ``spamfilter
score`` does, and prints what its ``score_e2e.py`` says, as Markdown and with ``--json`` whole; then F1 and pages with a
false flag at other cut-offs.  The pages and the spam belong to others and stay where they are.  Needs lxml and
cssselect.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from benchmarks import readers  # noqa: E402
from spamfilter.datasets import merge, read_data  # noqa: E402
from spamfilter.model import SpamFilter  # noqa: E402
from spamfilter.store import load  # noqa: E402
from spamfilter.training import TrainingConfig, fold_numbers, train  # noqa: E402

#: Cut-offs at which the trade of found against falsely flagged is shown.
CUTOFFS = (0.5, 0.6, 0.7, 0.8, 0.9)


#: Trainings of which each leaves out a part of the pages: three quarters of the readers are learnt from.
FOLDS = 4


@dataclass(frozen=True)
class Judges:
    """Models, and which of them judges a page (by the id of the page)."""

    models: list[SpamFilter]
    of: dict[str, int]

    def page(self, name: str) -> SpamFilter:
        """The model for the page of this file name."""
        return self.models[self.of.get(name.partition(".")[0], 0)]

    @property
    def cutoff(self) -> float:
        """The mean of the models' cut-offs."""
        return float(np.mean([sf.parameters.spam_cutoff for sf in self.models]))


def trained(given: argparse.Namespace, seed: int = TrainingConfig().seed) -> Judges:
    """Models of everything but the sets left out, each without a part of the pages."""
    pages = given.shared / "pages"
    of = {} if given.no_readers else folds(pages)
    turns = sorted(set(of.values())) or [0]
    print(f"training without {', '.join(given.leave_out)}, {len(turns)} turns", file=sys.stderr)
    models = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for sf in pool.map(partial(without, given, of, seed), turns):
            models.append(sf)
            print(f"seed {seed}: trained {len(models)} of {len(turns)}", file=sys.stderr)
    return Judges(models, of)


def folds(pages: Path) -> dict[str, int]:
    """The turn of each page that has comments, pages of one site together."""
    found = [(page["id"], page["site"]) for page in readers.rows(pages, frozenset())]
    return dict(zip([i for i, _ in found], fold_numbers([s for _, s in found], FOLDS).tolist(), strict=True))


def without(given: argparse.Namespace, of: dict[str, int], seed: int, turn: int) -> SpamFilter:
    """The model of one turn."""
    data = read_data([given.shared / "data"])
    parts = [data.take(~np.isin(np.array(data.set), given.leave_out)), read_data([given.corpus])]
    if of:
        parts.append(readers.of_pages(given.shared / "pages", lambda page: of[page] != turn))
    with threadpool_limits(1):
        return train(merge(parts), TrainingConfig(seed=seed))[0]


def inject(shared: Path, sets: str, out: Path, draw: int = 1) -> None:
    """Pages with spam in them, by the measuring set's own tool."""
    tool = shared / "tools" / "inject.py"
    pool = shared / "data" / "comments.jsonl"
    command = [sys.executable, tool, shared / "pages", out, "--pool", pool, "--sets", sets, "--seed", str(draw)]
    subprocess.run(command, check=True, stderr=sys.stderr)


def predictions(judges: Judges, pages: Path) -> list[dict[str, Any]]:
    """What ``spamfilter score`` says of every page."""
    rows = []
    for path in sorted(p for p in pages.iterdir() if p.suffix in (".html", ".txt")):
        scored = judges.page(path.name).score_page(path.read_bytes())
        comments = [
            {"text": c.text, "author": c.author, "probability": v.probability, "verdict": v.label}
            for c, v in zip(scored.page.comments, scored.verdicts, strict=True)
        ]
        rows.append({"id": path.name, "article": scored.page.article, "comments": comments})
    return rows


def judged(shared: Path, gold: Path, rows: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Figures of ``score_e2e.py`` for these predictions."""
    guess = folder / "predictions.jsonl"
    guess.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    said = subprocess.run(
        [sys.executable, shared / "tools" / "score_e2e.py", gold, guess], check=True, capture_output=True, text=True
    )
    figures: dict[str, Any] = json.loads(said.stdout)
    return figures


def at_cutoff(rows: list[dict[str, Any]], cutoff: float) -> list[dict[str, Any]]:
    """The same predictions with verdicts by another cut-off."""
    return [
        {**r, "comments": [{**c, "verdict": "spam" if c["probability"] >= cutoff else "ham"} for c in r["comments"]]}
        for r in rows
    ]


def line(name: str, f: dict[str, Any], form: str) -> str:
    main, off = f[form], f[f"{form} off-topic"]
    return (
        f"| {name} | {main['recall']:.2f} | {main['precision']:.2f} | {main['f1']:.2f} | {main['ap']:.2f} | "
        f"{main['false_pages']:.1%} | {main['ham_flagged']:.1%} | {off['recall']:.2f} |"
    )


def means(given: argparse.Namespace) -> None:
    """Prints the means over ``--draws`` of the spam and one training for each of ``--seeds``."""
    found: dict[str, list[list[float]]] = {"html": [], "wet": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for draw in range(1, given.draws + 1):
            inject(given.shared, given.sets, folder / str(draw), draw)
        for seed in given.seeds:
            judges = trained(given, seed)
            for draw in range(1, given.draws + 1):
                pages = folder / str(draw)
                figures = judged(given.shared, pages / "gold.jsonl", predictions(judges, pages), folder)
                for form, rows in found.items():
                    main, off = figures[form], figures[f"{form} off-topic"]
                    rows.append([main["f1"], main["ap"], main["false_pages"], off["recall"]])
    print(f"Means of {given.draws} draws and seeds {', '.join(map(str, given.seeds))}, at the models' own cut-offs\n")
    print("| pages | F1 | AP | pages with a false flag | off-topic recall |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for form, rows in found.items():
        f1, ap, false_pages, off_topic = np.mean(rows, axis=0)
        print(f"| {form} | {f1:.3f} | {ap:.3f} | {false_pages:.1%} | {off_topic:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--corpus", type=Path, default=ROOT / "data" / "corpus")
    parser.add_argument("--leave-out", nargs="*", default=["wp_midonet"])
    parser.add_argument("--sets", default="wp_midonet")
    parser.add_argument("--model", help="judge by this model instead of training one")
    parser.add_argument("--no-readers", action="store_true", help="learn from the labelled sets and the corpus alone")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write all figures at the model's own cut-off here")
    parser.add_argument("--draws", type=int, help="print the means over so many draws of the spam instead")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[TrainingConfig().seed], help="with --draws: one model each"
    )
    given = parser.parse_args()
    if given.draws:
        means(given)
        return
    judges = Judges([load(given.model)], {}) if given.model else trained(given)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        inject(given.shared, given.sets, folder / "pages")
        rows = predictions(judges, folder / "pages")
        gold = folder / "pages" / "gold.jsonl"
        own = judged(given.shared, gold, rows, folder)
        if given.json:
            given.json.write_text(json.dumps(own, indent=1) + "\n", encoding="utf-8")
        others = {c: judged(given.shared, gold, at_cutoff(rows, c), folder) for c in CUTOFFS}
    for form, title in (("html", "HTML"), ("wet", "Plain text")):
        print(f"## {title}: {own[form]['files']} pages, {own[form]['inserted']} comments put in\n")
        print("| cut-off | recall | precision | F1 | AP | pages with a false flag | ham flagged | off-topic recall |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        print(line(f"the model's, {judges.cutoff:.2f}", own, form))
        for cutoff, figures in others.items():
            print(line(f"{cutoff:g}", figures, form))
        print()


if __name__ == "__main__":
    main()
