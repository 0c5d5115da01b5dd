"""``spamfilter models report``: a retraining as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from spamfilter.errors import ConfigError, DataError, ModelNotFound

if TYPE_CHECKING:
    from spamfilter.report import Told
    from spamfilter.retraining import Retraining
    from spamfilter.store import ModelsFolder

__all__ = ["EPILOG", "report"]

EPILOG: Final = """
\b
Examples:
  spamfilter models report                                     the latest retraining, as report.html
  spamfilter models report 2026.11.26 --labels labels.db -o /srv/reports/2026.11.26.html
  spamfilter models report --no-comments -o for-the-board.html
"""
_MODELS: Final = Path("models")
_LABELS: Final = Path("labels.db")


def report(
    version: Annotated[
        str | None,
        typer.Argument(metavar="[VERSION]", help="The version.  [default: the latest retraining]", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The page.")] = Path("report.html"),
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", envvar="SPAMFILTER_LABELS", help="The label store, for the texts. [default: labels.db]"
        ),
    ] = None,
    no_comments: Annotated[bool, typer.Option("--no-comments", help="Leave the comments out: figures alone.")] = False,
    models: Annotated[
        Path, typer.Option("--models", metavar="DIR", envvar="SPAMFILTER_MODELS", help="The team's models folder.")
    ] = _MODELS,
) -> None:
    """Show a retraining as one HTML page: both models' figures and plots, and the comments whose verdict changed.

    The page loads nothing and runs nothing.  It holds readers' comments, which are looked up in the label store;
    --no-comments leaves them out.  Needs the extra `report`.
    """
    from spamfilter.report import require_plots, retraining_html
    from spamfilter.store import ModelsFolder
    from spamfilter.store.durable import write_text

    require_plots()
    if not models.is_dir():
        raise ConfigError(f"{models}: there is no such folder; name it with --models (or SPAMFILTER_MODELS)")
    if not out.parent.is_dir():
        raise ConfigError(f"{out} cannot be written: there is no folder {out.parent}; make it first")
    done = _retrainings(ModelsFolder(models), version)
    told = _told(labels, no_comments)
    write_text(out, retraining_html(done[-1], done[:-1], told).encode("utf-8", "replace").decode())
    print(f"{out}: {done[-1].version} against {done[-1].champion}")
    if not told.there and not no_comments:
        print(f"without the comments: there is no {_LABELS} here; name the label store with --labels")


def _retrainings(folder: ModelsFolder, version: str | None) -> list[Retraining]:
    """The retraining of ``version`` (else the latest), last; before it those that came earlier."""
    from spamfilter.retraining import Retraining

    wanted = None if version is None else folder.get(version).folder
    if wanted is not None:
        Retraining.read(wanted)  # says what is wrong with the one that was asked for
    out, damaged = [], None
    for each in folder.versions():
        try:
            out.append(Retraining.read(each.folder))
        except ModelNotFound:  # the model that ships, or one that somebody trained by hand
            continue
        except DataError as error:
            damaged = error
        if each.name == version:
            break
    if out:
        return out
    raise damaged or ModelNotFound(f"nothing in {folder.path} came of a retraining; run: spamfilter retrain")


def _told(labels: Path | None, no_comments: bool) -> Told:
    from spamfilter.labels import LabelStore
    from spamfilter.report import Told

    path = labels or _LABELS
    if no_comments or (labels is None and not path.exists()):
        return Told()
    if not path.exists():
        raise ConfigError(f"{path}: there is no label store here; name it with --labels, or say --no-comments")
    with LabelStore.open(path, readonly=True) as store:
        return Told.of(store)
