"""Quality of plain-text segmentation on the shared pages has a floor (``tests/floors.toml``)."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from spamfilter.segment.plain import split_text

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
FLOORS = tomllib.loads((ROOT / "tests" / "floors.toml").read_text(encoding="utf-8"))["segment"]["plain"]

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
    for path in sorted((SHARED / "pages").glob("*.wet.txt")):
        gold = json.loads(path.with_name(path.name.replace(".wet.txt", ".json")).read_text(encoding="utf-8"))
        page = split_text(path.read_text(encoding="utf-8"))
        comments = [{"text": c.text, "author": c.author} for c in page.comments]
        found.append(scorer.page(gold, {"article": page.article, "comments": comments}))
    return found


@pytest.mark.parametrize("kind", ["articles", "threads"])
def test_floor(kind: str, scorer: ModuleType, rows: list[dict[str, Any]]) -> None:
    scores = scorer.summarise([r for r in rows if (r["kind"] == "thread") == (kind == "threads")])
    reached = {
        "article_f1": scores["article"][2],
        "comments_f1": scores["comments"][2],
        "segment_f1": scores["segment"][2],
    }
    assert {name: value for name, value in reached.items() if value < FLOORS[kind][name]} == {}
    assert scores["leak"] <= FLOORS[kind]["leak"]
    assert scores["false_pages"][0] <= FLOORS[kind]["false_pages"]


def test_the_page_this_project_was_created_from() -> None:
    text = (SHARED / "mission" / "hydraulic-lift.txt").read_text(encoding="utf-8")
    gold = json.loads((SHARED / "mission" / "hydraulic-lift.json").read_text(encoding="utf-8"))
    page = split_text(text)
    assert page.title == gold["title"]
    assert [(c.start, c.end) for c in page.comments] == [(c["start"], c["end"]) for c in gold["comments"]]
    assert page.article.startswith(gold["article"][:200])
    assert gold["article"] in page.article
    assert len(page.article) < len(gold["article"]) + 120  # the link to the source stands below the article
