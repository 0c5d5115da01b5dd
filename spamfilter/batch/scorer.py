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
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from spamfilter.batch.jobs import ScoreJob, Scorer
from spamfilter.batch.loading import load_scorer, load_with_campaigns
from spamfilter.batch.outcome import Outcome
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


#: A page as an engine has it: its content, its address, its name.
Given = tuple[str | bytes | None, str | None, str | None]
#: Pages that are scored together, as the local engine does.
_AT_ONCE: Final = 16


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
        return next(self.results([(content, url, source)]))

    def results(self, pages: Iterable[Given]) -> Iterator[dict[str, Any]]:
        """The results of pages (content, url, source), in order: the same as one by one, and faster."""
        pages = iter(pages)
        while some := list(islice(pages, _AT_ONCE)):
            raws = [_raw(content, url, source or "") for content, url, source in some]
            wanted = [raw for raw in raws if isinstance(raw, RawPage)]
            outcomes = self._opened().each(wanted) if wanted else iter(())
            for raw, (_, url, source) in zip(raws, some, strict=True):
                yield _result(raw if isinstance(raw, str) else next(outcomes), url, source)

    def frame(self, frame: pd.DataFrame, content: str = "content", url: str = "url") -> pd.DataFrame:
        """The results for the pages in the column ``content``: one row each, with the frame's own index."""
        import pandas as pd

        urls = frame[url].tolist() if url in frame.columns else [None] * len(frame)
        sources = frame["source"].tolist() if "source" in frame.columns else [None] * len(frame)
        given = zip(frame[content].tolist(), urls, sources, strict=True)
        rows = list(self.results((_given(page), _text(url), _text(source)) for page, url, source in given))
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


def _result(outcome: Outcome | str, url: str | None, source: str | None) -> dict[str, Any]:
    """The fields of ``RESULT_COLUMNS`` for an outcome, or for the reason why there is none."""
    empty: dict[str, Any] = dict.fromkeys(RESULT_COLUMNS)
    empty.update(source=source, url=url, comments=[], spam=0)
    if isinstance(outcome, str):
        return {**empty, "error": outcome}
    if outcome.failure is not None:
        return {**empty, "error": f"{outcome.failure.kind}: {outcome.failure.reason}"}
    assert isinstance(outcome.piece, list)
    return {**outcome.piece[0], "source": source, "spam": outcome.tally.get("spam", 0), "error": None}


def _raw(content: str | bytes | None, url: str | None, source: str) -> RawPage | str:
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
    return RawPage(source, None, url, content, charset)


def _given(value: Any) -> str | bytes | None:
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    return value if isinstance(value, (str, bytes)) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
