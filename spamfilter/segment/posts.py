"""Comments out of the lines of a page, divided by the attributions that repeat.

Usage::

    section = find_posts(lines)
    section.posts[0].first, section.posts[0].last     # lines of its text, both included

The best run of attributions (``runs``) divides the text; what repeats at the edges of the parts (names,
reply links, badges, members' profiles) is taken off.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

from spamfilter.segment.attributions import Attribution, find_attributions, looks_like_name, speaker
from spamfilter.segment.lines import Lines
from spamfilter.segment.phrases import (
    ACTION,
    BADGE,
    FIELD,
    FORM,
    HEADER,
    NUMBER,
    PING,
    PROFILE,
    REPLY,
    SHARE,
    SORT,
    load_phrases,
)
from spamfilter.segment.runs import (
    BREAK,
    EDGE,
    PROFILE_REACH,
    STOP,
    THRESHOLD,
    Run,
    find_runs,
    is_edge,
    name_line,
    says_above,
    without_digits,
)

__all__ = ["Post", "Section", "find_posts"]


_LABELLED = re.compile(
    r"(?:comment|posted|written|kommentar|commentaire|comentario|commento|автор|name|nick)\b(?:\s(?:from|by|von|de|di|da|par))?"
    r"\s?:\s*(\S.{0,58}?)(?:\s\[[^\[\]]{1,20}\])?",
    re.IGNORECASE,
)


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
    running post numbers stand beside them; ``stated`` is the number that the header states.
    """

    begin: int
    posts: tuple[Post, ...]
    forum: bool = False
    headed: bool = False
    stated: int | None = None


def find_posts(lines: Lines) -> Section | None:
    """The comments of a page, or None if it has none."""
    attributions = find_attributions(lines)
    runs = find_runs(lines, attributions)
    best = max(runs, key=lambda run: run.score, default=None)
    if best is not None and best.score >= THRESHOLD:
        return _section(lines, best, runs)
    return None


def _section(lines: Lines, best: Run, runs: list[Run]) -> Section:
    best.text_first = _is_text_first(lines, best)
    parts = [best, *_companions(lines, best, runs)]
    anchors = sorted(((a, run) for run in parts for a in run.anchors), key=lambda pair: pair[0].index)
    posts = _divide_text_first(lines, best) if best.text_first else _divide(lines, anchors, best)
    tops = [_top(lines, run, a) for a, run in anchors[:1]]
    begin = min(tops + [p.top for p in posts[:1]])
    header = best.header
    if header is not None and not _is_prose(lines, header + 1, begin):
        begin = min(begin, header)
    return Section(
        begin,
        tuple(p for p in posts if p.first <= p.last),
        best.profile or best.anchors[0].hashed,
        header is not None and not lines.kind[header] & SORT,
        lines.counts.get(header) if header is not None else None,
    )


def _is_prose(lines: Lines, low: int, high: int) -> bool:
    """Whether an article stands between a header ("1 comment" under a title) and the first comment."""
    return sum(lines.words[i] >= 15 and not lines.kind[i] for i in range(low, high)) >= 3


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
        following = tops[n + 1] if n + 1 < len(anchors) else None
        first, last = _body(lines, best, run, anchors, a.index + 1, following)
        if first > last:  # the same words under every name are the campaign this package is after, not a template
            bare = replace(run, constants=frozenset(), frequent=frozenset())
            again = _body(lines, best, bare, anchors, a.index + 1, following)
            if sum(lines.words[again[0] : again[1] + 1]) > 1:
                first, last = again
        posts.append(_post(lines, run, a, tops[n], first, last))
    if best.profile or best.profile_below or best.anchors[0].hashed:
        return _without_signatures(lines, posts)
    return posts


def _without_signatures(lines: Lines, posts: list[Post]) -> list[Post]:
    """Posts of a forum less the lines that a member's posts all end with."""
    by_author: dict[str, list[int]] = {}
    for n, post in enumerate(posts):
        if post.author and post.first <= post.last:
            by_author.setdefault(post.author, []).append(n)
    for numbers in by_author.values():
        if len(numbers) < 2:
            continue
        ends = [lines.text[posts[n].first : posts[n].last + 1][::-1] for n in numbers]
        same = 0
        # a post that is its signature alone keeps it: better a signature too many than a post lost
        while same < min(map(len, ends)) - 1 and len({end[same] for end in ends}) == 1:
            same += 1
        for n in numbers:
            posts[n] = replace(posts[n], last=posts[n].last - same)
    return posts


