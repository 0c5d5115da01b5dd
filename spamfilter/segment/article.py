"""Article and title of a parsed page whose comments have been taken out.

Usage::

    read_title(tree)
    read_article(tree, Names(source), (), printed)     # takes what is no article out of the tree

The article is where themes say it is (``articleBody``, ``entry-content`` and their kin); where no theme says so,
it is the element that holds most of the page's paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from selectolax.lexbor import LexborHTMLParser, LexborNode

from spamfilter.segment.blocktext import block_text, fold, html_text, may_hide
from spamfilter.segment.hints import Names
from spamfilter.segment.inside import drop, inside, once, outermost

__all__ = ["read_article", "read_title"]

# In the order in which they are trusted; the first that is on the page counts, and of several the longest.
_PLACES = (
    ".entry-content",
    "[itemprop=articleBody]",
    ".td-post-content",
    ".post-content",
    ".postcontent",
    ".entrycontent",
    ".article-content",
    ".article-body",
    ".post-entry",
    ".post-body",
    ".entry",
    ".post_content",
    ".content-inner",
    ".single-content",
    ".storycontent",
    ".e-content",
    ".post .content",
    ".the-content",
    ".blog-content",
    ".article__content",
    ".article__body",
    ".story-body",
    ".gh-content",
    ".body.markup",
    ".asset-content",
    ".field-name-body",
    ".field--name-body",
    "[itemtype$='schema.org/Question'] > * [itemprop=text]",
)
_WORDS = tuple((place, re.findall(rb"[\w-]{4,}", place.encode())[0 if "=" not in place else -1]) for place in _PLACES)
# A heading that links to the front page is the site's name.
_HOME_LINK = "a[href='/'], a[rel=home]"
# An article shorter than this is checked against the rest of the page: it may be a teaser under the same class.
_SHORT = 300
# How much longer the paragraphs elsewhere must be to overrule the theme.
_OVERRULE = 4
# Elements of one kind that are compared; nested ones each repeat the text of those inside.
_MOST_ALIKE = 30
_MOST_PARTS = 400
# Paragraphs shorter than this are labels and captions.
_SHORTEST_PARAGRAPH = 30
# Paragraphs looked at to find the article on pages without a theme.
_MOST_PARAGRAPHS = 5_000
# Characters read in them; nested paragraphs count again.
_MOST_READ = 20_000_000

# The article by its lines counts if this share of its paragraphs stands in the element that holds most paragraphs.
_SAME = 0.5
# Boxes that an article may stand in, and how much longer than its text the text of such a box may be.
_MOST_STEPS = 4
_LITTLE_MORE = 1.35

_JUNK_TAGS = "script, style, form, nav, button, select, noscript, iframe, #jp-post-flair, #toc_container, #comments"
# Class names of what themes and plug-ins put into an article.
_JUNK_CLASSES = frozenset(
    [
        "sharedaddy",
        "jp-relatedposts",
        "wpcnt",
        "addtoany_share_save_container",
        "yarpp-related",
        "shariff",
        "sharing",
        "social-share",
        "share-buttons",
        "post-share",
        "heateor_sss_sharing_container",
        "crp_related",
        "rp4wp-related-posts",
        "adsbygoogle",
        "wp-block-",
        "jetpack-related-posts",
        "navigation",
        "post-navigation",
        "pagination",
        "screen-reader-text",
        "sr-only",
        "visually-hidden",
        "comment-reply-link",
        "tts",
        "vgwort",
        "mb-center",
        "et_social_inline",
        "swp_social_panel",
        "ezoic-ad",
        "adthrive-ad",
        "wpp-list",
        "lwptoc",
        "ez-toc-container",
        "comments-area",
    ]
)
# Share bars, jumps, lists of contents and of other posts by common plug-ins.  The words are common, so a part that
# holds a good share of the article is left in: it is a wrapper named for what stands at its end.
_WIDE_JUNK = re.compile(
    r"share-|sharing|share_|^ssba|dpsp-|jump-to|^wprm-recipe-snippet|related-?posts|related-articles|table-of-contents|"
    r"newsletter|breadcrumb|^addtoany_content|social-icons|post-tags"
)
_SMALL_SHARE = 0.2
_SMALL = 200
_CLASSES = re.compile(r" class=\"([^\"]*)\"")
_PLAIN_NAME = re.compile(r"[\w-]+")
# Around the article where only its outer element is known.
_FRAME = (
    "header, footer, aside, h1, .entry-meta, .post-meta, .postmeta, .postmetadata, .entry-utility, .tags, .post-tags, "
    ".entry-footer, .entry-header, .entry-title, .post-title, .author-box, .author-bio, [class*=related], "
    "[class*=meta-], "
    "[role=navigation], [role=complementary], [class*=sidebar], [class*=advert], .date, #respond"
)


def read_title(tree: LexborHTMLParser) -> str | None:
    """Title of the article: og:title, else the first heading, else the document's title."""
    head = tree.head
    if head is not None:
        meta = head.css_first('meta[property="og:title"]')
        title = fold(meta.attributes.get("content") or "") if meta is not None else ""
        if title:
            return title
    for heading in tree.css("h1")[:_MOST_ALIKE]:
        title = fold(heading.text())
        if title and heading.css_first(_HOME_LINK) is None:
            return title
    element = tree.css_first("title")
    return (fold(element.text()) or None) if element is not None else None


