"""Comments of engines that nobody has described: elements of one shape that repeat and look like comments.

Usage::

    nodes = find_shapes(tree)      # [] where nothing repeats like comments do

Elements are candidates by a class, id or schema.org type that speaks of comments, replies, answers or messages.
They are grouped by shape (tag and class or id without its numbers); a group is taken when most of its elements
hold a name and a date, or are typed as comments.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from spamfilter.segment.blocktext import fold
from spamfilter.segment.dates import parse_date
from spamfilter.segment.inside import once

__all__ = ["are_named", "find_shapes", "in_side_column"]

_TYPED = (
    '[itemtype$="schema.org/Comment"], [itemtype$="schema.org/UserComments"], [itemtype$="schema.org/Answer"], '
    '[typeof~="schema:Comment"], [typeof~="sioc:Post"], [role=comment], .u-comment, .p-comment'
)
_HINTS = (
    "[class*=omment], [id*=omment], [class*=omentar], [class*=reply], [class*=respon], [class*=nswer], "
    "[class*=essage], "
    "[class*=post], [id*=post], [class*=msg], [class*=opinion], [class*=beitrag]"
)
_NOUN = r"(?:comments?|kommentare?|comentarios?|commentaires?|commento|komentarz|reply|response|answer|opinion|"
_NOUN += r"feedback|message|msg|post|beitrag|guestbook)"
_SUFFIX = (
    r"(?:item|box|container|wrapper|wrap|block|entry|node|row|single|default|card|reply|post|thread|component|holder|"
    r"inner|main|outer|full|li|element|unit|bubble|view|level|parent|child|list-item|listitem)"
)
_CLASS = re.compile(
    rf"(?:[a-z]{{1,14}}[-_]{{1,2}}){{0,2}}(?:[a-z]{{0,8}})?{_NOUN}(?:[-_]{{0,2}}{_SUFFIX})*[-_]{{0,2}}\d*$",
    re.IGNORECASE,
)
# What style-sheet compilers add: "Comment_root__3fXd9", "comment--x1a2b", "CommentItem-sc-1kd9f", "css-0".
_COMPILED = re.compile(r"(?:_(?:root|base|wrapper|container|item))?(?:__|--|-sc-|_)(?=\w*\d)[\w-]{4,}$", re.IGNORECASE)
_ID = re.compile(rf"(?:[a-z]+[-_])*{_NOUN}[-_a-z]*?[-_]?\d+$|c[-_]?\d{{1,12}}$|p\d{{2,12}}$", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
# Forms, lists of many, side columns: named like comments but never one.
_NEVER = re.compile(
    r"(?:^|[-_\s])(?:(?:recent|latest|newest|popular|related|letzte|neueste|derniers?|ultim)|"
    r"(?:form|respond|widget|count|counter|nav|navigation|sidebar|commentlist|comment-list|comments-list|preview|"
    r"template|popup|modal|closed|disabled|login|commentform)(?:$|[-_\s]))",
    re.IGNORECASE,
)
_NAMES = (
    ".fn, cite, [class*=author i], [class*=user i], [class*=name i], [class*=nick i], [itemprop=author], "
    "[rel=author], .vcard, .by, [class*=poster i], [class*=creator i], [class*=avatar i], [class*=info i], "
    "[class*=meta i], [rel~=nofollow]"
)
_COMMENT_AUTHOR = "[class*=omment][class*=uthor]"
_COMMENT_TEXT = "[class*=omment][class*=ontent], [class*=omment][class*=ody], [class*=omment][class*=ext]"
_COLUMN = re.compile(r"(?:^|\s)(?:widget|sidebar)(?:$|[\s_-])")
# Elements between a list of recent comments and its column.
_FARTHEST_COLUMN = 6
_TAGS = frozenset(("li", "div", "article", "section", "tr", "td", "table", "dl", "dt", "p", "blockquote", "aside"))
# Elements looked at: pages with more hints than this repeat the same few shapes.
_MOST_HINTS = 6_000
# Groups looked into, the largest first.
_MOST_GROUPS = 40
# Members of a group that are looked into, and the share of them that must look like a comment.
_SAMPLE = 8
_ENOUGH = 0.6
# A date line stands in the head of a comment or in its foot; this many characters of each are read for it.
_DATE_REACH = 160
_AGO = re.compile(
    r"\d\s?[^\W\d]+\s(?:ago|geleden|temu|назад|önce|lalu|fa|atrás|sedan|siden)\b"
    r"|\b(?:vor|il y a|hace|há)\s\d+\s[^\W\d]|\d\s?[^\W\d]{1,3}[前전]",
    re.IGNORECASE,
)
# Forum words ("post", "message") name many things: alone they are believed from this many on.
_FEWEST_POSTS = 3


def find_shapes(tree: LexborHTMLParser) -> list[LexborNode]:
    """Elements that repeat and look like comments, in reading order."""
    typed = once(tree.css(_TYPED))
    if typed:
        return typed
    nodes = once(tree.css(_HINTS))[:_MOST_HINTS]
    groups: dict[str, list[int]] = defaultdict(list)
    for position, node in enumerate(nodes):
        shape = _shape(node)
        if shape:
            groups[shape].append(position)
    kept: list[int] = []
    for shape in sorted(groups, key=lambda shape: -len(groups[shape]))[:_MOST_GROUPS]:
        if _are_comments(shape, [nodes[position] for position in groups[shape]]):
            kept.extend(groups[shape])
    return [nodes[position] for position in sorted(kept)]


def are_named(tree: LexborHTMLParser, nodes: list[LexborNode]) -> bool:
    """Whether each of the elements, and nothing else, has one part named as its author's and one as its text."""
    if len(nodes) < _FEWEST_POSTS:
        return False
    return all(len(tree.css(part)) == len(nodes) for part in (_COMMENT_AUTHOR, _COMMENT_TEXT))


