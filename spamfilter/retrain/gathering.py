"""What a retraining learns from: current labels and further data, checked, de-duplicated, weighed, fingerprinted.

Usage::

    gathered = gather(config)
    gathered = gathered.weighed(None, untaught)            # once more, with a model that has learnt none of the labels
    gathered = gathered.weighed(out_of_fold, untaught)     # and once more, with one that has learnt all but the row
    gathered.rows, gathered.weight, gathered.trusted
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.datasets import Dataset, merge, read_data, read_rows
from spamfilter.errors import ConfigError
from spamfilter.labels import LabelRow, LabelStore
from spamfilter.labels.hygiene import Finding, Hygiene, Limits, weigh
from spamfilter.labels.rows import training_row
from spamfilter.retrain.config import RetrainConfig

__all__ = ["Gathered", "gather"]

F64 = NDArray[np.float64]
#: Approved comments from which on an author without any rejected one is trusted, as in the service's policies.
_TRUSTED_AFTER: Final = 3
#: A label that counts less than this is not counted among those that are enough to judge by.
_COUNTS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows with weights (0..1) and the place at which each was decided on (0 for rows that are no labels).

    ``weight`` is what a row counts in learning, ``judging`` in the judgement.  They differ where a model is sure that
    the label is wrong: such a row teaches less, but is judged in full.  Else a challenger would be forgiven its surest
    mistakes by being so sure of them.  ``labels`` are the current labels that the rows of the label store come from;
    ``findings`` what hygiene found.
    """

    rows: Dataset
    weight: F64
    judging: F64
    place: NDArray[np.int64]
    labels: Sequence[LabelRow]
    limits: Limits
    findings: tuple[Finding, ...]
    doubted: Mapping[str, int]

    def weighed(self, probability: Mapping[str, float] | None, untaught: Mapping[str, float]) -> Gathered:
        """Weighed again with the probability of spam of each row, by id: by a model that has not seen the row, and by
        one that has learnt none of the labels.

        Rows that then count nothing go.
        """

        def of_labels(known: Mapping[str, float]) -> F64:
            # Half: neither spam nor ham, for labels that are no rows.
            return np.array([known.get(_id(row), 0.5) for row in self.labels], np.float64)

        unseen, base = None if probability is None else of_labels(probability), of_labels(untaught)
        hygiene = weigh(self.labels, unseen, self.limits, base)
        weight = _weights(self.rows, self.labels, hygiene)
        undoubted = weigh(self.labels, unseen, replace(self.limits, doubtful_weight=1.0), base)
        judging = _weights(self.rows, self.labels, undoubted)
        keep = weight > 0
        return replace(
            self,
            rows=self.rows.take(keep),
            weight=weight[keep],
            judging=judging[keep],
            place=self.place[keep],
            findings=tuple(hygiene.findings),
            doubted=_doubted(hygiene),
        )

    def keys(self) -> list[str]:
        """What tells one comment from another in every store of the same labels: a digest of text, author and place."""
        rows = self.rows
        columns = zip(rows.text, rows.author, rows.author_url, rows.site, rows.post, strict=True)
        return [_digest(*row) for row in columns]

    def class_sizes(self) -> dict[str, int]:
        """Rows of each class whose label counts at least half."""
        counting = self.rows.label[self.weight >= _COUNTS]
        return {"spam": int((counting == 1).sum()), "ham": int((counting == 0).sum())}

    def trusted(self) -> NDArray[np.bool_]:
        """Which rows are ham by authors with several approved comments and none rejected, on the same site."""
        rows = self.rows
        said: dict[tuple[str, str], Counter[int]] = {}
        authors = [(s, " ".join((a or "").split()).casefold()) for s, a in zip(rows.site, rows.author, strict=True)]
        for author, label in zip(authors, rows.label.tolist(), strict=True):
            said.setdefault(author, Counter())[label] += 1
        known = {a for a, count in said.items() if a[1] and count[0] >= _TRUSTED_AFTER and not count[1]}
        return np.array([a in known for a in authors], np.bool_)

    def counts(self) -> dict[str, int]:
        """What became of the labels, for the summary."""
        spam = int((self.rows.label == 1).sum())
        return {
            "labels": len(self.labels),
            "rows": len(self.rows),
            "spam": spam,
            "ham": len(self.rows) - spam,
            "in_full": int((self.weight >= 1).sum()),
            "in_part": int((self.weight < 1).sum()),
            **{f"doubted: {reason}": n for reason, n in self.doubted.items()},
        }

    def agreement(self) -> dict[str, float]:
        """Share of labels equal to the verdict at the time, by who decided."""
        same: dict[str, list[bool]] = {}
        for row in self.labels:
            if row.verdict is not None and row.verdict.label != "unsure":
                same.setdefault(row.who, []).append(row.verdict.label == row.label)
        return {who: round(float(np.mean(found)), 4) for who, found in sorted(same.items())}


def gather(config: RetrainConfig) -> Gathered:
    """Read labels and data.  The label store is opened for reading only.

    Raises ``StoreError``, ``DataError``, ``UnreadableFile`` or ``ConfigError`` where they cannot be used.
    """
    labels: list[LabelRow] = []
    if config.labels is not None:
        if not config.labels.exists():
            raise ConfigError(
                f"{config.labels}: there is no label store here; name it with --labels, or import labels first"
            )
        with LabelStore.open(config.labels, readonly=True) as store:
            labels = list(store.current())
    hygiene = weigh(labels, limits=config.hygiene)
    counting = [row for row, weight in zip(labels, hygiene.weights.tolist(), strict=True) if weight > 0]
    # What counts nothing is left out before texts with both labels are: else it would take the right labels along.
    rows = read_rows(map(training_row, counting), "labels")
    if config.data:
        rows = merge([rows, _others(read_data(config.data), rows)])
    seq = {_id(row): row.seq for row in labels}
    place = np.array([seq.get(name, 0) for name in rows.id], np.int64)
    return Gathered(
        rows,
        weight := _weights(rows, labels, hygiene),
        weight,
        place,
        labels,
        config.hygiene,
        tuple(hygiene.findings),
        _doubted(hygiene),
    )


def _others(data: Dataset, labels: Dataset) -> Dataset:
    """The rows of ``data`` that are not in the label store as well, as after an export: there they may have changed."""
    known = set(map(_key, labels.text, labels.title))
    keep = np.array(
        [_key(text, title) not in known for text, title in zip(data.text, data.title, strict=True)], np.bool_
    )
    for i in np.flatnonzero(~keep).tolist():
        data.report.leave_out("in the label store as well", data.id[i])
    return data.take(keep)


def _key(text: str, title: str | None) -> tuple[str, str]:
    return " ".join(text.split()).casefold(), title or ""


def _digest(*fields: str | None) -> str:
    text = "\x1f".join(field or "" for field in fields)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _id(row: LabelRow) -> str:
    return f"labels:{row.comment_id}"


def _weights(rows: Dataset, labels: Sequence[LabelRow], hygiene: Hygiene) -> F64:
    of = dict(zip(map(_id, labels), hygiene.weights.tolist(), strict=True))
    return np.array([of.get(name, 1.0) for name in rows.id], np.float64)


def _doubted(hygiene: Hygiene) -> dict[str, int]:
    return dict(Counter(reason for reasons in hygiene.reasons for reason in reasons))
