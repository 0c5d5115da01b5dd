"""E-mail and IP addresses of people, taken out of what is stored.

Usage::

    without_personal("write to jo@example.org")      # "write to [email]"
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final, overload

from spamfilter.records import Comment

__all__ = ["anonymous", "without_personal"]

# What scoring reads as an e-mail address too: a comment keeps the signal that it held one.
_EMAIL_MARK: Final = "[email]"
_IP_MARK: Final = "[ip]"
_EMAIL: Final = re.compile(r"(?:mailto:)?(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.I)
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
# The host of a link is a server, not a reader, and says much about spam: it stays.
_IPV4: Final = re.compile(rf"(?<![\w./@-])(?:{_OCTET}\.){{3}}{_OCTET}(?![\w-]|\.\d)")
_IPV6: Final = re.compile(r"(?<![\w:.\[])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){1,7}(?![\w:])", re.I)


@overload
def without_personal(text: str) -> str: ...
@overload
def without_personal(text: None) -> None: ...
def without_personal(text: str | None) -> str | None:
    """``text`` with "[email]" and "[ip]" in the place of addresses; addresses of servers in links stay."""
    if not text:
        return text
    if "@" in text:
        text = _EMAIL.sub(_EMAIL_MARK, text)
    if "." in text:
        text = _IPV4.sub(_IP_MARK, text)
    # Three groups at least, one of them with a letter or four digits: "12:30:45" is a time.
    return _IPV6.sub(lambda m: _IP_MARK if _is_ipv6(m.group()) else m.group(), text) if ":" in text else text


def _is_ipv6(found: str) -> bool:
    groups = [g for g in found.split(":") if g]
    return len(groups) == 8 or ("::" in found and any(not g.isdigit() for g in groups))


def anonymous(comment: Comment) -> Comment:
    """The comment with the addresses in its text, author and author's URL taken out."""
    return dataclasses.replace(
        comment,
        text=without_personal(comment.text),
        author=without_personal(comment.author),
        author_url=without_personal(comment.author_url),
    )
