"""The text of an archived page whose HTTP header declares a charset.

Usage::

    split_page(page_source(raw), raw.url)

The header counts where the bytes themselves do not say better: after a byte order mark and after valid UTF-8
(archives re-encode pages and leave the header), before what the page declares.
"""

from __future__ import annotations

import codecs
from typing import Final

from spamfilter.files.rawpage import RawPage

__all__ = ["page_source"]

# Browsers read these names as their superset; so do pages rely on it.
_SUPERSETS: Final = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
# A wrong declaration breaks more than a byte here and there; then the page's own words are asked.
_MOST_BROKEN: Final = 0.01
# Bytes that no text has, so that a binary file is still told apart when the page is taken apart.
_CONTROLS: Final = bytes(set(range(32)) - {9, 10, 12, 13, 27})


def page_source(page: RawPage) -> str | bytes:
    """What to give to ``split_page``: the decoded text where the header's charset fits, else the content."""
    content = page.content
    if isinstance(content, str):
        return _whole_characters(content)
    if page.charset is None:
        return content
    codec = _codec(page.charset)
    if codec is None or content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content
    if not codec.startswith("utf-16") and len(content[:8000].translate(None, _CONTROLS)) < len(content[:8000]):
        return content
    if _valid_utf8(content):
        return content
    text = content.decode(codec, "replace")
    return content if text.count("\ufffd") > len(text) * _MOST_BROKEN else text


def _whole_characters(text: str) -> str:
    """``text`` without halves of characters, as JSON cut in the middle of an escape has them; parsers refuse those."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _codec(name: str) -> str | None:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # "hex" and its like are codecs too, but of bytes to bytes.
    return _SUPERSETS.get(found.name, found.name) if found._is_text_encoding else None


def _valid_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
