import os
import signal
import time

import pytest

from spamfilter.batch import Options, stream
from spamfilter.batch.pool import Pool
from spamfilter.errors import SpamFilterError
from spamfilter.files import RawPage
from tests.batchjobs import ObeyJob


def pages(*orders):
    return [RawPage("in.jsonl", n, None, order) for n, order in enumerate(orders, 1)]


def done(job, items, workers=2, timeout=None):
    with Pool(job, workers, timeout) as pool:
        return list(pool.run(items))


def test_results_come_in_the_order_of_the_items():
    orders = [str(n) for n in range(200)]
    outcomes = done(ObeyJob(), pages(*orders), workers=3)
    assert [outcome.piece.decode().strip() for outcome in outcomes] == orders


def test_nothing_to_do():
    assert done(ObeyJob(), []) == []


def test_a_page_that_kills_its_worker_is_given_up_alone(tmp_path):
    orders = ["1", "2", "die", "4", "5"] * 5
    outcomes = done(ObeyJob(once=str(tmp_path / "x")), pages(*orders))
    assert [o.piece.decode().strip() or o.failure.kind for o in outcomes] == ["1", "2", "killed", "4", "5"] * 5
    assert "SIGKILL" in outcomes[2].failure.reason
    assert outcomes[2].failure.offset == 3


def test_a_worker_killed_from_outside_costs_nothing(tmp_path):
    orders = [str(n) for n in range(30)] + ["die once"] + [str(n) for n in range(30)]
    outcomes = done(ObeyJob(once=str(tmp_path / "x")), pages(*orders))
    assert [outcome.piece.decode().strip() for outcome in outcomes] == orders


def test_workers_that_are_killed_while_idle_are_replaced():
    with Pool(ObeyJob(), 2) as pool:

        def items():
            yield from pages("1", "2")
            time.sleep(0.5)
            for pid in pool.pids():
                os.kill(pid, signal.SIGKILL)
            yield from pages("3", "4")

        assert [outcome.piece for outcome in pool.run(items())] == [b"1\n", b"2\n", b"3\n", b"4\n"]


@pytest.mark.parametrize("order", ["sleep", "hang"])
def test_a_page_that_takes_too_long_is_given_up_alone(order):
    begun = time.monotonic()
    outcomes = done(ObeyJob(timeout=0.3), pages("1", order, "3"), timeout=0.3)
    assert [o.piece.decode().strip() or o.failure.kind for o in outcomes] == ["1", "timeout", "3"]
    assert "0.3 s" in outcomes[1].failure.reason
    assert time.monotonic() - begun < 20


def test_a_timeout_holds_without_workers_too():
    outcomes = list(stream(ObeyJob(timeout=0.3), [], Options(1)))
    assert outcomes == []
    job = ObeyJob(timeout=0.3)
    assert [job(page).failure is None for page in pages("1", "sleep", "3")] == [True, False, True]


def test_an_unexpected_error_is_a_failure_of_that_page():
    outcomes = done(ObeyJob(), pages("1", "error", "3"))
    assert outcomes[1].failure.kind == "internal"
    assert "a bug" in outcomes[1].failure.reason
    assert outcomes[2].piece == b"3\n"


def test_workers_that_cannot_start_end_the_run_with_one_error():
    with pytest.raises(SpamFilterError, match="exit code 7"):
        done(ObeyJob(broken=True), pages("1"))


def test_no_worker_is_left_behind():
    with Pool(ObeyJob(), 2) as pool:
        results = pool.run(pages(*map(str, range(100))))
        next(results)
        pids = pool.pids()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
