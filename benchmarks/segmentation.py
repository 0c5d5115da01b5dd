"""Segmentation beside the tools that others use: same pages, same run, quality and pages per second.

usage: python benchmarks/segmentation.py PAGES_DIR SCORE_PAGES_PY [--plain] [--repeat N]

PAGES_DIR holds NNN.html, NNN.wet.txt and the gold NNN.json; SCORE_PAGES_PY is the scorer that comes with them.
Prints a Markdown table.  A tool that is not installed is left out with a note.  Times are the processor seconds of
the best of N runs per page, one process, one core, the text already in memory.

Fairness: trafilatura and resiliparse give one flat text of all comments; a line break is the only cut they leave, so
each block of their comment text counts as one comment, which is the most they can be given.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

Prediction = dict[str, Any]
Tool = Callable[[str], Prediction]

# Lines that open a block of comments on pages of many themes, for the naive cut.
_SEPARATOR = re.compile(
    r"^(?:\d+\s+)?(?:comments?|kommentare?|commentaires?|comentarios?|replies|responses|antworten)(?:\s*\(\d+\))?:?$|"
    r"^\d+ (?:thoughts|responses|gedanken|réflexions) (?:on|to|zu|sur|au)\b.*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass
class Case:
    """One page with its gold."""

    gold: dict[str, Any]
    html: str | None
    text: str | None


def ours(source: str) -> Prediction:
    """The segmenter of this package, for HTML and text alike."""
    from spamfilter.segment import split_page

    page = split_page(source)
    comments = [{"text": c.text, "author": c.author} for c in page.comments if c.kind == "comment"]
    return {"article": page.article, "comments": comments}


def naive_cut(source: str) -> Prediction:
    """Article before the first separator line, comments after it, one to a line."""
    match = _SEPARATOR.search(source)
    if match is None:
        return {"article": source, "comments": []}
    return {"article": source[: match.start()], "comments": _blocks(source[match.end() :])}


def trafilatura_tool() -> Tool:
    """trafilatura with its comments switched on."""
    from trafilatura import bare_extraction

    def run(source: str) -> Prediction:
        document = bare_extraction(source, include_comments=True)
        if document is None:
            return {"article": "", "comments": []}
        return {"article": document.text or "", "comments": _blocks(document.comments or "")}

    return run


def resiliparse_tool() -> Tool:
    """resiliparse: the text with comments less the text without them."""
    from resiliparse.extract.html2text import extract_plain_text

    def run(source: str) -> Prediction:
        article = extract_plain_text(source, main_content=True, comments=False)
        both = extract_plain_text(source, main_content=True, comments=True)
        known = set(article.splitlines())
        rest = "\n".join(line for line in both.splitlines() if line not in known)
        return {"article": article, "comments": _blocks(rest)}

    return run


def _blocks(text: str) -> list[Prediction]:
    return [{"text": line} for line in text.splitlines() if line.strip()]


def tools(plain: bool) -> dict[str, Tool]:
    """The tools at hand, by name."""
    if plain:
        return {"spamfilter": ours, "naive cut": naive_cut}
    found: dict[str, Tool] = {"spamfilter": ours}
    for name, make in (("trafilatura", trafilatura_tool), ("resiliparse", resiliparse_tool)):
        try:
            found[name] = make()
        except ImportError as error:
            print(f"{name} is left out: {error}")
    return found


def load_cases(folder: Path) -> list[Case]:
    """All pages of ``folder`` that have gold."""
    cases = []
    for path in sorted(folder.glob("*.json")):
        gold = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(gold, dict) or "comments" not in gold:
            continue
        html, text = path.with_suffix(".html"), path.with_suffix(".wet.txt")
        cases.append(
            Case(
                gold,
                html.read_text(encoding="utf-8") if html.exists() else None,
                text.read_text(encoding="utf-8") if text.exists() else None,
            )
        )
    return cases


def timed(tool: Tool, source: str, repeat: int) -> tuple[Prediction, float]:
    """What the tool finds, and the processor seconds of its best run."""
    best, found = float("inf"), {}
    for _ in range(repeat):
        start = time.process_time()
        found = tool(source)
        best = min(best, time.process_time() - start)
    return found, best


def measure(scorer: ModuleType, cases: list[Case], plain: bool, repeat: int) -> list[str]:
    """Rows of the table: one for each tool and kind of page."""
    every = tools(plain)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in every}
    seconds = dict.fromkeys(every, 0.0)
    for case in cases:
        source = case.text if plain else case.html
        if source is None:
            continue
        for name, tool in every.items():  # page by page, so that a busy machine slows all of them alike
            found, taken = timed(tool, source, repeat)
            rows[name].append(scorer.page(case.gold, found))
            seconds[name] += taken
    return [line for name in every for line in _lines(scorer, name, rows[name], seconds[name])]


def _lines(scorer: ModuleType, name: str, rows: list[dict[str, Any]], seconds: float) -> list[str]:
    lines = []
    for kind in sorted({row["kind"] for row in rows}):
        part = scorer.summarise([row for row in rows if row["kind"] == kind])
        found = part["false_pages"]
        cells = [name, kind, str(part["pages"]), f"{part['article'][2]:.3f}"]
        has_comments = found[1] < part["pages"]
        cells += [f"{part['comments'][2]:.3f}", f"{part['segment'][2]:.3f}"] if has_comments else ["–", "–"]
        cells += ["–" if part["author"] is None else f"{part['author']:.3f}", f"{found[0]} of {found[1]}"]
        lines.append("| " + " | ".join([*cells, f"{len(rows) / seconds:.0f}"]) + " |")
    return lines


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("scorer", type=Path)
    parser.add_argument("--plain", action="store_true", help="the plain text of the pages instead of their HTML")
    parser.add_argument("--repeat", type=int, default=2)
    options = parser.parse_args()
    spec = importlib.util.spec_from_file_location("score_pages", options.scorer)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{options.scorer} is no Python file; give the path of score_pages.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    print("| tool | pages | n | article F1 | comment text F1 | per-comment F1 | author | false pages | pages/s |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(measure(scorer, load_cases(options.pages), options.plain, options.repeat)))


if __name__ == "__main__":
    main()
