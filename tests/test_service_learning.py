"""The whole circle: comments judged, people's decisions, ``spamfilter retrain``, the promoted model taken up while
clients go on asking."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")
pytest.importorskip("jinja2", reason="the extra serve is not installed")

from spamfilter import store
from spamfilter.cli import main
from spamfilter.labels import LabelStore
from spamfilter.retraining import Retraining
from tests.team import decision
from tests.test_service_server import KEY, Server
from tests.tinymodel import manifest, tiny

#: Fewer folds and samples than by default: what is tested is the way, not how good the model is.
QUICK = "folds = 2\n[adaptation]\nfolds = 2\nstrengths = [10.0]\n[promotion]\nsamples = 100\n"
AIMED_AT = "By the way, warm hands at low tide, Marlo of the mill, bring a friend to the wellness circle, Sunday."


def verdict(server: Server, text: str) -> bytes:
    return server.post("/1.1/comment-check", user_ip="203.0.113.7", comment_content=text)


def metrics(server: Server) -> str:
    with urlopen(f"{server.url}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def learn_from_clients(server: Server, n: int) -> None:
    """What moderators of a site say in their own software, sent by its plugin."""
    rng = random.Random(3)
    for number in range(n):
        made = decision(number, rng.random() < 0.4, rng, site="blog.example")
        server.post(
            f"/1.1/submit-{made.label}",
            comment_content=made.comment.text,
            comment_author=made.comment.author or "",
            permalink=made.context.permalink or "",
            comment_post_title=made.context.title or "",
            comment_post_content=made.context.article or "",
            reporter="greta",
        )


def retrain(folder: Path, base: Path) -> int:
    where = f'[retrain]\nbase = "{base}"\nlabels = "data/labels.db"\nmodels = "models"\n'
    (folder / "retrain.toml").write_text(where + QUICK)
    return main(["retrain", "--config", str(folder / "retrain.toml"), "--summary", str(folder / "last.json")])


def test_feedback_becomes_a_model_that_is_taken_up_without_a_lost_request(tmp_path: Path) -> None:
    base = store.save(tiny(), tmp_path / "base", manifest("1", rows={"tiny": {"spam": 100, "ham": 200}}))
    server = Server(tmp_path, f'model = "{base}"\nmodels = "models"\nreload_seconds = 0.1')
    answers: list[bytes] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                answers.append(verdict(server, "What a fine morning on the lake"))
            except OSError as error:
                answers.append(repr(error).encode())
            time.sleep(0.01)

    clients = [threading.Thread(target=ask) for _ in range(2)]
    try:
        assert "tiny@1" in metrics(server)
        learn_from_clients(server, 120)
        for client in clients:
            client.start()
        assert retrain(tmp_path, base) == 0, (tmp_path / "last.json").read_text()
        until = time.monotonic() + 20
        while "team@" not in metrics(server):
            assert time.monotonic() < until, server.log.read_text()
            time.sleep(0.05)
        after = len(answers)
        while len(answers) < after + 10:
            time.sleep(0.01)
        stop.set()
        assert set(answers) == {b"false"}
        probability = scored(server, AIMED_AT)
        assert probability > tiny().score(AIMED_AT).probability + 0.1
        done = Retraining.read(tmp_path / "models" / store.current(tmp_path / "models"))
        with LabelStore.open(tmp_path / "data" / "labels.db", readonly=True) as labels:
            wanted = {row["id"] for row in labels.to_rows()}
        assert set(done.learnt.id) == wanted and len(wanted) == 120
    finally:
        stop.set()
        for client in clients:
            if client.ident is not None:
                client.join()
        server.close()


def scored(server: Server, text: str) -> float:
    import json

    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = Request(f"{server.url}/v1/score", json.dumps({"comment": {"text": text}}).encode(), headers)
    with urlopen(request, timeout=5) as answer:
        return float(json.load(answer)["results"][0]["probability"])
