"""The moderation page in a real browser: decide by keyboard and mouse, undo, reload; scripts in comments never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spamfilter import store
from spamfilter.cli import main
from spamfilter.retraining import Retraining
from tests.browser.conftest import COMMENTS, PASSWORD, Site
from tests.team import fill
from tests.tinymodel import manifest, tiny

# Selenium's names for ways to find an element, which may not be installed when this file is read.
NAME, CSS, ID, TAG = "name", "css selector", "id", "tag name"
#: Fewer folds and samples than by default: what is tested is the way, not how good the model is.
QUICK = "folds = 2\n[adaptation]\nfolds = 2\nstrengths = [10.0]\n[promotion]\nsamples = 100\n"


def sign_in(browser: Any, site: Site) -> None:
    browser.get(site.url)
    browser.find_element(NAME, "name").send_keys("ana")
    browser.find_element(NAME, "password").send_keys(PASSWORD)
    browser.find_element(CSS, "button.primary").click()
    until(browser, lambda driver: driver.find_element(CSS, ".filters").is_displayed())  # a click does not wait


def waiting(browser: Any) -> int:
    return int(browser.find_element(CSS, ".filters summary b").text)


def until(browser: Any, met: Callable[[Any], bool]) -> None:
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.support.ui import WebDriverWait

    # Between two pages there is nothing to be found.
    WebDriverWait(browser, 10, 0.05, ignored_exceptions=(WebDriverException,)).until(met)


def after(browser: Any, n: int) -> None:
    """Wait until ``n`` comments wait."""
    until(browser, lambda driver: waiting(driver) == n)


def press(browser: Any, key: str) -> None:
    browser.find_element(TAG, "body").send_keys(key)


@pytest.fixture
def learning_site(_needs: None, tmp_path: Path) -> Iterator[Site]:
    """A site whose service takes up what retraining promotes, and whose team has decided on other comments before."""
    base = store.save(tiny(), tmp_path / "base", manifest("1", rows={"tiny": {"spam": 100, "ham": 200}}))
    running = Site(tmp_path, f'model = "{base}"\nmodels = "models"\nreload_seconds = 0.1')
    fill(running.labels, 120)
    yield running
    running.close()


def test_twenty_decisions_undo_reload_retrain(learning_site: Site, browser: Any, tmp_path: Path) -> None:
    site = learning_site
    sign_in(browser, site)
    after(browser, COMMENTS)
    for n in range(10):
        press(browser, "s" if n % 2 else "a")
        after(browser, COMMENTS - n - 1)
    for n in range(10, 20):
        browser.find_element(ID, "spam" if n % 2 else "approve").click()
        after(browser, COMMENTS - n - 1)
    rows = [row for row in site.rows() if row["site"] == "blog.example"]
    assert [row["label"] for row in rows] == ["ham", "spam"] * 10
    assert {(row["who"], row["look"]) for row in rows} == {("ana", "shown")}
    press(browser, "u")
    after(browser, COMMENTS - 19)
    browser.refresh()
    after(browser, COMMENTS - 19)
    rows = [row for row in site.rows() if row["site"] == "blog.example"]
    assert len(rows) == 19
    assert all(row["title"] == "White paint" and row["article"].startswith("The old lighthouse") for row in rows)

    assert "tiny@1" in browser.find_element(CSS, ".foot").text
    settings = tmp_path / "retrain.toml"
    where = f'[retrain]\nbase = "{tmp_path / "base"}"\nlabels = "data/labels.db"\nmodels = "models"\n'
    settings.write_text(where + QUICK)
    assert main(["retrain", "--config", str(settings), "--summary", str(tmp_path / "last.json")]) == 0
    learnt = Retraining.read(tmp_path / "models" / store.current(tmp_path / "models")).learnt
    labels = dict(zip(learnt.id, learnt.label, strict=True))
    assert {row["id"]: row["label"] for row in rows}.items() <= labels.items()

    def taken_up(driver: Any) -> bool:
        driver.refresh()
        return "team@" in driver.find_element(CSS, ".foot").text

    until(browser, taken_up)  # the service was not started anew
    after(browser, COMMENTS - 19)


def test_nothing_of_a_comment_runs_and_nothing_is_loaded_from_elsewhere(site: Site, browser: Any) -> None:
    sign_in(browser, site)
    seen = 0
    for path in ("/queue", "/history", "/overview", "/decisions", "/docs", "/queue?q=script"):
        browser.get(site.url + path)
        seen += "document.title=" in browser.find_element(TAG, "body").text
        assert "owned" not in browser.title
        loaded = browser.execute_script("return performance.getEntriesByType('resource').map(r => r.name)")
        assert all(name.startswith(site.url + "/static/") for name in loaded)
        assert browser.execute_script("return document.querySelectorAll('main img, main script, main b b').length") == 0
    assert seen >= 2
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []


def test_a_phone_shows_it_without_scrolling_sideways(site: Site, browser: Any) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    name, address = "longnamewithoutanyplacetobreak" * 3, "http://long.example/" + "x" * 200
    site.receive([{"text": f"See {address}", "author": name, "author_url": address}])
    sign_in(browser, site)
    for path in ("/queue", "/queue?q=longname", "/history", "/overview", "/decisions", "/docs"):
        browser.get(site.url + path)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= 360, f"{path} is {width} pixels wide"
    browser.get(site.url + "/queue")
    last = browser.find_elements(CSS, ".list li a")[-1].get_attribute("href")
    browser.get(last)
    assert browser.execute_script("return window.scrollY") == 0  # the comment is on top, the list below
    spam, bottom = browser.find_element(ID, "spam"), browser.execute_script("return window.innerHeight")
    place = browser.execute_script("return arguments[0].getBoundingClientRect().bottom", spam)
    assert 0 < place <= bottom  # the thumb reaches it without scrolling


def test_keyboard_moves_search_and_labels(site: Site, browser: Any) -> None:
    sign_in(browser, site)
    first = browser.find_element(ID, "comment-title").text
    press(browser, "j")
    until(browser, lambda driver: driver.find_element(ID, "comment-title").text != first)
    press(browser, "/")
    search = browser.switch_to.active_element
    assert search.get_attribute("id") == "search"
    search.send_keys("number 7 at\n")
    after(browser, 1)
    unlabelled = """return [...document.querySelectorAll('input:not([type=hidden]), select')]
        .filter(field => !field.labels.length).length"""
    assert browser.execute_script(unlabelled) == 0
    assert browser.find_element(TAG, "html").get_attribute("lang") == "en"
