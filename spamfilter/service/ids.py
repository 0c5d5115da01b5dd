"""Names for requests and comments.

Usage::

    guid = new_id()          # "9f2c…", 32 hexadecimal digits
"""

from __future__ import annotations

import random

__all__ = ["new_id"]

# Not uuid4: it asks the system for every one, and the thread that asks gives the interpreter away and waits to get it
# back.  These names are no secrets: what a comment's name opens, only its own site's key opens.
_DRAW = random.Random()


def new_id() -> str:
    """128 random bits in hexadecimal, unlike those of other processes."""
    return f"{_DRAW.getrandbits(128):032x}"
