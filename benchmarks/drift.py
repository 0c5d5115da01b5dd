"""What the drift check says of samples of known sets, and of what a model was never shown.

Usage::

    python benchmarks/drift.py [--data ../shared/data] [--jobs 2]

Trains on seven tenths of the posts of every set and compares the rest, set by set, whole and in samples of 500; then
leaves out whole sets and languages, and shuffles letters.  ``spamfilter/drift.py`` takes its threshold from this table.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from spamfilter.datasets import Dataset, read_data  # noqa: E402
from spamfilter.drift import FEWEST, SIGNALS, UNLIKE, Drift, known_words, signal_counts  # noqa: E402
from spamfilter.driftreference import reference_of  # noqa: E402
from spamfilter.evaluation import predict  # noqa: E402
from spamfilter.training import TrainingConfig, train  # noqa: E402

#: Posts kept for training in the first case, and the seed of that draw.
KEPT, SEED = 0.7, 3
#: Samples of ``FEWEST`` comments drawn from each held-out set.
SAMPLES = 20
LANGUAGES = (("ru", "uk"), ("id",), ("ja", "zh"), ("fr",), ("de", "nl"))
#: Each of these sets is left out whole.
WHOLE = ("wp_blogs", "wp_midonet", "stackblog", "youtube_uci", "id_judol_llm", "tg_spam")

Case = tuple[str, Dataset, list[tuple[str, Dataset]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    data = read_data([str(given.data), str(ROOT / "data" / "corpus")])
    print(f"| compared | comments | {' | '.join(SIGNALS)} | unlike (from {UNLIKE} on) |")
    print("|---|" + "---|" * (len(SIGNALS) + 2))
    for lines in Parallel(given.jobs)(delayed(compared)(*case) for case in cases(data)):
        print("\n".join(lines), flush=True)


def cases(data: Dataset) -> Iterator[Case]:
    """What to learn from, and what to compare with it."""
    sets, languages = np.array(data.set), np.array([lang or "" for lang in data.lang])
    draw, kept = np.random.default_rng(SEED), dict[tuple[str, str], bool]()
    keep = np.array([kept.setdefault(post, draw.random() < KEPT) for post in zip(data.site, data.post, strict=True)])
    yield "known", data.take(keep), list(held_out(data.take(~keep), set(data.take(keep).set)))
    for name in WHOLE:
        yield "never seen", data.take(sets != name), [(name, data.take(sets == name))]
    for group in LANGUAGES:
        mine = np.isin(languages, group)
        yield "never seen", data.take(~mine), [(" and ".join(group), data.take(mine))]


def held_out(held: Dataset, known: set[str]) -> Iterator[tuple[str, Dataset]]:
    sets = np.array(held.set)
    yield "all", held
    for name in dict.fromkeys(held.set):
        if name in known and (sets == name).sum() >= FEWEST:
            yield name, held.take(sets == name)
    yield "all, letters shuffled in each word", shuffled(held)


def shuffled(data: Dataset) -> Dataset:
    draw = random.Random(SEED)
    texts = [" ".join("".join(draw.sample(word, len(word))) for word in text.split()) for text in data.text]
    return dataclasses.replace(data, text=texts)


def compared(case: str, learn: Dataset, tests: list[tuple[str, Dataset]]) -> list[str]:
    with threadpool_limits(1):
        sf, facts = train(learn)
    reference = reference_of(learn, facts.logits, TrainingConfig().folds)
    known = known_words(sf.parameters.idf)
    lines = []
    for name, test in tests:
        p = predict(sf, test)
        lines.append(line(f"{case}: {name}", reference.compare(signal_counts(test.text, p, known))))
        if case == "known" and "shuffled" not in name:
            draw, drifts = np.random.default_rng(SEED), []
            for _ in range(SAMPLES):
                some = draw.permutation(len(test))[:FEWEST].tolist()
                drifts.append(reference.compare(signal_counts([test.text[i] for i in some], p[some], known)))
            lines.append(farthest(f"{case}: {name}, {SAMPLES} samples of {FEWEST}, the farthest of each", drifts))
    return lines


def line(name: str, drift: Drift) -> str:
    cells = " | ".join(f"{drift.distances[signal]:.3f}" for signal in SIGNALS)
    far = [signal for signal in SIGNALS if drift.distances[signal] >= UNLIKE]
    return f"| {name} | {drift.comments:,} | {cells} | {', '.join(far) or '–'} |"


def farthest(name: str, drifts: list[Drift]) -> str:
    most = {signal: max(drift.distances[signal] for drift in drifts) for signal in SIGNALS}
    return line(name, Drift(drifts[0].comments, most))


if __name__ == "__main__":
    main()
