"""Bytes of a page to text.

Usage::

    decode_page(b"<meta charset=latin1> caf\\xe9")     # "<meta charset=latin1> café"

A byte order mark counts first, then UTF-8 if the bytes are valid UTF-8 (a stored copy is often re-encoded without
its declaration), then the charset that the page declares, then detection by charset-normalizer.
"""

from __future__ import annotations

import codecs
import re

from spamfilter import compiled
from spamfilter.errors import UnreadablePage

__all__ = ["decode_page", "is_plain"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w:.-]+)""", re.IGNORECASE)
# What opens like this is a page, however many zeros a broken export put into it.
_HTML = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
# A browser looks for the declaration in the first 1,024 bytes; pages in the wild have it later.
_HEAD = 8_000
# Detection reads no more than this: enough for its statistics, and it is the slow path.
_SAMPLE = 60_000
# WHATWG: what pages declare under these names is read as the superset that browsers use.
_SUPERSETS = {"iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252",
              "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932",
              "sjis": "cp932", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "iso-8859-9": "cp1254", "x-gbk": "gb18030",
              "tis-620": "cp874", "iso-8859-11": "cp874", "big5": "big5hkscs"}  # fmt: skip
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"  # 27 opens ISO-2022-JP's escapes
_HIGH = bytes(range(128, 256))
# With at most this share of bytes beyond ASCII the letters are Latin with accents; statistics of so few bytes mislead.
_WESTERN = 0.06
# Files that are no text, by their first bytes, with the name that an error message gives them.
_BINARY = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"\x7fELF", "a program"),
    (b"RIFF", "a media file"),
    (b"wOF", "a font"),
    (b"OggS", "a media file"),
)
# More control characters than this among the first bytes and it is no text in any encoding.
_MOST_CONTROLS = 0.02


def is_plain(data: bytes) -> bool:
    """Whether ``data`` is UTF-8 without a byte order mark, so that the bytes themselves can be parsed.

    Raises UnreadablePage where the bytes are those of another kind of file.
    """
    if any(data.startswith(mark) for mark, _ in _BOMS):
        return False
    _refuse_binary(data)
    return not _wide(data[:_HEAD]) and _is_utf8(data)  # UTF-16 without a mark is also valid UTF-8, full of zeros


def _is_utf8(data: bytes) -> bool:
    if compiled.kernel is not None:
        valid: bool = compiled.kernel.is_utf8(data)
        return valid
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode_page(data: bytes) -> str:
    """``data`` as text.

    Raises UnreadablePage where the bytes are those of another kind of file.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    _refuse_binary(data)
    if _wide(data[:_HEAD]):
        return _detected(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start and error.start >= len(data) - 3:  # cut off inside a character
            return data[: error.start].decode("utf-8")
    declared = _declared(data)
    if declared and not (declared == "utf-8" and not _like_utf8(data)):
        text = data.decode(declared, "replace")
        if text.count("\ufffd") <= len(text) // 100:  # a wrong declaration breaks more than a byte here and there
            return text
    return _detected(data)


def _refuse_binary(data: bytes) -> None:
    head = data[:_HEAD]
    for start, kind in _BINARY:
        if head.startswith(start):
            raise UnreadablePage(f"this is {kind}, not a page; give the HTML or the text of the page instead")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > max(1, len(head) * _MOST_CONTROLS) and not _wide(head) and not _HTML.match(head):
        raise UnreadablePage(
            f"this is binary data ({controls} control bytes in the first {len(head)}), not a page; "
            "give the HTML or the text of the page instead"
        )


def _wide(head: bytes) -> bool:
    """Whether the zero bytes are those of UTF-16 without a mark: nearly all on one side of each pair."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    return max(even, odd) > len(head) * 0.3 and min(even, odd) <= len(head) * 0.02


def _declared(data: bytes) -> str | None:
    match = _DECLARED.search(data[:_HEAD])
    if match is None:
        return None
    name = match[1].decode("ascii", "replace").lower()
    name = _SUPERSETS.get(name, name)
    name = "utf-8" if name == "utf8" else name
    try:
        # "hex" and its like are codecs too, but of bytes to bytes.
        return name if codecs.lookup(name)._is_text_encoding else None
    except (LookupError, ValueError):
        return None


def _like_utf8(data: bytes) -> bool:
    """Whether more of the bytes beyond ASCII spell UTF-8 than do not."""
    sample = data[:_SAMPLE] if any(b > 127 for b in data[:_SAMPLE]) else data
    whole = len(sample.decode("utf-8", "ignore")) - len(sample.translate(None, _HIGH))
    return whole > sample.decode("utf-8", "replace").count("\ufffd")


def _detected(data: bytes) -> str:
    if _wide(data[:_HEAD]):
        little = data[1:_HEAD:2].count(0) > data[:_HEAD:2].count(0)
        return data.decode("utf-16-le" if little else "utf-16-be", "replace")
    mostly = data.decode("utf-8", "replace")
    if mostly.count("\ufffd") <= len(mostly) // 200 and _like_utf8(data):  # UTF-8 with a few broken bytes
        return mostly
    high = len(data) - len(data.translate(None, _HIGH))
    if high <= len(data) * _WESTERN:
        return data.decode("cp1252", "replace")
    from charset_normalizer import from_bytes  # imported late: costs more than segmenting a page

    best = from_bytes(data[:_SAMPLE]).best()
    return data.decode(best.encoding if best else "cp1252", "replace")
