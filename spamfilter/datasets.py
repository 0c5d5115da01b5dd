"""Labelled comments: read, check, merge, group by site, fingerprint.

Usage::

    data = read_data(["data/corpus", "mine.csv"])     # Dataset; raises DataError where it cannot be used
    data.report.lines()                               # what was read, left out, and why

Three shapes are read:

* a table (``.csv``, ``.tsv``, ``.jsonl``, each also ``.gz``, or ``.parquet``) with one comment a row: ``text``
  and ``label``, and where there are any ``author``, ``author_url``, ``title``, ``article``, ``site``,
  ``post``, ``set``, ``lang``, ``kind``, ``date``, ``id``;
* a folder with ``comments.jsonl`` and, if there are any, articles in ``posts.jsonl`` (``post``, ``title``, ``text``);
* threads, one article a line with its comments: ``{"site", "title", "article", "lang", "comments": [...]}``.

Comments that a site has published can be read without labels, as ham (``readers=``): the same shapes, among them what
``spamfilter split`` writes.
"""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.campaigns import campaign_sizes, campaigns_of
from spamfilter.errors import DataError, UnreadableFile
from spamfilter.features.links import host_of
from spamfilter.rowfiles import SUFFIXES, RowFile, is_row_file

__all__ = ["PUBLISHED", "DataReport", "Dataset", "campaign_sizes", "campaigns_of", "merge", "read_data", "read_rows"]

#: Fields a row may have besides text and label; anything else is left aside.
FIELDS: Final = ("author", "author_url", "title", "article", "site", "post", "set", "lang", "kind", "date", "id")
#: What to do with a text that has both labels under the same article.
CONFLICTS: Final = ("drop", "newest")
_LABELS: Final = {"spam": 1, "ham": 0}
#: Rows of a class below which nothing can be learnt or measured from it.
FEWEST: Final = 20
#: Names other tools give the two columns that must be there.
_OTHER_NAMES: Final = {
    "text": ("content", "comment", "comment_content", "body", "message", "comment_text"),
    "label": ("class", "is_spam", "spam", "target", "verdict", "tag"),
}
#: Rows left out that are listed one by one; all of them are counted.
_LISTED: Final = 10_000
_SNIPPET: Final = 60
#: Set and kind of comments that count as ham because a site has published them; a file may well be called "published".
PUBLISHED: Final = "(published)"
#: Kinds that sites send, not readers.
_NO_READERS: Final = ("pingback", "trackback")


