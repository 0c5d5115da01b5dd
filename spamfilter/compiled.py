"""The compiled loops, if they are installed.

Usage::

    from spamfilter import compiled

    if compiled.kernel is None: ...           # the NumPy twin

``SPAMFILTER_NO_KERNEL=1`` in the environment leaves them out, to compare and to look for faults.
"""

from __future__ import annotations

import os
import warnings
from types import ModuleType
from typing import Final

__all__ = ["kernel"]

#: What ``_kernel.c`` calls itself; the two are raised together.
VERSION: Final = 2

kernel: ModuleType | None = None
if not os.environ.get("SPAMFILTER_NO_KERNEL"):
    try:
        from spamfilter import _kernel as kernel  # type: ignore[attr-defined,no-redef]
    except ImportError:  # no compiler when the package was installed
        kernel = None
    if kernel is not None and getattr(kernel, "version", 0) != VERSION:
        warnings.warn(
            "spamfilter's compiled loops are of another version than its other files and are left out, so it is slow; "
            "install it again: pip install --force-reinstall --no-deps comment-spamfilter (or pip install -e .)",
            stacklevel=2,
        )
        kernel = None
