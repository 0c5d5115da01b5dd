"""One model in one folder: save, load, verify.

Usage::

    sf = load()                          # the model that ships with the package
    sf = load("models/2026.11")          # a folder
    save(sf, "models/mine", manifest={...})
    verify("models/mine")                # raises ModelDamaged where a byte differs

A model is a folder of data, never of code: arrays in the safetensors format, and ``manifest.json`` with
the format number, the SHA-256 of every file, the cut-offs and where it comes from.  Digests are
checked before anything is built.  Arrays are mapped, not read, so that worker processes share them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.errors import ModelDamaged, ModelNotFound, ModelTooNew, OutputError
from spamfilter.linear import GramModel, LinearModel
from spamfilter.model import Parameters, SpamFilter
from spamfilter.network import Network
from spamfilter.store.arrays import read_arrays, write_arrays
from spamfilter.store.durable import sync_file, sync_folder, writing

__all__ = ["BUNDLED", "FORMAT", "current", "find", "load", "models_folder", "read_manifest", "save", "verify"]

#: Version of the file format; readers keep reading all earlier ones (4: inputs that count anew under a title alone;
#: 5: a network that tells foreign passages).
FORMAT: Final = 5
BUNDLED: Final = "default"
_GRAM_PARTS: Final = ("text", "prose", "name", "host")
#: Parts that a model may lack: those of format 1 have no words of titles alone, those of formats 1 and 2 no company.
_OPTIONAL_PARTS: Final = ("titled",)
_LINEAR_PARTS: Final = ("relation", "foreign", "head")
#: Further arrays of a part that is a network.
_NETWORK_ARRAYS: Final = ("hidden", "bias")
_OPTIONAL_LINEAR_PARTS: Final = ("company",)
_CHOOSE: Final = "choose one with: spamfilter models promote VERSION"


def models_folder() -> Path:
    """Where the models that ship with the package are."""
    package = Path(__file__).parents[1]
    packaged = package / "_models"
    return packaged if packaged.is_dir() else package.parent / "models"


def load(model: str | os.PathLike[str] | None = None) -> SpamFilter:
    """A model by folder or name; without one, that of ``SPAMFILTER_MODEL``, else the current one of the package.

    A folder that holds a file ``CURRENT`` stands for the version it names.  Raises ``ModelNotFound``,
    ``ModelDamaged`` or ``ModelTooNew``.
    """
    folder = find(model)
    manifest = verify(folder)
    return SpamFilter(_parameters(folder, manifest), f"{manifest['name']}@{manifest['version']}", manifest)


def find(model: str | os.PathLike[str] | None = None) -> Path:
    """The folder of a model, by path or name."""
    wanted = os.fspath(model) if model is not None else os.environ.get("SPAMFILTER_MODEL") or str(models_folder())
    for folder in (Path(wanted), models_folder() / wanted):
        if (folder / "CURRENT").is_file():
            folder = folder / current(folder)
        if (folder / "manifest.json").is_file():
            return folder
    raise ModelNotFound(
        f"no model {wanted!r}: name a folder with a manifest.json, or one of: {', '.join(_names()) or 'none'}"
    )


def current(folder: Path) -> str:
    """The version that ``CURRENT`` in this folder names.  Raises ``ModelDamaged`` where it names none."""
    path = folder / "CURRENT"
    try:
        name = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); {_CHOOSE}") from error
    # One name of a folder beside it: whoever can write one file must not make us read from anywhere.
    if not name or name.startswith(".") or name != Path(name).name or "\\" in name:
        raise ModelDamaged(f"{path} names no version ({name[:60]!r}); {_CHOOSE}")
    if not (folder / name / "manifest.json").is_file():
        raise ModelDamaged(f"{path} names {name}, which is not there; {_CHOOSE}")
    return name


def _names() -> list[str]:
    root = models_folder()
    return sorted(p.parent.name for p in root.glob("*/manifest.json")) if root.is_dir() else []


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the model in ``folder``, its format checked."""
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        number = int(manifest["format"])
    except FileNotFoundError:
        raise ModelNotFound(f"no model in {folder}: manifest.json is missing") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); install the package or train the model again") from error
    if number > FORMAT:
        raise ModelTooNew(
            f"{folder} has format {number}, this version reads up to {FORMAT}; upgrade comment-spamfilter"
        )
    return manifest


