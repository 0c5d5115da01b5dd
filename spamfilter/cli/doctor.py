"""``spamfilter doctor``: what is installed, which model, and whether all of it works."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated, Final

import typer

from spamfilter.cli import options, version
from spamfilter.errors import ModelError, SpamFilterError

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_BASE: Final = (
    *("numpy", "pandas", "scikit-learn", "joblib", "typer"),
    *("rich", "selectolax", "charset-normalizer", "filelock"),
)
#: Extra → the packages it brings, by the name they are imported under.
_EXTRAS: Final = {
    "crawl": {"fastwarc": "fastwarc.warc", "pyarrow": "pyarrow"},
    "report": {"matplotlib": "matplotlib"},
    "serve": {"starlette": "starlette", "uvicorn": "uvicorn"},
    "export": {"skops": "skops.io"},
    "daft": {"daft": "daft"},
    "datatrove": {"datatrove": "datatrove"},
}
_IMPORTS: Final = {"scikit-learn": "sklearn", "charset-normalizer": "charset_normalizer"}


@dataclass(frozen=True, slots=True)
class _Finding:
    what: str
    result: str
    wrong: str | None = None  # the next step, where something is wrong


@app.command()
def doctor(
    model: options.Model = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Import every package, not only look whether it is there.")
    ] = False,
) -> None:
    """Check versions, extras, the compiled parts and the model; exit code 1 if something is wrong."""
    wrong = 0
    for finding in _findings(model, deep):
        mark = "ok   " if finding.wrong is None else "WRONG"
        typer.echo(f"{mark}  {finding.what:<22} {finding.result}")
        if finding.wrong is not None:
            wrong += 1
            typer.echo(f"       next step: {finding.wrong}")
    typer.echo("everything works" if not wrong else f"{wrong} thing{'s' if wrong > 1 else ''} to mend")
    raise typer.Exit(1 if wrong else 0)


def _findings(model: str | None, deep: bool) -> Iterator[_Finding]:
    yield _Finding("spamfilter", version())
    yield _Finding("Python", f"{platform.python_version()} on {platform.platform()}")
    for name in _BASE:
        yield _package(name, f'pip install --upgrade "{name}"', deep)
    yield _kernel()
    for extra, packages in _EXTRAS.items():
        yield _extra(extra, packages, deep)
    yield from _model(model)


def _package(name: str, next_step: str, deep: bool) -> _Finding:
    try:
        found = metadata.version(name)
        if deep:
            importlib.import_module(_IMPORTS.get(name, name))
    except metadata.PackageNotFoundError:
        return _Finding(name, "is not installed", next_step)
    except Exception as error:  # a broken binary package raises what it likes
        return _Finding(name, f"is installed but cannot be imported ({type(error).__name__}: {error})", next_step)
    return _Finding(name, found)


def _extra(extra: str, packages: dict[str, str], deep: bool) -> _Finding:
    found, missing = [], []
    for name, module in packages.items():
        try:
            found.append(f"{name} {metadata.version(name)}")
            if deep:
                importlib.import_module(module)
        except metadata.PackageNotFoundError:
            missing.append(name)
        except Exception as error:  # as above
            broken = f"{name} cannot be imported ({type(error).__name__}: {error})"
            return _Finding(f"extra {extra}", broken, f'pip install --force-reinstall "{name}"')
    text = ", ".join(found)
    if missing:
        absent = f'not installed (pip install "comment-spamfilter[{extra}]")'
        text = f"{text}; {', '.join(missing)} {absent}" if text else absent
    return _Finding(f"extra {extra}", text)


def _kernel() -> _Finding:
    from spamfilter.features.hashing import compiled

    slow = "not compiled: the NumPy twin is used, same results, slower (a C compiler at installation makes it)"
    return _Finding("compiled kernel", "yes" if compiled() else slow)


def _model(name: str | None) -> Iterator[_Finding]:
    from spamfilter import store

    try:
        folder = store.find(name)
        store.verify(folder)
        scorer = store.load(name)
        probability = scorer.score("Great post, thanks for sharing!").probability
    except ModelError as error:
        yield _Finding("model", "cannot be used", str(error))
        return
    except SpamFilterError as error:
        yield _Finding("model", "does not score", str(error))
        return
    yield _Finding("model", f"{scorer.name} in {folder}: digests agree")
    works = 0.0 <= probability <= 1.0
    yield _Finding(
        "scoring", "works" if works else f"gives {probability}", None if works else "train or install the model again"
    )
