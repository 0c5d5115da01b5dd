"""SpamFilter: the scoring runtime.  NumPy only; scikit-learn and pandas are never imported to score a page.

Usage::

    sf = spamfilter.load()
    sf.score("Buy cheap watches at http://…", author="cheap watches").probability
    scored = sf.score_page(html)                      # ScoredPage: page and verdicts
    frame = sf.score_frame(df)                        # + spam_probability, verdict, reasons
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.errors import DataError, ModelError
from spamfilter.features.company import REACH, Seats, company, measures
from spamfilter.features.fields import Dense, Fields, read_features
from spamfilter.features.reading import Reading
from spamfilter.features.stages import (
    ANEW,
    BY_CONTEXT,
    COMPANY,
    FirstStage,
    company_inputs,
    foreign_inputs,
    input_names,
    stage_inputs,
)
from spamfilter.linear import GramModel, LinearModel, gram_logits
from spamfilter.network import Network
from spamfilter.reasons import Explainer, Seen
from spamfilter.records import Comment, Label, Page, ScoredPage, Verdict

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

__all__ = ["Parameters", "SpamFilter"]

F64 = NDArray[np.float64]
#: Comments scored at once: enough to make array operations worth while, few enough to stay in the caches.
BATCH: Final = 512
#: Characters of articles that are read at once with comments: their words are looked up again and again.
BATCH_CHARACTERS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything learnt: plain arrays and numbers.

    ``typical`` is the standardised row of inputs that a typical ham comment has; reasons are stated
    relative to it.  ``spam_cutoff`` and ``unsure_cutoff`` are probabilities.  ``titled``
    judges words under a title alone (models of format 1 have none); ``company`` how far a comment is from the others
    of its page, and ``company_middle`` holds the usual values of the inputs that come of it (``COMPANY``; models of
    formats 1 and 2, and those trained on comments that share no page, have neither).
    """

    text: GramModel
    prose: GramModel
    name: GramModel
    host: GramModel
    relation: LinearModel
    foreign: LinearModel | Network
    head: LinearModel
    typical: F64
    idf: NDArray[np.float32]
    inputs: tuple[str, ...]
    spam_cutoff: float
    unsure_cutoff: float
    titled: GramModel | None = None
    company: LinearModel | None = None
    company_middle: F64 | None = None


