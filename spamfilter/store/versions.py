"""A team's models folder: versions that never change, one of them in use, and the way it came there.

Usage::

    models = ModelsFolder("models")
    with models.job():                                   # one retraining or pruning at a time
        models.add(sf, "2026.11.26", manifest, texts)
    models.promote("2026.11.26", by="ana", why="better on short comments")
    models.rollback(by="ana", why="blocks readers")      # to the version in use before
    models.versions(); models.prunable(keep=10)

Beside the versions stand ``CURRENT`` (the version in use, swapped in one step), ``HISTORY.jsonl`` (appended to),
``.work`` (what the holder of the job lock is making) and two locks.  The locks are the kernel's: they go
with the process that holds them, however it ends.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from spamfilter.errors import ConfigError, LockedError, ModelError, ModelNotFound
from spamfilter.model import SpamFilter
from spamfilter.store import folder as one
from spamfilter.store.durable import sync_folder, write_text, writing
from spamfilter.store.history import Event, Kind, add_event, read_events, trail, was_used

__all__ = ["ModelsFolder", "Version"]

#: Seconds to wait for whoever is switching versions: it takes them milliseconds.
_SWITCHING: Final = 15.0
#: Versions before the current one that ``prune`` leaves, so that rolling back three times always works.
STEPS_BACK: Final = 3
_WORK: Final = ".work"


@dataclass(frozen=True, slots=True)
class Version:
    """One version; ``problem`` says why its manifest cannot be used, where that is so (``manifest`` is then empty)."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]
    current: bool = False
    problem: str | None = None

    @property
    def model(self) -> str:
        """The name that stands in verdicts."""
        return f"{self.manifest.get('name', '?')}@{self.manifest.get('version', '?')}"

    @property
    def lineage(self) -> Mapping[str, Any]:
        """Where it comes from: parent, champion it was held against, fingerprints."""
        found = self.manifest.get("lineage", {})
        return found if isinstance(found, Mapping) else {}

    @property
    def parent(self) -> str | None:
        """The version in this folder whose weights it was made from."""
        found = self.lineage.get("parent")
        return found if isinstance(found, str) else None

    def size(self) -> int:
        """Bytes on disk."""
        return sum(f.stat().st_size for f in self.folder.iterdir() if f.is_file())


def _now() -> datetime:
    return datetime.now(UTC)


