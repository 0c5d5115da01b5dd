"""Pages scored together: the same as each by itself, and what is wrong with one costs only that one."""

import time
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamfilter.batch import ScoreJob
from spamfilter.batch.cleanjob import CleanJob
from spamfilter.files import Failure, RawPage
from spamfilter.records import Comment, Page
from tests.blogpages import blog

READERS = [
    ("Rosa", "The ferry used to stop below the lighthouse, and my uncle sold the tickets."),
    ("Piet", "Rosa, I remember your uncle! He let us ride for nothing when it rained."),
    ("cheap hoists", "Our scissor lift tables come with a two year warranty and free delivery to your workshop."),
    ("Anna", "Thank you."),
    (None, "Is the timetable for the winter out yet? The harbour office says December."),
]


def raw(n, readers, body=None):
    content = body if body is not None else blog([(author or "", text) for author, text in readers])
    return RawPage("in.jsonl", n, f"http://site{n}.example/", content)


def outcomes(job, pages):
    return [(o.piece, o.tally, o.failure) for o in job.each(pages)]


@pytest.fixture(scope="module")
def job(sf):
    out = ScoreJob(scorer=sf)
    out.open()
    return out


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from(READERS), max_size=5), max_size=8))
def test_together_as_each_by_itself(job, threads):
    pages = [raw(n, readers) for n, readers in enumerate(threads, 1)]
    alone = [(o.piece, o.tally, o.failure) for o in map(job, pages)]
    assert outcomes(job, pages) == alone


def test_what_is_no_page_keeps_its_place(job):
    items = [raw(1, READERS), Failure("in.jsonl", 2, "damaged", "why"), raw(3, [], b"\xff\xfe<"), raw(4, READERS[:1])]
    found = outcomes(job, items)
    assert [failure and failure.kind for _, _, failure in found[:2]] == [None, "damaged"]
    assert [tally.get("comments") for _, tally, _ in found] == [5, None, 0, 1]


@dataclass
class Moody:
    """A scorer that does not bear pages on which somebody is called Trouble."""

    sf: object
    mood: object

    @property
    def name(self):
        return self.sf.name

    def score_splits(self, pages):
        if any(comment.author == "Trouble" for page in pages for comment in page.comments):
            self.mood()
        return self.sf.score_splits(pages)


def fail():
    raise KeyError("a bug")


@pytest.mark.parametrize(("mood", "kind"), [(fail, "internal"), (lambda: time.sleep(30), "timeout")])
def test_a_page_that_cannot_be_scored_is_the_only_one_lost(sf, mood, kind):
    trouble = [*READERS, ("Trouble", "The weir was built in the year of the flood.")]
    pages = [raw(1, READERS), raw(2, trouble), raw(3, READERS)]
    for kind_of_job in (ScoreJob, CleanJob):
        job = kind_of_job(scorer=Moody(sf, mood), timeout=0.5)
        job.open()
        found = outcomes(job, pages)
        assert [failure and failure.kind for _, _, failure in found] == [None, kind, None]
        assert found[0][0] and found[2][0] and found[1][1] == {"errors": 1, f"error:{kind}": 1}


def test_verdicts_do_not_depend_on_what_else_is_scored(sf):
    page = Page(
        "The ferry", "The ferry across the bay stops running in winter.", tuple(Comment(t, a) for a, t in READERS)
    )
    long = replace(page, comments=page.comments * 150)
    bare = Page(None, "", page.comments[:2])
    pages = [page, Page("None", "Nobody says a word."), long, bare, replace(page, kind="text"), page]
    assert sf.score_splits(pages) == [sf.score_split(page) for page in pages]
    assert sf.score_splits([]) == []
