"""How fast comments are scored, beside what others use today; each figure is a ratio within one run, on one thread.

Usage::

    python benchmarks/speed.py scoring          # score_frame and score, scikit-learn, fastText where it is installed
    python benchmarks/speed.py cold             # whole processes: the command, and a script with a joblib pipeline
    python benchmarks/speed.py pages            # score_page on real pages, beside trafilatura
    python benchmarks/speed.py workers          # `spamfilter classify` with one and two workers: time and memory
    python benchmarks/speed.py growth [OUT.svg] # cost against comments, length of a comment, size of an article
    python benchmarks/speed.py training         # `spamfilter train` on 12,500 to 100,000 rows: time and memory

Reads the labelled comments beside the repository (``../shared/data``) or the folder given with ``--data``.
Times are of the processor, not the clock: other work on the machine does not count, though it slows caches down.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy is imported: one thread on both sides

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import spamfilter  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
ROWS = 8000
SINGLE = 300
COLUMNS = ("text", "author", "author_url", "title", "article")


def read(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Comments with their articles, mixed but in the same order in every run, and whether they are spam."""
    posts = {post["post"]: post for post in _lines(folder / "posts.jsonl")}
    rows, spam = [], []
    for comment in _lines(folder / "comments.jsonl"):
        post = posts.get(comment["post"], {})
        rows.append((comment["text"], comment["author"], comment["author_url"], post.get("title"), post.get("text")))
        spam.append(comment["label"] == "spam")
    order = np.random.default_rng(1).permutation(len(rows))
    return pd.DataFrame([rows[i] for i in order], columns=list(COLUMNS)), pd.Series([spam[i] for i in order])


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def best(job: Callable[[], object], times: int = 3) -> float:
    """Processor seconds of the quickest of some runs."""
    quickest = float("inf")
    for _ in range(times):
        begin = time.process_time()
        job()
        quickest = min(quickest, time.process_time() - begin)
    return quickest