def verify(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Check format and digests of a model; its manifest."""
    root = Path(folder)
    manifest = read_manifest(root)
    for name, digest in manifest.get("files", {}).items():
        try:
            with (root / name).open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise ModelDamaged(
                f"{root / name} cannot be read ({error.strerror}); install or train the model again"
            ) from error
        if found != digest:
            raise ModelDamaged(
                f"{root / name} is not what its manifest states (SHA-256 differs); install or train the model again"
            )
    return manifest


def save(
    sf: SpamFilter,
    folder: str | os.PathLike[str],
    manifest: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
    beside: Path | None = None,
) -> Path:
    """Write a model to a new folder, beside and renamed; never over an existing one.

    ``manifest`` gives ``name`` and ``version`` and whatever is to be remembered; ``texts`` are further
    files (``scores.json``, ``README.md``); ``beside`` is where it is made before it is renamed, on the same disk.
    What could not be written whole is not there.
    """
    target = Path(folder)
    if target.exists():
        raise OutputError(f"{target} exists; models are never changed once written, choose another name")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=beside or target.parent))
        try:
            made.chmod(0o755)
            _write(sf.parameters, made, manifest, texts or {})
            made.rename(target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        sync_folder(target.parent)
    return target


def _write(p: Parameters, folder: Path, manifest: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    gram_parts, linear_parts = _gram_parts(p), _linear_parts(p)
    for part, grams in gram_parts.items():
        write_arrays(folder / f"{part}.safetensors", {"word": grams.word, "char": grams.char})
    linear = {
        f"{part}.{field}": np.asarray(getattr(getattr(p, part), field), np.float64)
        for part in linear_parts
        for field in ("mean", "scale", "coef", *(_NETWORK_ARRAYS if isinstance(getattr(p, part), Network) else ()))
    }
    if p.company_middle is not None:
        linear["company_middle"] = p.company_middle
    write_arrays(folder / "stages.safetensors", {**linear, "typical": p.typical, "idf": p.idf})
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")
    files = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.glob("*.safetensors"))}
    full = {
        "format": FORMAT,
        **manifest,
        "cutoffs": {"spam": p.spam_cutoff, "unsure": p.unsure_cutoff},
        "intercepts": {part: getattr(p, part).intercept for part in (*gram_parts, *linear_parts)},
        "salts": {part: grams.salt for part, grams in gram_parts.items()},
        "inputs": list(p.inputs),
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(full, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in ("manifest.json", *texts):
        sync_file(folder / name)
    sync_folder(folder)


def _parameters(folder: Path, manifest: Mapping[str, Any]) -> Parameters:
    try:
        stages = read_arrays(folder / "stages.safetensors")
        there = (*_GRAM_PARTS, *(part for part in _OPTIONAL_PARTS if part in manifest["salts"]))
        parts: dict[str, Any] = {part: _gram_model(folder, part, manifest) for part in there}
        linear = (*_LINEAR_PARTS, *(part for part in _OPTIONAL_LINEAR_PARTS if part in manifest["intercepts"]))
        parts |= {part: _linear_model(stages, part, manifest) for part in linear}
        return Parameters(
            **parts,
            typical=stages["typical"],
            idf=stages["idf"],
            inputs=tuple(manifest["inputs"]),
            spam_cutoff=float(manifest["cutoffs"]["spam"]),
            unsure_cutoff=float(manifest["cutoffs"]["unsure"]),
            company_middle=stages["company_middle"] if "company" in parts else None,
        )
    except (KeyError, TypeError) as error:
        raise ModelDamaged(f"{folder}: {error} is missing from the model; install or train it again") from error


def _gram_parts(p: Parameters) -> dict[str, GramModel]:
    found = {part: getattr(p, part) for part in (*_GRAM_PARTS, *_OPTIONAL_PARTS)}
    return {part: grams for part, grams in found.items() if grams is not None}


def _linear_parts(p: Parameters) -> tuple[str, ...]:
    return (*_LINEAR_PARTS, *(part for part in _OPTIONAL_LINEAR_PARTS if getattr(p, part) is not None))


def _gram_model(folder: Path, part: str, manifest: Mapping[str, Any]) -> GramModel:
    arrays = read_arrays(folder / f"{part}.safetensors")
    return GramModel(arrays["word"], arrays["char"], float(manifest["intercepts"][part]), int(manifest["salts"][part]))


def _linear_model(stages: Mapping[str, NDArray[Any]], part: str, manifest: Mapping[str, Any]) -> LinearModel | Network:
    mean, scale, coef = (stages[f"{part}.{f}"] for f in ("mean", "scale", "coef"))
    intercept = float(manifest["intercepts"][part])
    if f"{part}.{_NETWORK_ARRAYS[0]}" not in stages:
        return LinearModel(mean, scale, coef, intercept)
    hidden, bias = (stages[f"{part}.{f}"] for f in _NETWORK_ARRAYS)
    return Network(mean, scale, hidden, bias, coef, intercept)
