"""Orthonormal contrasts of a space: the Walsh-Hadamard transform, and its cousin for parameters of more levels.

Values over all configurations of a space, in index order, become one coefficient a contrast, in the same order:
coefficient 5 = 00000101 of the paper's space is the interaction of its sixth and eighth parameter, coefficient 0
the mean. A parameter of L levels has L - 1 contrasts (Helmert: level k against the mean of the levels before it); with
two levels these are Walsh functions. Also the diffusion kernel, which is diagonal in this basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput
from t2s_offline.space import SimSpace

Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@cache
def contrasts(levels: int) -> Float64:
    """Orthonormal rows, shape (levels, levels): the constant, then Helmert contrasts. A low level has positive sign."""
    rows = np.zeros((levels, levels))
    rows[0] = 1 / np.sqrt(levels)
    for k in range(1, levels):
        rows[k, :k], rows[k, k] = 1.0, -float(k)
        rows[k] /= np.sqrt(k * (k + 1))
    rows.flags.writeable = False
    return rows


def transform(value_XC: Float64, space: SimSpace) -> Float64:
    """Coefficients of values (..., C), same shape. Orthonormal: sums of squares are kept; O(C times sum of levels)."""
    return _apply(value_XC, space, inverse=False)


def inverse(coefficient_XC: Float64, space: SimSpace) -> Float64:
    """Values of coefficients (..., C), same shape: the inverse of `transform`."""
    return _apply(coefficient_XC, space, inverse=True)


def _apply(array_XC: Float64, space: SimSpace, *, inverse: bool) -> Float64:
    array_XC = np.asarray(array_XC, dtype=np.float64)
    if array_XC.shape[-1:] != (len(space),):
        raise BadInput(f"values of shape {array_XC.shape}; expected {len(space)} configurations along the last axis")
    out = array_XC.reshape(-1, len(space))
    for levels, stride in zip(space.levels_P, space.stride_P, strict=True):
        cube = out.reshape(-1, levels, stride)
        if levels == 2:  # a butterfly: no product needed
            out = np.stack([cube[:, 0] + cube[:, 1], cube[:, 0] - cube[:, 1]], axis=1) * np.sqrt(0.5)
        else:
            out = np.matmul(contrasts(int(levels)).T if inverse else contrasts(int(levels)), cube)
        out = out.reshape(-1, len(space))
    return out.reshape(array_XC.shape)


def support_CP(space: SimSpace) -> npt.NDArray[np.bool_]:
    """Which parameters each coefficient involves, shape (C, P)."""
    return space.digits_CP != 0


def degree_C(space: SimSpace) -> Ints:
    """How many parameters each coefficient involves: 0 the mean, 1 main effects, 2 pairs; shape (C,)."""
    return support_CP(space).sum(axis=1)


@dataclass(frozen=True)
class DiffusionKernel:
    """Covariance over configurations: amplitude x (product over parameters of f_p - 1) + nugget on the diagonal.

    f_p = 1 + rho_p (L_p - 1) where two configurations agree on parameter p, else 1 - rho_p. In the basis of `transform`
    it is diagonal: a coefficient has the eigenvalue amplitude x (product of rho over its parameters) + nugget, the
    constant one 0 (a task's level is modelled apart). rho_p in [0, 1): 0 means that the parameter does not matter.
    """

    space: SimSpace
    amplitude: float
    rho_P: Float64
    nugget: float

    def smooth_C(self) -> Float64:
        """Eigenvalues without the nugget, shape (C,)."""
        value_C = self.amplitude * np.where(support_CP(self.space), self.rho_P, 1.0).prod(axis=1)
        value_C[0] = 0.0
        return value_C

    def spectrum_C(self) -> Float64:
        """Eigenvalues, shape (C,)."""
        value_C = self.smooth_C() + self.nugget
        value_C[0] = 0.0
        return value_C

    def factors(self, digits_AP: Ints, digits_BP: Ints) -> list[Float64]:
        """f_p between configurations given by digits, one array (A, B) a parameter."""
        return [
            np.where(a_A[:, None] == b_B, 1 + (levels - 1) * rho, 1 - rho)
            for a_A, b_B, levels, rho in zip(digits_AP.T, digits_BP.T, self.space.levels_P, self.rho_P, strict=True)
        ]

    def smooth(self, index_A: Ints, index_B: Ints) -> Float64:
        """Covariance without the nugget between configurations given by index, shape (A, B)."""
        product = np.full((len(index_A), len(index_B)), self.amplitude)
        for factor in self.factors(self.space.digits_CP[index_A], self.space.digits_CP[index_B]):
            product *= factor
        return (product - self.amplitude) / len(self.space)

    def block(self, index_A: Ints, index_B: Ints) -> Float64:
        """Covariance between configurations given by index, shape (A, B)."""
        same = index_A[:, None] == index_B
        return self.smooth(index_A, index_B) + self.nugget * (same - 1 / len(self.space))

    def variance(self) -> float:
        """Variance of any one configuration (the same for all)."""
        return float(self.spectrum_C().sum()) / len(self.space)
