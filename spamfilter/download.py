"""One file over HTTP: whole or not at all, resumed where it broke off, its digest checked.

Usage::

    digest = download(url, Path("set.zip"), sha256="…", progress=lambda done, total: None)

What has come so far waits beside the target as ``.part``; the target appears only when it is whole and has
the digest that was asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from spamfilter.errors import DataError, OutputError, UnreadableFile

__all__ = ["download", "sha256_of"]

Progress = Callable[[int, int | None], None]
#: Seconds without a byte after which a connection counts as broken.
_TIMEOUT: Final = 30.0
#: Attempts in all, each going on where the last one broke off, and seconds of rest before the second.
_ATTEMPTS: Final = 4
_REST: Final = 0.5
_CHUNK: Final = 1 << 16
#: More than any set of the catalogue by far; a host that sends more than this sends something else.
LARGEST: Final = 2 << 30
#: What the host answers where it is no use to ask again.
_FINAL: Final = (400, 401, 403, 404, 405, 410, 451)


def download(
    url: str,
    target: Path,
    sha256: str | None = None,
    progress: Progress = lambda done, total: None,
    rest: float = _REST,
) -> str:
    """Fetch ``url`` into ``target``; gives its SHA-256.

    Raises ``UnreadableFile`` where it cannot be fetched (what came is kept for the next attempt),
    ``DataError`` where the digest is not ``sha256`` (nothing is kept), ``OutputError`` where it cannot be written.
    """
    if not url.startswith(("https://", "http://")):
        raise DataError(f"{url}: only http and https addresses are fetched")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        raise OutputError(f"{part} cannot be written ({error.strerror}); choose another folder with --to") from error
    for attempt in range(_ATTEMPTS):
        try:
            _fetch(url, part, progress)
            break
        except _Broken as error:
            if attempt == _ATTEMPTS - 1 or error.final:
                kept = f"; the {part.stat().st_size:,} bytes that came are kept" if part.stat().st_size else ""
                then = "look at the set's homepage for where it is now" if error.final else "try again later"
                raise UnreadableFile(f"{url}: cannot be fetched ({error}){kept}; {then}") from error
            time.sleep(rest * 2**attempt)
    found = sha256_of(part)
    if sha256 is not None and found != sha256.lower():
        _forget(part)
        raise DataError(
            f"{url}: the file is not the one expected (SHA-256 {found}, expected {sha256}); "
            "it was thrown away: fetch again, and if it stays so, the host has changed it"
        )
    part.replace(target)
    _forget(part)
    return found


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Broken(Exception):
    def __init__(self, reason: str, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def _fetch(url: str, part: Path, progress: Progress) -> None:
    """Append to ``part`` what is missing."""
    have, tag = part.stat().st_size, _tag_file(part)
    headers = {"User-Agent": "comment-spamfilter", "Accept-Encoding": "identity"}
    if have and tag.is_file():  # without a tag nobody can say that the rest belongs to the same file
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text(encoding="ascii")}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT) as answer:
            if url.startswith("https:") and not answer.url.startswith("https:"):
                raise _Broken(f"it leads to {answer.url}, which is not encrypted", final=True)
            resumed = answer.status == 206
            _remember(tag, answer.headers.get("ETag") or answer.headers.get("Last-Modified"))
            _copy(answer, part, have if resumed else 0, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # asked for what comes after the end: begin again
            part.write_bytes(b"")
        reason = " ".join(str(error.reason).split())  # of a redirection without end it has several lines
        raise _Broken(f"HTTP {error.code} {reason}", error.code in _FINAL) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise _Broken(str(getattr(error, "reason", error)) or type(error).__name__) from error


def _copy(answer: Any, part: Path, have: int, progress: Progress) -> None:
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length and length.isdigit() else None
    if (total or 0) > LARGEST:
        raise _Broken(f"it has {total:,} bytes, at most {LARGEST:,} are fetched", final=True)
    try:
        with part.open("r+b") as out:
            out.seek(have)
            out.truncate()
            while chunk := answer.read(_CHUNK):
                out.write(chunk)
                have += len(chunk)
                progress(have, total)
                if have > LARGEST:
                    raise _Broken(f"it has more than {LARGEST:,} bytes", final=True)
    except (http.client.HTTPException, TimeoutError, ConnectionError):
        raise
    except OSError as error:
        raise OutputError(f"{part} cannot be written ({error.strerror}); make room and fetch again") from error
    if total is not None and have < total:
        raise _Broken(f"broke off at {have:,} of {total:,} bytes")


def _tag_file(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _remember(path: Path, tag: str | None) -> None:
    if tag and tag.isascii() and not tag.startswith("W/"):  # weak tags do not promise the same bytes
        path.write_text(tag, encoding="ascii")
    else:
        path.unlink(missing_ok=True)


def _forget(part: Path) -> None:
    for path in (part, _tag_file(part)):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