def _body(
    lines: Lines, best: Run, run: Run, anchors: list[tuple[Attribution, Run]], begin: int, following: int | None
) -> tuple[int, int]:
    """First and last line of the text between an attribution and the top of the following comment."""
    first = _body_begin(lines, run, begin)
    if following is not None and not any(lines.kind[i] & BREAK for i in range(first, max(first, following))):
        last = following - 1
    else:
        last = _body_end(lines, best, anchors, first, len(lines) if following is None else following)
    last = next((i - 1 for i in range(first, last + 1) if lines.kind[i] & PING), last)
    return first, _trim_end(lines, run, first, last)


def _top(lines: Lines, run: Run, a: Attribution) -> int:
    """First line that belongs to the head of a comment."""
    if run.profile or a.shape == "#":
        return _profile_top(lines, run, a.index)
    i = a.index
    if run.name_above:
        name = name_line(lines, run, a.index)
        if name is not None:
            i = name
    elif i > 0 and "N" not in a.shape and a.shape != "says" and says_above(lines, i):
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
        small = (
            kind & (PROFILE | NUMBER | BADGE)
            or _is_subject(lines, above)
            or (is_edge(lines, run, above) and kind & REPLY == 0)
        )
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
        (lines.kind[first] & (REPLY | ACTION | BADGE) and not lines.kind[first] & HEADER)
        or without_digits(lines.text[first]) in run.frequent
        or (first in lines.dates and len(lines.text[first]) < 60 and run.anchors[0].shape == "says")
    ):
        first += 1
    return first


def _body_end(lines: Lines, best: Run, anchors: list[tuple[Attribution, Run]], first: int, limit: int) -> int:
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
    end = last
    while last >= first:
        kind = lines.kind[last]
        if (
            kind & (EDGE | FORM | FIELD)
            or (without_digits(lines.text[last]) in run.constants and not kind & NUMBER)
            or (kind & NUMBER and last > first and lines.kind[last - 1] & EDGE)
            or (kind & NUMBER and first < last < end)  # likes, above the links that were taken off
        ):
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
        return lines.text[a.index + 1] if a.index + 1 < len(lines) else None
    for i in range(top, a.index):
        text = lines.text[i]
        if lines.kind[i] & (BADGE | REPLY | ACTION | NUMBER) or (len(text) == 1 and i + 1 < a.index):
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
    said = set(lines.said)
    labelled = sum(i in said or _labelled_name(lines.text[i]) is not None for i in heads) >= 0.8 * len(heads)
    named = named or labelled  # "NAME said..." over the text and the date below it
    posts = []
    for a, head in zip(run.anchors, heads, strict=True):
        first = _skip_edges(lines, run, head + 1) if named else head
        last = (_top(lines, run, a) if run.name_above else a.index) - 1
        while last >= first and lines.kind[last] & (EDGE | NUMBER):
            last -= 1
        while last > first and without_digits(lines.text[last]) in run.constants:
            last -= 1
        while last >= first and lines.kind[last] & (EDGE | NUMBER):
            last -= 1
        author = a.name
        if named and head < a.index:
            author = _labelled_name(lines.text[head]) or speaker(lines.text[head].rstrip(" .…:"), load_phrases())
        if author is None and run.name_above:
            author = _author(lines, run, a, _top(lines, run, a))
        ping = bool(lines.kind[a.index] & PING)
        posts.append(Post(head, first, last, author, a.date, a.number, lines.indent[head], ping))
    return posts


def _labelled_name(text: str) -> str | None:
    """NAME in "Comment from: NAME [Visitor]"."""
    match = _LABELLED.fullmatch(text)
    return match[1].strip() if match else None


def _skip_edges(lines: Lines, run: Run, i: int) -> int:
    while i < len(lines) - 1 and (lines.kind[i] & EDGE or without_digits(lines.text[i]) in run.frequent):
        i += 1
    return i
