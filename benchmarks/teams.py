"""A team's first labels: what 25, 50, 100 and 400 of them make of the bundled model, on sites that it never saw.

Usage::

    python benchmarks/teams.py [--data ../shared/data] [--plot docs/teams.svg] > table.md
    python benchmarks/teams.py --attacks > attacks.md

Each team is a site, a video or a set.  The model that plays the bundled one is trained without the whole set it
belongs to (kept in ``--cache`` between runs of the same package on the same data).  Labels are drawn at random
(``--seeds`` times) and, where all comments
have dates, as the oldest ones; judged is the rest, once whole and once without near-duplicates of the labels.
Compared are the bundled model alone, the adapted one, and a model of the team's labels alone (TF-IDF of words and
characters, logistic regression).  The labelled comments belong to others and are measured in place.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from spamfilter import store  # noqa: E402
from spamfilter.adaptation import AdaptationConfig, adapt  # noqa: E402
from spamfilter.campaigns import campaigns_of  # noqa: E402
from spamfilter.datasets import Dataset, merge, read_data  # noqa: E402
from spamfilter.evaluation import Metrics, metrics, predict  # noqa: E402
from spamfilter.labels import Context, LabelRow  # noqa: E402
from spamfilter.labels.hygiene import weigh  # noqa: E402
from spamfilter.model import SpamFilter  # noqa: E402
from spamfilter.records import Comment, Verdict  # noqa: E402
from spamfilter.training import train  # noqa: E402

F64 = NDArray[np.float64]
SIZES = (25, 50, 100, 400)
#: Sets that are one team each, and one whose sites are.
SETS = ("wp_midonet", "wp_dagnamusic", "wp_blogs", "id_judol_llm", "tg_spam")
BY_SITE = ("youtube_uci",)
#: Rows to be judged below which no figure would mean anything.
FEWEST = 50
METHODS = ("bundled", "adapted", "own labels only")


@dataclass(frozen=True)
class Team:
    """One team: its comments, and the set that its bundled model was trained without."""

    name: str
    left_out: str
    rows: Dataset


@dataclass(frozen=True)
class Trial:
    """One draw of labels: figures by method, on all comments that are left and on those unlike the labels."""

    team: str
    n: int
    draw: str
    strength: float
    rest: dict[str, Metrics]
    unlike: dict[str, Metrics]


def teams(data: Dataset) -> list[Team]:
    sets, sites = np.array(data.set, object), np.array(data.site, object)
    out = [Team(name, name, data.take(sets == name)) for name in SETS if (sets == name).any()]
    for name in BY_SITE:
        for n, site in enumerate(sorted(set(sites[sets == name])), 1):
            out.append(Team(f"{name}, site {n}", name, data.take(sites == site)))
    return out


def made_from(data: Dataset, corpus: Dataset) -> str:
    """A name that changes with the package and the data, so that no model of an earlier state is taken for theirs."""
    said = hashlib.sha256()
    for path in sorted(p for kind in ("py", "toml", "c", "npy") for p in (ROOT / "spamfilter").rglob(f"*.{kind}")):
        said.update(path.read_bytes())
    said.update((data.fingerprint() + corpus.fingerprint()).encode())
    return said.hexdigest()[:16]


def train_base(data: Dataset, corpus: Dataset, cache: Path, left_out: str) -> None:
    folder = cache / left_out
    if not folder.exists():
        sets = np.array(data.set, object)
        with threadpool_limits(1):
            sf, _ = train(merge([data.take(sets != left_out), corpus]))
        store.save(sf, folder, {"name": f"without {left_out}", "version": "1"})
        print(f"trained without {left_out}", file=sys.stderr)


# ------------------------------------------------------------------------------------------ learning curves
def draws(team: Team, seeds: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Orders in which a team's comments get labels."""
    for seed in range(seeds):
        yield f"seed {seed}", np.random.default_rng(seed).permutation(len(team.rows))
    if all(team.rows.date):
        yield "oldest", np.argsort(np.array(team.rows.date, object), kind="stable")


def from_scratch(own: Dataset, rest: Dataset) -> F64:
    """Probabilities by a model of these labels alone; of the share of spam where they have one class."""
    if len(set(own.label.tolist())) < 2:
        return np.full(len(rest), float(own.label.mean()))
    grams = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    model = make_pipeline(grams, LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000))
    out: F64 = model.fit(own.text, own.label).predict_proba(rest.text)[:, 1]
    return out


