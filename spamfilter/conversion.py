"""A fetched file → rows as training reads them, by the mapping that the catalogue states.

Usage::

    rows = list(converted(path, mapping, left_out))

``mapping`` says how the file is read (``csv``, ``tsv``, ``lines``, ``xlsx``), which members of an archive, which
column is which field, and which value which label.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, Final

from spamfilter.errors import DataError, UnreadableFile
from spamfilter.spreadsheet import sheet_rows

__all__ = ["READERS", "RowMapping", "converted"]

READERS: Final = ("csv", "tsv", "lines", "xlsx")
#: More than any set of the catalogue; what an archive claims beyond it is an attack or a mistake.
_LARGEST_MEMBER: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class RowMapping:
    """How the rows of a file become labelled comments.

    ``columns`` maps our field to the file's column, ``labels`` the file's value to "spam" or "ham"; ``constants``
    holds for all rows, ``members`` for the rows of one member of an archive; ``pattern`` names the members to read.
    """

    reader: str
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pattern: str = "*"
    header: tuple[str, ...] = ()


def converted(path: Path, mapping: RowMapping, left_out: Counter[str]) -> Iterator[dict[str, str]]:
    """The rows of a file or of the members of an archive; ``left_out`` counts rows that cannot be used, by reason.

    Raises ``DataError`` where the file is not what the mapping says, ``UnreadableFile`` where it is damaged.
    """
    try:
        for name, stream in _streams(path, mapping):
            for row in _read(stream, mapping):
                yield from _mapped(row, mapping, name, left_out)
    except (zipfile.BadZipFile, csv.Error, UnicodeDecodeError) as error:
        raise UnreadableFile(
            f"{path}: cannot be read as {mapping.reader} ({error}); fetch it again with --force"
        ) from error


def _streams(path: Path, mapping: RowMapping) -> Iterator[tuple[str, IO[bytes]]]:
    if (mapping.reader == "xlsx" and path.suffix == ".xlsx") or not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield path.name, stream
        return
    with zipfile.ZipFile(path) as archive:
        wanted = [m for m in archive.infolist() if _is_wanted(m.filename, mapping.pattern)]
        if not wanted:
            found = ", ".join(archive.namelist()[:8]) or "nothing"
            raise DataError(f"{path}: no member {mapping.pattern} (found: {found}); the set has changed")
        for member in sorted(wanted, key=lambda m: m.filename):
            if member.file_size > _LARGEST_MEMBER:
                raise DataError(f"{path}: {member.filename} claims {member.file_size:,} bytes, that is not read")
            with archive.open(member) as stream:
                # A spreadsheet is an archive itself and needs to be read back and forth.
                yield Path(member.filename).name, io.BytesIO(stream.read()) if mapping.reader == "xlsx" else stream


def _is_wanted(name: str, pattern: str) -> bool:
    """Mac archives carry a shadow of every file (``__MACOSX/._name``)."""
    last = name.rpartition("/")[2]
    if name.startswith("__MACOSX") or last.startswith("._"):
        return False
    return fnmatchcase(name, pattern) or fnmatchcase(last, pattern)


def _read(stream: IO[bytes], mapping: RowMapping) -> Iterator[Mapping[str, Any]]:
    if mapping.reader == "xlsx":
        yield from sheet_rows(stream)
        return
    text = io.TextIOWrapper(stream, "utf-8-sig", newline="\n" if mapping.reader == "lines" else "")
    if mapping.reader == "lines":
        yield from ({"text": line.rstrip("\r\n")} for line in text)
    elif mapping.reader == "tsv":  # a quote is a letter there
        yield from csv.DictReader(text, mapping.header or None, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        csv.field_size_limit(1 << 30)
        yield from csv.DictReader(text, mapping.header or None)


def _mapped(row: Mapping[str, Any], mapping: RowMapping, name: str, left_out: Counter[str]) -> Iterator[dict[str, str]]:
    out = {**mapping.constants, **mapping.members.get(name, {})}
    for ours, theirs in (mapping.columns or {"text": "text"}).items():
        value = row.get(theirs)
        if value is None and theirs not in row and ours == "text" and mapping.reader != "xlsx":
            raise DataError(f"{name}: no column {theirs!r} (found: {', '.join(map(str, row))}); the set has changed")
        if isinstance(value, str) and value.strip():
            out[ours] = value if ours == "text" else value.strip()
    if "label" in mapping.columns:
        out["label"] = mapping.labels.get(str(row.get(mapping.columns["label"], "")).strip().removesuffix(".0"), "")
    if not out.get("text", "").strip():
        left_out["empty text"] += 1
    elif out.get("label") not in ("spam", "ham"):
        left_out[f"label {row.get(mapping.columns.get('label', ''))!r}"] += 1
    else:
        yield out
