"""Rewards for Algorithm 1: a lookup in the reward matrix that counts hits and misses.

What happens on a miss is `on_miss`: "error" raises MissingReward, "skip" gives NaN so that the sample is dropped,
"live" calls a function that measures the cell. The command line passes that function in, so that learners import no
rendering or training code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput, MissingReward
from t2s_offline.matrix import RewardMatrix

OnMiss = Literal["error", "skip", "live"]
#: (task, configuration) -> reward in percent on the part of the task that learners look at: val, or test without it
Evaluator = Callable[[str, str], float]


@dataclass
class RewardSource:
    """Rewards of a matrix. `live` is called once for a missing cell, and its answer is kept in `filled`.

    hits, misses: look-ups that found a reward, and that did not. mean_T: mean of the known rewards of each task, shape
    (T,), NaN without any. BadInput for on_miss "live" without `live`.
    """

    matrix: RewardMatrix
    on_miss: OnMiss = "error"
    live: Evaluator | None = None
    hits: int = 0
    misses: int = 0
    filled: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.on_miss == "live" and self.live is None:
            raise BadInput(
                "on-miss live: nothing can measure a missing cell of this recipe; "
                "import a file that has it, or use on-miss skip"
            )
        self.reward_TC = self.matrix.signal_TC.copy()
        known_TC = ~np.isnan(self.reward_TC)
        self.complete = bool(known_TC.all())
        self.mean_T = np.divide(
            np.where(known_TC, self.reward_TC, 0.0).sum(axis=1),
            known_TC.sum(axis=1),
            out=np.full(len(known_TC), np.nan),
            where=known_TC.any(axis=1),
        )

    def rewards(self, task_B: npt.NDArray[np.int64], configuration_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Rewards in percent of B samples given by row and column of the matrix, shape (B,); NaN for a skipped miss.

        MissingReward for a miss under "error"; BadInput where `live` returns no percentage.
        """
        reward_B = self.reward_TC[task_B, configuration_B]
        if self.complete:
            self.hits += len(reward_B)
            return reward_B
        missing_B = np.isnan(reward_B)
        if missing_B.any():
            for sample in np.flatnonzero(missing_B):
                reward_B[sample] = self._miss(int(task_B[sample]), int(configuration_B[sample]))
        self.hits += len(reward_B) - int(missing_B.sum())
        return reward_B

    def baselines(
        self, task_B: npt.NDArray[np.int64], configuration_B: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Rewards of the greedy configurations as baselines, shape (B,); a missing one is the mean of the task's known
        rewards.

        If those samples were dropped too, a task whose likeliest configuration is missing would never be trained again.
        The gradient stays unbiased: any baseline that does not depend on the sampled action leaves it so (Williams
        1992).
        """
        reward_B = self.rewards(task_B, configuration_B)
        if self.complete:
            return reward_B
        missing_B = np.isnan(reward_B)
        return np.where(missing_B, self.mean_T[task_B], reward_B) if missing_B.any() else reward_B

    def _miss(self, task: int, configuration: int) -> float:
        if not np.isnan(self.reward_TC[task, configuration]):  # filled for an earlier sample of this batch
            self.hits += 1
            return float(self.reward_TC[task, configuration])
        self.misses += 1
        names = self.matrix.tasks[task], self.matrix.space.configurations[configuration]
        if self.on_miss == "skip":
            return float("nan")
        if self.on_miss == "error" or self.live is None:
            raise MissingReward(
                f"no {self.matrix.metric} reward for task {names[0]}, configuration {names[1]} "
                f"under recipe {self.matrix.recipe}; fill it with: t2s-offline import FILE, or pass --on-miss skip"
            )
        reward = self.live(*names)
        if not 0 <= reward <= 100:
            raise BadInput(f"live evaluation of {names} gave {reward}; expected percent, 0 to 100")
        self.reward_TC[task, configuration] = self.filled[names] = reward
        return reward
