"""Comment elements of a parsed page to comments.

Usage::

    nodes = tree.css(engine.comment)
    comments = read_comments(nodes, engine, lang="en", url=None)     # takes the elements out of the tree

Comments are read last to first and each is taken out of the tree once read: an answer is gone before the comment
that holds it is read, so no text can stand in two comments, and what is left for the article holds none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from spamfilter.records import Comment, CommentKind
from spamfilter.segment.blocktext import block_text, fold, html_text, may_hide
from spamfilter.segment.dates import parse_date
from spamfilter.segment.engines import Engine
from spamfilter.segment.hints import Hinted, Named
from spamfilter.segment.inside import Enclosing, drop, enclosing, inside, once, outermost

__all__ = ["address", "placed", "read_comments"]

# Attributes that hold a date in full where the text is "5 years ago".
_STAMPS = ("datetime", "content", "data-tippy-content", "data-original-title")
# Comments read before selectors without any hit are put last.
_KNOWN_AFTER = 2
# Comments without any hit before the search is given up on the page: links to comments, dates of dateless themes.
_GIVEN_UP_AFTER = 6
# Elements of one kind that are looked at within one comment.
_MOST_HITS = 200
# Elements looked into to tell repeated parts of a comment from answers; the theme does the same on the rest.
_FEW = 20
_MOST_LOOKS = 100
_ANY_NAME = ".fn, cite, [class*=author], [class*=user], [class*=name], [itemprop=author], h3, h4"
# An author's name is a line, not a paragraph.
_LONGEST_NAME = 120
# A date as printed ("3 days ago", "yesterday at noon"); what is longer is no date line.
_LONGEST_DATE = 60
# Verbs that follow the name in the attribution line of a theme.
_SAYS = re.compile(
    r"\s*(?:\b(?:says|said|wrote|writes|sagt|sagte|schreibt|schrieb|meint|meinte|kommentierte|dit|a dit|a écrit|écrit|"
    r"dice|dijo|comentó|escribió|disse|diz|scrive|ha scritto|ha detto|zegt|schreef|schrijft|pisze|napisał|napisała|"
    r"пишет|говорит|dedi ki|diyor ki|dedi|berkata|より|さんより|说道?|說道?)\s*(?:on\b.*|\.{3}|…)?)?[:,：]?\s*$",
    re.IGNORECASE,
)
_BY = re.compile(
    r"^(?:(?:(?:comment |reply |posted |written |added )?(?:by|from)|von|par|por|da|door|geschrieben von|escrito por"
    r"|от)"
    r"(?::\s*|\s+)|posted:\s*|(?:name|author|autor|auteur|autore|имя|автор)\s*:\s*)",
    re.IGNORECASE,
)
_ON_DATE = re.compile(
    r"(?:\s+(?:on|am|le|el|em|il|op|den|vom|at|um|dnia|tarihinde|pada)\s+(?=(?:[^\W\d]+[.,]?\s+){0,2}\d)"
    r"|\s+(?=\d|[A-Z][a-z]{2,8}\.?\s+\d{1,2},?\s+\d{4})|\s*[,|·•–—@-]\s*(?=(?:[^\W\d]+[.,]?\s+){0,2}\d)).*$"
)
# Signs that an author's element holds more than a name.
_NO_NAME = re.compile(r"[\d:：,|•·–—\n]|^-|-$")
_NICKNAME = re.compile(r"[^\W\d][\w.@]*(?:-\w+)*")
_MOST_WORDS = 4
_LONGEST_PLAIN_NAME = 40
_NUMBER = re.compile(r"\s*\(\s*\d+\s*\)\s*$|\s*\[[^\[\]]{1,20}\]\s*$")  # the member's number, or [Visitor]
_POSITION = re.compile(r"^#?\d{1,4}[.):]?\s+(?=[^\W\d]\D*$)")  # the comment's number before its author
_SAYS_ELEMENT = re.compile(r"<time\b.*?</time>|<(\w+)[^>]*\bclass=\"[^\"]*\bsays\b[^\"]*\"[^>]*>.*?</\1>", re.DOTALL)
_PING = re.compile(r"(?:^|[\s_-])(pingback|trackback)(?:$|[\s_-])", re.IGNORECASE)
_PING_NAME = re.compile(r"\s*(pingback|trackback)\b", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_DEPTH = re.compile(r"\b(?:depth|level|indent)-?(\d{1,3})\b")
# A relative date alone: "9 years ago", "vor 3 Tagen", "3 дня назад", "5y".
_AGO = re.compile(
    r"(?:vor|il y a|hace|há)\s(?:\d{1,3}|une?|una?|uma?|ein\w{0,2})\s[^\W\d]{1,9}"
    r"|(?:an?|one|\d{1,3}\+?)\s[^\W\d]{1,9}\.?\s(?:ago|geleden|temu|назад|önce|lalu|fa|atrás|sedan|siden)"
    r"|\d{1,3}(?:y|yrs?|mo|w|d|h|min|hrs?)|\d{1,3}\s?[^\W\d]{1,3}[前전]",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W\d_]{4,}")
# Words of four letters or more in a date: a weekday, a month.
_DATE_WORDS = 2
# Links under a comment, on a line of their own.
_ACTION = re.compile(
    r"[|•·\s]*(?:reply(?: to this comment)?|quote|report|share|like|edit|delete|permalink|link|flag|up ?vote|"
    r"down ?vote|antworten|zitieren|melden|"
    r"teilen|gefällt mir|kommentar melden|répondre|signaler|partager|j[’']aime|responder|denunciar|compartir|"
    r"compartilhar|curtir|me gusta|rispondi|segnala|mi piace|condividi|beantwoorden|reageren|odpowiedz|zgłoś|ответить|"
    r"пожаловаться|поделиться|yanıtla|cevapla|balas|返信|回复|回覆|答复|引用|点赞|답글|loading\.\.\.|wird geladen.*)"
    r"\s*[.»›→↓]?\s*\d*",
    re.IGNORECASE,
)
_NO_PAGE = ("#", "javascript:", "mailto:")
_ABSOLUTE = ("http://", "https://")


@dataclass(slots=True)
class _Place:
    """Where a comment element stands among the others."""

    node: LexborNode
    mark: str
    names: str
    parent: int | None
    depth: int


class _Source:
    """An element serialised when it is first asked for, and once."""

    def __init__(self, node: LexborNode) -> None:
        self._node = node
        self._html: str | None = None

    @property
    def html(self) -> str:
        if self._html is None:
            self._html = self._node.html or ""
        return self._html


class _Selectors:
    """Selectors tried in order, those first that had hits on the comments read so far."""

    def __init__(self, selectors: tuple[str, ...]) -> None:
        self._hinted = _hinted(selectors)
        self._order = {selector: position for position, selector in enumerate(selectors)}
        self._known: list[str] = []
        self._tries = 0

    def hits(self, node: LexborNode, source: _Source) -> list[LexborNode]:
        """What the first selector with a hit finds inside ``node``, at most a few elements."""
        self._tries += 1
        # After a few comments the page's theme is known, and missing on the rest of the list is what costs time.
        if self._tries > _KNOWN_AFTER:
            for selector in self._known:
                found = inside(node, selector)
                if found:
                    return found[:_MOST_HITS]
            if self._tries > _GIVEN_UP_AFTER and not self._known:
                return []
        for selector in self._hinted.possible(source.html):
            found = inside(node, selector)
            if found:
                if selector not in self._known:
                    self._known = sorted([*self._known, selector], key=self._order.__getitem__)
                return found[:_MOST_HITS]
        return []

    def all_hits(self, node: LexborNode, source: _Source) -> list[LexborNode]:
        """What any selector finds, in the order of the selectors."""
        return [element for selector in self._hinted.possible(source.html) for element in inside(node, selector)]


@lru_cache(maxsize=256)
def _hinted(selectors: tuple[str, ...]) -> Hinted:
    return Hinted(selectors)


def read_comments(nodes: list[LexborNode], engine: Engine, lang: str | None, url: str | None) -> list[Comment]:
    """Comments in reading order; their elements are taken out of the tree."""
    places = _places(nodes, engine)
    reader = _Reader(engine, lang, url)
    found: list[Comment | None] = [None] * len(places)
    for position in range(len(places) - 1, -1, -1):
        place = places[position]
        if engine.beside:
            found[position] = _read_beside(reader, place, engine.beside, engine.comment)
        else:
            found[position] = reader.read(place.node, place)
            place.node.decompose()
    for position in _frames(found, places):
        found[position] = None
    return _renumbered(found, places)


def _frames(found: list[Comment | None], places: list[_Place]) -> list[int]:
    """Elements around one numbered comment each, with its author's portrait: frames, not comments of their own."""
    children: dict[int, list[int]] = {}
    for position, place in enumerate(places):
        if place.parent is not None:
            children.setdefault(place.parent, []).append(position)
    frames = []
    for position, (inner, *others) in children.items():
        outer, comment = found[position], found[inner]
        if others or outer is None or comment is None or outer.author != comment.author:
            continue
        if _DIGITS.search(places[inner].mark) and not _DIGITS.search(places[position].mark):
            frames.append(position)
    return frames


