import json
import random

import numpy as np
import pytest

from spamfilter import drift
from spamfilter.batch import drift_of
from spamfilter.cli import main
from spamfilter.datasets import read_data
from spamfilter.drift import BINS, FEWEST, SIGNALS, Reference, known_words, signal_bins, signal_counts
from spamfilter.driftreference import reference_of
from spamfilter.features.relatedness import IDF_BITS

NOUNS = "rain oven tram choir ladder harvest harbour chess fence kettle orchard meadow lantern bakery quarry".split()
VERBS = "keeps leaves finds paints repairs likes forgets answers borrows carries follows remembers".split()
OFFERS = "discount bonus replica casino pills loan jackpot voucher cheap outlet luxury profit".split()
KNOWN = np.zeros(1 << IDF_BITS, bool)


def reader(draw, nouns=NOUNS, verbs=VERBS):
    return ". ".join(
        f"{draw.choice(('My', 'Our', 'Her')) if nouns is NOUNS else draw.choice(nouns)} {draw.choice(nouns)} "
        f"{draw.choice(verbs)} {draw.choice(nouns)}"
        for _ in range(draw.randint(1, 6))
    )


def offer(draw):
    return f"{' '.join(draw.choices(OFFERS, k=draw.randint(4, 12)))}! http://{draw.choice(OFFERS)}.example/{draw.randint(1, 99)}"


def rows(seed, spam_share, n=800):
    draw = random.Random(seed)
    spam = [draw.random() < spam_share for _ in range(n)]
    texts = [offer(draw) if is_spam else reader(draw) for is_spam in spam]
    scores = np.array([draw.betavariate(8, 2) if is_spam else draw.betavariate(1, 12) for is_spam in spam])
    return texts, scores, spam


@pytest.fixture(scope="module")
def known():
    texts, _, _ = rows(9, 0.5, 2000)
    found = KNOWN.copy()
    from spamfilter.features.hashing import word_hashes
    from spamfilter.text import encode

    word, _, _ = word_hashes(encode(texts))
    found[word >> np.uint32(32 - IDF_BITS)] = True
    return found


@pytest.fixture(scope="module")
def reference(known):
    texts, scores, spam = rows(1, 0.5)
    return Reference.measured([f"set/{'spam' if s else 'ham'}" for s in spam], signal_bins(texts, scores, known))


@pytest.mark.parametrize("spam_share", [0.02, 0.5, 0.9])
def test_another_sample_is_like_the_training_data_whatever_its_share_of_spam(reference, known, spam_share):
    texts, scores, _ = rows(2, spam_share)
    found = reference.compare(signal_counts(texts, scores, known))
    assert found.comments == 800 and set(found.distances) == set(SIGNALS)
    assert found.unlike == []


def test_what_is_unlike_is_named(reference, known):
    draw = random.Random(3)
    texts, scores, _ = rows(4, 0.2)
    shuffled = ["".join(draw.sample(text, len(text))) for text in texts]
    assert "unknown_words" in reference.compare(signal_counts(shuffled, scores, known)).unlike
    words = "дождь печь трамвай хор лестница урожай гавань чайник сад луг фонарь пекарня".split()
    cyrillic = reference.compare(
        signal_counts([reader(draw, words, words) for _ in range(600)], np.full(600, 0.02), known)
    )
    assert cyrillic.unlike[0] == "script" and cyrillic.distances["script"] > 0.5
    sure = reference.compare(signal_counts(texts, np.full(len(texts), 0.4), known))
    assert sure.unlike[0] == "score"
    few = reference.compare(signal_counts(shuffled[: FEWEST - 1], scores[: FEWEST - 1], known))
    assert few.unlike == [] and few.distances["unknown_words"] > 0.1


def test_counts_add_up_and_do_not_depend_on_the_batch(known):
    texts, scores, _ = rows(5, 0.3, 300)
    whole = signal_counts(texts, scores, known)
    parts = sum(signal_counts(texts[at : at + 7], scores[at : at + 7], known) for at in range(0, 300, 7))
    assert np.array_equal(whole, parts)
    assert whole.shape == (len(SIGNALS), BINS) and (whole.sum(axis=1) == 300).all()


def test_a_reference_goes_through_json_and_one_of_other_signals_is_none(reference):
    manifest = {"reference": json.loads(json.dumps(reference.to_dict()))}
    again = Reference.of(manifest)
    assert again is not None and again.parts == reference.parts and np.array_equal(again.counts, reference.counts)
    assert Reference.of({}) is None and drift_of({"drift:score:1": 5}, {}) is None
    manifest["reference"]["edges"]["length"] = "10 20"
    assert Reference.of(manifest) is None


def test_small_parts_are_joined():
    names = ["big/ham"] * 60 + ["a/ham"] * 30 + ["b/ham"] * 30 + ["c/spam"] * 5
    found = Reference.measured(names, np.zeros((125, len(SIGNALS)), np.int8))
    assert dict(zip(found.parts, found.counts[:, 0].sum(axis=1).tolist(), strict=True)) == {
        "big/ham": 60, "others/ham": 60, "others/spam": 5,
    }  # fmt: skip


def test_words_of_a_row_s_own_site_do_not_count_as_known(tmp_path):
    draw = random.Random(6)
    path = tmp_path / "rows.jsonl"
    with path.open("w") as file:
        for n in range(480):
            site = n % 12
            text = reader(draw) if site else " ".join(draw.choices([f"{w}ski" for w in NOUNS], k=8))
            row = {
                "text": f"{text} {n}",
                "label": "spam" if n % 5 > 3 else "ham",
                "site": f"s{site}",
                "set": f"s{site}",
            }
            file.write(json.dumps(row) + "\n")
    data = read_data([str(path)])
    found = reference_of(data, np.zeros(len(data)), 4)
    assert found.parts == ("others/ham", "others/spam")
    unknown = dict(zip(found.parts, found.counts[:, SIGNALS.index("unknown_words")].tolist(), strict=True))
    assert unknown["others/ham"][len(drift.EDGES["unknown_words"])] >= 25  # of the site with words of its own
    assert sum(unknown["others/ham"][:4]) >= 250


def test_runs_tell_their_drift_and_models_without_a_reference_are_silent(tmp_path, capsys, sf, monkeypatch):
    draw = random.Random(7)
    table, summary = tmp_path / "comments.csv", tmp_path / "summary.json"
    letters = "абвгдежзиклмнопрстуфхцчшщъыьэюя"
    odd = [" ".join("".join(draw.choices(letters, k=7)) for _ in range(12)) for _ in range(600)]
    table.write_text("text\n" + "\n".join(odd) + "\n")
    given = ["classify", str(table), "-o", str(tmp_path / "out.csv"), "--summary", str(summary)]
    texts, scores, spam = rows(8, 0.5)
    bins = signal_bins(texts, scores, known_words(sf.parameters.idf))
    reference = Reference.measured(["x/spam" if s else "x/ham" for s in spam], bins).to_dict()
    for manifest in ({**sf.manifest, "reference": reference}, {**sf.manifest, "reference": None}):
        monkeypatch.setattr("spamfilter.store.load", lambda model=None, m=manifest: type(sf)(sf.parameters, sf.name, m))
        assert main(given) == 0
        said, told = capsys.readouterr().err, json.loads(summary.read_text())["drift"]
        if manifest["reference"]:
            assert "unlike those the model learnt from" in said and "script" in said
            assert told["comments"] == 600 and "script" in told["unlike"] and told["threshold"] == drift.UNLIKE
        else:
            assert said == "" and told is None
