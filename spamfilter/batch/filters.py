"""Which pages of the input are wanted.

Usage::

    where = Where.parse(["lang=en,de", "host!=example.org"])
    where(page)                                     # every condition holds
    in_sample("crawl.warc.gz#81732", 0.01)          # the same pages in every run
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from urllib.parse import urlsplit

from spamfilter.errors import ConfigError
from spamfilter.records import Page

__all__ = ["Where", "in_sample"]

_FIELDS: Final = ("lang", "engine", "kind", "host")


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on a page: field, whether it must be (or must not be), and the values."""

    conditions: tuple[tuple[str, bool, frozenset[str]], ...] = ()

    @classmethod
    def parse(cls, given: Iterable[str]) -> Where:
        """From ``field=value[,value…]`` and ``field!=value``.  Raises ConfigError for anything else."""
        return cls(tuple(_condition(text) for text in given))

    def __call__(self, page: Page) -> bool:
        """Whether all conditions hold for ``page``."""
        return all((_value(page, field) in values) is wanted for field, wanted, values in self.conditions)

    def __str__(self) -> str:
        return " ".join(f"{f}{'=' if w else '!='}{','.join(sorted(v))}" for f, w, v in self.conditions)


def _condition(text: str) -> tuple[str, bool, frozenset[str]]:
    field, equals, values = text.partition("=")
    wanted = not field.endswith("!")
    field = field.removesuffix("!").strip().lower()
    if not equals or field not in _FIELDS:
        raise ConfigError(
            f"--where {text}: write it as FIELD=VALUE or FIELD!=VALUE, with FIELD of {', '.join(_FIELDS)}"
        )
    return field, wanted, frozenset(value.strip().lower() for value in values.split(","))


def _value(page: Page, field: str) -> str:
    if field == "host":
        return _host(page.url or "")
    return str(getattr(page, field) or "").lower()


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""


def in_sample(name: str, share: float) -> bool:
    """Whether the page called ``name`` is in a sample of ``share`` (0..1): by its name, so always the same."""
    if share >= 1:
        return True
    drawn = int.from_bytes(blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest())
    return drawn < share * 2**64
