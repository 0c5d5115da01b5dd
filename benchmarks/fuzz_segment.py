"""Fuzz the segmenter: nothing but UnreadablePage may come out of any input.

usage: python benchmarks/fuzz_segment.py tests/pages -max_total_time=600 -max_len=20000 -timeout=30

Needs the package atheris.  The folder is the seed corpus; new inputs are kept in a temporary copy of it, so that
nothing is written into the repository.  Each input is tried as bytes, as text, as a whole page and inside a comment.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["spamfilter.segment"]):
    from spamfilter.segment import comments, dates, encoding, html, plain, split_page  # noqa: F401  (instrumented)

from spamfilter.errors import UnreadablePage
from spamfilter.records import Page


def check(source: str | bytes) -> None:
    """Split ``source`` and check what every page promises."""
    try:
        page = split_page(source, "https://example.org/")
    except UnreadablePage:
        return
    for position, comment in enumerate(page.comments):
        if not comment.text.strip() or (comment.parent is not None and not 0 <= comment.parent < position):
            raise AssertionError(f"comment {position} is broken: {comment}")
        if page.kind == "text" and isinstance(source, str):
            check_offsets(page, source)


def check_offsets(page: Page, source: str) -> None:
    """Offsets of plain text slice the input to the text."""
    for comment in page.comments:
        if comment.start is not None and source[comment.start : comment.end] != comment.text:
            raise AssertionError(f"offsets {comment.start}:{comment.end} do not give {comment.text!r}")


def one_input(data: bytes) -> None:
    """One run of the fuzzer."""
    check(data)
    text = data.decode("utf-8", "replace")
    check(text)
    check("<html><body><article><p>" + text)
    content = f'<div class="comment-content">{text}</div>'
    check(f'<ol><li class="comment" id="comment-1"><b class="fn">{text}</b>{content}</ol>')


def main() -> None:
    """Copy the seeds away and start."""
    arguments = [sys.argv[0]]
    with tempfile.TemporaryDirectory() as scratch:
        for argument in sys.argv[1:]:
            if not argument.startswith("-") and Path(argument).is_dir():
                argument = shutil.copytree(argument, Path(scratch) / Path(argument).name).as_posix()
            arguments.append(argument)
        atheris.Setup(arguments, one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
