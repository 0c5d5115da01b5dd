"""XML exports, a piece at a time, in bounded memory, and without anything that XML can be made to do.

Usage::

    for piece in pieces(path, wanted={"post", "thread"}, marks={"forum"}):
        piece.name, piece.text_of("message"), piece.attributes

A document type definition is refused: no export has one, and every XML attack (entities that expand without end,
files and addresses read in) needs one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final
from xml.parsers import expat

from spamfilter.errors import InputError, UnreadableFile
from spamfilter.files.streams import BROKEN, explain, open_stream

__all__ = ["Piece", "open_export", "pieces"]

_CHUNK: Final = 1 << 16
#: Characters that one piece may hold: a long article has a tenth of a million, the largest posts a few.
_LARGEST: Final = 20_000_000
#: Elements inside each other: exports have six or so.
_DEEPEST: Final = 100
# XML 1.0 forbids these bytes, and blog software writes them all the same when a comment contains them.
_FORBIDDEN: Final = bytes(b for b in range(0x20) if b not in (0x09, 0x0A, 0x0D))


@dataclass(slots=True)
class Piece:
    """One element with what is in it; a mark has nothing in it, it says that an element begins."""

    name: str
    attributes: dict[str, str]
    line: int
    mark: bool = False
    parts: list[str] = field(default_factory=list)
    children: list[Piece] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The element's own text."""
        return "".join(self.parts).strip()

    def child(self, name: str) -> Piece | None:
        """The first element called ``name`` directly inside."""
        return next((child for child in self.children if child.name == name), None)

    def text_of(self, name: str) -> str | None:
        """The text of that element; None if there is none or it is empty."""
        child = self.child(name)
        return (child.text or None) if child else None


def open_export(path: str) -> BinaryIO:
    """The (decompressed) bytes of an export.  Raises UnreadableFile with the path in its message."""
    try:
        return open_stream(path, "gz" if path.lower().endswith(".gz") else None)
    except InputError as error:
        raise UnreadableFile(f"{path}: {error}") from error


def pieces(
    path: str, wanted: Collection[str], marks: Collection[str] = (), name: Callable[[str], str] | None = None
) -> Iterator[Piece]:
    """The elements ``wanted``, each with all that is in it, and the beginnings of those in ``marks``, in order.

    ``name`` turns "namespace local" into the name used here (default: the local name).
    Raises UnreadableFile for what is not XML, has a document type definition, or is nested or large beyond reason.
    """
    reader = _Reader(path, wanted, marks, name or _local)
    with open_export(path) as stream:
        while True:
            try:
                chunk = stream.read(_CHUNK)
            except BROKEN as error:
                raise UnreadableFile(f"{path}: {explain(error)}") from error
            reader.feed(chunk)
            yield from reader.take()
            if not chunk:
                return


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


class _Reader:
    def __init__(self, path: str, wanted: Collection[str], marks: Collection[str], name: Callable[[str], str]) -> None:
        self._path, self._wanted, self._marks, self._name = path, frozenset(wanted), frozenset(marks), name
        self._open: list[Piece] = []
        self._ready: list[Piece] = []
        self._depth = self._held = 0
        self._utf16: bool | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, chunk: bytes) -> None:
        if self._utf16 is None:
            self._utf16 = chunk[:2] in (b"\xff\xfe", b"\xfe\xff")
        try:
            self._parser.Parse(chunk if self._utf16 else chunk.translate(None, _FORBIDDEN), not chunk)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "not well-formed")
            raise UnreadableFile(
                f"{self._path} line {error.lineno}: this is not whole XML ({reason}); nothing was imported, "
                "export it again"
            ) from error

    def take(self) -> list[Piece]:
        ready, self._ready = self._ready, []
        return ready

    def _start(self, full: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnreadableFile(
                f"{self._path}: more than {_DEEPEST} elements inside each other; this is no export of comments"
            )
        name = self._name(full)
        line = self._parser.CurrentLineNumber
        if not self._open and name in self._marks:
            self._ready.append(Piece(name, {_local(k): v for k, v in attributes.items()}, line, mark=True))
        if self._open or name in self._wanted:
            self._count(len(full))
            self._open.append(Piece(name, {_local(k): v for k, v in attributes.items()}, line))

    def _end(self, full: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        piece = self._open.pop()
        if self._open:
            self._open[-1].children.append(piece)
        else:
            self._ready.append(piece)
            self._held = 0

    def _text(self, text: str) -> None:
        if self._open:
            self._count(len(text))
            self._open[-1].parts.append(text)

    def _count(self, characters: int) -> None:
        self._held += characters
        if self._held > _LARGEST:
            raise UnreadableFile(
                f"{self._path} line {self._parser.CurrentLineNumber}: an element with more than {_LARGEST:,} "
                "characters; this is no export of comments"
            )

    def _refuse(self, *_: Any) -> None:
        raise UnreadableFile(
            f"{self._path}: it has a document type definition, which exports of comments do not have and attacks do; "
            "take the <!DOCTYPE …> out if you trust the file"
        )
