"""A model for other people's tools: the same probabilities, a warning, and nothing that scoring would open."""

import subprocess
import sys

import joblib
import pandas as pd
import pytest

from spamfilter import store
from spamfilter.cli import main
from spamfilter.errors import ConfigError, ModelNotFound
from spamfilter.modelexport import export_pipeline
from tests.conftest import ROOT
from tests.tinymodel import manifest, tiny

FRAME = pd.DataFrame(
    {"text": ["Great post! Cheap pills at my shop", "Which gate did you mean?"], "author": ["x", None]}
)


@pytest.fixture
def models(tmp_path):
    made = store.ModelsFolder(tmp_path / "models")
    with made.job():
        made.add(tiny(), "a", manifest("a"), {})
    made.promote("a")
    return made


def test_a_joblib_file_judges_the_same(tmp_path):
    assert export_pipeline(tiny(), tmp_path / "m.joblib") == []
    found = joblib.load(tmp_path / "m.joblib").predict_proba(FRAME)[:, 1]
    assert found == pytest.approx(tiny().score_frame(FRAME)["spam_probability"])


def test_a_skops_file_judges_the_same_once_its_types_are_trusted(tmp_path):
    skops = pytest.importorskip("skops.io", reason="the extra export is not installed")
    trusted = export_pipeline(tiny(), tmp_path / "m.skops")
    assert "spamfilter.model.SpamFilter" in trusted
    with pytest.raises(TypeError, match="Untrusted types"):
        skops.load(tmp_path / "m.skops")
    found = skops.load(tmp_path / "m.skops", trusted=trusted).predict_proba(FRAME)[:, 1]
    assert found == pytest.approx(tiny().score_frame(FRAME)["spam_probability"])


def test_another_suffix_is_refused_and_a_failure_leaves_nothing(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"\.joblib or \.skops"):
        export_pipeline(tiny(), tmp_path / "m.pkl")

    def refuse(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(joblib, "dump", refuse)
    with pytest.raises(OSError, match="No space left"):
        export_pipeline(tiny(), tmp_path / "m.joblib")
    assert list(tmp_path.iterdir()) == []


def test_the_command_exports_what_is_in_use_and_warns(models, tmp_path, capsys):
    command = ["models", "export", "--models", str(models.path), "-o", str(tmp_path / "m.joblib")]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "tiny@a" in said.out and "runs code when it is loaded" in said.err
    assert main([*command, "a", "--model", "default"]) == 2
    assert main(["models", "export", "nope", "--models", str(models.path), "-o", str(tmp_path / "n.joblib")]) == 2
    assert not (tmp_path / "n.joblib").exists()


def test_scoring_does_not_open_what_was_exported(tmp_path):
    export_pipeline(tiny(), tmp_path / "m.joblib")
    with pytest.raises(ModelNotFound):
        store.load(tmp_path / "m.joblib")


def test_without_skops_the_extra_is_named(tmp_path):
    code = (
        "import sys; sys.modules['skops'] = None; sys.modules['skops.io'] = None\n"
        "from spamfilter.cli import main; sys.exit(main(['models', 'export', '--model', 'default', '-o', sys.argv[1]]))"
    )
    given = [sys.executable, "-c", code, str(tmp_path / "m.skops")]
    done = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and 'pip install "comment-spamfilter[export]"' in done.stderr
