"""What the command line calls INPUT: files, folders, globs and standard input, told apart by name.

Usage::

    for found in expand(["saved/", "crawl-*.warc.gz", "-"]):
        if isinstance(found, Failure): ...
        else: found.path, found.kind, found.compression
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from spamfilter.files.rawpage import Failure

__all__ = ["FOLDER_SUFFIXES", "STDIN", "Input", "expand", "kind_of"]

Kind = Literal["page", "warc", "jsonl", "csv", "parquet"]
Compression = Literal["gz", "zst"]

#: The INPUT that means standard input.
STDIN: Final = "-"
_KINDS: Final[dict[str, Kind]] = {
    ".html": "page",
    ".htm": "page",
    ".xhtml": "page",
    ".shtml": "page",
    ".txt": "page",
    ".text": "page",
    ".warc": "warc",
    ".wet": "warc",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_COMPRESSIONS: Final[dict[str, Compression]] = {".gz": "gz", ".zst": "zst"}
#: What a folder is searched for.  Markdown is left out: it is source text, not a page that was served.
FOLDER_SUFFIXES: Final = tuple(_KINDS)


@dataclass(frozen=True, slots=True)
class Input:
    """One file (or standard input, ``path`` "-") and how it is to be read."""

    path: str
    kind: Kind
    compression: Compression | None = None

    def size(self) -> int | None:
        """Bytes on disk, or None where they cannot be told."""
        try:
            return None if self.path == STDIN else os.stat(self.path).st_size  # noqa: PTH116 - a million of them
        except OSError:
            return None


def kind_of(path: str) -> tuple[Kind, Compression | None] | None:
    """Kind and compression by the name's suffixes; None for a name that says nothing."""
    stem, suffix = os.path.splitext(path.lower())  # noqa: PTH122
    compression = _COMPRESSIONS.get(suffix)
    if compression is not None:
        suffix = os.path.splitext(stem)[1]  # noqa: PTH122
    kind = _KINDS.get(suffix)
    return None if kind is None else (kind, compression)


def expand(inputs: Iterable[str]) -> Iterator[Input | Failure]:
    """Every file that ``inputs`` name, in a stable order (as given; folders and globs sorted by name).

    A folder is searched through all its levels for the suffixes of ``FOLDER_SUFFIXES``, each also with
    ``.gz`` or ``.zst``; hidden files and folders are left out.  A file named by itself is read whatever
    it is called: an unknown suffix means a page.
    """
    for given in inputs:
        if given == STDIN:
            yield Input(STDIN, "page")
        elif os.path.isdir(given):  # noqa: PTH112
            yield from _folder(given)
        elif os.path.exists(given) or not glob.has_magic(given):  # noqa: PTH110
            yield _file(given)
        else:
            yield from _glob(given)


def _file(path: str) -> Input | Failure:
    if not os.path.exists(path):  # noqa: PTH110
        return Failure(path, None, "missing", "there is no such file or folder; check the path")
    return Input(path, *(kind_of(path) or ("page", None)))


def _glob(pattern: str) -> Iterator[Input | Failure]:
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not found:
        yield Failure(pattern, None, "missing", "no file matches this pattern; check it, and quote it for the shell")
    for path in found:
        if os.path.isdir(path):  # noqa: PTH112
            if "**" not in pattern:  # with ** the files of the folder match by themselves
                yield from _folder(path)
        elif kind_of(path) is not None or "**" not in pattern:
            yield _file(path)


def _folder(path: str) -> Iterator[Input | Failure]:
    empty = True
    for found in _walk(path):
        empty = False
        yield found
    if empty:
        suffixes = " ".join(FOLDER_SUFFIXES)
        yield Failure(path, None, "missing", f"no pages in this folder (looked for {suffixes}, also with .gz or .zst)")


def _walk(path: str) -> Iterator[Input | Failure]:
    try:
        with os.scandir(path) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Failure(path, None, "unreadable", f"the folder cannot be read ({error.strerror}); check its permissions")
        return
    for entry in listed:
        if entry.name.startswith("."):
            continue
        # A link to a folder is not followed: it may lead back up, and then nothing ends.
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif (kind := kind_of(entry.name)) is not None and entry.is_file():
            yield Input(entry.path, *kind)
