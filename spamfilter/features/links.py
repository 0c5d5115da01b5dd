"""Links: those in a comment's text, and the one behind its author's name.

Usage::

    link_counts(texts, encode(texts))     # float64, shape (texts, len(LINK_COLUMNS))
    url_signals(urls)           # float64, shape (urls, len(URL_COLUMNS))

Nothing is fetched; only the letters of the address are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Final
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter import compiled
from spamfilter.features.letters import looks_random
from spamfilter.features.wordlists import roots_in
from spamfilter.text import Batch, is_disguised

__all__ = ["LINK_COLUMNS", "URL_COLUMNS", "address", "host_of", "link_counts", "own_host", "url_signals"]

LINK_COLUMNS: Final = (
    "links",
    "link_hosts",
    "link_share",
    "link_deep",
    "link_shortener",
    "link_known",
    "link_odd_tld",
    "anchors",
    "bbcode",
    "bare_domains",
    "handles",
    "phones",
    "emails",
    "link_first",
    "link_last",
    "link_selling",
    "link_crude",
    "link_brands",
)
URL_COLUMNS: Final = (
    "url",
    "url_host_length",
    "url_hyphens",
    "url_digits",
    "url_depth",
    "url_query",
    "url_odd_tld",
    "url_known",
    "url_shortener",
    "url_profile",
    "url_https",
    "url_punycode",
    "url_subdomains",
    "url_page",
    "url_random",
)

_URL: Final = re.compile(r"(?:https?://|www\.)([^\s/<>\"'\]\[(){}|\\,]+)([^\s<>\"'\]\[{}|\\]*)", re.I)
_ANCHOR: Final = re.compile(r"<a\s[^>]{0,500}href|&lt;a\s", re.I)
_BBCODE: Final = re.compile(r"\[/?(?:url|link|img|b|email)\b", re.I)
# A domain written without http:// or www., with one of the endings that are no file extensions.  Behind a blank only
# those endings count that begin no sentence ("Come and see. It was …").
_DOT: Final = r"[.\u2024\u3002]"
_ENDINGS: Final = r"(com|net|org|info|biz|ru|cn|xyz|ly|co\.uk)"
_ALL_ENDINGS: Final = (
    _ENDINGS[:-1] + "|top|online|site|shop|club|vip|live|store|link|click|bet|casino|example|"
    "co|me|io|tv|cc|pw|tk|ml|ga|cf|de|fr|es|it|pl|id|br)"
)
_BARE: Final = re.compile(
    rf"(?<![\w@/-])([\w-]{{2,60}})(?:{_DOT}{_ALL_ENDINGS}|(?:\s{_DOT}\s?|{_DOT}\s){_ENDINGS}|"
    rf"(?:\[\.\]|\(dot\)|\sdot\s){_ALL_ENDINGS})\b(?![(@])(/[^\s<>\"'\]\[{{}}|\\]+)?",
    re.I,
)
# What nearly every such domain has; looked for first, since few texts have it.
_ENDED: Final = re.compile(rf"{_DOT}\s?{_ALL_ENDINGS}\b", re.I)
_HANDLE: Final = re.compile(r"(?<![\w.])@[A-Za-z]\w{3,31}\b|\bt\.me/|\bwa\.me/|\bwhats\s?app\b.{0,20}\d", re.I)
_PHONE: Final = re.compile(r"(?<![\w./=-])\+?\(?\d{1,4}\)?(?:[\s.\-/]?\(?\d{2,4}\)?){2,5}(?![\w/])")
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}|\[email\]", re.I)
#: A phone number has at least this many digits (ITU-T E.164 allows 15; shorter runs are years, dates and prices).
PHONE_DIGITS: Final = 8
#: Characters of the shortest address ("www.a").
SHORTEST: Final = 5

_SHORTENERS: Final = frozenset(
    "bit.ly tinyurl.com goo.gl t.co ow.ly is.gd buff.ly cutt.ly rb.gy shorturl.at adf.ly tiny.cc s.id lnkd.in "
    "t.ly v.gd soo.gd bl.ink short.io rebrand.ly clck.ru vk.cc qps.ru u.to shorte.st ouo.io linktr.ee bit.do "
    "trib.al".split()
)
# Places where people, not shops, have their pages; a link there says little.
_KNOWN: Final = frozenset(
    "wikipedia.org wikimedia.org github.com github.io gitlab.com stackoverflow.com stackexchange.com "
    "serverfault.com superuser.com youtube.com youtu.be vimeo.com flickr.com imgur.com blogspot.com wordpress.com "
    "blogger.com livejournal.com tumblr.com typepad.com medium.com google.com microsoft.com apple.com mozilla.org "
    "python.org facebook.com twitter.com linkedin.com reddit.com amazon.com archive.org nytimes.com bbc.co.uk "
    "theguardian.com arxiv.org gravatar.com about.me bitbucket.org sourceforge.net php.net openid.net "
    "myopenid.com last.fm soundcloud.com goodreads.com pinterest.com instagram.com spotify.com w3.org "
    "gist.github.com".split()
)
_USUAL_TLDS: Final = frozenset(
    "com org net edu gov de fr uk es it nl ch at be se no dk fi pl cz pt br ca au nz jp cn tw kr in ie eu io me "
    "us ru ua il gr hu ro tr mx ar cl id za blog dev app name hk sg my th vn info example".split()
)
_PROFILE: Final = re.compile(r"/(?:users?|profile|members?|u|in|people|author)/|/@|/\d{6,}", re.I)
_RUN: Final = re.compile(r"[a-z]+")
_SECOND_LEVEL: Final = frozenset("co com org net ac gov edu or ne go gob".split())


@lru_cache(maxsize=65536)
def host_of(url: str) -> str:
    """Lower-case host name of an address, without ``www.`` and port; empty if there is none."""
    text = url.strip()
    if "//" not in text:
        text = "//" + text
    try:
        host = (urlsplit(text).hostname or "").lower()
    except ValueError:  # "Invalid IPv6 URL" and the like
        return ""
    return _decoded(host.removeprefix("www."))


def _decoded(host: str) -> str:
    """A host as people read it: its labels in Unicode, where they are written for machines ("xn--…", RFC 3492)."""
    if "xn--" not in host:
        return host
    return ".".join(_label(part) if part.startswith("xn--") else part for part in host.split("."))


#: Characters of a part of a host (RFC 1035); to decode a longer one takes the square of its length.
LONGEST_LABEL: Final = 63


def _label(coded: str) -> str:
    if len(coded) > LONGEST_LABEL:
        return coded
    try:
        return coded[4:].encode("ascii").decode("punycode").lower()
    except (UnicodeError, ValueError, OverflowError):
        return coded


def _pretends(host: str) -> bool:
    """Whether a part of a host can be read as Latin and is not, under an ending in Latin: "аррӏе.com", not "море.рф"
    (the rule by which browsers show such a host as it is coded)."""
    *parts, ending = host.split(".")
    return ending.isascii() and any(map(is_disguised, parts))


def address(url: str | None) -> str | None:
    """The address if it names a host; None for ``#``, ``javascript:…``, ``/user/7``: they lead nowhere outside."""
    return url if url and "." in host_of(url) else None


