"""The same scoring on Daft, on this machine or on a Ray cluster.

Usage::

    import daft
    daft.set_runner_ray("ray://head:10001")                # or nothing, for this machine
    scored(daft.read_warc("s3://…/*.warc.gz"), PageScorer()).write_parquet("out/")

Daft says where the pages are read and scored; what is done with each is ``PageScorer``, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from spamfilter.batch.outcome import Tally
from spamfilter.batch.scorer import RESULT_COLUMNS, PageScorer
from spamfilter.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from daft import DataFrame

__all__ = ["read", "score_into", "scored"]

_WARC: Final = {"content": "warc_content", "url": "WARC-Target-URI"}
# Records that hold pages; requests and metadata need not be handed to the workers at all.
_PAGE_RECORDS: Final = ("response", "resource", "conversion")


def scored(frame: DataFrame, scorer: PageScorer, content: str | None = None, url: str | None = None) -> DataFrame:
    """One row a page with ``RESULT_COLUMNS``; ``content`` and ``url`` name the columns (default: those of WARC).

    Raises MissingExtra without Daft and ConfigError where there is no such column.
    """
    daft = _daft()
    names = frame.column_names
    if content is None and _WARC["content"] in names:
        frame = frame.where(daft.col("WARC-Type").is_in(list(_PAGE_RECORDS)))
        content, url = _WARC["content"], _WARC["url"]
    if content not in names or (url is not None and url not in names):
        raise ConfigError(f"no column {content or 'with the page'}; it has: {', '.join(names)}; name it by --column")
    address = daft.col(url) if url else daft.lit(None).cast(daft.DataType.string())
    result = _udf(daft)(scorer).score(daft.col(content), address)
    frame = frame.select(result.alias("result"))
    return frame.select(*(daft.col("result").get(name).alias(name) for name in RESULT_COLUMNS if name != "source"))


def read(paths: Sequence[str]) -> DataFrame:
    """The files behind ``paths`` (folders and globs too, local or in object stores), all of one kind."""
    daft = _daft()
    kinds = {_kind(path) for path in paths}
    if len(kinds) != 1:
        raise ConfigError("--engine daft takes inputs of one kind at a time: WARC, Parquet, JSON lines or CSV")
    reader = {
        "warc": daft.read_warc,
        "parquet": daft.read_parquet,
        "jsonl": daft.read_json,
        "csv": daft.read_csv,
    }[kinds.pop()]
    frame: DataFrame = reader(list(paths))
    return frame


def _kind(path: str) -> str:
    name = path.lower().rstrip("*").removesuffix(".gz").removesuffix(".zst")
    for suffix, kind in (
        (".warc", "warc"),
        (".wet", "warc"),
        (".parquet", "parquet"),
        (".jsonl", "jsonl"),
        (".csv", "csv"),
    ):
        if name.endswith(suffix):
            return kind
    raise ConfigError(
        f"{path}: --engine daft reads .warc .wet .parquet .jsonl and .csv; the local engine reads the rest"
    )


def _daft() -> Any:
    try:
        import daft
    except ImportError:
        raise MissingExtra("daft", "daft") from None
    return daft


def _udf(daft: Any) -> Any:
    """The class that Daft makes one of in each of its workers, so that each loads the model once."""
    types = daft.DataType
    text, number = types.string(), types.int64()
    reason = types.struct({"name": text, "detail": text, "weight": types.float64()})
    comment = types.struct(
        {
            "n": number, "author": text, "author_url": text, "date": text, "id": text, "permalink": text,
            "depth": number, "parent": number, "kind": text, "text": text, "start": number, "end": number,
            "verdict": text, "probability": types.float64(), "reasons": types.list(reason),
        }
    )  # fmt: skip
    fields = dict.fromkeys(RESULT_COLUMNS, text) | {"comments": types.list(comment), "spam": number}

    class Udf:
        def __init__(self, scorer: PageScorer) -> None:
            self.scorer = scorer

        def score(self, content: Any, url: Any) -> list[dict[str, Any]]:
            # A constant column comes as one value for the whole batch.
            pages, urls = content.to_pylist(), url.to_pylist()
            urls = urls * len(pages) if len(urls) == 1 and len(pages) > 1 else urls
            return list(self.scorer.results((page, address, None) for page, address in zip(pages, urls, strict=True)))

    Udf.score = daft.method.batch(return_dtype=types.struct(fields))(Udf.score)  # type: ignore[method-assign]
    return daft.cls(Udf)


def score_into(paths: Sequence[str], out: str, scorer: PageScorer, content: str | None, url: str | None) -> Tally:
    """Score all pages behind ``paths`` into a folder of Parquet files; gives the counts.

    Rows that are no pages are left out; pages that could not be scored keep their row, with ``error`` set.
    """
    daft = _daft()
    error = daft.col("error")
    frame = scored(read(paths), scorer, content, url)
    # A column is null where there is no error, and then the comparison is null too.
    frame = frame.where(error.is_null() | ~error.startswith("skipped:"))
    frame.write_parquet(out, write_mode="overwrite")
    written = daft.read_parquet(f"{out.rstrip('/')}/*.parquet")
    comments = daft.col("comments").list_count().fill_null(0)
    counts = written.select(
        comments.alias("comments"), "spam", error.not_null().cast(daft.DataType.int64()).alias("errors")
    )
    sums = counts.sum("comments", "spam", "errors").to_pydict()
    tally = {name: int(values[0] or 0) for name, values in sums.items()}
    return {**tally, "pages": written.count_rows() - tally["errors"], "error:daft": tally["errors"]}