def fitted(texts: pd.Series, spam: pd.Series) -> Any:
    """What is in use today: word and character n-grams and a logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    grams = make_union(TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
    return make_pipeline(grams, LogisticRegression(max_iter=60)).fit(texts, spam)


def fasttext_predict(texts: pd.Series, spam: pd.Series, asked: list[str]) -> Callable[[], object] | None:
    """A trained fastText model's predictions for ``asked``; None where it is not installed."""
    try:
        import fasttext
    except ImportError:
        return None
    flat = [" ".join(text.split()) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        lines = (f"__label__{int(s)} {t}\n" for t, s in zip(flat, spam, strict=True))
        path.write_text("".join(lines), encoding="utf-8")
        model = fasttext.train_supervised(str(path), wordNgrams=2, minn=2, maxn=5, epoch=2, thread=1, verbose=0)
    lines_asked = [" ".join(text.split()) for text in asked]
    # One by one over the inner object: the wrapper of one release fails with NumPy 2.
    return lambda: [model.f.predict(line + "\n", 1, 0.0, "strict") for line in lines_asked]


def scoring(data: Path, model: str | None) -> None:
    """The table of batch and single scoring."""
    frame, spam = read(data)
    asked, rest = frame[:ROWS], slice(ROWS, None)
    sf, texts = spamfilter.load(model), list(asked["text"])
    pipeline = fitted(frame["text"][rest], spam[rest])
    fast = fasttext_predict(frame["text"][rest], spam[rest], texts)
    sf.score_frame(asked[:600])
    alone = asked[["text"]]
    rows = [tuple(None if value != value else value for value in row) for row in asked[:SINGLE].values.tolist()]
    theirs, ours, ours_alone, theirs_fast = np.inf, np.inf, np.inf, np.inf
    for _ in range(3):  # in turn, so that a slow spell of the machine meets all of them
        theirs = min(theirs, best(lambda: pipeline.predict_proba(texts), 1))
        ours = min(ours, best(lambda: sf.score_frame(asked), 1))
        ours_alone = min(ours_alone, best(lambda: sf.score_frame(alone), 1))
        if fast:
            theirs_fast = min(theirs_fast, best(fast, 1))
    one_theirs = best(lambda: [pipeline.predict_proba([text]) for text in texts[:SINGLE]])
    one_ours = best(lambda: [sf.score(text) for text in texts[:SINGLE]])
    one_full = best(lambda: [sf.score(*row) for row in rows])
    length, articles = asked["text"].str.len().mean(), asked["article"].nunique()
    print(f"{len(asked):,} comments of {length:.0f} characters on average, {articles:,} articles")
    _line("scikit-learn predict_proba, texts alone", theirs / ROWS, theirs / ROWS)
    if fast:
        _line("fastText predict, texts alone", theirs_fast / ROWS, theirs / ROWS)
    else:
        print("  fastText is not installed (pip install fasttext-wheel)")
    _line("score_frame, texts alone", ours_alone / ROWS, theirs / ROWS)
    _line("score_frame, with author and article", ours / ROWS, theirs / ROWS)
    if fast:
        ratios = f"texts alone {theirs_fast / ours_alone:.1f} x, with author and article {theirs_fast / ours:.1f} x"
        print(f"  score_frame against fastText: {ratios}")
    print("one comment at a time")
    _line("scikit-learn predict_proba", one_theirs / SINGLE, one_theirs / SINGLE)
    _line("SpamFilter.score, text alone", one_ours / SINGLE, one_theirs / SINGLE)
    _line("SpamFilter.score, each under another article", one_full / SINGLE, one_theirs / SINGLE)


def _line(what: str, seconds: float, theirs: float) -> None:
    print(f"  {what:48s} {seconds * 1e6:9.1f} µs a comment  {1 / seconds:9,.0f} a second  {theirs / seconds:5.1f} x")


def cold(data: Path, model: str | None) -> None:
    """Whole processes, from the start of Python to the answer."""
    import joblib

    frame, spam = read(data)
    comments = "".join(
        f'<li class="comment"><cite>Reader {k}</cite><p>The mill still stands.</p></li>' for k in range(2)
    )
    page = (
        f"<html><head><title>A page</title></head><body><article><h1>A page</h1><p>{'Some words on rivers. ' * 60}</p>"
        f'</article><div id="comments"><h2>2 comments</h2><ol class="commentlist">{comments}</ol></div></body></html>'
    )
    script = "import joblib, sys\np = joblib.load(sys.argv[1])\nprint(p.predict_proba(['The mill stands'])[0, 1])\n"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        joblib.dump(fitted(frame["text"][ROWS:], spam[ROWS:]), folder / "pipeline.joblib")
        (folder / "page.html").write_text(page, encoding="utf-8")
        (folder / "script.py").write_text(script, encoding="utf-8")
        environment = os.environ | ({"SPAMFILTER_MODEL": model} if model else {})
        today = [sys.executable, str(folder / "script.py"), str(folder / "pipeline.joblib")]
        command = [sys.executable, "-m", "spamfilter"]
        score = [*command, "score", str(folder / "page.html")]
        times = _processes({"today": today, "score": score, "help": [*command, "--help"]}, environment)
    for what, (wall, busy) in times.items():
        ratio = wall / times["today"][0]
        print(f"  {what:8s} {wall:6.2f} s on the clock, {busy:5.2f} s of the processor, {ratio:5.2f} of today's")


def _processes(commands: dict[str, list[str]], environment: dict[str, str]) -> dict[str, tuple[float, float]]:
    times: dict[str, tuple[float, float]] = {}
    for _ in range(5):
        for what, command in commands.items():
            before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment, cwd=ROOT)
            wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
            busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            old = times.get(what, (np.inf, np.inf))
            times[what] = (min(old[0], wall), min(old[1], busy))
    return times


