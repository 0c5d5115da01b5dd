"""One picklable callable that scores pages wherever an engine wants it done.

Usage::

    score = PageScorer()                                   # the model is loaded at the first page, once a process
    score(html, url)["comments"][0]["verdict"]
    frame.assign(**score.frame(frame, content="html"))     # pandas; Dask: map_partitions
    spark_frame.mapInPandas(score.frames, SPARK_SCHEMA)    # Spark;  Ray Data: map_batches(score.frame)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from spamfilter.batch.jobs import ScoreJob, Scorer
from spamfilter.batch.loading import load_scorer, load_with_campaigns
from spamfilter.files.archives import is_page
from spamfilter.files.formats import Format
from spamfilter.files.httpmessage import HttpMessage
from spamfilter.files.rawpage import RawPage

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RESULT_COLUMNS", "SPARK_SCHEMA", "PageScorer"]

#: What a page becomes: the fields of the JSON output, how many comments are spam, and why it failed (or None).
RESULT_COLUMNS: Final = ("source", "url", "title", "lang", "article", "comments", "model", "spam", "error")
#: The same for Spark, as the schema of ``mapInPandas``.
SPARK_SCHEMA: Final = (
    "source string, url string, title string, lang string, article string, comments array<struct<n int, author string, "
    "author_url string, date string, id string, permalink string, depth int, parent int, kind string, text string, "
    "start bigint, end bigint, verdict string, probability double, reasons array<struct<name string, detail string, "
    "weight double>>>>, model string, spam int, error string"
)


class PageScorer:
    """Scores pages given as HTML, text, bytes, or whole HTTP responses as archives hold them.

    ``model``, ``threshold`` and ``timeout`` are those of ``spamfilter score``, ``campaigns`` is the file given there as
    ``--known-campaigns``; it must be where the pages are scored.  A page that cannot be scored gives a
    result with ``error`` set; nothing about a page raises.  The object is small however often it is pickled: the model
    does not travel with it.
    """

    def __init__(
        self,
        model: str | None = None,
        threshold: float | None = None,
        timeout: float | None = None,
        campaigns: str | None = None,
    ) -> None:
        self.model, self.threshold, self.timeout, self.campaigns = model, threshold, timeout, campaigns
        self._job: ScoreJob | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_job": None}

    def __repr__(self) -> str:
        given = (f"{name}={value!r}" for name, value in self.__dict__.items() if not name.startswith("_"))
        return f"PageScorer({', '.join(given)})"

    def __call__(
        self, content: str | bytes | None, url: str | None = None, source: str | None = None
    ) -> dict[str, Any]:
        """One page's result, with the fields of ``RESULT_COLUMNS``."""
        empty: dict[str, Any] = dict.fromkeys(RESULT_COLUMNS)
        empty.update(source=source, url=url, comments=[], spam=0)
        raw = _raw(content, url, source)
        if isinstance(raw, str):
            return {**empty, "error": raw}
        outcome = self._opened()(raw)
        if outcome.failure is not None:
            return {**empty, "error": f"{outcome.failure.kind}: {outcome.failure.reason}"}
        assert isinstance(outcome.piece, list)
        return {**outcome.piece[0], "source": source, "spam": outcome.tally.get("spam", 0), "error": None}

    def frame(self, frame: pd.DataFrame, content: str = "content", url: str = "url") -> pd.DataFrame:
        """The results for the pages in the column ``content``: one row each, with the frame's own index."""
        import pandas as pd

        urls = frame[url].tolist() if url in frame.columns else [None] * len(frame)
        sources = frame["source"].tolist() if "source" in frame.columns else [None] * len(frame)
        rows = [
            self(_given(page), _text(address), _text(source))
            for page, address, source in zip(frame[content].tolist(), urls, sources, strict=True)
        ]
        return pd.DataFrame(rows, index=frame.index, columns=list(RESULT_COLUMNS))

    def frames(self, frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """``frame`` for each of many, as Spark's ``mapInPandas`` calls it."""
        return (self.frame(frame) for frame in frames)

    def _opened(self) -> ScoreJob:
        if self._job is None:
            load: Callable[[], Scorer] = partial(load_scorer, self.model, self.threshold)
            if self.campaigns is not None:
                load = partial(load_with_campaigns, self.model, self.threshold, self.campaigns)
            job = ScoreJob(format=Format("parquet"), timeout=self.timeout, load=load)
            job.open()
            self._job = job
        return self._job


def _raw(content: str | bytes | None, url: str | None, source: str | None) -> RawPage | str:
    """The page to score, or why there is none."""
    if not content:
        return "empty: there is no page"
    charset = None
    if isinstance(content, bytes) and content.startswith(b"HTTP/"):
        message = HttpMessage.parse(content)
        if message is None or not is_page(message):
            return "skipped: the response is no page"
        try:
            content, charset = message.decoded(), message.charset
        except OSError as error:
            return f"damaged: {error}"
    return RawPage(source or "", None, url, content, charset)


def _given(value: Any) -> str | bytes | None:
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    return value if isinstance(value, (str, bytes)) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
