"""What hides a word, and what only looks like it: no script may count as a disguise."""

from __future__ import annotations

import numpy as np
import pytest

from spamfilter import compiled
from spamfilter.features.links import URL_COLUMNS, host_of, url_signals
from spamfilter.features.signals import text_facts, text_names, text_signals
from spamfilter.text import encode


def signal(name: str, text: str) -> float:
    table = text_signals([text], text_facts(encode([text])))
    return float(np.expm1(table[0, text_names().index(name)]))


@pytest.fixture(params=["compiled", "NumPy"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "NumPy":
        monkeypatch.setattr(compiled, "kernel", None)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(
    "text",
    [
        *("I love it \u2764\ufe0f", "\U0001f468\u200d\U0001f469\u200d\U0001f467 at the weir"),
        *("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937", "\ufeffAt the weir\u200b."),
        *("", "\u200b", "weir \u200e\u05d0\u200f end"),
    ],
)
def test_what_scripts_and_pictures_need_hides_nothing(text: str) -> None:
    assert signal("hidden_characters", text) == pytest.approx(0)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(
    ("text", "count"), [("cas\u200bino via\u200b\u200bgra", 3), ("каз\u00adино", 1), ("1\u200b00", 1)]
)
def test_what_parts_a_word_does(text: str, count: int) -> None:
    assert signal("hidden_characters", text) == pytest.approx(count)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("ＡＢＣ駅で１２３円", 0),
        ("ＦＲＥＥ", 4),
        ("\u2460 one \u2461 two", 0),
        ("\u24bb\u24c7\u24ba\u24ba", 4),
        ("Brazil \U0001f1e7\U0001f1f7\U0001f1e7\U0001f1f7", 0),
        ("\U0001f1e7 \U0001f1f7\u200b\U0001f1e7 \U0001f1e7\U0001f1f7\U0001f1e7", 4),
    ],
)
def test_fancy_letters_are_those_that_nobody_needs(text: str, count: int) -> None:
    assert signal("fancy_letters", text) == pytest.approx(count)


@pytest.mark.parametrize(
    ("url", "host", "pretends"),
    [
        ("http://xn--bcher-kva.example/a", "bücher.example", 0),
        ("http://xn--80adi8aaufcj8j.xn--p1ai", None, 0),
        ("http://xn--80ak6aa92e.com", "аррӏе.com", 1),
        ("http://pаypal.example", "pаypal.example", 1),
        ("http://море.рф", "море.рф", 0),
        ("http://xn--99999999999.com/", None, 0),
        ("http://plain.example", "plain.example", 0),
        (f"http://xn--{'a' * 200_000}-kva.example", None, 0),
    ],
)
def test_hosts_are_read_as_people_read_them(url: str, host: str | None, pretends: int) -> None:
    assert host is None or host_of(url) == host
    assert url_signals([url])[0, URL_COLUMNS.index("url_punycode")] == pretends
