"""Records of comments to campaigns: which repeat each other, how often, and in how many places.

Usage::

    found = grouped(Path("comments.bin"), least=3)
    found.campaigns["places"], found.members["wording"]

Memory stays bounded however many records there are: what is larger than ``AT_ONCE`` records is sorted by parts on
disk, and what must be looked up at random (a number a record) is mapped from a file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.batch.signing import RECORD
from spamfilter.minhash import BANDS, PERMUTATIONS

__all__ = ["ALIKE", "AT_ONCE", "CAMPAIGN", "EXAMPLE", "LEAST", "MEMBER", "Found", "grouped"]

#: Share of the 32 permutations on which two signatures must agree, besides one whole band.
ALIKE: Final = 0.5
#: Appearances from which on a repetition is a campaign: a reader who says the same under two articles is not one.
LEAST: Final = 3
#: Records sorted in memory at once: about 40 bytes each in the worst moment, so 170 MB.
AT_ONCE: Final = 1 << 22
#: Pairs whose signatures are compared at once: 128 bytes each.
_COMPARED: Final = 1 << 17

#: A campaign: ``comments`` that belong to it, ``appearances`` of those that count, in ``places`` that have nothing to
#: do with each other, on ``sites`` (hosts), in so many ``wordings``.
CAMPAIGN: Final = np.dtype([(name, "<u4") for name in ("comments", "appearances", "places", "sites", "wordings")])
#: A wording of a campaign, and a page on which a wording of it stands.
MEMBER: Final = np.dtype([("wording", "<u8"), ("campaign", "<u4")])
EXAMPLE: Final = np.dtype([("page", "<u8"), ("wording", "<u8"), ("campaign", "<u4")])
#: Examples kept of a campaign, of different sites where it has them.
_EXAMPLES: Final = 3

I64 = NDArray[np.int64]
Keys = NDArray[Any]
Table = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Found:
    """Campaigns (``CAMPAIGN``, most appearances first), their wordings (``MEMBER``, sorted) and ``EXAMPLE``s."""

    campaigns: Table
    members: Table
    examples: Table


def grouped(path: Path, least: int = LEAST, *, at_once: int = AT_ONCE) -> Found:
    """The campaigns among the records in the file ``path``: those with at least ``least`` appearances.

    Comments with the same wording belong together, and comments whose signatures share a band and agree on ``ALIKE``
    of all permutations.  What counts as a place, and as an appearance in it, says ``_places``.
    """
    size = path.stat().st_size // RECORD.itemsize
    if not size:
        return _ordered(())
    records = np.memmap(path, RECORD, "r", shape=(size,))
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=path.name + ".") as folder:
        grouping = _Grouping(records, Path(folder), at_once)
        grouping.join()
        found = list(grouping.campaigns(least))
    return _ordered(found)


class _Grouping:
    """One pass of joining over the records; ``parent`` is a forest whose trees are the groups (Tarjan 1975)."""

    def __init__(self, records: Any, folder: Path, at_once: int) -> None:
        self.records, self.folder, self.at_once = records, folder, at_once
        n = len(records)
        self.parent = np.memmap(folder / "parent", np.int64, "w+", shape=(n,))
        for part in _parts(n, at_once):
            self.parent[part] = np.arange(part.start, part.stop)

    def join(self) -> None:
        """Join what is the same, then, of each wording the first, what is alike."""
        repeated = np.memmap(self.folder / "repeated", np.bool_, "w+", shape=(len(self.records),))
        for first, other, _ in self._runs("wording"):
            self._link(first, other)
            repeated[other] = True
        for band in range(BANDS):
            for first, other, before in self._runs("bands", band, repeated):
                alike = self._alike(first, other)
                self._link(first[alike], other[alike])
                # What only shares a band with the first of them may still be like its neighbour.
                left = ~alike & (before != first)
                near = self._alike(before[left], other[left])
                self._link(before[left][near], other[left][near])

    def _runs(self, column: str, band: int | None = None, left_out: Any = None) -> Iterator[tuple[I64, I64, I64]]:
        """Records with equal keys: for each but the first of them, the first, itself, and the one before it."""
        for keys, places in self._buckets(column, band, left_out):
            order = np.lexsort((places, keys))
            keys, places = keys[order], places[order]
            again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
            begins = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
            first = begins[np.searchsorted(begins, again, side="right") - 1]
            yield places[first], places[again], places[again - 1]

    def _buckets(self, column: str, band: int | None, left_out: Any) -> Iterator[tuple[Keys, I64]]:
        """Keys and places of the records, in parts that hold all records of a key."""
        n = len(self.records)
        parts = (self._column(part, column, band, left_out) for part in _parts(n, self.at_once))
        yield from bucketed(parts, -(-n // self.at_once), self.folder)

    def _column(self, part: slice, column: str, band: int | None, left_out: Any) -> tuple[Keys, I64]:
        values = self.records[part][column]
        keys = np.ascontiguousarray(values if band is None else values[:, band]).astype(np.uint64)
        places = np.arange(part.start, part.stop)
        if left_out is None:
            return keys, places
        kept = ~left_out[part]
        return keys[kept], places[kept]

    def _alike(self, a: I64, b: I64) -> NDArray[np.bool_]:
        out = np.zeros(len(a), np.bool_)
        for part in _parts(len(a), _COMPARED):
            mine, theirs = (self.records["bands"][side[part]].view("<u2") for side in (a, b))
            out[part] = (mine == theirs).sum(axis=1) >= ALIKE * PERMUTATIONS
        return out

    def _link(self, a: I64, b: I64) -> None:
        """Make one tree of the trees of ``a[i]`` and ``b[i]``: the larger root goes under the smaller."""
        while len(a):
            a, b = self._roots(a), self._roots(b)
            apart = a != b
            a, b = a[apart], b[apart]
            np.minimum.at(self.parent, np.maximum(a, b), np.minimum(a, b))

    def _roots(self, places: I64) -> I64:
        found: I64 = self.parent[places]
        while not np.array_equal(above := self.parent[found], found):
            found = above
        self.parent[places] = found
        return found

    def campaigns(self, least: int) -> Iterator[Found]:
        """The campaigns, some at a time, each with all its members."""
        n = len(self.records)
        size = np.memmap(self.folder / "size", np.uint32, "w+", shape=(n,))
        for part in _parts(n, self.at_once):
            np.add.at(size, self._roots(np.arange(part.start, part.stop)), 1)
        parts = (self._members(part, size, least) for part in _parts(n, self.at_once))
        for root, places in bucketed(parts, -(-n // self.at_once), self.folder):
            if len(places):
                order = np.lexsort((places, root))
                yield _measured(root[order].astype(np.int64), self.records[places[order]], least)

    def _members(self, part: slice, size: Any, least: int) -> tuple[Keys, I64]:
        places = np.arange(part.start, part.stop)
        root = self._roots(places)
        kept = size[root] >= least
        return root[kept].astype(np.uint64), places[kept]


def bucketed(parts: Iterator[tuple[Keys, I64]], buckets: int, folder: Path) -> Iterator[tuple[Keys, I64]]:
    """(key, place) pairs sorted into ``buckets`` by key, by way of files if there are several."""
    if buckets <= 1:
        yield from parts
        return
    pair = np.dtype([("key", "<u8"), ("place", "<i8")])
    paths = [folder / f"bucket-{n}" for n in range(buckets)]
    files = [path.open("wb") for path in paths]
    for keys, places in parts:
        # Multiplied, so that keys that are all small, or all even, spread as well (Knuth's multiplicative hashing).
        of = (keys * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(33)) % np.uint64(buckets)
        for n, file in enumerate(files):
            mine = of == n
            some = np.empty(int(mine.sum()), pair)
            some["key"], some["place"] = keys[mine], places[mine]
            file.write(some.tobytes())
    for file in files:
        file.close()
    for path in paths:
        pairs = np.fromfile(path, pair)
        path.unlink()
        yield pairs["key"], pairs["place"]


def _measured(root: I64, members: Any, least: int) -> Found:
    """The campaigns among whole groups, given as ``root`` (sorted) and record of each member."""
    group = np.cumsum(np.concatenate(([0], root[1:] != root[:-1])))
    place = _places(group, members)
    out = np.zeros(int(group[-1]) + 1, CAMPAIGN)
    of_place = np.zeros(int(place.max()) + 1, np.int64)
    of_place[place] = group
    # The same voice again is one comment seen twice; many voices under one article may be readers who quote each other.
    counted = np.minimum(_distinct(place, members["voice"]), _distinct(place, members["article"]))
    out["comments"] = np.bincount(group)
    out["appearances"] = np.bincount(of_place, counted, len(out))
    out["places"] = np.bincount(of_place, minlength=len(out))
    out["sites"] = _distinct(group, members["site"])
    of_wording, first = _firsts(group, members["wording"])
    out["wordings"] = np.bincount(of_wording, minlength=len(out))
    kept = out["appearances"] >= least
    number = np.cumsum(kept) - 1
    first = first[kept[of_wording]]
    rows = np.zeros(len(first), MEMBER)
    rows["campaign"], rows["wording"] = number[group[first]], members["wording"][first]
    shown = _shown(group, members)
    shown = shown[kept[group[shown]]]
    examples = np.zeros(len(shown), EXAMPLE)
    examples["campaign"] = number[group[shown]]
    for name in ("page", "wording"):
        examples[name] = members[name][shown]
    return Found(out[kept], rows, examples)


def _shown(group: I64, members: Any) -> I64:
    """Members to show: the first of each site, then each site's further voices, ``_EXAMPLES`` a group."""
    place = group << 32 | members["site"]
    _, first = _firsts(place, members["voice"])
    first = first[np.lexsort((first, place[first]))]
    nth = _nth(place[first])
    first = first[np.lexsort((first, nth, group[first]))]
    return first[_nth(group[first]) < _EXAMPLES]


