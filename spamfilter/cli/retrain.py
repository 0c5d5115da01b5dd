"""``spamfilter retrain``: labels in, a better model out, or a refusal with its reasons."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from spamfilter.cli.waiting import Waiting
from spamfilter.errors import LockedError, SpamFilterError

if TYPE_CHECKING:
    from spamfilter.promotion import Change, SliceChange
    from spamfilter.retrain import Outcome

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

#: Another job holds the models folder: nothing is wrong, nothing was done.
_LOCKED: Final = 4
_FAILED: Final = 2

_EXAMPLES = """
\b
Examples:
  spamfilter retrain --labels labels.db --models models          once a night
  spamfilter retrain --config retrain.toml --summary last.json
  spamfilter retrain --labels labels.db --models models --dry-run

\b
Exit codes: 0 promoted, or nothing to do; 1 refused, the challenger is kept; 2 could not be run, nothing
changed; 4 another job holds the models folder. Score with what is in use: SPAMFILTER_MODEL=models.
"""


@app.command(epilog=_EXAMPLES)
def retrain(
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings, as TOML.")] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", envvar="SPAMFILTER_LABELS", help="The label store.")
    ] = None,
    models: Annotated[
        Path | None, typer.Option(metavar="DIR", envvar="SPAMFILTER_MODELS", help="The team's models folder.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge and say what would be done; write nothing.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run though nothing is new.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead.")] = False,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the summary as JSON, also of a run that failed.")
    ] = None,
) -> None:
    """Make a model of the team's labels and put it in use if it is better than the one in use.

    Both are judged on sites and posts that neither has learnt, and on the newest labels. What is not better beyond
    noise, or worse for a language, short comments or trusted authors, is refused.
    """
    try:
        outcome = _run(config, labels, models, dry_run, force)
    except SpamFilterError as error:
        code = _LOCKED if isinstance(error, LockedError) else _FAILED
        _give({"outcome": "failed", "exit_code": code, "error": str(error)}, as_json, summary)
        print(f"spamfilter: {error}", file=sys.stderr)
        raise typer.Exit(code) from None
    _give(outcome.to_dict(), as_json, summary)
    if not as_json:
        from spamfilter.view import printable

        for line in _lines(outcome):
            print(printable(line))
    raise typer.Exit(outcome.exit_code)


def _run(config: Path | None, labels: Path | None, models: Path | None, dry_run: bool, force: bool) -> Outcome:
    from spamfilter.retrain import read_config
    from spamfilter.retrain import retrain as run

    settings = read_config(config, labels=labels, models=models)
    command = shlex.join(["spamfilter", *sys.argv[1:]]) if "retrain" in sys.argv else ""
    with Waiting() as waiting:
        return run(settings, dry_run=dry_run, force=force, progress=waiting.say, command=command)


def _give(summary: dict[str, Any], as_json: bool, file: Path | None) -> None:
    if as_json:
        print(json.dumps(summary))
    if file is not None:
        from spamfilter.store.durable import write_text

        write_text(file, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")


def _lines(outcome: Outcome) -> Iterator[str]:
    r = outcome.retraining
    if r is not None:
        counts = r.counts
        yield f"labels      {counts['spam']:,} spam, {counts['ham']:,} ham; {counts['in_part']:,} of them count in part"
        yield from (f"            {finding}" for finding in r.findings)
        yield from (f"            left out {n:,}: {reason}" for reason, n in r.left_out.items())
        yield f"champion    {r.champion}"
        yield f"challenger  {outcome.version or '(not stored)'}: {_made(r.recipe, r.adaptation, r.parent)}"
        yield ""
        yield from _table(f"{len(r.unseen):,} rows that neither has learnt", r.decision.unseen)
        if r.newest is not None:
            yield from _table(f"the newest {len(r.newest):,} labels", r.decision.newest)
        yield from _slices(r.decision.slices)
        yield from (f"note: {note}" for note in r.notes)
        yield ""
    would = "would be " if outcome.dry_run and outcome.kind in ("promoted", "refused") else ""
    yield f"{would}{outcome.kind}: {outcome.reasons[0] if outcome.reasons else ''}"
    yield from (f"  {reason}" for reason in outcome.reasons[1:])
    yield f"in use: {outcome.current or 'the model that ships'}" + (
        f"; pruned: {', '.join(outcome.pruned)}" if outcome.pruned else ""
    )


def _made(recipe: str, facts: dict[str, Any], parent: str) -> str:
    if recipe != "adapt":
        return "trained from scratch"
    strength = facts.get("strength") or 0.0
    return f"{parent} moved with strength {strength:g}" if strength else f"{parent} as it is ({facts.get('note')})"


def _table(title: str, changes: tuple[Change, ...]) -> Iterator[str]:
    from spamfilter.promotion import MEASURES

    yield f"{title:<34}{'champion':>10}{'challenger':>12}   90 % interval of the difference"
    for c in changes:
        name = MEASURES[c.measure][0]
        if c.champion is None or c.challenger is None or c.low is None or c.high is None:
            yield f"  {name:<32}{'-':>10}{'-':>12}   too few rows"
            continue
        low, high = (c.low, c.high) if MEASURES[c.measure][1] else (0.0 - c.high, 0.0 - c.low)
        yield f"  {name:<32}{c.champion:>10.3f}{c.challenger:>12.3f}   {low:+.3f} to {high:+.3f}  {c.outcome}"


def _slices(slices: tuple[SliceChange, ...]) -> Iterator[str]:
    if not slices:
        return
    yield f"{'slice':<34}{'ham blocked':>16}{'spam missed':>20}"
    for s in slices:
        blocked = f"{s.blocked_by_champion} → {s.blocked_by_challenger} of {s.ham}"
        missed = f"{s.missed_by_champion} → {s.missed_by_challenger} of {s.spam}"
        below = f"   BELOW ITS FLOOR: {s.below}" if s.below else ""
        yield f"  {f'{s.what} {s.name}'[:31]:<32}{blocked:>16}{missed:>20}{below}"
