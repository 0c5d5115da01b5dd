"""Labelled comments: read, check, merge, group by site, find campaigns, fingerprint.

Usage::

    data = read_data(["data/corpus", "mine.csv"])     # Dataset; raises DataError where it cannot be used
    data.report.lines()                               # what was read, left out, and why

Three shapes are read:

* a table (``.csv``, ``.jsonl``, ``.parquet``) with one comment a row: ``text`` and ``label``, and where
  there are any ``author``, ``author_url``, ``title``, ``article``, ``site``, ``post``, ``set``, ``lang``,
  ``kind``, ``date``, ``id``;
* a folder with ``comments.jsonl`` and ``posts.jsonl`` (``post``, ``title``, ``text``), joined by ``post``;
* threads, one article a line with its comments: ``{"site", "title", "article", "lang", "comments": [...]}``.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.errors import DataError, MissingExtra, UnreadableFile
from spamfilter.features.hashing import word_hashes
from spamfilter.features.relatedness import pairs_of
from spamfilter.text import encode

__all__ = ["DataReport", "Dataset", "campaign_sizes", "campaigns_of", "merge", "read_data"]

#: Fields a row may have besides text and label; anything else is left aside.
FIELDS: Final = ("author", "author_url", "title", "article", "site", "post", "set", "lang", "kind", "date", "id")
_LABELS: Final = {"spam": 1, "ham": 0}
#: Rows of a class below which nothing can be learnt or measured from it.
FEWEST: Final = 20
#: MinHash: permutations and bands; pairs of neighbouring words that agree in 5 of 10 are joined with
#: probability 0.4, 7 of 10 with 0.9, 3 of 10 with 0.06 (1 - (1 - s^4)^8).
PERMUTATIONS: Final = 32
BANDS: Final = 8
#: Texts with fewer pairs of words than this are a campaign only if they are the same ("thanks!").
FEWEST_PAIRS: Final = 4


@dataclass(slots=True)
class DataReport:
    """What happened to the rows: nothing is dropped without being counted here."""

    read: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def leave_out(self, reason: str, where: str) -> None:
        """Count one row left out; the first five of each reason are named."""
        self.left_out[reason] += 1
        if len(self.examples[reason]) < 5:
            self.examples[reason].append(where)

    def lines(self) -> list[str]:
        """The report as lines for a person."""
        out = [f"read {n:,} rows from {source}" for source, n in self.read.items()]
        for reason, n in self.left_out.items():
            out.append(f"left out {n:,}: {reason} ({', '.join(self.examples[reason])}{' …' if n > 5 else ''})")
        return out


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled comments as columns of equal length; ``label`` is 1 for spam, 0 for ham."""

    text: list[str]
    label: NDArray[np.int8]
    author: list[str | None]
    author_url: list[str | None]
    title: list[str | None]
    article: list[str | None]
    site: list[str]
    post: list[str]
    set: list[str]
    lang: list[str | None]
    kind: list[str | None]
    date: list[str | None]
    id: list[str]
    report: DataReport = field(default_factory=DataReport)

    def __len__(self) -> int:
        return len(self.text)

    def take(self, index: NDArray[Any] | Sequence[int]) -> Dataset:
        """The rows at ``index`` (numbers, or a mask), in that order."""
        places = np.asarray(index)
        places = np.flatnonzero(places) if places.dtype == bool else places
        columns = {
            n: [getattr(self, n)[i] for i in places.tolist()]
            for n in ("text", "author", "author_url", "title", "article", "site", "post", "set", "lang", "kind", "date", "id")
        }
        return Dataset(label=self.label[places], report=self.report, **columns)

    def fingerprint(self) -> str:
        """SHA-256 over texts, labels and fields, whatever the order of the rows."""
        rows = sorted(
            hashlib.sha256("\x1f".join(map(str, row)).encode("utf-8", "surrogatepass")).digest()
            for row in zip(self.text, self.label.tolist(), self.author, self.author_url, self.title, self.site, strict=True)
        )
        return hashlib.sha256(b"".join(rows)).hexdigest()

    def require_both_classes(self) -> None:
        """Raise ``DataError`` unless there are at least ``FEWEST`` rows of each class."""
        spam, ham = int(self.label.sum()), int(len(self) - self.label.sum())
        for name, n in (("spam", spam), ("ham", ham)):
            if n < FEWEST:
                raise DataError(
                    f"there are {n} rows labelled {name}, at least {FEWEST} are needed to learn from; "
                    f"add labelled rows (found {spam} spam and {ham} ham)"
                )


