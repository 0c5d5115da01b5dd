"""The card of a model: what it is, what it learnt from, how good it is, what it is bad at.

Usage::

    text = model_card(manifest, scores, how="each site judged by a model that never saw it")

The figures are those given; nothing in a card is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from spamfilter.evaluation import Metrics, Scores
from spamfilter.scoretable import markdown_table

__all__ = ["model_card", "weaknesses"]

#: A slice is called weak where its recall at 1 % false positives is below this …
_WEAK_RECALL: Final = 0.5
#: … or where it blocks more of its ham than this (four times the share that the cut-off allows) …
_WEAK_BLOCKED: Final = 0.02
#: … and it is large enough for the figure to mean something.
_ENOUGH: Final = 50
_MOST: Final = 12


def model_card(manifest: Mapping[str, Any], scores: Scores, how: str) -> str:
    """The card as Markdown; ``how`` says on what and in what way the figures were taken."""
    cutoffs = manifest.get("cutoffs", {})
    parts = [
        f"# {manifest['name']} {manifest['version']}\n",
        "Tells spam and off-topic comments from readers' comments, with the article they stand under where there is "
        "one. Logistic regressions over hashed n-grams, named signals and relatedness to the article, and, where there "
        "was enough to learn from, a small network that tells passages of other articles; arrays only, no code.\n",
        "## What it learnt from\n",
        _data_table(manifest.get("rows", {})),
        f"Fingerprint of the data: `{manifest.get('fingerprint', 'unknown')}`.\n",
        "## How good it is\n",
        f"Taken so: {how}. Intervals are 95 %, by bootstrap over rows; they do not say how unlike other sites "
        "may be.\n",
        _summary(scores.all, cutoffs, scores.cutoff),
        markdown_table("set", {"all": scores.all, **scores.sets}),
        "### By language\n",
        markdown_table("language", scores.languages),
        "### By kind\n",
        "Kinds of spam are ranked against all ham, kinds of ham against all spam.\n",
        markdown_table("kind", scores.kinds),
        "## What it is bad at\n",
        "\n".join(f"* {line}" for line in weaknesses(scores)) + "\n",
        "## How to make it again\n",
        f"```\n{manifest.get('command', 'spamfilter train DATA… -o models/NAME')}\n```\n",
        f"Versions: {', '.join(f'{k} {v}' for k, v in manifest.get('versions', {}).items()) or 'unknown'}.\n",
    ]
    return "\n".join(parts)


def weaknesses(scores: Scores) -> list[str]:
    """What the figures say against the model, worst first, and what no figure here can say."""
    found = sorted(_weak_slices(scores))[:_MOST]
    out = [text for _, text in found]
    if scores.all.ece > 0.05:
        out.append(f"its probabilities are off by {scores.all.ece:.1%} on average: take them as ranks rather than odds")
    few = sorted(lang for lang, m in scores.languages.items() if m.n < 200)
    if few:
        out.append(f"languages with fewer than 200 comments here, hence wide intervals: {', '.join(few)}")
    return [
        *(out or ["no slice of this data stands out; the lines below hold all the same"]),
        "languages and platforms that are in none of the sets above: nothing is known of them, expect worse",
        "comments that are off-topic and yet human, and fluent spam on its own subject: both are hard to tell",
        "it does not tell whether a text was written by a machine, and is no judge of manners or truth",
    ]


def _weak_slices(scores: Scores) -> Iterator[tuple[float, str]]:
    for what, slices in (("set", scores.sets), ("language", scores.languages), ("kind", scores.kinds)):
        for name, m in slices.items():
            ham = m.n - m.spam
            if m.recall_at_1 is not None and m.spam >= _ENOUGH and m.recall_at_1 < _WEAK_RECALL:
                yield (
                    m.recall_at_1,
                    f"{what} {name}: finds {m.recall_at_1:.0%} of the spam at 1 % false positives (n = {m.n})",
                )
            if ham >= _ENOUGH and m.blocked_ham > _WEAK_BLOCKED:
                yield 1 - m.blocked_ham, f"{what} {name}: calls {m.blocked_ham:.1%} of the ham spam (n = {ham})"


def _data_table(rows: Mapping[str, Mapping[str, int]]) -> str:
    out = ["| set | spam | ham |", "| --- | ---: | ---: |"]
    out += [f"| {name} | {n.get('spam', 0):,} | {n.get('ham', 0):,} |" for name, n in rows.items()]
    total = {label: sum(n.get(label, 0) for n in rows.values()) for label in ("spam", "ham")}
    return "\n".join([*out, f"| all | {total['spam']:,} | {total['ham']:,} |", ""])


def _summary(m: Metrics, cutoffs: Mapping[str, float], cutoff: float) -> str:
    spam, unsure = cutoffs.get("spam", cutoff), cutoffs.get("unsure")
    band = f", “unsure” from {unsure:.3f}" if unsure is not None else ""
    return (
        f"“Spam” from probability {spam:.3f} on{band}. At the cut-off it finds {m.recall:.1%} of the spam, "
        f"{m.precision:.1%} of what it flags is spam, and it flags {m.blocked_ham:.2%} of the ham.\n"
    )
