"""Public sets of labelled comments: what there is, fetched when asked for, verified, and made readable.

Usage::

    catalogue = read_catalogue()
    fetched = fetch(catalogue["youtube-uci"], Path("data/public"))
    read_data([fetched.folder])

Each set keeps its licence and stays where it is until somebody fetches it.  ``fetch`` writes a folder
``<name>/`` with ``comments.jsonl``, ``posts.jsonl``, ``SOURCE.json`` and the original files; it is there whole
or not at all.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import shutil
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from spamfilter.conversion import READERS, RowMapping, converted
from spamfilter.download import download, sha256_of
from spamfilter.errors import ConfigError, DataError, InputError, OutputError

__all__ = ["Fetched", "PublicFile", "PublicSet", "fetch", "find", "read_catalogue", "verify"]

Progress = Callable[[str, int, int | None], None]
FORMAT: Final = 1
_PINS: Final = "pins.json"
_SOURCE: Final = "SOURCE.json"


@dataclass(frozen=True, slots=True)
class PublicFile:
    """One file of a set; ``sha256`` is None where nobody has pinned it."""

    url: str
    save_as: str
    mapping: RowMapping
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A public set of labelled comments; ``counts`` holds what its publishers state (spam, ham, rows)."""

    name: str
    title: str
    about: str
    homepage: str
    licence: str
    citation: str
    languages: tuple[str, ...]
    files: tuple[PublicFile, ...]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def pinned(self) -> bool:
        """Whether the digest of every file is known."""
        return all(f.sha256 for f in self.files)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A set in its folder: rows by label, rows left out by reason, digests by file, and which were not pinned."""

    folder: Path
    rows: Counter[str]
    left_out: Counter[str]
    digests: dict[str, str]
    unpinned: tuple[str, ...] = ()


def read_catalogue(path: Path | None = None) -> dict[str, PublicSet]:
    """The catalogue that ships with the package, or that at ``path``, by name of the set.  Raises ``ConfigError``."""
    path = path or _shipped()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        if raw.get("format") != FORMAT:
            raise ConfigError(f"{path}: format {raw.get('format')!r} is not {FORMAT}; upgrade comment-spamfilter")
        sets = [_set(s) for s in raw.get("set", [])]
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; name a catalogue that is there") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: a set lacks or misuses {error}") from error
    return {s.name: s for s in sets}


def find(catalogue: Mapping[str, PublicSet], name: str) -> PublicSet:
    """The set called ``name``.  Raises ``ConfigError`` with the nearest name."""
    if name in catalogue:
        return catalogue[name]
    near = difflib.get_close_matches(name, list(catalogue), 1)
    hint = f"is {near[0]!r} meant?" if near else f"there are: {', '.join(catalogue) or 'none'}"
    raise ConfigError(f"no set {name!r} in the catalogue; {hint}")


def fetch(
    wanted: PublicSet,
    to: Path,
    *,
    pin: bool = False,
    force: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Fetched:
    """Fetch, verify and convert a set into the folder ``to/<name>``.

    A set that is there already is verified instead, unless ``force``.  A file without a pinned digest is
    checked against the one remembered in ``to/pins.json``, if any; ``pin`` remembers what was found.
    Raises ``UnreadableFile``, ``DataError`` or ``OutputError``; then the folder is as it was before.
    """
    folder = to / wanted.name
    if folder.exists() and not force:
        return verify(folder)
    pins = _read_pins(to)
    digests, unpinned = {}, []
    waiting = to / f".{wanted.name}.fetching"  # kept when it breaks off, so that the next attempt goes on there
    for file in wanted.files:
        target, expected = waiting / file.save_as, file.sha256 or pins.get(file.url)
        if not (target.is_file() and expected and sha256_of(target) == expected):
            report = lambda done, total, name=file.save_as: progress(name, done, total)  # noqa: E731
            download(file.url, target, expected, report)
        digests[file.save_as] = sha256_of(target)
        if expected is None:
            unpinned.append(file.save_as)
    fetched = _install(wanted, waiting, folder, digests, tuple(unpinned))
    if pin:
        _write_pins(to, pins | {f.url: digests[f.save_as] for f in wanted.files if f.sha256 is None})
    return fetched


def verify(folder: Path) -> Fetched:
    """Check that a fetched set is still what was fetched.  Raises ``DataError`` where a file differs."""
    path = folder / _SOURCE
    try:
        source = json.loads(path.read_text(encoding="utf-8"))
        digests = {str(k): str(v) for k, v in source["sha256"].items()}
        rows, left_out = Counter(source["rows"]), Counter(source["left_out"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder} holds no fetched set ({_SOURCE}: {error}); fetch it again with --force") from error
    for name, digest in digests.items():
        if not (folder / name).is_file() or sha256_of(folder / name) != digest:
            raise DataError(f"{folder / name} is not what was fetched; fetch it again with --force")
    return Fetched(folder, rows, left_out, digests, tuple(source.get("unpinned", ())))


def _install(
    wanted: PublicSet, waiting: Path, folder: Path, digests: dict[str, str], unpinned: tuple[str, ...]
) -> Fetched:
    """Convert beside and rename, so that the folder is never half there."""
    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{wanted.name}.", dir=folder.parent))
        beside.chmod(0o755)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}); choose another folder with --to") from error
    try:
        rows, left_out = _convert(wanted, waiting, beside)
        originals = beside / "original"
        originals.mkdir()
        for name in digests:
            (waiting / name).replace(originals / name)
        found = {f"original/{name}": d for name, d in digests.items()}
        found |= {p.name: sha256_of(p) for p in sorted(beside.glob("*.jsonl"))}
        _write_source(wanted, beside, rows, left_out, found, unpinned)
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    except InputError:  # among them UnreadableFile, which is an OSError too
        raise
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or error}); make room and fetch again"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    shutil.rmtree(waiting, ignore_errors=True)
    return Fetched(folder, rows, left_out, found, unpinned)


def _convert(wanted: PublicSet, waiting: Path, beside: Path) -> tuple[Counter[str], Counter[str]]:
    rows: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    posts: dict[str, dict[str, str]] = {}
    with (beside / "comments.jsonl").open("w", encoding="utf-8") as out:
        for file in wanted.files:
            for row in converted(waiting / file.save_as, file.mapping, left_out):
                n = rows.total() + 1
                rows[row["label"]] += 1
                line = {"id": f"{wanted.name}:{n}", "set": wanted.name, "site": wanted.name, **row}
                line["id"] = f"{wanted.name}:{row['id']}" if "id" in row else line["id"]
                _post_apart(line, posts)
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
    if not rows:
        why = ", ".join(f"{n:,} with {reason}" for reason, n in left_out.items()) or "none was found"
        raise DataError(f"no row of it can be used ({why}); the set has changed")
    if posts:
        with (beside / "posts.jsonl").open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(p, ensure_ascii=False) + "\n" for p in posts.values())
    return rows, left_out


def _post_apart(line: dict[str, str], posts: dict[str, dict[str, str]]) -> None:
    """Title and article go to the posts, once for all comments under them."""
    title, article = line.pop("title", ""), line.pop("article", "")
    if not title and not article:
        return
    key = line.get("post") or hashlib.sha256(f"{title}\x1f{article}".encode()).hexdigest()[:16]
    line["post"] = f"{line['site']}/{key}"
    posts.setdefault(line["post"], {"post": line["post"], "title": title, "text": article})


def _write_source(
    wanted: PublicSet,
    folder: Path,
    rows: Counter[str],
    left_out: Counter[str],
    digests: dict[str, str],
    unpinned: tuple[str, ...],
) -> None:
    source = {
        "name": wanted.name,
        "title": wanted.title,
        "licence": wanted.licence,
        "homepage": wanted.homepage,
        "citation": wanted.citation,
        "urls": [f.url for f in wanted.files],
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": dict(rows),
        "left_out": dict(left_out),
        "sha256": digests,
        "unpinned": list(unpinned),
    }
    (folder / _SOURCE).write_text(json.dumps(source, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_pins(to: Path) -> dict[str, str]:
    path = to / _PINS
    if not path.is_file():
        return {}
    try:
        return {str(k): str(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); mend it or take it away") from error


def _write_pins(to: Path, pins: dict[str, str]) -> None:
    beside = to / f".{_PINS}"
    try:
        beside.write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        beside.replace(to / _PINS)
    except OSError as error:
        raise OutputError(f"{to / _PINS} cannot be written ({error.strerror})") from error


def _shipped() -> Path:
    packaged = Path(__file__).parent / "_data" / "catalogue.toml"
    return packaged if packaged.is_file() else Path(__file__).parent.parent / "data" / "catalogue.toml"


def _set(raw: Mapping[str, Any]) -> PublicSet:
    texts = {k: str(raw[k]) for k in ("name", "title", "about", "homepage", "licence", "citation")}
    if not texts["name"].replace("-", "").isalnum():
        raise ConfigError(f"the set {texts['name']!r}: a name has letters, digits and hyphens only")
    return PublicSet(
        **texts,
        languages=tuple(raw["languages"]),
        files=tuple(_file(f, texts["name"]) for f in raw["file"]),
        counts={k: int(raw[k]) for k in ("spam", "ham", "rows") if k in raw},
    )


def _file(raw: Mapping[str, Any], name: str) -> PublicFile:
    reader, save_as = raw["reader"], str(raw["save_as"])
    if reader not in READERS:
        raise ConfigError(f"the set {name!r}: reader {reader!r} is none of {', '.join(READERS)}")
    if Path(save_as).name != save_as or save_as.startswith("."):
        raise ConfigError(f"the set {name!r}: save_as {save_as!r} is not a plain file name")
    parts = {k: raw[k] for k in ("columns", "labels", "constants", "members", "pattern") if k in raw}
    mapping = RowMapping(reader, header=tuple(raw.get("header", ())), **parts)
    return PublicFile(str(raw["url"]), save_as, mapping, raw.get("sha256"))
