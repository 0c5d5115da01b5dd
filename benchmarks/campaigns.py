"""Campaigns among real comments: what is found, what is wrongly joined, and what it costs.

Usage::

    python benchmarks/campaigns.py [--data ../shared/data] [--weigh]

``wp_midonet`` is a blog under two real campaigns; the readers' comments of all sets are what must not be joined.  Every
row counts as a comment of its site under its post, as in a crawl.  The slow judge is exact: Jaccard similarity of all
pairs of neighbouring words, and the share of equal characters in order (difflib).  ``--weigh`` fits what an appearance
is worth in log-odds, given the model's own verdict out of fold (trains once, some 20 s).  The times of datasketch and
rensa are printed where those are installed.
"""

from __future__ import annotations

import argparse
import difflib
import itertools
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from spamfilter.batch.campaigntable import MOST, PER_DOUBLING  # noqa: E402
from spamfilter.batch.grouping import LEAST, Found, grouped  # noqa: E402
from spamfilter.batch.signing import RECORD, signed, wordings  # noqa: E402
from spamfilter.datasets import Dataset, read_data  # noqa: E402
from spamfilter.features.hashing import word_hashes  # noqa: E402
from spamfilter.features.relatedness import pairs_of  # noqa: E402
from spamfilter.minhash import lowest  # noqa: E402
from spamfilter.records import Comment, Page  # noqa: E402
from spamfilter.text import encode, fold  # noqa: E402

#: Below this much of common word pairs, and of equal characters, a pair of comments was wrongly joined.
JACCARD, EDIT = 0.3, 0.5
#: Pairs of a campaign that are judged by the slow judge, drawn with a fixed seed.
JUDGED = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--weigh", action="store_true")
    given = parser.parse_args()
    data = read_data([str(given.data), str(ROOT / "data" / "corpus")])
    found, seconds = find(data)
    of = members_of(found, data)
    print_found(data, of)
    print_joined(data, of)
    print_costs(data, seconds)
    if given.weigh:
        print_weights(data, found, of)


def pages_of(data: Dataset) -> Iterator[tuple[Page, list[int]]]:
    """The comments of each post as a page."""
    posts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, (site, post) in enumerate(zip(data.site, data.post, strict=True)):
        posts[site, post].append(i)
    for (site, post), rows in posts.items():
        host = re.sub(r"[^a-z0-9]+", "-", site.lower()).strip("-")
        comments = tuple(Comment(data.text[i], data.author[i]) for i in rows)
        url = f"http://{host}.example/{post}"
        yield Page(data.title[rows[0]], data.article[rows[0]] or "", comments, url=url), rows


def find(data: Dataset, least: int = LEAST) -> tuple[Found, tuple[float, float]]:
    """The campaigns, and the processor time of signing and of grouping."""
    pages = [page for page, _ in pages_of(data)]
    begun = time.process_time()
    records = [signed(page.comments, page, page.url or "") for page in pages]
    signing = time.process_time() - begun
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comments.bin"
        path.write_bytes(np.concatenate([np.zeros(0, RECORD), *records]).tobytes())
        begun = time.process_time()
        found = grouped(path, least)
    return found, (signing, time.process_time() - begun)


def members_of(found: Found, data: Dataset) -> NDArray[np.int64]:
    """The campaign of each row, -1 for none."""
    keys, known = wordings(data.text), found.members["wording"]
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[at] == keys, found.members["campaign"][at].astype(np.int64), -1)


def print_found(data: Dataset, of: NDArray[np.int64]) -> None:
    """By set and label, how many comments are in campaigns; for spam, of those that the slow judge calls repeated."""
    print(f"| set | label | comments | in campaigns | repeated {LEAST} times or more | of these found |")
    print("|---|---|---|---|---|---|")
    sets = [name for name in dict.fromkeys(data.set) if len(name) > 2]
    for name in sets:
        mine = np.array([s == name for s in data.set])
        for label in (1, 0):
            rows = np.flatnonzero(mine & (data.label == label))
            if len(rows):
                cells = [name, "spam" if label else "ham", f"{len(rows):,}", f"{(of[rows] >= 0).sum():,}"]
                cells += _repeated(data, rows, of) if label else ["", ""]
                print("| " + " | ".join(cells) + " |")
    readers = data.label == 0
    print(f"\nreaders' comments in campaigns: {(readers & (of >= 0)).sum()} of {readers.sum():,}\n")


def _repeated(data: Dataset, rows: NDArray[np.int64], of: NDArray[np.int64]) -> list[str]:
    """Comments with ``LEAST`` - 1 others of Jaccard similarity 0.5 or more, or the same; and how many are found."""
    sets = [_pairs(data.text[i]) for i in rows.tolist()]
    near = np.zeros(len(rows), np.int64)
    for a, b in itertools.combinations(range(len(rows)), 2):
        if min(len(sets[a]), len(sets[b])) >= 12 and _jaccard(sets[a], sets[b]) >= 0.5:
            near[[a, b]] += 1
    repeated = near >= LEAST - 1
    return [f"{repeated.sum():,}", f"{(repeated & (of[rows] >= 0)).sum():,}"]


