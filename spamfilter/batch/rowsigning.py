"""Rows of comments as records in which repetitions can be found, as ``signing`` makes them of pages.

Usage::

    job = SignRowsJob(fields={"text": "comment_text", "page": "post_id"}, format=Format("bytes"))
    job(rows).piece                # records of the rows' comments, as bytes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spamfilter.batch.outcome import Outcome
from spamfilter.batch.rowfields import cell_text
from spamfilter.batch.rowsjob import RowsJob
from spamfilter.batch.signing import Stand, article_start, host_of_site, page_number, records
from spamfilter.files.rawpage import Rows, place

__all__ = ["SignRowsJob", "tells_where"]


@dataclass(kw_only=True)
class SignRowsJob(RowsJob):
    """The records of every row's comment; needs no model.

    ``fields`` says which column holds what (see ``rowfields.field_columns``).  What stands in the column of the page
    gives the site, if it is an address, and stands for the article where there is none.
    """

    def on_rows(self, item: Rows, columns: Mapping[str, str]) -> Outcome:
        """The records of one group of rows."""
        comments = [c for n, row in enumerate(item.values) if (c := _comment(item, n, row, columns)) is not None]
        found = records(comments)
        tally = {
            "rows": len(item.values),
            "comments": len(comments),
            "bytes": sum(len(text) for text, _, _ in comments),
        }
        return Outcome(found.tobytes(), {**tally, "signed": len(found)})


def _comment(
    rows: Rows, n: int, row: Mapping[str, Any], columns: Mapping[str, str]
) -> tuple[str, str | None, Stand] | None:
    """Text, author and stand of row ``n``; None where there is no text, or nothing says where it stood."""
    told = {name: cell_text(row.get(column)) for name, column in columns.items()}
    text, page = told["text"], told.get("page")
    article = article_start(told.get("article") or "", told.get("title")) or page
    if text is None or article is None:
        return None
    name = place(rows.source, rows.offset + n)
    return text, told.get("author"), Stand(page_number(page or name), host_of_site(page), article)


def tells_where(columns: Mapping[str, str]) -> bool:
    """Whether these columns (by field) say where a comment stood; if none does, repetitions say nothing."""
    return not columns.keys().isdisjoint(("page", "article", "title"))
