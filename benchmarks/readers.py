"""Readers' comments of real pages, as a file for ``spamfilter train --readers``.

Usage::

    python benchmarks/readers.py readers.jsonl [--pages ../shared/pages]

Takes the pages whose article and comments have been marked by hand (``NNN.json``), a page a line with its comments in
their order.  Pages of sites that the labelled sets hold are left out, so that a site left out of a benchmark
is not learnt from by another way.  A page that cannot be read is named and passed over.  The text belongs to others: do
not pass the file on; weights may be learnt from it.
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

#: Hosts of sites that the labelled sets hold (this one as ``stackblog``).
LABELLED = frozenset({"stackoverflow.blog"})
ARCHIVE = "web.archive.org"


def of_pages(pages: Path, keep: Callable[[str], bool] = lambda _: True) -> Dataset:
    """The comments of the pages whose id ``keep`` wants, read as ``spamfilter train --readers`` reads them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "readers.jsonl"
        write(file, (page for page in rows(pages) if keep(page["id"])))
        return read_data([], readers=[file])


def rows(pages: Path, left_out: frozenset[str] = LABELLED) -> Iterator[dict[str, Any]]:
    """A row a page that has comments, in the form of a thread (docs/data.md)."""
    paths = sorted(pages.glob("*.json"))
    if not paths:
        raise SystemExit(f"{pages}: no marked pages (NNN.json) there; name their folder with --pages")
    for path in paths:
        try:
            found = row(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            print(f"{path}: passed over, not a marked page ({type(error).__name__}: {error})", file=sys.stderr)
            continue
        if found and found["site"] not in left_out:
            yield found


def row(gold: dict[str, Any]) -> dict[str, Any] | None:
    """A page as a thread; None for a forum's, and for one without comments."""
    comments = [comment(c) for c in gold["comments"] if c["text"].strip()]
    if not comments or gold["kind"] == "thread":
        return None
    shown = {"title": gold["title"] or "", "article": gold["article"] or "", "lang": gold["lang"] or "en"}
    site = host(gold["page_url"]) or f"page-{gold['id']}"
    return {"id": gold["id"], "site": site, **shown, "comments": comments}


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
    lines = [json.dumps(page, ensure_ascii=False) for page in found]
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
