"""A model small enough to be trained in a test, and saved copies of it."""

from functools import cache

from spamfilter.datasets import read_rows
from spamfilter.training import train
from tests.labelledrows import SMALL, threads


@cache
def tiny():
    """A SpamFilter trained on the first three hundred English comments of the open corpus."""
    return train(read_rows(threads(comments=300), "tiny"), SMALL, "tiny")[0]


def manifest(version, name="tiny", **more):
    return {"name": name, "version": version, "created": "2026-03-01T08:00:00+00:00", **more}
