"""Printed dates to ISO 8601.

Usage::

    parse_date("August 2, 2019 at 2:30 pm")            # "2019-08-02T14:30:00"
    parse_date("2. August 2019 um 14:30 Uhr")          # "2019-08-02T14:30:00"
    parse_date("02/08/2019", lang="fr")                # "2019-08-02"
    parse_date("3 days ago")                           # None: needs a clock, and the page does not say whose

The first date found in the text counts.  A time zone is kept where it is printed, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

__all__ = ["parse_date"]

# January to December; forms that a page prints (nominative and genitive), accents are folded away below.
# An abbreviation is any beginning of three letters or more that no other month shares.
_MONTH_NAMES = (
    "january february march april may june july august september october november december",
    "januar februar marz april mai juni juli august september oktober november dezember",
    "janner feber maerz april mai juno julei august september oktober november dezember",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "enero febrero marzo abril mayo junio julio agosto setiembre octubre noviembre diciembre",
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia",
    "styczen luty marzec kwiecien maj czerwiec lipiec sierpien wrzesien pazdziernik listopad grudzien",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik",
    "januari februari maret april mei juni juli agustus september oktober november desember",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "januar februar marts april maj juni juli august september oktober november december",
    "januar februar mars april mai juni juli august september oktober november desember",
    "ledna unora brezna dubna kvetna cervna cervence srpna zari rijna listopadu prosince",
    "leden unor brezen duben kveten cerven cervenec srpen zari rijen listopad prosinec",
    "januar februar marcius aprilis majus junius julius augusztus szeptember oktober november december",
    "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
)
# Finnish is left out of the abbreviations: nobody abbreviates these, and "mar" would be two months.
_FINNISH = "tammi helmi maalis huhti touko kesa heina elo syys loka marras joulu"
_CONTRACTIONS = {"mrz": 3, "agt": 8, "peb": 2, "nop": 11}

_WORD = r"[^\W\d_]+"
_ISO = re.compile(
    r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?:(?:T|\s+)(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)
_EAST_ASIAN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일号號]?")
_YEAR_FIRST = re.compile(r"(?<![\d./-])(\d{4})([./-])\s?(\d{1,2})\2\s?(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d./:-])(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?![\d:])")
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|ª|\.)?\s*(?:-\s*)?(?:of\s+|de\s+|del\s+|d[’'])?({_WORD})\.?,?\s*"
    r"(?:-\s*)?(?:of\s+|de\s+|del\s+)?(\d{4}|['’]\d{2})(?!\d)"
)
_MONTH_FIRST = re.compile(
    rf"({_WORD})\.?\s+(\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\s*,\s*|\s+)(\d{{4}}|['’]\d{{2}})(?![\d:])"
)
_YEAR_WORDS = re.compile(rf"(?<!\d)(\d{{4}})\.?,?\s+({_WORD})\.?\s+(\d{{1,2}})(?!\d)")  # Hungarian, some themes
_SHORT_DAY_FIRST = re.compile(rf"(?<!\d)(\d{{1,2}})[\s-]({_WORD})[\s-](\d{{2}})(?![\d:])")
_UNIX_DATE = re.compile(rf"({_WORD})\s+(\d{{1,2}})\s+\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s+[A-Z]{{3,4}})?\s+(\d{{4}})")
_DIGIT = re.compile(r"\d")
_TIME = re.compile(
    r"(?P<before>上午|下午|午前|午後|오전|오후|晚上|早上|凌晨|中午)?\s*(?<![\d:.])(?P<hour>[01]?\d|2[0-4])\s?"
    r"(?:[:h時点點시]|\.(?=\d\d\s*(?:uhr|[ap]\.?m)))\s?"
    r"(?P<minute>[0-5]\d)(?:[:分분.](?P<second>[0-5]\d))?\s*(?P<after>[ap]\.?\s?m\b\.?)?"
    r"\s*(?P<zone>Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}\b)?",
    re.IGNORECASE,
)
_HOUR_ONLY = re.compile(r"(?<!\d)(1[0-2]|0?[1-9])\s?([ap]\.?m\b)", re.IGNORECASE)
_AFTERNOON = {"下午", "午後", "오후", "晚上"}
_MORNING = {"上午", "午前", "오전", "早上", "凌晨"}
# What stands further on than this belongs to the comment, not to its date line.
_LONGEST = 200
# A page prints a date several times: beside the name, in an attribute, over the answers of one day.
_REMEMBERED = 512
# What parts the text after a date from that before it: "am" before a German date is no morning after its time.
_APART = " | "
# Two-digit years below this are of this century; the web has no older comments.
_PIVOT = 70


def parse_date(text: str, lang: str | None = None) -> str | None:
    """First date in ``text`` as ISO 8601 (``YYYY-MM-DD`` or ``YYYY-MM-DDTHH:MM:SS``), else ``None``.

    ``lang`` (two letters) settles dates such as 02/08/2019: month first in English, day first in any
    other language.  Without it a date that can be read both ways is not read.
    """
    return _parse(text[:_LONGEST], lang) if text else None


@lru_cache(maxsize=_REMEMBERED)
def _parse(text: str, lang: str | None) -> str | None:
    if not _DIGIT.search(text):
        return None
    iso = _ISO.search(text)
    if iso:
        return _from_iso(iso, text)
    found = _find_day(text, lang)
    if found is None:
        return None
    day, rest = found
    return day + _time_of(rest)


def _from_iso(match: re.Match[str], text: str) -> str | None:
    day = _iso_day(int(match[1]), int(match[2]), int(match[3]))
    if day is None:
        return None
    if match[4] is None:
        return day + _time_of(text[match.end() :])
    if int(match[4]) > 23 or int(match[5]) > 59:
        return day
    zone = match[7] or ""
    if zone and zone != "Z" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{day}T{match[4]}:{match[5]}:{min(int(match[6] or 0), 59):02d}{zone}"


def _find_day(text: str, lang: str | None) -> tuple[str, str] | None:
    """The day as ISO 8601 and the text around it, where the time may stand."""
    for pattern, order in _forms(text):
        for match in pattern.finditer(text):
            day = _day_of(match, order, lang)
            if day is not None:
                rest = text[match.end() :] + _APART + text[: match.start()]
                return day, match.group() if pattern is _UNIX_DATE else rest
    return None


def _forms(text: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The forms of dates that may stand in ``text``: some have two marks alike, some a character beyond ASCII."""
    if not text.isascii():
        return _FORMS
    return _ASCII_FORMS if any(text.count(mark) > 1 for mark in "./-") else _WORD_FORMS


