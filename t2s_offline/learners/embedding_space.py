"""Embeddings about the mean of the training tasks: distances between tasks, and whitened coordinates.

Task2Vec vectors are non-negative and nearly parallel (cosines of 0.9 and more on tables/cpu). Without centring, what
all tasks have in common dominates, and a learned policy gives nearly the same answer to every task.
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
    """Embeddings of the training tasks as unit vectors about their mean.

    form: "cosine" compares values, "ranks" their ranks within a vector, which limits the weight of a few large values.
    centre_D: the mean of the values or ranks. unit_TD: centred vectors of length 1. typical: the median squared
    distance between two training tasks, 1 where that is 0.
    """

    form: Form
    centre_D: Float64
    unit_TD: Float64
    typical: float

    @classmethod
    def of(cls, unit_TD: Float32, form: Form = "cosine") -> Context:
        """Centre, unit vectors and typical distance from the training embeddings, shape (T, D)."""
        value_TD = _values(unit_TD, form)
        centre_D = value_TD.mean(axis=0)
        centred_TD = _unit(value_TD - centre_D)
        distance_TT = _distance(centred_TD, centred_TD)
        apart = distance_TT[np.triu_indices(len(unit_TD), 1)]
        typical = float(np.median(apart)) if len(apart) else 0.0
        return cls(form, centre_D, centred_TD, typical if typical > 0 else 1.0)

    def centred(self, unit_XD: Float32) -> Float64:
        """Unit vectors about the training centre, shape (X, D). BadInput for another length than that of training."""
        if unit_XD.ndim != 2 or unit_XD.shape[1] != len(self.centre_D):
            raise BadInput(
                f"embeddings of shape {unit_XD.shape}; the policy was trained on {len(self.centre_D)} values a task: "
                "use the same probe"
            )
        return _unit(_values(unit_XD, self.form) - self.centre_D)

    def distance(self, unit_XD: Float32) -> Float64:
        """Squared distance to each training task divided by `typical`, shape (X, T)."""
        return _distance(self.centred(unit_XD), self.unit_TD) / self.typical


def _values(unit_XD: Float32, form: Form) -> Float64:
    if not np.isfinite(unit_XD).all():
        raise BadInput("an embedding is not finite; expected numbers; embed the task again")
    return rankdata(unit_XD, axis=1) / unit_XD.shape[1] if form == "ranks" else unit_XD.astype(np.float64)


def _unit(value_XD: Float64) -> Float64:
    """Rows of length 1; a row of zeros, which is a task at the centre, stays zeros."""
    norm_X1 = np.linalg.norm(value_XD, axis=1, keepdims=True)
    return np.divide(value_XD, norm_X1, out=np.zeros_like(value_XD), where=norm_X1 > 1e-9)


def _distance(left_XD: Float64, right_TD: Float64) -> Float64:
    """Squared Euclidean distances, shape (X, T)."""
    length_X, length_T = (left_XD**2).sum(axis=1), (right_TD**2).sum(axis=1)
    return np.maximum(length_X[:, None] + length_T - 2 * left_XD @ right_TD.T, 0.0)


def whitening(unit_TD: Float32, *, floor: float = 1e-3) -> tuple[Float64, Float64]:
    """Centre (D,) and projection (R, D) such that the coordinates (x - centre) @ projection.T of the training tasks are
    uncorrelated and have variance 1 (PCA whitening).

    Directions with less than `floor` times the largest singular value are left out: dividing by it would magnify
    rounding.
    """
    value_TD = unit_TD.astype(np.float64)
    centre_D = value_TD.mean(axis=0)
    _, singular_R, right_RD = np.linalg.svd(value_TD - centre_D, full_matrices=False)
    keep = singular_R > max(floor * singular_R[0], 1e-9)
    return centre_D, right_RD[keep] * (np.sqrt(len(unit_TD)) / singular_R[keep])[:, None]
