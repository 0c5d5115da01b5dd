"""Find the repeated shape that divides a page of text into comments.

Usage::

    section = find_posts(lines)
    section.posts[0].first, section.posts[0].last     # lines of its text, both included

A template prints every comment alike: a name, a date, the text, a reply link.  So lines are grouped
by the shape of attribution they bear, each run of equal shapes is scored as a candidate (times, "says",
reply links, a header that states the same number …), and the best run divides the text.  Where there are
no attributions, a numbered list, reply links or a header with one comment are tried.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log2

from spamfilter.segment.attributions import Attribution, find_attributions, looks_like_name, speaker
from spamfilter.segment.lines import Lines
from spamfilter.segment.phrases import (
    ACTION,
    AFTER,
    BADGE,
    FIELD,
    FORM,
    HEADER,
    NUMBER,
    PING,
    PROFILE,
    REPLY,
    SHARE,
    SIDEBAR,
    SORT,
    load_phrases,
)

__all__ = ["Post", "Section", "find_posts"]

# Lines at the edges of a comment that are not its text.
EDGE = REPLY | ACTION | SHARE | BADGE | SORT
# Lines that no run of comments goes across.
BREAK = SIDEBAR | HEADER | AFTER
# Lines that end the last comment.
STOP = BREAK | FORM | FIELD
# A header is looked for so many lines above the first comment: forms and sort links stand between.
HEADER_REACH = 40
# A forum member's profile is so many lines at most.
PROFILE_REACH = 12
# So many runs are looked at closely; the others are single dates.
PROMISING = 12
# Below this, a run is a list of posts or files with dates, not comments (set on the development half of the pages).
THRESHOLD = 5.0


@dataclass(frozen=True, slots=True)
class Post:
    """One comment: its text is lines ``first`` to ``last``; ``top`` is where its own lines begin.

    ``skip`` characters of the first line are not text (the number of a list).
    """

    top: int
    first: int
    last: int
    author: str | None = None
    date: str | None = None
    number: int | None = None
    indent: int = 0
    ping: bool = False
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """The comments of a page: ``begin`` is the first line that is no longer article.

    ``headed`` says that a header ("3 comments") stands above them, ``forum`` that members' profiles or
    running post numbers stand beside them.
    """

    begin: int
    posts: tuple[Post, ...]
    forum: bool = False
    headed: bool = False


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
        forms = Counter(lines.key[i] for i, kind in known if kind & FORM)
        self.breaks = [i for i, kind in known if kind & BREAK or (kind & FORM and forms[lines.key[i]] < 3)]
        self.headers = [i for i, kind in known if kind & (HEADER | SORT)]
        self.sidebars = [i for i, kind in known if kind & SIDEBAR and not kind & (FORM | SHARE)]
        self.profiles = [i for i, kind in known if kind & PROFILE]

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


def find_posts(lines: Lines) -> Section | None:
    """The comments of a page, or None if it has none."""
    attributions = find_attributions(lines)
    runs = _runs(lines, attributions)
    best = max(runs, key=lambda run: run.score, default=None)
    if best is not None and best.score >= THRESHOLD:
        return _section(lines, best, runs)
    return None


def _runs(lines: Lines, attributions: list[Attribution]) -> list[Run]:
    groups: dict[str, list[Attribution]] = {}
    for one in attributions:
        groups.setdefault(one.shape, []).append(one)
    landmarks = _Landmarks(lines)
    runs: list[Run] = []
    for group in groups.values():
        run = [group[0]]
        for one in group[1:]:
            if landmarks.broken(run[-1].index, one.index):
                runs.append(Run(run))
                run = []
            run.append(one)
        runs.append(Run(run))
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


def _promise(run: Run) -> float:
    """A first look at a run: how long it is, and what its attributions and its header say."""
    return log2(len(run.anchors)) + run.anchors[0].score + (4.0 if run.header is not None else 0.0)


def _constant(text: str) -> bytes:
    """A line without its digits: "12 likes" repeats "3 likes".  As bytes, whose translate is ten times as fast."""
    return text.encode("utf-8", "surrogatepass").translate(None, b"0123456789")


def _describe(lines: Lines, run: Run, landmarks: _Landmarks) -> None:
    """Fill in what repeats around the attributions of a run."""
    first, last, k = run.anchors[0].index, run.anchors[-1].index, len(run.anchors)
    if k >= 3:
        seen = Counter(_constant(lines.text[i]) for i in range(first, last) if not lines.kind[i] & NUMBER and len(lines.text[i]) < 300)
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
        above = sum(_name_line(lines, run, a.index) is not None for a in run.anchors)
        run.name_above = above >= 0.7 * k
        if not run.name_above:
            below = sum(
                a.index + 1 < len(lines) and looks_like_name(lines.text[a.index + 1], lines.kind[a.index + 1] & ~BADGE)
                for a in run.anchors
            )
            run.name_below = k > 2 and below >= 0.8 * k


def _is_edge(lines: Lines, run: Run, i: int) -> bool:
    return bool(lines.kind[i] & EDGE) or _constant(lines.text[i]) in run.constants


def _name_line(lines: Lines, run: Run, index: int) -> int | None:
    """The line of the name above an attribution without one, skipping badges and links."""
    for i in range(index - 1, max(-1, index - 5), -1):
        if lines.kind[i] & STOP:
            return None
        if lines.kind[i] & NUMBER or (_is_edge(lines, run, i) and lines.kind[i]):
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
    if any("says" in shape for shape in (anchors[0].shape,)) or sum(_says_above(lines, a.index) for a in anchors) > k / 2:
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
    if k == 1 and run.header is None and not _reply_near(lines, anchors[0].index):
        score -= 3.0
    return score


def _reply_near(lines: Lines, index: int) -> bool:
    low, high = max(0, index - 3), min(len(lines), index + 3)
    if "reply" in lines.text[index].lower() or "antwort" in lines.text[index].lower():
        return True
    return any(lines.kind[i] & REPLY and not lines.kind[i] & HEADER for i in range(low, high))


def _constant_near(lines: Lines, run: Run, index: int) -> bool:
    """Whether a line that repeats under (or over) every comment stands beside this attribution."""
    near = [i for i in range(max(0, index - 3), min(len(lines), index + 3)) if i != index]
    return any(lines.kind[i] & ACTION and _constant(lines.text[i]) in run.constants for i in near)


def _says_above(lines: Lines, index: int) -> bool:
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


def _section(lines: Lines, best: Run, runs: list[Run]) -> Section:
    best.text_first = _is_text_first(lines, best)
    parts = [best, *_companions(lines, best, runs)]
    anchors = sorted(((a, run) for run in parts for a in run.anchors), key=lambda pair: pair[0].index)
    posts = _divide_text_first(lines, best) if best.text_first else _divide(lines, anchors, best)
    tops = [_top(lines, run, a) for a, run in anchors[:1]]
    begin = min(tops + [p.top for p in posts[:1]])
    header = best.header if best.header is not None else None
    if header is not None:
        begin = min(begin, header)
    return Section(begin, tuple(p for p in posts if p.first <= p.last), best.profile or best.anchors[0].hashed, header is not None and not lines.kind[header] & SORT)


def _companions(lines: Lines, best: Run, runs: list[Run]) -> list[Run]:
    """Runs of the same shape further down (after an advertisement or under "Trackbacks"), and pingbacks between."""
    low, high = best.anchors[0].index, best.anchors[-1].index
    found = []
    stated = lines.counts.get(best.header) if best.header is not None else None
    complete = stated is not None and stated <= len(best.anchors)
    timed = any(a.score for a in best.anchors)
    for run in runs:
        if run is best:
            continue
        if run.anchors[0].shape == best.anchors[0].shape:
            above = best.header is not None and best.header < run.anchors[0].index < low
            alike = not timed or any(a.score for a in run.anchors)
            if run.score >= THRESHOLD + 1 and alike and (above or not complete):
                found.append(replace(run, constants=best.constants, profile=best.profile))
        elif not best.text_first:
            reach = low - 8
            if best.anchors[0].says:
                reach = low - 60 if best.header is None else best.header
            strays = [a for a in run.anchors if reach < a.index < high + 8 and _is_stray(lines, best, a)]
            if strays:
                found.append(replace(run, anchors=strays))
    return found


def _is_stray(lines: Lines, best: Run, a: Attribution) -> bool:
    """A pingback among the comments, or the one number missing in their count."""
    if lines.kind[a.index] & PING or (a.says and best.anchors[0].says):
        return True
    if a.number is None or a.shape == "#":
        return False
    position = bisect_left(best.anchors, a.index, key=lambda b: b.index)
    before = best.anchors[position - 1].number if position else None
    return before is not None and 0 < a.number - before <= 3


def _divide(lines: Lines, anchors: list[tuple[Attribution, Run]], best: Run) -> list[Post]:
    tops = [_top(lines, run, a) for a, run in anchors]
    posts = []
    for n, (a, run) in enumerate(anchors):
        first = _body_begin(lines, run, a.index + 1)
        if n + 1 < len(anchors) and not any(
            lines.kind[i] & BREAK for i in range(first, max(first, tops[n + 1]))
        ):
            last = tops[n + 1] - 1
        else:
            last = _body_end(lines, best, anchors, first, tops[n + 1] if n + 1 < len(anchors) else len(lines))
        last = _trim_end(lines, run, first, last)
        posts.append(_post(lines, run, a, tops[n], first, last))
    return posts


def _top(lines: Lines, run: Run, a: Attribution) -> int:
    """First line that belongs to the head of a comment."""
    if run.profile or a.shape == "#":
        return _profile_top(lines, run, a.index)
    i = a.index
    if run.name_above:
        name = _name_line(lines, run, a.index)
        if name is not None:
            i = name
    elif i > 0 and "N" not in a.shape and a.shape != "says" and _says_above(lines, i):
        i -= 1
    while i > max(0, a.index - 5) and (_is_subject(lines, i - 1) or lines.kind[i - 1] & BADGE):
        i -= 1
    if i > 0 and len(lines.text[i - 1]) == 1 and lines.text[i].startswith(lines.text[i - 1]):  # an avatar's letter
        i -= 1
    return i


def _is_subject(lines: Lines, i: int) -> bool:
    """A subject line over a post: "Re: the title"."""
    return lines.text[i][:3].lower() in ("re:", "aw:", "sv:", "rv:") and len(lines.text[i]) < 160


def _profile_top(lines: Lines, run: Run, index: int) -> int:
    """First line of a forum member's block above the line of a post's date or number."""
    i, low = index, max(0, index - 40)
    consumed = 0
    while i > low:
        above = i - 1
        kind, text = lines.kind[above], lines.text[above]
        label = above > 0 and lines.kind[above - 1] & PROFILE and len(text) < 60
        small = kind & (PROFILE | NUMBER | BADGE) or _is_subject(lines, above) or _is_edge(lines, run, above) and kind & REPLY == 0
        if small or label or (above in lines.dates and len(text) < 40):
            i = above
            consumed += 1
        else:
            break
    while i > low and consumed and i > index - 24:
        above = i - 1
        text = lines.text[above]
        if len(text) == 1 and lines.text[i].upper().startswith(text.upper()):
            return above
        if len(text) > 30 or lines.kind[above] or text.count(" ") > 3 or not looks_like_name(text, 0):
            break
        consumed -= 1
        i = above
        if consumed < -1 or index - i > 16:
            break
        if lines.text[i - 1 : i] and len(lines.text[i - 1]) > 30:
            break
    return i


def _below_profile(lines: Lines, first: int) -> int:
    """First line below a member's profile that stands under the date of a post."""
    below = first
    for i in range(first, min(len(lines) - 1, first + PROFILE_REACH + 2)):
        if lines.kind[i] & PROFILE:
            below = i + 2 if len(lines.text[i]) < 24 else i + 1
    return below


