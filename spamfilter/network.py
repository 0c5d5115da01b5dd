"""A neural network with one hidden layer as plain arrays.

Usage::

    Network(mean, scale, hidden, bias, coef, intercept).logits(x)

Several small networks that were fitted from different starts are one such network: their hidden units side by side,
their last weights divided by how many they are (Hansen and Salamon 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamfilter import compiled
from spamfilter.linear import Z_LIMIT

__all__ = ["Network"]

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Network:
    """``max(0, z @ hidden + bias) @ coef + intercept`` over standardised inputs z, within ±``Z_LIMIT``.

    ``mean`` and ``scale`` have an entry an input, ``hidden`` has shape (inputs, units), ``bias`` and ``coef`` have an
    entry a unit.
    """

    mean: F64
    scale: F64
    hidden: F64
    bias: F64
    coef: F64
    intercept: float

    def logits(self, x: F64) -> F64:
        """Log-odds of each row."""
        # Row by row, not as one matrix product: BLAS would sum in an order that depends on the batch.
        out: F64 = np.einsum("ij,j->i", self._units(x), self.coef) + self.intercept
        return out

    def _units(self, x: F64) -> F64:
        """What each hidden unit says of each row."""
        out = np.empty((len(x), len(self.bias)))
        if compiled.kernel is not None:
            compiled.kernel.units(np.ascontiguousarray(x), self.mean, self.scale, self.hidden, self.bias, Z_LIMIT, out)
            return out
        z = np.minimum(np.maximum((x - self.mean) / self.scale, -Z_LIMIT), Z_LIMIT)
        out[:] = self.bias
        for k, weights in enumerate(self.hidden):
            out += z[:, k : k + 1] * weights
        return np.maximum(out, 0.0)
