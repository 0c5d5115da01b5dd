"""Runs: attributions of one shape, one after the other, and how much they look like comments.

Usage::

    runs = find_runs(lines, find_attributions(lines))
    best = max(runs, key=lambda run: run.score)         # comments if best.score >= THRESHOLD

A template prints every comment alike, so lines are grouped by the shape of attribution they bear, and
each run of equal shapes is scored: times, "says", reply links, a header that states the same number …
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from math import log2

from spamfilter.segment.attributions import Attribution, looks_like_name
from spamfilter.segment.lines import Lines
from spamfilter.segment.phrases import (
    ACTION,
    AFTER,
    BADGE,
    FIELD,
    FORM,
    HEADER,
    NUMBER,
    PROFILE,
    REPLY,
    SHARE,
    SIDEBAR,
    SORT,
)

__all__ = [
    "BREAK",
    "EDGE",
    "PROFILE_REACH",
    "STOP",
    "THRESHOLD",
    "Run",
    "find_runs",
    "is_edge",
    "name_line",
    "says_above",
    "without_digits",
]

# Lines at the edges of a comment that are not its text.
EDGE = REPLY | ACTION | SHARE | BADGE | SORT
# Lines that no run of comments goes across.
BREAK = SIDEBAR | HEADER | AFTER
# Lines that end the last comment.
STOP = BREAK | FORM | FIELD
# … unless they stand in every one of them: a form, or "About me" in a member's profile.
_WITHIN = SIDEBAR | AFTER
_OFTEN = 3
# A header is looked for so many lines above the first comment: forms and sort links stand between.
HEADER_REACH = 40
# Letters by which the lines of a member's profile are told apart.
_LABEL = 5
# A forum member's profile is so many lines at most.
PROFILE_REACH = 12
# So many runs are looked at closely; the others are single dates.
PROMISING = 6
# Titles of other articles: so many words at most, and this share of what stands between dates, make a list of posts.
_TEASER_WORDS = 24
# Shorter lines are names and labels.
_TITLE_WORDS = 4
_MOST_TEASERS = 0.7
# Below this, a run is a list of posts or files with dates, not comments (set on the development half of the pages).
THRESHOLD = 5.0


@dataclass(slots=True)
class Run:
    """Attributions of one shape without a break between them, and what is known of them."""

    anchors: list[Attribution]
    header: int | None = None
    score: float = 0.0
    constants: frozenset[bytes] = frozenset()
    frequent: frozenset[bytes] = frozenset()
    profile: bool = False
    profile_below: bool = False
    number_below: bool = False
    name_above: bool = False
    name_below: bool = False
    text_first: bool = False


class _Landmarks:
    """Where the lines are that runs depend on, to be asked for the nearest above a line."""

    def __init__(self, lines: Lines) -> None:
        known = [(i, kind) for i, kind in enumerate(lines.kind) if kind & (STOP | SORT | PROFILE)]
        # a form printed again under every comment divides nothing
        forms = Counter(lines.key[i] for i, kind in known if kind & (FORM | _WITHIN))
        self.breaks = [
            i
            for i, kind in known
            if (kind & BREAK or kind & FORM) and not (kind & (FORM | _WITHIN) and forms[lines.key[i]] > _OFTEN)
        ]
        self.headers = [i for i, kind in known if kind & (HEADER | SORT)]
        self.sidebars = [i for i, kind in known if kind & SIDEBAR and not kind & (FORM | SHARE)]
        self.profiles = [i for i, kind in known if kind & PROFILE]
        # one kind of line alone is a label that happens to be called like one ("Post 3")
        if len({lines.key[i][:_LABEL] for i in self.profiles}) < 2:
            self.profiles = []

    def broken(self, low: int, high: int) -> bool:
        """Whether a break stands between two lines."""
        return bisect_left(self.breaks, high) > bisect_right(self.breaks, low)

    def header_above(self, index: int) -> int | None:
        """The header of the comments that begin at a line."""
        header = _nearest_above(self.headers, index)
        sidebar = _nearest_above(self.sidebars, index)
        if header is None or index - header >= HEADER_REACH or (sidebar is not None and sidebar > header):
            return None
        return header

    def profile_above(self, index: int) -> bool:
        """Whether a member's profile stands right above a line."""
        nearest = _nearest_above(self.profiles, index)
        return nearest is not None and index - nearest <= PROFILE_REACH

    def profile_below(self, index: int) -> bool:
        """Whether a member's profile stands right below a line."""
        position = bisect_right(self.profiles, index)
        return position < len(self.profiles) and self.profiles[position] - index <= PROFILE_REACH


def _nearest_above(sorted_lines: list[int], index: int) -> int | None:
    position = bisect_left(sorted_lines, index)
    return sorted_lines[position - 1] if position else None


