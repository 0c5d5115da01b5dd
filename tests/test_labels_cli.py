"""``spamfilter label`` from the outside: commands, exit codes, and the queue at a real (pseudo) terminal."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spamfilter.cli import main
from spamfilter.labels import Context, LabelStore
from spamfilter.records import Comment, Reason, Verdict

PILLS = "Order your tablets from our trusted pharmacy today, delivery to every country within three days"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPAMFILTER_LABELS", raising=False)


def label(*argv: str) -> int:
    return main(["label", *argv])


def lines(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_add_export_import_stats(capsys: pytest.CaptureFixture[str]) -> None:
    assert label("add", "spam", PILLS, "--author", "Shop", "--site", "https://Blog.example/", "--who", "ana") == 0
    assert label("add", "ham", "Which flour?", "--who", "ben") == 0
    assert label("export", "-o", "labels.csv") == 0
    assert label("import", "labels.csv", "--store", "other.db") == 0
    capsys.readouterr()
    assert label("stats", "--store", "other.db", "--check") == 0
    (found,) = lines(capsys)
    assert (found["spam"], found["ham"], found["by_who"], found["by_site"]["blog.example"]) == (
        1,
        1,
        {"ana": 1, "ben": 1},
        1,
    )
    assert label("export", "--site", "blog.example") == 0
    (row,) = lines(capsys)
    assert (row["text"], row["label"], row["look"]) == (PILLS, "spam", "blind")


def test_parquet_export_of_a_store_with_empty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    label("add", "spam", PILLS, "--who", "ana")
    assert label("export", "-o", "labels.parquet") == 0
    assert label("import", "labels.parquet", "--store", "other.db", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["spam"] == 1
    assert not list(Path().glob(".*part"))


def test_the_exported_table_is_what_training_reads() -> None:
    from spamfilter.datasets import read_data

    label("add", "spam", PILLS, "--who", "ana", "--title", "Rye")
    label("add", "ham", "Which flour?", "--who", "ana", "--title", "Rye")
    label("export", "-o", "labels.jsonl")
    data = read_data(["labels.jsonl"])
    assert data.text == [PILLS, "Which flour?"] and data.label.tolist() == [1, 0] and data.title == ["Rye", "Rye"]


def test_conflicts_and_sources_that_stand_out(capsys: pytest.CaptureFixture[str]) -> None:
    label("add", "spam", "Thanks for this!", "--who", "ana")
    label("add", "ham", "Thanks for this!", "--who", "ben")
    capsys.readouterr()
    assert label("conflicts") == 0
    (found,) = lines(capsys)
    assert (found["kind"], [(r["who"], r["label"]) for r in found["rows"]]) == (
        "people",
        [("ana", "spam"), ("ben", "ham")],
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["queue"], "no label store here"),
        (["stats", "--store", "no.db"], "no label store here"),
        (["import", "none.csv"], "no such file"),
        (["import", "bad.csv"], "nearest known is 'author'"),
        (["import", "bad.csv", "--column", "athor"], "THEIRS=OURS"),
        (["import", "bad.csv", "--kind", "tea"], "wordpress-sql"),
        (["import", "bad.csv", "--trash", "maybe"], "skip, spam or ham"),
        (["add", "maybe", "text"], "neither spam nor ham"),
        (["add", "spam", ""], "without text"),
        (["export", "-o", "x.txt", "--store", "good.db"], "no output format"),
        (["queue", "--since", "soon", "--store", "good.db"], "no date"),
        (["queue", "--order", "random", "--store", "good.db"], "useful"),
        (["stats", "--store", "bad.csv"], "no SQLite file"),
    ],
)
def test_what_cannot_be_done_is_told_with_exit_code_2(
    argv: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("bad.csv").write_text("text,label,athor\nx,spam,y\n")
    LabelStore.open("good.db").close()
    assert label(*argv) == 2
    err = capfd.readouterr().err
    assert message in " ".join(err.split()) and "Traceback" not in err


def test_an_import_with_damaged_rows_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.jsonl").write_text('{"text": "one", "label": "spam"}\n{"text": "tw\n')
    assert label("import", "x.jsonl") == 1
    out = capsys.readouterr().out
    assert "1 labelled spam" in out and "1 left out" in out and "row 2" in out


def test_every_command_has_help_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("add", "import", "export", "queue", "conflicts", "stats"):
        assert label(command, "--help") == 0
        assert f"spamfilter label {command}" in capsys.readouterr().out


def test_the_queue_as_a_list_is_scored_by_the_model_in_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from spamfilter.batch import loading

    class Scorer:
        def score_many(self, rows: list[dict[str, str]]) -> list[Verdict]:
            return [Verdict("spam", 0.9) if "tablets" in row["text"] else Verdict("unsure", 0.5) for row in rows]

    monkeypatch.setattr(loading, "load_scorer", lambda model=None: Scorer())
    Path("x.csv").write_text(f'text,label\n"{PILLS}",pending\nWhich flour?,pending\n')
    label("import", "x.csv")
    capsys.readouterr()
    assert label("queue", "--list", "--order", "uncertain") == 0
    assert [(row["text"], row["probability"]) for row in lines(capsys)] == [("Which flour?", 0.5), (PILLS, 0.9)]


# --- at a terminal

pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")


def _take_terminal() -> None:
    """Make standard input the terminal that Ctrl-C comes from."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A program at a pseudo-terminal of 80 by 30."""

    def __init__(self, *argv: str) -> None:
        self._fd, far = pty.openpty()
        source = str(Path(__file__).resolve().parents[1])
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "30", "PYTHONPATH": source}
        command = [sys.executable, "-m", "spamfilter", "label", "queue", *argv]
        self._program = subprocess.Popen(
            command, stdin=far, stdout=far, stderr=far, env=env, start_new_session=True, preexec_fn=_take_terminal
        )
        os.close(far)
        self._seen = b""

    def until(self, wanted: str, seconds: float = 30.0) -> str:
        """What was written, and not read here yet, up to and with ``wanted``."""
        end = time.monotonic() + seconds
        while wanted.encode() not in self._seen and time.monotonic() < end:
            if select.select([self._fd], [], [], 0.2)[0]:
                try:
                    self._seen += os.read(self._fd, 65_536)
                except OSError:
                    break
        before, found, self._seen = self._seen.partition(wanted.encode())
        assert found, before.decode("utf-8", "replace")
        return (before + found).decode("utf-8", "replace")

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def end(self) -> int:
        code = self._program.wait(30)
        os.close(self._fd)
        return code

    def kill(self) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._fd)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(tmp_path / "labels.db") as opened:
        under = Context("Rye bread", "How to keep a sourdough alive in winter.", site="blog.example")
        for n, (text, p) in enumerate(
            (("alpha one", 0.5), ("beta two", 0.45), ("gamma three", 0.9), ("delta four", 0.95))
        ):
            verdict = Verdict("unsure" if p < 0.8 else "spam", p, (Reason("off_topic", f"reason {n}", 1.5),))
            opened.queue.enqueue(Comment(text, f"Kim {n}"), under, verdict)
        yield opened


