"""Planted tables: rewards and embeddings drawn from a known process, for tests of learners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from t2s_offline.analysis import walsh
from t2s_offline.analysis.walsh import DiffusionKernel
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimParam, SimSpace


def space_of(*levels: int) -> SimSpace:
    return SimSpace(tuple(SimParam(f"p{at}", count) for at, count in enumerate(levels)))


@dataclass(frozen=True)
class Planted:
    """T tasks in two groups. shared: weight of what all tasks have in common; group: of what those of a group have,
    which their embeddings show; the rest is each task's own. Weights are variances and sum to 1."""

    space: SimSpace
    tasks: int = 10
    rho: float | tuple[float, ...] = 0.5
    nugget: float = 0.02
    shared: float = 0.3
    group: float = 0.4
    seeds: int = 1
    noise_sd: float = 0.0

    def kernel(self) -> DiffusionKernel:
        rho_P = np.broadcast_to(np.asarray(self.rho, dtype=float), len(self.space.params)).copy()
        return DiffusionKernel(self.space, 1.0, rho_P, self.nugget)

    def draw(self, rng: np.random.Generator) -> tuple[RewardMatrix, Embeddings]:
        """Rewards in percent about 50, and embeddings of 40 values in which the groups differ."""
        root_C = np.sqrt(self.kernel().spectrum_C())
        size = len(self.space)

        def profile(count: int) -> np.ndarray:
            return walsh.inverse(rng.standard_normal((count, size)) * root_C, self.space)

        member_T = np.arange(self.tasks) % 2
        z_TC = np.sqrt(self.shared) * profile(1) + np.sqrt(self.group) * profile(2)[member_T]
        z_TC = z_TC + np.sqrt(1 - self.shared - self.group) * profile(self.tasks)
        scale_T1 = np.exp(rng.normal(1.0, 0.4, (self.tasks, 1)))
        reward_TC = rng.normal(50, 5, (self.tasks, 1)) + scale_T1 * z_TC / z_TC.std()
        noise_TCS = rng.standard_normal((self.tasks, size, self.seeds)) * self.noise_sd
        centre_GD = rng.uniform(1, 2, (2, 40))
        vector_TD = centre_GD[member_T] * np.exp(rng.normal(0, 0.05, (self.tasks, 40)))
        names = tuple(f"task{at:02}" for at in range(self.tasks))
        matrix = RewardMatrix("planted", "knn5", self.space, names, reward_TC[..., None] + noise_TCS)
        return matrix, Embeddings("probe", names, vector_TD.astype(np.float32))
