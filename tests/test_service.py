"""The moderation service through its own door: Akismet's protocol, JSON API, policies, isolation, learning."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("jinja2", reason="the extra serve is not installed")
pytest.importorskip("httpx", reason="starlette's test client needs httpx")

from starlette.testclient import TestClient

from spamfilter.errors import ConfigError
from spamfilter.features.fields import Fields
from spamfilter.labels import LabelStore
from spamfilter.records import Page, Reason, ScoredPage, Verdict
from spamfilter.service.app import create_app
from spamfilter.service.config import Settings, load_settings
from spamfilter.service.keys import KeyRing, digest, hash_password, new_key, password_matches
from spamfilter.service.models import Models

KEYS = {"blog": "blogblogblog", "forum": "forumforumfo"}
PASSWORD = "a long password"
ARTICLE = "The ferry to the island runs twice a day in winter, and the council wants a third crossing. " * 6


class Words:
    """A scorer small enough to see through: the share of spam words decides; an article that shares no word counts."""

    SPAM = frozenset({"casino", "pills", "cheap"})

    def __init__(self, name: str = "words@1", spam: float = 0.9) -> None:
        self.name = name
        self.parameters = SimpleNamespace(spam_cutoff=spam, unsure_cutoff=0.4)

    def _one(self, text: str, article: str | None) -> float:
        words = set(text.lower().split())
        p = 0.05 + 0.6 * bool(words & self.SPAM) + 0.34 * (len(words & self.SPAM) > 1)
        if article and not words & set(article.lower().split()):
            p = max(p, 0.5)
        return p

    def probabilities(self, fields: Fields) -> Any:
        articles = [None if c < 0 else fields.articles[c] for c in fields.context_of.tolist()]
        return np.array([self._one(t, a) for t, a in zip(fields.texts, articles, strict=True)])

    def score_many(self, comments: Sequence[Mapping[str, Any]]) -> list[Verdict]:
        out = []
        for c in comments:
            if c["text"] == "break the scorer":
                raise RuntimeError("cannot be scored")
            p = self._one(c["text"], c["article"])
            label = "spam" if p >= self.parameters.spam_cutoff else "unsure" if p >= 0.4 else "ham"
            reasons = (Reason("spam_words", "worded like spam: casino", 1.5), Reason("rest", "everything else", -0.5))
            out.append(Verdict(label, p, reasons, self.name))  # type: ignore[arg-type]
        return out

    def score_split(self, page: Page) -> ScoredPage:
        rows = [{"text": c.text, "article": page.article} for c in page.comments]
        return ScoredPage(page, tuple(self.score_many(rows)))


CONFIG = """
[service]
data = "data"
[[site]]
url = "https://blog.example"
keys = ["{blog}"]
[site.policy]
{policy}
[[site]]
url = "https://forum.example"
keys = ["{forum}"]
[[moderator]]
name = "ana"
password = "{password}"
[[moderator]]
name = "ben"
password = "{password}"
sites = ["forum.example"]
"""
_HASH = hash_password(PASSWORD)


def settings(folder: Path, policy: str = "") -> Settings:
    path = folder / "service.toml"
    path.write_text(CONFIG.format(**KEYS, policy=policy, password=_HASH))
    return load_settings(path, {})


def models(*scorers: Words) -> tuple[Models, SimpleNamespace]:
    state = SimpleNamespace(scorer=scorers[0] if scorers else Words(), stamp=1)
    return Models(lambda: state.scorer, lambda: state.stamp), state


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(settings(tmp_path), models()[0])) as client:
        yield client


def check(client: TestClient, text: str, site: str = "blog", **more: Any) -> Any:
    fields = {"api_key": KEYS[site], "blog": f"https://{site}.example", "user_ip": "203.0.113.7"}
    return client.post("/1.1/comment-check", data={**fields, "comment_content": text, **more})


def bearer(site: str = "blog") -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[site]}"}


def score(client: TestClient, comment: dict[str, str], site: str = "blog") -> Any:
    return client.post("/v1/score", json={"comment": comment}, headers=bearer(site)).json()["results"][0]


def wait_for(queue: Any, n: int) -> list[Any]:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        items = queue()
        if len(items) >= n:
            return list(items)
        time.sleep(0.05)
    raise AssertionError(f"fewer than {n} in the queue")


def queued(client: TestClient, n: int, site: str = "blog", query: str = "") -> list[Any]:
    return wait_for(lambda: client.get(f"/v1/queue{query}", headers=bearer(site)).json()["items"], n)


class TestAkismet:
    def test_verify_key_to_the_letter(self, client: TestClient) -> None:
        good = client.post("/1.1/verify-key", data={"key": KEYS["blog"], "blog": "https://blog.example"})
        bad = client.post("/1.1/verify-key", data={"key": "nonsense", "blog": "https://blog.example"})
        assert (good.status_code, good.content, bad.status_code, bad.content) == (200, b"valid", 200, b"invalid")
        assert "x-akismet-debug-help" in bad.headers
        assert not [h for h in good.headers if h.startswith(("x-akismet-debug", "x-akismet-alert"))]
        assert good.headers["content-type"].startswith("text/plain")

    @pytest.mark.parametrize(
        ("text", "body", "tip"),
        [("the ferry", b"false", None), ("casino pills", b"true", None), ("cheap casino", b"true", None)],
    )
    def test_comment_check(self, client: TestClient, text: str, body: bytes, tip: str | None) -> None:
        answer = check(client, text)
        assert (answer.status_code, answer.content) == (200, body)
        assert answer.headers.get("x-akismet-pro-tip") == tip
        assert answer.headers["x-akismet-guid"]
        assert "x-akismet-debug-help" not in answer.headers

    def test_blatant_spam_is_to_be_discarded(self, tmp_path: Path) -> None:
        with TestClient(create_app(settings(tmp_path, "discard_cutoff = 0.98"), models()[0])) as client:
            assert check(client, "cheap casino pills").headers["x-akismet-pro-tip"] == "discard"
            assert "x-akismet-pro-tip" not in check(client, "the casino").headers

    @pytest.mark.parametrize("missing", ["blog", "user_ip"])
    def test_required_fields(self, client: TestClient, missing: str) -> None:
        fields = {"api_key": KEYS["blog"], "blog": "https://blog.example", "user_ip": "203.0.113.7"}
        del fields[missing]
        answer = client.post("/1.1/comment-check", data=fields)
        assert (answer.status_code, answer.content) == (200, b"invalid")
        assert missing in answer.headers["x-akismet-debug-help"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"comment_author": "akismet-guaranteed-spam"},
            {"comment_author": "viagra-test-123"},
            {"comment_author_email": "akismet-guaranteed-spam@example.com"},
            {"honeypot_field_name": "hp", "hp": "filled in"},
        ],
    )
    def test_guaranteed_spam(self, client: TestClient, fields: dict[str, str]) -> None:
        assert check(client, "the ferry", **fields).content == b"true"

    def test_administrators_are_never_spam(self, client: TestClient) -> None:
        assert check(client, "cheap casino pills", user_role="administrator").content == b"false"
        assert check(client, "hello", user_role="administrator", comment_author="viagra-test-123").content == b"true"

    def test_the_key_may_be_in_the_query_the_host_or_the_address(self, client: TestClient) -> None:
        fields = {"blog": "https://blog.example", "user_ip": "203.0.113.7", "comment_content": "the ferry"}
        host = {"host": f"{KEYS['blog']}.rest.akismet.com"}
        assert client.post(f"/1.1/comment-check?api_key={KEYS['blog']}", data=fields).content == b"false"
        assert client.post("/1.1/comment-check", data=fields, headers=host).content == b"false"
        assert client.post("/1.1/comment-check", data=fields, auth=(KEYS["blog"], "x")).content == b"false"
        # A wrong key in the form is not made good by the host.
        assert client.post("/1.1/comment-check", data={**fields, "api_key": "x"}, headers=host).content == b"invalid"

    @pytest.mark.parametrize("context", ["=ferry", "=a&comment_context=ferry", "%5B%5D=ferry", "%5B0%5D=ferry"])
    def test_four_forms_of_context(self, client: TestClient, context: str) -> None:
        body = (
            f"api_key={KEYS['blog']}&blog=b&user_ip=1&comment_content=maybe+casino&permalink=p&comment_context{context}"
        )
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/1.1/comment-check", content=body, headers=kind).content == b"false"
        assert queued(client, 1)[0]["title"].split("\n")[-1] == "ferry"

    def test_charsets(self, client: TestClient) -> None:
        head = f"api_key={KEYS['blog']}&blog=b&user_ip=1".encode()
        latin = {"Content-Type": "application/x-www-form-urlencoded; charset=iso-8859-1"}
        for body, headers in (
            (b"&comment_author=Ren%C3%A9&comment_content=casino", {}),
            (b"&comment_author=Ren%E9&comment_content=pills", latin),
            (b"&comment_author=Ren%E9&blog_charset=ISO-8859-1&comment_content=cheap", {"Content-Type": "text/plain"}),
        ):
            assert client.post("/1.1/comment-check", content=head + body, headers=headers).content == b"false"
        assert {item["author"] for item in queued(client, 3)} == {"René"}

    def test_multipart_and_wrong_types(self, client: TestClient) -> None:
        fields = {"api_key": KEYS["blog"], "blog": "b", "user_ip": "1", "comment_content": "casino pills"}
        assert client.post("/1.1/comment-check", files={k: (None, v) for k, v in fields.items()}).content == b"true"
        wrong = client.post("/1.1/comment-check", content=b"{}", headers={"Content-Type": "application/json"})
        assert (wrong.status_code, wrong.content) == (200, b"invalid")

    def test_too_large_a_body_is_refused(self, client: TestClient) -> None:
        answer = check(client, "x" * 2_100_000)
        assert (answer.status_code, answer.content, answer.headers["connection"]) == (413, b"invalid", "close")

    def test_submissions_reach_the_label_store(self, client: TestClient, tmp_path: Path) -> None:
        for name, text in (("spam", "the ferry is late"), ("ham", "cheap ferry tickets at the casino")):
            fields = {"api_key": KEYS["blog"], "blog": "b", "comment_content": text, "comment_author": "Ida"}
            answer = client.post(f"/1.1/submit-{name}", data=fields)
            assert answer.content == b"Thanks for making the web a better place."
        with LabelStore.open(tmp_path / "data" / "labels.db") as store:
            rows = list(store.to_rows())
        assert [(r["label"], r["site"], r["source"]) for r in rows] == [
            ("spam", "blog.example", "akismet"),
            ("ham", "blog.example", "akismet"),
        ]

    def test_tests_leave_no_trace(self, client: TestClient, tmp_path: Path) -> None:
        assert check(client, "casino", is_test="1").content == b"false"
        fields = {"api_key": KEYS["blog"], "blog": "b", "comment_content": "x", "is_test": "true"}
        assert client.post("/1.1/submit-spam", data=fields).text.startswith("Thanks")
        time.sleep(0.3)
        assert client.get("/v1/queue", headers=bearer()).json()["total"] == 0
        with LabelStore.open(tmp_path / "data" / "labels.db") as store:
            assert store.stats().decisions == 0

    def test_usage_and_sites(self, client: TestClient) -> None:
        for text in ("the ferry", "casino pills"):
            check(client, text)
        time.sleep(0.4)
        usage = client.get(f"/1.2/usage-limit?api_key={KEYS['blog']}").json()
        assert usage == {"limit": "none", "usage": 2, "percentage": "0", "throttled": False}
        sites = client.get(f"/1.2/key-sites?api_key={KEYS['blog']}").json()
        month = next(k for k in sites if k[:2] == "20")
        assert sites[month] == [
            {
                **{"site": "blog.example", "api_calls": "2", "spam": "1", "ham": "1", "missed_spam": "0"},
                **{"false_positives": "0", "is_revoked": False},
            }
        ]
        table = client.get(f"/1.2/key-sites?api_key={KEYS['blog']}&format=csv").text
        assert "\nblog.example,2,1,1,0,0,false\n" in table
        assert "forum" not in table


class TestArticles:
    def test_given_then_looked_up_by_permalink(self, client: TestClient) -> None:
        put = {"permalink": "https://blog.example/ferry", "title": "Ferries", "article": ARTICLE}
        assert client.put("/v1/articles", json=put, headers=bearer()).status_code == 200
        check(client, "hello", permalink="https://blog.example/ferry#comment-3")
        item = queued(client, 1)[0]
        assert (item["text"], item["title"], item["article"]) == ("hello", "Ferries", ARTICLE)

    def test_another_site_does_not_get_it(self, client: TestClient) -> None:
        put = {"permalink": "https://blog.example/ferry", "article": ARTICLE}
        client.put("/v1/articles", json=put, headers=bearer())
        assert check(client, "hello", "forum", permalink="https://blog.example/ferry").content == b"false"
        time.sleep(0.3)
        assert client.get("/v1/queue", headers=bearer("forum")).json()["total"] == 0

    def test_article_in_the_extra_field(self, client: TestClient) -> None:
        check(client, "hello", comment_post_content=ARTICLE, comment_post_title="Ferries", permalink="p")
        check(client, "hello again", permalink="p")  # remembered
        assert {item["title"] for item in queued(client, 2)} == {"Ferries"}


class TestApi:
    def test_score_one_and_many(self, client: TestClient) -> None:
        one = client.post("/v1/score", json={"comment": {"text": "casino pills"}}, headers=bearer()).json()["results"]
        many = client.post("/v1/score", json={"comments": [{"text": "casino pills"}, {"text": "hi"}]}, headers=bearer())
        results = many.json()["results"]
        assert [r["verdict"] for r in results] == ["spam", "ham"]
        assert (one[0]["verdict"], one[0]["probability"]) == ("spam", results[0]["probability"])
        assert one[0]["reasons"][0] == {"name": "spam_words", "detail": "worded like spam: casino", "weight": 1.5}

    @pytest.mark.parametrize(
        ("body", "status", "pointer"),
        [
            (b"{", 400, None),
            (b"[]", 422, ""),
            (b'{"comment": {}}', 422, "/comment/text"),
            (b'{"comment": {"text": "x", "nope": 1}}', 422, "/comment/nope"),
            (b'{"comment": {"text": NaN}}', 400, None),
            (b"\xff\xfe", 400, None),
            (b"[" * 100_000, 400, None),
            (b"{}", 422, None),
        ],
    )
    def test_problems(self, client: TestClient, body: bytes, status: int, pointer: str | None) -> None:
        headers = {**bearer(), "Content-Type": "application/json"}
        answer = client.post("/v1/score", content=body, headers=headers)
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, problem["status"]) == (status, status)
        assert client.get(problem["type"]).status_code == 200
        if pointer is not None:
            assert problem["errors"][0]["pointer"] == pointer

    def test_keys_types_and_methods(self, client: TestClient) -> None:
        assert client.post("/v1/score", json={}).status_code == 401
        stolen = {"Authorization": f"Bearer {digest(KEYS['blog'])}"}  # what the configuration file may hold
        assert client.post("/v1/score", json={}, headers=stolen).status_code == 401
        assert client.post("/v1/score", content=b"x", headers=bearer()).status_code == 415
        wrong = client.delete("/v1/score", headers=bearer())
        assert (wrong.status_code, wrong.headers["allow"], wrong.json()["status"]) == (405, "POST", 405)

    def test_pages(self, client: TestClient) -> None:
        comment = "<cite class='fn'>Ida</cite><div class='comment-content'><p>casino pills for all</p></div>"
        comments = f"<ol class='comment-list'><li class='comment' id='comment-1'>{comment}</li></ol>"
        html = f"<html><body><article><h1>Ferries</h1><p>{ARTICLE}</p></article>{comments}</body></html>"
        answer = client.post("/v1/pages", json={"page": html}, headers=bearer())
        assert answer.status_code == 200
        assert [c["verdict"] for c in answer.json()["comments"]] == ["spam"]
        assert client.post("/v1/pages", json={"page": "   "}, headers=bearer()).status_code == 422

    def test_feedback_is_idempotent(self, client: TestClient, tmp_path: Path) -> None:
        body = {"label": "spam", "comment": {"text": "the ferry"}}
        headers = {**bearer(), "Idempotency-Key": "k1"}
        first = client.post("/v1/feedback", json=body, headers=headers)
        again = client.post("/v1/feedback", json=body, headers=headers)
        other = client.post("/v1/feedback", json={**body, "label": "ham"}, headers=headers)
        elsewhere = client.post("/v1/feedback", json=body, headers={**bearer("forum"), "Idempotency-Key": "k1"})
        assert (first.json(), first.status_code, other.status_code) == (again.json(), 200, 409)
        assert elsewhere.status_code == 200
        with LabelStore.open(tmp_path / "data" / "labels.db") as store:
            assert store.stats().decisions == 2

    def test_feedback_by_id_and_by_queue(self, client: TestClient) -> None:
        guid = score(client, {"text": "a casino"})["id"]
        assert client.post("/v1/feedback", json={"label": "ham", "id": guid}, headers=bearer()).status_code == 200
        client.post("/v1/score", json={"comment": {"text": "the casino"}}, headers=bearer())
        number = queued(client, 1)[0]["queue_id"]
        body = {"label": "spam", "queue_id": number}
        assert client.post("/v1/feedback", json=body, headers=bearer()).status_code == 200
        assert client.get("/v1/queue", headers=bearer()).json()["total"] == 0

    def test_a_site_reads_and_changes_nothing_of_another(self, client: TestClient) -> None:
        done = score(client, {"text": "a casino"})
        number = queued(client, 1)[0]["queue_id"]
        other = bearer("forum")
        assert client.get("/v1/queue", headers=other).json() == {"items": [], "total": 0}
        for body in ({"queue_id": number}, {"id": done["id"]}):
            assert client.post("/v1/feedback", json={"label": "ham", **body}, headers=other).status_code == 404
        assert client.get("/v1/queue", headers=bearer()).json()["total"] == 1

    def test_queue_filters(self, client: TestClient) -> None:
        comments = [{"text": "a casino", "author": "Zoe"}, {"text": "b pills"}]
        client.post("/v1/score", json={"comments": comments}, headers=bearer())
        queued(client, 2)
        get = lambda q: client.get(f"/v1/queue{q}", headers=bearer())  # noqa: E731
        assert [i["text"] for i in get("?q=zoe").json()["items"]] == ["a casino"]
        assert get("?reason=spam_words").json()["total"] == 2
        assert get("?reason=off_topic").json()["total"] == 0
        assert (get("?limit=1").json()["total"], len(get("?limit=1").json()["items"])) == (2, 1)
        for wrong in ("?limit=0", "?limit=x", "?order=best", "?nope=1"):
            assert get(wrong).status_code == 422

    def test_one_bad_comment_does_not_spoil_others(self, client: TestClient) -> None:
        for text, status in (("break the scorer", 500), ("hi", 200)):
            answer = client.post("/v1/score", json={"comment": {"text": text}}, headers=bearer())
            assert answer.status_code == status


GERMAN = "Das ist nicht der Grund, und das ist auch nicht die Frage"
POLICIES = [
    ("spam_cutoff = 0.6", {"text": "a casino"}, "spam", None),
    ("unsure_cutoff = 0.01", {"text": "the ferry"}, "unsure", None),
    ('blocked_domains = ["bad.example"]', {"text": "see http://www.bad.example/x"}, "spam", "rule_blocked_domain"),
    ('blocked_domains = ["bad.example"]', {"text": "see http://notbad.example/x"}, "ham", None),
    ('blocked_phrases = ["Free Money"]', {"text": "get FREE   m\u043eney now"}, "spam", "rule_blocked_phrase"),
    ('blocked_authors = ["Spam King"]', {"text": "hi", "author": "spam king"}, "spam", "rule_blocked_author"),
    ('blocked_emails = ["a@b.example"]', {"text": "hi", "email": "A@b.example"}, "spam", "rule_blocked_email"),
    ('blocked_ips = ["203.0.113.9"]', {"text": "hi", "ip": "203.0.113.9"}, "spam", "rule_blocked_ip"),
    ('allowed_authors = ["Ida"]', {"text": "casino pills", "author": "Ida"}, "ham", "rule_allowed_author"),
    ('allowed_domains = ["ok.example"]', {"text": "casino pills http://ok.example"}, "spam", None),
    ("max_links = 1", {"text": "http://a.example http://b.example"}, "unsure", "rule_too_many_links"),
    ('max_links = 0\nmax_links_label = "spam"', {"text": "www.a.example"}, "spam", "rule_too_many_links"),
    ('languages = ["en"]', {"text": GERMAN}, "unsure", "rule_language"),
    ('languages = ["de"]', {"text": GERMAN}, "ham", None),
    ('first_time = "unsure"', {"text": "hello", "email": "new@mail.example"}, "unsure", "rule_first_comment"),
]


class TestPolicies:
    @pytest.mark.parametrize(("policy", "comment", "label", "rule"), POLICIES)
    def test_rules_and_their_reasons(
        self, tmp_path: Path, policy: str, comment: dict[str, str], label: str, rule: str | None
    ) -> None:
        with TestClient(create_app(settings(tmp_path, policy), models()[0])) as client:
            result = score(client, comment)
            elsewhere = score(client, comment, "forum")
        rules = [r["name"] for r in result["reasons"] if r["name"].startswith("rule_")]
        assert (result["verdict"], rules) == (label, [rule] if rule else [])
        assert not [r for r in elsewhere["reasons"] if r["name"].startswith("rule_")]

    def test_dry_run_answers_ham_and_records_the_rest(self, tmp_path: Path) -> None:
        with TestClient(create_app(settings(tmp_path, "dry_run = true"), models()[0])) as client:
            assert check(client, "casino pills").content == b"false"
            result = score(client, {"text": "a pills casino"})
            assert (result["answer"], result["verdict"], result["dry_run"]) == ("ham", "spam", True)
            assert {item["verdict"] for item in queued(client, 2)} == {"spam"}

    def test_unsure_answer(self, tmp_path: Path) -> None:
        with TestClient(create_app(settings(tmp_path, 'unsure_answer = "spam"'), models()[0])) as client:
            assert check(client, "a casino").content == b"true"
            assert check(client, "a casino", "forum").content == b"false"

    def test_trust_is_earned_and_lost(self, tmp_path: Path) -> None:
        with TestClient(create_app(settings(tmp_path, "trusted_after = 2"), models()[0])) as client:
            who = {"comment_author_email": "ida@mail.example"}
            assert check(client, "casino pills", **who).content == b"true"
            for n in range(2):
                fields = {"api_key": KEYS["blog"], "blog": "b", "comment_content": f"ferry {n}", **who}
                client.post("/1.1/submit-ham", data=fields)
            assert check(client, "casino pills", **who).content == b"false"
            client.post("/1.1/submit-spam", data={"api_key": KEYS["blog"], "blog": "b", "comment_content": "x", **who})
            assert check(client, "casino pills", **who).content == b"true"


class TestLearning:
    def test_a_promoted_model_is_taken_up(self, tmp_path: Path) -> None:
        held, state = models()
        app = create_app(dataclasses.replace(settings(tmp_path), reload_seconds=0.05), held)
        with TestClient(app) as client:
            score = lambda: client.post("/v1/score", json={"comment": {"text": "hi"}}, headers=bearer()).json()["model"]  # noqa: E731
            assert score() == "words@1"
            state.scorer, state.stamp = Words("words@2"), 2
            until = time.monotonic() + 5
            while score() != "words@2":
                assert time.monotonic() < until
                time.sleep(0.02)

    def test_a_broken_model_leaves_the_old_one(self) -> None:
        held, state = models()
        state.stamp, state.scorer = 2, None

        def broken() -> Words:
            raise ConfigError("damaged")

        held._load = broken  # type: ignore[assignment]
        assert not held.look()
        assert held.now.name == "words@1"
        assert held.failures == 1
        assert not held.look() and held.failures == 1


class TestOperations:
    def test_health_metrics_and_documents(self, client: TestClient) -> None:
        check(client, "casino pills")
        assert (client.get("/healthz").text, client.get("/readyz").text) == ("ok", "ready")
        metrics = client.get("/metrics").text
        assert 'spamfilter_judged_total{site="blog.example",label="spam",by="model"} 1' in metrics
        assert 'spamfilter_model_info{model="words@1"} 1' in metrics
        document = client.get("/openapi.json").json()
        assert document["openapi"] == "3.1.0" and "/v1/score" in document["paths"]
        page = client.get("/docs").text
        assert "/v1/score" in page and "https://" not in page.replace("https://blog.example", "")

    def test_unknown_paths_make_no_metrics(self, client: TestClient) -> None:
        for n in range(5):
            assert client.get(f"/nothing-{n}").status_code == 404
        assert "nothing-" not in client.get("/metrics").text

    def test_security_headers(self, client: TestClient) -> None:
        headers = client.get("/sign-in").headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"

    def test_what_was_judged_is_kept_without_addresses_of_readers(self, client: TestClient, tmp_path: Path) -> None:
        check(client, "a casino", comment_author_email="ida@mail.example", comment_author="Ida")
        queued(client, 1)
        raw = b"".join(p.read_bytes() for p in (tmp_path / "data").iterdir())
        assert b"Ida" in raw and b"ida@mail" not in raw and b"203.0.113.7" not in raw

    def test_old_entries_go(self, client: TestClient, tmp_path: Path) -> None:
        check(client, "a casino")
        queued(client, 1)
        journal = client.app.state.desk.journal  # type: ignore[attr-defined]
        assert journal.forget(time.time() - 60) == 0
        assert journal.forget(time.time() + 60) == 1
        with sqlite3.connect(tmp_path / "data" / "journal.db") as sql:
            assert sql.execute("SELECT COUNT(*) FROM entries").fetchone() == (0,)

    def test_configuration_is_taken_up_again(self, client: TestClient, tmp_path: Path) -> None:
        path = tmp_path / "service.toml"
        path.write_text(path.read_text().replace(KEYS["forum"], "otherotherot"))
        client.app.state.desk.reconfigure()  # type: ignore[attr-defined]
        assert client.get("/v1/queue", headers=bearer("forum")).status_code == 401
        path.write_text("nonsense = [")
        client.app.state.desk.reconfigure()  # type: ignore[attr-defined]
        assert client.get("/v1/queue", headers=bearer()).status_code == 200


class TestConfiguration:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[service]\nport = 'x'", "port must be a whole number"),
            ("[service]\nprot = 1", "unknown setting 'prot'"),
            ("[serivce]", "unknown section"),
            ("[[site]]\nkeys = []", "url is missing"),
            ("[[site]]\nurl = 'ftp://x'", "http"),
            ("".join(f"[[site]]\nurl = 'http://{n}'\nkeys = ['k']\n" for n in "ab"), "every site needs its own"),
            ("[[site]]\nurl = 'http://a'\n[site.policy]\nspam_cutoff = 2.0", "probability"),
            ("[[site]]\nurl = 'http://a'\nkeys = ['env:NOT_THERE']", "NOT_THERE"),
            ("[[moderator]]\nname = 'a'\npassword = 'plain'", "hash"),
            ("= 1", "TOML"),
        ],
    )
    def test_mistakes_are_named(self, tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "c.toml"
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            load_settings(path, {})

    def test_environment_wins(self, tmp_path: Path) -> None:
        path = tmp_path / "c.toml"
        path.write_text("[service]\nport = 1\n[[site]]\nurl = 'https://a.example'\nkeys = ['env:SITE_KEY']")
        read = load_settings(path, {"SPAMFILTER_SERVE_PORT": "9", "SITE_KEY": "s3cret"})
        assert (read.port, read.keys.site_of("s3cret")) == (9, "a.example")

    def test_keys_and_passwords(self) -> None:
        key = new_key()
        ring = KeyRing({digest(key): "a"})
        assert (len(key) == 12 and key.isalnum() and key.islower()) or key.isdigit()
        assert (ring.site_of(key), ring.site_of(digest(key)), ring.site_of(None)) == ("a", None, None)
        assert password_matches(PASSWORD, _HASH) and not password_matches("other", _HASH)


def sign_in(client: TestClient, name: str = "ana") -> str:
    answer = client.post("/sign-in", data={"name": name, "password": PASSWORD}, follow_redirects=False)
    assert answer.status_code == 303
    page = client.get("/queue").text
    return page.split('name="csrf" value="')[1].split('"')[0]


class TestModeration:
    def test_pages_need_a_session(self, client: TestClient) -> None:
        for path in ("/queue", "/history", "/overview", "/decisions"):
            assert client.get(path, follow_redirects=False).headers["location"] == "/sign-in"
        assert client.post("/decide", data={"label": "spam"}, follow_redirects=False).headers["location"] == "/sign-in"
        wrong = client.post("/sign-in", data={"name": "ana", "password": "wrong"})
        assert wrong.status_code == 403 and "set-cookie" not in wrong.headers

    def test_passwords_cannot_be_tried_for_ever(self, client: TestClient) -> None:
        codes = [client.post("/sign-in", data={"name": "ana", "password": "no"}).status_code for _ in range(7)]
        assert codes == [403] * 6 + [429]

    def test_forms_of_others_are_refused(self, client: TestClient) -> None:
        csrf = sign_in(client)
        check(client, "a casino")
        number = queued(client, 1)[0]["queue_id"]
        form = {"label": "spam", "item": str(number), "back": "//evil.example"}
        assert client.post("/decide", data=form).status_code == 403
        assert client.post("/decide", data={**form, "csrf": "x"}).status_code == 403
        form["csrf"] = csrf
        assert client.post("/decide", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        done = client.post("/decide", data=form, follow_redirects=False)
        assert done.headers["location"].startswith("/queue?")

    def test_decide_undo_and_what_is_learnt(self, client: TestClient, tmp_path: Path) -> None:
        csrf = sign_in(client)
        check(client, "a casino", comment_author="Zoe")
        number = queued(client, 1)[0]["queue_id"]
        page = client.post("/decide", data={"label": "ham", "item": number, "csrf": csrf}).text
        assert "1 comment approved." in page and "Nothing waits" in page
        batch = page.split('name="batch" value="')[1].split('"')[0]
        assert "Zoe" in client.get("/decisions").text
        with LabelStore.open(tmp_path / "data" / "labels.db") as store:
            assert [(r["label"], r["who"], r["look"]) for r in store.to_rows()] == [("ham", "ana", "shown")]
        assert "1 waiting again" in client.post("/undo", data={"batch": batch, "csrf": csrf}).text
        with LabelStore.open(tmp_path / "data" / "labels.db") as store:
            assert list(store.to_rows()) == []
        assert len(queued(client, 1)) == 1

    def test_what_passed_can_be_corrected(self, client: TestClient, tmp_path: Path) -> None:
        check(client, "a fine ferry", comment_author="Zoe", permalink="https://blog.example/p")
        csrf = sign_in(client)
        wait_for(lambda: client.get("/history").text.split('name="guid"')[1:], 1)
        page = client.get("/history").text
        guid = page.split('name="guid" value="')[1].split('"')[0]
        form = {"guid": guid, "site": "blog.example", "label": "spam", "csrf": csrf, "back": "/history"}
        page = client.post("/correct", data=form).text
        assert "1 comment marked as spam." in page and "ana: spam" in page
        with LabelStore.open(tmp_path / "data" / "labels.db") as store:
            assert [(r["label"], r["who"], r["text"]) for r in store.to_rows()] == [("spam", "ana", "a fine ferry")]
        assert "<b>1</b> spam missed" in client.get("/overview").text
        batch = page.split('name="batch" value="')[1].split('"')[0]
        assert "1 waiting again" in client.post("/undo", data={"batch": batch, "csrf": csrf}).text
        assert "<b>0</b> spam missed" in client.get("/overview").text
        assert "Zoe" in client.get("/queue").text
        assert "not in the history" in client.post("/correct", data={**form, "guid": "x"}).text
        ben = sign_in(client, "ben")
        assert "not in the history" in client.post("/correct", data={**form, "csrf": ben}).text
        assert client.post("/correct", data={**form, "csrf": "x"}).status_code == 403

    def test_a_campaign_at_once(self, client: TestClient) -> None:
        csrf = sign_in(client)
        for n in range(4):
            check(client, f"my aunt won a lot of money at the casino in town {n} times last week and you can too")
        item = queued(client, 4)[0]
        assert item["campaign_size"] == 4
        page = client.post("/decide", data={"label": "spam", "campaign": item["campaign"], "csrf": csrf}).text
        assert "4 comments marked as spam." in page
        decisions = client.get("/decisions").text
        assert "and 3 more" in decisions and "Undo all 4" in decisions and decisions.count("<form") == 3
        batch = page.split('name="batch" value="')[1].split('"')[0]
        assert "4 waiting again" in client.post("/undo", data={"batch": batch, "csrf": csrf}).text

    def test_a_moderator_sees_only_their_sites(self, client: TestClient) -> None:
        check(client, "a blog casino")
        check(client, "a forum casino", "forum")
        number = queued(client, 1)[0]["queue_id"]
        queued(client, 1, "forum")
        csrf = sign_in(client, "ben")
        queries = ("queue", "queue?site=blog.example", f"queue?item={number}", "history", "history?site=blog.example")
        for path in queries:
            page = client.get(f"/{path}").text
            assert "blog casino" not in page and "forum casino" in page
        refused = client.post("/decide", data={"label": "ham", "item": number, "csrf": csrf}).text
        assert "not in the queue" in refused
        assert len(queued(client, 1)) == 1

    def test_comment_text_never_becomes_markup(self, client: TestClient) -> None:
        evil = "<script>alert(1)</script><img src=x onerror=alert(2)> casino \u202eevil"
        fields = {"comment_author": "<b>x</b>", "comment_author_url": "javascript:alert(3)"}
        check(client, evil, permalink="p", comment_post_title="<i>t</i>", **fields)
        queued(client, 1)
        sign_in(client)
        for path in ("/queue", "/history", "/queue?q=<script>"):
            page = client.get(path).text
            for markup in ("<script>alert", "<img src=x", "<b>x</b>", "<i>t</i>", 'href="javascript:', "\u202e"):
                assert markup not in page

    def test_search_filter_overview(self, client: TestClient) -> None:
        check(client, "a casino", comment_author="Zoe")
        check(client, "some pills", comment_author="Tim")
        queued(client, 2)
        sign_in(client)
        page = client.get("/queue?q=zoe").text
        assert "Zoe" in page and "Tim" not in page
        assert "Nothing fits" in client.get("/queue?reason=off_topic").text
        assert "worded like spam" in client.get("/queue?since=1&order=newest").text
        overview = client.get("/overview").text
        assert "<svg" in overview and "words@1" in overview and "2 unsure" in overview


def test_labels_made_here_are_what_retraining_reads(client: TestClient, tmp_path: Path) -> None:
    for n in range(20):
        fields = {"api_key": KEYS["blog"], "blog": "b", "comment_content": f"ferry number {n}", "permalink": f"p{n}"}
        client.post("/1.1/submit-spam" if n % 2 else "/1.1/submit-ham", data=fields)
    with LabelStore.open(tmp_path / "data" / "labels.db", readonly=True) as store:
        rows = list(store.to_rows())
    wanted = {f"ferry number {n}": "spam" if n % 2 else "ham" for n in range(20)}
    assert {r["text"]: r["label"] for r in rows} == wanted


def test_many_at_once_keep_their_own_answers(client: TestClient) -> None:
    async def all_of_them() -> list[str]:
        import httpx

        transport = httpx.ASGITransport(app=client.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
            fields = {"api_key": KEYS["blog"], "blog": "b", "user_ip": "1"}
            texts = ["casino pills" if n % 3 == 0 else f"ferry {n}" for n in range(60)]
            sent = [http.post("/1.1/comment-check", data={**fields, "comment_content": t}) for t in texts]
            return [answer.text for answer in await asyncio.gather(*sent)]

    assert asyncio.run(all_of_them()) == ["true" if n % 3 == 0 else "false" for n in range(60)]


def test_long_comments_and_many_are_judged_beside_short_ones(client: TestClient) -> None:
    """The long ones in a thread, the short ones on the event loop; every answer goes to its own request."""

    async def all_of_them() -> list[Any]:
        import httpx

        transport = httpx.ASGITransport(app=client.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
            long = {"comment": {"text": "cheap pills " + "the tide was low " * 3_000}, "article": ARTICLE * 20}
            short, many = {"comment": {"text": "ferry"}}, {"comments": [{"text": f"casino {n}"} for n in range(30)]}
            bodies = [long, short, many, short, long]
            return await asyncio.gather(*(http.post("/v1/score", json=b, headers=bearer()) for b in bodies))

    answers = [[r["verdict"] for r in answer.json()["results"]] for answer in asyncio.run(all_of_them())]
    assert answers == [["spam"], ["ham"], ["unsure"] * 30, ["ham"], ["spam"]]


def test_json_log_lines_hold_no_texts(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    from spamfilter.service.logs import JsonLines

    caplog.set_level("INFO", "spamfilter.service")
    check(client, "a secret casino")
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    request = next(line for line in lines if line["message"] == "request")
    assert (request["path"], request["status"], request["site"]) == ("/1.1/comment-check", 200, "blog.example")
    assert "secret" not in json.dumps(lines) and KEYS["blog"] not in json.dumps(lines)


def test_a_reader_of_the_log_that_stalls_stops_nobody() -> None:
    from spamfilter.service.logs import Behind

    reading, writing = os.pipe()
    handler = Behind(writing)
    logger = logging.Logger("stalled")
    logger.addHandler(handler)
    begun = time.monotonic()
    for n in range(30_000):
        logger.warning("line %d of those that nobody reads, as long as such lines are", n)
    assert time.monotonic() - begun < 5  # a pipe takes 64 kB, then it blocks
    with os.fdopen(reading, "rb") as log:
        threading.Timer(0.5, handler.close).start()
        threading.Timer(2.0, os.close, [writing]).start()
        lines = log.read().decode().splitlines()
    assert lines[0].startswith("line 0 ") and len(lines) > 10_000
    told = [json.loads(line) for line in lines if line.startswith("{")]  # one a write, so a fast machine has several
    assert told and {line["message"] for line in told} == {"log lines dropped"}
    assert len(lines) - len(told) + sum(line["lines"] for line in told) == 30_000
