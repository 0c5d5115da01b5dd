"""The colours of the moderation page: text and signs stand out from their ground, by day and by night (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spamfilter

CSS = (Path(spamfilter.__file__).parent / "service" / "static" / "style.css").read_text()
#: Text on its ground, where the style sheet puts them together.
TEXT = [
    *[("ink", ground) for ground in ("paper", "card", "link-soft", "spam-soft", "ham-soft", "unsure-soft")],
    *[("dim", ground) for ground in ("paper", "card")],
    *[("accent", ground) for ground in ("paper", "card", "link-soft", "unsure-soft")],
    *[(kind, ground) for kind in ("spam", "ham") for ground in ("card", f"{kind}-soft")],
    *[("unsure", "unsure-soft"), ("unsure", "card"), ("on", "spam"), ("on", "ham"), ("on", "accent")],
]
#: What is no text but must be seen: bars and edges of fields.
SIGNS = [*[(f"{kind}-fill", "card") for kind in ("spam", "unsure", "ham")], ("edge", "card"), ("accent", "card")]


def colours(dark: bool) -> dict[str, str]:
    day, night = re.findall(r":root \{(.*?)\}", CSS, re.S)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", day))
    return found | (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", night)) if dark else {})


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (SIGNS, 3.0)], ids=["text", "signs"])
def test_contrast(pairs: list[tuple[str, str]], least: float, dark: bool) -> None:
    known = colours(dark)
    found = {f"{one} on {ground}": round(contrast(known[one], known[ground]), 2) for one, ground in pairs}
    assert {pair: n for pair, n in found.items() if n < least} == {}
