"""A team's labels move the bundled model: where they teach something, not where they do not, and never untold."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from spamfilter import store
from spamfilter.adaptation import AdaptationConfig, adapt
from spamfilter.datasets import Dataset
from spamfilter.errors import DataError
from spamfilter.evaluation import metrics, predict
from spamfilter.features.stages import BY_CONTEXT, COMPANY
from spamfilter.labels import Context, LabelRow
from spamfilter.labels.hygiene import weigh
from spamfilter.model import SpamFilter
from spamfilter.records import Comment, Verdict
from tests.tinymodel import tiny

ARTICLE = (
    "We fired the new kiln for the first time on Saturday. The glaze came out darker than the test tiles had promised, "
    "and two bowls cracked along the foot ring because the clay had not dried for long enough in the cold workshop."
)
READERS = ("the {a} looks {b} on your {c}", "my {c} had the same {a} last winter", "how {b} was the {a} before the {c}")
#: What this team calls spam is written like what it calls ham, so that a model without its labels can hardly tell.
SELLERS = (
    "the {a} looks {b}, as with zorbin {c}",
    "my {c} had the same {a} until zorbin came",
    "how {b} the {a} was with a quellidor",
)
#: A third of it is what any model knows for spam.
KNOWN = ("cheap {a} and {b} {c} online, buy now", SELLERS[0], SELLERS[2])
FILL = {
    "a": ("glaze", "foot ring", "shelf", "cone", "rim", "handle", "slip", "crack", "spout"),
    "b": ("dark", "even", "thin", "rough", "glossy", "uneven", "warm", "pale"),
    "c": ("kiln", "bowl", "tile", "mug", "teapot", "jar", "plate", "workshop"),
}


def comments(n: int, seed: int, spam_share: float = 0.5, sellers: tuple[str, ...] = SELLERS) -> Dataset:
    """A blog's invented comments, none twice."""
    rng = random.Random(seed)
    text, label = [], []
    while len(text) < n:
        spam = len(text) < n * spam_share
        filled = [
            rng.choice(sellers if spam else READERS).format(**{k: rng.choice(v) for k, v in FILL.items()})
            for _ in (1, 2)
        ]
        if (made := ". ".join(filled)) not in text:
            text.append(made)
            label.append(int(spam))
    return dataset(text, label)


def dataset(text: list[str], label: list[int]) -> Dataset:
    n = len(text)
    same = [None] * n
    return Dataset(text, np.array(label, np.int8), ["Rosa"] * n, same, ["The kiln"] * n, [ARTICLE] * n, ["pots"] * n,
                   ["pots/kiln"] * n, ["pots"] * n, ["en"] * n, same, same, [str(i) for i in range(n)])  # fmt: skip


def test_fifty_labels_teach_what_only_this_team_calls_spam(sf):
    own, unseen = comments(50, 1), comments(200, 2)
    adapted, facts = adapt(sf, own)
    before, after = (metrics(unseen.label, predict(model, unseen)) for model in (sf, adapted))
    assert facts.strength > 0 and facts.rows == {"pots": {"spam": 25, "ham": 25}}
    assert before.auc < 0.85 and after.auc > before.auc + 0.1
    assert len(facts.logits) == 50 and facts.fingerprint == own.fingerprint()
    # Out of fold: by weights that have not seen the row, so as good as on unseen rows, not perfect.
    assert metrics(own.label, 1 / (1 + np.exp(-facts.logits))).auc > 0.8


def test_labels_that_teach_nothing_change_nothing(sf):
    own = comments(60, 3, 0.0)
    for seed in range(3):
        label = np.random.default_rng(seed).permutation(np.arange(60) % 2)
        adapted, facts = adapt(sf, dataset(own.text, label.tolist()))
        assert facts.strength == 0 and adapted is sf, facts
        assert "unchanged" in facts.note and 0.0 in facts.losses and len(facts.losses) > 3


@pytest.mark.parametrize("n", [0, 1, 2, 40])
def test_one_class_or_hardly_a_label_leaves_the_model_as_it_is(sf, n):
    own = comments(n, 4, 0.0)
    adapted, facts = adapt(sf, own)
    assert adapted is sf and facts.strength == 0
    assert np.allclose(1 / (1 + np.exp(-facts.logits)), predict(sf, own))  # what moves is what is scored with
    assert f"0 labels spam and {n} ham" in facts.note


def test_labels_of_one_campaign_leave_nothing_to_compare_on(sf):
    adapted, facts = adapt(sf, dataset(["the glaze is dark on your kiln today"] * 12, [1, 0] * 6))
    assert adapted is sf and "one campaign" in facts.note