def read_article(
    tree: LexborHTMLParser,
    names: Names,
    places: tuple[str, ...],
    printed: Callable[[], str],
    *,
    holds_comments: bool = False,
) -> str:
    """Text of the article; ``names`` are the page's, ``places`` are selectors of the page's engine, tried first.

    ``printed`` gives the article as told from the lines of the page, which counts where no theme says where it is.
    ``holds_comments`` says that comments may still be in the tree, so that most paragraphs may be theirs.
    """
    for selector in places:
        text = "\n".join(filter(None, (_clean_text(node) for node in outermost(once(tree.css(selector))))))
        if text:
            return text
    themed = _themed(tree, names)
    if themed is not None and len(themed.text()) > _SHORT:
        return _clean_text(themed)
    dense = _widened(_densest(tree))
    if themed is not None and (dense is None or len(dense.text()) < _OVERRULE * len(themed.text())):
        return _clean_text(themed)
    text = printed()
    if text and (dense is None or holds_comments or _stands_in(text, dense)):
        return text
    root = dense if dense is not None else (tree.css_first("article") or tree.css_first("main") or tree.body)
    return _clean_text(root, _FRAME) if root is not None else ""


def _stands_in(text: str, node: LexborNode) -> bool:
    """Whether the lines of ``text`` are those of ``node``: lines alone take a banner's prose for the article's."""
    paragraphs = [line for line in text.split("\n") if len(line) > _SHORTEST_PARAGRAPH]
    inner = fold(node.text())
    known = sum(len(line) for line in paragraphs if line in inner)
    return known >= _SAME * sum(map(len, paragraphs))


def _themed(tree: LexborHTMLParser, names: Names) -> LexborNode | None:
    found = tree.css(_PLACES[0])  # two pages of three have it
    if found:
        return _longest(found)
    for place, word in _WORDS[1:]:
        # Most places are on few pages, and looking for their names costs less than walking the tree.
        if place[0] != "." or word in names:
            found = tree.css(place)
            if found:
                return _longest(found)
    return None


def _longest(nodes: list[LexborNode]) -> LexborNode:
    return nodes[0] if len(nodes) == 1 else max(nodes[:_MOST_ALIKE], key=lambda node: len(node.text()))


def _densest(tree: LexborHTMLParser) -> LexborNode | None:
    """The element that holds most of the text in paragraphs: its children's in full, its grandchildren's half."""
    scores: dict[int, float] = {}
    holders: dict[int, LexborNode] = {}
    read = 0
    for paragraph in tree.css("p, pre, br")[:_MOST_PARAGRAPHS]:
        holder = paragraph.parent
        if holder is None:
            continue
        length = len(paragraph.text()) if paragraph.tag != "br" else _SHORTEST_PARAGRAPH
        read += length
        if length < _SHORTEST_PARAGRAPH:
            continue
        if read > _MOST_READ:
            break
        for weight in (1.0, 0.5):
            if holder is None or holder.tag in ("body", "html"):
                break
            scores[holder.mem_id] = scores.get(holder.mem_id, 0.0) + weight * length
            holders[holder.mem_id] = holder
            holder = holder.parent
    return holders[max(scores, key=scores.__getitem__)] if scores else None


def _widened(node: LexborNode | None) -> LexborNode | None:
    """The outermost element that holds little more than ``node``: an article in several boxes, with its first lines."""
    if node is None:
        return None
    most = _LITTLE_MORE * len(node.text())
    for _ in range(_MOST_STEPS):
        outer = node.parent
        if outer is None or outer.tag in ("body", "html") or len(outer.text()) > most:
            break
        node = outer
    return node


def _clean_text(node: LexborNode, frame: str = "") -> str:
    drop(node, _JUNK_TAGS)
    source = node.html or ""
    # Looking for the names that are there costs much less than searching the article for all that could be.
    sure, wide = _junk_names(frozenset(_CLASSES.findall(source)))
    if sure:
        drop(node, sure)
    wide = ", ".join(filter(None, (wide, frame)))
    if wide:
        _drop_small(node, wide)
    if sure or wide or may_hide(source):
        return block_text(node)
    return html_text(source)


def _junk_names(values: frozenset[str]) -> tuple[str, str]:
    """Selectors of what is junk for sure, and of what is junk unless it is large, among the classes of an article."""
    names = {name for value in values for name in value.split() if _PLAIN_NAME.fullmatch(name)}
    sure = names & _JUNK_CLASSES
    wide = {name for name in names - sure if _WIDE_JUNK.search(name)}
    return _any_of(sure), _any_of(wide)


def _any_of(names: set[str]) -> str:
    return ", ".join(f'[class~="{name}"]' for name in sorted(names))


def _drop_small(node: LexborNode, selector: str) -> None:
    """Take out what matches, unless it holds a good share of the text."""
    limit = max(_SMALL, len(node.text()) * _SMALL_SHARE)
    for part in reversed(inside(node, selector)[:_MOST_PARTS]):
        if len(part.text()) < limit:
            part.decompose()
