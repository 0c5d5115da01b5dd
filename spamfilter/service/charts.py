"""Small charts as SVG: drawn on the server, coloured by the style sheet, with their numbers as titles.

Usage::

    columns(days, ["2026-11-01", …])        # Markup
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup, escape

__all__ = ["bar", "columns"]

_WIDTH: Final = 600
_HEIGHT: Final = 150
_FOOT: Final = 18
#: Room for the numbers at the lines.
_SIDE: Final = 30
_KINDS: Final = ("spam", "unsure", "ham")
#: A reason's bar is full at this weight: e³ is twenty times the odds.
_FULL: Final = 3.0


def columns(counts: Mapping[str, Mapping[str, int]], days: Sequence[str]) -> Markup:
    """Stacked columns, one a day: spam at the bottom, then unsure, then ham."""
    most = max([sum(counts.get(day, {}).get(k, 0) for k in _KINDS) for day in days] + [1])
    step = (_WIDTH - _SIDE) / max(len(days), 1)
    parts = [
        f'<svg class="columns" viewBox="0 0 {_WIDTH} {_HEIGHT + _FOOT}" role="img"'
        f' aria-label="Comments a day, {days[0]} to {days[-1]}; at most {most}">'
    ]
    for line in (0.0, 0.5, 1.0) if most > 1 else (0.0, 1.0):
        y = _HEIGHT * (1 - line * 0.92)
        parts.append(f'<line class="rule" x1="{_SIDE}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" text-anchor="end" x="{_SIDE - 5}" y="{y + 3:.1f}">{most * line:,.0f}</text>')
    for i, day in enumerate(days):
        parts.append(_column(counts.get(day, {}), day, _SIDE + i * step, step, most))
        if i % max(1, len(days) // 5) == 0:
            parts.append(f'<text class="tick" x="{_SIDE + i * step:.1f}" y="{_HEIGHT + 13}">{escape(day[5:])}</text>')
    return Markup("".join(parts) + "</svg>")


def _column(counts: Mapping[str, int], day: str, x: float, step: float, most: int) -> str:
    told = ", ".join(f"{counts.get(k, 0)} {k}" for k in _KINDS)
    out, y = [f"<g><title>{escape(day)}: {told}</title>"], float(_HEIGHT)
    for kind in _KINDS:
        height = counts.get(kind, 0) / most * _HEIGHT * 0.92
        y -= height
        if height:
            place = f'x="{x + step * 0.14:.1f}" y="{y:.1f}" width="{step * 0.72:.1f}" height="{height:.1f}"'
            out.append(f'<rect class="{kind}" {place}/>')
    return "".join(out) + f'<rect class="hit" x="{x:.1f}" y="0" width="{step:.1f}" height="{_HEIGHT}"/></g>'


def bar(weight: float) -> Markup:
    """The weight of a reason: to the right towards spam, to the left towards ham."""
    width = min(abs(weight) / _FULL, 1.0) * 50
    x, kind = (50.0, "spam") if weight > 0 else (50 - width, "ham")
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<line class="rule" x1="50" x2="50" y1="0" y2="10"/>'
        f'<rect class="{kind}" x="{x:.1f}" y="2" width="{width:.1f}" height="6"/></svg>'
    )
