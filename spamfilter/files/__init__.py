"""Pages and rows in and out of files.

Usage::

    for found in expand(["saved/", "crawl-*.warc.gz", "-"]):       # Input | Failure
        for item in read_pages(found, Columns(page="html")):        # RawPage | Other | Failure
            ...

One page at a time, in bounded memory, whatever the size of the file.  Nothing that is wrong with an
input raises: it comes as a ``Failure`` with its file, offset and reason, and reading goes on.
"""

from __future__ import annotations

from spamfilter.files.inputs import Input, expand
from spamfilter.files.rawpage import Failure, Other, RawPage, Row, Rows
from spamfilter.files.readers import Columns, read_pages, read_rows, row_groups

__all__ = [
    "Columns",
    "Failure",
    "Input",
    "Other",
    "RawPage",
    "Row",
    "Rows",
    "expand",
    "read_pages",
    "read_rows",
    "row_groups",
]
