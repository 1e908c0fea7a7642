"""Distribution of one task's rewards before (`Belief`) and after (`Posterior`) measuring a few configurations.

The reward of configuration c, in percent, is level + scale x z_c with z ~ N(mean_C, covariance), standardised rewards.
For a new task level and scale are unknown: level ~ N(mean, sd^2) is integrated in closed form, which adds its variance
to every entry of the covariance; log(scale) ~ N(log_scale, log_scale_sd^2) is summed over a grid whose points are
weighted by prior times marginal likelihood of the measured rewards. At each grid point the rest is Gaussian process
regression (Rasmussen and Williams 2006, section 2.2), so the posterior is a mixture of Gaussians.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from t2s_offline.analysis import walsh
from t2s_offline.analysis.walsh import DiffusionKernel
from t2s_offline.errors import BadInput

Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GRID = np.linspace(-2.5, 2.5, 15)  # grid of log(scale) about its mean, in SDs
JITTER = 1e-8  # variance added so that covariances can be factorised, in squares of the scale


def standardise(reward_TC: Float64) -> tuple[Float64, Float64, Float64]:
    """(Reward - mean of the task) / SD of the task (T, C), and the means (T,) and SDs (T,) in percent.

    NaN is left out of means and SDs and stays NaN. A constant row becomes zeros and has SD 0. BadInput when a row has
    no reward.
    """
    empty_T = np.isnan(reward_TC).all(axis=1)
    if empty_T.any():
        raise BadInput(f"{int(empty_T.sum())} of the training tasks have no reward; leave them out or sweep them")
    mean_T, sd_T = np.nanmean(reward_TC, axis=1), np.nanstd(reward_TC, axis=1)
    sd_T = np.where(sd_T > 1e-9, sd_T, 0.0)
    return (reward_TC - mean_T[:, None]) / np.where(sd_T > 0, sd_T, np.inf)[:, None], mean_T, sd_T


@dataclass(frozen=True)
class Level:
    """Level and spread of a task's rewards: level ~ N(mean, sd) in percent, log(scale) ~ N(log_scale, log_scale_sd)."""

    mean: float
    sd: float
    log_scale: float
    log_scale_sd: float


