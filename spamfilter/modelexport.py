"""A model as a file for other people's tools: a fitted scikit-learn Pipeline as ``.joblib`` or ``.skops``.

Usage::

    untrusted = export_pipeline(sf, Path("model.skops"))       # types that whoever loads it has to name as trusted

Scoring never opens such a file.  A ``.joblib`` file is a pickle: loading one runs whatever code its maker put in, so
load only your own.  A ``.skops`` file names the types it holds, and what loads it can refuse them (skops before 0.14
could be tricked: CVE-2025-54412, -54413, -54886).  Both need this package, in the same version, to be loaded.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final

import joblib

from spamfilter.errors import ConfigError, MissingExtra, OutputError
from spamfilter.model import SpamFilter
from spamfilter.pipeline import pipeline_of

__all__ = ["SUFFIXES", "export_pipeline"]

SUFFIXES: Final = (".joblib", ".skops")


def export_pipeline(sf: SpamFilter, path: Path) -> list[str]:
    """Write ``sf.to_pipeline()`` to ``path``, beside and renamed; the types of this package's own that it holds.

    Raises ``ConfigError`` for another suffix, ``MissingExtra`` without skops, ``OutputError`` where it cannot be
    written.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: name a file that ends in {' or '.join(SUFFIXES)}")
    if path.suffix == ".skops":
        try:
            import skops.io
        except ImportError:
            raise MissingExtra("export", "skops") from None
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); choose another folder") from error
    os.close(number)
    beside = Path(name)
    try:
        pipeline: Any = pipeline_of(sf)
        if path.suffix == ".skops":
            skops.io.dump(pipeline, beside)
            untrusted = [str(t) for t in skops.io.get_untrusted_types(file=beside)]
        else:
            joblib.dump(pipeline, beside)
            untrusted = []
        beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}); make room and try again") from error
    finally:
        beside.unlink(missing_ok=True)
    return untrusted
