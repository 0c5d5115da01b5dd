"""Shared fixtures: the bundled model, and where the measuring material is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def sf():
    import spamfilter

    return spamfilter.load()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with other people's pages and comments, read in place; without it the test is skipped."""
    if not SHARED.is_dir():
        if os.environ.get("SPAMFILTER_REQUIRE_SHARED"):
            pytest.fail(f"{SHARED} is absent, and this run requires it")
        pytest.skip("the measuring material (../shared) is not on this machine")
    return SHARED