def read_data(sources: Sequence[str | Path], conflicts: str = "drop") -> Dataset:
    """Read and check labelled comments from files and folders.

    ``conflicts`` says what becomes of a text that has both labels under the same article: "drop"
    leaves all its rows out, "newest" keeps the row with the latest ``date`` (rows without one lose).
    Raises ``DataError`` for a missing column or a label that is neither spam nor ham, and
    ``UnreadableFile`` where a file cannot be read.
    """
    report, rows = DataReport(), []
    for source in sources:
        before = len(rows)
        rows += [r for path in _files_of(Path(source)) for r in _rows_of(path, report)]
        report.read[str(source)] = len(rows) - before
    rows = _without_conflicts(_without_doubles(rows, report), report, conflicts)
    return _dataset(rows, report)


def merge(parts: Iterable[Dataset]) -> Dataset:
    """Several datasets as one, in order."""
    datasets = list(parts)
    report = DataReport()
    for d in datasets:
        report.read.update(d.report.read)
        report.left_out.update(d.report.left_out)
    columns = {n: [v for d in datasets for v in getattr(d, n)] for n in ("text", *FIELDS)}
    labels = [d.label for d in datasets]
    return Dataset(label=np.concatenate(labels) if labels else np.zeros(0, np.int8), report=report, **columns)


def _files_of(source: Path) -> list[Path]:
    if not source.exists():
        raise UnreadableFile(f"{source}: no such file or folder; name a .csv, .jsonl or .parquet file, or a folder of them")
    if source.is_file():
        return [source]
    if (source / "comments.jsonl").is_file():
        return [source / "comments.jsonl"]
    found = sorted(p for p in source.rglob("*") if p.suffix in (".csv", ".jsonl", ".parquet") and p.is_file())
    if not found:
        raise DataError(f"{source}: no .csv, .jsonl or .parquet file in this folder")
    return found


def _rows_of(path: Path, report: DataReport) -> Iterator[dict[str, Any]]:
    posts = _posts(path.with_name("posts.jsonl")) if path.name == "comments.jsonl" else {}
    for n, raw in enumerate(_records(path), 1):
        where = f"{path.name} row {n}"
        for row in _comments_of(raw, path, n):
            text = row.get("text")
            if not isinstance(text, str) or not text.strip():
                report.leave_out("empty text", where)
                continue
            yield _normalised(row, text, posts, path, where, n)


def _comments_of(raw: Mapping[str, Any], path: Path, n: int) -> Iterator[Mapping[str, Any]]:
    if not isinstance(raw, Mapping):
        raise DataError(f"{path} row {n}: expected an object with text and label, found {type(raw).__name__}")
    if "comments" not in raw:
        _require_columns(raw, path)
        yield raw
        return
    shared = {k: raw.get(k) for k in ("title", "article", "site", "lang", "set")}
    shared["post"] = raw.get("id") or f"{path.stem}:{n}"
    for comment in raw["comments"]:
        yield {**shared, **{k: v for k, v in comment.items() if v is not None}}


def _require_columns(raw: Mapping[str, Any], path: Path) -> None:
    for wanted in ("text", "label"):
        if wanted not in raw:
            near = difflib.get_close_matches(wanted, list(raw), 1, 0.5) or [
                c for c in raw if c.lower() in ("content", "comment", "body", "message", "class", "is_spam", "spam", "target")
            ]
            hint = f"; is {near[0]!r} meant? rename it to {wanted!r}" if near else f"; add a column {wanted!r}"
            raise DataError(f"{path}: no column {wanted!r} (found: {', '.join(map(str, raw)) or 'none'}){hint}")


def _normalised(
    row: Mapping[str, Any], text: str, posts: Mapping[str, Mapping[str, Any]], path: Path, where: str, n: int
) -> dict[str, Any]:
    label = row.get("label")
    key = label.strip().lower() if isinstance(label, str) else label
    if key not in _LABELS:
        raise DataError(f"{path} row {n}: label {label!r} is neither 'spam' nor 'ham'; correct it or take the row out")
    post = posts.get(str(row.get("post"))) or {}
    out: dict[str, Any] = {f: _text_or_none(row.get(f)) for f in FIELDS}
    out.update(text=text, label=_LABELS[key], where=where)
    out["title"] = out["title"] or _text_or_none(post.get("title"))
    out["article"] = out["article"] or _text_or_none(post.get("text"))
    out["set"] = out["set"] or path.stem
    out["site"] = out["site"] or out["set"]
    out["id"] = out["id"] or f"{path.stem}:{n}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return out


def _text_or_none(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return str(value).strip() or None


def _posts(path: Path) -> dict[str, Mapping[str, Any]]:
    return {str(p["post"]): p for p in _records(path)} if path.is_file() else {}


def _records(path: Path) -> Iterator[Any]:
    try:
        if path.suffix == ".csv":
            yield from _csv_records(path)
        elif path.suffix == ".parquet":
            yield from _parquet_records(path)
        else:
            with path.open(encoding="utf-8-sig") as lines:
                for n, line in enumerate(lines, 1):
                    if line.strip():
                        yield _json(line, path, n)
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path}: not UTF-8 (byte {error.start}); convert it, e.g. iconv -t UTF-8") from error
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from error


