"""Files that are whole or not there, whatever ends the program: written beside, synced, renamed.

Usage::

    write_text(folder / "CURRENT", "2026.11.26\\n")
    append_line(folder / "HISTORY.jsonl", line)
    with writing(folder): ...                       # what goes wrong becomes an OutputError with the next step
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from spamfilter.errors import OutputError

__all__ = ["append_line", "sync_file", "sync_folder", "write_text", "writing"]

_NEXT_STEPS: Final = {
    errno.ENOSPC: "make room and run it again; what was there is unchanged",
    errno.EDQUOT: "make room in your quota and run it again; what was there is unchanged",
    errno.EFBIG: "the file is larger than allowed here (ulimit -f); what was there is unchanged",
    errno.EROFS: "the disk is mounted for reading only; name a folder on another one",
    errno.EACCES: "check who owns the folder, or name another one",
    errno.EPERM: "check who owns the folder, or name another one",
    errno.ENOTDIR: "a part of the path is a file; name a folder",
}


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what goes wrong with writing at ``path`` into an OutputError with the next step."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        step = _NEXT_STEPS.get(error.errno or 0, "check the disk and its permissions, then run it again")
        raise OutputError(f"{path} cannot be written ({error.strerror or error}); {step}") from error


def write_text(path: Path, text: str) -> None:
    """Replace the file at ``path``: readers see the old text or the new one, never a part of either."""
    with writing(path):
        number, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            Path(beside).chmod(0o644)  # mkstemp gives 0600; a service that runs as somebody else must read it
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def append_line(path: Path, line: str) -> None:
    """Add one line to ``path`` and sync it.  A line that was cut off by a full disk stays a line of its own."""
    with writing(path):
        with path.open("a+b") as out:
            cut = False
            if out.seek(0, os.SEEK_END):
                out.seek(-1, os.SEEK_END)
                cut = out.read(1) != b"\n"
            out.write(("\n" if cut else "").encode() + line.encode("utf-8") + b"\n")
            out.flush()
            os.fsync(out.fileno())
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Wait until what was written to ``path`` is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in ``path`` are on the disk, where the system knows how (Windows does not)."""
    with contextlib.suppress(OSError, AttributeError):
        number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
