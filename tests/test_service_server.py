"""The service as a process, with the model that ships: real Akismet clients, rude clients, SIGTERM and SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")
pytest.importorskip("jinja2", reason="the extra serve is not installed")

from spamfilter.labels import LabelStore
from spamfilter.service.config import Fetch
from spamfilter.service.fetching import NotFetched, fetch, is_public
from spamfilter.store import ModelsFolder, models_folder

ROOT = Path(__file__).resolve().parents[1]
KEY = "k3yk3yk3yk3y"
pytestmark = pytest.mark.skipif(not (models_folder() / "CURRENT").is_file(), reason="no model in models/")


#: ``spamfilter`` where neither httptools nor uvloop is installed.
PLAIN = "import sys; sys.modules |= {'httptools': None, 'uvloop': None}; from spamfilter.cli import main; main()"


class Server:
    """A running ``spamfilter serve``."""

    def __init__(self, folder: Path, more: str = "", *, plain: bool = False) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.folder, self.url = folder, f"http://127.0.0.1:{self.port}"
        path = folder / "service.toml"
        path.write_text(
            f'[service]\nport = {self.port}\ndata = "data"\nheader_seconds = 1.0\nbody_seconds = 1.0\n{more}\n'
            f'[[site]]\nurl = "https://blog.example"\nkeys = ["{KEY}"]\n'
        )
        how = ["-c", PLAIN] if plain else ["-m", "spamfilter"]
        command = [sys.executable, *how, "serve", str(path)]
        self.log = folder / "log.jsonl"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=log)
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError), urlopen(f"{self.url}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def post(self, path: str, timeout: float = 5, **fields: str) -> bytes:
        body = urlencode({"api_key": KEY, "blog": "https://blog.example", **fields}).encode()
        with urlopen(Request(f"{self.url}{path}", body), timeout=timeout) as answer:
            return bytes(answer.read())

    def raw(self, data: bytes, wait: float = 5.0) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            out = b""
            with contextlib.suppress(OSError):
                while part := connection.recv(65_536):
                    out += part
            return out

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("service"))
    yield running
    running.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.close()


def check(server: Server, text: str = "What a fine morning on the lake") -> bytes:
    return server.post("/1.1/comment-check", user_ip="203.0.113.7", comment_content=text)


class TestPyPIClient:
    """The PyPI package ``akismet``, whose address is fixed: only the transport is turned round."""

    SPAM = "akismet-guaranteed-spam"

    def test_sync(self, server: Server) -> None:
        akismet, httpx = pytest.importorskip("akismet"), pytest.importorskip("httpx")

        class Here(httpx.HTTPTransport):  # type: ignore[misc,name-defined]
            def handle_request(self, request: Any) -> Any:
                request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=server.port)
                return super().handle_request(request)

        config = akismet.Config(key=KEY, url="https://blog.example")
        with httpx.Client(mounts={"https://rest.akismet.com": Here()}, timeout=5) as http:
            client = akismet.SyncClient.validated_client(config=config, http_client=http)
            assert client.comment_check("203.0.113.7", comment_content="A quiet evening, thank you") == 0
            assert client.comment_check("203.0.113.7", comment_content="x", comment_author=self.SPAM) == 1
            assert client.submit_spam("203.0.113.7", comment_content="sold by the sync client")
            assert client.submit_ham("203.0.113.7", comment_content="said by the sync client")
            assert client.usage_limit()["limit"] == "none"
            assert not client.verify_key("wrong", "https://blog.example")
            bad = akismet.SyncClient(config=akismet.Config(key="wrong", url="https://x.example"), http_client=http)
            with pytest.raises(akismet.APIKeyError):
                bad.comment_check("203.0.113.7", comment_content="x")

    def test_async(self, server: Server) -> None:
        akismet, httpx = pytest.importorskip("akismet"), pytest.importorskip("httpx")

        class Here(httpx.AsyncHTTPTransport):  # type: ignore[misc,name-defined]
            async def handle_async_request(self, request: Any) -> Any:
                request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=server.port)
                return await super().handle_async_request(request)

        async def talk() -> None:
            config = akismet.Config(key=KEY, url="https://blog.example")
            async with httpx.AsyncClient(mounts={"https://rest.akismet.com": Here()}, timeout=5) as http:
                client = await akismet.AsyncClient.validated_client(config=config, http_client=http)
                assert await client.comment_check("203.0.113.7", comment_content="A quiet evening") == 0
                assert await client.comment_check("203.0.113.7", comment_content="x", comment_author=self.SPAM) == 1
                assert await client.submit_spam("203.0.113.7", comment_content="sold by the async client")

        asyncio.run(talk())


NODE = """
import { Author, Blog, CheckResult, Client, Comment } from "@cedx/akismet";
const blog = new Blog({ charset: "UTF-8", languages: ["en"], url: "https://blog.example" });
const client = new Client(process.argv[2], blog, { baseUrl: process.argv[3] });
const author = (name) => new Author({ ipAddress: "203.0.113.7", name, userAgent: "Test" });
const ham = new Comment({ author: author("Ida"), content: "A quiet evening, thank you", context: ["lake", "evening"] });
const spam = new Comment({ author: author("akismet-guaranteed-spam"), content: "x" });
const out = { valid: await client.verifyKey(), ham: await client.checkComment(ham) === CheckResult.ham,
  spam: await client.checkComment(spam) === CheckResult.spam };
