"""Readers' comments of real pages, as a file for ``spamfilter train --readers``.

Usage::

    python benchmarks/readers.py readers.jsonl [--pages ../shared/pages]

Takes the pages whose article and comments have been marked by hand (``NNN.json``), a page a line with its comments in
their order.  Pages of sites that the labelled sets hold are left out, so that a site left out of a benchmark
is not learnt from by another way.  The text belongs to others: keep the file; weights may be learnt from it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from spamfilter.datasets import Dataset, read_data  # noqa: E402

#: Hosts of the labelled sets by the name that they have there.
SAME_SITE = {"stackoverflow.blog": "stackblog"}
ARCHIVE = "web.archive.org"


def of_pages(pages: Path, keep: Callable[[str], bool] = lambda _: True) -> Dataset:
    """The comments of the pages whose id ``keep`` wants, read as ``spamfilter train --readers`` reads them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "readers.jsonl"
        write(file, (row for row in rows(pages) if keep(row["id"])))
        return read_data([], readers=[file])


def rows(pages: Path, left_out: frozenset[str] = frozenset(SAME_SITE)) -> Iterator[dict[str, Any]]:
    """A row a page that has comments, in the form of a thread (docs/data.md)."""
    for path in sorted(pages.glob("*.json")):
        gold = json.loads(path.read_text(encoding="utf-8"))
        site = host(gold["page_url"]) or f"page-{gold['id']}"
        comments = [comment(c) for c in gold["comments"] if c["text"].strip()]
        if comments and site not in left_out and gold["kind"] != "thread":
            shown = {"title": gold["title"] or "", "article": gold["article"] or "", "lang": gold["lang"] or "en"}
            yield {"id": gold["id"], "site": site, **shown, "comments": comments}


def comment(gold: dict[str, Any]) -> dict[str, str]:
    """A comment without what it does not have, its link without the archive's part."""
    url = original(gold.get("url") or "")
    found = {"author": gold.get("author"), "author_url": url if url.startswith("http") else None}
    return {"text": gold["text"], **{k: v for k, v in found.items() if v}}


def original(url: str) -> str:
    """The address that an archive's address holds; any other as it is."""
    if ARCHIVE not in url:
        return url
    inner = url.split(ARCHIVE, 1)[1].removeprefix("/web/").partition("/")[2]
    return inner if "://" in inner or not inner else f"http://{inner}"


def host(url: str | None) -> str:
    """The host of a page's address, or an empty string."""
    return urlsplit(original(url or "")).hostname or ""


def write(file: Path, found: Iterator[dict[str, Any]]) -> int:
    """Write the rows; how many there were."""
    lines = [json.dumps(row, ensure_ascii=False) for row in found]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pages", type=Path, default=ROOT.parent / "shared" / "pages")
    given = parser.parse_args()
    print(f"{write(given.out, rows(given.pages))} pages with comments")


if __name__ == "__main__":
    main()
