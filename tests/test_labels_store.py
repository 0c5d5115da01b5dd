"""The label store: what goes in comes out, what was decided stays, and whatever is wrong with the file is said."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamfilter.errors import DataError, StoreError
from spamfilter.labels import Context, Decision, LabelStore
from spamfilter.labels.migrations import MIGRATIONS
from spamfilter.records import Comment, Reason, Verdict

BREAD = Context("Rye bread", "How to keep a sourdough alive.", "https://blog.example/rye", lang="en")
PILLS = "Order your tablets from our trusted pharmacy today, delivery to every country within three days"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(tmp_path / "labels.db") as opened:
        yield opened


def decide(text: str, label: str = "spam", who: str = "ana", **more: object) -> Decision:
    return Decision(Comment(text, "Kim"), label, who, context=BREAD, **more)  # type: ignore[arg-type]


def test_a_decision_comes_back_with_all_it_had(store: LabelStore) -> None:
    verdict = Verdict(
        "unsure", 0.4, (Reason("off_topic", 'says "oven", means shoes', 1.25), Reason("rest", "…", -0.5)), "m@1"
    )
    at = datetime(2026, 3, 1, 8, 15, tzinfo=UTC)
    comment = Comment("Which flour?", "Kim", "https://kim.example", "2026-02-28", id="17", kind="pingback")
    seq = store.add(Decision(comment, "ham", "ana", "page", BREAD, verdict, "blind", at, key="k1"))
    (row,) = store.current()
    assert (row.seq, row.label, row.who, row.source, row.at, row.look) == (seq, "ham", "ana", "page", at, "blind")
    assert row.comment == comment
    assert row.verdict == verdict
    assert row.context == Context("Rye bread", "How to keep a sourdough alive.", BREAD.permalink, "blog.example", "en")


def test_the_last_decision_counts_and_all_are_kept(store: LabelStore) -> None:
    store.add(decide("Hello there", "spam", "ana"))
    store.add(decide("Hello there", "ham", "ben"))
    assert [row.label for row in store.current()] == ["ham"]
    assert [row.label for row in store.rows()] == ["spam", "ham"]
    assert [c.kind for c in store.conflicts()] == ["people"]


def test_undo_brings_back_the_decision_before_and_only_ones_own(store: LabelStore) -> None:
    store.add(decide("Hello there", "spam", "ana"))
    second = store.add(decide("Hello there", "ham", "ben"))
    (row,) = store.current()
    with pytest.raises(DataError, match="by ben"):
        store.undo(row.comment_id, "ana")
    assert store.undo(row.comment_id, "ben") == second
    assert [r.label for r in store.current()] == ["spam"]
    assert [r.live for r in store.rows()] == [True, False]
    store.undo(row.comment_id, "ana")
    assert list(store.current()) == []
    with pytest.raises(DataError, match="no decision to undo"):
        store.undo(row.comment_id, "ana")


def test_a_key_is_stored_once_and_for_one_decision_only(store: LabelStore) -> None:
    first = store.add(decide("Hello there", key="request-1"))
    assert store.add(decide("Hello there", key="request-1")) == first
    assert store.stats().decisions == 1
    with pytest.raises(DataError, match="request-1"):
        store.add(decide("Hello there", "ham", key="request-1"))
    with pytest.raises(DataError, match="request-1"):
        store.add(decide("Something else", key="request-1"))
    assert store.stats().comments == 1


def test_add_many_stores_all_or_nothing(store: LabelStore) -> None:
    with pytest.raises(DataError, match="neither 'spam' nor 'ham'"):
        store.add_many([decide("One"), decide("Two", "unsure")])
    assert store.stats().comments == 0
    assert store.add_many([decide("One"), decide("Two")]) == [1, 2]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (decide("   "), "without text"),
        (decide("x", who=" "), "who made it"),
        (decide("x", look="asleep"), "asleep"),
    ],
)
def test_what_cannot_be_a_decision_is_refused(store: LabelStore, bad: Decision, message: str) -> None:
    with pytest.raises(DataError, match=message):
        store.add(bad)
    assert store.stats().decisions == 0


@pytest.mark.parametrize("table", ["decisions", "comments", "undos", "contexts", "articles", "personal", "migrations"])
def test_the_file_itself_refuses_change_and_deletion(tmp_path: Path, table: str) -> None:
    path = tmp_path / "labels.db"
    with LabelStore.open(path, keep_personal=True) as store:
        store.add(decide("Hello there", email="kim@kim.example", ip="192.0.2.7"))
        store.put_article("https://blog.example/rye", "Rye", "Text")
        store.undo(1, "ana")
    with closing(sqlite3.connect(path)) as other, other:
        column = other.execute(f"SELECT * FROM {table}").description[1][0]
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                other.execute(statement)


def test_personal_addresses_are_not_stored_unless_asked(tmp_path: Path) -> None:
    comment = Comment(
        "Write to jo.smith@mail.example or from 203.0.113.9 or 2001:db8::7, "
        "see http://203.0.113.9/x at 12:30:45, v1.2.3",
        "jo.smith@mail.example",
        "mailto:jo.smith@mail.example",
    )
    for keep in (False, True):
        path = tmp_path / f"{keep}.db"
        with LabelStore.open(path, keep_personal=keep) as store:
            store.add(Decision(comment, "spam", "ana", email="jo.smith@mail.example", ip="203.0.113.9"))
            store.queue.enqueue(Comment("mail me: jo.smith@mail.example"))
            (row,) = store.current()
        stored = path.read_bytes()
        assert (b"jo.smith" in stored) is keep
        assert (row.email, row.ip) == (("jo.smith@mail.example", "203.0.113.9") if keep else (None, None))
        if not keep:
            seen = "Write to [email] or from [ip] or [ip], see http://203.0.113.9/x at 12:30:45, v1.2.3"
            assert (row.comment.text, row.comment.author, row.comment.author_url) == (seen, "[email]", "[email]")


def test_articles_are_found_by_permalink_and_belong_to_their_site(store: LabelStore) -> None:
    place = "https://blog.example/rye"
    store.add(Decision(Comment("Nice"), "ham", "ana", context=Context(permalink=place)))
    assert next(store.current()).context.article is None
    store.put_article(place, "Rye", "First")
    store.put_article(place, "Rye", "Second")
    assert next(store.to_rows())["article"] == "Second"
    store.put_article(place, "Rye", "Theirs", site="https://Other.example/")
    found = (
        store.article_for(place),
        store.article_for(place, site="other.example"),
        store.article_for(place, site="third.example"),
    )
    assert [one and one.article for one in found] == ["Second", "Theirs", "Second"]
    assert store.article_for("https://blog.example/none") is None
    assert store.stats().articles == 2


def test_rows_are_what_training_reads(store: LabelStore, tmp_path: Path) -> None:
    from spamfilter.datasets import FIELDS

    store.add(decide(PILLS, "spam"))
    (row,) = store.to_rows()
    assert {"text", "label", *FIELDS} <= set(row)
    assert (row["text"], row["label"], row["site"], row["title"]) == (PILLS, "spam", "blog.example", "Rye bread")


def test_near_duplicates_share_a_campaign_and_their_labels_conflict(store: LabelStore) -> None:
    store.add(decide(f"{PILLS} http://one.example/7"))
    store.add(decide(f"{PILLS.replace('today', 'now')} http://two.example/8", "ham"))
    store.add(decide("The crust stayed soft although I used steam, what did I do wrong with it?", "ham"))
    first, second, third = store.current()
    assert first.campaign == second.campaign != third.campaign
    (conflict,) = store.conflicts()
    assert (conflict.kind, conflict.counts()) == ("near", {"spam": 1, "ham": 1})


def test_the_same_text_under_two_articles_with_two_labels_is_a_conflict(store: LabelStore) -> None:
    for number, label in enumerate(("spam", "ham")):
        store.add(Decision(Comment("Thanks!"), label, "ana", context=Context(site=f"s{number}.example")))  # type: ignore[arg-type]
    assert [c.kind for c in store.conflicts()] == ["same"]
    assert list(store.conflicts(site="s0.example")) == []


def test_a_clock_that_goes_backwards_changes_no_order(tmp_path: Path) -> None:
    times = iter([datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)])
    with LabelStore.open(tmp_path / "labels.db", clock=lambda: next(times)) as store:
        for label in ("spam", "ham", "spam"):
            store.add(decide("Hello there", label))
        (row,) = store.current()
        assert (row.label, row.seq) == ("spam", 3)
        assert store.stats().clock_steps_back == 2


def test_pages_of_rows_meet_without_gap_or_repetition(store: LabelStore) -> None:
    store.add_many(decide(f"comment number {i}", "spam" if i % 3 else "ham") for i in range(1_234))
    assert [row.seq for row in store.current()] == list(range(1, 1_235))
    assert [row.seq for row in store.rows(after=1_230)] == [1_231, 1_232, 1_233, 1_234]
    assert store.stats().to_dict()["ham"] == 412


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=60), st.none() | st.text(max_size=20))
def test_any_text_can_be_labelled_and_found_again(text: str, author: str | None) -> None:
    if not text.strip():
        return
    with tempfile.TemporaryDirectory() as folder, LabelStore.open(Path(folder) / "labels.db") as store:
        comment, under = Comment(text, author), Context(title=author)
        store.add(Decision(comment, "ham", "ana", context=under))
        found = store.label_of(comment, under)
        assert found is not None and found.label == "ham"
        store.add(Decision(found.comment, "spam", "ana", context=found.context))  # what came out is the same comment
        assert store.stats().comments == 1


def test_lone_surrogates_and_nul_are_stored_as_replacement_characters(store: LabelStore) -> None:
    store.add(Decision(Comment("a\ud800b\0c"), "spam", "ana"))
    assert next(store.current()).comment.text == "a\ufffdb\ufffdc"


# --- several writers


def _write(path: Path, who: str, start: threading.Barrier | None, n: int) -> None:
    with LabelStore.open(path) as store:
        for i in range(n):
            store.add(decide(f"{who} says {i}, and {i * 7} more words of it", who=who, key=f"{who}-{i}"))


def test_several_processes_create_and_write_one_store(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, f"w{n}", None, 40)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    with LabelStore.open(path) as store:
        store.check()
        assert store.stats().by_who == {"w0": 40, "w1": 40, "w2": 40, "w3": 40}
        assert sorted(row.seq for row in store.rows()) == list(range(1, 161))


def test_threads_share_one_store(store: LabelStore) -> None:
    def work(who: str) -> None:
        for i in range(25):
            store.add(decide(f"{who} {i}", who=who))

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.stats().decisions == 100


def test_a_writer_that_is_killed_leaves_whole_decisions(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    script = textwrap.dedent("""
        import sys
        from spamfilter.labels import Context, Decision, LabelStore
        from spamfilter.records import Comment
        with LabelStore.open(sys.argv[1]) as store:
            for i in range(100_000):
                print(store.add(Decision(Comment(f"comment {i}"), "spam", "ana")), flush=True)
    """)
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(50)][-1]
        writer.kill()
    with LabelStore.open(path) as store:
        store.check()
        assert store.last() >= acknowledged
        store.add(decide("and on it goes"))


# --- files that are not a label store, or cannot be used


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE recipes (name)")


def _marked(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("PRAGMA application_id = 77")


def _newer(path: Path) -> None:
    LabelStore.open(path).close()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO migrations (name, at) VALUES ('9999_telepathy', '2030-01-01')")


def _damaged(path: Path) -> None:
    with LabelStore.open(path) as store:
        store.add_many(decide(f"comment {i} " * 20) for i in range(200))
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = b"\xa5" * (len(data) // 2 - 4096)
    path.write_bytes(data)


BROKEN: list[tuple[str, Callable[[Path], object], str]] = [
    ("foreign", _foreign, "not a label store.*recipes"),
    ("another program's", _marked, "not a label store"),
    ("newer", _newer, "9999_telepathy.*pip install --upgrade"),
    ("text", lambda path: path.write_text("dear diary, " * 100), "no SQLite file"),
    ("cut", lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 60), "not a label store|damaged"),
    ("folder", lambda path: path.mkdir(), "this is a folder"),
]


@pytest.mark.parametrize(("name", "make", "message"), BROKEN, ids=[name for name, _, _ in BROKEN])
def test_a_file_that_is_no_usable_store_is_refused_and_left_alone(
    tmp_path: Path, name: str, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / "labels.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    for readonly in (True, False):
        with pytest.raises(StoreError, match=message) as caught:
            LabelStore.open(path, readonly=readonly)
        assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_damage_inside_is_told_when_it_is_met(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    _damaged(path)
    with pytest.raises(StoreError, match="damaged"), LabelStore.open(path) as store:
        store.check()


def test_a_missing_folder_and_a_missing_store_are_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist; create it"):
        LabelStore.open(tmp_path / "no" / "labels.db")
    with pytest.raises(StoreError, match="no label store here"):
        LabelStore.open(tmp_path / "labels.db", readonly=True)


def test_a_store_opened_for_reading_takes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    with LabelStore.open(path) as store:
        store.add(decide("Hello there"))
    with LabelStore.open(path, readonly=True) as store:
        assert store.stats().decisions == 1
        with pytest.raises(StoreError, match="reading only"):
            store.add(decide("Another"))


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    path.touch()
    with LabelStore.open(path) as store:
        assert store.add(decide("Hello there")) == 1


def test_a_migration_that_fails_leaves_the_old_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spamfilter.labels import database
    from spamfilter.labels.migrations import Migration

    path = tmp_path / "labels.db"
    with LabelStore.open(path) as store:
        store.add(decide("Hello there"))
    bad = Migration("0002_bad", ("CREATE TABLE half (x)", "CREATE TABLE half (x)"))
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, bad))
    with pytest.raises(StoreError, match="already exists"):
        LabelStore.open(path)
    good = Migration("0002_good", ("ALTER TABLE queue ADD COLUMN note TEXT",))
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, good))
    with LabelStore.open(path) as store:
        assert store.stats().decisions == 1
    with closing(sqlite3.connect(path)) as other, other:
        assert [row[0] for row in other.execute("SELECT name FROM migrations")] == ["0001_decisions", "0002_good"]
        assert other.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall() == []


def test_a_store_that_another_holds_is_waited_for_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spamfilter.labels import database

    monkeypatch.setattr(database, "BUSY", 0.2)
    path = tmp_path / "labels.db"
    with LabelStore.open(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program"):
            store.add(decide("Hello there"))
        other.execute("COMMIT")
        other.close()
        assert store.add(decide("Hello there")) == 1


_FILL = """
import resource, signal, sys
from spamfilter.errors import StoreError
from spamfilter.labels import Decision, LabelStore
from spamfilter.records import Comment
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with LabelStore.open(sys.argv[1]) as store:
    size = store.path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, size + 300_000))
    try:
        for i in range(100):
            store.add(Decision(Comment(f"{i} " + "long words " * 3_000), "spam", "ana"))
            print(i, flush=True)
    except StoreError as error:
        print(error)
        print(store.stats().decisions)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_file_that_can_grow_no_further_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    done = subprocess.run([sys.executable, "-c", _FILL, str(path)], capture_output=True, text=True, timeout=120)
    *acknowledged, message, stored = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert "labels.db" in message and ("disk" in message or "room" in message)
    assert int(stored) == len(acknowledged) > 0
    with LabelStore.open(path) as store:  # the limit is gone: it goes on
        store.check()
        assert store.add(decide("Hello again")) == len(acknowledged) + 1


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("mount"), reason="needs mount")
def test_a_full_disk_is_told_and_leaves_the_store_whole(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no permission to mount a small disk")
    try:
        n = 0
        with LabelStore.open(disk / "labels.db") as store:
            with pytest.raises(StoreError, match="disk"):
                for n in range(500):
                    store.add(decide(f"{n} " + "long words " * 2_000))
            assert store.stats().decisions == n
            store.check()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


_READ_ONLY = """
import os, sys
from spamfilter.errors import StoreError
from spamfilter.labels import Decision, LabelStore
from spamfilter.records import Comment
if os.geteuid() == 0:  # permissions do not bind root
    os.setgid(65534); os.setuid(65534)
with LabelStore.open(sys.argv[1], readonly=True) as store:
    print(store.stats().decisions)
try:
    with LabelStore.open(sys.argv[1]) as store:
        store.add(Decision(Comment("x"), "spam", "ana"))
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_store_that_may_not_be_written_is_read_and_refuses_writing() -> None:
    folder = Path(tempfile.mkdtemp())  # not tmp_path, which other users may not enter
    path = folder / "labels.db"
    try:
        with LabelStore.open(path) as store:
            store.add(decide("Hello there"))
        before = path.read_bytes()
        path.chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", _READ_ONLY, str(path)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        first, message = done.stdout.splitlines()
        assert first == "1"
        assert "labels.db" in message and ("permission" in message or "written" in message)
        assert path.read_bytes() == before
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_importing_the_store_loads_nothing_heavy() -> None:
    heavy = "{'sklearn', 'pandas', 'scipy', 'pyarrow'}"
    script = f"import sys, spamfilter.labels as _; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_naive_times_are_read_as_utc(store: LabelStore) -> None:
    store.add(decide("Hello there", at=datetime(2026, 1, 1, 12)))
    assert next(store.current()).at == datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(0)
