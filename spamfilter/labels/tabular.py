"""Labels from tables: CSV, JSON lines and Parquet, and the columns an export of ours has.

Usage::

    for item in read_table("mine.csv", rename={"comment": "text"}): ...
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, get_args

from spamfilter.errors import DataError, UnreadableFile
from spamfilter.files.inputs import Input, kind_of
from spamfilter.files.rawpage import Failure
from spamfilter.files.readers import read_rows
from spamfilter.files.tables import cell
from spamfilter.labels.decision import LOOKS, Context, LabelRow
from spamfilter.labels.entries import STATUSES, Entry, Unusable, read_status
from spamfilter.records import Comment, CommentKind, Label, Verdict

__all__ = ["EXPORT_COLUMNS", "export_row", "read_table"]

#: Columns of an exported table, in order; all of them are read back.
EXPORT_COLUMNS: Final = (
    *("text", "label", "author", "author_url", "title", "article", "site", "permalink", "lang", "kind", "date", "id"),
    *("who", "source", "at", "look", "model", "verdict", "probability"),
)
#: Columns that are understood besides those: "post" stands in for permalink, "email" and "ip" are kept only if asked.
_ALSO: Final = ("post", "email", "ip")
#: Columns of the training tables that say nothing about a decision.
_PASSED_OVER: Final = ("set", "campaign")
_COMMENT_KINDS: Final = get_args(CommentKind)
_VERDICTS: Final = get_args(Label)
#: Names other tools give the two columns that must be there.
_OTHER_NAMES: Final = {
    "text": ("comment", "content", "comment_content", "body", "message", "comment_text"),
    "label": ("status", "class", "is_spam", "spam", "target", "comment_approved", "approved"),
}


def read_table(
    path: str, rename: Mapping[str, str] | None = None, ignore: Collection[str] = ()
) -> Iterator[Entry | Unusable]:
    """The rows of a table as entries; ``rename`` maps its columns to ours, ``ignore`` names columns to pass over.

    Raises DataError for a column that is not known (naming the nearest) or one that is missing, UnreadableFile
    for a file that cannot be read.
    """
    kind = kind_of(path)
    if kind is None or kind[0] not in ("csv", "jsonl", "parquet"):
        raise DataError(f"{path}: the suffix is none of .csv, .tsv, .jsonl and .parquet")
    checked: set[str] = set()
    for row in read_rows(Input(path, *kind)):
        if isinstance(row, Failure):
            yield _unread(row)
            continue
        values = {(rename or {}).get(name, name): value for name, value in row.values.items() if name not in ignore}
        where = f"row {row.offset}"
        if new := [name for name in values if name not in checked]:
            _check_columns(path, where, new, values)
            checked.update(new)
        yield _entry({name: _text(value) for name, value in values.items()}, values, where)


def _unread(failure: Failure) -> Unusable:
    if failure.offset is None:
        raise UnreadableFile(str(failure))
    return Unusable(f"row {failure.offset}", failure.reason, damaged=True)


def _check_columns(path: str, where: str, new: list[str], values: Mapping[str, Any]) -> None:
    known = (*EXPORT_COLUMNS, *_ALSO, *_PASSED_OVER)
    for wanted in ("text", "label"):
        if wanted not in values:
            usual = [n for n in values if n.lower() in _OTHER_NAMES[wanted]]
            near = usual or difflib.get_close_matches(wanted, values, 1, 0.5)
            found = ", ".join(values) or "none"
            hint = f"say --column {near[0]}={wanted} if that is it" if near else f"add a column {wanted!r}"
            raise DataError(f"{path} {where}: no column {wanted!r} (found: {found}); {hint}")
    for name in new:
        if name not in known:
            near = difflib.get_close_matches(name.lower(), known, 1, 0.0)
            raise DataError(
                f"{path} {where}: unknown column {name!r}; the nearest known is {near[0]!r}: say "
                f"--column {name}={near[0]} if that is meant, or --ignore {name} to pass it over"
            )


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return str(cell(value)).strip() or None


def _entry(values: Mapping[str, str | None], raw: Mapping[str, Any], where: str) -> Entry | Unusable:
    word = values.get("label")
    status = read_status(word) if word else None
    if status is None:
        return Unusable(where, f"the label {word!r} is none of {', '.join(STATUSES)}" if word else "no label")
    kind, look = values.get("kind") or "comment", values.get("look")
    if kind not in _COMMENT_KINDS:
        return Unusable(where, f"the kind {kind!r} is none of {', '.join(_COMMENT_KINDS)}")
    if look is not None and look not in LOOKS:
        return Unusable(where, f"look {look!r} is none of {', '.join(LOOKS)}")
    try:
        at, verdict = _time(values.get("at")), _verdict(values)
    except ValueError as error:
        return Unusable(where, str(error))
    text = raw["text"] if isinstance(raw["text"], str) else values["text"] or ""
    author, author_url, date, number = (values.get(name) for name in ("author", "author_url", "date", "id"))
    comment = Comment(str(cell(text)), author, author_url, date, number, kind=kind)  # type: ignore[arg-type]
    place = values.get("permalink") or values.get("post")
    under = Context(values.get("title"), values.get("article"), place, values.get("site"), values.get("lang"))
    return Entry(
        comment=comment,
        context=under,
        status=status,
        where=where,
        who=values.get("who"),
        source=values.get("source"),
        at=at,
        look=look,
        verdict=verdict,
        email=values.get("email"),
        ip=values.get("ip"),
    )


def _time(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"the time {value!r} is not ISO 8601, such as 2026-11-30T08:15:00+00:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _verdict(values: Mapping[str, str | None]) -> Verdict | None:
    probability, label = values.get("probability"), values.get("verdict")
    if probability is None or label is None:
        return None
    try:
        number = float(probability)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1 or label not in _VERDICTS:
        raise ValueError(f"the verdict {label!r} with probability {probability!r} is none the model gives")
    return Verdict(label, number, (), values.get("model") or "")  # type: ignore[arg-type]


def export_row(row: LabelRow) -> dict[str, Any]:
    """A label as the row of an exported table."""
    comment, context, verdict = row.comment, row.context, row.verdict
    values = (
        *(comment.text, row.label, comment.author, comment.author_url, context.title, context.article, context.site),
        *(context.permalink, context.lang, comment.kind, comment.date, comment.id),
        *(row.who, row.source, row.at.isoformat(), row.look),
        *((verdict.model, verdict.label, verdict.probability) if verdict else (None, None, None)),
    )
    return dict(zip(EXPORT_COLUMNS, values, strict=True))
