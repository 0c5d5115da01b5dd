"""``python -m spamfilter`` is the command ``spamfilter``."""

from __future__ import annotations

import sys

from spamfilter.cli import main

if __name__ == "__main__":
    sys.exit(main())