def test_rows_of_weight_zero_have_no_say(sf):
    own, lies = comments(60, 5), comments(30, 6)
    both = dataset(own.text + lies.text, own.label.tolist() + (1 - lies.label).tolist())
    weight = np.r_[np.ones(60), np.zeros(30)]
    adapted, facts = adapt(sf, both, weight=weight)
    unseen = comments(100, 7)
    before, alone, after = (
        metrics(unseen.label, predict(model, unseen)).auc for model in (sf, adapt(sf, own)[0], adapted)
    )
    assert facts.strength > 0
    assert after > before + 0.15 and after > alone - 0.05
    with pytest.raises(DataError, match="weight must hold 90 numbers"):
        adapt(sf, both, weight=np.ones(3))


def test_grams_that_the_team_does_not_use_keep_their_weights(sf, tmp_path):
    own = comments(50, 1)
    adapted, facts = adapt(sf, own)
    again, same = adapt(sf, own)
    assert np.array_equal(facts.logits, same.logits)
    p, q = sf.parameters, adapted.parameters
    assert np.array_equal(q.text.word, again.parameters.text.word)
    assert 0 < (p.text.word != q.text.word).sum() < 1000
    assert np.array_equal(p.prose.word, q.prose.word) and np.array_equal(p.relation.coef, q.relation.coef)
    store.save(adapted, tmp_path / "mine", {"name": "mine", "version": "1"})
    loaded = store.load(tmp_path / "mine")
    assert np.array_equal(predict(loaded, own), predict(adapted, own))
    reasons = loaded.score("my kiln had the same rim until zorbin came", title="The kiln", article=ARTICLE).reasons
    assert reasons


def test_cutoffs_are_chosen_anew_where_there_is_enough_ham(sf):
    own = comments(140, 8, 0.25)
    config = AdaptationConfig(enough_ham=100, spam_rate=0.02, unsure_rate=0.1)
    adapted, facts = adapt(sf, own, config)
    assert facts.strength > 0
    ham = 1 / (1 + np.exp(-facts.logits[own.label == 0]))
    p = adapted.parameters
    # Three of 105 are within chance of two, and sixteen of eleven: the cut-offs may stay where they were.
    assert (ham > p.spam_cutoff).sum() <= 3 and 5 < (ham > p.unsure_cutoff).sum() <= 16


def test_with_few_ham_labels_no_less_spam_is_found(sf):
    own, unseen = comments(60, 9, 0.85), comments(200, 10)
    adapted, facts = adapt(sf, own)
    before, after = (metrics(unseen.label, predict(m, unseen), m.parameters.spam_cutoff) for m in (sf, adapted))
    assert facts.strength > 0 and after.auc > before.auc
    assert after.recall >= before.recall - 0.02 and after.blocked_ham <= before.blocked_ham + 0.02


#: Advertisers with as many words as readers have, so that four comments of them teach hardly more than chance.
SCATTERED = (KNOWN[0], "the {a} looks {b}, as with {a} {c}", "my {c} had the same {a} until {a} came")


@pytest.mark.parametrize("seed", range(4))
def test_four_spam_labels_among_two_hundred_do_no_harm(sf, seed):
    own, unseen = (comments(n, k + seed, share, sellers=SCATTERED) for n, k, share in ((200, 30, 0.02), (300, 40, 0.3)))
    adapted, facts = adapt(sf, own)
    before, after = (metrics(unseen.label, predict(m, unseen), m.parameters.spam_cutoff) for m in (sf, adapted))
    assert facts.rows["pots"]["spam"] == 4
    assert after.ap >= before.ap and after.recall >= before.recall, (before, after, facts)
    assert after.blocked_ham <= max(before.blocked_ham, 0.02)


@pytest.mark.parametrize("seed", range(4))
def test_spam_that_was_called_ham_by_mistake_does_not_lift_the_cutoff_above_the_spam(seed):
    sf = tiny()
    own, unseen = comments(300, 50 + seed, 0.3, sellers=KNOWN), comments(300, 60 + seed, sellers=KNOWN)
    slips = (own.label == 1) & (np.random.default_rng(seed).random(300) < 0.08)
    adapted, facts = adapt(sf, replace(own, label=np.where(slips, 0, own.label).astype(np.int8)))
    before, after = (metrics(unseen.label, predict(m, unseen), m.parameters.spam_cutoff) for m in (sf, adapted))
    assert facts.strength > 0 and after.ap > before.ap
    assert after.recall > before.recall + 0.3 and after.blocked_ham <= 0.02, (before, after)


def test_a_model_that_is_sure_of_lies_does_not_pass_for_a_better_one():
    base, moved = tiny(), 0
    for seed in range(12):
        own, rng = comments(200, 80 + seed, 0.02), np.random.default_rng(seed)
        label = np.where((own.label == 0) & (rng.random(200) < 0.4), 1, own.label).astype(np.int8)
        label[:2] = 0
        weight = np.where(label != own.label, 0.3, 1.0)
        moved += adapt(base, replace(own, label=label), weight=weight)[1].strength > 0
    # By chance alone one in six is beyond one standard error; with a factor that forgives false certainty, five were.
    assert moved <= 3


