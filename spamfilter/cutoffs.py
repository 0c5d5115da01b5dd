"""Own labels, judged by weights that did not see them → the log-odds from which on a comment is called spam or unsure.

Usage::

    judged = LeftOut(ham, spam, found_before)          # log-odds of both; spam above the cut-off in use until now
    cutoff(judged, before=2.4, rate=0.005)             # 2.4 where the labels do not speak for another one

Some dozens of labels say little about a share of one in 200, so each step away from the cut-off in use needs its proof:

* with ham enough to tell, it falls to where the stated share of the ham is above, and below that only where surely less
  of the team's spam would be found than before;
* it rises only while the spam is *surely* still found as before: as much of it as the upper end of an interval on the
  share found until now (Jeffreys; Brown, Cai and DasGupta 2001).  Of four spam comments one was found: that may be a
  quarter, or half, and a cut-off that still finds one of the four may lose half of what was found;
* with less ham than that, it rises for safety's sake to where the next ham comment stays below (Student's prediction
  interval), and falls only to where spam is found as before;
* and whatever becomes of the spam, it rises as far as the blocked ham demands: until there is not significantly more
  above than the share (binomial).  Of the ham above, some is spam that somebody called ham by mistake, which stands
  highest of all; ``SLIPS`` of the spam that is found is taken for that, as in ``promotion``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["ENOUGH_HAM", "SLIPS", "LeftOut", "cutoff"]

F64 = NDArray[np.float64]

#: Log-odds beyond any comment's.
_ABOVE_ALL: Final = 60.0
#: Probability below which more blocked ham than the share is not chance: the usual one in twenty.
_BY_CHANCE: Final = 0.05
#: Probability that the share of spam found until now is below the upper end: one standard error, as for the strength.
_SURE: Final = float(stats.norm.cdf(1.0))
#: Share of labels that are wrong by mistake; the measurement behind it is told in ``promotion``.
SLIPS: Final = 0.02
#: Ham from which on a quantile of 0.995 is no mere maximum: one of 200 lies above it.
ENOUGH_HAM: Final = 200


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Log-odds of a team's ham and spam, left out, and how much of the spam the model in use finds."""

    ham: F64
    spam: F64
    found: int


def cutoff(
    rows: LeftOut, before: float, rate: float, enough_ham: int = ENOUGH_HAM, floor: float = -_ABOVE_ALL
) -> float:
    """Log-odds above which ``rate`` of the ham lies, as far as the labels can tell; ``before`` where they cannot.

    Below ``floor`` only where else less of the spam would be found than before.
    """
    demanded = _demanded(rows, rate)
    if len(rows.ham) >= enough_ham:
        level = float(np.quantile(rows.ham, 1 - rate))
        wanted = level if level <= before else max(before, demanded)
        needed = _above(rows.spam, np.floor(_found_if(rows, 1 - _SURE)))  # below the level by proof alone
    else:
        level = _next_below(rows.ham, 1 - rate, before)
        wanted = max(level, before)
        needed = _above(rows.spam, rows.found)  # this level is but a precaution
    surely = _above(rows.spam, np.ceil(_found_if(rows, _SURE)))
    keeps = max(surely, min(before, needed, level)) if len(rows.spam) else before
    return max(demanded, min(wanted, keeps), min(floor, keeps))


def _found_if(rows: LeftOut, certainty: float) -> float:
    """How much of this spam is found if the true share is the end of Jeffreys' interval below which it is so surely."""
    n = len(rows.spam)
    return float(stats.beta.ppf(certainty, rows.found + 0.5, n - rows.found + 0.5) * n)


def _above(values: F64, many: float) -> float:
    """The highest cut-off with so many values from it on."""
    n = len(values)
    return float(np.sort(values)[n - min(int(many), n)]) if n and many >= 1 else _ABOVE_ALL


def _demanded(rows: LeftOut, rate: float) -> float:
    """The lowest cut-off above which there is not significantly more ham than ``rate`` and slips explain."""
    n = max(len(rows.ham), 1)
    steps = np.append(-_ABOVE_ALL, np.nextafter(np.unique(rows.ham), _ABOVE_ALL))
    ham, spam = (len(values) - np.searchsorted(np.sort(values), steps) for values in (rows.ham, rows.spam))
    chance = stats.binom.sf(ham - 1, n, np.minimum(rate + SLIPS * spam / n, 1.0))
    return float(steps[np.argmax(chance >= _BY_CHANCE)])  # above the last step there is none, which is no chance


def _next_below(values: F64, probability: float, unknown: float) -> float:
    """What the next value stays below with this probability: a prediction interval of the normal distribution, by
    Student's t.  The highest of twenty says little about one in 200; of fewer than two nothing is known."""
    n = len(values)
    if n < 2:
        return unknown
    return float(values.mean() + stats.t.ppf(probability, n - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / n))
