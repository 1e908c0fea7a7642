"""Hyperparameters of the surrogate by marginal likelihood, in closed form.

Model. Standardised rewards of T tasks, Z (T, C), are matrix-normal: covariance A between tasks, Sigma between
configurations.
    A     = shared + similar x exp(-distance / (2 length²)) + identity   (what all tasks have in common, what tasks with
                                                                          similar embeddings have, a task's own part)
    Sigma ~ inverse Wishart with mean the diffusion kernel and x + 2 degrees of freedom beyond the least
Sigma is integrated out: Z is then a matrix t. So Sigma is the kernel as far as nothing is known, and what the training
tasks teach (x tasks weigh as much as the kernel). A large x gives a plain Gaussian process.

Comes in: coefficients of Z in a basis without the constant, distances between tasks. Goes out: the hyperparameters and
their log evidence. Ignores how rewards were standardised.
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

#: log of amplitude, nugget, shared, similar, length, x; then logit rho. Weak priors keep what data do not tell sane.
PRIOR_MEAN = (1.0, -2.0, -1.0, -1.0, 0.0, 2.0)
PRIOR_SD = (3.0, 3.0, 3.0, 3.0, 1.0, 3.0)
RHO_MEAN, RHO_SD = -1.0, 2.0
BOUND = 9.0


@dataclass(frozen=True)
class Hyperparameters:
    """What `maximise` found; `log_evidence` in nats, with the log prior density up to a constant."""

    kernel: DiffusionKernel
    shared: float
    similar: float
    length: float
    x: float
    log_evidence: float

    def between(self, distance_XT: Float64) -> Float64:
        """Covariance between tasks at these distances, without a task's own part, same shape."""
        return self.shared + self.similar * np.exp(-distance_XT / (2 * self.length**2))


@dataclass(frozen=True)
class Evidence:
    """Log evidence as a function of the hyperparameters. measured_O: indices of the O configurations that Z covers;
    z_TO: standardised rewards, rows of mean 0; distance_TT: between training tasks."""

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
        """Ascend by L-BFGS with exact gradients from the prior means."""
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
    """Matrix-t log density of coefficient_TF and its gradient; subclasses know the kernel in the basis."""

    coefficient_TF: Float64
    distance_TT: Float64
    embedded: bool

    @abstractmethod
    def kernel(self, theta: Float64) -> Any:
        """What `gram` and `slope` need of the kernel in the basis: computed once an evaluation."""

    @abstractmethod
    def gram(self, kernel: Any, x: float) -> tuple[Float64, float]:
        """Z Psi^-1 Z' (T, T) and log |Psi|, where Psi = x times the kernel in the basis."""

    @abstractmethod
    def slope(self, theta: Float64, kernel: Any, x: float, inner_TT: Float64, factor: float) -> tuple[Float64, float]:
        """d log p / d (amplitude, nugget, rho...) in theta, and d log p / d log of the scale of Psi."""

    def evaluate(self, theta: Float64) -> tuple[float, Float64]:
        """Log density and gradient in theta."""
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
    """All configurations are measured: the kernel is diagonal in the basis of `walsh.transform`."""

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
    """Some configurations are measured: the kernel is a matrix over them; O(O³)."""

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
