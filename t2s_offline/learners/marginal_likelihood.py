"""Hyperparameters of the surrogate by maximum marginal likelihood (evidence) in closed form.

Model. Standardised rewards of T tasks, Z (T, C), are matrix-normal with covariance A between tasks and Sigma between
configurations:

    A     = shared + similar x exp(-distance / (2 length^2)) + identity
            (a part that all tasks share, one that tasks with similar embeddings share, one of each task alone;
            `distance` is squared)
    Sigma ~ inverse Wishart with scale matrix Psi = x K and mean K, K the diffusion kernel of `walsh.py`

x is the weight of the prior: after T tasks the posterior mean of Sigma is (x K + Z' A^-1 Z) / (x + T). For large x this
is a Gaussian process with kernel K. With Sigma integrated out Z has a matrix t distribution (Gupta and Nagar 2000,
chapter 4). Z is given by its F = C - 1 coefficients in a basis without the constant, since a task's level is modelled
apart. With d = F + 1 + x degrees of freedom

    log p(Z) = log Gamma_T((d + T) / 2) - log Gamma_T((d + T - F) / 2) - (T F / 2) log pi - (T / 2) log |Psi|
               + ((d + T - F) / 2) log |A| - ((d + T) / 2) log |A + Z Psi^-1 Z'|

where Gamma_T is the multivariate gamma function. Gradients are exact; weak Gaussian priors on the hyperparameters are
added to it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, multigammaln, psi

from t2s_offline.analysis import walsh
from t2s_offline.analysis.walsh import DiffusionKernel
from t2s_offline.errors import BadInput
from t2s_offline.space import SimSpace

Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Gaussian priors of theta: logs of amplitude, nugget, shared, similar, length and x, then logit(rho) of each
#: parameter. They are wide and bound the hyperparameters that the rewards say little about.
PRIOR_MEAN = (1.0, -2.0, -1.0, -1.0, 0.0, 2.0)
PRIOR_SD = (3.0, 3.0, 3.0, 3.0, 1.0, 3.0)
RHO_MEAN, RHO_SD = -1.0, 2.0
BOUND = 9.0  # of the absolute value of each theta in the search


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters at the maximum; `log_evidence` in nats, with the log prior density up to a constant added."""

    kernel: DiffusionKernel
    shared: float
    similar: float
    length: float
    x: float
    log_evidence: float

    def between(self, distance_XT: Float64) -> Float64:
        """Covariance between different tasks at these squared distances: A without the identity, same shape."""
        return self.shared + self.similar * np.exp(-distance_XT / (2 * self.length**2))


@dataclass(frozen=True)
class Evidence:
    """Data of the marginal likelihood. measured_O: array indices of the O configurations that Z covers; z_TO:
    standardised rewards, rows of mean 0; distance_TT: squared distances between training tasks; embedded: whether A has
    the part of similar embeddings. BadInput for fewer than two tasks or configurations."""

    space: SimSpace
    measured_O: Ints
    z_TO: Float64
    distance_TT: Float64
    embedded: bool = True

    def __post_init__(self) -> None:
        if len(self.z_TO) < 2 or len(self.measured_O) < 2:
            raise BadInput(
                f"{len(self.z_TO)} training tasks, {len(self.measured_O)} configurations; expected at least 2 of each"
            )

    @property
    def complete(self) -> bool:
        return len(self.measured_O) == len(self.space)

    def basis(self) -> Float64:
        """Orthonormal complement of the constant over measured configurations, shape (O, O - 1)."""
        return walsh.contrasts(len(self.measured_O))[1:].T

    def maximise(self, iterations: int = 150) -> Hyperparameters:
        """Maximise by L-BFGS-B from the prior means, in at most `iterations` iterations."""
        parameters = len(self.space.params)
        mean = np.r_[PRIOR_MEAN, np.full(parameters, RHO_MEAN)]
        sd = np.r_[PRIOR_SD, np.full(parameters, RHO_SD)]
        likelihood = self._spectral() if self.complete else self._dense()

        def objective(theta: Float64) -> tuple[float, Float64]:
            value, gradient = likelihood.evaluate(theta)
            unit = (theta - mean) / sd
            return 0.5 * float(unit @ unit) - value, unit / sd - gradient

        found = minimize(
            objective,
            mean,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-BOUND, BOUND)] * len(mean),
            options={"maxiter": iterations},
        )
        amplitude, nugget, shared, similar, length, x = np.exp(found.x[:6])
        kernel = DiffusionKernel(self.space, float(amplitude), expit(found.x[6:]), float(nugget))
        return Hyperparameters(
            kernel, float(shared), float(similar) if self.embedded else 0.0, float(length), float(x), -float(found.fun)
        )

    def _spectral(self) -> _Likelihood:
        coefficient_TF = walsh.transform(self.z_TO, self.space)[:, 1:]
        return _Spectral(coefficient_TF, self.distance_TT, self.embedded, walsh.support_CP(self.space)[1:])

    def _dense(self) -> _Likelihood:
        return _Dense(
            self.z_TO @ self.basis(), self.distance_TT, self.embedded, self.space, self.measured_O, self.basis()
        )


