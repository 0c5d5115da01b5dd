"""What WordPress's exports and its database have in common.

Usage::

    status = approved_status("1")                # "approved"
    who, look = akismet_traces(meta, status)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from spamfilter.labels.decision import Look
from spamfilter.labels.entries import Status
from spamfilter.records import Comment
from spamfilter.segment.blocktext import block_text

__all__ = ["Fields", "akismet_traces", "approved_status", "article_text", "reader_comment"]

Fields = Mapping[str, str | None]

# The column comment_approved (wp_set_comment_status, and wp_trash_post_comments for the last).
_STATUSES: Final[dict[str, Status]] = {
    "1": "approved",
    "0": "pending",
    "spam": "spam",
    "trash": "trash",
    "post-trashed": "trash",
    "approve": "approved",
    "hold": "pending",
}
_BLANK_LINE: Final = re.compile(r"\n[ \t\r]*\n")
# Shortcodes ("[caption id=…]", "[/gallery]") are instructions, not text.
_SHORTCODE: Final = re.compile(
    r"\[/?(?:caption|gallery|embed|audio|video|playlist|su_\w+|vc_\w+|et_\w+)\b[^\]]{0,2000}\]"
)


def approved_status(value: str | None) -> Status | None:
    """What ``comment_approved`` says, or None for a status that no WordPress writes (plugins have their own)."""
    return _STATUSES.get((value or "").strip().lower())


def article_text(content: str | None) -> str | None:
    """The text of a post as a reader sees it; WordPress writes paragraphs as blank lines."""
    if not content or not content.strip():
        return None
    body = LexborHTMLParser(_SHORTCODE.sub(" ", _BLANK_LINE.sub("<p>", content))).body
    return (block_text(body) or None) if body is not None else None


def reader_comment(fields: Fields) -> Comment | None:
    """The comment in the columns of wp_comments; None if its kind is no reader's (order notes, reviews of plugins)."""
    kind = (fields.get("comment_type") or "comment").strip()
    if kind not in ("comment", "pingback", "trackback", "review"):
        return None
    return Comment(
        text=fields.get("comment_content") or "",
        author=fields.get("comment_author") or None,
        author_url=fields.get("comment_author_url") or None,
        date=_date(fields.get("comment_date_gmt")) or fields.get("comment_date"),
        id=fields.get("comment_ID") or fields.get("comment_id"),
        kind="pingback" if kind == "pingback" else "trackback" if kind == "trackback" else "comment",
    )


def _date(gmt: str | None) -> str | None:
    """MySQL's date and time as ISO 8601; "0000-00-00 00:00:00" stands for none."""
    return None if not gmt or gmt.startswith("0000") else gmt.strip().replace(" ", "T") + "+00:00"


def akismet_traces(meta: Fields, status: Status) -> tuple[str | None, Look | None]:
    """Who decided and how, as far as Akismet's notes on the comment tell.

    A person's correction (``akismet_user_result``) is that person's; a status that only repeats ``akismet_result``
    nobody looked at is "automatic".
    """
    if meta.get("akismet_user_result"):
        return meta.get("akismet_user") or None, "shown"
    said = {"true": "spam", "false": "approved"}.get((meta.get("akismet_result") or "").strip())
    return ("akismet", "automatic") if said is not None and said == status else (None, None)
