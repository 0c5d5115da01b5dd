"""A retraining as one HTML page: champion against challenger, and every comment whose verdict changed.

Usage::

    told = Told.of(store)                                      # what only the label store knows; or Told()
    html = retraining_html(Retraining.read(folder), earlier, told)

The comments are not kept with the model, which may be handed on; they are looked up in the label store when the page
is made.  Needs the extra ``report``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.labels import LabelRow, LabelStore
from spamfilter.labels.agreement import Agreement, agreements
from spamfilter.promotion import MEASURES, Change, Judged, Rules, SliceChange, compare
from spamfilter.report.page import cut, page, safe
from spamfilter.report.plots import calibration, figure_of, image, plain, precision_recall, require_plots
from spamfilter.retraining import Retraining

__all__ = ["Told", "retraining_html"]

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Changed verdicts that are shown of each kind: more is not read.
_SHOWN: Final = 25
_TEXT: Final = 600
#: Pairs of people, and people, that are listed.
_PEOPLE: Final = 20
#: Comments of a month, day or year below which its quantiles say nothing.
_FEWEST: Final = 5
#: Points of time on the axis of a plot, at most; beyond, the next coarser unit is taken.
_PERIODS: Final = 40
_CHAMPION: Final = "#c9762b"
_CHALLENGER: Final = "#1f5fbf"
_COLOURS: Final = {"champion": _CHAMPION, "challenger": _CHALLENGER}
_SPAM: Final = "#b3261e"
_HAM: Final = "#1e6b3a"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS: Final = (("day", 10), ("month", 7), ("year", 4))


@dataclass(frozen=True, slots=True)
class Told:
    """What the label store knows: current labels by the ids of their rows, and agreement between people.

    ``there`` is False where no label store was at hand.
    """

    labels: Mapping[str, LabelRow] = field(default_factory=dict)
    people: Sequence[Agreement] = ()
    there: bool = False

    @classmethod
    def of(cls, store: LabelStore) -> Told:
        """Everything in ``store``."""
        return cls({f"labels:{r.comment_id}": r for r in store.current()}, agreements(store.rows()), True)


def retraining_html(done: Retraining, earlier: Sequence[Retraining] = (), told: Told | None = None) -> str:
    """The page; ``earlier`` are the retrainings before it, oldest first, for the learning curve."""
    require_plots()
    told = told or Told()
    return page(f"Retraining {done.version}", _parts(done, earlier, told))


def _parts(done: Retraining, earlier: Sequence[Retraining], told: Told) -> Iterator[str]:
    yield _head(done)
    yield from _measures(done)
    yield '<h2>Plots</h2>\n<p class="dim">Rows that neither model has learnt.</p>\n<div class="plots">\n'
    yield from _plots(done.unseen)
    yield "</div>\n"
    yield _slices(done.decision.slices)
    yield '<h2>Over time</h2>\n<div class="plots">\n'
    yield _learning_curve([*earlier, done])
    yield _drift(done.unseen)
    yield "</div>\n"
    yield from _agreement(done, told)
    yield _findings(done)
    yield from _changed(done.unseen, told)
    yield _facts(done)


# ---------------------------------------------------------------------- what was decided
def _head(done: Retraining) -> str:
    promoted = done.decision.promote
    reasons = "".join(f"<li>{safe(r)}</li>\n" for r in done.decision.reasons)
    notes = "".join(f'<p class="note">{safe(note)}</p>\n' for note in done.notes)
    labels, spam = len(done.learnt), done.learnt.label.count("spam")
    word = '<span class="good">better: promoted</span>' if promoted else '<span class="bad">refused</span>'
    return (
        f"<h1>{safe(done.version)} against {safe(done.champion)}: {word}</h1>\n<ul>\n{reasons}</ul>\n{notes}"
        f"<p>The challenger, {_made(done)}, learnt {labels:,} comments ({spam:,} spam, {labels - spam:,} ham). "
        f"Made {safe(done.created)}. This page holds readers’ comments: mind whom you give it to.</p>\n"
    )


def _made(done: Retraining) -> str:
    if done.recipe != "adapt":
        return "trained from scratch"
    strength = done.adaptation.get("strength")
    moved = f"moved towards the labels with strength {strength:g}" if isinstance(strength, int | float) else "moved"
    return f"{safe(done.parent)} {moved if strength else 'as it is'}"


def _measures(done: Retraining) -> Iterator[str]:
    yield _changes(f"{len(done.unseen):,} comments that neither has learnt", done.decision.unseen, done, "unseen")
    if done.newest is not None and done.decision.newest:
        yield _changes(f"the newest {len(done.newest):,} labels", done.decision.newest, done, "newest")
    if done.guard is not None:
        yield _changes(f"{len(done.guard):,} guarded comments", compare(done.guard, Rules()), done, "guard")


def _changes(title: str, changes: Sequence[Change], done: Retraining, which: str) -> str:
    how = f'<p class="dim">{safe(done.how[which])}</p>\n' if which in done.how else ""
    head = _row(("", "champion", "challenger", "difference", "90 % interval", ""), "th")
    rows = "".join(_change(c) for c in changes if c.measure in MEASURES)
    return f'<h2>{escape(title)}</h2>\n{how}<div class="scroll"><table>\n{head}{rows}</table></div>\n'


def _change(c: Change) -> str:
    name, more = MEASURES[c.measure]
    if c.champion is None or c.challenger is None or c.low is None or c.high is None:
        return _row((name, "–", "–", "–", "too few rows", ""))
    low, high = (c.low, c.high) if more else (0.0 - c.high, 0.0 - c.low)
    style = {"better": "good", "worse": "bad"}.get(c.outcome, "dim")
    cells = (name, f"{c.champion:.3f}", f"{c.challenger:.3f}", f"{c.challenger - c.champion:+.3f}")
    return _row((*cells, f"{low:+.3f} to {high:+.3f}"), last=f'<td class="{style}">{escape(c.outcome)}</td>')


def _row(cells: Iterable[str], tag: str = "td", last: str = "") -> str:
    return "<tr>" + "".join(f"<{tag}>{safe(c)}</{tag}>" for c in cells) + last + "</tr>\n"


def _slices(slices: Sequence[SliceChange]) -> str:
    if not slices:
        return ""
    head = _row(("slice", "ham", "blocked: champion", "challenger", "spam", "missed: champion", "challenger", ""), "th")
    return (
        '<h2>By slice</h2>\n<p class="dim">Counts at each model’s own cut-off. A slice below its floor is enough to '
        f'refuse a challenger.</p>\n<div class="scroll"><table>\n{head}{"".join(map(_slice, slices))}</table></div>\n'
    )


def _slice(s: SliceChange) -> str:
    below = f'<td class="bad">below its floor: {safe(s.below)}</td>' if s.below else "<td></td>"
    counts = (
        s.ham,
        s.blocked_by_champion,
        s.blocked_by_challenger,
        s.spam,
        s.missed_by_champion,
        s.missed_by_challenger,
    )
    return _row((f"{s.what} {s.name}", *(f"{n:,}" for n in counts)), last=below)


# ---------------------------------------------------------------------- plots
def _plots(rows: Judged) -> Iterator[str]:
    y = rows.label == 1
    models = {"champion": (y, rows.champion), "challenger": (y, rows.challenger)}
    if y.any() and not y.all():
        yield precision_recall(models, "Precision against recall of champion and challenger", "challenger", _COLOURS)
    yield calibration(models, "Share of spam by stated probability, of champion and challenger", _COLOURS)
    yield _both(rows)


def _both(rows: Judged) -> str:
    """Where each comment stood and stands; on the logarithm of the odds, so that 0.99 and 0.999 are apart."""
    figure, axes = figure_of(
        "champion: log-odds of spam", "challenger: log-odds of spam", "Each comment in both models"
    )
    x, z = _logits(rows.champion), _logits(rows.challenger)
    for label, name, colour in ((0, "ham", _HAM), (1, "spam", _SPAM)):
        of = rows.label == label
        axes.scatter(x[of], z[of], s=9, alpha=0.5, color=colour, linewidths=0, label=name)
    ends = [min(x.min(initial=0), z.min(initial=0)), max(x.max(initial=0), z.max(initial=0))]
    axes.plot(ends, ends, color="#999", linewidth=0.8)
    if len(rows):
        axes.axvline(_logits(np.median(rows.champion_cutoff)), color="#999", linewidth=0.8, linestyle=":")
        axes.axhline(_logits(np.median(rows.challenger_cutoff)), color="#999", linewidth=0.8, linestyle=":")
    axes.legend(fontsize=8)
    return image(figure, "Log-odds of each comment by the champion and by the challenger; dotted: the cut-offs")


def _logits(p: Any) -> Any:
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))


def _learning_curve(done: Sequence[Retraining]) -> str:
    """Average precision on rows unseen by the number of labels, one point a retraining."""
    points = [(len(r.learnt), c) for r in done for c in r.decision.unseen if c.measure == "ap"]
    points = [(n, c) for n, c in points if c.champion is not None and c.challenger is not None]
    if not points:
        return ""
    figure, axes = figure_of("labels learnt", "average precision, unseen rows", "Learning curve over retrainings")
    n = [x for x, _ in points]
    axes.plot(n, [c.champion for _, c in points], "o--", markersize=4, color=_CHAMPION, label="champion then")
    axes.plot(n, [c.challenger for _, c in points], "o-", markersize=4, color=_CHALLENGER, label="challenger")
    for r in done:
        found = [c.challenger for c in r.decision.unseen if c.measure == "ap" and c.challenger is not None]
        for height in found:
            axes.annotate(
                plain(r.version), (len(r.learnt), height), fontsize=7, textcoords="offset points", xytext=(4, -10)
            )
    axes.margins(x=0.15)
    axes.legend(fontsize=8)
    return image(figure, "Average precision of champion and challenger by number of labels, a point a retraining")


def _drift(rows: Judged) -> str:
    """Probabilities by month of the comment (by day or year where that gives a readable number of points)."""
    unit, groups = _periods(rows.date)
    if len(groups) < 2:
        return '<p class="dim">Too few dated comments for a plot over time.</p>\n'
    figure, axes = figure_of(unit, "probability of spam", f"Scores by {unit}", size=(8.6, 4.2))
    x = np.arange(len(groups))
    challenger = [rows.challenger[of] for of in groups.values()]
    low, high = ([np.quantile(p, q) for p in challenger] for q in (0.1, 0.9))
    axes.fill_between(x, low, high, color=_CHALLENGER, alpha=0.12, label="challenger, 10 to 90 % of the comments")
    axes.plot(x, [p.mean() for p in challenger], "o-", markersize=3, color=_CHALLENGER, label="challenger, mean")
    champion = [rows.champion[of].mean() for of in groups.values()]
    axes.plot(x, champion, "o--", markersize=3, color=_CHAMPION, label="champion, mean")
    axes.plot(x, [rows.label[of].mean() for of in groups.values()], ":", color=_SPAM, label="share labelled spam")
    step = -(-len(groups) // 12)
    names = [f"{name}\nn={len(of):,}" for name, of in groups.items()]
    axes.set_xticks(x[::step], names[::step], fontsize=7)
    axes.set_ylim(-0.02, 1.02)
    axes.legend(fontsize=8)
    return image(
        figure, f"Mean and quantiles of the probabilities by {unit}, with the share that was labelled spam", wide=True
    )


def _periods(dates: Sequence[str | None]) -> tuple[str, dict[str, NDArray[np.int64]]]:
    """The finest unit of time with a readable number of points, and the places of the rows in each."""
    known = [(i, d) for i, d in enumerate(dates) if d and _DATE.match(d)]
    for unit, length in _UNITS[:-1]:
        found = _places({i: d[:length] for i, d in known})
        # A unit so fine that most comments fall into points too small to show would show the rest alone.
        if len(found) <= _PERIODS and sum(map(len, found.values())) >= 0.8 * len(known):
            return unit, found
    unit, length = _UNITS[-1]
    return unit, _places({i: d[:length] for i, d in known})


def _places(period: Mapping[int, str]) -> dict[str, NDArray[np.int64]]:
    """The rows of each period that has enough of them, in the order of time."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, name in period.items():
        places[name].append(i)
    return {name: np.array(places[name]) for name in sorted(places) if len(places[name]) >= _FEWEST}


