"""What happened in a models folder, line by line: added, promoted, rolled back, pruned.

Usage::

    events = read_events(folder)
    trail(events, current)            # versions that were in use, oldest first; the last is the current one

The file is only ever appended to.  ``CURRENT`` says which version is in use, this says how it came to be.  A line
is written before ``CURRENT`` is swapped; one whose swap never came (a power cut in between) is known by what follows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Literal

from spamfilter.store.durable import append_line

__all__ = ["HISTORY", "Event", "Kind", "add_event", "read_events", "trail"]

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
    """The versions that led to the current one: promoting adds one, rolling back takes away what came after it."""
    changes = [event for event in events if event.kind in ("promoted", "rolled back")]
    out: list[str] = []
    for n, event in enumerate(changes):
        _put(out, event.before)
        after = changes[n + 1].before if n + 1 < len(changes) else current
        if after == event.before != event.version:
            continue  # written down, never done
        if event.kind == "rolled back" and event.version in out:
            del out[len(out) - out[::-1].index(event.version) :]
        _put(out, event.version)
    _put(out, current)
    return out


def _put(versions: list[str], version: str | None) -> None:
    """Add a version unless it is the last one: where ``CURRENT`` was changed by hand, that is a step too."""
    if version is not None and versions[-1:] != [version]:
        versions.append(version)