def _body_begin(lines: Lines, run: Run, first: int) -> int:
    limit = min(len(lines), first + 8)
    if run.profile_below:
        return _below_profile(lines, first)
    if run.number_below:
        first += 1
    if run.name_below and first < limit:
        first += 1
    while first < limit and (
        lines.kind[first] & (REPLY | ACTION | BADGE) and not lines.kind[first] & HEADER
        or _constant(lines.text[first]) in run.frequent
        or (first in lines.dates and len(lines.text[first]) < 60 and run.anchors[0].shape == "says")
    ):
        first += 1
    return first


def _body_end(
    lines: Lines, best: Run, anchors: list[tuple[Attribution, Run]], first: int, limit: int
) -> int:
    """Last line of a comment that no further comment follows directly."""
    closing = _closing_kinds(lines, anchors, best)
    for i in range(first, limit):
        kind = lines.kind[i]
        if kind & STOP or kind & closing or (kind & REPLY and i > first):
            return i - 1
        if i > first and (_is_menu(lines, i, limit) or (i in lines.dates and len(lines.text[i]) < 60)):
            return i - 1
    return limit - 1


def _is_menu(lines: Lines, i: int, limit: int) -> bool:
    """Whether a list of links begins here: short lines, few of them sentences."""
    if not _is_short(lines.text[i]):
        return False
    window = lines.text[i : min(limit, i + 6)]
    return len(window) == 6 and sum(map(_is_short, window)) >= 5