def _shape(node: LexborNode) -> str | None:
    tag = node.tag or ""
    if tag not in _TAGS:
        return None
    attributes = node.attributes
    return _named_shape(tag, attributes.get("class") or "", attributes.get("id") or "")


@lru_cache(maxsize=4096)
def _named_shape(tag: str, names: str, mark: str) -> str | None:
    if _NEVER.search(names) or _NEVER.search(mark):
        return None
    for name in names.split():
        name = _COMPILED.sub("", name)
        if _CLASS.match(name):
            return f"{tag}.{_DIGITS.sub('', name)}"
    if mark and _ID.match(mark):
        return f"{tag}#{_DIGITS.sub('', mark)}"
    return None


def _are_comments(shape: str, nodes: list[LexborNode]) -> bool:
    forum = "omment" not in shape and "oment" not in shape
    if forum and len(nodes) < _FEWEST_POSTS:
        return False
    step = max(1, len(nodes) // _SAMPLE)
    sample = nodes[::step][:_SAMPLE]
    if in_side_column(sample[0]):
        return False
    good = sum(_is_comment(node) and not (forum and _is_teaser(node)) for node in sample)
    return good >= len(sample) * _ENOUGH


def in_side_column(node: LexborNode) -> bool:
    """Whether the element stands in a column or a footer, where lists of recent comments are."""
    up = node.parent
    for _ in range(_FARTHEST_COLUMN):
        if up is None:
            return False
        if up.tag in ("aside", "nav", "footer") or _COLUMN.search(up.attributes.get("class") or ""):
            return True
        up = up.parent
    return False


def _is_teaser(node: LexborNode) -> bool:
    """Whether a "post" is a card that leads to another article."""
    return node.css_first("h1 a, h2 a, h3 a, h4 a, a h2, a h3, a h4") is not None


def _is_comment(node: LexborNode) -> bool:
    if node.css_first(_NAMES) is None:
        return False
    if node.css_first("textarea") is not None and node.css_first("p") is None:  # a form to answer with
        return False
    if node.css_first("time, [datetime]") is not None:
        return True
    text = node.text(separator=" ")
    # White space is folded in the ends only: a box around all comments has the text of the page.
    head, tail = fold(text[: 4 * _DATE_REACH])[:_DATE_REACH], fold(text[-4 * _DATE_REACH :])[-_DATE_REACH:]
    if _AGO.search(head) or _AGO.search(tail):
        return True
    return bool(parse_date(head, "en") or parse_date(tail, "en"))