def current(store: LabelStore) -> dict[str, str]:
    return {row.comment.text: row.label for row in store.current()}


KEYS = "q quit"


def test_one_key_per_decision_undo_and_resume(store: LabelStore) -> None:
    terminal = Terminal("--who", "ana")
    screen = terminal.until(KEYS)
    for part in ("4 waiting", "Rye bread", "sourdough", "Kim 0", "alpha one", "0.50", "reason 0"):
        assert part in screen
    terminal.press("s")
    assert "beta two" in terminal.until(KEYS)
    terminal.press("h")
    assert "gamma three" in terminal.until(KEYS) and current(store) == {"alpha one": "spam", "beta two": "ham"}
    terminal.press("u")
    screen = terminal.until(KEYS)
    assert "beta two" in screen and "took back: ham" in screen and current(store) == {"alpha one": "spam"}
    terminal.press("\x1bOH\x1b[H\x1b[A")  # Home, twice, and an arrow: no decision
    terminal.press("s")
    terminal.until("gamma three")
    terminal.until(KEYS)
    assert current(store) == {"alpha one": "spam", "beta two": "spam"}
    terminal.press("k")
    terminal.until("delta four")
    terminal.until(KEYS)
    terminal.press("q")
    assert "2 spam, 0 ham, 1 skipped; 2 still wait" in terminal.until("still wait")
    assert terminal.end() == 0
    assert [row.look for row in store.current()] == ["shown", "shown"] and {row.who for row in store.current()} == {
        "ana"
    }

    terminal = Terminal("--who", "ana")  # goes on where it stopped, the skipped one last
    assert "delta four" in terminal.until(KEYS)
    terminal.press("h")
    assert "gamma three" in terminal.until(KEYS)
    terminal.press("s")
    terminal.until("No comment waits any more.")
    assert terminal.end() == 0
    assert len(current(store)) == 4


