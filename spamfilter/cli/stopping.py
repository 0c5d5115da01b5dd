"""What ends a command from outside besides Ctrl-C."""

from __future__ import annotations

__all__ = ["Terminated"]


class Terminated(BaseException):
    """``kill`` was sent; like KeyboardInterrupt it must pass whatever catches ordinary errors."""
