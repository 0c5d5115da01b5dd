"""Labels from other systems into the store.

Usage::

    report = import_labels(store, "site.WordPress.2026-11-01.xml", who="ana")
    print("\\n".join(report.lines()))

The file is read twice: once to find what is wrong with it, while the store is untouched, and once to store what is
in it.  Importing a file again adds nothing.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, get_args

from spamfilter.errors import DataError, UnreadableFile
from spamfilter.labels.comments import comment_digest
from spamfilter.labels.decision import Context, Decision, TeamLabel
from spamfilter.labels.disqus import read_disqus
from spamfilter.labels.entries import Entry, ImportReport, Unusable
from spamfilter.labels.markup import open_export
from spamfilter.labels.store import LabelStore
from spamfilter.labels.tabular import read_table
from spamfilter.labels.wordpress_sql import read_wordpress_sql
from spamfilter.labels.wxr import read_wxr

__all__ = ["KINDS", "ImportKind", "ImportOptions", "import_labels", "kind_of_export"]

ImportKind = Literal["csv", "jsonl", "parquet", "wxr", "wordpress-sql", "disqus"]
KINDS: Final[tuple[ImportKind, ...]] = get_args(ImportKind)
_SUFFIXES: Final[dict[str, ImportKind]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".sql": "wordpress-sql",
}
#: Comments stored in one transaction: half a second, during which other writers wait.
_BATCH: Final = 200
#: Beginning of an XML export that names its maker.
_HEAD: Final = 8_192


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import.

    ``who`` stands for decisions whose maker the file does not name.  ``trash``: what a comment in the trash is
    ("skip": no label, since people throw away for many reasons).  ``queue``: whether pending comments go into the
    queue.  ``override``: let the file's label replace one that was decided here.  ``rename`` and ``ignore`` are for
    tables.
    """

    who: str = "import"
    site: str | None = None
    lang: str | None = None
    trash: Literal["skip", "spam", "ham"] = "skip"
    queue: bool = True
    override: bool = False
    rename: Mapping[str, str] | None = None
    ignore: Collection[str] = ()


def import_labels(
    store: LabelStore,
    path: str | Path,
    options: ImportOptions | None = None,
    *,
    kind: ImportKind | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Import the labels in a file; ``kind`` is told from its name and beginning where not given.

    Raises UnreadableFile or DataError, with the store untouched, for a file that is not whole, of no known kind,
    or a table with unknown columns.  Single rows that cannot be used are counted in the report with their reasons.
    """
    options, path = options or ImportOptions(), str(path)
    if not Path(path).is_file():
        raise UnreadableFile(f"{path}: there is no such file; check the path")
    kind = kind or kind_of_export(path)
    usable = sum(isinstance(item, Entry) for item in _read(path, kind, options))
    report = ImportReport(path, kind)
    for batch in _batches(_read(path, kind, options)):
        with store.batch():
            for item in batch:
                _store(store, item, options, report)
        if progress:
            progress(report.read)
    if not usable and report.read:
        raise DataError(f"{path}: none of its {report.read:,} rows can be used ({_first_reason(report)})")
    if kind == "wxr" and not report.spam:
        report.notes.append("WordPress leaves spam out of this kind of export; import a dump of the comments table too")
    return report


def kind_of_export(path: str) -> ImportKind:
    """The kind of an export by its name and, for XML, what it begins with."""
    name = path.lower().removesuffix(".gz").removesuffix(".zst")
    for suffix, kind in _SUFFIXES.items():
        if name.endswith(suffix):
            return kind
    with open_export(path) as stream:
        try:
            head = stream.read(_HEAD)
        except (OSError, EOFError) as error:
            raise UnreadableFile(f"{path}: it cannot be read ({error})") from error
    if b"disqus.com" in head:
        return "disqus"
    if b"wordpress.org/export/" in head:
        return "wxr"
    kinds = ", ".join(KINDS)
    raise DataError(f"{path}: neither its name nor its beginning tells what it is; say --kind, one of {kinds}")


def _read(path: str, kind: ImportKind, options: ImportOptions) -> Iterator[Entry | Unusable]:
    if kind == "wxr":
        return read_wxr(path)
    if kind == "disqus":
        return read_disqus(path)
    if kind == "wordpress-sql":
        return read_wordpress_sql(path)
    return read_table(path, options.rename, options.ignore)


def _batches(items: Iterable[Entry | Unusable]) -> Iterator[list[Entry | Unusable]]:
    source = iter(items)
    while batch := list(itertools.islice(source, _BATCH)):
        yield batch


def _first_reason(report: ImportReport) -> str:
    return next((f"{reason}: {report.examples[reason][0]}" for reason in report.skipped), "no reason is known")


def _store(store: LabelStore, item: Entry | Unusable, options: ImportOptions, report: ImportReport) -> None:
    report.read += 1
    if isinstance(item, Unusable):
        report.damaged += item.damaged
        report.skip(item.reason, item.where)
    elif not item.comment.text.strip():
        report.skip("empty text", item.where)
    elif item.status == "pending":
        _enqueue(store, item, options, report)
    elif item.status == "trash" and options.trash == "skip":
        report.skip("in the trash, which is no label (--trash spam makes it one)", item.where)
    else:
        _decide(store, item, options, report)


def _enqueue(store: LabelStore, item: Entry, options: ImportOptions, report: ImportReport) -> None:
    if not options.queue:
        report.skip("pending", item.where)
        return
    context = _context(item, options)
    if store.label_of(item.comment, context) is not None:
        report.repeated += 1
        return
    store.queue.enqueue(item.comment, context, item.verdict)
    report.queued += 1


def _context(item: Entry, options: ImportOptions) -> Context:
    """The entry's context, with the import's site and language where it has none."""
    under = item.context
    return replace(under, site=under.site or options.site, lang=under.lang or options.lang)


def _decide(store: LabelStore, item: Entry, options: ImportOptions, report: ImportReport) -> None:
    spam = item.status == "spam" or (item.status == "trash" and options.trash == "spam")
    label: TeamLabel = "spam" if spam else "ham"
    decision = _decision(item, label, options, report.kind)
    known = store.label_of(decision.comment, decision.context)
    if known is not None and known.label == label:
        report.repeated += 1
        return
    if known is not None and not known.source.startswith("import") and not options.override:
        report.skip("decided otherwise here (--override lets the file win)", item.where)
        return
    before = store.last()
    added = store.add(decision)
    if added <= before:  # the same file again, undone or overruled since
        report.repeated += 1
    elif label == "spam":
        report.spam += 1
    else:
        report.ham += 1


def _decision(item: Entry, label: TeamLabel, options: ImportOptions, kind: str) -> Decision:
    context = _context(item, options)
    who, source = item.who or options.who, item.source or f"import:{kind}"
    seen = comment_digest(item.comment, context)
    at = item.at.isoformat() if item.at else ""
    made = hashlib.blake2b("\x1f".join((label, who, source, at)).encode("utf-8", "replace") + seen, digest_size=12)
    return Decision(
        comment=item.comment,
        label=label,
        who=who,
        source=source,
        context=context,
        verdict=item.verdict,
        look=item.look,
        at=item.at,
        key=f"import:{made.hexdigest()}",
        email=item.email,
        ip=item.ip,
    )