class ModelsFolder:
    """The versions in ``path``; nothing is written before something is added or promoted.

    ``clock`` gives the time that is written down; nothing is ordered by it.
    Raises ``ConfigError`` for the folder of the installed package, which an upgrade replaces.
    """

    def __init__(self, path: str | Path, clock: Callable[[], datetime] = _now) -> None:
        self.path = Path(path)
        self._clock = clock
        shipped = one.models_folder().resolve()
        if self.path.resolve() == shipped or shipped in self.path.resolve().parents:
            raise ConfigError(
                f"{self.path} is the folder of the installed package, which an upgrade replaces; "
                "name a folder of your own with --models (or SPAMFILTER_MODELS)"
            )
        if self.path.exists() and not self.path.is_dir():
            raise ConfigError(f"{self.path} is a file; name a folder for models")

    # ------------------------------------------------------------------ what is there
    def current(self) -> str | None:
        """The version in use; None before the first one.  Raises ``ModelDamaged`` where CURRENT names none."""
        return one.current(self.path) if (self.path / "CURRENT").exists() else None

    def _found(self) -> str | None:
        """As ``current``, but "" where CURRENT names no version: then nobody knows."""
        try:
            return self.current()
        except ModelError:
            return ""

    def events(self) -> list[Event]:
        """Everything that happened, in order."""
        return read_events(self.path)

    def trail(self) -> list[str]:
        """Versions that led to the one in use, which is the last."""
        return trail(self.events(), self._found())

    def was_used(self, name: str) -> bool:
        """Whether a version was ever in use."""
        return name in was_used(self.events(), self._found())

    def versions(self) -> list[Version]:
        """All versions in the order they came; those that were copied in by hand last, by their dates."""
        place: dict[str, int] = {}
        for n, event in enumerate(self.events()):
            place.setdefault(event.version, n)
        current = self._found()
        found = [self._version(p.parent, current) for p in self.path.glob("*/manifest.json") if p.parent.name[0] != "."]
        last = len(place)
        return sorted(found, key=lambda v: (place.get(v.name, last + 1), str(v.manifest.get("created", "")), v.name))

    def _version(self, folder: Path, current: str | None) -> Version:
        try:
            return Version(folder.name, folder, one.read_manifest(folder), folder.name == current)
        except ModelError as error:
            return Version(folder.name, folder, {}, folder.name == current, str(error))

    def get(self, name: str) -> Version:
        """The version of that name.  Raises ``ModelNotFound`` with the names there are."""
        for version in self.versions():
            if version.name == name:
                return version
        there = ", ".join(v.name for v in self.versions()) or "none"
        raise ModelNotFound(f"there is no version {name!r} in {self.path}; there are: {there}")

    def verify(self, name: str) -> Mapping[str, Any]:
        """Check format and digests of a version; its manifest."""
        return one.verify(self.get(name).folder)

    def load(self, name: str) -> SpamFilter:
        """The model of a version, its digests checked."""
        return one.load(self.get(name).folder.absolute())

    # ------------------------------------------------------------------ one at a time
    @contextlib.contextmanager
    def job(self) -> Iterator[None]:
        """Hold the folder for a job that adds or takes away versions; what a killed one left is cleared away.

        Raises ``LockedError`` at once where another job holds it.
        """
        with self._lock(".job.lock", 0.0, "another retraining or pruning is at work in it; let it end"):
            self._clear_work()
            with self._switching():
                for half in self.path.glob(".CURRENT.*"):
                    half.unlink(missing_ok=True)
            yield

    @contextlib.contextmanager
    def _switching(self) -> Iterator[None]:
        with self._lock(".switch.lock", _SWITCHING, "another program is switching versions; try again"):
            yield

    @contextlib.contextmanager
    def _lock(self, name: str, seconds: float, held: str) -> Iterator[None]:
        from filelock import FileLock, Timeout  # not for scoring, which imports this room and never locks

        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / name, timeout=seconds)
            try:
                lock.acquire()
            except Timeout:
                raise LockedError(f"{self.path}: {held}") from None
        try:
            yield
        finally:
            lock.release()

    def _clear_work(self) -> None:
        work = self.path / _WORK
        with writing(work):
            if work.exists():
                shutil.rmtree(work)
            work.mkdir()

    # ------------------------------------------------------------------ adding
    def new_name(self) -> str:
        """A name for a new version: the date, and a number where there is one of that day.  No name comes twice."""
        used = {v.name for v in self.versions()} | {event.version for event in self.events()}
        name = day = f"{self._clock():%Y.%m.%d}"
        n = 1
        while name in used or (self.path / name).exists():
            n += 1
            name = f"{day}.{n}"
        return name

    def add(self, sf: SpamFilter, name: str, manifest: Mapping[str, Any], texts: Mapping[str, str]) -> Path:
        """Store a new version; hold ``job`` meanwhile."""
        folder = one.save(sf, self.path / name, manifest, texts, beside=self.path / _WORK)
        self._note("added", name, "")
        return folder

    def adopt(self, source: Path, by: str = "", why: str = "the model that ships") -> str:
        """Copy a model from elsewhere in, whole, as a version; its name.  One that is there already stays as it is."""
        manifest = one.verify(source)
        name = f"{manifest['name']}-{manifest['version']}"
        target, made = self.path / name, self.path / _WORK / name
        if target.exists():
            there = one.read_manifest(target)
            if there.get("files") == manifest.get("files"):
                return name
            name = self._other_name(name)
            target, made = self.path / name, self.path / _WORK / name
        with writing(target):
            shutil.copytree(source, made, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
            made.rename(target)
            sync_folder(self.path)
        self._note("added", name, why, by)
        return name

    def _other_name(self, name: str) -> str:
        n = 2
        while (self.path / f"{name}.{n}").exists():
            n += 1
        return f"{name}.{n}"

    # ------------------------------------------------------------------ switching
    def promote(self, name: str, by: str = "", why: str = "", expect: str | None = None) -> None:
        """Put a version in use, once all its digests are right.

        With ``expect`` only while that version is the one in use: raises ``LockedError`` where somebody put another
        in use meanwhile.
        """
        self.verify(name)
        with self._switching():
            before = self._found()
            if expect is not None and before != expect:
                raise LockedError(
                    f"{self.path}: {before or 'no version'} was put in use meanwhile, not {expect}; look at "
                    f"`spamfilter models list` and choose with `spamfilter models promote {name}`"
                )
            self._switch("promoted", name, before, by, why)

    def rollback(self, by: str = "", why: str = "") -> str:
        """Put the version in use again that was before the current one; its name.

        Raises ``ModelNotFound`` where there is none, ``ModelDamaged`` where it is not whole.
        """
        with self._switching():
            way = self.trail()
            if self._found() == "":
                way.append("")  # CURRENT is damaged: the last one that was in use is the way back
            if len(way) < 2:
                raise ModelNotFound(f"{self.path}: no version was in use before; see: spamfilter models list")
            name = way[-2]
            self.verify(name)
            self._switch("rolled back", name, self._found(), by, why)
        return name

    def _switch(self, kind: Kind, name: str, before: str | None, by: str, why: str) -> None:
        if name == before:
            return
        self._note(kind, name, why, by, before)
        write_text(self.path / "CURRENT", f"{name}\n")

    def _note(self, kind: Kind, name: str, why: str, by: str = "", before: str | None = None) -> None:
        at = self._clock().isoformat(timespec="seconds")
        add_event(self.path, Event(kind, name, before or self._found(), at, by, why))

    # ------------------------------------------------------------------ taking away
    def prunable(self, keep: int) -> list[Version]:
        """What ``prune`` would take away: all but the current version, the ``STEPS_BACK`` in use before it, the newest
        ``keep``, and whatever those were made from.
        """
        versions = self.versions()
        by_name = {v.name: v for v in versions}
        kept = {v.name for v in versions[max(0, len(versions) - keep) :]} | {v.name for v in versions if v.current}
        kept |= set(self.trail()[-1 - STEPS_BACK :])
        for name in list(kept):
            while (version := by_name.get(name)) and version.parent and version.parent not in kept:
                kept.add(name := version.parent)
        return [v for v in versions if v.name not in kept]

    def prune(self, keep: int, by: str = "") -> list[str]:
        """Take versions away for good; their names.  Hold ``job`` meanwhile."""
        gone = [v.name for v in self.prunable(keep)]
        for name in gone:
            with writing(self.path / name):
                # Away in one step: a version that is half deleted must not be found.
                (self.path / name).rename(self.path / _WORK / name)
            self._note("pruned", name, "", by)
        self._clear_work()
        return gone
