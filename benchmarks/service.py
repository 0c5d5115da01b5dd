"""Load on the moderation service over loopback: latency at a fixed rate, memory, misbehaving clients.

    python benchmarks/service.py                          # 300 comment-checks a second for 60 seconds
    python benchmarks/service.py --rate 100 --seconds 10 --chaos

The server runs as a process of its own on one core (where the system can pin processes), this program on another.
Requests are sent at the times planned, whether or not earlier ones were answered, and timed from those times: a
server that falls behind cannot slow the clock.  ``--chaos`` adds idle connections, half-sent bodies, bodies of 10 MB
and clients that read and write one byte at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

KEY = "benchmark123"
#: The longest run: benchmarks share their machine.
LONGEST = 60.0
CONNECTIONS = 24
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


def configuration(folder: Path, port: int) -> Path:
    path = folder / "service.toml"
    path.write_text(
        f'[service]\nport = {port}\ndata = "data"\nlog_level = "warning"\nheader_seconds = 5.0\nbody_seconds = 5.0\n'
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


def start(config: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "spamfilter", "serve", str(config)]
    root = Path(__file__).resolve().parents[1]
    server = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"}, preexec_fn=lambda: pin(0)
    )
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            if answer.status == 200:
                return server
        time.sleep(0.1)
    server.kill()
    raise SystemExit("the server did not start")


def memory(pid: int) -> float:
    """Resident memory in MB, where the system tells."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def request(n: int, draw: random.Random) -> bytes:
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
    body = urlencode(fields).encode()
    head = (
        "POST /1.1/comment-check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


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


async def load(port: int, rate: float, seconds: float, pid: int) -> tuple[Client, list[float]]:
    client, draw, held = Client(port), random.Random(7), []
    for n in range(20):  # the articles, and a warm start
        await client.send(request(n, draw), time.perf_counter())
    client.times.clear()
    begun, tasks = time.perf_counter(), set()
    total = int(rate * seconds)
    for n in range(total):
        planned = begun + n / rate
        if (wait := planned - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(client.send(request(20 + n, draw), planned))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if n % max(1, total // 12) == 0:
            held.append(memory(pid))
    await asyncio.gather(*tasks)
    return client, held


async def misbehave(port: int, seconds: float) -> dict[str, int]:
    """Clients that should be answered or dropped, and harm nobody."""
    ended: dict[str, int] = {}
    head = b"POST /1.1/comment-check HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"

    async def one(kind: str, data: bytes, drip: float = 0.0) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for part in [data] if not drip else [data[i : i + 1] for i in range(len(data))]:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(drip)
            answer = await asyncio.wait_for(reader.read(4096), seconds)
            result = answer[9:12].decode() or "dropped"
            writer.close()
        except TimeoutError:
            result = "still open"
        except OSError:
            result = "dropped"
        ended[f"{kind}: {result}"] = ended.get(f"{kind}: {result}", 0) + 1

    half = head + b"Content-Length: 5000\r\n\r\napi_key=x"
    large = head + b"Content-Length: 10000000\r\n\r\n" + b"a" * 10_000_000
    wrong = head.replace(b"x-www-form-urlencoded", b"pdf") + b"Content-Length: 4\r\n\r\n\xff\xfe\x00\x01"
    tasks = [one("idle", b"") for _ in range(1000)]
    tasks += [one("half-sent", half) for _ in range(20)] + [one("10 MB", large) for _ in range(5)]
    tasks += [one("one byte at a time", head + b"Content-Length: 3\r\n\r\na=b", 0.1) for _ in range(20)]
    tasks += [one("wrong type", wrong) for _ in range(20)] + [one("not HTTP", b"\x16\x03\x01\x02\x00\x01\r\n\r\n")]
    await asyncio.gather(*tasks)
    return ended


def percentile(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


async def run(port: int, pid: int, options: argparse.Namespace) -> dict[str, object]:
    chaos = asyncio.create_task(misbehave(port, options.seconds)) if options.chaos else None
    client, held = await load(port, options.rate, options.seconds, pid)
    out: dict[str, object] = {
        "rate": options.rate,
        "seconds": options.seconds,
        "answered": len(client.times),
        "errors": len(client.errors),
        **{f"p{share}_ms": round(percentile(client.times, share / 100), 2) for share in (50, 95, 99)},
        "max_ms": round(max(client.times) * 1000, 2),
        "memory_mb": f"{held[0]:.1f} at first, {held[len(held) // 2]:.1f}, {held[-1]:.1f} at last",
    }
    if client.errors:
        out["first_errors"] = client.errors[:3]
    if chaos is not None:
        out["misbehaving"] = await chaos
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--chaos", action="store_true")
    options = parser.parse_args()
    options.seconds = min(options.seconds, LONGEST)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = start(configuration(Path(folder), port), port)
        pin(1)
        try:
            result = asyncio.run(run(port, server.pid, options))
            stat = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
            result["server_cpu_seconds"] = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
            print(json.dumps(result, indent=1))
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main()