def find_runs(lines: Lines, attributions: list[Attribution]) -> list[Run]:
    """The runs worth a look, described and scored, in no particular order."""
    groups: dict[str, list[Attribution]] = {}
    for one in attributions:
        groups.setdefault(one.shape, []).append(one)
    landmarks = _Landmarks(lines)
    runs: list[Run] = []
    for group in groups.values():
        unbroken = [group[0]]
        for one in group[1:]:
            if landmarks.broken(unbroken[-1].index, one.index):
                runs.append(Run(unbroken))
                unbroken = []
            unbroken.append(one)
        runs.append(Run(unbroken))
    taken: set[tuple[str, int]] = set()
    for run in runs:
        run.header = landmarks.header_above(run.anchors[0].index)
        if run.header is not None:
            # a header belongs to the comments right below it, not to the list of posts further down
            claim = (run.anchors[0].shape, run.header)
            run.header = None if claim in taken else run.header
            taken.add(claim)
    promising = sorted(runs, key=_promise, reverse=True)[:PROMISING]
    for run in promising:
        _drop_untimed(run)
        _describe(lines, run, landmarks)
        run.score = _score(lines, run)
    _prefer_dates(lines, promising)
    return promising


def _dated_above(lines: Lines, run: Run) -> bool:
    """Whether most of the numbers stand right below a date, as the last line of a post's head."""
    return sum(a.index - d in lines.dates for a in run.anchors for d in (1, 2)) >= 0.6 * len(run.anchors)


def _prefer_dates(lines: Lines, runs: list[Run]) -> None:
    """Where each "#3" has a date of its own, the date heads the post: the number may stand below it."""
    for run in runs:
        if run.anchors[0].shape == "#" and not _dated_above(lines, run):
            low, high, k = run.anchors[0].index, run.anchors[-1].index, len(run.anchors)
            for other in runs:
                inside = sum(low - 30 <= a.index <= high for a in other.anchors)
                if "D" in other.anchors[0].shape and abs(inside - k) <= 1 and k > 1 and other.anchors[0].score:
                    run.score -= 6.0
                    other.score += 2.0
                    break


def _drop_untimed(run: Run) -> None:
    """Leave out lines without a time where nearly all have one: dates within comments, not over them."""
    timed = [a for a in run.anchors if a.score]
    if "D" in run.anchors[0].shape and 0.7 * len(run.anchors) <= len(timed) < len(run.anchors):
        run.anchors = timed


def _promise(run: Run) -> float:
    """A first look at a run: how long it is, and what its attributions and its header say."""
    return log2(len(run.anchors)) + run.anchors[0].score + (4.0 if run.header is not None else 0.0)


def without_digits(text: str) -> bytes:
    """A line without its digits: "12 likes" repeats "3 likes".  As bytes, whose translate is ten times as fast."""
    return text.encode("utf-8", "surrogatepass").translate(None, b"0123456789")