def print_joined(data: Dataset, of: NDArray[np.int64]) -> None:
    """Pairs within campaigns, judged by the slow judge and by label."""
    rng = np.random.default_rng(7)
    judged = wrong = mixed = 0
    for campaign in range(int(of.max()) + 1):
        rows = np.flatnonzero(of == campaign).tolist()
        pairs = list(itertools.combinations(rows, 2))
        chosen = rng.permutation(len(pairs))[:JUDGED] if len(pairs) > JUDGED else range(len(pairs))
        for a, b in (pairs[k] for k in chosen):
            judged += 1
            mixed += bool(data.label[a] != data.label[b])
            wrong += not _same(data.text[a], data.text[b])
    print(f"pairs within the {of.max() + 1} campaigns: {judged:,} judged, {wrong} of which share neither {JACCARD} of")
    print(f"their word pairs nor {EDIT} of their characters; {mixed} join a reader's comment with spam\n")


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    words = re.findall(r"[^\W\d_]+", re.sub(r"https?://\S+|www\.\S+|<[^<>]*>", " ", fold(text)))
    return frozenset(itertools.pairwise(words))


def _jaccard(a: frozenset[Any], b: frozenset[Any]) -> float:
    return len(a & b) / max(len(a | b), 1)


def _same(a: str, b: str) -> bool:
    if _jaccard(_pairs(a), _pairs(b)) >= JACCARD:
        return True
    return difflib.SequenceMatcher(None, fold(a)[:2000], fold(b)[:2000], autojunk=False).ratio() >= EDIT


def print_costs(data: Dataset, seconds: tuple[float, float]) -> None:
    texts = data.text[:5000]
    words = [sorted({" ".join(pair) for pair in itertools.pairwise(text.split())}) for text in texts]
    hashes, ptr = pairs_of(word_hashes(encode(texts))[::2])
    print("| processor time | ms per 1,000 comments |")
    print("|---|---|")
    for name, taken in zip(("signing, page by page", "grouping"), seconds, strict=True):
        print(f"| {name} | {1e6 * taken / len(data):.1f} |")
    for name, sign in (("this MinHash", lambda _: lowest(hashes, ptr)), *_libraries()):
        begun = time.process_time()
        sign(words)
        taken = 1e6 * (time.process_time() - begun) / len(texts)
        print(f"| {name}, 32 permutations, the pairs of words ready | {taken:.1f} |")
    print(f"\nbytes a comment on disk: {RECORD.itemsize} signed, and 9 while they are grouped\n")


def _libraries() -> Iterator[tuple[str, Callable[[Sequence[list[str]]], object]]]:
    try:
        from datasketch import MinHash

        def datasketch(sets: Sequence[list[str]]) -> list[Any]:
            return list(MinHash.bulk([[word.encode() for word in words] for words in sets], num_perm=32))

        yield "datasketch", datasketch
    except ImportError:
        pass
    try:
        from rensa import RMinHash

        def rensa(sets: Sequence[list[str]]) -> list[Any]:
            made = []
            for words in sets:
                one = RMinHash(num_perm=32, seed=1)
                one.update(words)
                made.append(one.digest())
            return made

        yield "rensa", rensa
    except ImportError:
        pass


def print_weights(data: Dataset, found: Found, of: NDArray[np.int64]) -> None:
    """Log-odds that each doubling of the appearances adds to the model's own, and what becomes of the verdicts."""
    from scipy.optimize import minimize_scalar
    from threadpoolctl import threadpool_limits

    from spamfilter.training import train

    with threadpool_limits(1):
        logits = train(data)[1].logits
    pairs, _ = find(data, 2)
    appearances = _appearances(pairs, members_of(pairs, data))
    doublings, y = np.log2(appearances), data.label

    def loss(weight: float) -> float:
        z = logits + weight * doublings
        return float((np.logaddexp(0, z) - y * z).sum())

    print(f"fitted weight of a doubling: {minimize_scalar(loss, (0, 5)).x:.2f} (used: {PER_DOUBLING})")
    held = logits < 0
    spam, ham = held & (y == 1), held & (y == 0)
    share, reader = (of[spam] >= 0).mean(), (of[ham] >= 0).sum()
    ratio = np.log(share * ham.sum() / (reader + 3))  # rule of three: of what was seen in none of n, up to 3 / n
    print(f"held for ham (p < .5): of {spam.sum():,} spam {100 * share:.1f} % in campaigns, of {ham.sum():,} readers'")
    print(f"comments {reader}; log of the ratio, with the readers' upper bound: {ratio:.1f} (used: {MOST})")
    weight = np.minimum(MOST, PER_DOUBLING * np.log2(_appearances(found, of)))
    hit = of >= 0
    print(f"in campaigns: {hit.sum()} comments, {100 * y[hit].mean():.1f} % of them spam; the model's mean probability")
    for name, p in (("before", _p(logits[hit])), ("after", _p(logits[hit] + weight[hit]))):
        print(f"{name}: {100 * p.mean():.1f} %, at least 50 % for {100 * (p >= 0.5).mean():.1f} % of them")


def _appearances(found: Found, of: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(of >= 0, found.campaigns["appearances"][of], 1).astype(np.int64)


def _p(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-logits))


if __name__ == "__main__":
    main()
