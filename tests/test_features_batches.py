"""A comment's inputs and verdict are its own: not those of the batch, the order or the call it came in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spamfilter import model as model_room
from spamfilter.features.fields import Fields
from spamfilter.model import SpamFilter

_ARTICLE = "The river rose by two metres overnight, and the old weir at the mill held after all. " * 8
_OTHER = "Sourdough needs patience, a warm corner of the kitchen and flour that is not too fine. " * 8
_ROWS = [
    ("The weir held because it was mended last year.", "Hanna", None, "High water", _ARTICLE),
    (
        "Cheap replica watches, visit www.watches.example today!!!",
        "replica watches",
        "http://watches.example",
        "High water",
        _ARTICLE,
    ),
    ("My starter never rises in winter", "", "https://bread.example/about", "Bread", _OTHER),
    ("ｆｒｅｅ ｃａｓｉｎｏ b o n u s 🎰🎰", None, None, None, None),
    ("", None, None, "Bread", _OTHER),
    ("Спасибо, очень помогло", "Анна", None, "", _OTHER),
    ("thanks", "Jo", None, "High water", None),
]


def _fields(rows: list[tuple[str | None, ...]]) -> Fields:
    return Fields.of(*([row[k] for row in rows] for k in range(5)))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame(_ROWS * 5, columns=["text", "author", "author_url", "title", "article"])


def test_inputs_do_not_depend_on_the_other_comments(sf: SpamFilter) -> None:
    together = sf.inputs(_fields(_ROWS))
    backwards = sf.inputs(_fields(_ROWS[::-1]))[::-1]
    alone = np.vstack([sf.inputs(_fields([row])) for row in _ROWS])
    assert np.array_equal(together, backwards)
    assert np.array_equal(together, alone)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_frames_are_scored_alike_in_batches_of_any_size(
    sf: SpamFilter, frame: pd.DataFrame, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sf.score_frame(frame)
    monkeypatch.setattr(model_room, "BATCH", size)
    pd.testing.assert_frame_equal(sf.score_frame(frame), expected, check_exact=True)


def test_order_does_not_matter(sf: SpamFilter, frame: pd.DataFrame) -> None:
    shuffled = frame.sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(sf.score_frame(shuffled).sort_index(), sf.score_frame(frame), check_exact=True)


def test_one_by_one_is_as_in_a_table(sf: SpamFilter, frame: pd.DataFrame) -> None:
    table = sf.score_frame(frame[: len(_ROWS)])
    for row, probability in zip(_ROWS, table["spam_probability"], strict=True):
        text, *context = row
        assert sf.score(text or "", *context).probability == pytest.approx(probability, abs=1e-12)


def test_batches_keep_every_comment_and_its_own_context() -> None:
    whole = _fields(_ROWS * 3)
    seen: list[int] = []
    for rows, part in whole.batches(4):
        seen += rows.tolist()
        assert len(part) <= 4 and len(part.titles) == len(part.articles) <= 4
        for i, of, text in zip(rows.tolist(), part.context_of.tolist(), part.texts, strict=True):
            text_, _, _, title, article = (_ROWS * 3)[i]
            assert text == text_
            assert (of < 0) == (not title and not article)
            if of >= 0:
                assert (part.titles[of], part.articles[of]) == (title or "", article or "")
    assert sorted(seen) == list(range(len(whole)))