def test_what_is_called_spam_is_more_likely_spam_however_few_ham_labels_there_are(sf):
    own, unseen = comments(90, 70, 0.96), comments(200, 71)
    adapted, facts = adapt(sf, own)
    before, after = (metrics(unseen.label, predict(m, unseen), m.parameters.spam_cutoff) for m in (sf, adapted))
    assert adapted.parameters.spam_cutoff >= 0.5 and adapted.parameters.unsure_cutoff <= adapted.parameters.spam_cutoff
    assert after.recall >= before.recall - 0.02, (before, after, facts)


# ------------------------------------------------------------------------------------------ attacks on the labels
def team_and(attacker, data, honest, sf):
    """Label rows: the first ``honest`` by four people over four weeks, the others by ``attacker``, forty a day."""
    p = predict(sf, data)
    rows, label = [], data.label.copy()
    for i in range(len(data)):
        day = i % 28 if i < honest else (i - honest) // 40
        if i >= honest:
            label[i] = 1 - label[i] if attacker == "eve" else int(p[i] >= 0.5)
        who = f"m{i % 4}" if i < honest else attacker
        verdict = Verdict("spam" if p[i] >= 0.5 else "ham", float(p[i]))
        at = datetime(2026, 3, 1, 8, tzinfo=UTC) + timedelta(days=day, seconds=i)
        said = "spam" if label[i] else "ham"
        rows.append(LabelRow(i, i, Comment(data.text[i]), Context(), said, who, "page", at, verdict, "shown", i))
    return rows, replace(data, label=label), p


def attacked(sf, attacker, sellers):
    """Area under the curve on unseen comments: as it was, taught by all labels, and with the guards."""
    data = comments(360, 11, sellers=sellers).take(np.random.default_rng(0).permutation(360))
    rows, own, p = team_and(attacker, data, 120, sf)
    unseen = comments(200, 12, sellers=sellers)
    models = [sf, adapt(sf, own)[0], adapt(sf, own, weight=weigh(rows, untaught=p).weights)[0]]
    return [metrics(unseen.label, predict(m, unseen)).auc for m in models]


def test_twice_as_many_lies_as_labels_do_not_keep_the_model_from_learning(sf):
    before, without, guarded = attacked(sf, "eve", KNOWN)
    assert guarded > before + 0.1 and guarded > without + 0.1, (before, without, guarded)


def test_an_echo_does_not_drown_what_people_say(sf):
    before, without, guarded = attacked(sf, "echo", SELLERS)
    # An echo may do no harm by chance; the area of so many comments is known to .02.
    assert guarded > before + 0.2 and guarded >= without - 0.02, (before, without, guarded)


def test_models_with_and_without_a_model_of_titles_can_be_moved():
    base = heeding_titles(tiny())
    own, unseen = under_a_title(comments(60, 13)), under_a_title(comments(100, 14))
    for model in (base, without_titled(base)):
        adapted, facts = adapt(model, own)
        before, after = (metrics(unseen.label, predict(m, unseen)).auc for m in (model, adapted))
        assert facts.strength > 0 and after > max(before, 0.85)
        assert np.allclose(1 / (1 + np.exp(-adapt(model, own.take(own.label == 0))[1].logits)),
                           predict(model, own.take(own.label == 0)))  # fmt: skip
    moved, titled = adapt(base, own)[0].parameters.titled, base.parameters.titled
    assert moved is not None and titled is not None and (moved.word != titled.word).any()


def heeding_titles(sf: SpamFilter) -> SpamFilter:
    """With a say for the model of titles, which has nothing to learn from in the small corpus."""
    p = sf.parameters
    coef = p.head.coef.copy()
    coef[p.inputs.index("text_titled")] = 0.5
    return SpamFilter(replace(p, head=replace(p.head, coef=coef)), sf.name)


def under_a_title(data: Dataset) -> Dataset:
    """Under a title alone, as a video has."""
    return replace(data, article=[None] * len(data))


def without_titled(sf: SpamFilter) -> SpamFilter:
    """As models of format 1 are."""
    p, k = sf.parameters, len(sf.parameters.inputs) - len(BY_CONTEXT) - len(sf.anew) - len(COMPANY)
    head = replace(p.head, mean=p.head.mean[:k], scale=p.head.scale[:k], coef=p.head.coef[:k])
    p = replace(p, titled=None, company=None, company_middle=None)
    return SpamFilter(replace(p, head=head, typical=p.typical[:k], inputs=p.inputs[:k]), "format 1")
