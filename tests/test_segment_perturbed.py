"""Pages whose class names say nothing are segmented nearly as well as others; the floor is in ``tests/floors.toml``."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
FLOORS = tomllib.loads((ROOT / "tests" / "floors.toml").read_text(encoding="utf-8"))["segment"]["nameless"]

pytestmark = pytest.mark.skipif(
    not (SHARED / "pages").is_dir(), reason="needs the shared pages beside the repository (../shared/pages)"
)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def test_floor_without_names() -> None:
    bench, scorer = load(ROOT / "benchmarks" / "perturbation.py"), load(SHARED / "tools" / "score_pages.py")
    rows = bench.measure(scorer, bench.load(SHARED / "pages", ".html"), bench.HTML["no names"])
    for kind, floors in FLOORS.items():
        scores = scorer.summarise([row for row in rows if (row["kind"] == "thread") == (kind == "threads")])
        assert scores["article"][2] >= floors["article_f1"]
        assert scores["comments"][2] >= floors["comments_f1"]
        assert scores["segment"][2] >= floors["segment_f1"]
        assert scores["false_pages"][0] <= floors["false_pages"]