@dataclass(frozen=True)
class Belief:
    """Prior of one task's standardised rewards: N(mean_C, weight x kernel + factor_FC' factor_FC + diag(extra_C)).

    factor_FC: (F, C), the part of the covariance that was learned from F training tasks.
    """

    kernel: DiffusionKernel
    weight: float
    factor_FC: Float64
    extra_C: Float64
    mean_C: Float64
    level: Level

    @cached_property
    def variance_C(self) -> Float64:
        """Variance of the standardised rewards, shape (C,)."""
        return self.weight * self.kernel.variance() + (self.factor_FC**2).sum(axis=0) + self.extra_C

    def columns(self, index_K: Ints) -> Float64:
        """Covariance of every configuration with those of array index `index_K`, shape (C, K)."""
        every_C = np.arange(len(self.mean_C))
        block_CK = self.weight * self.kernel.block(every_C, index_K) + self.factor_FC.T @ self.factor_FC[:, index_K]
        block_CK[index_K, np.arange(len(index_K))] += self.extra_C[index_K]
        return block_CK

    def draw(self, count: int, rng: np.random.Generator) -> Float64:
        """Standardised rewards drawn from the prior, shape (count, C)."""
        size = len(self.mean_C)
        spectrum_C = np.sqrt(self.weight * self.kernel.spectrum_C())
        smooth_NC = walsh.inverse(rng.standard_normal((count, size)) * spectrum_C, self.kernel.space)
        learned_NC = rng.standard_normal((count, len(self.factor_FC))) @ self.factor_FC
        return self.mean_C + smooth_NC + learned_NC + rng.standard_normal((count, size)) * np.sqrt(self.extra_C)

    def scales(self) -> tuple[Float64, Float64]:
        """Grid of scales in percent and its prior weights, each (G,)."""
        weight_G = np.exp(-0.5 * GRID**2)
        return np.exp(self.level.log_scale + self.level.log_scale_sd * GRID), weight_G / weight_G.sum()

    def given(self, index_K: Ints, reward_K: Float64, *, noise_sd: float = 0.0) -> Posterior:
        """Condition on measured rewards in percent; `noise_sd`: SD of one measurement about the reward, in percent.

        BadInput when a measured reward is not finite.
        """
        return self.given_columns(self.columns(index_K), index_K, reward_K, noise_sd=noise_sd)

    def draw_given(
        self, index_K: Ints, reward_K: Float64, count: int, rng: np.random.Generator, *, noise_sd: float = 0.0
    ) -> Float64:
        """Rewards in percent drawn from what is believed after measuring (`given`), all configurations together: shape
        (count, C). Differences between configurations need such draws; `Posterior` has each by itself."""
        every_C = np.arange(len(self.mean_C))
        covariance_CC = self.columns(every_C)
        posterior = self.given(index_K, reward_K, noise_sd=noise_sd)
        drawn = []
        for scale, mean_C, share in zip(
            posterior.scale_G, posterior.mean_GC, rng.multinomial(count, posterior.weight_G), strict=True
        ):
            if not share:
                continue
            whole_CC = covariance_CC + (self.level.sd / scale) ** 2
            if len(index_K):
                inner_KK = whole_CC[np.ix_(index_K, index_K)].copy()
                inner_KK[np.diag_indices(len(index_K))] += JITTER + (noise_sd / scale) ** 2
                root_KC = np.linalg.solve(np.linalg.cholesky(inner_KK), whole_CC[index_K])
                whole_CC = whole_CC - root_KC.T @ root_KC
            value_C, vector_CC = np.linalg.eigh(whole_CC)
            root_CC = vector_CC * np.sqrt(np.maximum(value_C, 0.0))
            drawn.append(scale * (mean_C + rng.standard_normal((share, len(mean_C))) @ root_CC.T))
        return np.concatenate(drawn)

    def given_columns(self, cross_CK: Float64, index_K: Ints, reward_K: Float64, *, noise_sd: float = 0.0) -> Posterior:
        """`given` for `cross_CK` = `columns(index_K)`, so that a sequence of measurements computes each column once."""
        scale_G, prior_G = self.scales()
        if not np.isfinite(reward_K).all():
            raise BadInput("a measured reward is not a number; expected percent, 0 to 100; measure it again")
        level_G = (self.level.sd / scale_G) ** 2  # the level's variance in units of the scale
        mean_GC = self.mean_C + self.level.mean / scale_G[:, None]
        variance_GC = self.variance_C + level_G[:, None]
        if not len(index_K):
            return Posterior(scale_G, prior_G, mean_GC, variance_GC)
        inner_GKK = cross_CK[index_K] + level_G[:, None, None]
        inner_GKK[:, np.arange(len(index_K)), np.arange(len(index_K))] += JITTER + (noise_sd / scale_G[:, None]) ** 2
        root_GKK = np.linalg.cholesky(inner_GKK)
        residual_GK = reward_K / scale_G[:, None] - mean_GC[:, index_K]
        inverse_GKK = np.linalg.inv(root_GKK)
        white_GK = (inverse_GKK @ residual_GK[:, :, None])[:, :, 0]
        # between scales the covariance (C, K) differs by the variance of the level alone, which is added afterwards
        gain_GCK = np.matmul(cross_CK, inverse_GKK.transpose(0, 2, 1))
        gain_GCK += (level_G[:, None] * inverse_GKK.sum(axis=2))[:, None, :]
        log_G = np.log(prior_G) - 0.5 * (white_GK**2).sum(axis=1) - len(index_K) * np.log(scale_G)
        log_G -= np.log(np.diagonal(root_GKK, axis1=1, axis2=2)).sum(axis=1)
        weight_G = np.exp(log_G - log_G.max())
        mean_GC = mean_GC + (gain_GCK @ white_GK[:, :, None])[:, :, 0]
        variance_GC = variance_GC - np.einsum("gck,gck->gc", gain_GCK, gain_GCK)
        return Posterior(scale_G, weight_G / weight_G.sum(), mean_GC, np.maximum(variance_GC, 0.0))


@dataclass(frozen=True)
class Posterior:
    """Mixture of Gaussians over G scales in percent. mean_GC, variance_GC: of rewards divided by the scale. weight_G:
    sums to 1."""

    scale_G: Float64
    weight_G: Float64
    mean_GC: Float64
    variance_GC: Float64

    def reward(self) -> tuple[Float64, Float64]:
        """Mean and SD of every configuration's reward in percent, each (C,)."""
        mean_GC = self.scale_G[:, None] * self.mean_GC
        second_C = self.weight_G @ (self.scale_G[:, None] ** 2 * self.variance_GC + mean_GC**2)
        mean_C = self.weight_G @ mean_GC
        return mean_C, np.sqrt(np.maximum(second_C - mean_C**2, 0.0))

    def expected_improvement(self, best: float) -> Float64:
        """E[max(reward - best, 0)] of each configuration, in percent, shape (C,) (expected improvement, Jones et al.
        1998, averaged over scales); best: in percent."""
        sd_GC = self.scale_G[:, None] * np.sqrt(np.maximum(self.variance_GC, JITTER))
        ahead_GC = self.scale_G[:, None] * self.mean_GC - best
        unit_GC = ahead_GC / sd_GC
        density_GC = np.exp(-0.5 * unit_GC**2) / np.sqrt(2 * np.pi)
        return self.weight_G @ (ahead_GC * ndtr(unit_GC) + sd_GC * density_GC)
