"""The compiled loops, if they are installed.

Usage::

    from spamfilter import compiled

    if compiled.kernel is None: ...           # the NumPy twin

``SPAMFILTER_NO_KERNEL=1`` in the environment leaves them out, to compare and to look for faults.
"""

from __future__ import annotations

import os
from types import ModuleType

__all__ = ["kernel"]

kernel: ModuleType | None = None
if not os.environ.get("SPAMFILTER_NO_KERNEL"):
    try:
        from spamfilter import _kernel as kernel  # type: ignore[attr-defined,no-redef]
    except ImportError:  # no compiler when the package was installed
        kernel = None
