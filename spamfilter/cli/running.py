"""A job over inputs, as every command runs it: results out, failures told, progress shown, exit code.

Usage::

    summary = Run(job, inputs, options).to(output)         # a file or a folder
    summary = Run(job, inputs, options).show(print_piece)  # standard output
    raise typer.Exit(exit_code(summary))
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

from spamfilter.batch import Options, Outcome, Output, Position, Summary, run, stream
from spamfilter.batch._local import Reader
from spamfilter.batch.driftcounts import drift_of
from spamfilter.batch.outcome import Job, Tally
from spamfilter.batch.shards import add, writing
from spamfilter.cli.stopping import Terminated
from spamfilter.drift import UNLIKE
from spamfilter.errors import ConfigError
from spamfilter.files import Failure, Input, expand
from spamfilter.files.formats import Format, Piece
from spamfilter.files.inputs import STDIN

if TYPE_CHECKING:
    from spamfilter.cli.progress import Progress

__all__ = ["Failures", "Run", "drift_told", "exit_code", "found_inputs", "output_to", "pipe", "write_summary"]

# A thousand reasons on the screen tell no more than these; all of them go to --errors.
_SHOWN_FAILURES: Final = 20


def found_inputs(given: Sequence[str], out: Path | None = None) -> list[Input | Failure]:
    """The files behind the INPUT arguments.  Raises ConfigError where the output is among them."""
    found = list(expand(given))
    if out is not None and out.exists() and not out.is_dir():
        target = out.resolve()
        for one in found:
            if isinstance(one, Input) and one.path != STDIN and Path(one.path).resolve() == target:
                raise ConfigError(f"{out} is also an input; choose another file for the output")
    return found


def output_to(
    out: Path, given: str, format: Callable[[str], Format], *, resume: bool = False, errors: Path | None = None
) -> Output:
    """Where results go: ``given`` is ``out`` as it was typed, where a slash at the end means a folder."""
    apart = given.endswith(("/", os.sep)) or out.is_dir()
    made = Output(out, format("part.jsonl.gz" if apart else str(out)), apart, resume, errors)
    parent = out if apart else out.parent
    if not apart and not parent.is_dir():
        raise ConfigError(f"{out} cannot be written: there is no folder {parent}; make it first")
    return made


@dataclass
class Run:
    """One job over inputs, with what the terminal is to see of it."""

    job: Job
    inputs: Sequence[Input | Failure]
    options: Options
    settings: Any = None
    errors: Path | None = None
    reader: Reader | None = None
    failures: Failures = field(default_factory=lambda: Failures())
    tally: Tally = field(default_factory=dict)

    def to(self, output: Output) -> Summary:
        """Write everything to ``output``; tells what can be resumed when it is stopped."""
        from spamfilter.cli.progress import Progress

        with Progress(self.inputs) as progress:
            try:
                summary = run(
                    self.job, self.inputs, output, self.options,
                    settings=self.settings, reader=self.reader, watch=lambda o, p: self._watch(o, p, progress),
                )  # fmt: skip
            except (KeyboardInterrupt, Terminated):
                progress.stop()
                print(f"spamfilter: finished parts are kept in {output.parts}; go on with --resume", file=sys.stderr)
                raise
        self.failures.tell_rest()
        return summary

    def show(self, show: Callable[[Piece], None]) -> Summary:
        """Hand every result to ``show`` as it comes."""
        begun = time.monotonic()
        with _FailureList(self.errors) as listed:
            for outcome, position in stream(self.job, self.inputs, self.options, reader=self.reader):
                add(self.tally, outcome.tally)
                if outcome.failure is not None:
                    listed.add(outcome.failure)
                self._watch(outcome, position, None)
                if outcome.piece:
                    show(outcome.piece)
        self.failures.tell_rest()
        pages, size = self.tally.get("pages", 0) + self.tally.get("rows", 0), self.tally.get("bytes", 0)
        workers = max(1, self.options.processes(self.inputs))
        return Summary(self.tally, time.monotonic() - begun, pages, size, workers)

    def _watch(self, outcome: Outcome, position: Position, progress: Progress | None) -> None:
        if progress is not None:
            progress.advance(outcome, position)
        self.failures.tell(outcome.failure)


@dataclass
class Failures:
    """What could not be read, told on standard error: the first of them one by one."""

    count: int = 0

    def tell(self, failure: Failure | None) -> None:
        """Count and print one."""
        if failure is not None:
            self.count += 1
            if self.count <= _SHOWN_FAILURES:
                print(f"spamfilter: {failure}", file=sys.stderr)

    def tell_rest(self) -> None:
        """Say how many were not printed."""
        more = self.count - _SHOWN_FAILURES
        if more > 0:
            print(
                f"spamfilter: and {more:,} more that could not be read; --errors FILE lists them all", file=sys.stderr
            )


class _FailureList:
    """The errors file of a run without an output file, written as it goes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            with writing(self._path):
                self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, failure: Failure) -> None:
        if self._file is not None and self._path is not None:
            with writing(self._path):
                self._file.write(json.dumps(failure.to_dict()) + "\n")


def pipe(piece: Piece) -> None:
    """A result to standard output, at once: whoever reads it may be waiting."""
    assert isinstance(piece, bytes)
    with writing("standard output", "make room and run it again"):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


def exit_code(summary: Summary, *, fail_on_spam: bool = False) -> int:
    """3 with ``fail_on_spam`` and spam found, else 1 if something could not be read, else 0."""
    if fail_on_spam and summary["spam"]:
        return 3
    return 1 if summary.errors else 0


def drift_told(summary: Summary, scorer: Any) -> dict[str, Any] | None:
    """How unlike the model's training data the input was, for ``--summary``; warns on standard error if it was.

    None for a model that brings nothing to compare with.
    """
    drift = drift_of(summary.tally, getattr(scorer, "manifest", None) or {})
    if drift is None:
        return None
    if drift.unlike:
        far = ", ".join(f"{name.replace('_', ' ')} {drift.distances[name]:.2f}" for name in drift.unlike)
        print(
            f"spamfilter: warning: these comments are unlike those the model learnt from ({far}; {UNLIKE} or more is "
            "unlike), so it may judge them worse than its card says; check a sample, or train on comments of this kind",
            file=sys.stderr,
        )
    return drift.to_dict()


def write_summary(path: Path | None, summary: Summary, **more: Any) -> None:
    """The JSON of ``--summary``."""
    if path is not None:
        with writing(path):
            path.write_text(json.dumps({**summary.to_dict(), **more}, indent=2) + "\n", encoding="utf-8")