def growth(model: str | None, out: Path) -> None:
    """Curves of cost, printed, and drawn where Matplotlib is installed."""
    sf = spamfilter.load(model)
    words = "the mill by river held when water rose we thought about pipes and prices of bread see you friends".split()
    rng = np.random.default_rng(5)

    def prose(length: int) -> str:
        return " ".join(rng.choice(words, max(length // 5, 1)))[:length]

    comment, article = prose(250), prose(6000)
    names = ("comments", "characters of one comment", "characters of the article", "comments of one page")
    curves: dict[str, list[tuple[int, float]]] = {name: [] for name in names}
    for n in (500, 2000, 8000, 20000, 50000):
        frame = pd.DataFrame({"text": [f"{k} {comment}" for k in range(n)], "title": "Mills", "article": article})
        curves["comments"].append((n, best(lambda f=frame: sf.score_frame(f), 5)))
    fresh = count()  # an article seen before is remembered
    for n in (10_000, 50_000, 200_000, 500_000, 1_000_000):
        text = prose(n)
        curves["characters of one comment"].append(
            (n, best(lambda t=text: sf.score(t, "Jo", None, "Mills", article), 5))
        )
        curves["characters of the article"].append(
            (n, best(lambda t=text: sf.score(comment, "Jo", None, "Mills", f"{next(fresh)} {t}"), 5))
        )
    for n in (500, 2000, 8000, 20000, 50000):
        page = _page(article, (f"{k} {comment}" for k in range(n)))
        curves["comments of one page"].append((n, best(lambda p=page: sf.score_page(p), 1)))
    for what, points in curves.items():
        print(what)
        for n, seconds in points:
            print(f"  {n:9,} {seconds:8.3f} s {seconds / n * 1e6:8.2f} µs each")
    _draw(curves, out)


def _page(article: str, comments: Iterable[str]) -> str:
    """A page as WordPress makes them."""
    items = "".join(
        f'<li class="comment" id="comment-{k}"><cite class="fn">Reader {k}</cite> <p>{text}</p></li>\n'
        for k, text in enumerate(comments)
    )
    return (
        f"<html><head><title>Mills</title></head><body><article><h1>Mills</h1><p>{article}</p></article>"
        f'<div id="comments"><ol class="commentlist">{items}</ol></div></body></html>'
    )


def _draw(curves: dict[str, list[tuple[int, float]]], out: Path) -> None:
    try:
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError:
        print("Matplotlib is not installed: nothing drawn")
        return
    matplotlib.rcParams["svg.hashsalt"] = "spamfilter"  # the same file from the same figures
    figure, axes = plt.subplots(1, len(curves), figsize=(4 * len(curves), 3.2), layout="constrained")
    for axis, (what, points) in zip(axes, curves.items(), strict=True):
        x, y = zip(*points, strict=True)
        axis.plot(x, y, "o-", color="#1d4e89")
        axis.plot([0, x[-1]], [0, y[-1]], "--", color="#999", linewidth=1)
        axis.set(xlabel=what, ylabel="processor seconds", xlim=(0, None), ylim=(0, None))
    figure.savefig(out, metadata={"Date": None})
    print(f"drawn: {out}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of scoring, as ratios within one run.")
    parser.add_argument("what", choices=("scoring", "cold", "pages", "growth", "training", "workers"))
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "docs" / "growth.svg", help="where to draw curves")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with the comments")
    parser.add_argument("--model", help="name or folder of a model")
    parser.add_argument("--pages", type=Path, default=ROOT.parent / "shared" / "pages", help="folder with real pages")
    parser.add_argument("--rows", type=int, help="training: this many rows, in this process")
    given = parser.parse_args()
    if given.what == "growth":
        growth(given.model, given.out)
        return
    if given.what == "pages":
        import pagespeed

        pagespeed.run(given.pages, given.model)
        return
    if not given.data.is_dir():
        sys.exit(f"{given.data} is absent: name the folder with comments.jsonl and posts.jsonl with --data")
    if given.what == "workers":
        import workerspeed

        workerspeed.run(given.data, given.model)
        return
    if given.what == "training":
        import trainingspeed

        trainingspeed.run(given.data, given.rows)
        return
    (scoring if given.what == "scoring" else cold)(given.data, given.model)


if __name__ == "__main__":
    main()