class SpamFilter:
    """Judges comments against their articles.

    ``spam_cutoff`` and ``unsure_cutoff`` are the probabilities from which on a comment is called
    spam, or unsure; ``name`` stands in every verdict.
    """

    def __init__(
        self, parameters: Parameters, name: str = "unnamed", manifest: Mapping[str, Any] | None = None
    ) -> None:
        self.parameters = parameters
        self.name = name
        self.manifest: Mapping[str, Any] = manifest or {}
        self._explainer = Explainer(parameters.inputs)
        #: Signals that count anew under a title alone; in models of formats 1 to 3 none do.
        self.anew = tuple(name for name in parameters.inputs if name.startswith(ANEW))
        self._signals = tuple(n for n in parameters.inputs[len(input_names(())) :] if _is_signal(n))

    def __repr__(self) -> str:
        return f"SpamFilter({self.name!r})"

    def with_cutoffs(self, spam: float | None = None, unsure: float | None = None) -> SpamFilter:
        """The same model with other cut-offs (probabilities, 0 to 1; ``unsure`` at most ``spam``)."""
        p = self.parameters
        spam = p.spam_cutoff if spam is None else spam
        unsure = min(p.unsure_cutoff, spam) if unsure is None else unsure
        if not 0.0 <= unsure <= spam <= 1.0:
            raise DataError(f"cut-offs must satisfy 0 <= unsure <= spam <= 1, got unsure={unsure} and spam={spam}")
        return SpamFilter(replace(p, spam_cutoff=spam, unsure_cutoff=unsure), self.name, self.manifest)

    # ------------------------------------------------------------------ one comment, many comments
    def score(
        self,
        text: str,
        author: str | None = None,
        author_url: str | None = None,
        title: str | None = None,
        article: str | None = None,
        thread: Sequence[str] = (),
    ) -> Verdict:
        """Judge one comment; give the context that there is.

        ``thread`` are the texts of the other comments of the page, in their order; of many the last count, after which
        a new comment stands.  Raises DataError where it is not a list of texts, or a field no text.
        """
        if isinstance(thread, str) or not isinstance(thread, Sequence) or not all(isinstance(t, str) for t in thread):
            raise DataError("thread must be a list of the texts of the other comments; give [text, …]")
        given = (text, author, author_url, title, article)
        text, author, author_url, title, article = (_known(*field) for field in zip(_FIELDS, given, strict=True))
        others = [] if self.parameters.company is None else list(thread)[-REACH:]
        n = len(others)
        nobody: list[str | None] = [None] * n
        return self._verdicts(
            Fields.of(
                [*others, text],
                [*nobody, author],
                [*nobody, author_url],
                [title] * (n + 1),
                [article] * (n + 1),
                [0] * (n + 1) if n else None,
            ),
            slice(n, n + 1),
        )[0]

    def score_many(self, comments: Iterable[Mapping[str, Any] | Comment | str]) -> list[Verdict]:
        """Judge comments (mappings with ``text``, ``author``, ``author_url``, ``title``, ``article``; records; strings)
        each for itself, in order."""
        rows = [_row(c) for c in comments]
        out: list[Verdict] = []
        for at in range(0, len(rows), BATCH):
            part = rows[at : at + BATCH]
            out += self._verdicts(Fields.of(*(list(column) for column in zip(*part, strict=True))))
        return out

    def score_page(self, source: str | bytes, url: str | None = None) -> ScoredPage:
        """Take a page (HTML or plain text) apart and judge its comments against its article."""
        from spamfilter.segment import split_page

        return self.score_split(split_page(source, url))

    def score_split(self, page: Page) -> ScoredPage:
        """Judge the comments of a page that is already taken apart, against its article and each other."""
        return self.score_splits([page])[0]

    def score_splits(self, pages: Sequence[Page]) -> list[ScoredPage]:
        """``score_split`` of many pages: the same verdicts in two thirds of the time, small pages being read in one go.

        Memory grows with the pages given: give some dozens at a time.
        """
        verdicts: list[Verdict] = []
        for together in _together([page for page in pages if page.comments]):
            verdicts += self._long(together[0]) if len(together) == 1 else self._verdicts(_fields_of_pages(together))
        of = iter(verdicts)
        return [ScoredPage(page, tuple(islice(of, len(page.comments)))) for page in pages]

    def _long(self, page: Page) -> list[Verdict]:
        """Verdicts on the comments of one page, some hundred at a time, those before and after being their company."""
        verdicts: list[Verdict] = []
        reach = 0 if self.parameters.company is None else REACH
        for at in range(0, len(page.comments), BATCH):
            begin = max(at - reach, 0)
            part = page.comments[begin : at + BATCH + reach]
            verdicts += self._verdicts(
                _fields_of_pages([replace(page, comments=part)]), slice(at - begin, at - begin + BATCH)
            )
        return verdicts

    def score_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The same rows, order and index, with ``spam_probability``, ``verdict`` and ``reasons`` added.

        ``text`` is required; ``author``, ``author_url``, ``title`` and ``article`` are used where there
        are any; a missing value counts as none.  Rows with the same value of ``thread`` are comments of one page, in
        its order, and judged against each other too; without such a column each row is judged for itself.
        ``reasons`` names what decided, most important first.
        """
        if "text" not in frame.columns:
            raise DataError(
                f"no column 'text' (found: {', '.join(map(str, frame.columns))}); rename the column with the comments"
            )
        out = frame.copy()
        out["spam_probability"], out["verdict"], out["reasons"] = self.score_fields(fields_of(frame))
        return out

    def score_fields(self, given: Fields) -> tuple[F64, NDArray[np.str_], NDArray[np.object_]]:
        """Probability, verdict and reasons of each comment of a table of columns, as ``score_frame`` adds them."""
        n = len(given)
        probability, reasons = np.zeros(n), np.empty(n, object)
        for rows, part, kept in given.windows(BATCH):
            z, logits, _ = self._judge(part)
            probability[rows] = _probability(logits[kept])
            reasons[rows] = self._explainer.names(z[kept], self.parameters.head.coef, self.parameters.typical)
        return probability, self.labels(probability), reasons

    def labels(self, probability: F64) -> NDArray[np.str_]:
        """Verdicts for probabilities: "spam", "unsure" or "ham"."""
        p = self.parameters
        spam = probability >= p.spam_cutoff
        return np.where(spam, "spam", np.where(probability >= p.unsure_cutoff, "unsure", "ham"))

    def probabilities(self, fields_: Fields) -> F64:
        """Probability of spam of each comment of ``fields_``."""
        return _probability(self._judge(fields_)[1])

    def to_pipeline(self) -> Pipeline:
        """A fitted scikit-learn Pipeline with equal probabilities; takes a frame as ``score_frame`` does."""
        from spamfilter.pipeline import pipeline_of

        return pipeline_of(self)

    # ------------------------------------------------------------------ inside
    def inputs(self, given: Fields) -> F64:
        """Inputs of the last stage for each comment (comments × ``parameters.inputs``); a page must be whole."""
        return self._inputs(given)[0]

    def _inputs(self, given: Fields) -> tuple[F64, F64, Reading]:
        """Inputs of the last stage, the same standardised, and what was read."""
        head = self.parameters.head
        dense, seen = read_features(given, self.parameters.idf)
        dense = self.fitting(dense)
        first = self._first_stage(given, seen, dense)
        room = 0 if self.parameters.company is None else len(COMPANY)
        inputs = stage_inputs(first, dense, self.anew, room)
        z = head.standardise(inputs)
        if room and given.thread_of is not None and len(given) > 1:
            inputs[:, -len(COMPANY) :] = self._company(given.thread_of, seen, first, head.of_standard(z))
            z[:, -len(COMPANY) :] = head.last(len(COMPANY)).standardise(inputs[:, -len(COMPANY) :])
        return inputs, z, seen

    def _company(self, thread_of: NDArray[np.int64], seen: Reading, first: FirstStage, alone: F64) -> F64:
        """Columns ``COMPANY``; the others of a page count as far as each, judged for itself (``alone``), is no spam."""
        p = self.parameters
        assert p.company is not None
        trust = _probability(-alone)
        table = company((seen.texts.word, seen.texts.ptr), Seats.in_order(thread_of, trust), p.idf)
        return company_inputs(first, p.company.logits(measures(table)), table, p.company_middle)

    def fitting(self, dense: Dense) -> Dense:
        """The signals that this model was made with, where this version of the package has more."""
        known = self._signals
        if dense.names is known:
            return dense
        if dense.names == known:
            self._signals = dense.names  # the same names: next time one look tells
            return dense
        place = {name: k for k, name in enumerate(dense.names)}
        if missing := [name for name in known if name not in place]:
            raise ModelError(
                f"{self.name} was made with the signal {missing[0]!r}, which this version does not have; train it again"
            )
        values = np.ascontiguousarray(dense.values[:, [place[name] for name in known]])
        return replace(dense, names=known, values=values)

    def _first_stage(self, given: Fields, seen: Reading, dense: Dense) -> FirstStage:
        p, none, batch = self.parameters, np.zeros(len(given)), seen.texts.batch
        titled = None if p.titled is None else none
        if p.titled is None or dense.under_article.all():
            text, prose = gram_logits(batch, p.text, p.prose)
        else:
            text, prose, titled = gram_logits(batch, p.text, p.prose, p.titled)
        relation = foreign = none
        if dense.has_article.any():
            relation = np.where(dense.has_article, p.relation.logits(dense.relation), 0.0)
            foreign = p.foreign.logits(foreign_inputs(text, prose, relation, dense))
            foreign = np.where(dense.has_article, foreign, 0.0)
        name = present(p.name.logits(seen.names.batch), given.authors) if any(given.authors) else none
        host = present(p.host.logits(seen.hosts), given.urls) if any(given.urls) else none
        return FirstStage(text, prose, name, host, relation, foreign, titled)

    def _judge(self, given: Fields) -> tuple[F64, F64, Reading]:
        _, z, seen = self._inputs(given)
        return z, self.parameters.head.of_standard(z), seen

    def _verdicts(self, given: Fields, kept: slice = slice(None)) -> list[Verdict]:
        """Verdicts on the comments ``kept``; the others are there as their company."""
        p = self.parameters
        z, logits, read = self._judge(given)
        parts, probability = (z - p.typical) * p.head.coef, _probability(logits).tolist()
        first, _, _ = kept.indices(len(given))
        reasons = self._explainer.reasons(Seen(given, read, p.text, p.idf), parts[kept], logits[kept], first)
        judged = zip(probability[kept], reasons, strict=True)
        return [Verdict(self._label(x), x, why, self.name) for x, why in judged]

    def _label(self, probability: float) -> Label:
        p = self.parameters
        return "spam" if probability >= p.spam_cutoff else "unsure" if probability >= p.unsure_cutoff else "ham"


def _together(pages: Sequence[Page]) -> Iterator[list[Page]]:
    """The pages in order, those of at most ``BATCH`` comments and ``BATCH_CHARACTERS`` of article joined."""
    held: list[Page] = []
    comments = characters = 0
    for page in pages:
        comments, characters = comments + len(page.comments), characters + len(page.article)
        if held and (comments > BATCH or characters > BATCH_CHARACTERS):
            yield held
            held, comments, characters = [], len(page.comments), len(page.article)
        held.append(page)
    if held:
        yield held


def _fields_of_pages(pages: Sequence[Page]) -> Fields:
    """The comments of pages, each in the company of its own."""
    thread_of = np.repeat(np.arange(len(pages)), [len(page.comments) for page in pages])
    there = np.array([bool(page.title or page.article) for page in pages], np.bool_)
    return Fields(
        [unwrapped(c.text) if page.kind == "text" else c.text for page in pages for c in page.comments],
        [c.author for page in pages for c in page.comments],
        [c.author_url for page in pages for c in page.comments],
        [page.title or "" for page in pages],
        [page.article for page in pages],
        np.where(there[thread_of], thread_of, -1),
        thread_of,
    )


#: Inputs that are no signals of a comment's own.
_NO_SIGNALS: Final = frozenset((*BY_CONTEXT, *COMPANY))


def _is_signal(name: str) -> bool:
    return name not in _NO_SIGNALS and not name.startswith(ANEW)


# A line that ends without a stop and goes on in lower case was broken by the program that saved the text.
_WRAP: Final = re.compile(r"(?<![.!?:;…\n])[ \t]*\n[ \t]*(?=[^\W\dA-ZÀ-ÖØ-Þ_])")


def unwrapped(text: str) -> str:
    """Plain text without the line breaks and indents that lynx, crawlers and mail programs put into sentences."""
    return _WRAP.sub(" ", text) if "\n" in text else text


def present(logits: F64, values: Sequence[str | None]) -> F64:
    """``logits`` where there is a value, 0 elsewhere."""
    return logits * np.array([bool(v) for v in values], np.float64)


def _probability(logits: F64) -> F64:
    out: F64 = 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(logits, -60.0), 60.0)))
    return out


_FIELDS: Final = ("text", "author", "author_url", "title", "article")


def _row(comment: Mapping[str, Any] | Comment | str) -> tuple[Any, ...]:
    if isinstance(comment, str):
        return (comment, None, None, None, None)
    if isinstance(comment, Comment):
        return (comment.text, comment.author, comment.author_url, None, None)
    if not hasattr(comment, "get"):
        raise DataError(f"a comment is a text or a mapping with 'text', not {type(comment).__name__}")
    if comment.get("text") is None:
        raise DataError(f"a comment needs a 'text' (found: {', '.join(map(str, comment)) or 'nothing'})")
    return tuple(_known(name, comment.get(name)) for name in _FIELDS)


def _known(name: str, value: Any) -> Any:
    """A field's text; None for what is missing, NaN among it, which tables have for it."""
    if isinstance(value, str):
        return value
    if name != "text" and (value is None or (isinstance(value, float) and value != value)):
        return None
    instead = "leave out comments without" if name == "text" else "give None where there is none"
    raise DataError(f"{name} is {type(value).__name__}, a text (str) is expected; {instead}")


def column_of(frame: pd.DataFrame, name: str) -> list[str | None]:
    """A column as strings, None for a missing value; all None where there is no such column."""
    if name not in frame.columns:
        return [None] * len(frame)
    column = frame[name]
    if column.ndim > 1:
        raise DataError(f"two columns are called {name!r}; rename one of them")
    if str(column.dtype) in _STRINGS:
        # Each different value is made a Python string once: an article stands beside all of its comments.
        codes, values = column.factorize()
        different = [*values.tolist(), None]
        return [different[code] for code in codes.tolist()]
    return [v if isinstance(v, str) else None if v is None or v != v else str(v) for v in column.tolist()]


def fields_of(frame: pd.DataFrame) -> Fields:
    """The fields of a frame as ``SpamFilter.score_frame`` takes it."""
    texts, authors, urls, titles, articles = (column_of(frame, name) for name in _FIELDS)
    threads = column_of(frame, "thread") if "thread" in frame.columns else None
    return Fields.of([t or "" for t in texts], authors, urls, titles, articles, threads)


#: Types of columns of which pandas holds the strings itself, outside of Python.
_STRINGS: Final = ("str", "string")
