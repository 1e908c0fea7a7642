"""Where Algorithm 1 gets its rewards: an array lookup that counts hits and misses.

Comes in: a matrix and what to do on a miss. Goes out: rewards in percent, NaN for a sample that is to be dropped.
Ignores how a missing cell is made: that is a function passed in (`cli.py` gives the live path), so learners never
import rendering or training code.
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
#: (task, configuration) -> reward in percent, on the part of the task that the learner may look at.
Evaluator = Callable[[str, str], float]


@dataclass
class RewardSource:
    """Rewards of a matrix. `live` is called once for a missing cell; what it returns is kept in `filled`."""

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
        """Rewards of B samples given as row and column of the matrix, shape (B,)."""
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
        """Rewards to compare samples with, shape (B,): a missing one is the mean of the task's known rewards.

        Dropping those samples as well would hold a task for ever whose likeliest configuration is missing; any
        baseline that does not depend on the action leaves the gradient unbiased.
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
