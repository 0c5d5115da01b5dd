"""The moderation page in a real browser: decide by keyboard and mouse, undo, reload; scripts in comments never run."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("selenium", reason="needs the package selenium")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")
pytest.importorskip("jinja2", reason="the extra serve is not installed")

import uvicorn
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from spamfilter.labels import LabelStore
from spamfilter.service import create_app, load_settings
from spamfilter.service.keys import hash_password
from spamfilter.store import models_folder

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
    pytest.mark.skipif(not (models_folder() / "CURRENT").is_file(), reason="no model in models/"),
]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1300,900"
).split()
KEY, PASSWORD, COMMENTS = "browserbrows", "a long password", 24
ARTICLE = "The old lighthouse keeper painted the tower white every spring, before the first ships of the year. " * 6
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> {}"


class Site:
    """The service in a thread, with every comment unsure."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.url, self.labels = f"http://127.0.0.1:{port}", folder / "data" / "labels.db"
        config = folder / "service.toml"
        config.write_text(
            f'[service]\ndata = "data"\n[[site]]\nurl = "https://blog.example"\nkeys = ["{KEY}"]\n[site.policy]\n'
            "unsure_cutoff = 0.0\nspam_cutoff = 1.0\n"
            f'[[moderator]]\nname = "ana"\npassword = "{hash_password(PASSWORD)}"\n'
        )
        app = create_app(load_settings(config, {}))
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.05)
        self._fill()

    def _fill(self) -> None:
        texts = [EVIL.format(n) if n % 6 == 0 else f"Spring number {n} at the lighthouse" for n in range(COMMENTS)]
        comments = [{"text": text, "author": f"Reader {n} <b>"} for n, text in enumerate(texts)]
        body = {
            "comments": comments,
            "permalink": "https://blog.example/tower",
            "title": "White paint",
            "article": ARTICLE,
        }
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        with urlopen(Request(f"{self.url}/v1/score", json.dumps(body).encode(), headers), timeout=20) as answer:
            assert len(json.load(answer)["results"]) == COMMENTS
        time.sleep(0.5)

    def rows(self) -> list[dict[str, Any]]:
        with LabelStore.open(self.labels, readonly=True) as store:
            return list(store.to_rows())

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    running = Site(tmp_path)
    yield running
    running.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def sign_in(browser: Any, site: Site) -> None:
    browser.get(site.url)
    browser.find_element(By.NAME, "name").send_keys("ana")
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "button.primary").click()


def waiting(browser: Any) -> int:
    return int(browser.find_element(By.CSS_SELECTOR, ".filters summary b").text)


def after(browser: Any, n: int) -> None:
    """Wait until ``n`` comments wait."""
    from selenium.common.exceptions import WebDriverException

    def shown(driver: Any) -> bool:
        try:
            return waiting(driver) == n
        except WebDriverException:  # between two pages
            return False

    WebDriverWait(browser, 10, 0.05).until(shown)


def press(browser: Any, key: str) -> None:
    browser.find_element(By.TAG_NAME, "body").send_keys(key)


def test_twenty_decisions_undo_reload(site: Site, browser: Any) -> None:
    sign_in(browser, site)
    after(browser, COMMENTS)
    for n in range(10):
        press(browser, "s" if n % 2 else "a")
        after(browser, COMMENTS - n - 1)
    for n in range(10, 20):
        browser.find_element(By.ID, "spam" if n % 2 else "approve").click()
        after(browser, COMMENTS - n - 1)
    assert [row["label"] for row in site.rows()] == ["ham", "spam"] * 10
    assert {(row["who"], row["look"], row["site"]) for row in site.rows()} == {("ana", "shown", "blog.example")}
    press(browser, "u")
    after(browser, COMMENTS - 19)
    browser.refresh()
    after(browser, COMMENTS - 19)
    rows = site.rows()
    assert len(rows) == 19
    assert all(row["title"] == "White paint" and row["article"].startswith("The old lighthouse") for row in rows)


def test_nothing_of_a_comment_runs_and_nothing_is_loaded_from_elsewhere(site: Site, browser: Any) -> None:
    sign_in(browser, site)
    seen = 0
    for path in ("/queue", "/history", "/overview", "/decisions", "/docs", "/queue?q=script"):
        browser.get(site.url + path)
        seen += "document.title=" in browser.find_element(By.TAG_NAME, "body").text
        assert "owned" not in browser.title
        loaded = browser.execute_script("return performance.getEntriesByType('resource').map(r => r.name)")
        assert all(name.startswith(site.url + "/static/") for name in loaded)
        assert browser.execute_script("return document.querySelectorAll('main img, main script, main b b').length") == 0
    assert seen >= 2
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []


def test_a_phone_shows_it_without_scrolling_sideways(site: Site, browser: Any) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    sign_in(browser, site)
    for path in ("/queue", "/history", "/overview", "/decisions", "/docs"):
        browser.get(site.url + path)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= 360, f"{path} is {width} pixels wide"


def test_keyboard_moves_search_and_labels(site: Site, browser: Any) -> None:
    sign_in(browser, site)
    first = browser.find_element(By.ID, "comment-title").text
    press(browser, "j")
    WebDriverWait(browser, 10).until(lambda b: b.find_element(By.ID, "comment-title").text != first)
    press(browser, "/")
    search = browser.switch_to.active_element
    assert search.get_attribute("id") == "search"
    search.send_keys("number 7 at\n")
    after(browser, 1)
    unlabelled = """return [...document.querySelectorAll('input:not([type=hidden]), select')]
        .filter(field => !field.labels.length).length"""
    assert browser.execute_script(unlabelled) == 0
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