def test_keys_typed_in_advance_are_all_taken(store: LabelStore) -> None:
    terminal = Terminal("--who", "ana")
    terminal.until(KEYS)
    terminal.press("ssxh")
    terminal.until("1 waiting")
    terminal.press("\x04")
    terminal.until("still wait")
    assert terminal.end() == 0
    assert current(store) == {"alpha one": "spam", "beta two": "spam", "gamma three": "ham"}


def test_a_session_that_is_killed_has_lost_nothing(store: LabelStore) -> None:
    terminal = Terminal("--who", "ana")
    terminal.until(KEYS)
    terminal.press("s")
    terminal.until("beta two")
    terminal.kill()
    assert current(store) == {"alpha one": "spam"}


def test_ctrl_c_ends_the_session_and_restores_the_terminal(store: LabelStore) -> None:
    terminal = Terminal("--who", "ana")
    terminal.until(KEYS)
    terminal.press("s\x03")
    assert terminal.end() == 130
    assert current(store) in ({}, {"alpha one": "spam"})  # whole, whichever came first


def test_blind_hides_the_verdict_and_says_so_in_the_label(store: LabelStore) -> None:
    terminal = Terminal("--who", "ana", "--blind")
    screen = terminal.until(KEYS)
    assert "0.50" not in screen and "reason 0" not in screen
    terminal.press("hq")
    terminal.until("still wait")
    assert terminal.end() == 0
    assert [row.look for row in store.current()] == ["blind"]


def test_a_campaign_with_one_key_and_back(store: LabelStore) -> None:
    for n in range(4):
        store.queue.enqueue(Comment(f"{PILLS} http://shop{n}.example"), verdict=Verdict("unsure", 0.6))
    terminal = Terminal("--who", "ana")
    assert "4 comments of this campaign wait" in terminal.until(KEYS)
    terminal.press("S")
    assert "spam, 4 comments" in terminal.until(KEYS)
    assert len(current(store)) == 4
    terminal.press("u")
    assert "took back: spam" in terminal.until(KEYS)
    assert current(store) == {}
    terminal.press("q")
    terminal.until("still wait")
    assert terminal.end() == 0


def test_a_comment_cannot_write_to_the_terminal(store: LabelStore) -> None:
    evil = "first \x1b]0;owned\x07\x1b[2J\x9b31m line \u202e reversed [bold]not markup[/bold]"
    store.queue.enqueue(Comment(evil, "\x1b[31mRed", "http://x.example/\x1b[5m"), verdict=Verdict("unsure", 0.5))
    terminal = Terminal("--query", "reversed", "--who", "ana")
    screen = terminal.until(KEYS)
    for harmful in ("\x1b]0;", "\x07", "\x9b", "\u202e", "\x1b[5m"):
        assert harmful not in screen
    assert "[bold]not markup[/bold]" in screen
    terminal.press("q")
    terminal.until("still wait")
    assert terminal.end() == 0