# ---------------------------------------------------------------------- agreement and findings
def _agreement(done: Retraining, told: Told) -> Iterator[str]:
    yield "<h2>Agreement</h2>\n"
    if done.agreement:
        who = sorted(done.agreement.items(), key=lambda item: item[1])[:_PEOPLE]
        rows = "".join(_row((name, f"{share:.1%}")) for name, share in who)
        head = _row(("who", "labels equal to the model’s verdict at the time"), "th")
        yield f"<table>\n{head}{rows}</table>\n"
    if told.people:
        rows = "".join(_pair(a) for a in told.people[:_PEOPLE])
        head = _row(("two who decided on the same campaigns", "campaigns", "agree", "kappa"), "th")
        yield f"<table>\n{head}{rows}</table>\n"
        yield '<p class="dim">Near-duplicates are one campaign; kappa takes chance off (Cohen 1960).</p>\n'
    if not told.people:
        none = "no two people decided on the same comments" if told.there else "no label store was at hand"
        yield f'<p class="dim">Between people: {none}.</p>\n'


def _pair(a: Agreement) -> str:
    kappa = "–" if a.kappa is None else f"{a.kappa:.2f}"
    return _row((f"{a.first}, {a.second}", f"{a.n:,}", f"{a.share:.1%}", kappa))