def _read_beside(reader: _Reader, place: _Place, side: str, selector: str) -> Comment | None:
    """Read a comment whose parts stand beside its element, as if they stood in one."""
    node, parts = place.node, []
    if side == "before":
        holder = node.parent
        row = _previous_element(holder) if holder is not None else None
        if row is not None and row.css_first(selector) is not None:  # another comment: not the head of this one
            row = None
        parts = [row, node] if row is not None else [node]
    else:
        part: LexborNode | None = node
        while part is not None:  # later comments are gone already, so what follows belongs to this one
            parts.append(part)
            part = part.next
    whole = LexborHTMLParser("".join(part.html or "" for part in parts)).body
    for part in reversed(parts):
        part.decompose()
    return reader.read(whole, place) if whole is not None else None


def _previous_element(node: LexborNode) -> LexborNode | None:
    before = node.prev
    while before is not None and not before.is_element_node:
        before = before.prev
    return before


class _Reader:
    """Reads comments of one page; remembers which selectors its theme uses."""

    def __init__(self, engine: Engine, lang: str | None, url: str | None) -> None:
        self._authors = _Selectors(engine.author)
        self._dates = _Selectors(engine.date)
        self._texts = _Texts(engine)
        self._links = _Selectors(engine.permalink)
        self._lang = lang
        self._url = url

    def read(self, node: LexborNode, place: _Place) -> Comment | None:
        """The comment in ``node``, or None where it has no text."""
        source = _Source(node)  # unchanged until the text is read, which takes parts out
        author, author_url = _author(node, source, self._authors, self._url)
        if author is None and _PING.search(place.names):
            author, author_url = _linked_name(node, self._url)
        dates = self._dates.hits(node, source)[:_FEW]
        date, printed = _date(dates, self._lang)
        if date is None and dates and not _DIGITS.search(printed or ""):  # "Permalink" where others have the date
            date, printed = _date(self._dates.all_hits(node, source)[:_FEW], self._lang)
        link = _dated_link(dates[0]) if dates else None
        permalink = _absolute(link, self._url) if link else _permalink(node, source, self._links, self._url)
        if permalink is None and place.mark and self._url:
            permalink = f"{self._url.partition('#')[0]}#{place.mark}"
        kind = _kind(place.names, author)
        text, below = _without_frame(self._texts.read(node, source), author)
        if not text:
            return None
        if date is None and below:
            date = parse_date(below, self._lang)
        return Comment(
            text=text,
            author=author,
            author_url=author_url,
            date=date or printed,
            id=place.mark or None,
            permalink=permalink,
            depth=place.depth,
            kind=kind,
        )


