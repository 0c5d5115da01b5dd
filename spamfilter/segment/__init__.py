"""One page, taken apart: title, article and single reader comments.

Usage::

    page = split_page(html_or_text_or_bytes, url=None)
    page.article, [comment.text for comment in page.comments]

HTML and plain text (a crawler's text record, a browser's "save as text") go through the same call; which of the
two it is shows in ``page.kind``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spamfilter.errors import UnreadablePage

if TYPE_CHECKING:
    from spamfilter.records import Page

__all__ = ["LARGEST_PAGE", "split_page"]

#: Characters (or bytes) that a page may have.  The parser needs up to 25 times the page in memory (measured: 1.3 GB for
#: 53 MB of short paragraphs); a page beyond this is a dump of many pages or an attack.
LARGEST_PAGE = 60_000_000

_OPENS_WITH_TAG = re.compile(r"\s*<(?:!doctype|!--|\?xml|/?[a-z][a-z0-9:-]*[\s/>])", re.IGNORECASE)
_DOCUMENT_TAG = re.compile(r"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:p|div|span|a|li|ul|ol|table|tr|td|br|h[1-6]|article|section|blockquote|em|strong|b|i)\b[^<>]*>",
    re.IGNORECASE,
)
# Characters in which a page's first tag is looked for.
_OPENING = 2_000
# How much of the page is read to tell what it is.
_SAMPLE = 20_000
# Text about HTML quotes a tag here and there; a fragment of HTML has one every few words.
_CHARACTERS_PER_TAG = 150


def split_page(source: str | bytes, url: str | None = None) -> Page:
    """Title, article and comments of one page.

    ``source`` is HTML or plain text; bytes are decoded (byte order mark, UTF-8, declared charset, detection).
    ``url`` is the address of the page, if known: relative links become absolute with it.

    Raises UnreadablePage for what cannot be read at all: empty, binary, or more than LARGEST_PAGE characters.
    Anything else gives a Page with what could be found.
    """
    if len(source) > LARGEST_PAGE:
        raise UnreadablePage(
            f"the page has {len(source):,} characters, more than the {LARGEST_PAGE:,} that are read; "
            "split the file into its pages first"
        )
    data: bytes | None = None
    if isinstance(source, (bytes, bytearray, memoryview)):
        from spamfilter.segment.encoding import decode_page, is_plain

        whole = bytes(source)
        data = whole if is_plain(whole) else None
        # Most pages are known by their first tag; to decode the rest would cost a tenth of parsing it.
        if data is not None and _opens_html(data[: 4 * _OPENING].decode("utf-8", "ignore")):
            from spamfilter.segment.html import split_html

            return split_html(data, url)
        source = decode_page(whole)
    if not source or source.isspace():
        raise UnreadablePage("the page is empty; check how it was fetched or exported")
    if _opens_html(source) or _is_marked_up(source):
        from spamfilter.segment.html import split_html

        return split_html(data or source, url)
    from spamfilter.segment.plain import split_text

    return split_text(source, url)


def _opens_html(text: str) -> bool:
    return bool(_OPENS_WITH_TAG.match(text) or _DOCUMENT_TAG.search(text, 0, _OPENING))


def _is_marked_up(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_TAG.findall(sample)) * _CHARACTERS_PER_TAG > len(sample)
