"""Tell reader comments from articles, and spam from readers.

Usage::

    import spamfilter

    page = spamfilter.split_page(html_or_text)         # title, article, comments
    sf = spamfilter.load()                             # the bundled model
    scored = sf.score_page(html_or_text)               # page and verdicts
    verdict = sf.score("text", author=None, title=None, article=None)
    text = spamfilter.clean(html_or_text)              # article and the comments that are not spam
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spamfilter.cleaning import clean
    from spamfilter.errors import (
        ConfigError,
        DataError,
        InputError,
        LockedError,
        MissingExtra,
        ModelDamaged,
        ModelError,
        ModelNotFound,
        ModelTooNew,
        OutputError,
        SpamFilterError,
        StoreError,
        UnreadableFile,
        UnreadablePage,
    )
    from spamfilter.model import SpamFilter
    from spamfilter.records import Comment, Page, Reason, ScoredPage, Verdict
    from spamfilter.segment import split_page
    from spamfilter.store import load

_ROOM_OF = {
    "clean": "cleaning",
    "load": "store",
    "split_page": "segment",
    "SpamFilter": "model",
    **dict.fromkeys(("Comment", "Page", "Reason", "ScoredPage", "Verdict"), "records"),
    **dict.fromkeys(
        (
            "ConfigError",
            "DataError",
            "InputError",
            "LockedError",
            "MissingExtra",
            "ModelDamaged",
            "ModelError",
            "ModelNotFound",
            "ModelTooNew",
            "OutputError",
            "SpamFilterError",
            "StoreError",
            "UnreadableFile",
            "UnreadablePage",
        ),
        "errors",
    ),
}

__version__ = "0.1.0"
__all__ = [
    "Comment",
    "ConfigError",
    "DataError",
    "InputError",
    "LockedError",
    "MissingExtra",
    "ModelDamaged",
    "ModelError",
    "ModelNotFound",
    "ModelTooNew",
    "OutputError",
    "Page",
    "Reason",
    "ScoredPage",
    "SpamFilter",
    "SpamFilterError",
    "StoreError",
    "UnreadableFile",
    "UnreadablePage",
    "Verdict",
    "__version__",
    "clean",
    "load",
    "split_page",
]

if not TYPE_CHECKING:  # else mypy would let misspelt names pass

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used: ``import spamfilter`` itself costs next to nothing."""
        room = _ROOM_OF.get(name)
        if room is None:
            raise AttributeError(f"module 'spamfilter' has no attribute {name!r}")
        value = getattr(import_module(f"spamfilter.{room}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return __all__