def _renumbered(found: list[Comment | None], places: list[_Place]) -> list[Comment]:
    """Comments with text, their parents numbered among themselves."""
    kept: list[Comment] = []
    number: dict[int, int | None] = {}
    for position, comment in enumerate(found):
        up = places[position].parent
        parent = number.get(up) if up is not None else None
        if comment is None:
            number[position] = parent
            continue
        number[position] = len(kept)
        if parent is None and up is not None:
            if comment.depth:
                comment = placed(comment, None, 0)  # what held it was a wrapper, not a comment
        elif parent is not None:
            comment = placed(comment, parent, kept[parent].depth + 1)
        kept.append(comment)
    return kept


def placed(comment: Comment, parent: int | None, depth: int) -> Comment:
    """``comment`` at another place, in a third of the time that ``dataclasses.replace`` takes."""
    return Comment(
        comment.text,
        comment.author,
        comment.author_url,
        comment.date,
        comment.id,
        comment.permalink,
        depth,
        parent,
        comment.kind,
        comment.start,
        comment.end,
    )


def _places(nodes: list[LexborNode], engine: Engine) -> list[_Place]:
    """Comment elements without the wrappers that repeat one."""
    number: dict[int, int] = {}
    kept: list[_Place] = []
    wrappers, around = _Wrappers(), Enclosing(number)
    for node in once(nodes):
        if node.tag in ("html", "body"):  # typed as a comment by a page of one comment, or by mistake
            continue
        attributes = node.attributes
        mark = attributes.get("id") or attributes.get("data-id") or ""
        holder = node
        for _ in range(engine.holder):
            holder = holder.parent or holder
        # The element that holds a later comment may hold an earlier one too: then answers change as comments are read.
        parent = enclosing(holder, number) if engine.holder else around(node)
        if parent is not None and wrappers.repeats(node, mark, kept[parent].mark):
            number[holder.mem_id] = parent
            continue
        number[holder.mem_id] = len(kept)
        depth = kept[parent].depth + 1 if parent is not None else _printed_depth(node, attributes, engine)
        kept.append(_Place(node, mark, attributes.get("class") or "", parent, depth))
    return kept


