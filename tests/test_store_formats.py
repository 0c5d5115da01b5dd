"""Models saved by earlier versions can be loaded, those of later ones are refused, and nothing of either is guessed."""

import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from spamfilter import store
from spamfilter.errors import ModelError, ModelTooNew
from spamfilter.model import SpamFilter
from tests.conftest import ROOT
from tests.storedmodel import ROWS
from tests.tinymodel import tiny

STORED = ROOT / "tests" / "models"


def unpacked(number, folder):
    with tarfile.open(STORED / f"format-{number}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / f"format-{number}"


@pytest.mark.parametrize("number", range(1, store.FORMAT + 1))
def test_a_stored_model_of_every_format_says_what_it_said(number, tmp_path):
    sf = store.load(unpacked(number, tmp_path))
    assert sf.name == "stored@1" and sf.manifest["format"] == number
    said = json.loads((STORED / f"format-{number}.json").read_text())
    assert [v.probability for v in sf.score_many(ROWS)] == pytest.approx(said, abs=1e-6)


def test_a_later_format_is_refused_with_the_next_step(tmp_path):
    folder = unpacked(1, tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": store.FORMAT + 1}))
    with pytest.raises(ModelTooNew, match=f"format {store.FORMAT + 1}.*upgrade comment-spamfilter"):
        store.load(folder)
    models = store.ModelsFolder(tmp_path)
    (version,) = models.versions()
    assert "upgrade comment-spamfilter" in version.problem
    with pytest.raises(ModelTooNew):
        models.promote(version.name)
    assert models.current() is None


def test_a_model_made_before_a_signal_was_added_judges_as_before(monkeypatch):
    rows = [*ROWS, {"text": "Which gate?", "author": "Old Tom"}]
    before = [v.probability for v in tiny().score_many(rows)]
    import spamfilter.model as room

    real = room.read_features

    def with_one_more(*args):
        dense, read = real(*args)
        values = np.hstack([np.full((len(dense.values), 1), 9.0), dense.values])
        return replace(dense, names=("brand_new", *dense.names), values=values), read

    monkeypatch.setattr(room, "read_features", with_one_more)
    assert [v.probability for v in tiny().score_many(rows)] == before


def test_a_model_made_with_a_signal_that_is_no_more_is_refused():
    p = tiny().parameters
    old = SpamFilter(replace(p, inputs=(*p.inputs[:-1], "of_old")), "old@1")
    with pytest.raises(ModelError, match=r"old@1 was made with the signal 'of_old'.*train it again"):
        old.score("Which gate?")
