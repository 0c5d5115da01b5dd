"""The service in a thread, and Debian's Chromium before it.

Where a browser, its driver or a package is missing the tests of this folder are skipped; with
SPAMFILTER_REQUIRE_BROWSER=1, as CI sets it, they fail.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from spamfilter.labels import LabelStore
from spamfilter.store import models_folder

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1300,900"
).split()
KEY, PASSWORD, COMMENTS = "browserbrows", "a long password", 24
ARTICLE = "The old lighthouse keeper painted the tower white every spring, before the first ships of the year. " * 6
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> {}"


def lacking() -> str | None:
    """What is not on this machine."""
    packages = [name for name in ("selenium", "uvicorn", "jinja2") if importlib.util.find_spec(name) is None]
    programs = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if packages or programs:
        return f"the moderation page is tried in a browser; this machine lacks {', '.join(packages + programs)}"
    return None if (models_folder() / "CURRENT").is_file() else "no model in models/"


@pytest.fixture(autouse=True)
def _needs() -> None:
    if reason := lacking():
        if os.environ.get("SPAMFILTER_REQUIRE_BROWSER"):
            pytest.fail(f"{reason} (SPAMFILTER_REQUIRE_BROWSER is set)")
        pytest.skip(reason)


class Site:
    """The service in a thread, with every comment unsure."""

    def __init__(self, folder: Path, more: str = "") -> None:
        import uvicorn

        from spamfilter.service import create_app, load_settings
        from spamfilter.service.keys import hash_password

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.url, self.labels = f"http://127.0.0.1:{port}", folder / "data" / "labels.db"
        config = folder / "service.toml"
        config.write_text(
            f'[service]\ndata = "data"\n{more}\n[[site]]\nurl = "https://blog.example"\nkeys = ["{KEY}"]\n'
            "[site.policy]\nunsure_cutoff = 0.0\nspam_cutoff = 1.0\n"
            f'[[moderator]]\nname = "ana"\npassword = "{hash_password(PASSWORD)}"\n'
        )
        app = create_app(load_settings(config, {}))
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.05)
        texts = [EVIL.format(n) if n % 6 == 0 else f"Spring number {n} at the lighthouse" for n in range(COMMENTS)]
        self.receive([{"text": text, "author": f"Reader {n} <b>"} for n, text in enumerate(texts)])

    def receive(self, comments: list[dict[str, str]]) -> list[dict[str, Any]]:
        """Let comments be judged, as a client would."""
        place = {"permalink": "https://blog.example/tower", "title": "White paint", "article": ARTICLE}
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        body = json.dumps({"comments": comments, **place}).encode()
        with urlopen(Request(f"{self.url}/v1/score", body, headers), timeout=20) as answer:
            results: list[dict[str, Any]] = json.load(answer)["results"]
        time.sleep(0.5)  # they are written a moment later
        return results

    def rows(self) -> list[dict[str, Any]]:
        with LabelStore.open(self.labels, readonly=True) as store:
            return list(store.to_rows())

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)


@pytest.fixture
def site(_needs: None, tmp_path: Path) -> Iterator[Site]:
    running = Site(tmp_path)
    yield running
    running.close()


@pytest.fixture
def browser(_needs: None, tmp_path: Path) -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()
