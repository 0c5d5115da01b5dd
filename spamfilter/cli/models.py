"""``spamfilter models``: a team's models, listed, looked at, switched, checked, cleared away and handed out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from spamfilter.cli.modelsreport import EPILOG, report
from spamfilter.cli.person import person
from spamfilter.errors import ConfigError, DataError, ModelError, ModelNotFound
from spamfilter.store import ModelsFolder, Version

if TYPE_CHECKING:
    from spamfilter.retraining import Retraining

__all__ = ["Folder", "app"]

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="List, show, promote, roll back, verify, prune and export a team's models.",
)

Folder = Annotated[
    Path, typer.Option("--models", metavar="DIR", envvar="SPAMFILTER_MODELS", help="The team's models folder.")
]
Which = Annotated[
    str | None, typer.Argument(metavar="[VERSION]", help="The version.  [default: the one in use]", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Who = Annotated[str | None, typer.Option(help="Who does it.  [default: the name you are logged in with]")]
Why = Annotated[str, typer.Option(help="Why, for the history.")]
_MODELS: Final = Path("models")
#: Columns of a table where the output is no terminal.
_WIDTH: Final = 140
_BROKEN: Final = 1


def _examples(*lines: str) -> str:
    return "\n\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) + "\n"


def _opened(path: Path) -> ModelsFolder:
    """A folder that is not there is a wrong path, not an empty folder."""
    models = ModelsFolder(path)
    if not path.is_dir():
        raise ConfigError(f"{path}: there is no such folder; name it with --models (or SPAMFILTER_MODELS)")
    return models


def _named(models: ModelsFolder, version: str | None) -> Version:
    name = version or models.current()
    if name is None:
        raise ModelNotFound(f"no version is in use in {models.path}; name one, or see: spamfilter models list")
    return models.get(name)


_LIST = _examples("spamfilter models list", "spamfilter models list --models /srv/models --json | jq -r .current")


@app.command("list", epilog=_LIST)
def list_(models: Folder = _MODELS, as_json: AsJson = False) -> None:
    """List the versions, oldest first, with what they learnt and how good they are."""
    folder = _opened(models)
    versions = folder.versions()
    if as_json:
        rows = [_facts(folder, v) for v in versions]
        print(
            json.dumps({"models": str(models), "current": folder.current(), "trail": folder.trail(), "versions": rows})
        )
        return
    if not versions:
        print(f"{models}: no versions yet; `spamfilter retrain` makes one")
        return
    _print_table(
        ("", "version", "made", "from", "labels", "AP", "R@1%", "MB", "state"),
        ([*_cells(folder, v)] for v in versions),
        right=(4, 5, 6, 7),
    )
    folder.current()  # says what is wrong with CURRENT, where something is


def _facts(folder: ModelsFolder, version: Version) -> dict[str, Any]:
    manifest, labels = version.manifest, version.lineage.get("labels", {})
    return {
        "version": version.name,
        "model": version.model if manifest else None,
        "current": version.current,
        "created": manifest.get("created"),
        "parent": version.parent,
        "recipe": version.lineage.get("recipe"),
        "labels": labels.get("rows") if isinstance(labels, dict) else None,
        "ap": manifest.get("metrics", {}).get("ap"),
        "recall_at_1": manifest.get("metrics", {}).get("recall_at_1"),
        "bytes": version.size(),
        "state": _state(folder, version),
        "folder": str(version.folder),
    }


def _state(folder: ModelsFolder, version: Version) -> str:
    if version.problem:
        return f"cannot be used: {version.problem}"
    if version.current:
        return "in use"
    decision = version.lineage.get("decision")
    if folder.was_used(version.name):
        return "was in use"
    return {"refuse": "refused", "promote": "found better, not promoted"}.get(str(decision), "never in use")


def _cells(folder: ModelsFolder, version: Version) -> Iterator[str]:
    facts = _facts(folder, version)
    yield "*" if version.current else ""
    yield version.name
    yield str(facts["created"] or "-")[:16].replace("T", " ")
    yield facts["parent"] or "-"
    yield "-" if facts["labels"] is None else f"{facts['labels']:,}"
    yield _figure(facts["ap"])
    yield _figure(facts["recall_at_1"])
    yield f"{facts['bytes'] / 1e6:.1f}"
    yield facts["state"]


def _figure(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


def _print_table(head: tuple[str, ...], rows: Any, right: tuple[int, ...] = ()) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from spamfilter.view import plain

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for n, name in enumerate(head):
        table.add_column(name, justify="right" if n in right else "left", no_wrap=name in ("version", "made", "from"))
    for row in rows:
        table.add_row(*(Text(plain(cell, 400)) for cell in row))
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH).print(table)


_SHOW = _examples("spamfilter models show", "spamfilter models show 2026.11.26 --json | jq .decision.reasons")


@app.command(epilog=_SHOW)
def show(version: Which = None, models: Folder = _MODELS, as_json: AsJson = False) -> None:
    """Show one version: where it comes from, what was decided about it and why, what happened to it."""
    folder = _opened(models)
    found = _named(folder, version)
    if found.problem:
        raise ModelError(found.problem)
    done = _retraining(found)
    events = [e for e in folder.events() if e.version == found.name]
    if as_json:
        decision = done.decision.to_dict() if done else None
        files = {f.name: f.stat().st_size for f in sorted(found.folder.iterdir())}
        facts = {**_facts(folder, found), "manifest": found.manifest, "decision": decision, "files": files}
        history = [{"kind": e.kind, "at": e.at, "by": e.by, "why": e.why, "before": e.before} for e in events]
        print(json.dumps({**facts, "history": history}))
        return
    from spamfilter.view import printable

    for line in _described(folder, found, done):
        print(printable(line))
    for event in events:
        print(printable(f"  {event.at}  {event.kind}{f' by {event.by}' * bool(event.by)}  {event.why}".rstrip()))


def _retraining(version: Version) -> Retraining | None:
    from spamfilter.retraining import Retraining

    try:
        return Retraining.read(version.folder)
    except (ModelNotFound, DataError):
        return None


def _described(folder: ModelsFolder, version: Version, done: Retraining | None) -> Iterator[str]:
    manifest = version.manifest
    rows = manifest.get("rows", {})
    yield f"version      {version.name} ({version.model}), {_state(folder, version)}"
    yield f"made         {manifest.get('created', '-')}"
    if version.parent:
        yield f"from         {version.parent}, by {version.lineage.get('recipe')}"
        yield f"held against {version.lineage.get('champion')}"
    yield f"learnt       {sum(sum(n.values()) for n in rows.values()):,} comments of {len(rows)} sets"
    yield f"data         {manifest.get('fingerprint', '-')}"
    yield f"cut-offs     spam {manifest['cutoffs']['spam']:.3f}, unsure {manifest['cutoffs']['unsure']:.3f}"
    yield f"versions     {', '.join(f'{k} {v}' for k, v in manifest.get('versions', {}).items()) or '-'}"
    yield f"card         {version.folder / 'README.md'}"
    if done is not None:
        yield f"decision     {'promote' if done.decision.promote else 'refuse'}"
        yield from (f"  {reason}" for reason in done.decision.reasons)
        yield from (f"  label hygiene: {finding}" for finding in done.findings)
    yield "history"


_PROMOTE = _examples('spamfilter models promote 2026.11.26 --why "looked at the changed verdicts"')


@app.command(epilog=_PROMOTE)
def promote(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The version to put in use.", show_default=False)],
    why: Why = "",
    who: Who = None,
    models: Folder = _MODELS,
) -> None:
    """Put a version in use, once all its digests are right.  What reads the folder follows within seconds."""
    folder = _opened(models)
    before = folder.current() if (models / "CURRENT").exists() and _whole(folder) else None
    folder.promote(version, person(who), why)
    print(f"{models}: {version} is in use" + (f", {before} was before" if before and before != version else ""))


def _whole(folder: ModelsFolder) -> bool:
    try:
        return folder.current() is not None
    except ModelError:  # promoting is how a damaged CURRENT is mended
        return False


_ROLLBACK = _examples('spamfilter models rollback --why "blocks the regulars"')


@app.command(epilog=_ROLLBACK)
def rollback(why: Why = "", who: Who = None, models: Folder = _MODELS) -> None:
    """Go back to the version that was in use before; again, to the one before that."""
    print(f"{models}: {_opened(models).rollback(person(who), why)} is in use again")


_VERIFY = _examples("spamfilter models verify", "spamfilter models verify 2026.11.26 && systemctl reload blog")


@app.command(epilog=_VERIFY)
def verify(
    versions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VERSION]...", help="Which.  [default: all, and CURRENT]", show_default=False),
    ] = None,
    models: Folder = _MODELS,
    as_json: AsJson = False,
) -> None:
    """Check that every file is what its manifest states; exit code 1 if one is not."""
    folder = _opened(models)
    found: dict[str, str | None] = {}
    for name in versions or [v.name for v in folder.versions()]:
        found[name] = _problem(folder, name)
    if not versions:
        try:
            folder.current()
        except ModelError as error:
            found["CURRENT"] = str(error)
    if as_json:
        print(json.dumps(found))
    else:
        for name, problem in found.items():
            print(f"ok     {name}" if problem is None else f"WRONG  {name}: {problem}")
    raise typer.Exit(_BROKEN if any(found.values()) else 0)


def _problem(folder: ModelsFolder, name: str) -> str | None:
    try:
        folder.verify(name)
    except ModelError as error:
        return str(error)
    return None


_PRUNE = _examples("spamfilter models prune --keep 10", "spamfilter models prune --keep 30 --yes")


@app.command(epilog=_PRUNE)
def prune(
    keep: Annotated[int, typer.Option(min=1, metavar="N", help="How many of the newest versions to keep.")] = 10,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    who: Who = None,
    models: Folder = _MODELS,
) -> None:
    """Delete old versions for good.

    The version in use stays, the three that were in use before it, the newest N, and whatever those were made from.
    """
    folder = _opened(models)
    gone = folder.prunable(keep)
    if not gone:
        print(f"{models}: nothing to take away")
        return
    size = sum(v.size() for v in gone) / 1e6
    print(f"{models}: {len(gone)} versions, {size:,.1f} MB: {', '.join(v.name for v in gone)}")
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError("nothing was deleted: nobody can be asked here; say --yes to delete them")
        typer.confirm("Delete them for good?", abort=True)
    with folder.job():
        done = folder.prune(keep, person(who))
    print(f"deleted {len(done)}")


_EXPORT = _examples(
    "spamfilter models export -o model.skops",
    "spamfilter models export 2026.11.26 -o model.joblib",
    "spamfilter models export --model default -o model.joblib      the model that ships",
)


@app.command(epilog=_EXPORT)
def export(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="A .skops or .joblib file.")],
    version: Which = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Any model by folder or name, instead of a version.")
    ] = None,
    models: Folder = _MODELS,
) -> None:
    """Write a model as a fitted scikit-learn Pipeline, for other tools.

    Nothing in this package opens such a file.  A .joblib file is a pickle: loading it runs code, so load only your own.
    """
    from spamfilter import store
    from spamfilter.modelexport import export_pipeline

    if model is not None and version is not None:
        raise ConfigError("give either VERSION or --model")
    folder = store.find(model) if model is not None else _named(_opened(models), version).folder.absolute()
    sf = store.load(folder)
    untrusted = export_pipeline(sf, out)
    print(f"{out}: {sf.name} as a scikit-learn Pipeline")
    print("warning: it needs this package in the same version, and is never opened by it;", file=sys.stderr)
    if untrusted:
        print("warning: skops asks for trust in these types of it:", ", ".join(untrusted), file=sys.stderr)
    else:
        print("warning: a .joblib file runs code when it is loaded; load only your own", file=sys.stderr)


app.command(epilog=EPILOG)(report)
