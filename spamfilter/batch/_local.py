"""Many inputs on this machine: read here, worked on in processes, written in order.

Usage::

    summary = run(job, list(expand(["crawl-*.warc.gz"])), Output("out.jsonl"), Options(workers=8))

One process reads and writes; it hands pages to the workers and takes their results in the order of the input,
so the output is the same for any number of workers.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from spamfilter.batch.filters import in_sample
from spamfilter.batch.outcome import Item, Job, Outcome, Tally, lists
from spamfilter.batch.shards import SHARD_ITEMS, Position, Shards, add, writing
from spamfilter.batch.summary import Summary
from spamfilter.errors import ConfigError
from spamfilter.files import Columns, Failure, Input, RawPage, read_pages
from spamfilter.files.formats import Format
from spamfilter.files.inputs import STDIN

__all__ = ["Options", "Output", "Reader", "Watch", "finished", "run", "stream"]

#: How an input is read: item by item.
Reader = Callable[[Input], Iterator[Item]]
#: Called with every outcome and the place in the input after it.
Watch = Callable[[Outcome, Position], None]

# Starting workers and loading their models costs about a second each: smaller inputs are done faster here.
_WORTH_WORKERS: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes over its input.

    ``workers`` 0: as many as there are cores if the input is large, else none besides this process.
    ``limit`` counts pages, after ``sample`` (0..1), a draw by name that is the same in every run.
    """

    workers: int = 0
    timeout: float | None = None
    limit: int | None = None
    sample: float = 1.0
    columns: Columns = field(default_factory=Columns)
    shard_items: int = SHARD_ITEMS

    def processes(self, inputs: Sequence[Input | Failure]) -> int:
        """How many worker processes to start; 0 to work in this one."""
        if self.workers > 0:
            return self.workers if self.workers > 1 or self.timeout is not None else 0
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        size = 0
        for found in inputs:
            size += (found.size() or 0) * (4 if found.compression else 1) if isinstance(found, Input) else 0
            if size > _WORTH_WORKERS and cores > 1:
                return cores
        return 0 if self.timeout is None else 1


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go: a file, or a folder of shards (``apart``).

    ``remember`` leaves a marker beside a finished file, so that resuming a finished run does nothing.
    """

    path: Path
    format: Format
    apart: bool = False
    resume: bool = False
    errors: Path | None = None

    @property
    def parts(self) -> Path:
        """The folder of the shards."""
        return self.path if self.apart else self.path.with_name(self.path.name + ".parts")

    @property
    def marker(self) -> Path:
        """What says that the run is done."""
        return self.path / "_SUCCESS" if self.apart else self.path.with_name(self.path.name + ".done.json")


def stream(
    job: Job,
    inputs: Sequence[Input | Failure],
    options: Options | None = None,
    *,
    start: Position | None = None,
    reader: Reader | None = None,
) -> Iterator[tuple[Outcome, Position]]:
    """The outcomes of ``job`` over ``inputs``, in order, each with the place in the input after it."""
    options = options or Options()
    places: deque[Position] = deque()
    items = _items(inputs, options, start or Position(), reader or _pages(options), places)
    processes = options.processes(inputs)
    if processes:
        from spamfilter.batch.pool import Pool  # here: one page must not wait for multiprocessing to load

        with Pool(job, processes, options.timeout) as pool:
            for outcome in pool.run(items):
                yield outcome, places.popleft()
    else:
        job.open()
        for some in lists(items):
            for item, outcome in zip(some, job.each(some), strict=True):
                yield job.complete(item, outcome), places.popleft()


def run(
    job: Job,
    inputs: Sequence[Input | Failure],
    output: Output,
    options: Options | None = None,
    *,
    settings: Any = None,
    reader: Reader | None = None,
    watch: Watch | None = None,
) -> Summary:
    """Do ``job`` on every page of ``inputs`` and write the results to ``output``, whole or not at all.

    ``settings`` is what the result depends on besides the inputs (the model, the threshold …): a run is resumed
    only under the same.  Raises OutputError, LockedError and ConfigError; what is wrong with an input is counted.
    """
    options = options or Options()
    done = finished(inputs, output, options, settings)
    if done is not None:
        return done
    fingerprint = _fingerprint(inputs, options, settings, output)
    begun = time.monotonic()
    session: Tally = {}
    with Shards(output.parts, output.format, fingerprint, apart=output.apart, items=options.shard_items) as shards:
        start = shards.begin(resume=output.resume)
        for outcome, position in stream(job, inputs, options, start=start, reader=reader):
            shards.take(outcome, position)
            add(session, outcome.tally)
            if watch is not None:
                watch(outcome, position)
        shards.finish()
        seconds = time.monotonic() - begun
        workers = max(1, options.processes(inputs))
        pages, size = session.get("pages", 0) + session.get("rows", 0), session.get("bytes", 0)
        summary = Summary(shards.total, seconds, pages, size, workers)
        _conclude(shards, output, summary)
    return summary


def _conclude(shards: Shards, output: Output, summary: Summary) -> None:
    if output.errors is not None:
        with writing(output.errors), output.errors.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(failure) + "\n" for failure in shards.failures())
    if not output.apart:
        shards.join(output.path)
    if output.apart or output.resume:
        shards.succeed(output.marker, summary.to_dict())
    else:
        output.marker.unlink(missing_ok=True)
    if not output.apart:
        shards.remove()


def finished(
    inputs: Sequence[Input | Failure], output: Output, options: Options | None = None, settings: Any = None
) -> Summary | None:
    """The summary of the run that is to be resumed, if it is finished already."""
    if not output.resume:
        return None
    fingerprint = _fingerprint(inputs, options or Options(), settings, output)
    try:
        record = json.loads(output.marker.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if record.get("fingerprint") != fingerprint or not output.path.exists():
        return None
    return Summary(record.get("tally") or {})


def _items(
    inputs: Sequence[Input | Failure], options: Options, start: Position, reader: Reader, places: deque[Position]
) -> Iterator[Item]:
    """The wanted items from ``start`` on; ``places`` gets, for each, the position after it."""
    taken = start.taken
    for n in range(start.input, len(inputs)):
        if options.limit is not None and taken >= options.limit:
            return
        skipped = start.items if n == start.input else 0
        for at, item in enumerate(_read(inputs[n], reader), 1):
            if at <= skipped or not _drawn(item, options.sample):
                continue
            if isinstance(item, RawPage):
                if options.limit is not None and taken >= options.limit:
                    return
                taken += 1
            places.append(Position(n, at, taken, _offset(inputs[n], item)))
            yield item


def _offset(found: Input | Failure, item: Item) -> int:
    """The byte at which an item of an archive begins."""
    return item.offset or 0 if isinstance(found, Input) and found.kind == "warc" else 0


def _read(found: Input | Failure, reader: Reader) -> Iterator[Item]:
    if isinstance(found, Failure):
        yield found
    else:
        yield from reader(found)


def _drawn(item: Item, sample: float) -> bool:
    return isinstance(item, Failure) or sample >= 1 or in_sample(f"{item.source}#{item.offset}", sample)


def _pages(options: Options) -> Reader:
    return lambda found: read_pages(found, options.columns)


def _fingerprint(inputs: Sequence[Input | Failure], options: Options, settings: Any, output: Output) -> str:
    kept = (options.limit, options.sample, options.columns.page, options.columns.url, options.shard_items)
    form = (output.format.name, output.format.compression, output.format.columns, output.apart)
    digest = hashlib.sha256(json.dumps([settings, kept, form], default=str, sort_keys=True).encode())
    for found in inputs:
        if isinstance(found, Failure):
            digest.update(f"{found.source}\0-\n".encode("utf-8", "surrogateescape"))
            continue
        if found.path == STDIN and output.resume:
            raise ConfigError("standard input cannot be resumed; save it to a file first, or leave out --resume")
        digest.update(f"{found.path}\0{_state(found)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _state(found: Input) -> str:
    try:
        state = os.stat(found.path)  # noqa: PTH116 - a million of them
    except OSError:
        return "-"
    return f"{state.st_size}:{state.st_mtime_ns}"