# The order of groups in each form: y(ear), m(onth as number), d(ay), M(onth as word), "?" day or month by language.
_FORMS = (
    (_EAST_ASIAN, "ymd"),
    (_YEAR_FIRST, "y-md"),
    (_NUMERIC, "?"),
    (_DAY_FIRST, "dMy"),
    (_MONTH_FIRST, "Mdy"),
    (_YEAR_WORDS, "yMd"),
    (_UNIX_DATE, "Mdy"),
    (_SHORT_DAY_FIRST, "dMy"),
)
_ASCII_FORMS = _FORMS[1:]
_WORD_FORMS = _FORMS[3:]


def _day_of(match: re.Match[str], order: str, lang: str | None) -> str | None:
    if order == "?":
        return _numeric_day(match, lang)
    fields = dict(zip(order, match.groups(), strict=True))
    month = _month(fields["M"]) if "M" in fields else int(fields["m"])
    if not month:
        return None
    return _iso_day(_year(fields["y"]), month, int(fields["d"]))


def _numeric_day(match: re.Match[str], lang: str | None) -> str | None:
    first, mark, second, year = int(match[1]), match[2], int(match[3]), _year(match[4])
    if mark == "." or first > 12:  # with dots the day is first everywhere
        return _iso_day(year, second, first)
    if second > 12:
        return _iso_day(year, first, second)
    if lang is None and first != second:
        return None
    return _iso_day(year, first, second) if lang == "en" else _iso_day(year, second, first)


def _year(printed: str) -> int:
    number = int(printed.lstrip("'’"))
    if number >= 100:
        return number
    return number + (2000 if number < _PIVOT else 1900)


def _iso_day(year: int, month: int, day: int) -> str | None:
    if not 1970 <= year <= 2100:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _time_of(rest: str) -> str:
    """``THH:MM:SS`` with its zone, or the empty string where no time is printed."""
    match = _TIME.search(rest)
    if match is None:
        bare = _HOUR_ONLY.search(rest)
        return f"T{_clock_hour(int(bare[1]), bare[2], None):02d}:00:00" if bare else ""
    hour = _clock_hour(int(match["hour"]), match["after"], match["before"])
    if hour > 23:
        return ""
    zone = match["zone"] or ""
    if zone.upper() in ("UTC", "GMT", "Z"):
        zone = "Z"
    elif zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"T{hour:02d}:{match['minute']}:{match['second'] or '00'}{zone}"


def _clock_hour(hour: int, after: str | None, before: str | None) -> int:
    afternoon = bool(after and after[0] in "pP") or before in _AFTERNOON
    morning = bool(after and after[0] in "aA") or before in _MORNING
    if afternoon and hour < 12:
        return hour + 12
    return 0 if morning and hour == 12 else hour


@lru_cache(maxsize=1024)
def _month(word: str) -> int:
    """Number of the month that a word names, 0 for any other word."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
    folded = folded.replace("ı", "i")
    return _month_table().get(folded, 0)


@lru_cache(maxsize=1)
def _month_table() -> dict[str, int]:
    """Every beginning of a month's name that is long enough and means one month only."""
    whole: dict[str, int] = {}
    starts: dict[str, set[int]] = {}
    for line in _MONTH_NAMES:
        for number, name in enumerate(line.split(), 1):
            folded = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
            whole.setdefault(folded, number)
            for length in range(3, len(folded)):
                starts.setdefault(folded[:length], set()).add(number)
    table = {start: next(iter(numbers)) for start, numbers in starts.items() if len(numbers) == 1}
    finnish = {f"{stem}kuuta": number for number, stem in enumerate(_FINNISH.split(), 1)}
    return table | whole | finnish | _CONTRACTIONS
