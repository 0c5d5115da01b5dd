"""Texts of strangers for the page: escaped, without tricks of direction, the words that reasons quote marked.

Usage::

    terms = quoted(verdict.reasons)              # {"cheap": "spam", "sourdough": "ham"}
    marked("Cheap watches", terms)               # Markup('<mark class="spam">Cheap</mark> watches')
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from markupsafe import Markup, escape

from spamfilter.records import Reason

__all__ = ["marked", "plain", "quoted"]

# Marks that turn the direction of what follows, and control characters, which show nothing.
_UNSEEN: Final = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINK: Final = re.compile(r"(?:https?://|www\.)[^\s<>\"']+", re.I)
#: Words that are marked: more would colour everything.
_MOST: Final = 30
#: Reasons that quote words of the comment.
_QUOTING: Final = ("off_topic", "on_topic", "in_company", "spam_words", "reader_words")


def plain(text: str | None) -> str:
    """``text`` without what turns or hides what follows."""
    return _UNSEEN.sub("\ufffd", text or "")


def quoted(reasons: Iterable[Reason]) -> dict[str, str]:
    """The words that reasons quote after their colon, and the side they speak for."""
    out: dict[str, str] = {}
    for reason in reasons:
        if reason.name not in _QUOTING:
            continue
        for word in reason.detail.partition(": ")[2].split(", "):
            if len(word.strip()) > 1:
                out.setdefault(word.strip().lower(), "spam" if reason.weight > 0 else "ham")
    return dict(list(out.items())[:_MOST])


def marked(text: str | None, terms: Mapping[str, str], links: bool = True) -> Markup:
    """``text`` escaped, with ``terms`` and links in ``<mark>``."""
    shown = plain(text)
    patterns = [rf"(?<!\w){re.escape(term)}(?!\w)" for term in sorted(terms, key=len, reverse=True)]
    if links:
        patterns.insert(0, f"(?P<link>{_LINK.pattern})")
    if not patterns:
        return escape(shown)
    out, at = [], 0
    for found in re.finditer("|".join(patterns), shown, re.I):
        out.append(escape(shown[at : found.start()]))
        kind = "link" if links and found.group("link") else terms.get(found.group().lower(), "spam")
        out.append(Markup('<mark class="{}">{}</mark>').format(kind, found.group()))
        at = found.end()
    out.append(escape(shown[at:]))
    return Markup("").join(out)
