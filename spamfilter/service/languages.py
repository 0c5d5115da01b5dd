"""Which language a comment is in, for the sites that want only some.

Usage::

    language_of("Das ist nicht der Grund, und das weiß er auch")     # "de"
"""

from __future__ import annotations

from typing import Final

from spamfilter import charclass as cc
from spamfilter.features.signals import languages, text_facts
from spamfilter.features.wordlists import load_lists
from spamfilter.text import encode

__all__ = ["language_of"]

# Scripts that tell the language, or all but tell it.
_OF_SCRIPT: Final = {
    cc.HANGUL: "ko",
    cc.KANA: "ja",
    cc.HAN: "zh",
    cc.ARABIC: "ar",
    cc.HEBREW: "he",
    cc.THAI: "th",
    cc.INDIC: "hi",
}
#: Lead of the likeliest language over the next; below it, two are too close to hold a comment back for it.
_LEAD: Final = 0.34


def language_of(text: str) -> str | None:
    """Two-letter code, or None where too little can be told (short texts, names, numbers)."""
    number, sure = languages(text_facts(encode([text])))
    found, lead = int(number[0]), float(sure[0])
    if found >= 100:
        return _OF_SCRIPT.get(found - 100)
    if found < 0 or lead < _LEAD:
        return None
    names = [n.removeprefix("lang_") for n in load_lists().names if n.startswith("lang_")]
    return names[found]