def _findings(done: Retraining) -> str:
    items = [str(finding) for finding in done.findings]
    items += [f"{n:,} rows left out: {why}" for why, n in done.left_out.items()]
    body = "".join(f"<li>{safe(item)}</li>\n" for item in items)
    return f"<h2>Doubtful labels</h2>\n{f'<ul>{chr(10)}{body}</ul>' if items else '<p>none found</p>'}\n"


# ---------------------------------------------------------------------- changed verdicts
def _changed(rows: Judged, told: Told) -> Iterator[str]:
    before, after = rows.champion >= rows.champion_cutoff, rows.challenger >= rows.challenger_cutoff
    y = rows.label == 1
    kinds = (
        ("Ham that is newly blocked", ~y & ~before & after, "bad"),
        ("Spam that is newly missed", y & before & ~after, "bad"),
        ("Ham that is no longer blocked", ~y & before & ~after, "good"),
        ("Spam that is newly found", y & ~before & after, "good"),
    )
    yield "<h2>Comments whose verdict changed</h2>\n"
    missing = "" if told.there else " Their texts are in the label store; name it with --labels to see them here."
    yield (
        f"<p>{int((before != after).sum()):,} of {len(rows):,} that neither model has learnt, each at the models’ own "
        f"cut-offs for spam.{missing}</p>\n"
    )
    for title, mask, style in kinds:
        places = np.flatnonzero(mask)
        moved = np.abs(_logits(rows.challenger[places]) - _logits(rows.champion[places]))
        order = places[np.argsort(-moved, kind="stable")].tolist()
        more = f", the {_SHOWN} that moved most" if len(order) > _SHOWN else ""
        yield f'<h3 class="{style}">{escape(title)}: {len(order):,}{more}</h3>\n'
        if order:
            head = _row(("champion", "challenger", "comment"), "th")
            yield f'<table class="errors">\n{head}{"".join(_comment(rows, i, told) for i in order[:_SHOWN])}</table>\n'


