"""Letters in a row: words that no language has ("mqzvwt"), names that end in a number ("palace99"), codes.

Usage::

    found = pieces(encode(["hey mqzvwt, see palace99"]))   # int32, (texts, 5): [[4, 1, 1, 0, 0]]
    looks_random("mqzvwt")                                 # True

Programs that try whether a site lets comments through write letters at random, and so do those that make names and
addresses by the thousand.  How probable the letters of a word are is read off a table: the logarithm of the probability
of each letter after the two before it (trigrams, Witten–Bell smoothing, Witten & Bell 1991), counted over the different
words that readers and articles of the open corpus use, in its languages of Latin letters.  The table is stored with
the package (``letters.npy``, 19,683 bytes); ``python -m spamfilter.features.letters data/corpus`` makes it
again.  Words of other scripts are never called random.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spamfilter import charclass as cc
from spamfilter import compiled
from spamfilter.text import Batch, fold

__all__ = ["PIECES", "looks_random", "pieces"]

#: Columns of ``pieces``: pieces between blanks with a letter, those of random letters, names that end in a number, ends
#: of addresses that a blank keeps from filters ("short.ly /K7d2"), long codes as those of purses ("1Bq…", no digests).
PIECES: Final = ("pieces", "random", "numbered", "broken", "codes")
#: The table holds eighths of a bit.
STEPS: Final = 8
#: Mean log2-probability of a letter below which a word looks random.  One word of 1,000 that readers write is below it
#: (abbreviations, names of programs), and in a language that the table has not seen up to one of 15 (Polish).
RANDOM: Final = -6 * STEPS
#: Shorter words are abbreviations too often; longer ones are no words.
SHORTEST, LONGEST = 5, 200
#: A name of at least so many letters, and digits after it ("mp3", "B2B", "route1999999" are none).
NAME, FEWEST_DIGITS, MOST_DIGITS = 4, 2, 4
#: Letters and digits of the end of an address, as shorteners make them, and of the address of a purse (Bitcoin's have
#: 26 to 62).
PATH: Final = (4, 12)
CODE: Final = (26, 62)
_LETTERS: Final = 27  # a to z; 0 is the edge of a word
_PATH: Final = Path(__file__).with_name("letters.npy")
_BLANKS: Final = (cc.SPACE, cc.NEWLINE)


@cache
def table() -> NDArray[np.int8]:
    """Log-probabilities of letters by the two before, flat; ``[(a * 27 + b) * 27 + c]`` is that of c after a and b."""
    loaded: NDArray[np.int8] = np.load(_PATH)
    return loaded


@lru_cache(maxsize=65536)
def looks_random(word: str) -> bool:
    """Whether a folded word, all of letters from a to z, is one that no language has."""
    if not SHORTEST <= len(word) <= LONGEST:
        return False
    numbers, logs = [0, *(ord(c) - 96 for c in word), 0], table()
    places = zip(numbers, numbers[1:], numbers[2:], strict=False)
    return sum(int(logs[(a * _LETTERS + b) * _LETTERS + c]) for a, b, c in places) < RANDOM * len(word)


def pieces(batch: Batch) -> NDArray[np.int32]:
    """Counts of each text by ``PIECES``: shape (texts, 5).

    A piece stands between blanks; signs around it do not count, and one with others inside (an address, a handle) is
    neither random nor numbered.
    """
    out = np.zeros((len(batch), len(PIECES)), np.int32)
    if compiled.kernel is not None:
        sizes = (SHORTEST, LONGEST, RANDOM, NAME, FEWEST_DIGITS, MOST_DIGITS, *PATH, *CODE)
        compiled.kernel.pieces(batch.points, batch.classes, batch.starts, table(), *sizes, out)
        return out
    letter = (batch.classes >= cc.LATIN) & (batch.classes <= cc.KANA) & (batch.classes != cc.DIGIT)
    blank = np.isin(batch.classes, _BLANKS)
    for i in range(len(batch)):
        begin, end = int(batch.starts[i]), int(batch.starts[i + 1]) - 1
        edges = np.flatnonzero(np.diff(np.concatenate(([True], blank[begin:end], [True])).astype(np.int8)))
        before = ""
        for a, b in edges.reshape(-1, 2) + begin:
            piece = "".join(map(_ascii, batch.points[a:b].tolist()))
            if letter[a:b].any():
                out[i] += (1, *_kind(piece, before == "/"))
            before = piece
    return out


def _ascii(point: int) -> str:
    return chr(point) if point < 0x80 else "·"


_RANDOM: Final = re.compile(r"[^a-z]*([a-z]+)[^a-z]*")
_NUMBERED: Final = re.compile(
    rf"(?:|[^a-z0-9]*[^a-z0-9@])[a-z]{{{NAME},}}[0-9]{{{FEWEST_DIGITS},{MOST_DIGITS}}}[^a-z0-9]*"
)
_BROKEN: Final = re.compile(rf"/?(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{{{PATH[0]},{PATH[1]}}}")
_CODE: Final = re.compile(rf"[^a-z0-9]*(?=[a-z]*[0-9])(?=[a-f0-9]*[g-z])[a-z0-9]{{{CODE[0]},{CODE[1]}}}[^a-z0-9]*")


def _kind(piece: str, behind_slash: bool) -> tuple[bool, bool, bool, bool]:
    """Is it a random word, a name with a number, the end of a broken address, a code."""
    plain = _RANDOM.fullmatch(piece)
    return (
        plain is not None and looks_random(plain[1]),
        _NUMBERED.fullmatch(piece) is not None,
        (behind_slash or piece[0] == "/") and _BROKEN.fullmatch(piece) is not None,
        _CODE.fullmatch(piece) is not None,
    )


# ---------------------------------------------------------------------- how the table is made
_ALPHABET: Final = "^abcdefghijklmnopqrstuvwxyz"
_ADDRESS: Final = re.compile(r"\S*(?:://|www\.|\.\w\w)\S*|[@#]\S+")
_WORD: Final = re.compile(r"[^\W\d_]+")
_PLAIN: Final = re.compile(r"[a-z]+")


def count(texts: Iterable[tuple[str, str]]) -> NDArray[np.int8]:
    """The table from texts and their languages; a word counts once a language, however often it stands."""
    words = {(w, lang) for text, lang in texts for w in _WORD.findall(fold(_ADDRESS.sub(" ", text)))}
    ones, twos, threes = Counter[str](), Counter[str](), Counter[str]()
    for word, _ in words:
        if _PLAIN.fullmatch(word):
            edged = f"^{word}^"
            ones.update(edged[1:])
            twos.update(map("".join, pairwise(edged)))
            threes.update(map("".join, zip(edged, edged[1:], edged[2:], strict=False)))
    single = {c: (ones[c] + 0.5) / (ones.total() + _LETTERS / 2) for c in _ALPHABET}
    double = _smoothed(twos, {a + c: single[c] for a in _ALPHABET for c in _ALPHABET})
    triple = _smoothed(threes, {a + b + c: double[b + c] for a in _ALPHABET for b in _ALPHABET for c in _ALPHABET})
    logs = np.log2([triple[a + b + c] for a in _ALPHABET for b in _ALPHABET for c in _ALPHABET])
    out: NDArray[np.int8] = np.maximum(np.round(logs * STEPS), -127).astype(np.int8)
    return out


def _smoothed(counts: Counter[str], shorter: dict[str, float]) -> dict[str, float]:
    """Probability of the last letter after the others, by counts and what a shorter context says (Witten & Bell)."""
    total, kinds = Counter[str](), Counter[str]()
    for gram, n in counts.items():
        total[gram[:-1]] += n
        kinds[gram[:-1]] += 1
    return {
        gram: (counts[gram] + kinds[gram[:-1]] * p) / (total[gram[:-1]] + kinds[gram[:-1]]) if total[gram[:-1]] else p
        for gram, p in shorter.items()
    }


def main(folder: str) -> None:
    """Make ``letters.npy`` from the ham and the articles of the corpus in ``folder``."""
    texts = []
    for path in sorted(Path(folder).glob("*.jsonl")):
        for thread in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            ham = [c["text"] for c in thread["comments"] if c["label"] == "ham"]
            texts += [(text, thread["lang"]) for text in (thread["article"], *ham)]
    np.save(_PATH, count(texts))


if __name__ == "__main__":
    main(sys.argv[1])
