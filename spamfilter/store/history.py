"""What happened in a models folder, line by line: added, promoted, rolled back, pruned.

Usage::

    events = read_events(folder)
    trail(events, current)            # versions that were in use, oldest first; the last is the current one

The file is only ever appended to.  ``CURRENT`` says which version is in use, this says how it came to be.  A line
is written before ``CURRENT`` is swapped; one whose swap never came (a power cut in between) is known by what follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Literal

from spamfilter.store.durable import append_line

__all__ = ["HISTORY", "Event", "Kind", "add_event", "read_events", "trail", "was_used"]

HISTORY: Final = "HISTORY.jsonl"
Kind = Literal["added", "promoted", "rolled back", "pruned"]


@dataclass(frozen=True, slots=True)
class Event:
    """One line: what became of ``version``; ``before`` is the version that was in use then.

    ``at`` is the time by the clock of that machine (ISO 8601): for people to read, never to order by.
    """

    kind: Kind
    version: str
    before: str | None
    at: str
    by: str
    why: str


def add_event(folder: Path, event: Event) -> None:
    """Append one event and sync it."""
    append_line(folder / HISTORY, json.dumps(asdict(event), ensure_ascii=False))


def read_events(folder: Path) -> list[Event]:
    """All events, in the order they came.  A line that was cut off by a full disk is passed over."""
    try:
        lines = (folder / HISTORY).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    known = {field.name for field in fields(Event)}
    out = []
    for line in lines:
        try:
            out.append(Event(**{k: v for k, v in json.loads(line).items() if k in known}))
        except (ValueError, TypeError, AttributeError):
            continue
    return out


def trail(events: Sequence[Event], current: str | None) -> list[str]:
    """The versions that led to the current one: promoting adds one, rolling back takes away what came after it.

    ``current`` is None before the first one and "" where nobody knows (a damaged ``CURRENT``).
    """
    out: list[str] = []
    for event, done in _switches(events, current):
        _put(out, event.before)
        if done and event.kind == "rolled back" and event.version in out:
            del out[len(out) - out[::-1].index(event.version) :]
        if done:
            _put(out, event.version)
    _put(out, current)
    return out


def was_used(events: Sequence[Event], current: str | None) -> set[str]:
    """Every version that was ever in use."""
    found = {event.version for event, done in _switches(events, current) if done}
    return found | {event.before for event in events if event.before} | ({current} if current else set())


def _switches(events: Sequence[Event], current: str | None) -> Iterator[tuple[Event, bool]]:
    """Promotions and rollbacks, and whether each was done or only written down before the power went."""
    changes = [event for event in events if event.kind in ("promoted", "rolled back")]
    for n, event in enumerate(changes):
        after = changes[n + 1].before if n + 1 < len(changes) else current
        yield event, after == event.version or after != event.before


def _put(versions: list[str], version: str | None) -> None:
    """Add a version unless it is the last one: where ``CURRENT`` was changed by hand, that is a step too."""
    if version and versions[-1:] != [version]:
        versions.append(version)