class _Wrappers:
    """Tells an element that is a part of the comment around it from one that is an answer to it."""

    def __init__(self) -> None:
        self._answers: dict[str, list[bool]] = {}
        self._looks = 0

    def repeats(self, node: LexborNode, mark: str, outer_mark: str) -> bool:
        inner, outer = _DIGITS.findall(mark), _DIGITS.findall(outer_mark)
        if inner:
            return inner == outer
        if node.tag not in ("div", "article", "section"):
            return False
        # Looking for an author reads all that is nested in the element, so it is done for the first few only.
        known = self._answers.setdefault(_DIGITS.sub("", node.attributes.get("class") or ""), [])
        if len(known) < _FEW and self._looks < _MOST_LOOKS:
            self._looks += 1
            known.append(node.css_first(_ANY_NAME) is None)
            return known[-1]
        return sum(known) * 2 >= len(known)


def _printed_depth(node: LexborNode, attributes: dict[str, str | None], engine: Engine) -> int:
    if engine.indent:
        mark = node.css_first(engine.indent)
        level = (mark.attributes.get("indent") or "0") if mark else "0"
        return int(level) if level.isdigit() else 0
    names = attributes.get("class") or ""
    match = _DEPTH.search(names) if "depth-" in names else None
    return max(0, int(match[1]) - 1) if match and "depth-" in match.group() else 0


def _author(node: LexborNode, source: _Source, selectors: _Selectors, url: str | None) -> tuple[str | None, str | None]:
    found = selectors.hits(node, source)
    named = _first_name(found, url)
    if named[0] is None and found:  # the first selector found an empty element, such as an anchor, or a date
        named = _first_name(selectors.all_hits(node, source), url)
    return named


