"""str → str and str → facts."""

from __future__ import annotations

__all__ = ["guess_language"]


def guess_language(text: str) -> str | None:
    """Two-letter code of the language of ``text``, or None where it cannot be told."""
    return None  # placeholder, replaced in the next commit