def _describe(lines: Lines, run: Run, landmarks: _Landmarks) -> None:
    """Fill in what repeats around the attributions of a run."""
    first, last, k = run.anchors[0].index, run.anchors[-1].index, len(run.anchors)
    if k >= 3:
        seen = Counter(
            without_digits(lines.text[i])
            for i in range(first, last)
            if not lines.kind[i] & NUMBER and len(lines.text[i]) < 300
        )
        needed = max(3, k // 8)
        run.constants = frozenset(text for text, n in seen.items() if n >= needed and text)
        run.frequent = frozenset(text for text, n in seen.items() if n >= 0.6 * k and text)
    run.profile = 2 * sum(landmarks.profile_above(a.index) for a in run.anchors) >= k + 1
    if run.anchors[0].hashed and run.anchors[0].shape != "#":
        run.profile_below = all(landmarks.profile_below(a.index) for a in run.anchors)
        run.profile = run.profile and not run.profile_below
    below = sum(i + 1 < len(lines) and lines.text[i + 1].isdigit() for i in (a.index for a in run.anchors))
    run.number_below = k > 2 and below >= 0.8 * k
    if "N" not in run.anchors[0].shape and run.anchors[0].shape != "says":
        above = sum(name_line(lines, run, a.index) is not None for a in run.anchors)
        run.name_above = above >= 0.7 * k
        if not run.name_above:
            below = sum(
                a.index + 1 < len(lines) and looks_like_name(lines.text[a.index + 1], lines.kind[a.index + 1] & ~BADGE)
                for a in run.anchors
            )
            run.name_below = k > 2 and below >= 0.8 * k


def is_edge(lines: Lines, run: Run, i: int) -> bool:
    """Whether a line stands at the edges of comments rather than in them: "Reply", "Like", whatever repeats."""
    return bool(lines.kind[i] & EDGE) or without_digits(lines.text[i]) in run.constants


def name_line(lines: Lines, run: Run, index: int) -> int | None:
    """The line of the name above an attribution without one, skipping badges and links."""
    for i in range(index - 1, max(-1, index - 5), -1):
        if lines.kind[i] & STOP:
            return None
        if lines.kind[i] & NUMBER or (is_edge(lines, run, i) and lines.kind[i]):
            continue
        if looks_like_name(lines.text[i].rstrip(":"), lines.kind[i]):
            return i
        return i if lines.text[i].endswith(":") and len(lines.text[i]) < 100 else None
    return None


def _score(lines: Lines, run: Run) -> float:
    anchors = run.anchors
    k = len(anchors)
    score = 1.5 * log2(k)
    score += sum(min(a.score, 5) for a in anchors) / k
    replies = sum(_reply_near(lines, a.index) for a in anchors)
    score += 3.0 * replies / k
    if anchors[0].shape == "says" or sum(says_above(lines, a.index) for a in anchors) > k / 2:
        score += 2.0
    if run.profile:  # beside members' profiles, "NAME said:" opens a quotation
        score += 2.0 if anchors[0].shape != "says" else -8.0
    if k > 2 and sum(_constant_near(lines, run, a.index) for a in anchors) > 0.8 * k:
        score += 2.0
    score += _header_score(lines, run)
    numbers = [a.number for a in anchors if a.number is not None]
    if k > 2 and len(numbers) > 0.8 * k and sum(b > a for a, b in pairwise(numbers)) > 0.8 * (len(numbers) - 1):
        score += 3.0
    if k > 1:
        words = sum(_words_between(lines, a.index, b.index) for a, b in pairwise(anchors)) / (k - 1)
        score += 1.0 if words >= 8 else -6.0 if words < 2 else 0.0
    if "N" in anchors[0].shape or run.name_above:
        score += 1.0
    if run.header is None and not run.profile and not any(a.score or a.number for a in anchors) and not replies:
        score -= 3.0  # dates alone: a list of posts
    if k > 2 and not replies and not run.profile and not _states(lines, run):
        if sum(_is_teaser(lines, a.index, b.index) for a, b in pairwise(anchors)) >= _MOST_TEASERS * (k - 1):
            score -= 4.0 if any(a.score for a in anchors) else 6.0
        if len({a.name for a in anchors}) == 1 and anchors[0].name:  # "Views", "Actu": a label, not a name
            score -= 4.0
    if k == 1 and run.header is None and not _reply_near(lines, anchors[0].index):
        score -= 3.0
    return score


def _states(lines: Lines, run: Run) -> bool:
    """Whether the header states the very number of comments."""
    return run.header is not None and lines.counts.get(run.header) == len(run.anchors)


def _is_teaser(lines: Lines, low: int, high: int) -> bool:
    """Whether no more than titles stand between two attributions: a list of other articles."""
    between = [i for i in range(low + 1, high) if not lines.kind[i] & (EDGE | NUMBER) and i not in lines.dates]
    if not between or sum(lines.words[i] for i in between) > _TEASER_WORDS:
        return False
    if all(lines.words[i] < _TITLE_WORDS for i in between):
        return False
    return not any(lines.text[i][-1] in ".!…。！)" for i in between)


def _reply_near(lines: Lines, index: int) -> bool:
    low, high = max(0, index - 3), min(len(lines), index + 3)
    if "reply" in lines.text[index].lower() or "antwort" in lines.text[index].lower():
        return True
    return any(lines.kind[i] & REPLY and not lines.kind[i] & HEADER for i in range(low, high))


def _constant_near(lines: Lines, run: Run, index: int) -> bool:
    """Whether a line that repeats under (or over) every comment stands beside this attribution."""
    near = [i for i in range(max(0, index - 3), min(len(lines), index + 3)) if i != index]
    return any(lines.kind[i] & ACTION and without_digits(lines.text[i]) in run.constants for i in near)


def says_above(lines: Lines, index: int) -> bool:
    """Whether "NAME says:" stands on the line above."""
    return index > 0 and lines.text[index - 1].endswith(":") and len(lines.text[index - 1]) < 80


def _header_score(lines: Lines, run: Run) -> float:
    if run.header is None:
        # what stands under "Recent posts" or "Related" is not a list of comments
        for i in range(run.anchors[0].index - 1, max(-1, run.anchors[0].index - 8), -1):
            if lines.kind[i] & (SIDEBAR | AFTER):
                return -3.0
        return 0.0
    distance = run.anchors[0].index - run.header
    score = 3.0 if distance <= 12 else 1.5
    stated = lines.counts.get(run.header)
    if stated is not None:
        k = len(run.anchors)
        score += 3.0 if stated == k else 1.5 if abs(stated - k) <= max(1, 0.2 * stated) else 0.0
        if stated == 0 or k > 2 * stated + 2:
            score -= 4.0
    return score


def _words_between(lines: Lines, low: int, high: int) -> int:
    return sum(
        lines.text[i].count(" ") + 1
        for i in range(low + 1, high)
        if not lines.kind[i] & (EDGE | NUMBER | PROFILE | STOP) and i not in lines.dates
    )