def _first_name(found: list[LexborNode], url: str | None) -> tuple[str | None, str | None]:
    """Name and link in the first of the elements that holds a name."""
    for element in found[:_FEW]:
        line = fold(element.text())
        if not _is_plain_name(line):
            source = element.html or ""
            if "<time" in source or "says" in source:
                source = _SAYS_ELEMENT.sub("", source)
            line = _name(html_text(source).partition("\n")[0]) or ""
            line = _leading_name(element, line) or line
        if line:
            return line, address(_link_of(element, line), url)
    return None, None


def _leading_name(element: LexborNode, line: str) -> str | None:
    """The name where an author's element also holds a date or a rank glued to it, and the name has its own element."""
    for inner in inside(element, "a, b, strong, cite, span")[:_FEW]:
        name = fold(inner.text())
        if name and len(name) < len(line) and line.startswith(name):
            rest = line[len(name) :]
            # A name goes on after a space; a date or a rank that a theme prints beside it does not.
            return name if not rest[0].isspace() or _is_attribution(rest) else None
    return None


def _linked_name(node: LexborNode, url: str | None) -> tuple[str | None, str | None]:
    """What a pingback links to: themes print no name of an author with it."""
    for element in inside(node, "a[href]")[:_FEW]:
        name = fold(element.text())
        if name:
            return name[:_LONGEST_NAME], address(element.attributes.get("href"), url)
    return None, None


def _is_plain_name(line: str) -> bool:
    """Whether an author's element holds a name and nothing else, as in most themes."""
    words = line.split()
    if not 0 < len(words) <= _MOST_WORDS or len(line) > _LONGEST_PLAIN_NAME:
        return False
    if len(words) == 1 and _NICKNAME.fullmatch(line):
        return True
    if _NO_NAME.search(line):
        return False
    return len(words) == 1 or not (_BY.match(line) or _SAYS.search(line, len(words[0])))


def _name(line: str) -> str | None:
    """The name in an attribution line such as "written by NAME on May 5, 2010 at 10:00"."""
    line = line[:_LONGEST_NAME].strip()
    tail = _ON_DATE.search(line)
    if tail and parse_date(tail.group(), "en"):
        line = line[: tail.start()]
    name = _NUMBER.sub("", _BY.sub("", _SAYS.sub("", line)))
    name = _POSITION.sub("", name.strip(" :,|•·–—-"))
    if _DIGITS.search(name) and parse_date(name, "en"):  # a date where no name was given
        return None
    return name or None


def _link_of(element: LexborNode, name: str) -> str | None:
    if element.tag == "a":
        return element.attributes.get("href")
    inner = element.css_first("a")
    if inner is not None:
        links = [inner] if inner.text(strip=True) == name else inside(element, "a")[:_FEW]
        named = [link for link in links if fold(link.text()) == name]
        if named:
            return named[0].attributes.get("href")
        shown = fold(inner.text())  # a date or "Permalink" beside the name leads to the comment
        return inner.attributes.get("href") if not shown or shown in name or name in shown else None
    outer = element.parent
    return outer.attributes.get("href") if outer is not None and outer.tag == "a" else None


def address(link: str | None, url: str | None) -> str | None:
    """A link as an address, absolute if the page's is known; None for one that leads nowhere."""
    link = (link or "").strip()
    if not link or link.lower().startswith(_NO_PAGE):
        return None
    if not url or link.startswith(_ABSOLUTE):  # most are: to join them costs as much as to read the comment's date
        return link
    try:
        return urljoin(url, link)
    except ValueError:  # such as a broken IPv6 address: keep what is printed
        return link


def _dated_link(element: LexborNode) -> str | None:
    """The link on a date, which leads to the comment in most themes."""
    if element.tag != "a":
        outer = element.parent
        if outer is None or outer.tag != "a":
            return None
        element = outer
    return (element.attributes.get("href") or "").strip() or None


def _permalink(node: LexborNode, source: _Source, selectors: _Selectors, url: str | None) -> str | None:
    for element in selectors.hits(node, source)[:_FEW]:
        link = (element.attributes.get("href") or "").strip()
        if link and link != "#":
            return _absolute(link, url)
    return None


