"""The language of a text, by its letters and its commonest words.

Usage::

    guess_language("Das ist nicht der Fall, und wir …")     # "de"

Only for pages that do not say it themselves; good enough to read 02/08/2019 the right way round.
"""

from __future__ import annotations

import re

__all__ = ["guess_language"]

# Words that are frequent in one language and rare or absent in the others.
_WORDS = {
    "en": "the and of to is that was for with you this are have it be not",
    "de": "der die und das ist nicht ich mit auf ein eine den zu auch sich von",
    "fr": "le les des et est une pas que dans pour qui vous je sur avec du",
    "es": "el los las que una por con para está pero muy como del más lo y",
    "pt": "não uma que os com para são mais você muito mas do da em um e",
    "it": "il di che non una per sono con del della è gli ma anche più e",
    "nl": "het een van en niet dat ik je met voor zijn maar ook op de is",
    "pl": "nie się jest na że to jak ale dla czy tego po są być tak i",
    "tr": "bir ve bu için çok daha ne gibi değil ama da de olarak var kadar mi",
    "id": "yang dan di untuk dengan tidak ini itu dari saya ada akan juga bisa ke pada",
    "sv": "och att det som är inte jag en på för med av har till den om",
}
_LANGUAGES_OF: dict[str, list[str]] = {}
for _code, _line in _WORDS.items():
    for _word in _line.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_code)

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),  # before Chinese, whose characters it shares
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("uk", re.compile("[іїєґ]")),  # before Russian, whose letters it shares
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
_WORD = re.compile(r"[^\W\d_]+")
# Enough for some hundred common words; more does not change the answer.
_SAMPLE = 4_000
# A script is that of the text, not of a quotation in it, from this share of the characters on.
_SHARE = 0.03
# Fewer common words than this, or a lead smaller than this, is no answer.
_FEWEST = 3
_LEAD = 1.2


def guess_language(text: str) -> str | None:
    """Two-letter code of the language of ``text``, or None where it cannot be told."""
    text = text[:_SAMPLE].lower()
    if not text.isascii():
        for code, letters in _SCRIPTS:
            if len(letters.findall(text)) > len(text) * _SHARE:
                return code
    counts = dict.fromkeys(_WORDS, 0.0)
    for word in _WORD.findall(text):
        codes = _LANGUAGES_OF.get(word, ())
        for code in codes:
            counts[code] += 1 / len(codes)
    first, second = sorted(counts, key=counts.__getitem__, reverse=True)[:2]
    return first if counts[first] >= _FEWEST and counts[first] >= _LEAD * counts[second] else None
