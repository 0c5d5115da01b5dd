"""Selectors that can match at all, told from the source.

Usage::

    list_ = Hinted((".comment-content", "cite, [class*=author]"))
    list_.possible('<p class="comment-content">…')          # [".comment-content"]

Whether a word stands in a string is known many times faster than whether a selector matches, and of a list that
serves hundreds of themes a page uses two or three.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, compress

from spamfilter import compiled

__all__ = ["Hinted", "Named", "Names", "Sought", "alternatives"]

_VALUE = re.compile(r"[*^$~|]?=\s*[\"']?([^\"'\]]+)")
_NAME = re.compile(r"[.#]([\w-]+)")
_CLASS_ONLY = re.compile(r"\.[\w-]+|\[class\*=[\w-]+\]")
_CLASS_VALUES = re.compile(r" class=\"([^\"]*)\"")
_TAG = re.compile(r"(?:^|[\s>+~])([a-z][a-z0-9]*)$")


# One search for fixed letters: for several alternatives it would take ten times as long.  The longest lists of names
# have some 500 bytes; what is longer is a whole thread that a script keeps in an attribute.
_CLASSES = re.compile(rb"class=[\"']?([^\"'>]{1,1000})")


class Names:
    """The names in a page's class attributes, each once: ``b"entry" in Names(source)``.

    Many words are looked for in them, and most pages are known before they are needed: gathered at the first question.
    """

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._names: bytes | None = None

    def __contains__(self, word: bytes) -> bool:
        return word in self.gathered()

    def gathered(self) -> bytes:
        """The names, a line each."""
        if self._names is None:
            self._names = _class_names(self._source)
        return self._names


def _class_names(source: bytes) -> bytes:
    if compiled.kernel is None:
        return b"\n".join(set(b" ".join(_CLASSES.findall(source)).split()))
    names: bytes = compiled.kernel.class_names(source)
    return names


def alternatives(selector: str) -> list[str]:
    """The parts of a selector list."""
    return [part.strip() for part in selector.split(",") if part.strip()]


class Sought:
    """Words looked for all at once: ``Sought((b"entry", b"post")).in_(source)`` gives one flag (1 or 0) for each."""

    def __init__(self, words: Iterable[bytes]) -> None:
        self._words = tuple(words)
        self._text = tuple(word.decode() for word in self._words)
        self._lines = b"\n".join(self._words)

    def in_(self, source: str | bytes) -> bytes:
        """Which of the words stand in ``source``, in their order."""
        if not self._words:
            return b""
        if compiled.kernel is not None:
            try:
                flags: bytes = compiled.kernel.present(source, self._lines)
            except UnicodeEncodeError:  # half of a surrogate pair
                return self._by_python(source)
            return flags
        return self._by_python(source)

    def _by_python(self, source: str | bytes) -> bytes:
        if isinstance(source, str):
            return bytes(word in source for word in self._text)
        return bytes(word in source for word in self._words)


class Hinted:
    """Selectors with a word each that the source must hold for them to match."""

    def __init__(self, selectors: Iterable[str]) -> None:
        # Many selectors share their word, and looking for it is what costs time.
        of_word: dict[str, list[int]] = {}
        self._selectors: list[str] = []
        for selector in dict.fromkeys(selectors):
            for part in alternatives(selector):
                of_word.setdefault(_word(part), []).append(len(self._selectors))
            self._selectors.append(selector)
        self._places = list(of_word.values())
        self._sought = Sought(word.encode() for word in of_word)

    def possible(self, source: str) -> list[str]:
        """Those that may match somewhere in ``source``, in their order."""
        found = set(chain.from_iterable(compress(self._places, self._sought.in_(source))))
        return [self._selectors[place] for place in sorted(found)]


class Named:
    """Selectors of a list that may match, told from the class names in the source; remembers every name."""

    def __init__(self, selector: str) -> None:
        self._classes, self._others = _by_kind(selector)
        self._seen: dict[str, list[str]] = {}

    def possible(self, source: str) -> list[str]:
        """Those that may match somewhere in ``source``, in any order."""
        found = [selector for word, selector in self._others if word in source]
        for names in _CLASS_VALUES.findall(source):
            known = self._seen.get(names)
            if known is None:
                known = self._seen[names] = [selector for word, selector in self._classes if word in names]
            found += known
        return found


@lru_cache(maxsize=256)
def _by_kind(selector: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Parts of a selector list, each with its word: those that name classes only, and the others."""
    classes: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for part in alternatives(selector):
        (classes if _CLASS_ONLY.fullmatch(part) else others).append((_word(part), part))
    return classes, others


def _word(selector: str) -> str:
    """A word that an element's tag must hold to match ``selector``; empty where there is none to tell."""
    if ":" in selector:
        return ""
    last = re.split(r"[\s>+~](?![^\[]*\])", selector)[-1]
    for pattern in (_VALUE, _NAME):
        found: list[str] = pattern.findall(last)
        if found:
            # Where the case of letters does not count, the first may be a capital: "CommentAuthor".
            return max((word[1:-2] if word.endswith(" i") else word for word in found), key=len)
    tag = _TAG.search(last)
    return f"<{tag[1]}" if tag else ""