def registered(host: str) -> str:
    """The part of a host name that somebody registered, by rule of thumb ("a.b.co.uk" → "b.co.uk")."""
    parts = host.split(".")
    keep = 3 if len(parts) > 2 and parts[-2] in _SECOND_LEVEL and len(parts[-1]) == 2 else 2
    return ".".join(parts[-keep:])


def own_host(url: str) -> str:
    """Host name without the name of a place where anybody can have a page ("shoes.blogspot.com" → "shoes")."""
    host = host_of(url)
    site = registered(host)
    return host.removesuffix(site).rstrip(".") if site in _KNOWN else host


def link_counts(texts: Sequence[str], batch: Batch) -> NDArray[np.float64]:
    """Link signals of each text, by ``LINK_COLUMNS``; ``batch`` is the texts encoded."""
    if compiled.kernel is None:
        return _link_counts(texts)
    counts, ask = np.zeros((len(texts), len(LINK_COLUMNS)), np.int64), np.zeros(len(texts), np.uint8)
    hosts = np.empty((len(batch.raw_points) // SHORTEST + 1, 3), np.int64)
    found = compiled.kernel.links(batch.raw_points, batch.raw_starts, cc.patterns(), counts, hosts, ask)
    out = counts.astype(np.float64)
    if found:
        out[:, 2] /= np.maximum(np.diff(batch.raw_starts) - 1, 1)
        _add_hosts(texts, hosts[:found].tolist(), out)
    for i in np.flatnonzero(ask).tolist():
        out[i] = _link_counts([texts[i]])[0]
    return out


def _add_hosts(texts: Sequence[str], places: list[list[int]], out: NDArray[np.float64]) -> None:
    """What the hosts of the addresses say: ``places`` are text, begin and end of each, text by text."""
    for i, group in groupby(places, key=itemgetter(0)):
        facts = [_host_facts(texts[i][a:b]) for _, a, b in group]
        out[i, 1] = len({site for site, _ in facts})
        out[i, _OF_HOST] = np.sum([flags for _, flags in facts], axis=0)


#: Columns that hosts decide.
_OF_HOST: Final = [4, 5, 6, 15, 16, 17]


@lru_cache(maxsize=65536)
def _host_facts(host: str) -> tuple[str, tuple[float, ...]]:
    """Registered name of a host as it stands in a text; is it a shortener, a known place, of an odd ending; pieces of
    names in it by ``ROOTS``."""
    host = host.lower().removeprefix("www.").rstrip(".:;!?")
    site = registered(host)
    known = site in _KNOWN
    odd = site.rpartition(".")[2] not in _USUAL_TLDS
    return site, (site in _SHORTENERS, known, odd, *roots_in(host.removesuffix(site) if known else host))


def _link_counts(texts: Sequence[str]) -> NDArray[np.float64]:
    out = np.zeros((len(texts), len(LINK_COLUMNS)))
    for i, text in enumerate(texts):
        text = text.replace("\0", " ")
        if "." in text or "@" in text or "[" in text or "<" in text or "://" in text:
            _in_text(text, out[i])
        if sum(map(str.isdigit, text[:2000])) >= PHONE_DIGITS:
            out[i, 11] = _phones(text)
    return out


def _in_text(text: str, row: NDArray[np.float64]) -> None:
    low = text.lower()
    if "http" in low or "www." in low:
        _addresses(text, row)
    if "<a" in low or "&lt;a" in low:
        row[7] = len(_ANCHOR.findall(text))
    if "[" in text:
        row[8] = len(_BBCODE.findall(text))
    if "." in text:
        rest = _URL.sub(" ", text) if row[0] else text
        _bare_domains(rest, row)
    if "@" in text or "me/" in low or "app" in low:
        row[10] = len(_HANDLE.findall(text))
        row[12] = len(_EMAIL.findall(text))
    elif "[email]" in low:
        row[12] = low.count("[email]")


def _addresses(text: str, row: NDArray[np.float64]) -> None:
    found = list(_URL.finditer(text))
    if not found:
        return
    facts = [_host_facts(m[1]) for m in found]
    row[0] = len(found)
    row[1] = len({site for site, _ in facts})
    row[2] = sum(len(m[0]) for m in found) / len(text)
    row[3] = sum(len(m[2]) > 1 for m in found)
    row[_OF_HOST] = np.sum([flags for _, flags in facts], axis=0)
    row[13] = found[0].start() < 3
    row[14] = found[-1].end() > len(text) - 3


def _bare_domains(text: str, row: NDArray[np.float64]) -> None:
    """Count domains written without http among the links: they are as long, as deep and as well known."""
    if not _ENDED.search(text) and "[.]" not in text and "dot" not in text.lower():
        return
    linked = row[0] > 0
    for m in _BARE.finditer(text):
        name, ending = m[1], m[2] or m[3] or m[4]
        if ending[0].isupper() and not name[-1].isupper():
            continue  # a sentence that begins without a blank before it
        _, flags = _host_facts(f"{name}.{ending}")
        row[9] += 1
        row[1] += 1
        row[2] += len(m[0]) / len(text)
        row[3] += m[5] is not None
        row[_OF_HOST] += flags
        if not linked:
            row[13] = max(row[13], m.start() < 3)
            row[14] = m.end() > len(text) - 3


def _phones(text: str) -> int:
    plain = _URL.sub(" ", text) if "http" in text or "www." in text else text
    return sum(sum(map(str.isdigit, m[0])) >= PHONE_DIGITS for m in _PHONE.finditer(plain))


def url_signals(urls: Sequence[str | None]) -> NDArray[np.float64]:
    """Signals of the address behind the author's name, by ``URL_COLUMNS``; zeros where there is none."""
    return np.array([_one_url(url or "") for url in urls], np.float64).reshape(len(urls), len(URL_COLUMNS))


@lru_cache(maxsize=65536)
def _one_url(url: str) -> tuple[float, ...]:
    host = host_of(url)
    if not host:
        return (0.0,) * len(URL_COLUMNS)
    site = registered(host)
    _, _, rest = url.partition("//")
    path = "/" + rest.partition("/")[2]
    return (
        1.0,
        np.log1p(len(site)),
        site.count("-"),
        min(sum(map(str.isdigit, site)), 6),
        min(path.rstrip("/").count("/"), 5),
        "?" in path,
        site.rpartition(".")[2] not in _USUAL_TLDS,
        site in _KNOWN,
        site in _SHORTENERS,
        bool(_PROFILE.search(path)),
        url[:6].lower() == "https:",
        _pretends(host),
        max(host.count(".") - site.count("."), 0),
        path.lower().endswith((".html", ".htm", ".php", ".asp", ".aspx")),
        any(map(looks_random, _RUN.findall(f"{host.rpartition('.')[0]}{path.partition('?')[0].lower()}"))),
    )
