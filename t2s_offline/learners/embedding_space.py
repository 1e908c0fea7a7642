"""Embeddings as contexts: centred on the training tasks, so that what all tasks share does not drown the rest.

Comes in: unit embeddings (T, D) of training tasks, then of any task. Goes out: centred vectors, their distances and
whitened coordinates. Ignores rewards. Task2Vec vectors are non-negative and nearly parallel (cosines of 0.9 and more);
uncentred, a policy sees one direction and falls into one configuration for all tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from t2s_offline.errors import BadInput

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Form = Literal["ranks", "cosine"]


@dataclass(frozen=True)
class Context:
    """Embeddings of training tasks as unit vectors about their mean. `form`: compare values, or their ranks within a
    vector (so a few large values cannot dominate). centre_D, unit_TD: float64."""

    form: Form
    centre_D: Float64
    unit_TD: Float64
    typical: float

    @classmethod
    def of(cls, unit_TD: Float32, form: Form = "cosine") -> Context:
        """Learn centre and typical distance from training embeddings, shape (T, D)."""
        value_TD = _values(unit_TD, form)
        centre_D = value_TD.mean(axis=0)
        centred_TD = _unit(value_TD - centre_D)
        distance_TT = _distance(centred_TD, centred_TD)
        apart = distance_TT[np.triu_indices(len(unit_TD), 1)]
        typical = float(np.median(apart)) if len(apart) else 0.0
        return cls(form, centre_D, centred_TD, typical if typical > 0 else 1.0)

    def centred(self, unit_XD: Float32) -> Float64:
        """Any tasks as unit vectors about the training centre, shape (X, D)."""
        if unit_XD.ndim != 2 or unit_XD.shape[1] != len(self.centre_D):
            raise BadInput(
                f"embeddings of shape {unit_XD.shape}; the policy was trained on {len(self.centre_D)} values a task: "
                "use the same probe"
            )
        return _unit(_values(unit_XD, self.form) - self.centre_D)

    def distance(self, unit_XD: Float32) -> Float64:
        """Squared distance to each training task over the typical one between training tasks, shape (X, T)."""
        return _distance(self.centred(unit_XD), self.unit_TD) / self.typical


def _values(unit_XD: Float32, form: Form) -> Float64:
    if not np.isfinite(unit_XD).all():
        raise BadInput("an embedding is not finite; expected numbers; embed the task again")
    return rankdata(unit_XD, axis=1) / unit_XD.shape[1] if form == "ranks" else unit_XD.astype(np.float64)


def _unit(value_XD: Float64) -> Float64:
    """Rows of length 1; a row of zeros (all tasks alike) stays."""
    norm_X1 = np.linalg.norm(value_XD, axis=1, keepdims=True)
    return np.divide(value_XD, norm_X1, out=np.zeros_like(value_XD), where=norm_X1 > 1e-9)


def _distance(left_XD: Float64, right_TD: Float64) -> Float64:
    length_X, length_T = (left_XD**2).sum(axis=1), (right_TD**2).sum(axis=1)
    return np.maximum(length_X[:, None] + length_T - 2 * left_XD @ right_TD.T, 0.0)


def whitening(unit_TD: Float32, *, floor: float = 1e-3) -> tuple[Float64, Float64]:
    """Centre (D,) and projection (R, D) that give the training tasks decorrelated coordinates of variance 1.

    Directions with less than `floor` of the largest singular value are left out: they would magnify rounding.
    """
    value_TD = unit_TD.astype(np.float64)
    centre_D = value_TD.mean(axis=0)
    _, singular_R, right_RD = np.linalg.svd(value_TD - centre_D, full_matrices=False)
    keep = singular_R > max(floor * singular_R[0], 1e-9)
    return centre_D, right_RD[keep] * (np.sqrt(len(unit_TD)) / singular_R[keep])[:, None]
