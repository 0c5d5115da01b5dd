"""Small labelled sets, cut from the corpus of this repository, and a training small enough for a test."""

import json
from pathlib import Path

from spamfilter.training import TrainingConfig

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "data" / "corpus"
#: Settings under which a training on three hundred rows takes a second or two.
SMALL = TrainingConfig(word_bits=12, char_bits=12, folds=2, passages=100, prose=200)
SMALL_TOML = "word_bits = 12\nchar_bits = 12\nfolds = 2\npassages = 100\nprose = 200\n"


def threads(lang="en", comments=300):
    """The first threads of a language with about so many comments in all."""
    found, n = [], 0
    with (CORPUS / f"{lang}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            thread = json.loads(line)
            found.append(thread)
            n += len(thread["comments"])
            if n >= comments:
                return found
    return found


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
