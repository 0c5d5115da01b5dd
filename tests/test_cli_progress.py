import re
import sys

import pytest

from spamfilter.batch import Options, Outcome, stream
from spamfilter.cli.progress import Progress
from spamfilter.files import Input
from tests.batchjobs import ObeyJob
from tests.blogpages import blog, warc_gz, warc_record


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("spamfilter.cli.progress._INTERVAL", 0.0)


def shown(inputs, tally):
    """Share of the input that the bar shows as done, and its note, after each page."""
    with Progress(inputs) as progress:
        for _, position in stream(ObeyJob(), inputs, Options(1)):
            progress.advance(Outcome(tally=tally), position)
            task = progress._bar.tasks[0]
            yield task.percentage, task.fields["note"]


def test_inside_one_archive_the_bar_moves_with_the_offset_of_the_record(tmp_path, terminal):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(warc_gz([warc_record(f"http://a.example/{n}", f"<p>{n}".encode()) for n in range(20)]))
    steps = list(shown([Input(str(path), "warc", "gz")], {"pages": 1, "comments": 4, "spam": 1, "bytes": 9}))
    done = [share for share, _ in steps]
    assert len(done) == 20 and done == sorted(done) and done[10] == pytest.approx(50, abs=2) and done[-1] > 90
    assert re.match(r"20 pages  [\d,]+/s  0 MB  25.0% of comments flagged", steps[-1][1])


def test_inside_a_table_it_moves_with_the_size_of_its_pages(tmp_path, terminal):
    path = tmp_path / "pages.csv"
    page = blog().replace('"', "'").replace("\n", " ")
    path.write_text("html\n" + f'"{page}"\n' * 10)
    steps = list(shown([Input(str(path), "csv"), Input(str(path), "csv")], {"pages": 1, "bytes": len(page)}))
    done = [share for share, _ in steps]
    assert done == sorted(done) and done[4] == pytest.approx(25, abs=3) and done[14] == pytest.approx(75, abs=3)


def test_where_nobody_looks_nothing_is_drawn(capsys):
    with Progress([]) as progress:
        progress.advance(Outcome(tally={"pages": 1}), None)
    assert capsys.readouterr().err == ""
