"""Counts and times in the text format of Prometheus (version 0.0.4).

Usage::

    metrics = Metrics()
    metrics.request("/1.1/comment-check", 200, 0.004); metrics.judged("blog.example", "spam", "model")
    metrics.text({"spamfilter_waiting": 0})
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

__all__ = ["Metrics"]

#: Upper bounds of the histogram's classes, in seconds: fine around the 25 ms that a check should stay under.
_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_HELP: Final = {
    "spamfilter_requests_total": ("counter", "Requests answered, by route and status."),
    "spamfilter_judged_total": ("counter", "Comments judged, by site, label and who decided."),
    "spamfilter_feedback_total": ("counter", "Decisions taken in, by site, label and source."),
    "spamfilter_batches_total": ("counter", "Batches scored."),
}
_Labels = tuple[tuple[str, str], ...]


class Metrics:
    """All counters of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: defaultdict[tuple[str, _Labels], int] = defaultdict(int)
        self._times: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 1))
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._begun = time.time()

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        with self._lock:
            self._counts["spamfilter_requests_total", (("route", route), ("status", str(status)))] += 1
            self._times[route][bisect_left(_BOUNDS, seconds)] += 1
            self._sums[route] += seconds

    def judged(self, site: str, label: str, by: str) -> None:
        """A comment was judged."""
        self._add("spamfilter_judged_total", site=site, label=label, by=by)

    def feedback(self, site: str, label: str, source: str) -> None:
        """A decision was taken in."""
        self._add("spamfilter_feedback_total", site=site, label=label, source=source)

    def batch(self, comments: int) -> None:
        """Comments were scored together."""
        self._add("spamfilter_batches_total")

    def _add(self, metric: str, **labels: str) -> None:
        with self._lock:
            self._counts[metric, tuple(labels.items())] += 1

    def text(self, gauges: Mapping[str, float], model: str = "") -> str:
        """Everything, as Prometheus reads it."""
        lines: list[str] = []
        with self._lock:
            for metric, (kind, text) in _HELP.items():
                lines += [f"# HELP {metric} {text}", f"# TYPE {metric} {kind}"]
                lines += [f"{metric}{_set(k)} {n}" for (m, k), n in sorted(self._counts.items()) if m == metric]
            lines += self._histogram()
        for name, value in {**gauges, "process_start_time_seconds": self._begun}.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value:.10g}"]
        if model:
            lines += ["# TYPE spamfilter_model_info gauge", f"spamfilter_model_info{_set((('model', model),))} 1"]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name = "spamfilter_request_seconds"
        lines = [f"# HELP {name} Time to the last byte of the answer.", f"# TYPE {name} histogram"]
        for route, counts in sorted(self._times.items()):
            total = 0
            for bound, n in zip((*map(str, _BOUNDS), "+Inf"), counts, strict=True):
                total += n
                lines.append(f"{name}_bucket{_set((('route', route), ('le', bound)))} {total}")
            lines.append(f"{name}_sum{_set((('route', route),))} {self._sums[route]:.6f}")
            lines.append(f"{name}_count{_set((('route', route),))} {total}")
        return lines


def _set(labels: _Labels) -> str:
    return "{" + ",".join(f'{k}="{_escaped(v)}"' for k, v in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
