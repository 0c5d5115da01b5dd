"""Plain text → article and comments, on pages written for this project and on anything at all."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamfilter.records import Page
from spamfilter.segment.phrases import AFTER, FORM, HEADER, REPLY, SIDEBAR, load_phrases
from spamfilter.segment.plain import split_text

PAGES = Path(__file__).parent / "pages"
NAMES = sorted(path.stem for path in PAGES.glob("plain-*.txt"))


def read(name: str) -> str:
    return (PAGES / f"{name}.txt").read_text(encoding="utf-8")


def check_offsets(text: str, page: Page) -> None:
    """What every result keeps to: slices are exact, trimmed, in order and apart from one another."""
    assert page.kind == "text"
    assert page.article_start is not None
    assert page.article_end is not None
    assert text[page.article_start : page.article_end] == page.article
    assert page.article == page.article.strip()
    end = 0
    for n, comment in enumerate(page.comments):
        assert comment.start is not None
        assert comment.end is not None
        assert text[comment.start : comment.end] == comment.text
        assert comment.text == comment.text.strip() != ""
        assert comment.start >= end
        assert comment.parent is None or 0 <= comment.parent < n
        end = comment.end
        assert comment.end <= page.article_start or comment.start >= page.article_end or not page.article


@pytest.mark.parametrize("name", NAMES)
def test_page(name: str) -> None:
    text, gold = read(name), json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    page = split_text(text)
    check_offsets(text, page)
    assert page.title == gold["title"]
    assert page.article == gold["article"]
    assert page.article_start == gold["article_start"]
    found = [(c.author, c.date, c.depth, c.kind, c.start, c.end, c.text) for c in page.comments]
    keys = ("author", "date", "depth", "kind", "start", "end", "text")
    assert found == [tuple(c[key] for key in keys) for c in gold["comments"]]


ARTICLE = "The weir was rebuilt in the spring, stone by stone, and the old mill turns again since then.\n" * 4


def test_numbered_links_as_lynx_prints_them() -> None:
    comments = [("Ann", "I walked past it on Sunday.\nThe wheel is quieter than it was."), ("Bo", "Who paid for it?")]
    blocks = "".join(f"[{n + 9}]{name} says:\nMay {n}, 2012 at 1:02 pm\n{text}\n[{n + 19}]Reply\n" for n, (name, text) in
                     enumerate(comments, 1))  # fmt: skip
    menu = "".join(f"[{n}]Page {n}\n" for n in range(1, 10))
    links = "\nReferences\n\n" + "".join(f"{n}. https://example.org/{n}\n" for n in range(1, 30))
    text = f"The weir\n{menu}\nThe weir\n{ARTICLE}\n2 Comments\n{blocks}{links}"
    page = split_text(text)
    check_offsets(text, page)
    assert [(c.author, c.text) for c in page.comments] == comments
    assert page.article == ARTICLE.strip()


def test_links_of_markdown() -> None:
    menu = "".join(f"  * [Page {n}](https://example.org/{n})\n" for n in range(1, 9))
    block = "![](https://example.org/a.png) [**{0}**](https://{0}.example/) says:\n\n[May {1}, 2012 at 1:02 pm](#c{1})\n\n{2}\n\n"
    people = [("Ann", 1, "I walked past it on Sunday."), ("Bo", 2, "Who paid for it?")]
    text = f"# The weir\n\n{menu}\n# The weir\n\n{ARTICLE}\n## 2 Comments\n\n" + "".join(
        block.format(*person) + "[Reply](#r)\n\n" for person in people
    )
    page = split_text(text)
    check_offsets(text, page)
    assert [(c.author, c.text) for c in page.comments] == [(name, words) for name, _, words in people]


def test_name_above_and_date_below_the_text() -> None:
    people = [
        ("Ann", "I walked past it on Sunday."),
        ("Bo", "Who paid for it?\nNot the town, I hope."),
        ("Ann", "We did."),
    ]
    blocks = "".join(
        f"{name} said...\n{words}\nMay {n}, 2012 at 1:02 pm\n" for n, (name, words) in enumerate(people, 1)
    )
    page = split_text(f"The weir\n{ARTICLE}\n3 comments:\n{blocks}")
    assert [(c.author, c.text) for c in page.comments] == people


def test_signatures_of_forum_members_are_left_out() -> None:
    post = "{0}\nMember\nJoined: May 2010\nPosts: 12\n#{1}\nMay {1}, 2012, 1:02 pm\n{2}\n{3}\nQuote\n"
    words = [
        "The wheel turns again since May.",
        "Who paid for it, if I may ask?",
        "We did, all of us.",
        "Well done then.",
    ]
    names = ["Ann", "Bo", "Ann", "Bo"]
    sign = {
        "Ann": "Ann of the mill, who has kept it since her childhood",
        "Bo": "Sent from a barge, so mind the spelling of it",
    }
    text = "The weir\nA thread of the forum about mills and their weirs\n" + "".join(
        post.format(n, i, w, sign[n]) for i, (n, w) in enumerate(zip(names, words, strict=True), 1)
    )
    page = split_text(text)
    check_offsets(text, page)
    assert [page.article, *(c.text for c in page.comments)] == words


def test_dated_titles_are_no_comments() -> None:
    titles = "".join(
        f"Ann\nMay {n}, 2012 at 1:02 pm\nHow the bridge number {n} over the river was built\n" for n in range(1, 8)
    )
    assert split_text(f"The weir\n{ARTICLE}\n{titles}").comments == ()


def test_what_themes_print_below_an_article_is_not_in_it() -> None:
    tail = "Share this Twitter Facebook\nmills\nrivers\nold towns\n"
    box = "Ann Miller\nAnn writes about mills and walks along rivers when she can.\n"
    for below in (tail, box, "mills\nrivers\nweirs\n"):
        text = f"The weir\nThe weir\nBy Ann Miller\n{ARTICLE}{below}3 Comments\nBo says:\nMay 3, 2012 at 1:02 pm\nGood to know.\n"
        assert split_text(text).article == ARTICLE.strip()


@pytest.mark.parametrize("name", NAMES)
def test_windows_line_ends_and_indents_change_nothing(name: str) -> None:
    page = split_text(read(name))
    text = read(name).replace("\n", "\r\n")
    windows = split_text(text)
    check_offsets(text, windows)
    assert [c.author for c in windows.comments] == [c.author for c in page.comments]
    assert [c.text.split() for c in windows.comments] == [c.text.split() for c in page.comments]
    indented = split_text("".join(f"   {line}\n" for line in read(name).split("\n")))
    assert [c.text.split() for c in indented.comments] == [c.text.split() for c in page.comments]


def test_answers_know_what_they_answer() -> None:
    comments = split_text(read("plain-wordpress-lynx")).comments
    assert [c.parent for c in comments] == [None, 0, None]


COMMENTS = [
    "I disagree.",
    "We went there in May and it was mostly closed.",
    "A longer one, which goes on\n    over two lines and a half, and\n    ends here.",
    "First of all:\n\n    the second paragraph.",
]


@pytest.mark.parametrize("header", ["One Reply to “T”", "1 thought on “T”", "1 Response to T", "1 Comment"])
@pytest.mark.parametrize("comment", COMMENTS)
def test_one_numbered_comment_without_author(header: str, comment: str) -> None:
    before = read("plain-wordpress-anonymous").split("2 Replies")[0] + header.replace("T", "Why", 1) + "\n\n  1. "
    text = f"{before}{comment}\n\nLeave a Reply"
    page = split_text(text)
    check_offsets(text, page)
    assert [(c.start, c.text) for c in page.comments] == [(len(before), comment)]


def test_a_list_within_a_comment_is_not_split() -> None:
    before = read("plain-wordpress-anonymous").split("2 Replies")[0]
    text = (
        f"{before}2 thoughts on “Why”\n\n  1. Two reasons:\n     1. cost\n     2. noise\n\n  2. Yes.\n\nLeave a Reply"
    )
    assert [c.text for c in split_text(text).comments] == ["Two reasons:\n     1. cost\n     2. noise", "Yes."]


# One small page per language: header, NAME says, date, reply link, form, sidebar.
LANGUAGES = {
    "en": ("2 Comments", "{} says:", "May 3, 2012 at 12:30 pm", "Reply", "Leave a Reply", "Recent Comments"),
    "de": (
        "2 Gedanken zu „Titel“",
        "{} schreibt:",
        "3. Mai 2012 um 12:30 Uhr",
        "Antworten",
        "Kommentar verfassen",
        "Archiv",
    ),
    "fr": (
        "2 réflexions sur « Titre »",
        "{} a dit :",
        "3 mai 2012 à 12:30",
        "Répondre",
        "Laisser un commentaire",
        "Archives",
    ),
    "es": (
        "2 comentarios",
        "{} dijo:",
        "3 mayo, 2012 a las 12:30",
        "Responder",
        "Deja un comentario",
        "Comentarios recientes",
    ),
    "pt": (
        "2 comentários em “Título”",
        "{} disse:",
        "3 de maio de 2012 às 12:30",
        "Responder",
        "Deixe um comentário",
        "Arquivos",
    ),
    "it": (
        "2 commenti",
        "{} ha detto:",
        "3 maggio 2012 alle 12:30",
        "Rispondi",
        "Lascia un commento",
        "Commenti recenti",
    ),
    "nl": (
        "2 reacties op “Titel”",
        "{} schreef:",
        "3 mei 2012 om 12:30",
        "Beantwoorden",
        "Geef een reactie",
        "Archieven",
    ),
    "pl": ("2 komentarze", "{} pisze:", "3 maja 2012 o 12:30", "Odpowiedz", "Dodaj komentarz", "Najnowsze komentarze"),
    "ru": ("2 комментария", "{} говорит:", "3 мая 2012 в 12:30", "Ответить", "Добавить комментарий", "Архивы"),
    "tr": ("“Başlık” için 2 yorum", "{} dedi ki:", "3 Mayıs 2012, 12:30", "Yanıtla", "Bir cevap yazın", "Son yorumlar"),
    "id": (
        "2 tanggapan untuk “Judul”",
        "{} berkata:",
        "3 Mei 2012 pukul 12:30",
        "Balas",
        "Tinggalkan Balasan",
        "Arsip",
    ),
    "ja": ("2件のコメント", "{} より:", "2012年5月3日 12:30", "返信", "コメントを残す", "最近のコメント"),
    "zh": ("2 条评论", "{} 说道:", "2012年5月3日 12:30", "回复", "发表评论", "近期评论"),
}
PROSE = {
    "ja": "先週の日曜日に川まで歩いて行きました。風が強くて、帽子が二回も飛ばされました。景色はきれいでした。",
    "zh": "上个星期天我们一直走到河边。风很大,帽子被吹走了两次。但是那里的风景非常漂亮,我们还会再去。",
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_languages(lang: str) -> None:
    header, says, date, reply, form, sidebar = LANGUAGES[lang]
    prose = PROSE.get(
        lang, "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt. "
    )
    texts = ["Ipsum quia dolor sit amet.", "Neque porro quisquam est, qui dolorem.\nNulla pariatur!"]
    paragraph = (prose * 2).strip()
    parts = ["Lorem", *[paragraph] * 3, header]
    for name, comment in zip(("Aurelia", "Bo T."), texts, strict=True):
        parts += [says.format(name), date, comment, reply]
    parts += [form, "*", sidebar, "Lorem"]
    page = split_text("\n".join(parts))
    assert [c.text for c in page.comments] == texts
    assert [c.author for c in page.comments] == ["Aurelia", "Bo T."]
    assert all(c.date == "2012-05-03T12:30:00" for c in page.comments)
    assert page.article == "\n".join([paragraph] * 3)
    assert page.lang == lang


def test_phrases_load_quickly_and_know_their_kinds() -> None:
    load_phrases.cache_clear()
    begin = time.process_time()
    phrases = load_phrases()
    assert time.process_time() - begin < 0.15  # ten times what it takes: a shared machine is slow at times
    kinds = {"24 Comments": HEADER, "Reply »": REPLY, "LEAVE A REPLY": FORM, "Neueste Beiträge": SIDEBAR}
    kinds |= {"Kommentare (3)": HEADER, "Tags: a, b, c": AFTER, "[ Antworten ]": REPLY}
    assert {line: phrases.kind_of(line)[0] & kind for line, kind in kinds.items()} == kinds
    assert phrases.kind_of("He left a reply on my desk.") == (0, None)


@pytest.mark.parametrize(
    "text", ["", "\n", " \t\r\n\x00", "\ufeff", "x", "1.", "Comments", "#1", "Reply\nReply", "\ud800"]
)
def test_next_to_nothing(text: str) -> None:
    page = split_text(text)
    check_offsets(text, page)
    assert page.comments == ()


def test_a_page_cut_off_at_an_attribution() -> None:
    names = ["Anna", "Bo", "Cleo", "Dan"]
    whole = "".join(
        f"May {n}, 2012 at 1:0{n} pm\n{name}\nI have said this for {n} years, and now it is so.\nReply\n"
        for n, name in enumerate(names, 1)
    )
    text = f"4 Comments\n{whole}May 9, 2012 at 1:02 pm"
    page = split_text(text)
    check_offsets(text, page)
    assert [c.author for c in page.comments] == names
    assert all(c.text.startswith("I have said this") for c in page.comments)


def test_the_same_words_under_every_name_are_comments_too() -> None:
    spam = "Buy our watches, they are cheap."
    parts = [f"{name} says:\nMay {n}, 2012 at 1:0{n} pm\n{spam}\nReply" for n, name in enumerate("ABCDE", 1)]
    text = "\n".join(["5 Comments", *parts, "Leave a Reply"])
    page = split_text(text)
    check_offsets(text, page)
    assert [c.text for c in page.comments] == [spam] * 5


PIECES = st.sampled_from(
    [line for name in NAMES for line in read(name).split("\n")]
    + [
        "3 Comments",
        "Leave a Reply",
        "Bob says:",
        "May 3, 2012 at 1:02 pm",
        "#3",
        "  2. ",
        "",
        "Reply",
        "– Bo",
        "Share",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    check_offsets(text, split_text(text))


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=60), st.sampled_from(["\n", "\r\n", "\n\n   ", "\r", "\u2028"]))
def test_shuffled_lines(pieces: list[str], separator: str) -> None:
    text = separator.join(pieces)
    check_offsets(text, split_text(text))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_mutated_pages(name: str, data: st.DataObject) -> None:
    text = read(name)
    for _ in range(data.draw(st.integers(1, 4))):
        low = data.draw(st.integers(0, len(text)))
        high = data.draw(st.integers(low, min(len(text), low + 200)))
        text = text[:low] + data.draw(st.text(max_size=8)) + text[high:]
    check_offsets(text, split_text(text))


@pytest.mark.parametrize(
    "piece",
    [
        "Bob says:\nMay 3, 2012 at 1:02 pm\nSome words here.\nReply\n",
        "1. x\n",
        "May 3, 2012\n",
        "3 Comments\n",
        "word " * 50,
        "1" * 50,
        "#1\n",
        "Leave a Reply\nName\n",
        "– Bo\nMay 3, 2012\nShare\nanswered May 3, 2012\n",
        "    " * 30 + "2. a\n",
    ],
)
def test_time_is_linear(piece: str) -> None:
    """Ten times the text takes at most some thirty times the time (ten, and noise)."""

    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        best = 1e9
        for _ in range(2):
            begin = time.process_time()
            check_offsets(text, split_text(text))
            best = min(best, time.process_time() - begin)
        return best

    seconds(2_000)
    assert seconds(200_000) < 30 * max(seconds(20_000), 0.005)
