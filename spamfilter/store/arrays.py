"""Arrays on disk in the safetensors format, mapped when they are read so that processes share them.

Usage::

    write_arrays(folder / "text.safetensors", {"word": word, "char": char})
    read_arrays(folder / "text.safetensors")["word"]
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spamfilter.errors import ModelDamaged

__all__ = ["read_arrays", "write_arrays"]

_DTYPES: Final = {"F32": np.float32, "F64": np.float64}


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Arrays as a safetensors file: length of the header, JSON header, data; synced."""
    header, at = {}, 0
    kinds = {np.dtype(v): k for k, v in _DTYPES.items()}
    for name, array in arrays.items():
        size = array.nbytes
        header[name] = {"dtype": kinds[array.dtype], "shape": list(array.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the data begin on a multiple of 8 bytes, so that they can be mapped
    with path.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            out.write(np.ascontiguousarray(array).tobytes())
        out.flush()
        os.fsync(out.fileno())


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file, mapped.  Raises ``ModelDamaged`` for what is no such file."""
    try:
        with path.open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        begin = 8 + int.from_bytes(mapped[:8], "little")
        header = json.loads(mapped[8:begin])
        out: dict[str, NDArray[Any]] = {}
        for name, entry in header.items():
            a, b = entry["data_offsets"]
            data = np.frombuffer(
                mapped, _DTYPES[entry["dtype"]], (b - a) // np.dtype(_DTYPES[entry["dtype"]]).itemsize, begin + a
            )
            out[name] = data.reshape(entry["shape"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); install or train the model again") from error
    return out