def _absolute(link: str, url: str | None) -> str | None:
    """A permalink; one within the page counts too."""
    if link.startswith("#") and url:
        return url.partition("#")[0] + link
    return link if link.startswith("#") else address(link, url)


def _date(elements: list[LexborNode], lang: str | None) -> tuple[str | None, str | None]:
    """The date in ISO 8601 if it can be read, and as printed."""
    printed = ""
    for element in elements:
        attributes = element.attributes
        date = None
        for name in _STAMPS:
            stamp = attributes.get(name)
            date = date or (parse_date(stamp, lang) if stamp else None)
        if date is None:
            text = fold(element.text(separator=" "))
            date = parse_date(text, lang) or parse_date(attributes.get("title") or "", lang)
            printed = printed or text
        if date:
            return date, None
    return None, printed if 0 < len(printed) <= _LONGEST_DATE else None


def _kind(names: str, author: str | None) -> CommentKind:
    # Both words end alike, and hardly any comment's classes hold them: to look for the end costs a tenth of the search.
    match = (_PING.search(names) if "back" in names.lower() else None) or _PING_NAME.match(author or "")
    if match is None:
        return "comment"
    return "pingback" if match[1].lower() == "pingback" else "trackback"


class _Texts:
    """Reads the commenter's words."""

    def __init__(self, engine: Engine) -> None:
        self._selectors = _Selectors(engine.text)
        self._junk = Named(engine.junk)

    def read(self, node: LexborNode, source: _Source) -> str:
        found = self._selectors.hits(node, source)
        if not found:
            found = inside(node, "p")
        if len(found) > 1:
            found = outermost(found)
        if len(found) == 1:
            return self._clean(found[0])
        return "\n".join(filter(None, map(self._clean, found)))

    def _clean(self, element: LexborNode) -> str:
        source = element.html or ""
        inner = source[source.find(">") :]  # inside the element, not its own tag
        junk = self._junk.possible(inner) if "=" in inner else []  # words without any attribute hold no junk
        if junk:
            drop(element, ", ".join(set(junk)))
            source = element.html or ""
        if may_hide(source):
            return block_text(element)
        return html_text(source)


def _without_frame(text: str, author: str | None) -> tuple[str, str]:
    """``text`` without the attribution line that a theme puts before it and the links that it puts after it.

    Also the date line that stood below it, if one did.
    """
    lines = text.split("\n")
    below = ""
    while len(lines) > 1 and (_ACTION.fullmatch(lines[-1]) or _is_date_line(lines[-1])):
        below = lines.pop()
    if author and len(lines) > 1 and lines[0].startswith(author) and _is_attribution(lines[0][len(author) :]):
        del lines[0]
        if len(lines) > 1 and len(lines[0]) <= _LONGEST_DATE and _is_attribution(lines[0]):
            del lines[0]
    if author and len(lines) > 1 and lines[-1].startswith(author):
        rest = lines[-1][len(author) :]  # nothing: a name alone is how people sign
        if rest and _is_attribution(rest):
            below = lines.pop()
    return "\n".join(lines), below


def _is_date_line(line: str) -> bool:
    """Whether a line is a date and no more than a link besides it: "2015-03-12 14:05 • Reply to this comment"."""
    if len(line) > _LONGEST_DATE or not _DIGITS.search(line):
        return False
    head, _, rest = line.partition("•") if "•" in line else line.partition("|")
    if _AGO.fullmatch(head.strip()):
        return True
    return parse_date(head, "en") is not None and len(_WORDS.findall(head)) <= _DATE_WORDS and len(rest.split()) < 5


def _is_attribution(rest: str) -> bool:
    """Whether what follows the name is nothing, a verb of saying or a date."""
    rest = rest.strip(" :,|•·–—-")
    if not rest:
        return True
    if _AGO.fullmatch(rest):
        return True
    return len(rest) <= _LONGEST_DATE and (parse_date(rest, "en") is not None or not _SAYS.sub("", " " + rest))
