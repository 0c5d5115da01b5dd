"""The compiled loops and their NumPy twins compute the same, whatever the characters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields as dataclass_fields
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spamfilter import charclass as cc
from spamfilter import compiled, quoting, text
from spamfilter.features import (
    company,
    fields,
    hashing,
    letters,
    links,
    reading,
    relatedness,
    signals,
    stages,
    wordlists,
)
from spamfilter.linear import GramModel
from spamfilter.model import SpamFilter
from spamfilter.segment import blocktext, encoding, hints, html

pytestmark = pytest.mark.skipif(
    compiled.kernel is None, reason="the compiled loops are not installed: nothing to compare"
)

# Ordinary letters, everything that folds or composes, and pieces that the searches for links look at.
_PIECES = st.sampled_from(
    "http:// HTTPS:// www. .com .co.uk .It .ly/ab a.net&#32;. (dot) [.] t.me/ wa.me/ whatsapp @some_name a.b@c.org [email] [url= [/b] <a&#32;href &lt;a "
    "+1 (555) 123-4567 v&#32;i&#32;a&#32;g&#32;r&#32;a ﬁ … Å e\u0301 \u1112\u1161\u11ab ㄱㅏ ｶﾞ İ ſ 𝐁𝐮𝐲 😀 漢字 かな раураl &#10;".replace(
        "&#32;", "\u00a0"
    ).split(" ")
)
_TEXT = st.lists(
    st.one_of(_PIECES, st.text(max_size=12), st.text("abcXYZ019 .@/:-[]()<>\n\u200b\u00a0", max_size=12)), max_size=12
).map("".join)
_TEXTS = st.lists(_TEXT, min_size=1, max_size=6)


@contextmanager
def _without_kernel() -> Iterator[None]:
    kernel, compiled.kernel = compiled.kernel, None
    try:
        yield
    finally:
        compiled.kernel = kernel


def _equal(one: object, other: object) -> None:
    for field in dataclass_fields(one):  # type: ignore[arg-type]
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype and np.array_equal(a, b), field.name


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_texts_fold_to_the_same_characters(texts: list[str]) -> None:
    fast = text.encode(texts)
    with _without_kernel():
        slow = text.encode(texts)
    _equal(fast, slow)


@settings(max_examples=200, deadline=None)
@given(_TEXT, _TEXTS)
def test_a_text_folds_the_same_alone_and_among_others(alone: str, others: list[str]) -> None:
    among = text.encode([*others, alone, *others])
    place = slice(among.starts[len(others)], among.starts[len(others) + 1])
    assert np.array_equal(among.points[place], text.encode([alone]).points)


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_links_are_what_the_regular_expressions_find(texts: list[str]) -> None:
    found = links.link_counts(texts, text.encode(texts))
    with _without_kernel():
        expected = links.link_counts(texts, text.encode(texts))
    assert np.array_equal(found, expected), dict(zip(links.LINK_COLUMNS, (found - expected).T.tolist(), strict=True))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(_TEXT, st.text("abqxz19@. !/", max_size=70)), min_size=1, max_size=6))
def test_tokens(texts: list[str]) -> None:
    batch = text.encode(texts)
    fast = letters.pieces(batch)
    with _without_kernel():
        assert np.array_equal(fast, letters.pieces(batch))


@settings(max_examples=150, deadline=None)
@given(_TEXTS)
def test_words_lists_and_variety(texts: list[str]) -> None:
    batch = text.encode(texts)
    fast = signals.text_facts(batch)
    distinct = hashing.distinct_words(fast.word, fast.ptr)
    with _without_kernel():
        _equal(fast, signals.text_facts(batch))
        assert np.array_equal(distinct, hashing.distinct_words(fast.word, fast.ptr))


@settings(max_examples=100, deadline=None)
@given(_TEXTS, st.integers(0, 3))
def test_grams(texts: list[str], salt: int) -> None:
    grams, batch = hashing.NGrams(10, 11, salt), text.encode(texts)
    rng = np.random.default_rng(salt)
    tables = [
        (rng.normal(size=1 << 10).astype(np.float32), rng.normal(size=1 << 11).astype(np.float32)) for _ in range(3)
    ]
    fast, counts = grams.dots(batch, tables), grams.counts(batch)
    with _without_kernel():
        slow, rows = grams.dots(batch, tables), grams.counts(batch)
    assert np.allclose(fast, slow, rtol=1e-12, atol=1e-12)
    for k in range(len(texts)):  # the kernel lists the grams of a text as they come, the twin in order
        a, b = counts[2][k], counts[2][k + 1]
        assert (a, b) == (rows[2][k], rows[2][k + 1])
        order = np.argsort(counts[0][a:b])
        assert np.array_equal(counts[0][a:b][order], rows[0][a:b]) and np.array_equal(
            counts[1][a:b][order], rows[1][a:b]
        )


def test_more_grams_than_are_gathered_at_once_and_counts_above_the_cap() -> None:
    grams = hashing.NGrams(10, 11)
    weights = np.ones(1 << 10, np.float32), np.ones(1 << 11, np.float32)
    texts = ["abc " * 9000, "short text", "word of many kinds " * 2000, "short text"]
    fast = grams.dot(text.encode(texts), *weights)
    with _without_kernel():
        assert np.allclose(fast, grams.dot(text.encode(texts), *weights), rtol=1e-10)
    assert np.array_equal(fast[1], fast[3])  # nothing is left over from the long text before


@settings(max_examples=100, deadline=None)
@given(_TEXTS, _TEXTS, st.data())
def test_overlap_with_contexts(texts: list[str], contexts: list[str], data: st.DataObject) -> None:
    of = np.array([data.draw(st.integers(-1, len(contexts) - 1)) for _ in texts], np.int64)
    idf = np.linspace(0, 1, 1 << relatedness.IDF_BITS, dtype=np.float32)
    mine, theirs = (signals.text_facts(text.encode(t)) for t in (texts, contexts))
    fast = relatedness.relate_words((mine.word, mine.ptr), (theirs.word, theirs.ptr), of, idf)
    with _without_kernel():
        slow = relatedness.relate_words((mine.word, mine.ptr), (theirs.word, theirs.ptr), of, idf)
    assert np.allclose(fast, slow, rtol=1e-12, atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_company_of_other_comments(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.one_of(_TEXT, st.text("abc ", max_size=24)), min_size=0, max_size=14))
    n = len(texts)
    thread, place = (np.array([data.draw(st.integers(a, b)) for _ in texts], np.int64) for a, b in ((-1, 1), (0, 60)))
    trust = np.array([data.draw(st.sampled_from([0.0, 1e-27, 0.3, 0.7, 1.0])) for _ in range(n)])
    idf = np.linspace(0, 1, 1 << relatedness.IDF_BITS, dtype=np.float32)
    facts, seats = signals.text_facts(text.encode(texts)), company.Seats(thread, place, trust)
    fast = company.company((facts.word, facts.ptr), seats, idf)
    with _without_kernel():
        assert np.array_equal(fast, company.company((facts.word, facts.ptr), seats, idf))


def test_company_where_all_have_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, words = np.random.default_rng(3), np.arange(1, 60, dtype=np.uint32) * np.uint32(0x9E3779B1)
    word = np.concatenate([rng.permutation(words) for _ in range(150)])
    seats = company.Seats.in_order(np.zeros(150, np.int64), rng.random(150))
    asked = ((word, np.arange(151) * len(words)), seats, rng.random(1 << relatedness.IDF_BITS).astype(np.float32))
    fast = company.company(*asked)
    with _without_kernel():
        assert np.array_equal(fast, company.company(*asked))
        monkeypatch.setattr(company, "_PAIRS", 1000)
        assert np.array_equal(fast, company.company(*asked))


def test_lists_find_phrases() -> None:
    lists = wordlists.load_lists()
    assert len(lists.names) <= 64  # one bit a list
    with _without_kernel():
        wordlists.load_lists.cache_clear()
        again = wordlists.load_lists()
    assert np.array_equal(lists.keys, again.keys) and np.array_equal(lists.member, again.member)


def test_every_character_folds_as_unicode_says() -> None:
    """Each code point between two others that could compose with it, in one text each."""
    codes = [c for c in range(1, 0x30000) if not 0xD800 <= c < 0xE000]
    texts = [f"a{chr(c)}e" for c in codes]
    fast = text.encode(texts)
    with _without_kernel():
        _equal(fast, text.encode(texts))


def test_features_without_the_kernel() -> None:
    rows = fields.Fields.of(
        ["See www.shop.example, call +44 (20) 7946-0000", "Ｖіаgrа 漢字", "", "I disagree with the second point"],
        ["cheap watches", "Анна", None, ""],
        ["http://cheap-watches.example/buy?x=1", None, "", "https://me.example"],
        ["On pipes", "On pipes", None, None],
        ["The second point about pipes. " * 20, "The second point about pipes. " * 20, None, "Кот и дом. " * 30],
    )
    idf = np.linspace(0, 1, 1 << relatedness.IDF_BITS, dtype=np.float32)
    fast = fields.dense_features(rows, idf)
    with _without_kernel():
        reading.forget()
        slow = fields.dense_features(rows, idf)
    reading.forget()
    assert fast.names == slow.names and fast.values.shape[1] == len(fast.names)
    assert np.allclose(fast.values, slow.values, rtol=1e-12, atol=1e-12)
    assert np.allclose(fast.relation, slow.relation, rtol=1e-12, atol=1e-12)
    assert not fast.relation[2].any()  # no context, no relation


@settings(max_examples=100, deadline=None)
@given(_TEXTS, st.booleans())
def test_quotes_in_reasons(comments: list[str], spam: bool) -> None:
    rng, rows = np.random.default_rng(1), fields.Fields.of(comments)
    model = GramModel(rng.normal(size=1 << 12).astype(np.float32), np.zeros(1 << 12, np.float32), 0.0)
    _, read = fields.read_features(rows, np.ones(1 << relatedness.IDF_BITS, np.float32))
    asked = np.arange(len(comments)), np.array([spam ^ bool(i % 2) for i in range(len(comments))], np.bool_)
    fast = quoting.loud_words(quoting.Seen(rows, read, model, _NO_IDF), *asked)
    with _without_kernel():
        assert fast == quoting.loud_words(quoting.Seen(rows, read, model, _NO_IDF), *asked)
    assert all(said.count(", ") < 2 * quoting.QUOTED for said in fast)  # a comma may be quoted itself


_NO_IDF = np.zeros(0, np.float32)


def test_kernel_refuses_buffers_that_are_too_small() -> None:
    kernel, batch = compiled.kernel, text.encode(["some text"])
    assert kernel is not None
    tables = (np.ones(8, np.float32), np.ones(8, np.float32))
    with pytest.raises(ValueError, match="a weight for every number"):
        kernel.ngram_dot(
            *(
                batch.points,
                batch.classes,
                batch.starts,
                4,
                4,
                0,
                np.ones(1024),
                np.zeros(32, np.uint16),
                tables,
                np.zeros(2),
            )
        )
    with pytest.raises(ValueError, match="count for every number"):
        kernel.ngram_dot(
            *(
                batch.points,
                batch.classes,
                batch.starts,
                3,
                3,
                0,
                np.ones(1024),
                np.zeros(4, np.uint16),
                tables,
                np.zeros(2),
            )
        )
    with pytest.raises(ValueError, match="end with NUL"):
        kernel.survey(
            *(batch.points[:-1].copy(), cc.table(), np.array(cc.ABOVE, np.int64), cc.foldings(), np.zeros(2, np.int64)),
            *(
                np.zeros((1, cc.CLASSES), np.int32),
                np.zeros(1, np.int32),
                np.zeros((1, 3), np.int32),
                np.zeros(1, np.uint8),
            ),
        )


_ROW = st.tuples(
    _TEXT,
    st.one_of(st.none(), _TEXT, st.sampled_from(["Anna", "cheap watches online", "watches.example"])),
    st.one_of(st.none(), st.sampled_from(["", "http://watches.example/a/b?c=1", "https://blog.example", "x"])),
    st.integers(0, 3),
)
# Of words that stand in an article in this order: seven different pairs, and eight, from which on it counts as copied.
_COPIED = ["one two three four five six seven eight", "one two three four five six seven eight nine"]
_CONTEXTS = [
    (None, None),
    ("On pipes", "The second point about pipes. " * 20),
    ("Кот", "Кот и дом. " * 30),
    (" ", "漢字かな " * 80),
    ("", f"{_COPIED[1]} ten " * 5),
]


@settings(max_examples=60, deadline=None)
@example([(text, None, None, 4) for text in _COPIED])
@given(st.lists(_ROW, min_size=1, max_size=6))
def test_every_feature_and_input_of_the_last_stage(rows: list[tuple[str, str | None, str | None, int]]) -> None:
    texts, authors, urls, places = (list(column) for column in zip(*rows, strict=True))
    given_ = fields.Fields.of(texts, authors, urls, *([_CONTEXTS[k][side] for k in places] for side in (0, 1)))
    idf = np.linspace(0, 1, 1 << relatedness.IDF_BITS, dtype=np.float32)
    logits = [np.random.default_rng(k).normal(0, 8, len(rows)) for k in range(6)]

    def table() -> tuple[fields.Dense, np.ndarray]:
        reading.forget()
        dense = fields.dense_features(given_, idf)
        return dense, stages.stage_inputs(stages.FirstStage(*logits), dense)

    fast, inputs = table()
    with _without_kernel():
        slow, expected = table()
    reading.forget()
    for name, a, b in zip(fast.names, fast.values.T, slow.values.T, strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=1e-12), name
    assert np.allclose(fast.relation, slow.relation, rtol=1e-12, atol=1e-12)
    assert np.array_equal(fast.has_article, slow.has_article)
    assert np.allclose(inputs, expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=150, deadline=None)
@given(_TEXTS)
def test_scripts_and_languages(texts: list[str]) -> None:
    facts = signals.text_facts(text.encode([*texts, "the cat and the dog", "кот и пёс", "日本語のかな", ""]))
    fast = signals.tongues(facts)
    with _without_kernel():
        _equal(fast, signals.tongues(facts))


@settings(max_examples=50, deadline=None)
@given(_TEXT, _TEXT)
def test_reasons_quote_the_same_words(sf: SpamFilter, comment: str, article: str) -> None:
    fast = sf.score(comment, "Jo", None, "On pipes", article)
    with _without_kernel():
        reading.forget()
        slow = sf.score(comment, "Jo", None, "On pipes", article)
    reading.forget()
    assert [(r.name, r.detail) for r in fast.reasons] == [(r.name, r.detail) for r in slow.reasons]
    assert np.allclose([r.weight for r in fast.reasons], [r.weight for r in slow.reasons], atol=2e-6)


def test_the_rarest_words_shared_and_lacking(sf: SpamFilter) -> None:
    """Words with the hash zero, of one letter and repeated ones, in a batch of several texts."""
    texts = [
        "Of pipes, pipes and valves: a b c",
        "Valves leak",
        "漢字 valves",
        "🄰 and valves",
        "",
        "x " * 500 + "pipes",
        "\U00010400 mill weir mill",
    ]
    rows = fields.Fields.of(texts, None, None, ["On pipes"] * 7, ["Pipes leak. " * 30] * 7)
    _, read = fields.read_features(rows, sf.parameters.idf)
    reading.forget()  # what was read of the title is changed
    read.titles.word[0] = read.texts.word[0] = 0
    seen = quoting.Seen(rows, read, sf.parameters.text, sf.parameters.idf)
    every, no = np.arange(len(texts)), np.zeros(len(texts), np.bool_)
    fast = [quoting.subject_words(seen, every, shared) for shared in (no, ~no)]
    assert fast[0][1] == "valves" and fast[1][1] == "leak" and fast[0][2] == "" and fast[1][5] == "pipes"
    assert fast[0][6] in ("mill, weir", "weir, mill")  # Python looked: a letter above the first plane
    on_page = quoting.Seen(replace(rows, thread_of=np.zeros(7, np.int64)), read, seen.text, seen.idf)
    others = quoting.company_words(on_page, every, ~no)
    assert others[1] == "valves" and others[3] == "valves" and "pipes" in others[0] and "mill" not in others[6]
    assert quoting.company_words(on_page, every, no) == [""] * 7 == quoting.company_words(seen, every, ~no)
    two_pages = quoting.Seen(replace(rows, thread_of=np.array([0, 0, 0, 1, 1, 1, 1])), read, seen.text, seen.idf)
    apart = quoting.company_words(two_pages, every, ~no)
    assert apart[1] == "valves" and apart[3] == "" and "pipes" not in apart[5]
    with _without_kernel():
        assert fast == [quoting.subject_words(seen, every, shared) for shared in (no, ~no)]
        assert others == quoting.company_words(on_page, every, ~no)
        assert apart == quoting.company_words(two_pages, every, ~no)


@settings(max_examples=100, deadline=None)
@given(_TEXTS)
def test_a_text_of_a_batch_is_as_it_is_alone(texts: list[str]) -> None:
    batch = text.encode(texts)
    for i, alone in enumerate(texts):
        _equal(batch.only(i), text.encode([alone]))


def test_kernel_refuses_tables_of_another_width() -> None:
    kernel = compiled.kernel
    assert kernel is not None
    with pytest.raises(ValueError, match="a row of inputs"):
        none = np.zeros(0, np.int32)
        kernel.stages(np.zeros((6, 2)), np.zeros((2, 3)), none, np.zeros(0), none, 0, none, 1.0, np.zeros((2, 5)))
    one = np.zeros((1, cc.CLASSES), np.int32)
    with pytest.raises(ValueError, match="every name"):
        starts = np.array([0, 1], np.int64)
        kernel.name_signals(one, one[0, :1], starts, starts, one, b"", b"", np.zeros((1, 3)), np.zeros((1, 11)))


_MARKUP = st.lists(
    st.one_of(
        st.sampled_from(
            '<p> </p> <br> <br/> <P> <div\tclass="a>b"> <h1> <h7> <a\u2028b> <td/x> <p"> <a href="x < 5 & </li ></ul> & "'
            " &amp; &lt; &gt; &nbsp; &am <b></b> p; &amp;lt; \xa0 \u200b \ue000 \n \t \r \x0b \x1c \x85 \u2003 \u2028 \u3000 é 漢 😀"
            " <li> <li <l <lib class= class=' class=\" class=one class=two \" ' > < \ud800".split(" ")
        ),
        st.sampled_from([" ", "  ", "\n ", " \u3000"]),
        st.text("ab<>/\"'& \n=", max_size=6),
        st.text(max_size=4),
    ),
    max_size=20,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=20), st.text(max_size=12).map(lambda t: t.encode("utf-8", "surrogatepass"))), _TEXT)
@example(b"\xf4\x90\x80\x80", "")
@example(b"\xe0\x9f\xbf", "")
@example(b"\xf0\x8f\xbf\xbf", "")
@example(b"\xed\xa0\x80", "eight letters and more")
@example(b"\xc2", "eight letters and more")
def test_what_is_utf8(odd: bytes, before: str) -> None:
    source = before.encode("utf-8", "replace") + odd
    valid = encoding._is_utf8(source)
    with _without_kernel():
        assert valid == encoding._is_utf8(source)


@settings(max_examples=400, deadline=None)
@given(_MARKUP)
@example('<p title="a>b">One<br>two &am<b></b>p; <i>th\u200bree</i></p> < 4')
@example('class=class=a class="" class=\'b\' class="b" class="a b')
@example('class="a ' + "b" * 1200 + ' c" class=d')
def test_markup_gives_the_same_text_and_class_names(source: str) -> None:
    page = source.encode("utf-8", "replace")
    words = {page[a : a + n] for a in range(len(page)) for n in (1, 3, 9)}
    words = {word for word in words if b"\n" not in word}  # separates the values
    names = hints.Names(page)
    fast, known = blocktext.html_text(source), {word for word in words if word in names}
    items = html._list_items(page)
    sought = hints.Sought(sorted(word for word in words if word.decode("utf-8", "ignore").encode() == word)[:200])
    flags = sought.in_(page), hints.Sought((b"class", b"", b"<", b"b1", b"=")).in_(source)
    with _without_kernel():
        assert flags == (sought.in_(page), hints.Sought((b"class", b"", b"<", b"b1", b"=")).in_(source))
        names = hints.Names(page)
        assert fast == blocktext.html_text(source)
        assert items == html._list_items(page)
        assert known == {word for word in words if word in names}


def test_loops_of_another_version_are_left_out() -> None:
    code = (
        "import importlib, warnings\n"
        "from spamfilter import _kernel, compiled\n"
        "_kernel.version = -1\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n"
        "    importlib.reload(compiled)\n"
        "print(compiled.kernel, said[0].message)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.startswith("None spamfilter's compiled loops are of another version") and "install it again" in said