def _nth(values: I64) -> I64:
    """Of values that lie together, for each how many of the same came before it."""
    begins = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1]))) if len(values) else values
    return np.arange(len(values)) - np.repeat(begins, np.diff(np.append(begins, len(values))))


def _places(group: I64, members: Any) -> I64:
    """The place of each member, numbered through: what shares a site or an article in a group is one place.

    So a site is one place however often its pages repeat a comment, and the copies of an article on other hosts
    (mirrors, syndication, http and https) are one place with it.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    site = np.unique(group << 32 | members["site"], return_inverse=True)[1]
    article = np.unique(group << 32 | members["article"], return_inverse=True)[1]
    sites = int(site.max()) + 1
    nodes = sites + int(article.max()) + 1
    edges = coo_matrix((np.ones(len(site), np.int8), (site, sites + article)), shape=(nodes, nodes))
    component = connected_components(edges, directed=False)[1]
    return np.unique(component[site], return_inverse=True)[1].astype(np.int64)


def _distinct(owner: I64, values: Keys) -> I64:
    """How many different values each owner has."""
    pairs = np.unique(owner.astype(np.int64) << 32 | values.astype(np.int64))
    return np.bincount(pairs >> 32)


def _firsts(group: I64, wording: Keys) -> tuple[I64, I64]:
    """Of each wording of each group, the group and the first member."""
    order = np.lexsort((wording, group))
    begins = np.flatnonzero(
        np.concatenate(([True], (np.diff(group[order]) != 0) | (wording[order][1:] != wording[order][:-1])))
    )
    return group[order][begins], np.minimum.reduceat(order, begins)


def _ordered(found: Sequence[Found]) -> Found:
    """All of it as one, most appearances first."""
    starts = np.cumsum([0, *(len(part.campaigns) for part in found)])[:-1].tolist()
    campaigns = np.concatenate([np.zeros(0, CAMPAIGN), *(part.campaigns for part in found)])
    parts = list(zip(found, starts, strict=True))
    members = np.concatenate([np.zeros(0, MEMBER), *(_shifted(part.members, at) for part, at in parts)])
    examples = np.concatenate([np.zeros(0, EXAMPLE), *(_shifted(part.examples, at) for part, at in parts)])
    # Ties by the smallest wording, which does not depend on how the records were cut into parts.
    smallest = np.full(len(campaigns), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, members["campaign"], members["wording"])
    order = np.lexsort((smallest, -campaigns["places"].astype(np.int64), -campaigns["appearances"].astype(np.int64)))
    rank = np.zeros(len(order), np.uint32)
    rank[order] = np.arange(len(order))
    members["campaign"], examples["campaign"] = rank[members["campaign"]], rank[examples["campaign"]]
    by_campaign = np.argsort(examples["campaign"], kind="stable")
    return Found(campaigns[order], members[np.argsort(members["wording"], kind="stable")], examples[by_campaign])


def _shifted(table: Table, shift: int) -> Table:
    table["campaign"] += np.uint32(shift)
    return table


def _parts(n: int, size: int) -> Iterator[slice]:
    return (slice(at, min(at + size, n)) for at in range(0, n, size))
