"""Single keys from a terminal.

Usage::

    with Keyboard() as keyboard:
        for key in keyboard: ...        # "s", " ", … ; ends at Ctrl-D or when the terminal goes away

Escape sequences (arrows, Home, a pasted block) are swallowed whole: "Home" ends in an H and must not be read as one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["Keyboard"]

_SEQUENCE: Final = re.compile(r"\x1b\[200~.*?(?:\x1b\[201~|\Z)|\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)
_END: Final = "\x04"
_CTRL_C: Final = "\x03"
#: More than a sequence has, and than a person types before the program looks.
_CHUNK: Final = 4096


class Keyboard:
    """The keyboard of standard input, key by key and without echo while the block lasts."""

    def __init__(self) -> None:
        self._restore: Any = None

    def __enter__(self) -> Self:
        if sys.platform != "win32":
            import termios
            import tty

            self._fd = sys.stdin.fileno()
            self._restore = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if sys.platform != "win32":
            import termios

            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._restore)

    def __iter__(self) -> Iterator[str]:
        while chunk := self._read():
            for key in _SEQUENCE.sub("", chunk):
                if key == _END:
                    return
                if key == _CTRL_C:
                    raise KeyboardInterrupt
                yield key

    def _read(self) -> str:
        if sys.platform == "win32":
            import msvcrt

            key = msvcrt.getwch()
            # Function keys come as two characters, the first of which is one of these.
            return "\x1b" + msvcrt.getwch() if key in "\0\xe0" else key
        try:
            return os.read(self._fd, _CHUNK).decode("utf-8", "ignore")
        except OSError:  # the terminal was closed
            return ""
