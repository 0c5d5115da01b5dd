"""The Arrow schemas of Parquet output.  Columns are added at the end, never renamed or removed.

Usage::

    Format("parquet", schema=page_schema())
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["comment_schema", "page_schema"]


def page_schema() -> pa.Schema:
    """One row a page, its comments nested: the JSON output, column by column."""
    import pyarrow as pa

    comment = pa.struct(
        [
            ("n", pa.int32()),
            ("author", pa.string()),
            ("author_url", pa.string()),
            ("date", pa.string()),
            ("id", pa.string()),
            ("permalink", pa.string()),
            ("depth", pa.int32()),
            ("parent", pa.int32()),
            ("kind", pa.string()),
            ("text", pa.large_string()),
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("verdict", pa.string()),
            ("probability", pa.float64()),
            ("reasons", _reasons()),
        ]
    )
    names = [(name, pa.string()) for name in ("source", "url", "title", "lang")]
    article = [("article", pa.large_string()), ("comments", pa.list_(comment)), ("model", pa.string())]
    return pa.schema([*names, *article])


def comment_schema() -> pa.Schema:
    """One row a comment, with its page's source, address, title and language."""
    import pyarrow as pa

    head = [(name, pa.string()) for name in ("source", "url", "title", "lang")]
    comment = [("n", pa.int32()), *((name, pa.string()) for name in ("author", "author_url", "date"))]
    text = [("text", pa.large_string()), ("start", pa.int64()), ("end", pa.int64())]
    verdict = [("verdict", pa.string()), ("probability", pa.float64()), ("reasons", _reasons()), ("model", pa.string())]
    return pa.schema([*head, *comment, *text, *verdict])


def _reasons() -> pa.DataType:
    import pyarrow as pa

    return pa.list_(pa.struct([("name", pa.string()), ("detail", pa.string()), ("weight", pa.float64())]))
