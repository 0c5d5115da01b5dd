"""The models folder: the only room that touches it.

Usage::

    sf = load()                          # the model that ships with the package
    sf = load("models")                  # the version that models/CURRENT names
    save(sf, "models/mine", manifest={...})
    models = ModelsFolder("models")      # a team's versions: promote, roll back, prune
"""

from __future__ import annotations

from spamfilter.store.folder import (
    BUNDLED,
    FORMAT,
    current,
    find,
    load,
    models_folder,
    read_manifest,
    save,
    verify,
)
from spamfilter.store.history import Event
from spamfilter.store.versions import ModelsFolder, Version

__all__ = [
    "BUNDLED",
    "FORMAT",
    "Event",
    "ModelsFolder",
    "Version",
    "current",
    "find",
    "load",
    "models_folder",
    "read_manifest",
    "save",
    "verify",
]
