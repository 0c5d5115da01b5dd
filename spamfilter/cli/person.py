"""Who sits at the keyboard: the name that is written down beside a decision.

Usage::

    person(who)                  # what was given with --who, else the name of the login
"""

from __future__ import annotations

import getpass

from spamfilter.errors import ConfigError

__all__ = ["person"]


def person(given: str | None) -> str:
    """The given name, or that of the login."""
    if given:
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no login name, as in some containers
        raise ConfigError("who decides is not known here; say it with --who NAME") from None
