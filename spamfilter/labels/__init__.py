"""Label store: a moderation team's decisions in one SQLite file, append-only.

Usage::

    with LabelStore.open("labels.db") as store:
        seq = store.add(Decision(Comment("Great post!"), "spam", who="ana"))
        rows = store.to_rows()                       # for training
        waiting = store.queue.pending(limit=20)      # most uncertain first
        store.queue.resolve(waiting[0].id, "ham", who="ana")
"""

from __future__ import annotations

from spamfilter.labels.decision import Conflict, Context, Decision, LabelRow, Pending, Stats
from spamfilter.labels.queue import Queue
from spamfilter.labels.store import LabelStore

__all__ = ["Conflict", "Context", "Decision", "LabelRow", "LabelStore", "Pending", "Queue", "Stats"]
