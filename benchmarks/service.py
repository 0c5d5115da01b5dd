"""Load on the moderation service over loopback: latency at a fixed rate, memory, misbehaving clients, kill -9.

    python benchmarks/service.py                          # 300 comment-checks a second for 60 seconds
    python benchmarks/service.py --chaos                  # the same beside misbehaving clients
    python benchmarks/service.py --kill                   # kill -9 under load, five times: nothing acknowledged is lost
    python benchmarks/service.py --rate 100 --seconds 10 --strict

The server runs as a process of its own on one core (where the system can pin processes), this program on another.
Requests are sent at the times planned, whether or not earlier ones were answered, and timed from those times: a
server that falls behind cannot slow the clock.  Before the service, in the same way and for a sixth of the time, a
Starlette application is measured that reads the body and answers "true": on a machine that others use too, processor
time a request, and how many times that of this application it is, are steadier than times of answers.  The machine's
load is printed for the same reason.  ``--chaos`` adds idle connections, half-sent bodies, bodies of 10 MB, bad
encodings, wrong types, unknown keys, and clients that read or write hardly anything.  ``--strict`` ends with code 1
where a figure misses its mark (p99 below 25 ms, no error, memory that grows by less than 3 MB in the second half).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

KEY = "benchmark123"
#: The longest run: benchmarks share their machine.
LONGEST = 60.0
CONNECTIONS = 24
#: Marks for --strict: the 99th percentile in ms, and growth of memory over the second half in MB.
P99, GROWTH = 25.0, 3.0
ARTICLE = (
    "The river rose two metres in a night, and by morning the lower meadows were a lake. Farmers along the bank had "
    "moved their cattle on Sunday, when the gauge at the old mill passed its yellow mark, and nobody was hurt. "
) * 12
COMMENTS = (
    "We had the same at our end of the valley, the mill gauge was under water by five in the morning.",
    "My grandfather always said the meadows belong to the river and we only borrow them.",
    "Thanks for the report. Does anybody know whether the road to the station is open again?",
    "Buy cheap watches and handbags at http://watches-outlet.example free shipping worldwide best price",
    "I earn 900 dollars a day from home, ask me how: http://easy-money.example/start",
    "They may be rented by the day or week and come with an operator where the load is above two tons.",
    "Nice blog! I will bookmark it and share it with my friends, keep up the good work.",
    "The council voted the dike money down twice. Twice! And now everybody is surprised.",
)
#: The least that can be measured: uvicorn and Starlette as the service uses them, with nothing to do.
TRIVIAL = """
import sys
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
import uvicorn
async def check(request):
    await request.body()
    return PlainTextResponse("true")
async def ready(request):
    return PlainTextResponse("ok")
routes = [Route("/1.1/comment-check", check, methods=["POST"]), Route("/readyz", ready)]
uvicorn.run(Starlette(routes=routes), port=int(sys.argv[1]), log_level="warning", access_log=False, ws="none")
"""


def configuration(folder: Path, port: int) -> Path:
    path = folder / "service.toml"
    path.write_text(
        f'[service]\nport = {port}\ndata = "data"\nheader_seconds = 5.0\nbody_seconds = 5.0\n'
        f'[[site]]\nurl = "https://blog.example"\nkeys = ["{KEY}"]\n'
    )
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity") and core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server on the first core, until it is ready and then until the block ends."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), "OPENBLAS_NUM_THREADS": "1"}
    with log.open("ab") as file:
        server = subprocess.Popen(command, env=environment, stderr=file, preexec_fn=lambda: pin(0))
    try:
        until = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    break
            if time.monotonic() > until or server.poll() is not None:
                raise SystemExit(f"the server did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield server
    finally:
        server.terminate()
        server.wait(30)


def service(folder: Path, port: int) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    config = configuration(folder, port)
    return running([sys.executable, "-m", "spamfilter", "serve", str(config)], port, folder / "log.jsonl")


def memory(pid: int) -> float:
    """Resident memory in MB, where the system tells."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def processor(pid: int) -> float:
    """Seconds of processor time used by a process, where the system tells."""
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def form(path: str, fields: dict[str, str]) -> bytes:
    body = urlencode(fields).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def comment_check(n: int, draw: random.Random) -> bytes:
    fields = {
        "api_key": KEY,
        "blog": "https://blog.example",
        "user_ip": f"203.0.113.{n % 250}",
        "permalink": f"https://blog.example/river-{n % 20}",
        "comment_author": f"reader {n % 977}",
        "comment_content": f"{draw.choice(COMMENTS)} {draw.choice(COMMENTS)} ({n})",
    }
    if n < 20:
        fields |= {"comment_post_title": f"The river rose, part {n}", "comment_post_content": ARTICLE + str(n)}
    return form("/1.1/comment-check", fields)


