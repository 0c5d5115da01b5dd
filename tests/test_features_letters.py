"""Words of random letters, names that end in a number, and domains written without http."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spamfilter.features import letters
from spamfilter.features.letters import looks_random, pieces
from spamfilter.features.links import LINK_COLUMNS, link_counts, url_signals
from spamfilter.features.links import URL_COLUMNS as URL
from spamfilter.features.signals import AUTHOR_NAMES, author_signals, text_facts, text_names, text_signals
from spamfilter.text import encode, fold
from tests.conftest import ROOT


@pytest.mark.parametrize("word", ["mqzvwt", "xkqvtd", "bdgrtkw", "qjxhzp", "vfrtskmn"])
def test_letters_at_random(word: str) -> None:
    assert looks_random(word)


WORDS = "strengths rhythm angstschweiss szczecin zmrzlina przedszkole nguyen borscht onomatopoeia tl abc".split()


@pytest.mark.parametrize("word", [*WORDS, ""])
def test_words_of_languages_are_not(word: str) -> None:
    assert not looks_random(word)


def test_few_words_of_a_language_that_the_table_has_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes in a language of which the corpus has nothing writes words, not random letters."""
    texts = [
        (text, thread["lang"])
        for path in sorted((ROOT / "data" / "corpus").glob("*.jsonl"))
        for thread in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        for text in (thread["article"], *(c["text"] for c in thread["comments"] if c["label"] == "ham"))
    ]
    for unseen, most in (("pl", 0.09), ("cs", 0.05), ("tr", 0.04), ("sv", 0.02)):
        others = letters.count([(t, lang) for t, lang in texts if lang != unseen])
        monkeypatch.setattr(letters, "table", lambda others=others: others)
        words = {w for t, lang in texts if lang == unseen for w in fold(t).split() if w.isascii() and w.isalpha()}
        words = {w for w in words if letters.SHORTEST <= len(w) <= letters.LONGEST}
        looks_random.cache_clear()
        assert len(words) > 100 and sum(map(looks_random, words)) / len(words) < most, unseen
    looks_random.cache_clear()


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("hey mqzvwt, see palace99", (4, 1, 1, 0, 0)),
        ("@someone12 http://mqzvwt.example a\u00a0b (mqzvwt!)", (5, 1, 0, 0, 0)),
        ("", (0, 0, 0, 0, 0)),
        ("… 12", (0, 0, 0, 0, 0)),
        ("a-mqzvwt win32", (2, 0, 0, 0, 0)),
        ("short.example /K7d2 and short.example / Q9xx", (5, 0, 0, 2, 0)),
        ("and/or /usr/lib64 /home 1/2", (3, 0, 0, 0, 0)),
        ("give: 1QzRgrWpPoWnBbTxKe24vVfFhqZ3xKpQ9m!", (2, 0, 0, 0, 1)),
        ("commit 5f2b8a1c9d0e4f6a7b8c9d0e1f2a3b4c5d6e7f80", (2, 0, 0, 0, 0)),
    ],
)
def test_pieces_between_blanks(text: str, counts: tuple[int, ...]) -> None:
    assert pieces(encode([text])).tolist() == [list(counts)]


def test_signals_of_letters() -> None:
    texts = ["mqzvwt", "hello mqzvwt :-)", "I ran it under mqzvwt again and it still fails", "see palace99"]
    table = text_signals(texts, text_facts(encode(texts)))
    share, alone, numbered = (
        table[:, text_names().index(n)] for n in ("random_letters", "random_alone", "numbered_names")
    )
    assert share.tolist() == [0.5, 0.5, 0.1, 0.0] and alone.tolist() == [1, 1, 0, 0]
    assert numbered.tolist() == [0, 0, 0, np.log1p(1)]


def test_names_and_addresses_of_random_letters() -> None:
    names, urls = (
        ["Mqzvwt", "Krzysztof", None],
        [None, "https://faces.example/mqzvwt", "https://krk-otok.example/about"],
    )
    names_read = text_facts(encode([n or "" for n in names]))
    random = author_signals(names, urls, [""] * 3, names_read)[:, AUTHOR_NAMES.index("author_random")]
    assert random.tolist() == [1, 0, 0]
    assert url_signals(urls)[:, URL.index("url_random")].tolist() == [0, 1, 0]


def test_a_comment_that_only_repeats_its_authors_name_without_an_address() -> None:
    said = author_signals(["LoansOfTheNorth"], [None], ["loans of the north"], text_facts(encode(["LoansOfTheNorth"])))
    assert said[0, AUTHOR_NAMES.index("author_said")] == 1.0


def test_a_reader_signs_and_a_spammer_repeats() -> None:
    texts = [
        "The weir was dry when we came by.\nGreta Holm.",
        "Greta Holm is cheap, ask Greta Holm",
        "Greta Holm",
        "dry",
    ]
    names = ["Greta Holm"] * 4
    table = author_signals(names, [None] * 4, texts, text_facts(encode(names)))
    signed, named = (table[:, AUTHOR_NAMES.index(n)].tolist() for n in ("author_signed", "author_in_text"))
    assert signed == [1, 0, 0, 0] and named == [0, 1, 1, 0]


def links_of(text: str) -> dict[str, float]:
    row = link_counts([text], encode([text]))[0]
    return {name: round(float(v), 2) for name, v in zip(LINK_COLUMNS, row, strict=True) if v}


def test_a_domain_without_http_counts_by_host_path_and_length() -> None:
    assert links_of("palace.example/bonus") == {
        **{"link_hosts": 1, "link_share": 1, "link_deep": 1},
        **{"bare_domains": 1, "link_first": 1, "link_last": 1},
    }
    found = links_of("adf.ly /K7 is it")
    assert found["link_shortener"] == 1 and found["link_odd_tld"] == 1 and "link_deep" not in found
    assert links_of("blog at a.b.wordpress.com")["link_known"] == 1
    assert links_of("weir . com")["bare_domains"] == 1 and links_of("WEIR.ORG")["bare_domains"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "We came home. It was late.",
        "He saw it.It was red",
        "Ask her. Me too.",
        "node.js and x.click(it)",
        "to a@weir.com",
    ],
)
def test_sentences_are_no_domains(text: str) -> None:
    assert "bare_domains" not in links_of(text)