def _comment(rows: Judged, i: int, told: Told) -> str:
    known = told.labels.get(rows.id[i])
    about = [rows.id[i], rows.site[i], rows.lang[i] or "", (rows.date[i] or "")[:10]]
    if known is not None:
        about.append(f"decided by {known.who}")
    if rows.weight[i] < 1:
        about.append(f"label counts {rows.weight[i]:.2f}")
    line = " · ".join(dict.fromkeys(a for a in about if a))
    return (
        f'<tr><td class="p">{rows.champion[i]:.3f}</td><td class="p">{rows.challenger[i]:.3f}</td>'
        f'<td><div class="dim">{safe(cut(line, 250))}</div>{_text_of(known)}</td></tr>\n'
    )


def _text_of(known: LabelRow | None) -> str:
    if known is None:
        return ""
    comment, title = known.comment, known.context.title
    under = f'<div class="dim">under: {safe(cut(title, 120))}</div>' if title else ""
    who = " · ".join(w for w in (comment.author, comment.author_url) if w)
    return f'{under}<div>{safe(cut(who, 200))}</div><div class="text">{safe(cut(comment.text, _TEXT))}</div>'


# ---------------------------------------------------------------------- the rest
def _facts(done: Retraining) -> str:
    counts = Counter({k: v for k, v in done.counts.items() if v})
    rows = [
        ("labels", ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in counts.items())),
        ("average precision by recipe", ", ".join(f"{name} {ap:.3f}" for name, ap in done.recipes.items())),
        ("adapting", str(done.adaptation.get("note", ""))),
        ("seconds", ", ".join(f"{step} {s:,.1f}" for step, s in done.durations.items())),
        ("inputs", done.inputs),
        ("made by", f"comment-spamfilter {done.code}" if done.code else ""),
    ]
    body = "".join(_row(row) for row in rows if row[1])
    return f'<h2>How it was made</h2>\n<table class="facts">\n{body}</table>\n'
