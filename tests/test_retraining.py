"""The stored result of a retraining: there and back, and what cannot be one."""

import dataclasses
import json

import pytest

from spamfilter.errors import DataError, ModelNotFound
from spamfilter.labels.hygiene import Finding
from spamfilter.promotion import Rules, decide
from spamfilter.retraining import FILE, Learnt, Retraining
from tests.test_promotion import judged


@pytest.fixture(scope="module")
def done():
    rows = judged(60, lift=1.0, lang=["de", None] * 30)
    decision = decide(rows, rows, rules=Rules(samples=50))
    learnt = Learnt(["a1", "b2"], ["labels:1", "labels:2"], ["spam", "ham"], [1.0, 0.25])
    findings = (Finding("flood", "eve", 300, "300 labels on 2026-03-01 count as 200"),)
    return Retraining(
        "2026.03.02", "2026-03-02T04:00:00+00:00", "a", "base", "adapt", "f" * 64, decision, rows, learnt,
        newest=rows, findings=findings, counts={"spam": 1}, agreement={"ana": 0.9}, adaptation={"strength": 3.0},
        durations={"judging": 1.5}, notes=("a note",),
    )  # fmt: skip


def test_there_and_back(done, tmp_path):
    again = Retraining.from_json(done.to_json())
    assert again.to_json() == done.to_json()
    for name in ("decision", "learnt", "findings", "counts", "notes", "recipe", "guard"):
        assert getattr(again, name) == getattr(done, name)
    (tmp_path / FILE).write_text(done.to_json(), encoding="utf-8")
    assert Retraining.read(tmp_path).unseen.lang == done.unseen.lang


def test_fields_of_a_later_version_are_passed_over(done):
    text = json.dumps({**json.loads(done.to_json()), "something_new": 1})
    assert Retraining.from_json(text).version == done.version


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', '{"format": "x"}', "null", '{"format": 1, "decision": 3}']
)
def test_what_is_none_is_refused(text):
    with pytest.raises(DataError):
        Retraining.from_json(text)


def test_a_later_format_is_refused(done):
    with pytest.raises(DataError, match="format 2, this version reads up to 1"):
        Retraining.from_json(json.dumps({**json.loads(done.to_json()), "format": 2}))


def test_a_folder_without_one_and_with_a_damaged_one(tmp_path):
    with pytest.raises(ModelNotFound, match="was not made by a retraining"):
        Retraining.read(tmp_path)
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=FILE):
        Retraining.read(tmp_path)


def test_it_cannot_be_changed(done):
    with pytest.raises(dataclasses.FrozenInstanceError):
        done.version = "x"