def trials(team: Team, cache: Path, seeds: int, sizes: Sequence[int], config: AdaptationConfig) -> list[Trial]:
    with threadpool_limits(1):
        sf = store.load(cache / team.left_out)
        before, campaign = predict(sf, team.rows), campaigns_of(team.rows.text)
        out = []
        for draw, order in draws(team, seeds):
            for n in sizes:
                if len(order) - n >= FEWEST:
                    out.append(trial(team, sf, before, campaign, draw, order[:n], config))
        print(f"{team.name}: done", file=sys.stderr)
        return out


def trial(
    team: Team, sf: SpamFilter, before: F64, campaign: NDArray[Any], draw: str, own: NDArray[Any], c: AdaptationConfig
) -> Trial:
    rest = np.setdiff1d(np.arange(len(team.rows)), own)
    labels, judged = team.rows.take(own), team.rows.take(rest)
    adapted, facts = adapt(sf, labels, c)
    judgements = {
        "bundled": (before[rest], sf.parameters.spam_cutoff),
        "adapted": (predict(adapted, judged), adapted.parameters.spam_cutoff),
        "own labels only": (from_scratch(labels, judged), 0.5),
    }
    unlike = ~np.isin(campaign[rest], campaign[own])
    figures = [
        {name: metrics(judged.label[of], p[of], cutoff) for name, (p, cutoff) in judgements.items()}
        for of in (np.ones(len(rest), np.bool_), unlike)
    ]
    return Trial(team.name, len(own), draw, facts.strength, *figures)


FIGURES = {"AP": "ap", "AUC": "auc", "R@1%": "recall_at_1", "recall": "recall", "blocked": "blocked_ham"}


def values(found: Sequence[Trial], which: str, method: str, figure: str) -> list[float]:
    out = [getattr(getattr(t, which)[method], figure) for t in found]
    return [v for v in out if v is not None]


def mean_and_worst(found: Sequence[Trial], which: str, method: str, figure: str) -> str:
    """Mean, and in brackets the worst draw (where the method does not depend on the draw, the mean alone)."""
    v = values(found, which, method, figure)
    if not v:
        return "–"
    worst = max(v) if figure == "blocked_ham" else min(v)
    return f"{np.mean(v):.3f}" + (f" ({worst:.3f})" if method != "bundled" else "")


