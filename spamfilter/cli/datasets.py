"""``spamfilter datasets``: public labelled sets, listed and fetched; a corpus, checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from spamfilter.cli.waiting import Waiting
from spamfilter.errors import ConfigError, SpamFilterError

if TYPE_CHECKING:
    from spamfilter.catalogue import Fetched, PublicSet

__all__ = ["app"]

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Labelled comments to learn from: public sets, listed and fetched; a corpus of your own, checked.",
)

Catalogue = Annotated[
    Path | None,
    typer.Option("--catalogue", metavar="FILE", help="Another catalogue (TOML).  [default: the one shipped]"),
]
To = Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where fetched sets are kept.")]
_TO: Final = Path("data/public")
_CORPUS: Final = Path("data/corpus")


def _examples(*lines: str) -> str:
    return "\n\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) + "\n"


@app.command("list", epilog=_examples("spamfilter datasets list", "spamfilter datasets list --json | jq '.[].licence'"))
def list_(
    to: To = _TO,
    catalogue: Catalogue = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The public sets that can be fetched, with licence, size and whether they are pinned or here already."""
    from spamfilter.catalogue import read_catalogue

    sets = read_catalogue(catalogue)
    if as_json:
        typer.echo(json.dumps([_as_dict(s, to) for s in sets.values()], indent=1, ensure_ascii=False))
        return
    for s in sets.values():
        here = "fetched" if (to / s.name).is_dir() else "not fetched"
        pinned = "SHA-256 pinned" if s.pinned else "not pinned: the digest is shown after the fetch"
        counts = ", ".join(f"{n:,} {what}" for what, n in s.counts.items()) or "size unknown"
        typer.echo(f"{s.name}  ({here})")
        typer.echo(f"  {s.title}: {s.about}")
        typer.echo(f"  {s.licence}; {', '.join(s.languages)}; {counts}; {pinned}")
        typer.echo(f"  {s.homepage}")


@app.command(
    epilog=_examples(
        "spamfilter datasets fetch youtube-uci",
        "spamfilter datasets fetch judol-id --pin --to sets/",
        "spamfilter train data/corpus data/public/youtube-uci -o models/mine",
    )
)
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Sets of the catalogue.", show_default=False)],
    to: To = _TO,
    catalogue: Catalogue = None,
    pin: Annotated[
        bool, typer.Option("--pin", help="Remember the digests of files that are not pinned, and insist on them later.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is here already.")] = False,
) -> None:
    """Fetch public sets from their hosts, check their digests and make them readable for train and evaluate."""
    from spamfilter.catalogue import fetch as fetch_set
    from spamfilter.catalogue import find, read_catalogue

    sets = read_catalogue(catalogue)
    wanted = [find(sets, name) for name in names]
    failed = 0
    for one in wanted:
        try:
            with Waiting() as waiting:
                fetched = fetch_set(one, to, pin=pin, force=force, progress=waiting.count)
            _tell(one, fetched, pin)
        except SpamFilterError as error:  # the other sets are fetched all the same
            failed += 1
            print(f"spamfilter: {one.name}: {error}", file=sys.stderr)
    raise typer.Exit(1 if failed else 0)


@app.command(
    epilog=_examples("spamfilter datasets check", "spamfilter datasets check data/corpus --markdown data/README.md")
)
def check(
    path: Annotated[
        Path | None, typer.Argument(help="Folder of threads.  [default: data/corpus]", show_default=False)
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the counts as tables; into a file that has the marks of a data card, between them.",
        ),
    ] = None,
    near: Annotated[bool, typer.Option("--near", help="List the near-duplicates that were found.")] = False,
) -> None:
    """Check a corpus: form, languages, balance, near-duplicates, leakage between splits; exit code 1 with reasons."""
    from spamfilter.batch.shards import writing
    from spamfilter.corpuscheck import check_corpus

    if path is None and not _CORPUS.is_dir():
        raise ConfigError(f"there is no {_CORPUS} here; name the folder of the corpus")
    report = check_corpus(path or _CORPUS)
    for line in report.lines():
        typer.echo(line)
    if near:
        for later, earlier in report.near_duplicates:
            typer.echo(f"near-duplicate: {later} repeats {earlier}")
    if markdown is not None:
        with writing(markdown):
            before = markdown.read_text(encoding="utf-8") if markdown.is_file() else ""
            markdown.write_text(report.within(before), encoding="utf-8")
    n = len(report.problems)
    typer.echo(f"{n} problem{'s' * (n != 1)} to mend" if n else "all is well")
    raise typer.Exit(1 if n else 0)


def _tell(wanted: PublicSet, fetched: Fetched, pinned_now: bool) -> None:
    counts = ", ".join(f"{n:,} {label}" for label, n in sorted(fetched.rows.items()))
    typer.echo(f"{wanted.name}: {counts} in {fetched.folder} ({wanted.licence}; cite: {wanted.citation})")
    for reason, n in fetched.left_out.items():
        typer.echo(f"  left out {n:,}: {reason}")
    for label in ("spam", "ham"):
        stated, found = wanted.counts.get(label), fetched.rows[label]
        if stated is not None and stated != found:
            typer.echo(f"  note: the publishers state {stated:,} {label}, {found:,} were found")
    for name in fetched.unpinned:
        digest = fetched.digests.get(f"original/{name}", "")
        then = "remembered in pins.json" if pinned_now else "not pinned: nobody has vouched for it; --pin remembers it"
        typer.echo(f"  {name}: SHA-256 {digest} ({then})")


def _as_dict(s: PublicSet, to: Path) -> dict[str, object]:
    return {
        "name": s.name,
        "title": s.title,
        "about": s.about,
        "homepage": s.homepage,
        "licence": s.licence,
        "citation": s.citation,
        "languages": list(s.languages),
        "counts": dict(s.counts),
        "files": [{"url": f.url, "sha256": f.sha256} for f in s.files],
        "fetched": (to / s.name).is_dir(),
    }