class Client:
    """Connections that are kept open, lent to one request at a time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self.free.put_nowait(None)
        self.times: list[float] = []
        self.errors: list[str] = []

    async def send(self, data: bytes, planned: float) -> None:
        pair = await self.free.get()
        try:
            if pair is None or pair[0].at_eof():  # the server ends connections that are idle for long
                pair = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = pair
            writer.write(data)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            if b" 200 " not in head[:16] or body not in (b"true", b"false"):
                self.errors.append(f"{head[:30]!r} {body!r}")
            self.times.append(time.perf_counter() - planned)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.errors.append(repr(error))
            pair = None
        self.free.put_nowait(pair)

    def close(self) -> None:
        while not self.free.empty():
            if pair := self.free.get_nowait():
                pair[1].close()


@dataclass(slots=True)
class Run:
    """What came of one load."""

    times: list[float]
    errors: list[str]
    processor: float
    memory: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        return {
            "answered": len(self.times),
            "errors": len(self.errors),
            **({"first_errors": self.errors[:3]} if self.errors else {}),
            **{f"p{share}_ms": round(percentile(self.times, share / 100), 2) for share in (50, 95, 99)},
            "max_ms": round(max(self.times) * 1000, 2),
            "processor_ms_a_request": round(self.processor / max(1, len(self.times)) * 1000, 3),
        }

    @property
    def growth(self) -> float:
        """MB by which memory grew in the second half of the time."""
        return self.memory[-1] - self.memory[len(self.memory) // 2] if self.memory else 0.0


def percentile(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


async def load(port: int, rate: float, seconds: float, pid: int) -> Run:
    client, draw, held = Client(port), random.Random(7), []
    for n in range(20):  # the articles, and a warm start
        await client.send(comment_check(n, draw), time.perf_counter())
    client.times.clear()
    begun, used, tasks = time.perf_counter(), processor(pid), set()
    total = int(rate * seconds)
    for n in range(total):
        planned = begun + n / rate
        if (wait := planned - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(client.send(comment_check(20 + n, draw), planned))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if n % max(1, total // 12) == 0:
            held.append(round(memory(pid), 1))
    await asyncio.gather(*tasks)
    held.append(round(memory(pid), 1))
    used = processor(pid) - used
    client.close()
    return Run(client.times, client.errors, used, held)


FORM, JSON_TYPE = b"application/x-www-form-urlencoded", b"application/json"


def head(kind: bytes = FORM, path: bytes = b"/1.1/comment-check") -> bytes:
    return (
        b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n"
        b"Content-Type: " + kind + b"\r\n"
    )


def post(body: bytes, begin: bytes = head(), length: int | None = None) -> bytes:
    said = len(body) if length is None else length
    return begin + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % said + body


def rude() -> list[tuple[str, int, bytes, float, tuple[str, ...]]]:
    """Name, how many, what is sent, seconds between its bytes (0: at once), what may come of it."""
    chunks = (b"100000\r\n" + b"a" * 2**20 + b"\r\n") * 10 + b"0\r\n\r\n"
    fields = f"api_key={KEY}&blog=b&user_ip=1&comment_content=".encode()
    lengths = b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
    return [
        ("idle", 1000, b"", 0.0, ("dropped",)),
        ("half a head", 20, head(), 0.0, ("dropped",)),
        ("half a body", 20, post(b"api_key=x", length=5000), 0.0, ("408",)),
        ("10 MB", 5, post(b"a" * 10_000_000), 0.0, ("413", "dropped")),
        ("10 MB in chunks", 5, head() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, 0.0, ("413", "dropped")),
        ("head of 1 MB", 5, head() + b"X-A: " + b"a" * 1_000_000, 0.0, ("400", "dropped")),
        ("one byte at a time", 20, post(b"a=b"), 0.05, ("200", "408", "dropped")),
        ("bad encoding", 20, post(fields + b"%FF%FE%00\xc3\x28\xed\xa0\x80"), 0.0, ("200",)),
        ("wrong type", 20, post(b"\xff\xfe\x00\x01", head(b"application/pdf")), 0.0, ("200",)),
        ("broken multipart", 20, post(b"--x\r\nno", head(b"multipart/form-data; boundary=x")), 0.0, ("200",)),
        ("unknown key", 20, post(fields.replace(KEY.encode(), b"unknownunkno") + b"x"), 0.0, ("200",)),
        ("broken JSON", 20, post(b'{"comment": ' + b"[" * 20_000, head(JSON_TYPE, b"/v1/score")), 0.0, ("400",)),
        ("not HTTP", 5, b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 0.0, ("400", "dropped")),
        ("a length that is none", 5, head() + b"Content-Length: nonsense\r\n\r\n", 0.0, ("400",)),
        ("two lengths", 5, head() + lengths, 0.0, ("400",)),
    ]


async def misbehave(port: int, seconds: float) -> tuple[dict[str, int], list[str]]:
    """Clients that should be answered or dropped, and harm nobody: what came of them, and what should not have."""
    ended: Counter[str] = Counter()
    wrong: set[str] = set()

    async def one(name: str, data: bytes, pause: float, fine: tuple[str, ...]) -> None:
        try:
            result = await asyncio.wait_for(_one(port, data, pause), seconds)
        except TimeoutError:
            result = "still open"
        except OSError:
            result = "dropped"
        ended[f"{name}: {result}"] += 1
        if result not in fine:
            wrong.add(f"{name}: {result}")

    await asyncio.gather(*(one(name, data, pause, fine) for name, n, data, pause, fine in rude() for _ in range(n)))
    return dict(ended), sorted(wrong)


async def _one(port: int, data: bytes, pause: float) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in [data] if not pause else [data[i : i + 1] for i in range(len(data))]:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause)
    answer = await reader.read(4096)
    writer.close()
    return answer[9:12].decode() or "dropped"


async def measure(port: int, pid: int, options: argparse.Namespace) -> tuple[Run, dict[str, Any], list[str]]:
    chaos = asyncio.create_task(misbehave(port, options.seconds)) if options.chaos else None
    run = await load(port, options.rate, options.seconds, pid)
    if chaos is None:
        return run, {}, []
    ended, wrong = await chaos
    return run, {"misbehaving": ended}, wrong


async def feed_until_killed(port: int, acknowledged: list[str], kill: Callable[[], None], after: int) -> None:
    """Feedback and checks from several clients at once until ``after`` were acknowledged, then ``kill``."""

    async def tell(worker: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for n in range(100_000):
            text = f"client {worker} says number {n}"
            fields = {"api_key": KEY, "blog": "https://blog.example", "user_ip": "203.0.113.7", "comment_content": text}
            writer.write(form("/1.1/submit-spam" if n % 3 else "/1.1/comment-check", fields))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if (await reader.readexactly(length)).startswith(b"Thanks"):
                acknowledged.append(text)
                if len(acknowledged) >= after:
                    kill()

    await asyncio.gather(*(tell(worker) for worker in range(8)), return_exceptions=True)


def killed(times: int) -> tuple[dict[str, Any], list[str]]:
    """kill -9 in the middle of feedback, restart on the same files, again: every acknowledged text is stored."""
    from spamfilter.labels import LabelStore

    acknowledged: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for n in range(times):
            port = free_port()
            with service(folder, port) as server:
                after = len(acknowledged) + 200 + 37 * n
                asyncio.run(feed_until_killed(port, acknowledged, partial(server.send_signal, signal.SIGKILL), after))
                server.wait()
        with LabelStore.open(folder / "data" / "labels.db") as store:
            stored = {row["text"] for row in store.to_rows()}
            store.check()
    lost = sorted(set(acknowledged) - stored)
    figures = {"kills": times, "acknowledged": len(acknowledged), "lost": len(lost)}
    return figures, [f"lost: {text}" for text in lost[:3]]


def trivial(rate: float, seconds: float, folder: Path) -> Run:
    port = free_port()
    with running([sys.executable, "-c", TRIVIAL, str(port)], port, folder / "trivial.log") as server:
        return asyncio.run(load(port, rate, seconds, server.pid))


def latency(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        least = trivial(options.rate, options.seconds / 6, folder)
        with service(folder, port) as server:
            run, more, wrong = asyncio.run(measure(port, server.pid, options))
    out: dict[str, Any] = {"rate": options.rate, "seconds": options.seconds, **run.figures(), "memory_mb": run.memory}
    out |= {"memory_growth_of_second_half_mb": round(run.growth, 1), **more}
    ratio = (run.processor / len(run.times)) / max(1e-9, least.processor / len(least.times))
    out |= {"trivial": least.figures(), "times_the_processor_time_of_trivial": round(ratio, 2)}
    out |= {"machine_load": [round(n, 2) for n in os.getloadavg()]}
    if (p99 := percentile(run.times, 0.99)) >= P99:
        wrong.append(f"p99 of {p99:.1f} ms, not below {P99:g}")
    if run.growth >= GROWTH:
        wrong.append(f"memory grew by {run.growth:.1f} MB in the second half")
    return out, [*wrong, *run.errors[:3]]


def _laid_out(figures: dict[str, Any]) -> str:
    """JSON, a line for each figure."""
    return "{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in figures.items()) + "\n}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, default=300.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60.0, help=f"how long, at most {LONGEST:g}")
    parser.add_argument("--chaos", action="store_true", help="with misbehaving clients beside")
    parser.add_argument("--kill", action="store_true", help="kill -9 under load instead")
    parser.add_argument("--strict", action="store_true", help="end with code 1 where a figure misses its mark")
    options = parser.parse_args()
    options.seconds = min(options.seconds, LONGEST)
    pin(1)
    figures, wrong = killed(5) if options.kill else latency(options)
    print(_laid_out(figures | {"wrong": wrong}))
    if options.strict and wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
