"""A page without its spam: as text, or in the form it came in.

Usage::

    clean(html_or_text)                         # article, then the comments that are not spam
    page, left = without_spam(html, scored)     # the same HTML, the elements of its spam taken out
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spamfilter.records import Comment, ScoredPage

if TYPE_CHECKING:
    from spamfilter.model import SpamFilter

__all__ = ["clean", "kept_text", "without_spam"]

# An author's line stands right above the comment: name, date and a link or two.
_LINE_ABOVE: Final = 300
# What an element may hold besides the comment's text and still be the comment's own: author, date, "Reply", votes.
_SURPLUS: Final = 160
# From this many characters on a piece of a comment is told from other text.
_TELLING: Final = 12


def clean(source: str | bytes, url: str | None = None, model: SpamFilter | None = None) -> str:
    """The article and the comments that are not spam, as text, blank lines between them.

    ``model`` is the one to judge by (default: the current one).  Raises UnreadablePage for what is no page.
    """
    if model is None:
        from spamfilter import store

        model = store.load()
    return kept_text(model.score_page(source, url))


def kept_text(scored: ScoredPage) -> str:
    """Article and comments of a scored page, without those that are spam."""
    pairs = zip(scored.page.comments, scored.verdicts, strict=True)
    texts = [scored.page.article, *(comment.text for comment, verdict in pairs if verdict.label != "spam")]
    return "\n\n".join(text for text in texts if text)


def without_spam(source: str, scored: ScoredPage) -> tuple[str, int]:
    """``source``, the page's own HTML or text, without its spam; and how many spam comments were not found in it."""
    spam = [comment for comment, _ in scored.spam()]
    if not spam:
        return source, 0
    if scored.page.kind == "text":
        return _cut_text(source, scored)
    kept = [c.text for c, v in zip(scored.page.comments, scored.verdicts, strict=True) if v.label != "spam"]
    return _cut_html(source, spam, [scored.page.article, *kept])


# ---------------------------------------------------------------------------------------------- plain text
def _cut_text(source: str, scored: ScoredPage) -> tuple[str, int]:
    out, at, left, previous = [], 0, 0, scored.page.article_end or 0
    for comment, verdict in zip(scored.page.comments, scored.verdicts, strict=True):
        if comment.start is None or comment.end is None:
            left += verdict.label == "spam"
            continue
        if verdict.label == "spam":
            out.append(source[at : max(at, _begin(source, comment, comment.start, previous))])
            at = max(at, comment.end)
        previous = comment.end
    out.append(source[at:])
    return "".join(out), left


def _begin(source: str, comment: Comment, start: int, previous: int) -> int:
    """Where the comment begins with the line that names its author, if that stands right above."""
    lowest = max(previous, start - _LINE_ABOVE) if previous < start else start
    if not comment.author:
        return start
    at = source.rfind(comment.author, lowest, start)
    if at < 0:
        return start
    return max(lowest, source.rfind("\n", lowest, at) + 1)


# ---------------------------------------------------------------------------------------------- HTML
def _cut_html(source: str, spam: Sequence[Comment], kept: Sequence[str]) -> tuple[str, int]:
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(source)
    guarded = [needle for text in kept if (needle := _squeeze(text)[:200])]
    left = 0
    for comment in spam:
        place = None if tree.body is None else _find(tree.body, comment)
        if place is None:
            left += 1
        else:
            _widen(place, guarded).decompose()
    return tree.html or "", left


@dataclass(slots=True)
class _Place:
    """An element that holds the comment's text, and how many other characters it holds."""

    node: Any
    surplus: int
    named: bool


def _find(body: Any, comment: Comment) -> Any:
    """The smallest element that holds the comment: best one that bears its id, then the tightest."""
    needle = _squeeze(comment.text)
    if not needle:
        return None
    places: list[_Place] = []
    _search(body, needle, comment.id, False, places)
    allowed = max(_SURPLUS, len(needle) // 2) if len(needle) >= _TELLING else 0
    fitting = [place for place in places if place.surplus <= (allowed if not place.named else 2 * _SURPLUS)]
    return min(fitting, key=lambda place: (not place.named, place.surplus)).node if fitting else None


def _search(node: Any, needle: str, wanted: str | None, named: bool, places: list[_Place]) -> None:
    """Collect the deepest elements whose text holds ``needle``."""
    stack = [(node, named)]
    while stack:
        element, within = stack.pop()
        within = within or _bears(element, wanted)
        inside = [child for child in element.iter() if needle in _squeeze(child.text())]
        if inside:
            stack.extend((child, within) for child in reversed(inside))
        else:
            text = _squeeze(element.text())
            if needle in text:
                places.append(_Place(element, len(text) - len(needle), within))


def _bears(element: Any, wanted: str | None) -> bool:
    if not wanted:
        return False
    name = element.attributes.get("id") or element.attributes.get("data-comment-id") or ""
    return bool(name) and (name == wanted or name.endswith(("-" + wanted, "_" + wanted)) or wanted.endswith("-" + name))


def _widen(node: Any, guarded: Sequence[str]) -> Any:
    """The largest element around ``node`` that holds little besides it, and nothing that is to stay."""
    size = len(_squeeze(node.text()))
    while node.parent is not None and node.parent.tag not in ("body", "html"):
        text = _squeeze(node.parent.text())
        if len(text) > size + _SURPLUS or any(other in text for other in guarded):
            break
        node = node.parent
    return node


def _squeeze(text: str) -> str:
    return _SPACE.sub("", text)


_SPACE: Final = re.compile(r"\s+")
