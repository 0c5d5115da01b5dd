"""Rows of a MySQL or MariaDB dump, without a database: mysqldump, phpMyAdmin, Adminer, WP-CLI.

Usage::

    for row in dump_rows(path, lambda table: table.endswith("comments")):
        row.table, row.values["comment_content"], row.line

The dump is read as a stream of tokens.  What is not an INSERT (or REPLACE) into a table that is wanted, or the
CREATE TABLE that names its columns, is passed over; a row that cannot be understood is an ``Unusable``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from spamfilter.errors import UnreadableFile
from spamfilter.files.streams import BROKEN, explain
from spamfilter.labels.entries import Unusable
from spamfilter.labels.markup import open_export

__all__ = ["DumpRow", "dump_rows"]

_CHUNK: Final = 1 << 18
#: Characters of a single value: more than MySQL's LONGTEXT would ever hold of a comment or post; beyond it, a quote
#: was never closed.
_LONGEST: Final = 64_000_000

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+|--[ \t\r\n][^\n]*(?:\n|\Z)|--\n|\#[^\n]*(?:\n|\Z)|/\*(?!!).*?\*/|/\*!\d*|\*/)
    | (?P<string>'(?:[^'\\]|\\.|'')*+'(?!')|"(?:[^"\\]|\\.|"")*+"(?!"))
    | (?P<quoted>`(?:[^`]|``)*+`)
    | (?P<hex>0[xX][0-9a-fA-F]+(?![\w])|[xX]'[0-9a-fA-F]*')
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w]))
    | (?P<word>[^\W\d]\w*|@[\w@.]*|\d\w*)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)|''|\"\"", re.DOTALL)
# https://dev.mysql.com/doc/refman/8.0/en/string-literals.html, table 11.1; "\%" and "\_" keep their backslash.
_ESCAPES: Final = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}
# What opens a definition in CREATE TABLE that is no column.
_NO_COLUMN: Final = ("PRIMARY", "KEY", "UNIQUE", "INDEX", "FULLTEXT", "SPATIAL", "CONSTRAINT", "CHECK", "FOREIGN")
_MODIFIERS: Final = ("INTO", "IGNORE", "DELAYED", "LOW_PRIORITY", "HIGH_PRIORITY")


@dataclass(frozen=True, slots=True)
class DumpRow:
    """One row; values are texts, None for NULL."""

    table: str
    values: dict[str, str | None]
    line: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int

    def is_mark(self, mark: str) -> bool:
        return self.kind == "mark" and self.text == mark

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words


class _Tokens:
    """The tokens of a file, with one to look at in advance."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._source = self._read()
        self._next = next(self._source, None)

    def peek(self) -> _Token | None:
        return self._next

    def take(self) -> _Token | None:
        token, self._next = self._next, next(self._source, None)
        return token

    def skip_statement(self) -> None:
        while (token := self.take()) is not None and not token.is_mark(";"):
            pass

    def _read(self) -> Iterator[_Token]:
        line, text, enough = 1, "", 0
        for chunk, last in self._chunks():
            text += chunk
            if len(text) < enough and not last:
                continue
            at = 0
            while at < len(text):
                match = _TOKEN.match(text, at)
                assert match is not None  # the last alternative takes any character
                # A token that reaches the end may go on in the next chunk; so may a quote that found no end.
                if not last and (match.end() >= len(text) - 1 or _is_open(match, text)):
                    break
                yield from self._token(match, line, text, last)
                line += match.group().count("\n")
                at = match.end()
            text = text[at:]
            # Twice as much before the unfinished value is tried again: a long one is read in linear time.
            enough = 2 * len(text)
            if len(text) > _LONGEST:
                raise self._unclosed(line)

    def _token(self, match: re.Match[str], line: int, text: str, last: bool) -> Iterator[_Token]:
        if last and _is_open(match, text):
            raise self._unclosed(line)
        if match.lastgroup and match.lastgroup != "space":
            yield _Token(match.lastgroup, match.group(), line)

    def _unclosed(self, line: int) -> UnreadableFile:
        return UnreadableFile(
            f"{self._path} line {line}: a quote or remark that is never closed; the dump was cut short or damaged, "
            "nothing was imported: make it again"
        )

    def _chunks(self) -> Iterator[tuple[str, bool]]:
        """Pieces of the file as text, and whether each is the last."""
        # Bytes that are not UTF-8 (an old latin1 dump) are read as cp1252 further on, value by value.
        decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        with open_export(self._path) as stream:
            while True:
                try:
                    data = stream.read(_CHUNK)
                except BROKEN as error:
                    raise UnreadableFile(f"{self._path}: {explain(error)}") from error
                yield decoder.decode(data, not data), not data
                if not data:
                    return


def _is_open(match: re.Match[str], text: str) -> bool:
    """Whether what begins here is a quote or remark whose end is not in ``text``."""
    if match.lastgroup != "mark":
        return False
    return match.group() in "'\"`" or text.startswith("/*", match.start())


def dump_rows(path: str, wanted: Callable[[str], bool]) -> Iterator[DumpRow | Unusable]:
    """The rows of the tables that are ``wanted``, in the order of the dump.

    Raises UnreadableFile for a file that cannot be read or that ends inside a quote or a statement.
    """
    tokens = _Tokens(path)
    columns: dict[str, list[str]] = {}
    while (token := tokens.take()) is not None:
        if token.is_word("CREATE"):
            _create(tokens, columns, wanted)
        elif token.is_word("INSERT", "REPLACE"):
            yield from _insert(path, tokens, columns, wanted)
        elif not token.is_mark(";"):
            tokens.skip_statement()


