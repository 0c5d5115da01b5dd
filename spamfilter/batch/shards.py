"""Results on disk, a shard at a time: written beside, renamed, and marked last.

Usage::

    with Shards(folder, format, fingerprint) as shards:
        position = shards.begin(resume=True)        # where the finished shards end
        for position, outcome in ...: shards.take(outcome, position)
        shards.finish()

A folder holds ``part-00000.jsonl``, ``part-00001.jsonl`` …, for each finished one ``_markers/part-00000.json`` with
the place in the input where it ends, its counts and its failures, ``_plan.json``, which says of what run it is,
and, when everything is done, ``_SUCCESS``.  Whatever kills the run, a shard with a marker is whole; one without is
made again.  Shards end after a fixed number of items, so that an interrupted run cuts them where another would.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from spamfilter.batch.outcome import Outcome, Tally
from spamfilter.errors import ConfigError, LockedError, OutputError
from spamfilter.files.formats import Format, Shard

__all__ = ["SHARD_ITEMS", "Position", "Shards", "add", "writing"]

#: Items a shard: what a killed run loses at most (some ten seconds of one core), at 1,000 files a million pages.
SHARD_ITEMS: Final = 1_000


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the input: the input's number, how many of its items are done, and pages taken so far.

    ``offset`` is where in an archive's file the item begins, for showing how much is left; 0 for other inputs.
    """

    input: int = 0
    items: int = 0
    taken: int = 0
    offset: int = 0


def add(total: Tally, more: Tally) -> None:
    """Add counts to counts."""
    for name, n in more.items():
        total[name] = total.get(name, 0) + n


@contextlib.contextmanager
def writing(path: str | Path, next_step: str = "choose another place for the output") -> Iterator[None]:
    """Turn what goes wrong with writing ``path`` into an OutputError with the next step."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        cause = error.strerror or str(error) or type(error).__name__
        raise OutputError(f"{path} cannot be written ({cause}); {next_step}") from error


class Shards:
    """The shards of one run in ``folder``; ``fingerprint`` tells this run from any other."""

    def __init__(self, folder: Path, format: Format, fingerprint: str, *, apart: bool, items: int = SHARD_ITEMS):
        self.folder, self.format = folder, format
        self._fingerprint = fingerprint
        self._apart = apart  # the shards stay files of their own, so each gets its header
        self._size = items
        self._markers = folder / "_markers"
        self._lock: BinaryIO | None = None
        self._shard: Shard | None = None
        self._number = self._held = 0
        self._position = Position()
        self._tally: Tally = {}
        self._failures: list[dict[str, Any]] = []
        self.total: Tally = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shard is not None:
            with contextlib.suppress(OSError):
                self._shard.abandon()
        if self._lock is not None:
            self._lock.close()

    def begin(self, *, resume: bool) -> Position:
        """Make the folder ready, and say where to go on: at the beginning, or where the finished shards end.

        Raises OutputError where the folder cannot be written, LockedError while another run writes it, and
        ConfigError where what is to be resumed is another run.
        """
        with writing(self.folder):
            self._markers.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            plan = self._plan()
            if resume and plan is not None:
                if plan != self._fingerprint:
                    raise ConfigError(
                        f"{self.folder} is of a run with other inputs, model or options; "
                        "give the same ones to go on, or leave out --resume to begin again"
                    )
                return self._finished()
            self._clear()
            self._write_json(self.folder / "_plan.json", {"format": 1, "fingerprint": self._fingerprint})
        return Position()

    def take(self, outcome: Outcome, position: Position) -> None:
        """Add the outcome of one item, after which the input stands at ``position``."""
        with writing(self.folder, "finished parts are kept: make room and go on with --resume"):
            if self._shard is None:
                self._shard = self.format.shard(self._path("~"), first=self._apart or self._number == 0)
            if outcome.piece:
                self._shard.write(outcome.piece)
            add(self._tally, outcome.tally)
            if outcome.failure is not None:
                self._failures.append(outcome.failure.to_dict())
            self._position = position
            self._held += 1
            if self._held >= self._size:
                self._close()

    def finish(self) -> None:
        """Close the last shard."""
        with writing(self.folder, "finished parts are kept: make room and go on with --resume"):
            if self._shard is None and self._number == 0:
                self._shard = self.format.shard(self._path("~"), first=True)
            if self._shard is not None:
                self._close()

    def join(self, out: Path) -> None:
        """All shards as the one file ``out``, put in place in one step."""
        beside = out.with_name(out.name + "~")
        with writing(out, "finished parts are kept: make room and go on with --resume"):
            with beside.open("wb") as file:
                self.format.join(file, self.paths())
                if not file.closed:
                    file.flush()
                    os.fsync(file.fileno())
            beside.replace(out)

    def paths(self) -> list[Path]:
        """The finished shards, in order; a Parquet run without rows has none."""
        return [path for n in range(self._number) if (path := self._path("", n)).exists()]

    def failures(self) -> Iterator[dict[str, Any]]:
        """The failures of all finished shards, in order."""
        for n in range(self._number):
            yield from self._marker(n)["failures"]

    def remove(self) -> None:
        """Take the folder away, when its shards are joined."""
        with writing(self.folder):
            shutil.rmtree(self.folder)

    def succeed(self, path: Path, summary: dict[str, Any]) -> None:
        """Write the marker that says that all is there."""
        with writing(path):
            record = {"fingerprint": self._fingerprint, "tally": self.total, "summary": summary}
            self._write_json(path, record)

    def _path(self, end: str, number: int | None = None) -> Path:
        return self.folder / f"part-{self._number if number is None else number:05d}{self.format.suffix}{end}"

    def _close(self) -> None:
        assert self._shard is not None
        self._shard.close()
        self._shard = None
        if self._path("~").exists():  # Parquet writes no file for no rows
            self._path("~").replace(self._path(""))
        marker = {"position": asdict(self._position), "tally": self._tally, "failures": self._failures}
        self._write_json(self._markers / f"part-{self._number:05d}.json", marker)
        add(self.total, self._tally)
        self._number, self._held, self._tally, self._failures = self._number + 1, 0, {}, []

    def _finished(self) -> Position:
        position = Position()
        while (self._markers / f"part-{self._number:05d}.json").exists():
            marker = self._marker(self._number)
            position = Position(**marker["position"])
            add(self.total, marker["tally"])
            self._number += 1
        return position

    def _marker(self, number: int) -> dict[str, Any]:
        with (self._markers / f"part-{number:05d}.json").open("rb") as file:
            marker: dict[str, Any] = json.load(file)
        return marker

    def _plan(self) -> str | None:
        try:
            with (self.folder / "_plan.json").open("rb") as file:
                return str(json.load(file).get("fingerprint"))
        except (FileNotFoundError, ValueError):
            return None

    def _clear(self) -> None:
        """Remove what an earlier run left, its parts and markers only: the folder may be the user's."""
        (self.folder / "_SUCCESS").unlink(missing_ok=True)
        for path in [*self._markers.glob("part-*.json"), *self.folder.glob("part-?????.*")]:
            path.unlink()

    def _write_json(self, path: Path, value: dict[str, Any]) -> None:
        beside = path.with_name(path.name + "~")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def _take_lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows has none; there two runs into one folder are the user's care
            return
        self._lock = (self.folder / "_lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LockedError(f"another run writes {self.folder}; wait for it, or choose another output") from None