def _is_short(text: str) -> bool:
    return len(text) < 60 and text[-1] not in ".!?…,:;)。！？」" and text.count(" ") < 8


def _closing_kinds(lines: Lines, anchors: list[tuple[Attribution, Run]], best: Run) -> int:
    """Kinds of line that close most comments of this page ("Reply", "Like")."""
    counts: Counter[int] = Counter()
    for (_, run), (b, _) in pairwise(anchors):
        top = _top(lines, run, b)
        bits = 0
        for i in range(top - 1, max(top - 4, 0), -1):
            if not lines.kind[i] & (REPLY | ACTION | SHARE):
                break
            bits |= lines.kind[i] & (REPLY | ACTION | SHARE)
        for bit in (REPLY, ACTION, SHARE):
            counts[bit] += bits & bit != 0
    return sum(bit for bit, n in counts.items() if n > 0.5 * (len(anchors) - 1))


def _trim_end(lines: Lines, run: Run, first: int, last: int) -> int:
    while last >= first:
        kind = lines.kind[last]
        if kind & (EDGE | FORM | FIELD) or (
            _constant(lines.text[last]) in run.constants and not kind & NUMBER
        ):
            last -= 1
        elif kind & NUMBER and last > first and lines.kind[last - 1] & EDGE:
            last -= 1
        else:
            break
    return last


