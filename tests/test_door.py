"""The one door: its names are pinned, and nothing heavy comes with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import spamfilter

NAMES = [
    "Comment", "ConfigError", "DataError", "InputError", "LockedError", "MissingExtra", "ModelDamaged", "ModelError",
    "ModelNotFound", "ModelTooNew", "OutputError", "Page", "Reason", "ScoredPage", "SpamFilter", "SpamFilterError",
    "StoreError", "UnreadableFile", "UnreadablePage", "Verdict", "__version__", "clean", "load", "split_page",
]  # fmt: skip


def test_names_are_pinned():
    assert sorted(NAMES) == sorted(spamfilter.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_can_be_had(name):
    assert getattr(spamfilter, name) is not None


def test_names_are_no_rooms():
    rooms = {p.stem for p in Path(spamfilter.__file__).parent.iterdir()}
    assert not rooms & set(NAMES)


def test_every_room_goes_into_the_wheel():
    import tomllib

    root = Path(spamfilter.__file__).parents[1]
    packages = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    rooms = {
        f"spamfilter.{p.parent.name}" for p in (root / "spamfilter").glob("*/__init__.py") if p.parent.name[0] != "_"
    }
    assert rooms <= set(packages)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'scoer'"):
        spamfilter.scoer  # noqa: B018


def test_every_error_is_in_the_tree_drawn_in_its_module():
    from spamfilter import errors

    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.SpamFilterError)
        assert name in (errors.__doc__ or "")


def test_scoring_a_page_imports_nothing_heavy():
    script = (
        "import sys, spamfilter; sf = spamfilter.load(); "
        "sf.score_page('<html><body><article><p>' + 'A story of ships. ' * 20 + '</p></article></body></html>'); "
        "sf.score('hello', article='A story of ships. ' * 20); "
        "print(sorted({'sklearn', 'pandas', 'scipy', 'matplotlib', 'joblib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
