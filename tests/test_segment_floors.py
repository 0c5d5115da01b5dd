"""Quality of HTML segmentation on the shared pages has a floor (``tests/floors.toml``)."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from spamfilter.segment import split_page

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
FLOORS = tomllib.loads((ROOT / "tests" / "floors.toml").read_text(encoding="utf-8"))["segment"]["html"]
KINDS = {"articles": "article+comments", "threads": "thread", "without": "article-no-comments"}

pytestmark = pytest.mark.skipif(
    not (SHARED / "pages").is_dir(), reason="needs the shared pages beside the repository (../shared/pages)"
)


@pytest.fixture(scope="module")
def scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score_pages", SHARED / "tools" / "score_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(scorer: ModuleType) -> list[dict[str, Any]]:
    found = []
    for path in sorted((SHARED / "pages").glob("*.html")):
        gold = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        page = split_page(path.read_bytes(), gold.get("page_url"))
        comments = [{"text": c.text, "author": c.author} for c in page.comments if c.kind == "comment"]
        found.append(scorer.page(gold, {"article": page.article, "comments": comments}))
    return found


@pytest.mark.parametrize("part", sorted(KINDS))
def test_quality_does_not_fall(part: str, scorer: ModuleType, rows: list[dict[str, Any]]) -> None:
    reached = scorer.summarise([row for row in rows if row["kind"] == KINDS[part]])
    floors = FLOORS[part]
    assert reached["article"][2] >= floors["article_f1"]
    assert reached["false_pages"][0] <= floors.get("false_pages", 0)
    if part == "without":
        return
    assert reached["comments"][2] >= floors["comments_f1"]
    assert reached["segment"][2] >= floors["segment_f1"]
    assert reached["author"] >= floors["author"]
    assert reached["leak"] <= floors["leak"]
