"""Makes the model that ``tests/models/`` keeps, in the format of its day: ``python -m tests.storedmodel``.

Once a format number has been released its stored model is never made again: it is there to show that what was saved
then can be loaded now.  Its last stage weighs the n-grams of text, name and host alone, so that a new or changed signal
does not change what it says; only a change of folding or hashing does, and with that every model has to be trained
anew anyway.
"""

import json
import random
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from spamfilter import store
from spamfilter.datasets import read_rows
from spamfilter.model import SpamFilter
from spamfilter.network import Network
from spamfilter.training import TrainingConfig, train
from tests.conftest import ROOT
from tests.team import decision

FOLDER = ROOT / "tests" / "models"
ROWS = [
    {
        "text": "True, and calm evenings by torchlight, Marlo of the weir, come and sit with the wellness circle, Friday."
    },
    {"text": "By the way, my aunt lost a glove at the gate by the mill last week?", "author": "Greta"},
    {"text": "Ｗｅｌｌｎｅｓｓ  c i r c l e, ask Marlo", "author": "Marlo 7", "author_url": "https://circle.example/"},
    {"text": "?", "title": "A walk past the weir", "article": "The path was dry and we met nobody until noon."},
]


def made():
    rng = random.Random(1)
    rows = []
    for n in range(120):
        d = decision(n, n % 3 == 0, rng)
        url = f"https://circle{n}.example/" if n % 6 == 0 else None
        under = d.context
        rows.append(
            {"text": d.comment.text, "author": d.comment.author, "author_url": url, "label": d.label, "title": under.title,
             "article": under.article, "site": f"s{n % 4}", "post": under.permalink, "lang": "en"}
        )  # fmt: skip
    config = TrainingConfig(word_bits=10, char_bits=10, folds=2, passages=20, prose=40)
    p = train(read_rows(rows, "team"), config)[0].parameters
    counts = np.isin(p.inputs, ("text", "prose", "name", "host", "text_titled", "text_titled_bare"))
    head = replace(p.head, coef=np.where(counts, p.head.coef, 0.0))
    return SpamFilter(replace(p, head=head, foreign=_network(len(p.foreign.mean))))


def _network(inputs):
    """One of few hidden units, as no training of so few rows makes it."""
    rng = np.random.default_rng(5)
    hidden, bias, coef = rng.normal(size=(inputs, 3)), rng.normal(size=3), rng.normal(size=3)
    return Network(np.zeros(inputs), np.ones(inputs), hidden, bias, coef, 0.5)


def main():
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        name = f"format-{store.FORMAT}"
        folder = store.save(made(), Path(work) / name, {"name": "stored", "version": "1", "rows": {}})
        said = [v.probability for v in store.load(folder).score_many(ROWS)]
        (FOLDER / f"{name}.json").write_text(json.dumps(said) + "\n")
        with tarfile.open(FOLDER / f"{name}.tar.xz", "w:xz") as archive:
            archive.add(folder, name, filter=_nobodys)


def _nobodys(info):
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    main()