def curve_table(found: Sequence[Trial], which: str) -> str:
    lines = [
        "| team | labels | method | " + " | ".join(FIGURES) + " |",
        "| --- | ---: | --- |" + " ---: |" * len(FIGURES),
    ]
    for team in dict.fromkeys(t.team for t in found):
        for n in SIZES:
            of = [t for t in found if t.team == team and t.n == n and t.draw != "oldest"]
            for method in METHODS if of else ():
                cells = [mean_and_worst(of, which, method, f) for f in FIGURES.values()]
                lines.append(f"| {team} | {n} | {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def gains(found: Sequence[Trial], which: str, figure: str) -> F64:
    """Adapted minus bundled, draw by draw."""
    judged = [getattr(t, which) for t in found]
    return np.array([getattr(j["adapted"], figure) - getattr(j["bundled"], figure) for j in judged])


def gain_table(found: Sequence[Trial], which: str) -> str:
    """Adapted minus bundled, over all teams: mean, worst draw, and share of draws that lost more than 0.005 of average
    precision, or 0.05 of the spam at the cut-off."""
    head = ("labels", "draws", "unchanged", *FIGURES, "worst AP", "AP lost", "worst recall", "recall lost")
    lines = [f"| {' | '.join(head)} |", "| ---: |" + " ---: |" * (len(head) - 1)]
    for n in SIZES:
        of = [t for t in found if t.n == n and getattr(t, which)["bundled"].ap is not None]
        if not of:
            continue
        cells = [f"{n}", f"{len(of)}", f"{np.mean([t.strength == 0 for t in of]):.0%}"]
        cells += [f"{gains(of, which, f).mean():+.3f}" for f in FIGURES.values()]
        for figure, lost in (("ap", 0.005), ("recall", 0.05)):
            gain = gains(of, which, figure)
            cells += [f"{gain.min():+.3f}", f"{np.mean(gain < -lost):.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def oldest_table(found: Sequence[Trial]) -> str:
    lines = ["| team | labels | bundled AP | adapted AP | bundled R@1% | adapted R@1% | strength |"]
    lines.append("| --- |" + " ---: |" * 6)
    for t in found:
        if t.draw == "oldest" and t.rest["bundled"].ap is not None:
            a, b = t.rest["bundled"], t.rest["adapted"]
            lines.append(
                f"| {t.team} | {t.n} | {a.ap:.3f} | {b.ap:.3f} | {a.recall_at_1:.3f} | {b.recall_at_1:.3f} | "
                f"{t.strength:g} |"
            )
    return "\n".join(lines) + "\n"


def plot(found: Sequence[Trial], path: Path) -> None:
    """Average precision by number of labels, a panel a team: mean of the draws, and their range."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    names = [n for n in dict.fromkeys(t.team for t in found) if values_of(found, n)]
    columns = 4
    figure = Figure(figsize=(12, 2.9 * -(-len(names) // columns)), layout="constrained")
    for k, name in enumerate(names):
        axes = figure.add_subplot(-(-len(names) // columns), columns, k + 1)
        panel(axes, [t for t in found if t.team == name and t.draw != "oldest"], name, first=k == 0)
    with rc_context({"svg.hashsalt": "spamfilter"}):
        figure.savefig(path, metadata={"Date": None})


def values_of(found: Sequence[Trial], team: str) -> list[float]:
    return values([t for t in found if t.team == team], "unlike", "bundled", "ap")


_COLOURS = {"bundled": "#5d6675", "adapted": "#1e6b3a", "own labels only": "#b3261e"}


def panel(axes: Any, found: Sequence[Trial], name: str, first: bool) -> None:
    for method in METHODS:
        by_n: dict[int, list[float]] = defaultdict(list)
        for t in found:
            by_n[t.n] += values([t], "unlike", method, "ap")
        n = sorted(by_n)
        axes.plot(n, [np.mean(by_n[k]) for k in n], "o-", markersize=3, color=_COLOURS[method], label=method)
        axes.fill_between(n, [min(by_n[k]) for k in n], [max(by_n[k]) for k in n], color=_COLOURS[method], alpha=0.15)
    axes.set_xscale("log")
    axes.set_xticks(SIZES, [str(s) for s in SIZES])
    axes.minorticks_off()
    axes.set_title(name, fontsize=10)
    axes.grid(alpha=0.3, linewidth=0.5)
    if first:
        axes.set(xlabel="own labels", ylabel="average precision")
        axes.legend(fontsize=8)


# ------------------------------------------------------------------------------------------ attacks
ATTACKS = ("none", "flips", "hostile", "echo")
_START = datetime(2026, 3, 1, 8, tzinfo=UTC)
#: Honest labels of the team that is attacked, by four people over four weeks.
HONEST = 400


def label_row(data: Dataset, i: int, label: int, who: str, day: int, source: str, campaign: int, p: float) -> LabelRow:
    comment = Comment(data.text[i], author=data.author[i], author_url=data.author_url[i])
    verdict = Verdict("spam" if p >= 0.5 else "ham", p)
    at = _START + timedelta(days=day, seconds=i % 80_000)
    said = "spam" if label else "ham"
    context = Context(data.title[i], data.article[i])
    return LabelRow(i, i, comment, context, said, who, source, at, verdict, "shown", campaign)  # type: ignore[arg-type]


def attacked(name: str, team: Team, p: F64, campaign: NDArray[Any], seed: int) -> tuple[list[LabelRow], NDArray[Any]]:
    """Labels of an honest team and of the attacker, and the comments that nobody labelled."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(team.rows))
    honest, more = order[:HONEST], order[HONEST : HONEST + 1000]
    y = team.rows.label
    made = partial(label_row, team.rows)
    rows = []
    for k, i in enumerate(honest.tolist()):
        label = int(y[i]) ^ int(name == "flips" and rng.random() < 0.05)
        rows.append(made(i, label, f"m{k % 4}", k % 28, "page", int(campaign[i]), float(p[i])))
    if name == "hostile":  # one source, a thousand labels in a day, all wrong
        rows += [made(i, 1 - int(y[i]), "eve", 3, "feedback", int(campaign[i]), float(p[i])) for i in more.tolist()]
    if name == "echo":  # a month in which someone agrees with whatever the model says
        for k, i in enumerate(more.tolist()):
            rows.append(made(i, int(p[i] >= 0.5), "echo", k % 28, "page", int(campaign[i]), float(p[i])))
    return rows, order[HONEST + 1000 :]


def attack_trials(team: Team, cache: Path, seeds: int) -> list[tuple[str, str, Metrics]]:
    """(attack, guards, figures) on the comments that nobody labelled."""
    with threadpool_limits(1):
        sf = store.load(cache / team.left_out)
        p, campaign = predict(sf, team.rows), campaigns_of(team.rows.text)
        out = []
        for seed in range(seeds):
            for name in ATTACKS:
                rows, rest = attacked(name, team, p, campaign, seed)
                places = np.array([r.comment_id for r in rows])
                label = np.array([int(r.label == "spam") for r in rows], np.int8)
                own, judged = replace(team.rows.take(places), label=label), team.rows.take(rest)
                bundled = metrics(judged.label, p[rest], sf.parameters.spam_cutoff)
                out.append((name, "bundled", bundled))
                for guards, weight in (("without", None), ("with", guarded(sf, own, rows, p[places]))):
                    model, _ = adapt(sf, own, weight=weight)
                    figures = metrics(judged.label, predict(model, judged), model.parameters.spam_cutoff)
                    out.append((name, guards, figures))
        return out


def guarded(sf: SpamFilter, own: Dataset, rows: list[LabelRow], bundled: F64) -> F64:
    """Weights as a retraining makes them: by the labels alone, then by what a model that did not see them thinks."""
    first = weigh(rows, untaught=bundled).weights
    logits = adapt(sf, own, weight=first)[1].logits
    return weigh(rows, 1 / (1 + np.exp(-np.clip(logits, -60, 60))), untaught=bundled).weights


def attack_table(found: Sequence[tuple[str, str, Metrics]]) -> str:
    """Mean of the draws, and their range in brackets."""
    lines = [f"| attack | guards | {' | '.join(FIGURES)} |", "| --- | --- |" + " ---: |" * len(FIGURES)]
    for name in ATTACKS:
        for guards in ("bundled", "without", "with"):
            of = [m for a, g, m in found if a == name and g == guards]
            cells = [mean_and_range([getattr(m, f) for m in of]) for f in FIGURES.values()]
            lines.append(f"| {name} | {guards} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def mean_and_range(v: Sequence[float]) -> str:
    return f"{np.mean(v):.3f}" + (f" ({min(v):.3f}–{max(v):.3f})" if len(v) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--corpus", type=Path, default=ROOT / "data" / "corpus")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "spamfilter-teams")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", help="one team, by name")
    parser.add_argument("--plot", type=Path, help="also draw the learning curves to this SVG file")
    parser.add_argument("--attacks", action="store_true", help="attacks on labels instead of learning curves")
    given = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is done is there, should the rest be stopped
    begun = time.time()
    data, corpus = read_data([given.data]), read_data([given.corpus])
    cache = given.cache / made_from(data, corpus)
    every = [t for t in teams(data) if given.only in (None, t.name)]
    if given.attacks:
        every = [t for t in every if len(t.rows) >= HONEST + 1000 + FEWEST]
    with ProcessPoolExecutor(given.jobs) as pool:
        wanted = dict.fromkeys(t.left_out for t in every)
        list(pool.map(partial(train_base, data, corpus, cache), wanted))
        if given.attacks:
            for team, of_team in zip(
                every, pool.map(partial(attack_trials, cache=cache, seeds=given.seeds), every), strict=True
            ):
                print(f"## Attacks on the labels of {team.name}: mean of {given.seeds} draws\n")
                print(attack_table(of_team))
            return
        run = partial(trials, cache=cache, seeds=given.seeds, sizes=SIZES, config=AdaptationConfig())
        found = [t for of_team in pool.map(run, every) for t in of_team]
    for which, title in (("rest", "All comments without a label"), ("unlike", "Without near-duplicates of the labels")):
        print(f"## {title}\n\n### Adapted minus bundled\n")
        print(gain_table(found, which))
        print("### By team: mean, worst draw in brackets\n")
        print(curve_table(found, which))
    print("## The oldest comments labelled, the later ones judged\n")
    print(oldest_table(found))
    if given.plot:
        plot(found, given.plot)
    print(f"{time.time() - begun:.0f} s with {given.jobs} processes.")


if __name__ == "__main__":
    main()