def _post(lines: Lines, run: Run, a: Attribution, top: int, first: int, last: int) -> Post:
    author = a.name
    head = top
    if author is None:
        author = _author(lines, run, a, top)
    ping = bool(lines.kind[a.index] & PING or lines.kind[head] & PING)
    if first <= last and lines.text[first].startswith(("[…]", "[...]", "[&#8230;]", "[…")):
        ping = True
    return Post(top, first, last, author, a.date or _date_near(lines, a.index), a.number, lines.indent[top], ping)


def _date_near(lines: Lines, index: int) -> str | None:
    """The date beside an attribution that has none: below "NAME says:", above "#3"."""
    above = lines.text[index][0] == "#"
    for i in range(max(0, index - 2), index) if above else range(index + 1, min(index + 3, len(lines))):
        span = lines.dates.get(i)
        if span and len(lines.text[i]) < 60:
            return lines.text[i][span[0] : span[1]]
    return None


def _author(lines: Lines, run: Run, a: Attribution, top: int) -> str | None:
    phrases = load_phrases()
    if run.name_below:
        return lines.text[a.index + 1]
    for i in range(top, a.index):
        text = lines.text[i]
        if lines.kind[i] & (BADGE | REPLY | ACTION | NUMBER) or len(text) == 1 and i + 1 < a.index:
            continue
        return speaker(text.rstrip(" :"), phrases)
    return None


def _is_text_first(lines: Lines, run: Run) -> bool:
    """Whether a comment's text stands above its attribution."""
    if run.header is None or run.profile:
        return False
    last = run.anchors[-1].index
    first = _body_begin(lines, run, last + 1)
    end = _body_end(lines, run, [], first, min(len(lines), first + 30)) if first < len(lines) else first - 1
    if _trim_end(lines, run, first, end) >= first:
        return False
    begin = _zone_begin(lines, run)
    top = _top(lines, run, run.anchors[0])
    return sum(lines.text[i].count(" ") + 1 for i in range(begin, top)) >= 2


def _zone_begin(lines: Lines, run: Run) -> int:
    """First line below the header, the form and the sort links above the first comment."""
    first = run.anchors[0].index
    begin = (run.header if run.header is not None else -1) + 1
    for i in range(begin, first):
        if lines.kind[i] & (FORM | FIELD | SORT | HEADER):
            begin = i + 1
    return begin


def _divide_text_first(lines: Lines, run: Run) -> list[Post]:
    begin = _zone_begin(lines, run)
    names = [begin] + [a.index + 1 for a in run.anchors[:-1]]
    heads = [_skip_edges(lines, run, i) for i in names]
    named = "N" not in run.anchors[0].shape and not run.name_above
    if named:
        named = sum(looks_like_name(lines.text[i], 0) for i in heads) >= 0.8 * len(heads)
    posts = []
    for a, head in zip(run.anchors, heads, strict=True):
        first = _skip_edges(lines, run, head + 1) if named else head
        last = (_top(lines, run, a) if run.name_above else a.index) - 1
        while last >= first and (lines.kind[last] & (EDGE | NUMBER) or _constant(lines.text[last]) in run.constants):
            last -= 1
        author = lines.text[head] if named and head < a.index else a.name
        if author is None and run.name_above:
            author = _author(lines, run, a, _top(lines, run, a))
        ping = bool(lines.kind[a.index] & PING)
        posts.append(Post(head, first, last, author, a.date, a.number, lines.indent[head], ping))
    return posts


def _skip_edges(lines: Lines, run: Run, i: int) -> int:
    while i < len(lines) - 1 and (lines.kind[i] & EDGE or _constant(lines.text[i]) in run.frequent):
        i += 1
    return i