await client.submitSpam(ham); await client.submitHam(ham);
out.wrong = await new Client("wrong", blog, { baseUrl: process.argv[3] }).verifyKey();
console.log(JSON.stringify(out));
"""


def test_npm_client(server: Server, tmp_path: Path) -> None:
    modules = os.environ.get("SPAMFILTER_TEST_NODE_MODULES", "")
    if not shutil.which("node") or not (Path(modules) / "@cedx" / "akismet").is_dir():
        lacking = "needs node and @cedx/akismet; name its node_modules in SPAMFILTER_TEST_NODE_MODULES"
        if os.environ.get("SPAMFILTER_REQUIRE_NODE"):
            pytest.fail(lacking)
        pytest.skip(lacking)
    (tmp_path / "node_modules").symlink_to(modules)
    script = tmp_path / "talk.mjs"
    script.write_text(NODE)
    command = ["node", str(script), KEY, server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"valid": True, "ham": True, "spam": True, "wrong": False}


def test_wire_form_of_wordpress(server: Server) -> None:
    """HTTP/1.0, the key in the body, the server's variables and the form's fields along with the comment."""
    fields = {
        "comment_post_ID": "7",
        "comment_author": "Ida",
        "comment_author_email": "ida@mail.example",
        "comment_author_url": "",
        "comment_content": "A quiet evening, thank you\r\nfor the pictures \\'of\\' the lake",
        "comment_type": "",
        "user_ID": "0",
        "user_ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "referrer": "https://blog.example/?p=7",
        "blog": "https://blog.example",
        "blog_lang": "en_US",
        "blog_charset": "UTF-8",
        "permalink": "https://blog.example/lake/",
        "is_test": "0",
        "akismet_comment_nonce": "inactive",
        "POST_comment": "A quiet evening",
        "HTTP_ACCEPT": "*/*",
        "REMOTE_ADDR": "203.0.113.7",
        "comment_context[]": "lake",
        "api_key": KEY,
    }
    body = urlencode(fields).encode()
    head = (
        "POST /1.1/comment-check HTTP/1.0\r\nHost: rest.akismet.com\r\nUser-Agent: WordPress/6.9 | Akismet/5.6\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = server.raw(head.encode() + body)
    head_of, _, text = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head_of.splitlines()[0]
    assert text == b"false"
    assert b"x-akismet-debug-help" not in head_of.lower()


POST = b"POST /1.1/comment-check HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module", params=[False, True], ids=["with httptools and uvloop", "without"])
def either_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not request.param:
        pytest.importorskip("httptools")
    running = Server(tmp_path_factory.mktemp("service"), plain=request.param)
    yield running
    running.close()


class TestRudeClients:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (POST + b"Content-Length: 500\r\n\r\napi_key=", b" 408 "),  # half a body
            (POST + b"Content-Length: 10000000\r\n\r\n" + b"a" * 10_000_000, b" 413 "),
            (POST + b"Content-Length: 90000000\r\n\r\n" + b"a", b" 413 "),
            (POST + b"Content-Length: nonsense\r\n\r\n", b" 400 "),
            (POST + b"Content-Length: 4\r\nConnection: close\r\n\r\n\xff\xfe\x00\x01", b" 200 "),
            (
                POST.replace(b"x-www-form-urlencoded", b"pdf") + b"Content-Length: 1\r\nConnection: close\r\n\r\nx",
                b" 200 ",
            ),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b" 400 "),  # TLS where none is spoken
            (b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000, b" 400 "),
            (POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", b""),
        ],
    )
    def test_answered_or_dropped(self, either_server: Server, data: bytes, expected: bytes) -> None:
        answer = either_server.raw(data)
        assert expected in answer[:20]
        assert check(either_server) == b"false"

    def test_silent_and_dripping_connections_end(self, either_server: Server) -> None:
        begun = time.monotonic()
        assert either_server.raw(b"") == b""
        assert either_server.raw(b"GET / HTTP/1.1\r\nHo") == b""
        assert 1.0 < time.monotonic() - begun < 8

    def test_who_does_not_read_is_dropped(self, either_server: Server) -> None:
        times = 1000
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", either_server.port))
            connection.settimeout(5)
            connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * times)
            time.sleep(2.5)  # the limit is one second
            read = bytearray()
            with contextlib.suppress(ConnectionError):
                while part := connection.recv(1_000_000):
                    read += part
        assert 0 < read.count(b" 200 OK") < times
        assert check(either_server) == b"false"

    def test_a_thousand_idle_connections_harm_nobody(self, either_server: Server) -> None:
        held = []
        try:
            with contextlib.suppress(OSError):  # where the system allows fewer
                for _ in range(1000):
                    held.append(socket.create_connection(("127.0.0.1", either_server.port)))
            begun = time.monotonic()
            assert check(either_server) == b"false"
            assert time.monotonic() - begun < 1.0
        finally:
            for connection in held:
                connection.close()


def test_killed_under_load_no_acknowledged_feedback_is_lost(own_server: Server) -> None:
    acknowledged: list[str] = []
    stop = threading.Event()

    def send(worker: int) -> None:
        for n in range(10_000):
            if stop.is_set():
                return
            text = f"worker {worker} says number {n}"
            try:
                if own_server.post("/1.1/submit-spam", comment_content=text).startswith(b"Thanks"):
                    acknowledged.append(text)
            except (OSError, HTTPException):
                return

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 60:
        time.sleep(0.01)
    own_server.process.send_signal(signal.SIGKILL)
    own_server.process.wait()
    stop.set()
    for thread in threads:
        thread.join()
    with LabelStore.open(own_server.folder / "data" / "labels.db") as store:
        stored = {row["text"] for row in store.to_rows()}
        store.check()
    assert set(acknowledged) <= stored


def test_sigterm_answers_what_is_under_way(own_server: Server) -> None:
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(check(own_server, "lake " * 2000))) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    own_server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert own_server.process.wait(20) == 0
    assert all(answer in (b"true", b"false") for answer in answers)
    lines = [json.loads(line) for line in own_server.log.read_text().splitlines()]
    assert lines[-1]["message"] == "service stopped"


class TestFetching:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "::1",
            "fe80::1%eth0",
            "fc00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "nonsense",
        ],
    )
    def test_private_addresses(self, address: str) -> None:
        assert not is_public(address)

    def test_public_addresses(self) -> None:
        assert is_public("93.184.215.14") and is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://other.example/x", "own host"),
            ("ftp://blog.example/x", "only http"),
            ("http://user:pass@blog.example/x", "without user name"),
            ("http://blog.example:6379/x", "port"),
            ("http://[", "not an address"),
        ],
    )
    def test_only_the_sites_own_host(self, url: str, reason: str) -> None:
        with pytest.raises(NotFetched, match=reason):
            fetch(url, "http://blog.example", Fetch(allowed=True))

    def test_no_private_network(self) -> None:
        with pytest.raises(NotFetched, match="public Internet"):
            fetch("http://localhost/x", "http://localhost", Fetch(allowed=True))


class _Pages:
    """A web server on loopback that answers as told."""

    def __init__(self, answer: bytes, pause: float = 0.0) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._answer, self._pause = answer, pause
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65_536)
                    for at in range(0, len(self._answer), 20_000):
                        connection.sendall(self._answer[at : at + 20_000])
                        time.sleep(self._pause)

    def close(self) -> None:
        self._socket.close()


def _http(status: str, headers: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "pause", "reason"),
    [
        (_http("200 OK", "Content-Type: image/png", b"x"), 0, "not a page"),
        (_http("200 OK", "Content-Type: text/html", b"x" * 300_000), 0, "larger than"),
        (_http("200 OK", "Content-Type: text/html", b"x" * 90_000), 0.4, "too long|timed out"),
        (_http("302 Found", "Location: http://169.254.169.254/latest/meta-data"), 0, "own host"),
        (_http("302 Found", "Location: /again"), 0, "redirects"),
        (_http("404 Not Found", "Content-Type: text/html"), 0, "404"),
        (b"nonsense\r\n\r\n", 0, "did not answer"),
    ],
)
def test_what_a_fetch_refuses(answer: bytes, pause: float, reason: str) -> None:
    pages = _Pages(answer, pause)
    try:
        limits = Fetch(allowed=True, private_addresses=True, max_bytes=200_000, seconds=1.0)
        with pytest.raises(NotFetched, match=reason):
            fetch(f"{pages.url}/x", pages.url, limits)
    finally:
        pages.close()


def test_an_article_is_fetched_where_the_operator_allows_it(tmp_path: Path) -> None:
    text = "The ferry to the island runs twice a day in winter, and the council wants a third crossing. " * 8
    body = f"<body><article><h1>Ferries</h1><p>{text}</p></article></body>"
    html = f"<html><head><title>Ferries</title></head>{body}</html>"
    pages = _Pages(_http("200 OK", "Content-Type: text/html; charset=utf-8", html.encode()))
    running = Server(tmp_path, "[fetch]\nallowed = true\nprivate_addresses = true")
    try:
        config = tmp_path / "service.toml"
        config.write_text(config.read_text().replace("https://blog.example", pages.url))
        running.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        running.post("/1.1/comment-check", user_ip="1", permalink=f"{pages.url}/ferry", comment_content="casino")
        with LabelStore.open(tmp_path / "data" / "labels.db") as store:
            until = time.monotonic() + 5
            found = None
            while found is None and time.monotonic() < until:
                found = store.article_for(f"{pages.url}/ferry", site=pages.url)
                time.sleep(0.05)
        assert found is not None and found.article is not None and "third crossing" in found.article
    finally:
        running.close()
        pages.close()


def test_a_promoted_model_is_taken_up_without_a_lost_request(tmp_path: Path) -> None:
    models = tmp_path / "models"
    shipped = models_folder() / (models_folder() / "CURRENT").read_text().strip()
    for name in ("first", "second"):
        shutil.copytree(shipped, models / name)
    manifest = json.loads((models / "second" / "manifest.json").read_text())
    (models / "second" / "manifest.json").write_text(json.dumps({**manifest, "version": "promoted"}))
    (models / "CURRENT").write_text("first\n")
    running = Server(tmp_path, f'model = "{models}"\nreload_seconds = 0.1')
    try:
        answers: list[bytes] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                answers.append(check(running))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        ModelsFolder(models).promote("second")
        until = time.monotonic() + 20
        while "promoted" not in urlopen(f"{running.url}/metrics", timeout=5).read().decode():
            assert time.monotonic() < until
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        assert len(answers) > 3 and set(answers) == {b"false"}
    finally:
        running.close()
