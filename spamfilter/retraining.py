"""What came of one retraining, as it is stored in the challenger's folder and as a report reads it.

Usage::

    done = Retraining.read(Path("models/2026.11.26"))
    done.decision.promote, done.unseen.challenger, done.counts["spam"]
    text = done.to_json(); Retraining.from_json(text) == done

The comments themselves are not in it: rows are named by their ids (``labels:NUMBER`` for those of the label store).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from spamfilter.errors import DataError, ModelNotFound
from spamfilter.labels.hygiene import Finding
from spamfilter.promotion import Decision, Judged

__all__ = ["FILE", "FORMAT", "Learnt", "Retraining"]

#: The file in the challenger's folder.
FILE: Final = "retraining.json"
#: Version of its format; readers keep reading all earlier ones.
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the challenger learnt from, as columns: key, id, label ("spam" or "ham") and weight of each row.

    The key is a digest of comment, site and post: ids are those of one label store, and another may be made of the same
    labels.
    """

    key: list[str]
    id: list[str]
    label: list[str]
    weight: list[float]

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True)
class Retraining:
    """One retraining.

    ``version`` is the challenger, ``champion`` the version it was held against, ``parent`` the one that its weights
    were made from; all are names of folders beside each other.  ``recipe`` is "adapt" (the parent moved towards the
    labels) or "train" (from scratch, with the data sets of the configuration); ``recipes`` has the average precision
    out of fold of each recipe that was tried.  ``inputs`` is the fingerprint of everything that went in.
    ``unseen``: rows of sites and posts that neither model learnt; ``newest``: the newest rows, judged by the champion
    as it stands and by the challenger's recipe on what came before; ``guard``: rows of sets that are only watched.
    ``how`` says of each in words how it was judged.  ``counts``: labels by what became of them; ``left_out``: rows
    by reason; ``findings``: what hygiene found; ``agreement``: share of labels equal to the model's verdict at the
    time, by who decided.  ``adaptation``: strength and settings.  ``durations``: seconds by step.
    """

    version: str
    created: str
    champion: str
    parent: str
    recipe: str
    inputs: str
    decision: Decision
    unseen: Judged
    learnt: Learnt
    newest: Judged | None = None
    guard: Judged | None = None
    how: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    agreement: dict[str, float] = field(default_factory=dict)
    recipes: dict[str, float] = field(default_factory=dict)
    adaptation: dict[str, Any] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    code: str = ""

    def to_json(self) -> str:
        """As the text of the file."""
        out: dict[str, Any] = {"format": FORMAT}
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, (Decision, Judged)):
                value = value.to_dict()
            elif isinstance(value, Learnt):
                value = asdict(value)
            elif name == "findings":
                value = [asdict(finding) for finding in value]
            out[name] = value
        return json.dumps(out, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Retraining:
        """The reverse of ``to_json``.  Raises ``DataError`` for what is none, or is of a later format."""
        try:
            found = json.loads(text)
            number = int(found.pop("format"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"this is not the result of a retraining ({error})") from error
        if number > FORMAT:
            raise DataError(f"this retraining has format {number}, this version reads up to {FORMAT}; upgrade")
        try:
            return cls(**_restored(found))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"this result of a retraining is not whole ({error})") from error

    @classmethod
    def read(cls, folder: Path) -> Retraining:
        """The retraining that made the model in ``folder``.

        Raises ``ModelNotFound`` where none did, ``DataError`` where its file cannot be used.
        """
        path = folder / FILE
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelNotFound(f"{folder} was not made by a retraining: there is no {FILE}") from None
        except (OSError, UnicodeDecodeError, DataError) as error:
            raise DataError(f"{path}: {error}") from error


def _restored(found: Mapping[str, Any]) -> dict[str, Any]:
    known = set(Retraining.__slots__)
    out = {k: v for k, v in found.items() if k in known}  # columns are only ever added: what is newer is passed over
    out["decision"] = Decision.from_dict(out["decision"])
    for name in ("unseen", "newest", "guard"):
        if out.get(name) is not None:
            out[name] = Judged.from_dict(out[name])
    out["learnt"] = Learnt(**out["learnt"])
    out["findings"] = tuple(Finding(**f) for f in out.get("findings", ()))
    out["notes"] = tuple(out.get("notes", ()))
    return out
