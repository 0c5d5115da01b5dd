"""The report of a retraining: it stands alone, escapes what comments hold, and shows every changed verdict."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import numpy as np
import pytest

from spamfilter import store
from spamfilter.cli import main
from spamfilter.labels import Context, Decision, LabelStore
from spamfilter.labels.hygiene import Finding
from spamfilter.promotion import Rules, decide
from spamfilter.records import Comment
from spamfilter.retraining import FILE, Retraining
from tests.test_promotion import judged
from tests.tinymodel import manifest, tiny

pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")

HOSTILE = '<script>alert("x")</script> <img src=https://evil.example/p.png onerror=x> \u202ebackwards & $\\frac{1}{0}$'
START = datetime(2026, 1, 1, tzinfo=UTC)


class Tags(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def rows(n=120):
    """Rows 0 and 1 change their verdicts: ham newly blocked, spam newly found; dated over half a year."""
    made = judged(n, lift=0.5, seed=3, date=[(START + timedelta(days=k * 1.5)).isoformat() for k in range(n)])
    label = made.label.copy()
    label[:2] = 0, 1
    champion, challenger = made.champion.copy(), made.champion.copy()
    champion[:2], challenger[:2] = 0.1234, 0.9876
    return dataclasses.replace(made, label=label, champion=champion, challenger=challenger)


def retraining(version, labels, unseen):
    decision = decide(unseen, unseen, rules=Rules(samples=50))
    # What it learnt is not shown row by row, so the smallest that the record takes will do.
    learnt = _learnt(labels)
    finding = Finding("flood", "<b>eve</b>", 300, "300 labels on 2026-03-01 count as 200")
    return Retraining(
        version, "2026-03-02T04:00:00+00:00", "champion-1", "base-1", "adapt", "f" * 64, decision, unseen, learnt,
        newest=unseen, guard=unseen, findings=(finding,), agreement={"ana": 0.5}, adaptation={"strength": 3.0},
        how={"unseen": "each group left out"}, notes=("a note of <i>caution</i>",), recipes={"adapt": 0.9},
    )  # fmt: skip


def _learnt(n):
    from spamfilter.retraining import Learnt

    columns = {
        f.name: [0.5] * n if f.name == "weight" else ["spam", "ham"] * (n // 2) for f in dataclasses.fields(Learnt)
    }
    return Learnt(**columns)


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """A models folder with two retrainings, and a label store in which comment 1 and 2 are the changed ones."""
    folder = tmp_path_factory.mktemp("team")
    unseen = dataclasses.replace(rows(), id=[f"labels:{k + 1}" for k in range(120)])
    with LabelStore.open(folder / "labels.db") as labels:
        under = Context("A <em>title</em>", "Long enough.", "https://walks.example/a", "walks.example", "en")
        labels.add(Decision(Comment(HOSTILE, "M. <u>Quill</u>"), "ham", who="ana", context=under))
        labels.add(Decision(Comment("warm hands at the circle"), "spam", who="ana", context=under))
        labels.add(Decision(Comment("warm hands at the circle"), "ham", who="ben", context=under), to=2)
    for version, n in (("2026.03.01", 40), ("2026.03.02", 80)):
        done = retraining(version, n, unseen)
        store.save(tiny(), folder / "models" / version, manifest(version), {FILE: done.to_json()})
    return folder


def page_of(team, *options):
    out = team / "report.html"
    models = ["--models", str(team / "models")]
    assert main(["models", "report", *options, *models, "-o", str(out)]) == 0
    return out.read_text(encoding="utf-8")


def test_the_page_stands_alone_and_is_escaped(team, capsys):
    text = page_of(team, "--labels", str(team / "labels.db"))
    assert "2026.03.02 against champion-1" in capsys.readouterr().out
    found = Tags(text)
    assert not {"script", "iframe", "link", "object", "form", "a", "em", "u", "b", "i"} & set(found.tags)
    assert "default-src 'none'" in dict(found.attributes)["content"] or "default-src 'none'" in text
    sources = [v for k, v in found.attributes if k in ("src", "href", "srcset", "action")]
    assert len(sources) == 5 and all(v.startswith("data:image/svg+xml;base64,") for v in sources)
    assert not [k for k, _ in found.attributes if k.startswith("on")]
    assert "&lt;script&gt;alert(" in text and "\u202e" not in text


def test_changed_verdicts_stand_under_their_heading_with_both_scores(team):
    text = page_of(team, "2026.03.02", "--labels", str(team / "labels.db"))
    blocked = text[text.index("Ham that is newly blocked: 1<") : text.index("Spam that is newly missed: 0<")]
    assert (
        re.search(r"0\.123</td><td class=\"p\">0\.988", blocked)
        and "backwards" in blocked
        and "M. &lt;u&gt;" in blocked
    )
    spam = text[text.index("Spam that is newly found: 1<") :]
    assert "warm hands at the circle" in spam and "decided by ben" in spam
    assert "2 of 120" in text


def test_figures_slices_agreement_and_findings_are_there(team):
    text = page_of(team, "--labels", str(team / "labels.db"))
    for part in ("recall at 1 % false positives", "the newest 120 labels", "120 guarded comments", "language en",
                 "each group left out", "a note of &lt;i&gt;", "flood: &lt;b&gt;eve&lt;/b&gt;", "50.0%",
                 "ana, ben", "0.0%", "a point a retraining", "probabilities by month"):  # fmt: skip
        assert part in text, part
    assert page_of(team, "2026.03.01") != text


def test_without_a_store_or_the_comments_there_are_figures_alone(team, capsys, monkeypatch):
    monkeypatch.chdir(team / "models")  # no labels.db here
    text = page_of(team)
    assert "without the comments" in capsys.readouterr().out
    assert "warm hands" not in text and "labels:1 " in text and "Their texts are in the label store" in text
    assert "warm hands" not in page_of(team, "--no-comments", "--labels", str(team / "labels.db"))
    # The models folder may be handed on: no comment is in it.
    assert not [f for f in (team / "models").rglob("*") if f.is_file() and b"warm hands" in f.read_bytes()]


def test_rows_of_one_class_and_without_dates_make_a_page_too():
    from spamfilter.report import retraining_html

    one = judged(30, label=np.zeros(30, np.int8))
    assert "Too few dated comments" in retraining_html(retraining("1", 2, one))
    none = one.take(np.zeros(30, np.bool_))
    assert "0 of 0" in retraining_html(dataclasses.replace(retraining("1", 2, one), unseen=none))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--models", "nowhere"], "there is no such folder"),
        (["--models", "models", "2026.09.09"], "there is no version '2026.09.09'"),
        (["--models", "models", "--labels", "no.db"], "there is no label store here"),
        (["--models", "models", "-o", "no/where.html"], "make it first"),
        (["--models", "empty"], "nothing in empty came of a retraining"),
        (["--models", "damaged"], "not whole"),
    ],
)
def test_what_is_wrong_is_said_with_the_next_step(team, options, says, capsys, monkeypatch):
    monkeypatch.chdir(team)
    (team / "empty").mkdir(exist_ok=True)
    if not (team / "damaged").exists():
        store.save(tiny(), team / "damaged" / "1", manifest("1"), {FILE: '{"format": 1}'})
    before = (team / "report.html").read_bytes() if (team / "report.html").exists() else None
    assert main(["models", "report", *options]) != 0
    assert says in capsys.readouterr().err
    assert before == ((team / "report.html").read_bytes() if (team / "report.html").exists() else None)
