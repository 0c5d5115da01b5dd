"""Everything that can go wrong, as one tree.

::

    SpamFilterError
    ├── InputError            something about what was given
    │   ├── UnreadablePage    a page that cannot be read at all (binary, empty, too large)
    │   ├── UnreadableFile    a file that cannot be opened, decoded or parsed
    │   └── DataError         labelled or tabular data that cannot be used as it is
    ├── OutputError           a result that cannot be written (disk full, no permission)
    ├── ModelError            a saved model that cannot be used
    │   ├── ModelNotFound     no model under that name or path
    │   ├── ModelDamaged      a file is missing, or does not have the digest its manifest states
    │   └── ModelTooNew       written by a later version of this package
    ├── StoreError            the label store cannot be used
    ├── LockedError           another job holds the lock
    ├── ConfigError           a setting or configuration file is wrong
    └── MissingExtra          an optional dependency is not installed

A message says what was wrong, where, and what to do next, in one line.
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DataError",
    "InputError",
    "LockedError",
    "MissingExtra",
    "ModelDamaged",
    "ModelError",
    "ModelNotFound",
    "ModelTooNew",
    "OutputError",
    "SpamFilterError",
    "StoreError",
    "UnreadableFile",
    "UnreadablePage",
]


class SpamFilterError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(SpamFilterError):
    """Something about the input."""


class UnreadablePage(InputError, ValueError):
    """The page cannot be read at all: empty, binary, or larger than the stated limit."""


class UnreadableFile(InputError, OSError):
    """A file cannot be opened, decoded or parsed."""


class DataError(InputError, ValueError):
    """Labelled or tabular data cannot be used as it is."""


class OutputError(SpamFilterError, OSError):
    """A result cannot be written."""


class ModelError(SpamFilterError):
    """A saved model cannot be used."""


class ModelNotFound(ModelError, LookupError):
    """No model under that name or path."""


class ModelDamaged(ModelError, ValueError):
    """A file of the model is missing or is not what its manifest states."""


class ModelTooNew(ModelError, ValueError):
    """The model was written by a later version of this package."""


class StoreError(SpamFilterError):
    """The label store cannot be used."""


class LockedError(SpamFilterError):
    """Another job holds the lock."""


class ConfigError(SpamFilterError, ValueError):
    """A setting or a configuration file is wrong."""


class MissingExtra(SpamFilterError, ImportError):
    """An optional dependency is not installed; the message names the extra to install."""

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(
            f"this needs the package {package}, which is not installed; "
            f'install it with: pip install "comment-spamfilter[{extra}]"'
        )
        self.extra = extra
        self.package = package