@dataclass(slots=True)
class DataReport:
    """What happened to the rows: nothing is dropped without being counted here.

    ``read`` counts comments by source, ``left_out`` rows by reason, ``notes`` what was changed; ``listed``
    holds (reason, place) of the first rows left out.
    """

    read: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    listed: list[tuple[str, str]] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def leave_out(self, reason: str, where: str) -> None:
        """Count one row left out; the first five of each reason are named."""
        self.left_out[reason] += 1
        if len(self.examples[reason]) < 5:
            self.examples[reason].append(where)
        if len(self.listed) < _LISTED:
            self.listed.append((reason, where))

    def add(self, other: DataReport) -> None:
        """Count what another report counted, too."""
        self.read.update(other.read)
        self.left_out.update(other.left_out)
        self.notes.update(other.notes)
        self.listed += other.listed[: _LISTED - len(self.listed)]
        for reason, places in other.examples.items():
            self.examples[reason] = (self.examples[reason] + places)[:5]

    def lines(self) -> list[str]:
        """The report as lines for a person."""
        out = [f"read {n:,} comments from {source}" for source, n in self.read.items()]
        out += [f"note: {what}: {n:,}" for what, n in self.notes.items() if n]
        for reason, n in self.left_out.items():
            out.append(f"left out {n:,}: {reason} ({'; '.join(self.examples[reason])}{'; …' if n > 5 else ''})")
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
        places = np.flatnonzero(places) if places.dtype == bool else places.astype(np.int64)
        wanted = places.tolist()
        columns = {n: [values[i] for i in wanted] for n, values in self._columns()}
        return Dataset(label=self.label[places], report=self.report, **columns)

    def _columns(self) -> Iterator[tuple[str, list[Any]]]:
        for name in ("text", *FIELDS):
            yield name, getattr(self, name)

    def fingerprint(self) -> str:
        """SHA-256 over texts, labels and fields, whatever the order of the rows."""
        rows = sorted(
            hashlib.sha256("\x1f".join(map(str, row)).encode("utf-8", "surrogatepass")).digest()
            for row in zip(
                self.text, self.label.tolist(), self.author, self.author_url, self.title, self.site, strict=True
            )
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


def read_data(
    sources: Sequence[str | Path],
    conflicts: str = "drop",
    split: str | None = None,
    readers: Sequence[str | Path] = (),
) -> Dataset:
    """Read and check labelled comments from files and folders, row by row; of ``readers`` those without a label, too.

    ``conflicts`` says what becomes of a text that has both labels under the same article: "drop"
    leaves all its rows out, "newest" keeps those with the latest ``date`` if they agree (rows without a
    date lose).  With ``split`` ("train", "test") only the threads and rows of that split are read.
    Raises ``DataError`` for a missing column or a label that is neither spam nor ham, and
    ``UnreadableFile`` where a file cannot be read.
    """
    if conflicts not in CONFLICTS:
        raise DataError(f"conflicts must be one of {', '.join(CONFLICTS)}, not {conflicts!r}")
    rows = _Rows(DataReport(), split)
    for source, published in (*((s, False) for s in sources), *((s, True) for s in readers)):
        before = rows.seen
        for path in _files_of(Path(source), _MADE_OF_PAGES if published else ""):
            rows.add_file(path, published)
        rows.report.read[str(source)] += rows.seen - before
    return rows.dataset(conflicts)


def read_rows(rows: Iterable[Mapping[str, Any]], name: str, conflicts: str = "drop") -> Dataset:
    """Check rows that come from elsewhere than a file, as ``read_data`` does; ``name`` stands for the file in messages.

    The keys are those of a table.  Raises ``DataError`` as ``read_data``.
    """
    made = _Rows(DataReport(), None)
    made.add_rows(rows, Path(name))
    made.report.read[name] = made.seen
    return made.dataset(conflicts)


def merge(parts: Iterable[Dataset]) -> Dataset:
    """Several datasets as one, in order."""
    datasets = list(parts)
    report = DataReport()
    for d in datasets:
        report.add(d.report)
    columns = {n: [v for d in datasets for v in getattr(d, n)] for n in ("text", *FIELDS)}
    labels = [d.label for d in datasets]
    return Dataset(label=np.concatenate(labels) if labels else np.zeros(0, np.int8), report=report, **columns)


#: What to do with pages where files of their comments are read.
_MADE_OF_PAGES: Final = "; `spamfilter split PAGES -o pages.jsonl` makes one of pages"


def _files_of(source: Path, next_step: str = "") -> list[Path]:
    if not source.exists():
        raise UnreadableFile(
            f"{source}: no such file or folder; name a {', '.join(SUFFIXES)} file, or a folder of them"
        )
    if source.is_file():
        if not is_row_file(source):
            raise UnreadableFile(f"{source}: not a file of rows; {', '.join(SUFFIXES)} are read{next_step}")
        return [source]
    found = list(_files_in(source))
    if not found:
        raise DataError(f"{source}: no {', '.join(SUFFIXES)} file in this folder{next_step}")
    return found


def _files_in(folder: Path) -> Iterator[Path]:
    """The files of rows in a folder; one with a ``comments.jsonl`` stands for that file alone."""
    if (folder / "comments.jsonl").is_file():
        yield folder / "comments.jsonl"
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            yield from _files_in(path)
        elif path.is_file() and is_row_file(path):
            yield path


class _Rows:
    """Columns that grow row by row; values that come again are held once."""

    def __init__(self, report: DataReport, split: str | None) -> None:
        self.report = report
        self.seen = 0
        self._split = split
        self._columns: dict[str, list[Any]] = {n: [] for n in ("text", *FIELDS)}
        self._label = bytearray()
        self._where: list[tuple[str, str]] = []
        self._key: list[int] = []
        self._labels_of: dict[int, int] = {}  # hash of text and article → bit 1: ham, bit 2: spam
        self._doubles: set[int] = set()
        self._same: dict[str, str] = {}
        self._digest: dict[str, str] = {}

    def add_file(self, path: Path, published: bool = False) -> None:
        posts = _posts(path.with_name("posts.jsonl")) if path.name == "comments.jsonl" else {}
        file = RowFile(path)
        for n, raw in file.rows():
            for where, row in _comments_of(raw, path, n, published):
                self._add(row, posts, path, where)
        self.report.notes[f"rows of {path.name} that were not UTF-8, read as Windows-1252"] += file.mended

    def add_rows(self, rows: Iterable[Mapping[str, Any]], name: Path) -> None:
        for n, raw in enumerate(rows, 1):
            for where, row in _comments_of(raw, name, n):
                self._add(row, {}, name, where)

    def _add(self, row: Mapping[Any, Any], posts: Mapping[str, Mapping[str, Any]], path: Path, where: str) -> None:
        self.seen += 1
        label = _label_of(row.get("label"), path, where)
        text = _text_or_none(row.get("text"))
        place = f"{path.name} {where}"
        if self._split is not None and row.get("split") != self._split and row.get("set") != PUBLISHED:
            self.report.notes[f"rows of other splits than {self._split!r}, passed over"] += 1
        elif text is None:
            self.report.leave_out("empty text", place)
        elif row.get("set") == PUBLISHED and row.get("kind") in _NO_READERS:
            self.report.leave_out("published, but no reader's comment", place)
        elif None in row:
            self.report.leave_out("more cells than the header has columns", place)
        elif isinstance(row.get("text"), (list, dict)):
            self.report.leave_out("text that is a list or an object", place)
        else:
            self._keep(_fields_of(row, text, posts, path, where), label, (path.name, where))

    def _keep(self, fields: dict[str, str | None], label: int, where: tuple[str, str]) -> None:
        text = str(fields["text"])
        # Without a name or title the article itself says what a comment stands under.
        under = (fields["site"], fields["post"]) if fields["post"] else fields["title"] or fields["article"]
        key = hash((" ".join(text.split()).casefold(), under))
        double = hash((key, label, fields["author"], fields["author_url"]))
        if double in self._doubles:
            self.report.leave_out("the same comment again", " ".join(where))
            return
        self._doubles.add(double)
        self._labels_of[key] = self._labels_of.get(key, 0) | (1 << label)
        self._key.append(key)
        self._label.append(label)
        self._where.append(where)
        for name, column in self._columns.items():
            value = fields[name]
            column.append(value if value is None or name in ("text", "id") else self._same.setdefault(value, value))

    def dataset(self, conflicts: str) -> Dataset:
        """What was read, without the rows whose labels contradict each other."""
        keep = self._without_conflicts(conflicts)
        places = zip(*(self._columns[n] for n in ("site", "title", "article", "post")), strict=True)
        shared = self._shared_posts()
        self._columns["post"] = [
            self._same.setdefault(f"{site}|{post}", f"{site}|{post}")
            if post in shared
            # A name that two sites give, as those that count their posts, is two names.
            else post or self._post_of(site, title, article)
            for site, title, article, post in places
        ]
        whole = Dataset(label=np.frombuffer(bytes(self._label), np.int8), report=self.report, **self._columns)
        return whole if keep.all() else whole.take(keep)

    def _shared_posts(self) -> set[str]:
        """Names of posts that more than one site gives."""
        site_of: dict[str, str] = {}
        rows = zip(self._columns["post"], self._columns["site"], strict=True)
        return {post for post, site in rows if post and site_of.setdefault(post, site) != site}

    def _post_of(self, site: str, title: str | None, article: str | None) -> str:
        """The name of the article of rows that give none: its site and title, or where it has no title its digest."""
        if not title and article and article not in self._digest:
            self._digest[article] = hashlib.sha256(article.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        name = f"{site}|{title or self._digest.get(article or '', '')}"
        return self._same.setdefault(name, name)

    def _without_conflicts(self, rule: str) -> NDArray[np.bool_]:
        keep = np.ones(len(self._key), np.bool_)
        places: dict[int, list[int]] = defaultdict(list)
        for i, key in enumerate(self._key):
            if self._labels_of[key] == 3:
                places[key].append(i)
        for rows in places.values():
            kept = self._newest(rows) if rule == "newest" else []
            snippet = " ".join(self._columns["text"][rows[0]].split())[:_SNIPPET]
            for i in rows:
                if i not in kept:
                    keep[i] = False
                    said = "spam" if self._label[i] else "ham"
                    place = f"{' '.join(self._where[i])} is {said}: “{snippet}”"
                    self.report.leave_out("the same text is labelled both spam and ham", place)
        return keep

    def _newest(self, rows: list[int]) -> list[int]:
        dates = self._columns["date"]
        latest = max(dates[i] or "" for i in rows)
        newest = [i for i in rows if latest and dates[i] == latest]
        return newest if len({self._label[i] for i in newest}) == 1 else []


def _comments_of(raw: Any, path: Path, n: int, published: bool = False) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    if not isinstance(raw, Mapping):
        raise DataError(f"{path} row {n}: expected an object with text and label, found {type(raw).__name__}")
    if "comments" not in raw:
        row = _published(raw, raw) if published else raw
        _require_columns(row, path, f"row {n}")
        yield f"row {n}", row
        return
    if not isinstance(raw["comments"], list):
        raise DataError(f"{path} row {n}: comments is {type(raw['comments']).__name__}, a list of objects is expected")
    shared = {k: raw.get(k) for k in ("title", "article", "site", "lang", "set", "split")}
    shared["post"] = raw.get("id") or f"{path.stem}:{n}"
    for k, comment in enumerate(raw["comments"], 1):
        where = f"row {n} comment {k}"
        if not isinstance(comment, Mapping):
            raise DataError(f"{path} {where}: expected an object, found {type(comment).__name__}")
        comment = _published(comment, raw) if published else comment
        _require_columns(comment, path, where)
        yield where, {**shared, **{k: v for k, v in comment.items() if v is not None}}


def _published(row: Mapping[Any, Any], page: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """A row that a site has published: ham unless it says otherwise, known by the host of its page."""
    site = _stripped(page.get("site")) or host_of(_stripped(page.get("url")) or "")
    site = site or Path(str(page.get("source") or page.get("id") or PUBLISHED)).name
    kind = row.get("kind") if row.get("kind") in _NO_READERS else PUBLISHED
    return {**row, "label": row.get("label") or "ham", "set": PUBLISHED, "kind": kind, "site": site}


def _require_columns(raw: Mapping[Any, Any], path: Path, where: str) -> None:
    for wanted in ("text", "label"):
        if wanted not in raw:
            names = [str(c) for c in raw if c is not None]
            usual = [c for c in names if c.lower() in (wanted, *_OTHER_NAMES[wanted])]
            other = [c for c in names if c.lower() not in ("text", "label", *FIELDS)]  # what has a meaning keeps it
            near = usual or difflib.get_close_matches(wanted, other, 1, 0.5)
            hint = f"; is {near[0]!r} meant? rename it to {wanted!r}" if near else f"; add a column {wanted!r}"
            if wanted == "label" and not usual:
                hint += " (if a site has published them all: train --readers takes them as ham)"
            raise DataError(f"{path} {where}: no column {wanted!r} (found: {', '.join(names) or 'none'}){hint}")


def _label_of(label: Any, path: Path, where: str) -> int:
    key = label.strip().lower() if isinstance(label, str) else label
    found = _LABELS.get(key) if isinstance(key, str) else None
    if found is None:
        hint = "; is a cell missing, or a quote never closed?" if label is None and path.suffix != ".jsonl" else ""
        raise DataError(
            f"{path} {where}: label {label!r} is neither 'spam' nor 'ham'; correct it or take the row out{hint}"
        )
    return found


def _fields_of(
    row: Mapping[Any, Any], text: str, posts: Mapping[str, Mapping[str, Any]], path: Path, where: str
) -> dict[str, str | None]:
    out = {f: _stripped(row.get(f)) for f in FIELDS}
    post = posts.get(str(out["post"])) or {}
    out["text"] = text
    out["title"] = out["title"] or _stripped(post.get("title"))
    out["article"] = out["article"] or _stripped(post.get("text"))
    # A file that is called like all its kind is known by its folder.
    out["set"] = (
        out["set"] or (path.parent.name if path.name == "comments.jsonl" else path.name.partition(".")[0]) or "data"
    )
    out["site"] = out["site"] or out["set"]
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    out["id"] = out["id"] or f"{path.stem}:{where.replace('row ', '').replace(' comment ', '.')}:{digest}"
    return out


def _text_or_none(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    text = value if isinstance(value, str) else str(value)
    return text if text.strip() else None


def _stripped(value: Any) -> str | None:
    text = _text_or_none(value)
    return text if text is None else text.strip()


def _posts(path: Path) -> dict[str, Mapping[str, Any]]:
    if not path.is_file():
        return {}
    out: dict[str, Mapping[str, Any]] = {}
    for n, post in RowFile(path).rows():
        if not isinstance(post, Mapping) or "post" not in post:
            raise DataError(f"{path} row {n}: every line needs the key 'post'")
        out[str(post["post"])] = post
    return out