@dataclass(frozen=True)
class _Likelihood(ABC):
    """Log density of the coefficients of Z under the matrix t, and its gradient; subclasses represent the kernel."""

    coefficient_TF: Float64
    distance_TT: Float64
    embedded: bool

    @abstractmethod
    def kernel(self, theta: Float64) -> Any:
        """The kernel in the basis, in the form that `gram` and `slope` take; computed once an evaluation."""

    @abstractmethod
    def gram(self, kernel: Any, x: float) -> tuple[Float64, float]:
        """Z Psi^-1 Z' (T, T) and log |Psi|, where Psi = x times the kernel in the basis."""

    @abstractmethod
    def slope(self, theta: Float64, kernel: Any, x: float, inner_TT: Float64, factor: float) -> tuple[Float64, float]:
        """d log p / d theta for amplitude, nugget and each rho, and d log p / d log x through Psi.

        inner_TT: the inverse of A + Z Psi^-1 Z'; factor: (d + T) / 2.
        """

    def evaluate(self, theta: Float64) -> tuple[float, Float64]:
        """Log density and its gradient at theta."""
        tasks, size = self.coefficient_TF.shape
        shared, similar, length, x = np.exp(theta[2:6])
        dof = size + 1 + x
        near_TT = np.exp(-self.distance_TT / (2 * length**2))
        between_TT = shared + (similar * near_TT if self.embedded else 0.0) + np.eye(tasks)
        kernel = self.kernel(theta)
        gram_TT, log_psi = self.gram(kernel, x)
        inverse_TT, log_between = _inverse(between_TT)
        inner_TT, log_inner = _inverse(between_TT + gram_TT)
        up, down = (dof + tasks - size) / 2, (dof + tasks) / 2
        value = (
            multigammaln(down, tasks) - multigammaln(up, tasks) - tasks * size / 2 * np.log(np.pi)
            - tasks / 2 * log_psi + up * log_between - down * log_inner
        )  # fmt: skip
        gradient = np.zeros_like(theta)
        kernel_slope, scale_slope = self.slope(theta, kernel, x, inner_TT, down)
        gradient[:2], gradient[6:] = kernel_slope[:2], kernel_slope[2:]
        by_between_TT = up * inverse_TT - down * inner_TT
        gradient[2] = shared * by_between_TT.sum()
        if self.embedded:
            by_near = similar * by_between_TT * near_TT
            gradient[3], gradient[4] = by_near.sum(), (by_near * self.distance_TT).sum() / length**2
        half = np.arange(tasks) / 2
        by_dof = 0.5 * (psi(down - half) - psi(up - half)).sum() + 0.5 * (log_between - log_inner)
        gradient[5] = x * by_dof + scale_slope
        return float(value), gradient


