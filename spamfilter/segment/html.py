"""One HTML page to title, article and comments."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from spamfilter import compiled
from spamfilter.records import Comment, Page
from spamfilter.segment.article import read_article, read_title
from spamfilter.segment.blocktext import fold
from spamfilter.segment.comments import placed, read_comments
from spamfilter.segment.engines import BLOGS, FORUMS, FREQUENT, GENERIC, WORDPRESS, WPDISCUZ, Engine
from spamfilter.segment.hints import Names, Sought
from spamfilter.segment.inside import once
from spamfilter.segment.language import guess_language
from spamfilter.segment.rendered import agreed, drop_unseen, read_rendered
from spamfilter.segment.shapes import are_named, find_shapes, in_side_column

__all__ = ["split_html"]

# Names that WordPress gives to a page and to the form under it: where they are, comments too bear names of its kind.
_WORDPRESS_SIGNS = (b"postid-", b"single-post", b"comment-respond")
# Elements looked into to believe that they are comments of an engine.
_SAMPLE = 5
# So many times as many comments as the elements that look like them: then those were something else.
_MUCH_MORE = 1.5
# Characters of the article by which a thread's first post is known.
_OPENING = 200
# A comment shorter than this may be a part of the article by chance ("Thanks").
_SHORT_COMMENT = 30
# Lists within lists; menus have five levels, broken archives of mail a hundred.
_MOST_NESTED = 1_000
_LIST = re.compile(rb"<(/?)(?:ul|ol)\b", re.IGNORECASE)
_ITEM = re.compile(rb"<(/?)li\b", re.IGNORECASE)
_NESTED = re.compile(r"\bcomment\b.*\bdepth-\d")
_NUMBERED_ID = re.compile(r"(?:[a-z]+-)*comment-\d+$")


def split_html(source: str | bytes, url: str | None = None) -> Page:
    """Title, article and comments of an HTML page (text, or bytes in UTF-8); never fails, however broken the markup."""
    data = source if isinstance(source, bytes) else source.encode("utf-8", "replace")
    tree = LexborHTMLParser(_shallow(data))
    lang = _declared_language(tree)
    title = read_title(tree)
    names = Names(data)
    engine, comments = _known(tree, data, names, lang, url)
    if engine is None:
        engine, comments, article = _unknown(tree, names, title, lang, url)
    elif engine.thread:
        article, comments = comments[0].text, _answers(comments)
    else:
        article = read_article(tree, names, engine.article, lambda: _article_by_lines(tree, title))
    return Page(
        title=title,
        article=article,
        comments=tuple(comments),
        lang=lang or guess_language(article),
        url=url,
        engine=(engine.name or None) if engine else None,
    )


def _shallow(data: bytes) -> bytes:
    """``data`` with paragraphs in place of list items where lists are nested deeper than any page needs.

    The standard's algorithm climbs the open elements at every item: 20,000 nested lists took 15 seconds.
    """
    if _list_items(data) < _MOST_NESTED:
        return data
    depth = deepest = 0
    for match in _LIST.finditer(data):
        depth += -1 if match[1] else 1
        deepest = max(deepest, depth)
    if deepest <= _MOST_NESTED:
        return data
    return _LIST.sub(rb"<\1br", _ITEM.sub(rb"<\1p", data))


def _list_items(data: bytes) -> int:
    if compiled.kernel is None:
        return data.count(b"<li")
    items: int = compiled.kernel.list_items(data)
    return items


def _article_by_lines(tree: LexborHTMLParser, title: str | None) -> str:
    drop_unseen(tree)
    return read_rendered(tree, title, None)[0].article


def _answers(posts: list[Comment]) -> list[Comment]:
    """The posts after the first, which is the article: what answers it stands on the outermost level."""
    answers: list[Comment] = []
    for post in posts[1:]:
        parent = post.parent - 1 if post.parent else None
        answers.append(placed(post, parent, answers[parent].depth + 1 if parent is not None else 0))
    return answers


def _known(
    tree: LexborHTMLParser, source: bytes, names: Names, lang: str | None, url: str | None
) -> tuple[Engine | None, list[Comment]]:
    """The comments by the markup of a known engine, and the engine; (None, []) where none fits for sure."""
    wordpress = b"/wp-content/" in source
    # Most pages are WordPress' own; searching them for the marks of forums would cost as much as parsing them.
    if wordpress and not any(sign in names for sign in WPDISCUZ.signs):
        nodes = _wordpress_nodes(tree)
        if _numbered(nodes):
            comments = read_comments(nodes, WORDPRESS, lang, url)
            if comments:
                return WORDPRESS, comments
    signed = _FORUMS.in_(names.gathered())
    frequent = [engine for engine in signed if engine in FREQUENT and engine.signs[0] in names]
    for engine in frequent or signed:
        comments = _of_engine(tree, engine, lang, url)
        if comments:
            return engine, comments
    nodes = _wordpress_nodes(tree) if b"comment" in names else []
    if nodes and not wordpress:
        for engine in _BLOGS.in_(source):
            comments = _of_engine(tree, engine, lang, url)
            if comments:
                return engine, comments
            nodes = _wordpress_nodes(tree)  # some may have been taken out
    if _numbered(nodes):
        comments = read_comments(nodes, WORDPRESS, lang, url)
        if comments:
            return WORDPRESS, comments
    return None, []


class _Signed:
    """Engines by their signs, all looked for at once."""

    def __init__(self, engines: tuple[Engine, ...]) -> None:
        self._engines = engines
        self._sought = Sought(sign for engine in engines for sign in engine.signs)

    def in_(self, source: bytes) -> list[Engine]:
        """Those that have one of their signs in ``source``, in their order."""
        flags, at, found = self._sought.in_(source), 0, []
        for engine in self._engines:
            if any(flags[at : at + len(engine.signs)]):
                found.append(engine)
            at += len(engine.signs)
        return found


_FORUMS, _BLOGS = _Signed(FORUMS), _Signed(BLOGS)


def _unknown(
    tree: LexborHTMLParser, names: Names, title: str | None, lang: str | None, url: str | None
) -> tuple[Engine | None, list[Comment], str]:
    """Engine, comments and article where no known engine's markup decides.

    Two witnesses: elements that repeat like comments, and what the page prints.
    """
    drop_unseen(tree)
    nodes, engine = _wordpress_nodes(tree) if b"comment" in names else [], WORDPRESS
    shapes = find_shapes(tree)
    if len(shapes) >= len(nodes):
        nodes, engine = shapes, GENERIC
    if not nodes and any(sign in names for sign in _WORDPRESS_SIGNS):
        return None, [], read_article(tree, names, (), lambda: _article_by_lines(tree, title), holds_comments=True)
    if engine is GENERIC and are_named(tree, nodes):
        comments = read_comments(nodes, engine, lang, url)
        return engine, comments, read_article(tree, names, (), lambda: _article_by_lines(tree, title))
    printed, complete = read_rendered(tree, title, url)
    if not nodes and not printed.comments:
        return None, [], read_article(tree, names, (), lambda: printed.article, holds_comments=True)
    if len(nodes) * _MUCH_MORE < len(printed.comments) or (complete and len(nodes) < len(printed.comments)):
        return None, list(printed.comments), _printed_article(tree, names, printed)
    found = read_comments(nodes, engine, lang, url)
    if _is_thread(found, printed):
        return engine, agreed(_answers(found), printed.comments), found[0].text
    comments = agreed(found, printed.comments)
    if len(comments) * _MUCH_MORE < len(printed.comments) or (complete and len(comments) != len(printed.comments)):
        return None, list(printed.comments), _printed_article(tree, names, printed)
    if not comments:
        return None, [], read_article(tree, names, (), lambda: printed.article, holds_comments=True)
    same = len(comments) == len(printed.comments)
    return engine, comments, read_article(tree, names, (), lambda: printed.article, holds_comments=same)


def _is_thread(found: list[Comment], printed: Page) -> bool:
    """Whether the first of the elements is what the lines have for the article: the first post of a thread."""
    if len(found) < 2 or len(found) != len(printed.comments) + 1 or not printed.article:
        return False
    return fold(printed.article)[:_OPENING] in fold(found[0].text)


def _printed_article(tree: LexborHTMLParser, names: Names, printed: Page) -> str:
    """The article of a page whose comments are still in the tree."""
    article = read_article(tree, names, (), lambda: printed.article, holds_comments=True)
    leaked = any(comment.text in article for comment in printed.comments if len(comment.text) > _SHORT_COMMENT)
    return printed.article if leaked else article


def _wordpress_nodes(tree: LexborHTMLParser) -> list[LexborNode]:
    nodes = once(tree.css(WORDPRESS.comment))
    # A list of recent comments stands below the page's own, in a column or a footer.
    if nodes and in_side_column(nodes[-1]) and not in_side_column(nodes[0]):
        nodes = [node for node in nodes if not in_side_column(node)]
    return nodes


def _of_engine(tree: LexborHTMLParser, engine: Engine, lang: str | None, url: str | None) -> list[Comment]:
    """Comments by the markup of ``engine``; none where the page is not of this engine."""
    nodes = once(tree.css(engine.comment))
    text = ", ".join(engine.text)
    if not any(node.css_first(text) is not None for node in nodes[:_SAMPLE]) and not engine.beside:
        return []
    return read_comments(nodes, engine, lang, url)


def _numbered(nodes: list[LexborNode]) -> bool:
    """Whether the elements bear ids ("comment-123") or classes ("depth-1") as WordPress gives them."""
    for node in nodes[:_SAMPLE]:
        attributes = node.attributes
        if _NUMBERED_ID.match(attributes.get("id") or "") or _NESTED.search(attributes.get("class") or ""):
            return True
    return False


def _declared_language(tree: LexborHTMLParser) -> str | None:
    root = tree.root
    attributes = root.attributes if root is not None else {}
    code = attributes.get("lang") or attributes.get("xml:lang") or ""
    code = code.strip().split("-")[0].split("_")[0].lower()
    return code if len(code) == 2 and code.isalpha() else None
