"""``spamfilter label``: a team's decisions in, out, and looked over."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from spamfilter.batch.shards import writing
from spamfilter.cli.person import person
from spamfilter.errors import ConfigError, InputError
from spamfilter.files.formats import Format
from spamfilter.labels import Conflict, Context, Decision, LabelRow, LabelStore
from spamfilter.labels.decision import TEAM_LABELS, TeamLabel
from spamfilter.labels.importing import KINDS, ImportKind, ImportOptions, import_labels
from spamfilter.labels.queue import ORDERS, Order
from spamfilter.labels.tabular import EXPORT_COLUMNS, export_row
from spamfilter.records import Comment, Verdict

__all__ = ["app"]

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Keep a team's decisions: add, import, export, decide one by one, see what disagrees.",
)

Store = Annotated[
    Path,
    typer.Option(
        "--store", "--labels", metavar="FILE", envvar="SPAMFILTER_LABELS", help="The label store (a SQLite file)."
    ),
]
Who = Annotated[str | None, typer.Option(help="Who decides.  [default: the name you are logged in with]")]
Site = Annotated[str | None, typer.Option(help="The site, as host and folder: blog.example")]
Keep = Annotated[
    bool, typer.Option("--keep-personal", help="Store e-mail and IP addresses too; without this they are dropped.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, whatever the output is.")]
_STORE: Final = Path("labels.db")
#: Comments that are scored at the beginning of a session: half a minute on a small machine.
_SCORED_AT_ONCE: Final = 20_000
_SCORING_BATCH: Final = 500
_EXPORTED_AT_ONCE: Final = 500


def _examples(*lines: str) -> str:
    return "\n\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) + "\n"


_ADD = _examples(
    'spamfilter label add spam "Great post! Visit my shop" --author "Cheap Pills"',
    'echo "What flour did you use?" | spamfilter label add ham - --title "Rye bread"',
    'spamfilter label add ham "Thanks, Ben" --article post.txt --site blog.example --who ana',
)


@app.command(epilog=_ADD)
def add(
    label: Annotated[str, typer.Argument(metavar="spam|ham", show_default=False)],
    text: Annotated[str, typer.Argument(help="The comment, or - for standard input.", show_default=False)],
    author: Annotated[str | None, typer.Option(help="Its author's name.")] = None,
    author_url: Annotated[str | None, typer.Option(help="The address behind the name.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the article.")] = None,
    article: Annotated[Path | None, typer.Option(metavar="FILE", help="The article's text.")] = None,
    permalink: Annotated[str | None, typer.Option(help="Address of the article.")] = None,
    site: Site = None,
    lang: Annotated[str | None, typer.Option(help="Language, two letters.")] = None,
    who: Who = None,
    keep_personal: Keep = False,
    store: Store = _STORE,
) -> None:
    """Store one decision about one comment."""
    if label not in TEAM_LABELS:
        raise typer.BadParameter(f"{label!r} is neither spam nor ham", param_hint="label")
    comment = Comment(sys.stdin.read() if text == "-" else text, author, author_url)
    under = Context(title, _read(article), permalink, site, lang)
    with LabelStore.open(store, keep_personal=keep_personal) as labels:
        # A person at a prompt sees no verdict: this is an independent look.
        number = labels.add(Decision(comment, _label(label), person(who), "cli", under, look="blind"))
    print(f"{store}: decision {number}")


def _label(word: str) -> TeamLabel:
    return "spam" if word == "spam" else "ham"


def _read(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the article cannot be read ({error}); give a UTF-8 text file") from error


_IMPORT = _examples(
    "spamfilter label import decided.csv --who ana",
    "spamfilter label import old.csv --column comment=text --column class=label --ignore user_id",
    "spamfilter label import blog.WordPress.2026-11-01.xml --trash spam",
    "spamfilter label import comments.sql.gz disqus.xml.gz --site blog.example",
)
_IMPORT += """
\b
Exit codes: 0 done; 1 done, but some rows could not be read; 2 nothing imported.
"""


@app.command("import", epilog=_IMPORT)
def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Tables (.csv .tsv .jsonl .parquet), WordPress exports (.xml), dumps of WordPress's comments table "
            "(.sql), Disqus exports (.xml); .gz too.",
            show_default=False,
        ),
    ],
    kind: Annotated[str | None, typer.Option(help=f"What the files are: {', '.join(KINDS)}.")] = None,
    who: Annotated[str, typer.Option(help="Who decided, where the file does not say.")] = "import",
    site: Annotated[str | None, typer.Option(help="The site, where the file does not say.")] = None,
    lang: Annotated[str | None, typer.Option(help="The language, where the file does not say.")] = None,
    trash: Annotated[str, typer.Option(help="What a comment in the trash is: skip (no label), spam or ham.")] = "skip",
    no_queue: Annotated[bool, typer.Option("--no-queue", help="Leave pending comments out.")] = False,
    override: Annotated[
        bool, typer.Option("--override", help="Let the file win over what people decided in this store.")
    ] = False,
    column: Annotated[
        list[str] | None, typer.Option(metavar="THEIRS=OURS", help="A column of the table and what it is here.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A column to pass over.")] = None,
    keep_personal: Keep = False,
    as_json: AsJson = False,
    store: Store = _STORE,
) -> None:
    """Take over decisions from other systems.

    Spam is a label spam, approved a label ham; pending comments go into the queue; what is in the trash is no label
    unless you say so.  Importing a file twice adds nothing.  A file that is not whole changes nothing.
    """
    if kind is not None and kind not in KINDS:
        raise typer.BadParameter(f"it is one of {', '.join(KINDS)}", param_hint="--kind")
    if trash not in ("skip", "spam", "ham"):
        raise typer.BadParameter("it is skip, spam or ham", param_hint="--trash")
    options = ImportOptions(
        who=who,
        site=site,
        lang=lang,
        trash=trash,  # type: ignore[arg-type]
        queue=not no_queue,
        override=override,
        rename=_renames(column or ()),
        ignore=tuple(ignore or ()),
    )
    chosen: ImportKind | None = kind
    damaged = 0
    with LabelStore.open(store, keep_personal=keep_personal) as labels:
        for file in files:
            report = import_labels(labels, file, options, kind=chosen, progress=_progress(file))
            print(json.dumps(report.to_dict()) if as_json else "\n".join(report.lines()))
            damaged += report.damaged
    raise typer.Exit(1 if damaged else 0)


def _renames(given: Iterable[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if wrong := [theirs for theirs, equals, ours in pairs if not (theirs and equals and ours)]:
        raise typer.BadParameter(f"{wrong[0]!r} is not of the form THEIRS=OURS", param_hint="--column")
    return {theirs: ours for theirs, _, ours in pairs}


def _progress(file: str) -> Callable[[int], None] | None:
    if not sys.stderr.isatty():
        return None
    return lambda n: print(f"\r{file}: {n:,} comments", end="\r", file=sys.stderr, flush=True)


_EXPORT = _examples(
    "spamfilter label export -o labels.csv",
    "spamfilter label export --site blog.example -o labels.parquet",
    "spamfilter label export --all | head",
)


@app.command(epilog=_EXPORT)
def export(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A .jsonl, .csv, .tsv or .parquet file.  [default: JSON lines]")
    ] = None,
    site: Site = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every decision, also those undone or overruled; not only current labels.")
    ] = False,
    store: Store = _STORE,
) -> None:
    """Write the current labels as a table that import, train and retrain read."""
    with LabelStore.open(store, readonly=True) as labels:
        rows = labels.rows(site=site) if all_ else labels.current(site=site)
        if out is None:
            format = Format("jsonl", columns=EXPORT_COLUMNS)
            for batch in _batches(rows):
                sys.stdout.buffer.write(_bytes(format, batch))
            return
        n = _write(out, rows)
    print(f"{out}: {n:,} labels", file=sys.stderr)


def _batches(rows: Iterable[LabelRow]) -> Iterable[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(export_row(row))
        if len(batch) == _EXPORTED_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _bytes(format: Format, rows: list[dict[str, Any]]) -> bytes:
    piece = format.encode(rows)
    assert isinstance(piece, bytes)
    return piece


def _write(out: Path, rows: Iterable[LabelRow]) -> int:
    """The table under its own name only when it is whole."""
    format = Format.of(str(out), EXPORT_COLUMNS, _schema() if out.suffix == ".parquet" else None)
    part = out.with_name(f".{out.name}.part")
    n = 0
    with writing(out):
        try:
            with format.shard(part, first=True) as shard:
                for batch in _batches(rows):
                    shard.write(format.encode(batch))
                    n += len(batch)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    return n


def _schema() -> Any:
    """Parquet columns by name: a column of a store may be empty from top to bottom."""
    import pyarrow as pa

    return pa.schema([(name, pa.float64() if name == "probability" else pa.string()) for name in EXPORT_COLUMNS])


_QUEUE = _examples(
    "spamfilter label queue                          one comment after the other, most useful first",
    "spamfilter label queue --blind --who ana        without seeing what the model says",
    "spamfilter label queue --site blog.example --reason off_topic",
    "spamfilter label queue --list --limit 100 > waiting.jsonl",
)
_QUEUE += """
\b
Keys: s spam, h ham, k skip, u undo, S and H the whole campaign, m more text,
q quit.  Every decision is stored at once; the next session goes on there.
"""


@app.command(epilog=_QUEUE)
def queue(
    order: Annotated[str, typer.Option(help=f"Which first: {', '.join(ORDERS)}.")] = "useful",
    site: Site = None,
    reason: Annotated[str | None, typer.Option(help="Only those with this reason, such as off_topic.")] = None,
    query: Annotated[str | None, typer.Option(help="Only those with this in the text or the author's name.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only those that wait since this day (2026-11-30) or later.")
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Hide the verdict, so that your labels are independent.")
    ] = False,
    no_score: Annotated[bool, typer.Option("--no-score", help="Do not score what has no verdict yet.")] = False,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model to score with.  [default: the current one]")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Print what waits as JSON lines instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --list: how many.")] = 50,
    who: Who = None,
    store: Store = _STORE,
) -> None:
    """Decide on the comments that wait, those first that teach most: uncertain ones, one of each campaign."""
    if order not in ORDERS:
        raise typer.BadParameter(f"it is one of {', '.join(ORDERS)}", param_hint="--order")
    chosen: Order = order
    filters = {"site": site, "reason": reason, "query": query, "since": _day(since)}
    with LabelStore.open(_existing(store)) as labels:
        if not no_score:
            _score(labels, model)
        if list_ or not (sys.stdin.isatty() and sys.stdout.isatty()):
            for item in labels.queue.pending(chosen, **filters, limit=limit):  # type: ignore[arg-type]
                print(json.dumps(_waiting(item), ensure_ascii=True))
            return
        from spamfilter.cli.keyboard import Keyboard
        from spamfilter.cli.labelqueue import Session

        with Keyboard() as keyboard:
            Session(labels.queue, person(who), chosen, filters, blind).run(keyboard)


def _existing(store: Path) -> Path:
    """A queue that is not there is a wrong path, not an empty queue."""
    if not store.exists():
        raise ConfigError(f"{store}: there is no label store here; name it with --store, or import something first")
    return store


def _day(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise typer.BadParameter(f"{given!r} is no date such as 2026-11-30", param_hint="--since") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _score(labels: LabelStore, model: str | None) -> None:
    """Verdicts for what waits without one, newest first."""
    waiting = labels.queue.pending("newest", scored=False, limit=_SCORED_AT_ONCE)
    if not waiting:
        return
    from spamfilter.batch.loading import load_scorer

    scorer = load_scorer(model)
    for at in range(0, len(waiting), _SCORING_BATCH):
        batch = waiting[at : at + _SCORING_BATCH]
        verdicts = scorer.score_many([item.fields() for item in batch])
        labels.queue.set_verdicts((item.id, verdict) for item, verdict in zip(batch, verdicts, strict=True))


def _waiting(item: Any) -> dict[str, Any]:
    return {
        "id": item.id,
        **item.fields(),
        "site": item.context.site,
        "permalink": item.context.permalink,
        "campaign": item.campaign,
        "campaign_size": item.campaign_size,
        "since": item.at.isoformat(),
        **_verdict(item.verdict),
    }


def _verdict(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {"verdict": None, "probability": None, "reasons": []}
    reasons = [{"name": r.name, "detail": r.detail, "weight": round(r.weight, 4)} for r in verdict.reasons]
    return {"verdict": verdict.label, "probability": round(verdict.probability, 6), "reasons": reasons}


_CONFLICTS = _examples(
    "spamfilter label conflicts                a table, and the sources that stand out",
    "spamfilter label conflicts --json > conflicts.jsonl",
)


@app.command(epilog=_CONFLICTS)
def conflicts(site: Site = None, as_json: AsJson = False, store: Store = _STORE) -> None:
    """List labels that cannot all be right, floods from one source, and labels that only repeat the model.

    Each is capped when a model is trained; decide anew what was decided wrongly.
    """
    from spamfilter.labels.hygiene import weigh

    with LabelStore.open(_existing(store), readonly=True) as labels:
        found = list(labels.conflicts(site=site))
        findings = weigh(list(labels.current(site=site))).findings
    if as_json or not sys.stdout.isatty():
        for conflict in found:
            print(json.dumps(_conflict(conflict)))
        for finding in findings:
            print(
                json.dumps({"kind": finding.kind, "who": finding.who, "rows": finding.rows, "detail": finding.detail})
            )
        return
    _conflict_table(found)
    for finding in findings:
        print(finding)
    print(f"{len(found)} conflicts, {len(findings)} findings about sources")


def _conflict(conflict: Conflict) -> dict[str, Any]:
    rows = [
        {"decision": r.seq, "comment": r.comment_id, "label": r.label, "who": r.who, "source": r.source,
         "at": r.at.isoformat(), "site": r.context.site, "text": r.comment.text}
        for r in conflict.rows
    ]  # fmt: skip
    return {"kind": conflict.kind, **conflict.counts(), "rows": rows}


def _conflict_table(found: Sequence[Conflict]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from spamfilter.view import plain

    if not found:
        return
    table = Table("kind", "spam", "ham", "by", "comment")
    for conflict in found:
        counts = conflict.counts()
        people = ", ".join(sorted({f"{row.who}: {row.label}" for row in conflict.rows})[:4])
        text = Text(plain(conflict.rows[0].comment.text, 100))
        table.add_row(conflict.kind, str(counts["spam"]), str(counts["ham"]), Text(plain(people)), text)
    Console(highlight=False).print(table)


_STATS = _examples("spamfilter label stats", "spamfilter label stats --json | jq .by_site")


@app.command(epilog=_STATS)
def stats(
    check: Annotated[
        bool, typer.Option("--check", help="Read the whole file and say if any of it is damaged.")
    ] = False,
    as_json: AsJson = False,
    store: Store = _STORE,
) -> None:
    """Count what is in the store."""
    with LabelStore.open(_existing(store), readonly=True) as labels:
        if check:
            labels.check()
        found = labels.stats()
    if as_json or not sys.stdout.isatty():
        print(json.dumps(found.to_dict()))
        return
    for name, value in found.to_dict().items():
        print(f"{name.replace('_', ' '):<17} {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name or '(none)'} {n:,}" for name, n in value.items()) or "-"
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else f"{value}"