@dataclass(frozen=True)
class _Spectral(_Likelihood):
    """All configurations are measured: the kernel is diagonal in the basis of `walsh.transform`, O(T^2 F) an
    evaluation.

    support_FP: which parameters each coefficient involves.
    """

    support_FP: npt.NDArray[np.bool_]

    def kernel(self, theta: Float64) -> tuple[Float64, Float64]:
        """Eigenvalues without and with the nugget, each (F,)."""
        smooth_F = np.exp(theta[0] + self.support_FP @ np.log(expit(theta[6:])))
        return smooth_F, smooth_F + np.exp(theta[1])

    def gram(self, kernel: tuple[Float64, Float64], x: float) -> tuple[Float64, float]:
        psi_F = x * kernel[1]
        return (self.coefficient_TF / psi_F) @ self.coefficient_TF.T, float(np.log(psi_F).sum())

    def slope(
        self, theta: Float64, kernel: tuple[Float64, Float64], x: float, inner_TT: Float64, factor: float
    ) -> tuple[Float64, float]:
        smooth_F, whole_F = kernel
        energy_F = (self.coefficient_TF * (inner_TT @ self.coefficient_TF)).sum(axis=0)
        by_log_F = factor * energy_F / (x * whole_F) - len(self.coefficient_TF) / 2
        by_smooth_F = by_log_F * smooth_F / whole_F
        by_rho_P = (self.support_FP.T @ by_smooth_F) * expit(-theta[6:])
        by_nugget = (by_log_F / whole_F).sum() * np.exp(theta[1])
        return np.r_[by_smooth_F.sum(), by_nugget, by_rho_P], float(by_log_F.sum())


@dataclass(frozen=True)
class _Dense(_Likelihood):
    """Some configurations are measured: the kernel is a matrix over them, O(O^3) an evaluation. basis_OF: orthonormal
    complement of the constant."""

    space: SimSpace
    measured_O: Ints
    basis_OF: Float64

    def kernel(self, theta: Float64) -> tuple[DiffusionKernel, Float64, Float64]:
        """The kernel, its matrix in the basis (F, F), and that matrix's lower Cholesky factor."""
        kernel = DiffusionKernel(self.space, float(np.exp(theta[0])), expit(theta[6:]), float(np.exp(theta[1])))
        block_FF = self.basis_OF.T @ kernel.block(self.measured_O, self.measured_O) @ self.basis_OF
        return kernel, block_FF, np.asarray(np.linalg.cholesky(block_FF), dtype=np.float64)

    def gram(self, kernel: tuple[DiffusionKernel, Float64, Float64], x: float) -> tuple[Float64, float]:
        root_FF = kernel[2]
        white_FT = solve_triangular(root_FF, self.coefficient_TF.T, lower=True)
        log_psi = len(root_FF) * np.log(x) + 2 * np.log(np.diag(root_FF)).sum()
        return white_FT.T @ white_FT / x, float(log_psi)

    def slope(
        self,
        theta: Float64,
        kernel: tuple[DiffusionKernel, Float64, Float64],
        x: float,
        inner_TT: Float64,
        factor: float,
    ) -> tuple[Float64, float]:
        diffusion, block_FF, root_FF = kernel
        inverse_FF = cho_solve((root_FF, True), np.eye(len(root_FF))) / x
        white_FT = inverse_FF @ self.coefficient_TF.T
        by_psi_FF = factor * white_FT @ inner_TT @ white_FT.T - len(self.coefficient_TF) / 2 * inverse_FF
        scale_slope = x * float((by_psi_FF * block_FF).sum())
        by_block_OO = x * self.basis_OF @ by_psi_FF @ self.basis_OF.T  # rows sum to 0: constants drop out
        digits_OP = self.space.digits_CP[self.measured_O]
        factors = diffusion.factors(digits_OP, digits_OP)
        by_product_OO = by_block_OO * np.prod(factors, axis=0) * diffusion.amplitude / len(self.space)
        slopes = [float(by_product_OO.sum()), diffusion.nugget * float(np.trace(by_block_OO))]
        for rho, factor_OO in zip(diffusion.rho_P, factors, strict=True):
            # d f / d rho = (f - 1) / rho, and d rho / d theta = rho (1 - rho)
            slopes.append((1 - rho) * float((by_product_OO * (1 - 1 / factor_OO)).sum()))
        return np.array(slopes), scale_slope


def _inverse(matrix_TT: Float64) -> tuple[Float64, float]:
    """Inverse and log determinant of a symmetric positive matrix."""
    root = cho_factor(matrix_TT, lower=True)
    return cho_solve(root, np.eye(len(matrix_TT))), 2 * float(np.log(np.diag(root[0])).sum())
