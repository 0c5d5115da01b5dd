"""What a run did, in numbers.

Usage::

    summary.pages, summary.errors, summary.to_dict()
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spamfilter.batch.outcome import Tally

__all__ = ["Summary"]

_COUNTS = ("pages", "comments", "spam", "unsure", "ham")


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a whole run, and the speed of this session of it (after a resume the two differ)."""

    tally: Tally = field(default_factory=dict)
    seconds: float = 0.0
    session_pages: int = 0
    session_bytes: int = 0
    workers: int = 1

    def __getitem__(self, name: str) -> int:
        return self.tally.get(name, 0)

    @property
    def errors(self) -> int:
        """Items that could not be read or scored."""
        return self["errors"]

    def by(self, kind: str) -> dict[str, dict[str, int]]:
        """Counts by "lang" or "engine", most pages first."""
        out: dict[str, dict[str, int]] = {}
        for name, n in self.tally.items():
            first, _, rest = name.partition(":")
            if first == kind:
                value, _, count = rest.rpartition(":")
                out.setdefault(value, dict.fromkeys(_COUNTS, 0))[count] = n
        return dict(sorted(out.items(), key=lambda pair: (-pair[1]["pages"], pair[0])))

    def errors_by_kind(self) -> dict[str, int]:
        """Errors by their kind, most first."""
        found = {name.removeprefix("error:"): n for name, n in self.tally.items() if name.startswith("error:")}
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``--summary``."""
        seconds = max(self.seconds, 1e-9)
        return {
            **{name: self[name] for name in _COUNTS},
            "flagged_share": _share(self["spam"], self["comments"]),
            "skipped": self["skipped"],
            "filtered": self["filtered"],
            "errors": self.errors,
            "errors_by_kind": self.errors_by_kind(),
            "by_lang": {name: _with_share(counts) for name, counts in self.by("lang").items()},
            "by_engine": {name: _with_share(counts) for name, counts in self.by("engine").items()},
            "bytes": self["bytes"],
            "session": {
                "seconds": round(self.seconds, 3),
                "pages": self.session_pages,
                "pages_per_second": round(self.session_pages / seconds, 2),
                "megabytes_per_second": round(self.session_bytes / 1e6 / seconds, 3),
                "workers": self.workers,
            },
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _with_share(counts: dict[str, int]) -> dict[str, Any]:
    return {**counts, "flagged_share": _share(counts["spam"], counts["comments"])}
