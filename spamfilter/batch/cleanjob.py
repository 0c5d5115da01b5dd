"""Pages without their spam: as text, or in the shape of the input, for those who build corpora.

Usage::

    job = CleanJob(load=load_scorer, shape="warc", compress=True, format=Format("bytes"))
    job = CleanJob(load=load_scorer, shape="row", format=Format("jsonl"))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from spamfilter.batch.jobs import ScoreJob
from spamfilter.batch.outcome import Outcome, failed
from spamfilter.cleaning import kept_text, without_spam
from spamfilter.files.archives import ArchiveRecord
from spamfilter.files.charset import page_source
from spamfilter.files.formats import Piece
from spamfilter.files.rawpage import Failure, Other, RawPage, TableRow
from spamfilter.files.warcwriter import record_bytes, with_page
from spamfilter.records import ScoredPage
from spamfilter.segment.encoding import decode_page

__all__ = ["CleanJob", "Shape"]

#: What a result is: text with a form feed between pages, a JSON object with the text, the page itself,
#: or the page in the archive record or table row that it came in.
Shape = Literal["text", "object", "page", "warc", "row"]


@dataclass
class CleanJob(ScoreJob):
    """Takes the spam out of every page.

    What is no page, and what could not be read, goes into an archive or table unchanged: nothing gets lost.
    """

    shape: Shape = "object"
    compress: bool = False

    def on_scored(self, raw: RawPage, scored: ScoredPage) -> Outcome:
        """The page without its spam, in the wanted shape."""
        if self.shape in ("text", "object"):
            return Outcome(self._text(raw, scored))
        text, left = without_spam(_decoded(raw), scored) if scored.spam() else (None, 0)
        piece = self._page(raw, text)
        if not left:
            return Outcome(piece)
        reason = (
            f"{left} of {len(scored.spam())} spam comments could not be taken out of the HTML; they are still there"
        )
        lost = failed(Failure(raw.source, raw.offset, "not_removed", reason))
        return Outcome(piece, lost.tally, lost.failure)

    def on_other(self, other: Other, word: str = "skipped") -> Outcome:
        """A record that is no page goes on as it is; a page that is not wanted does not."""
        return Outcome(self._as_it_was(other.origin) if word == "skipped" else b"", {word: 1})

    def on_failure(self, failure: Failure) -> Outcome:
        """What could not be judged goes on as it is, and is counted."""
        return failed(failure, self._as_it_was(failure.origin))

    def _text(self, raw: RawPage, scored: ScoredPage) -> Piece:
        text = kept_text(scored)
        if self.shape == "text":
            return text.encode("utf-8", "replace") + b"\n\f"
        page = scored.page
        return self.format.encode([{"source": raw.name, "url": page.url, "title": page.title, "text": text}])

    def _page(self, raw: RawPage, text: str | None) -> Piece:
        """The page with ``text`` as its new content, or as it was for None."""
        if text is None:
            return self._as_it_was(raw.origin) if raw.origin is not None else _bytes(raw.content)
        origin = raw.origin
        if isinstance(origin, ArchiveRecord):
            return record_bytes(with_page(origin, text), compress=self.compress)
        if isinstance(origin, TableRow):
            before = origin.values[origin.column]
            after: Any = text.encode("utf-8", "surrogateescape") if isinstance(before, bytes) else text
            return self.format.encode([{**origin.values, origin.column: after}])
        return text.encode("utf-8", "surrogateescape")

    def _as_it_was(self, origin: Any) -> Piece:
        if isinstance(origin, ArchiveRecord) and self.shape == "warc":
            return record_bytes(origin, compress=self.compress)
        if isinstance(origin, TableRow) and self.shape == "row":
            return self.format.encode([dict(origin.values)])
        return b""


def _decoded(raw: RawPage) -> str:
    source = page_source(raw)
    return source if isinstance(source, str) else decode_page(source)


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
