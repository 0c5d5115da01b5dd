"""Night after night: what retraining makes of a team's model, and whether any night makes it worse.

Usage::

    python benchmarks/nights.py [--data ../shared/data] [--nights 8] [--labels 50] > nights.md
    python benchmarks/nights.py --hostile > hostile.md

Teams and the models that play the bundled one (trained without the team's whole set) are those of ``teams.py``.  Six
tenths of a team's comments come in as labels, in the order of their dates where all have one, else at random, with
``--wrong`` of them labelled wrongly; three moderators take turns.  After every night both the model in use and that
night's challenger judge the other four tenths, which nobody ever labels.  With ``--hostile``, a fourth person adds 300
wrong labels in the fourth night.  The labelled comments belong to others and are measured in place.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import itertools

from teams import ROOT, Team, made_from, teams, train_base

from spamfilter import store
from spamfilter.datasets import Dataset, read_data
from spamfilter.evaluation import Metrics, metrics, predict
from spamfilter.labels import Context, Decision, LabelStore
from spamfilter.model import SpamFilter
from spamfilter.records import Comment, Verdict
from spamfilter.retrain import RetrainConfig, retrain

START = datetime(2026, 1, 1, 20, tzinfo=UTC)
HOSTILE_NIGHT, HOSTILE = 3, 300
#: A fall from one night to the next that is counted.
FALL = 0.01


@dataclass(frozen=True)
class Night:
    """One night of one team: how it ended, and both models on what nobody labels."""

    team: str
    number: int
    labels: int
    outcome: str
    used: Metrics
    challenger: Metrics | None
    seconds: float = 0.0  # of processor time, for the retraining alone


def decision(rows: Dataset, i: int, verdict: Verdict, who: str, wrong: bool, at: datetime) -> Decision:
    label = "spam" if bool(rows.label[i]) != wrong else "ham"
    under = Context(rows.title[i], rows.article[i], rows.post[i], rows.site[i], rows.lang[i])
    comment = Comment(rows.text[i], rows.author[i], rows.author_url[i])
    return Decision(comment, label, who, "page", under, verdict, "shown", at, key=f"{who}:{i}")


def judged(sf: SpamFilter, rows: Dataset) -> Metrics:
    return metrics(rows.label, predict(sf, rows), sf.parameters.spam_cutoff)


def nights(team: Team, cache: Path, given: argparse.Namespace, work: Path) -> Iterator[Night]:
    rng, rows = random.Random(given.seed), team.rows
    order = np.argsort(np.array([d or "" for d in rows.date]), kind="stable").tolist()
    if not all(rows.date):
        rng.shuffle(order)
    stream, future = order[: int(len(order) * 0.6)], rows.take(order[int(len(order) * 0.6) :])
    config = RetrainConfig(labels=work / "labels.db", models=work / "models", base=str(cache / team.left_out))
    used = store.load(cache / team.left_out)
    yield Night(team.name, 0, 0, "the model that ships", judged(used, future), None)
    for n in range(min(given.nights, len(stream) // given.labels)):
        day = START + timedelta(days=n)
        p = predict(used, rows)
        verdicts = [
            Verdict("spam" if x >= used.parameters.spam_cutoff else "ham", x, (), used.name) for x in p.tolist()
        ]
        with LabelStore.open(config.labels) as labels:
            for k, i in enumerate(stream[n * given.labels : (n + 1) * given.labels]):
                at = day + timedelta(minutes=k)
                labels.add(decision(rows, i, verdicts[i], f"moderator {k % 3}", rng.random() < given.wrong, at))
            if given.hostile and n == HOSTILE_NIGHT:
                for i in rng.sample(stream, min(HOSTILE, len(stream))):
                    labels.add(decision(rows, i, verdicts[i], "eve", True, day + timedelta(hours=2)))
        begun = time.process_time()
        outcome = retrain(config, clock=lambda day=day: day)
        seconds = time.process_time() - begun
        used = store.load(config.models)
        made = judged(store.load(config.models / outcome.version), future) if outcome.version else None
        yield Night(team.name, n + 1, (n + 1) * given.labels, outcome.kind, judged(used, future), made, seconds)


def table(found: list[Night]) -> str:
    """One line a night."""
    head = "| team | night | labels | outcome | AP in use | R@1% | blocked | AP of the challenger | processor s |"
    out = [head, "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"]
    for x in found:
        made = "–" if x.challenger is None else figure(x.challenger.ap)
        cells = (x.team, x.number, x.labels, x.outcome, figure(x.used.ap), figure(x.used.recall_at_1))
        out.append(f"| {' | '.join(map(str, cells))} | {x.used.blocked_ham:.4f} | {made} | {x.seconds:.1f} |")
    return "\n".join(out)


def summary(found: list[Night]) -> str:
    """One line a team: before, after, and the worst of what the gate let through and of what it would have."""
    head = (
        "| team | nights | promoted | AP before | AP after | worst against the first night | without the gate | falls |"
    )
    out = [head, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name in dict.fromkeys(x.team for x in found):
        own = [x for x in found if x.team == name]
        used = [x.used.ap or 0.0 for x in own]
        made = [x.challenger.ap or 0.0 for x in own if x.challenger is not None]
        falls = sum(b < a - FALL for a, b in itertools.pairwise(used))
        promoted = sum(x.outcome == "promoted" for x in own)
        ungated = f"{min(made) - used[0]:+.3f}" if made else "–"
        cells = (name, len(own) - 1, promoted, f"{used[0]:.3f}", f"{used[-1]:.3f}", f"{min(used) - used[0]:+.3f}")
        out.append(f"| {' | '.join(map(str, cells))} | {ungated} | {falls} |")
    return "\n".join(out)


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--corpus", type=Path, default=ROOT / "data" / "corpus")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "spamfilter-teams")
    parser.add_argument("--nights", type=int, default=8)
    parser.add_argument("--labels", type=int, default=50, help="labels a night")
    parser.add_argument("--wrong", type=float, default=0.02, help="share of labels that are wrong")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one team, by name")
    parser.add_argument("--hostile", action="store_true")
    given = parser.parse_args()
    data, corpus = read_data([given.data]), read_data([given.corpus])
    cache = given.cache / made_from(data, corpus)
    found: list[Night] = []
    for team in teams(data):
        if given.only in (None, team.name):
            train_base(data, corpus, cache, team.left_out)
            with tempfile.TemporaryDirectory() as work:
                for night in nights(team, cache, given, Path(work)):
                    print(f"{night.team}, night {night.number}: {night.outcome}", file=sys.stderr)
                    found.append(night)
    print(summary(found), table(found), sep="\n\n")


if __name__ == "__main__":
    main()
