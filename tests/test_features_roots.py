"""Pieces of names and hosts, and texts that open with their author's name."""

from __future__ import annotations

import numpy as np
import pytest

from spamfilter.features.fields import GOODS_COLUMNS, Fields, dense_features
from spamfilter.features.letters import looks_random
from spamfilter.features.links import LINK_COLUMNS, link_counts
from spamfilter.features.relatedness import IDF_BITS
from spamfilter.features.signals import AUTHOR_NAMES, author_signals, text_facts
from spamfilter.features.wordlists import MOST_ROOTS, ROOTS, roots_in
from spamfilter.text import encode


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("cheap-uggboots.example", {"selling", "brands"}),
        ("michael kors outlet", {"selling", "brands"}),
        ("best-xvideos.example", {"crude"}),
        ("online pharmacy", {"selling", "crude"}),
        ("buy-tramadol-now", {"crude"}),
    ],
)
def test_pieces_that_sell(name: str, kinds: set[str]) -> None:
    assert {kind for kind, n in zip(ROOTS, roots_in(name), strict=True) if n} == kinds


@pytest.mark.parametrize(
    "name",
    [
        *("judith", "sloane", "milford", "a specialist in socialism", "nudelsuppe.example", "carole x.", "puggsy"),
        *("jordan", "celine", "tiffany", "chanel", "oakley", "camilla", "lottie slater"),
    ],
)
def test_names_that_only_look_like_it(name: str) -> None:
    assert not any(roots_in(name))


def test_no_more_than_three_pieces_of_a_kind_count() -> None:
    assert roots_in("casino togel betting viagra bahis")[ROOTS.index("crude")] == MOST_ROOTS


def signals(author: str | None, url: str | None, text: str) -> dict[str, float]:
    table = author_signals([author], [url], [text], text_facts(encode([author or ""])))
    return dict(zip(AUTHOR_NAMES, table[0].tolist(), strict=True))


def test_goods_in_name_host_and_text_add_up() -> None:
    fields = Fields.of(
        ["nice", "nice", "see http://vuitton-outlet.example", "see http://weir.example"],
        ["gucci handbags", "Greta", "gucci", "Greta"],
        [None, "http://best-casino.example/", None, "http://weir.example"],
    )
    dense = dense_features(fields, np.ones(1 << IDF_BITS, np.float32))
    crude, brands = (dense.values[:, dense.names.index(n)].tolist() for n in GOODS_COLUMNS)
    assert crude == [0, 1, 0, 0] and brands == [1, 0, 2, 0]


@pytest.mark.parametrize("after", ["...\n\nVery fine", "… and more", "\n\nVery fine", " : very fine", "..."])
def test_a_text_that_opens_with_its_authors_name_as_with_a_title(after: str) -> None:
    assert signals("boots for less", None, f"Boots for less{after}")["author_opens"] == 1


@pytest.mark.parametrize(
    "text", ["Greta says the weir was dry", "It was dry.\nGreta", "Greta, was it dry?", "Gretal:\n"]
)
def test_others_do_not(text: str) -> None:
    assert signals("Greta", None, text)["author_opens"] == 0


def test_hosts_in_the_text_sell_too() -> None:
    row = link_counts(
        *(lambda t: (t, encode(t)))(["http://cheap-viagra.example/a and http://vuitton-outlet.example and weir.com"])
    )[0]
    found = dict(zip(LINK_COLUMNS, row.tolist(), strict=True))
    assert (found["link_selling"], found["link_crude"], found["link_brands"]) == (3, 1, 1)


def test_a_known_place_counts_by_who_has_the_page() -> None:
    texts = ["http://betting-tips.blogspot.com/x", "http://weir.blogspot.com/betting"]
    assert link_counts(texts, encode(texts))[:, LINK_COLUMNS.index("link_crude")].tolist() == [1, 0]


def test_long_runs_of_letters_are_random_too() -> None:
    rng = np.random.default_rng(4)
    run = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 80))
    assert looks_random(run)
    assert not looks_random("donaudampfschifffahrtsgesellschaftskapitaen") and not looks_random("a" * 300)
