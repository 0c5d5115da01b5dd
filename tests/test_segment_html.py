"""Article and comments out of HTML: pages written for these tests in the layouts of the engines that they name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamfilter.errors import UnreadablePage
from spamfilter.records import Page
from spamfilter.segment import split_page
from spamfilter.segment.dates import parse_date

PAGES = Path(__file__).parent / "pages"
NAMES = sorted(path.stem for path in PAGES.glob("*.html"))
URL = "https://example.org/p/"


def gold(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    return data


def split(name: str) -> Page:
    return split_page((PAGES / f"{name}.html").read_bytes(), URL)


@pytest.mark.parametrize("name", NAMES)
def test_comments_of_every_engine(name: str) -> None:
    page, expected = split(name), gold(name)
    comments = [comment for comment in page.comments if comment.kind == "comment"]
    assert [comment.text for comment in comments] == [comment["text"] for comment in expected["comments"]]
    for comment, wanted in zip(comments, expected["comments"], strict=True):
        assert comment.author == wanted["author"]
        assert comment.depth == wanted["depth"]
        if wanted["date"]:
            assert (comment.date or "")[:19] == wanted["date"]
        if wanted["url"] and "://" in wanted["url"]:
            assert comment.author_url == wanted["url"]
        assert comment.start is None and comment.end is None


@pytest.mark.parametrize("name", NAMES)
def test_article_title_language_and_engine(name: str) -> None:
    page, expected = split(name), gold(name)
    found, wanted = Counter(page.article.split()), Counter(expected["article"].split())
    assert sum((found & wanted).values()) >= 0.98 * max(sum(found.values()), sum(wanted.values()))
    assert (page.title or "").startswith(expected["title"])
    assert page.lang == expected["lang"]
    assert page.engine == expected["engine"]
    assert page.kind == "html"


def test_pages_cover_engines_and_languages() -> None:
    golds = [gold(name) for name in NAMES]
    assert len({data["engine"] for data in golds}) >= 18
    assert {data["lang"] for data in golds} >= {"en", "de", "fr", "es", "it", "ja"}


def test_pingback_is_kept_apart() -> None:
    pings = [comment for comment in split("wordpress-html5").comments if comment.kind == "pingback"]
    assert [ping.author for ping in pings] == ["Bread at sea, a list of links"]


def test_answers_know_what_they_answer() -> None:
    page = split("wordpress-html5")
    answers = {comment.text.split(",")[0]: comment.parent for comment in page.comments if comment.depth}
    assert answers["Mine died in the first storm. I think the lid was too tight"] == 0
    assert answers["Loosen the lid"] == 1


def test_recent_comments_and_form_do_not_count() -> None:
    page = split("no-comments")
    assert page.comments == ()
    assert "Recent Comments" not in page.article and "Cancel reply" not in page.article


def test_class_names_in_any_case_and_frames_around_comments() -> None:
    item = (
        '<li class="paperCommentContainer"><div class="paperCommentAuthorBox"><p class="paperCommentAuthorName">{0}</p>'
        '<p class="paperCommentSince">since <b>12/2006</b></p></div><div id="comment-{1}" '
        'class="paperCommentMessageContainer"><div class="paperCommentMessage">{2}</div><div class="paperCommentFoot">'
        '<a class="paperCommentUser" href="/u/{1}">{0}</a>, <time datetime="2022-01-26">26 January</time>'
        "</div></div></li>"
    )
    people = [("Ute", 11, "Nobody reads the manual."), ("Bo", 12, "I do, twice a year."), ("Ute", 13, "Liar!")]
    page = split_page("<html><body><ol>" + "".join(item.format(*person) for person in people) + "</ol></body></html>")
    assert [(c.author, c.text) for c in page.comments] == [(name, text) for name, _, text in people]
    assert [(c.date, c.depth) for c in page.comments] == [("2022-01-26", 0)] * 3


NAMELESS = re.compile(r' (?:class|id)="[^"]*"')


def test_comments_are_found_without_any_class_name() -> None:
    found = wanted = others = 0
    for name in NAMES:
        expected = gold(name)
        if expected["kind"] == "thread" or not expected["comments"]:
            continue
        texts = {comment["text"] for comment in expected["comments"]}
        page = split_page(NAMELESS.sub("", (PAGES / f"{name}.html").read_text(encoding="utf-8")), URL)
        hits = sum(comment.text in texts for comment in page.comments)
        found, wanted, others = found + hits, wanted + len(texts), others + len(page.comments) - hits
    assert found >= 0.85 * wanted
    assert others <= 0.1 * wanted


def test_links_of_commenters_are_found_without_any_class_name() -> None:
    source = NAMELESS.sub("", (PAGES / "expressionengine.html").read_text(encoding="utf-8"))
    links = {comment.author: comment.author_url for comment in split_page(source, URL).comments}
    assert links == {comment["author"]: comment["url"] for comment in gold("expressionengine")["comments"]}


def test_lists_of_articles_without_class_names_are_no_comments() -> None:
    item = '<div><a href="/{0}">How the {0}th bridge over the river was built</a><span>Ann</span> May {0}, 2020 10:0{0}</div>'
    article = "<article><h1>T</h1><p>" + "The article goes on and on about its subject. " * 8 + "</p></article>"
    page = split_page("<html><body>" + article + "".join(item.format(n) for n in range(1, 8)) + "</body></html>", URL)
    assert page.comments == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"])
def test_bytes_of_many_encodings(encoding: str) -> None:
    source = (
        '<html><head><meta charset="iso-8859-1"></head><body><p>Grüße an alle im Tal, von uns hier oben.</p></body>'
    )
    assert "Grüße an alle" in split_page(source.encode(encoding)).article


def test_zeros_in_a_page_are_survived() -> None:
    assert "Hello" in split_page(b"<html><body><p>Hello \0\0\0 there, says the page.</p></body></html>").article


@pytest.mark.parametrize(
    "item",
    [
        '<div class="post-card"><h3><a href="/{0}">Post {0}</a></h3><b class="author">A</b> '
        "<time>May {0}, 2020</time><p>Teaser of another article, in a sentence.</p></div>",
        '<li class="latest-comment"><b class="author">A</b> <time>May {0}, 2020</time><p>Teaser of a comment.</p></li>',
        '<aside><div class="comment-item"><b class="author">A</b> <time>May {0}, 2020</time><p>Yes.</p></div></aside>',
    ],
)
def test_teasers_are_no_comments(item: str) -> None:
    article = "<article><h1>T</h1><p>" + "The article goes on and on about its subject. " * 8 + "</p></article>"
    page = split_page("<html><body>" + article + "".join(item.format(n) for n in range(1, 7)) + "</body></html>")
    assert page.comments == ()


def test_permalinks_become_absolute() -> None:
    source = '<ol><li class="comment" id="comment-7"><b class="fn">A</b><a href="#comment-7"><time>x</time></a>'
    page = split_page(source + '<div class="comment-content"><p>Hello there</p></div></li></ol>', URL)
    assert page.comments[0].permalink == URL + "#comment-7"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Written by Ulla on May 5, 2010 at 10:00 am", "Ulla"),
        ("geschrieben von Ulla am 5. Mai 2010", "Ulla"),
        ("Ulla says:", "Ulla"),
        ("Ulla, 05.05.2010 um 10:00", "Ulla"),
        ("By Ulla", "Ulla"),
    ],
)
def test_name_out_of_attribution_line(line: str, name: str) -> None:
    source = f'<ul><li class="comment" id="comment-1"><p class="meta">{line}</p><p>What a day it was.</p></li></ul>'
    assert split_page(f"<html><body>{source}</body></html>").comments[0].author == name


@pytest.mark.parametrize(
    ("printed", "lang", "iso"),
    [
        ("August 2, 2019 at 2:30 pm", None, "2019-08-02T14:30:00"),
        ("2. August 2019 um 14:30 Uhr", None, "2019-08-02T14:30:00"),
        ("2 août 2019 à 14 h 30 min", None, "2019-08-02T14:30:00"),
        ("am 11. Mai 2015, 12:55", None, "2015-05-11T12:55:00"),
        ("2:30 pm, August 2, 2019", None, "2019-08-02T14:30:00"),
        ("2 de agosto de 2019 a las 14:30", None, "2019-08-02T14:30:00"),
        ("2019年8月2日 下午2:30", None, "2019-08-02T14:30:00"),
        ("2 августа 2019 в 14:30", None, "2019-08-02T14:30:00"),
        ("2 sierpnia 2019 o 14:30", None, "2019-08-02T14:30:00"),
        ("Fri, 02 Aug 2019 14:30:00 +0200", None, "2019-08-02T14:30:00+02:00"),
        ("2019-08-02T14:30:00+0000", None, "2019-08-02T14:30:00+00:00"),
        ("02/08/2019", "fr", "2019-08-02"),
        ("02/08/2019", "en", "2019-02-08"),
        ("02/08/2019", None, None),
        ("31/02/2019", "fr", None),
        ("3 days ago", "en", None),
        ("Version 10.11.12 came out", "en", "2012-11-10"),
        ("", None, None),
    ],
)
def test_dates(printed: str, lang: str | None, iso: str | None) -> None:
    assert parse_date(printed, lang) == iso


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252", "utf-16-le"])
def test_bytes_in_any_declared_encoding(encoding: str) -> None:
    declared = f'<meta charset="{encoding}">' if encoding in ("iso-8859-1", "cp1252") else ""
    words = "Wir haben über die Äpfel geredet, und alle möchten Kuchen. " * 8
    source = f"<html lang='de'><head>{declared}</head><body><article><p>{words}</p></article></body></html>"
    assert split_page(source.encode(encoding)).article == words.strip()


def test_undeclared_encoding_is_detected() -> None:
    words = "Сегодня мы говорили о яблоках, и все хотят пирога с корицей и чаем. " * 10
    page = split_page(f"<html><body><article><p>{words}</p></article></body></html>".encode("cp1251"))
    assert page.article == words.strip()


@pytest.mark.parametrize(
    "source", [b"", "", " \n ", b"%PDF-1.7 x", b"\x89PNG\r\n", b"PK\x03\x04abc", b"\x1f\x8b\x08", bytes(range(32)) * 50]
)
def test_what_is_no_page_says_so(source: str | bytes) -> None:
    with pytest.raises(UnreadablePage, match=r"; (give|check)"):
        split_page(source)


def test_script_only_page_is_empty_not_an_error() -> None:
    page = split_page("<html><head><script>render('a < b')</script></head><body><div id='app'></div></body></html>")
    assert page.article == "" and page.comments == ()


@pytest.mark.parametrize("tag", ["html", "body", "head", "article"])
def test_page_that_is_typed_as_a_comment(tag: str) -> None:
    marks = (
        'class="comment u-comment entry-content" id="comment-1" role="comment" itemtype="https://schema.org/Comment"'
    )
    page = split_page(f'<{tag} {marks}><b class="fn">A</b><p>What a long day it has been.</p>')
    assert "long day" in page.article + "".join(comment.text for comment in page.comments)


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td", "ul><li", "blockquote", 'div class="comment"'])
def test_deep_nesting(tag: str) -> None:
    page = split_page("<html><body>" + f"<{tag}>x " * 20_000)
    assert page.kind == "html"


def test_big_page_takes_time_in_line_with_its_size() -> None:
    item = '<li class="comment" id="comment-{0}"><b class="fn">A{0}</b><div class="comment-content">No {0}</div></li>'
    page = split_page("<html><body><ol>" + "".join(item.format(n) for n in range(5_000)) + "</ol></body></html>")
    assert [comment.text for comment in page.comments] == [f"No {n}" for n in range(5_000)]


def test_segmenting_needs_no_heavy_library() -> None:
    code = (
        "import sys; from spamfilter.segment import split_page; "
        "split_page('<article><p>one</p></article>'); split_page(b'<p>caf\\xc3\\xa9</p>'); "
        "print([m for m in ('lxml', 'pandas', 'sklearn', 'scipy', 'charset_normalizer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _pieces() -> st.SearchStrategy[str]:
    tag = st.sampled_from(
        [
            "li",
            "div",
            "p",
            "ul",
            "ol",
            "article",
            "table",
            "tr",
            "td",
            "dl",
            "dt",
            "dd",
            "a",
            "b",
            "time",
            "cite",
            "blockquote",
            "form",
            "script",
            "style",
            "textarea",
            "pre",
        ]
    )
    names = st.sampled_from(["comment", "comment-content", "fn", "children", "entry-content", "post", "message", "c-1"])
    opening = st.builds(lambda t, c, n: f'<{t} class="{c}" id="comment-{n}">', tag, names, st.integers(0, 9))
    plain = st.one_of(tag.map(lambda t: f"</{t}>"), tag.map(lambda t: f"<{t}>"), st.just("<!--"), st.just('"'))
    return st.one_of(opening, plain, st.text(max_size=20))


@settings(max_examples=150, deadline=None)
@given(st.lists(_pieces(), max_size=60))
def test_no_markup_breaks_it(pieces: list[str]) -> None:
    check_any(split_or_none("<html>" + "".join(pieces)))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    check_any(split_or_none(data))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_no_damage_to_a_page_breaks_it(name: str, data: st.DataObject) -> None:
    source = (PAGES / f"{name}.html").read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(source)))
    length = data.draw(st.integers(0, 400))
    inserted = data.draw(st.text(max_size=10))
    check_any(split_or_none(source[:start] + inserted + source[start + length :]))
    check_any(split_or_none(source[: start or 1]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=12))
def test_no_text_in_two_comments(shape: list[tuple[int, bool]]) -> None:
    parts = ["<html><body><article class='entry-content'><p>word-article</p></article><ol>"]
    for number, (closed, reply) in enumerate(shape):
        parts.append(f'<li class="comment" id="comment-{number}"><b class="fn">N{number}</b>')
        parts.append(f'<div class="comment-content"><p>word-{number}</p></div>')
        parts.append("<ol class='children'>" if reply else "")
        parts.append("</li>" * min(closed, 1))
    page = split_page("".join(parts))
    assert sorted(comment.text for comment in page.comments) == sorted(f"word-{n}" for n in range(len(shape)))
    assert "word-article" in page.article and not any(f"word-{n}" in page.article for n in range(len(shape)))


def split_or_none(source: str | bytes) -> Page | None:
    try:
        return split_page(source)
    except UnreadablePage as error:
        assert ";" in str(error)
        return None


def check_any(page: Page | None) -> None:
    if page is None:
        return
    for position, comment in enumerate(page.comments):
        assert comment.text.strip() == comment.text != ""
        assert comment.parent is None or 0 <= comment.parent < position
        assert comment.depth >= 0