def _create(tokens: _Tokens, columns: dict[str, list[str]], wanted: Callable[[str], bool]) -> None:
    token = tokens.peek()
    if token is None or not token.is_word("TABLE"):
        tokens.skip_statement()
        return
    tokens.take()
    while (token := tokens.peek()) is not None and token.is_word("IF", "NOT", "EXISTS"):
        tokens.take()
    table = _name(tokens)
    if table is None or not wanted(table):
        tokens.skip_statement()
        return
    columns[table] = _created_columns(tokens)


def _created_columns(tokens: _Tokens) -> list[str]:
    """Names that open a definition at the first level of brackets; keys and constraints open with a keyword."""
    found: list[str] = []
    depth, opens = 0, False
    while (token := tokens.take()) is not None and not token.is_mark(";"):
        if token.is_mark("("):
            depth += 1
            opens = depth == 1
        elif token.is_mark(")"):
            depth -= 1
        elif token.is_mark(",") and depth == 1:
            opens = True
        elif opens:
            opens = False
            if not token.is_word(*_NO_COLUMN):
                found.append(_identifier(token))
    return found


def _insert(
    path: str, tokens: _Tokens, columns: dict[str, list[str]], wanted: Callable[[str], bool]
) -> Iterator[DumpRow | Unusable]:
    while (token := tokens.peek()) is not None and token.is_word(*_MODIFIERS):
        tokens.take()
    table = _name(tokens)
    if table is None or not wanted(table):
        tokens.skip_statement()
        return
    named = _named_columns(tokens)
    names = named or columns.get(table)
    token = tokens.take()
    if token is None or not token.is_word("VALUES", "VALUE"):
        yield Unusable(f"line {token.line if token else '?'}", f"INSERT INTO {table} without VALUES", damaged=True)
        tokens.skip_statement()
        return
    yield from _tuples(path, tokens, table, names)


def _named_columns(tokens: _Tokens) -> list[str]:
    token = tokens.peek()
    if token is None or not token.is_mark("("):
        return []
    tokens.take()
    names: list[str] = []
    while (token := tokens.take()) is not None and not token.is_mark(")"):
        if not token.is_mark(","):
            names.append(_identifier(token))
    return names


def _tuples(path: str, tokens: _Tokens, table: str, names: list[str] | None) -> Iterator[DumpRow | Unusable]:
    while (token := tokens.take()) is not None:
        if token.is_mark("("):
            values = _values(tokens)
            if values is None:
                break
            if names is None:
                raise UnreadableFile(
                    f"{path} line {token.line}: the columns of {table} are named nowhere; dump the table with its "
                    "structure (mysqldump without --no-create-info) or with --complete-insert"
                )
            if len(values) == len(names):
                yield DumpRow(table, dict(zip(names, values, strict=True)), token.line)
            else:
                reason = f"a row with {len(values)} values for the {len(names)} columns of {table}"
                yield Unusable(f"line {token.line}", reason, damaged=True)
        elif token.is_mark(";"):
            return
        elif token.is_word("ON", "AS"):  # ON DUPLICATE KEY UPDATE …
            tokens.skip_statement()
            return
    raise UnreadableFile(
        f"{path}: the dump ends in the middle of the rows of {table}; it was cut short, "
        "nothing was imported: make it again"
    )


def _values(tokens: _Tokens) -> list[str | None] | None:
    """The values up to the closing bracket; None if the file ends before it."""
    values: list[str | None] = []
    value: str | None = None
    depth = 0
    while (token := tokens.take()) is not None:
        if token.is_mark("("):
            depth += 1
        elif token.is_mark(")") and depth:
            depth -= 1
        elif token.is_mark(")"):
            values.append(value)
            return values
        elif token.is_mark(",") and not depth:
            values.append(value)
            value = None
        elif not token.is_word("NULL") and not (token.kind == "word" and token.text.startswith("_")):  # _binary 'x'
            value = _value(token)
    return None


def _value(token: _Token) -> str:
    if token.kind == "string":
        inner = token.text[1:-1]
        if "\\" in inner or "''" in inner or '""' in inner:
            quote = token.text[0]
            inner = _ESCAPE.sub(lambda m: _escaped(m, quote), inner)
        return _text(inner)
    if token.kind == "hex":
        digits = token.text[2:].strip("'")
        return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2)).decode("utf-8", "replace")
    return token.text


def _escaped(match: re.Match[str], quote: str) -> str:
    if match.group(1) is None:
        return quote if match.group() == quote * 2 else match.group()
    return _ESCAPES.get(match.group(1), match.group(1))


def _text(value: str) -> str:
    """Text that was not UTF-8 in the file read as the superset of Latin-1."""
    if value.isascii() or not any("\udc80" <= c <= "\udcff" for c in value):
        return value
    return value.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _name(tokens: _Tokens) -> str | None:
    """A table's name, without its database's ("`blog`.`wp_comments`")."""
    token = tokens.take()
    if token is None or token.kind not in ("word", "quoted", "string"):
        return None
    name = _identifier(token)
    while (dot := tokens.peek()) is not None and dot.is_mark("."):
        tokens.take()
        token = tokens.take()
        name = _identifier(token) if token else name
    return name


def _identifier(token: _Token) -> str:
    return token.text[1:-1].replace("``", "`") if token.kind in ("quoted", "string") else token.text