def _json(line: str, path: Path, n: int) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{path} line {n}: not JSON ({error.msg}); one object a line is expected") from error


def _csv_records(path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(1 << 30)  # a comment or article may be longer than the default 128 KiB
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def _parquet_records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("crawl", "pyarrow") from error
    with pq.ParquetFile(path) as table:
        for batch in table.iter_batches(10_000):
            yield from batch.to_pylist()


def _key(row: Mapping[str, Any]) -> tuple[str, str | None]:
    return " ".join(str(row["text"]).split()).casefold(), row["post"] or row["title"]


def _without_doubles(rows: list[dict[str, Any]], report: DataReport) -> list[dict[str, Any]]:
    """Rows without those that repeat another to the letter, under the same article, with the same label and author."""
    seen: set[tuple[Any, ...]] = set()
    out = []
    for row in rows:
        key = (*_key(row), row["label"], row["author"], row["author_url"])
        if key in seen:
            report.leave_out("the same comment again", row["where"])
            continue
        seen.add(key)
        out.append(row)
    return out


def _without_conflicts(rows: list[dict[str, Any]], report: DataReport, rule: str) -> list[dict[str, Any]]:
    labels: dict[tuple[str, str | None], set[int]] = defaultdict(set)
    newest: dict[tuple[str, str | None], str] = defaultdict(str)
    for row in rows:
        labels[_key(row)].add(row["label"])
        newest[_key(row)] = max(newest[_key(row)], row["date"] or "")
    out = []
    for row in rows:
        key = _key(row)
        if len(labels[key]) > 1 and not (rule == "newest" and row["date"] and row["date"] == newest[key]):
            report.leave_out("the same text is labelled both spam and ham", row["where"])
            continue
        out.append(row)
    return out


def _dataset(rows: list[dict[str, Any]], report: DataReport) -> Dataset:
    columns: dict[str, Any] = {n: [r[n] for r in rows] for n in ("text", *FIELDS)}
    columns["post"] = [r["post"] or f"{r['site']}|{r['title'] or ''}" for r in rows]
    return Dataset(label=np.array([r["label"] for r in rows], np.int8), report=report, **columns)


def campaigns_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """Number of the campaign of each text: texts that repeat, whole or with small changes, share one.

    MinHash over pairs of neighbouring words (Broder 1997) with ``PERMUTATIONS`` and ``BANDS``; very
    short texts are joined only if they are the same after folding.
    """
    batch = encode(texts)
    word, _, ptr = word_hashes(batch)
    pair, pair_ptr = pairs_of((word, ptr))
    parent = np.arange(len(texts))
    long = np.flatnonzero(np.diff(pair_ptr) >= FEWEST_PAIRS)
    for keys, places in _band_keys(pair, pair_ptr, long):
        _join(parent, keys, places)
    same = [batch.points[a : b - 1].tobytes() for a, b in zip(batch.starts[:-1], batch.starts[1:], strict=True)]
    _join(parent, same, range(len(texts)))
    roots = np.array([_root(parent, i) for i in range(len(texts))], np.int64)
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def _band_keys(
    pair: NDArray[np.uint32], ptr: NDArray[np.int64], long: NDArray[np.int64]
) -> Iterator[tuple[list[bytes], list[int]]]:
    rng = np.random.default_rng(20) # fixed: campaigns must not depend on the run
    rows = PERMUTATIONS // BANDS
    if not long.size:
        return
    for _ in range(BANDS):
        band = []
        for _ in range(rows):
            a, b = (int(x) for x in rng.integers(1, 1 << 62, 2))
            h = (pair.astype(np.uint64) * np.uint64(2 * a + 1) + np.uint64(b)) >> np.uint64(32)
            band.append(np.minimum.reduceat(np.append(h, 0), ptr[:-1])[long])
        stack = np.stack(band, axis=1)
        yield [row.tobytes() for row in stack], long.tolist()


def _join(parent: NDArray[np.int64], keys: Sequence[bytes], places: Iterable[int]) -> None:
    first: dict[bytes, int] = {}
    for key, place in zip(keys, places, strict=True):
        other = first.setdefault(key, place)
        if other != place:
            parent[_root(parent, place)] = _root(parent, other)


def _root(parent: NDArray[np.int64], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = int(parent[i])
    return i


def campaign_sizes(texts: Sequence[str]) -> NDArray[np.int64]:
    """How many of the texts belong to the campaign of each text (1: it stands alone)."""
    campaign = campaigns_of(texts)
    return np.bincount(campaign)[campaign].astype(np.int64)
