"""Rewards and embeddings as arrays: what learners see.

Comes in: accuracies by task, configuration and seed; Task2Vec vectors by task. Goes out: the same, checked, selected by
task. Shapes: T tasks, C configurations in the space's index order, S seeds, D embedding. Missing cells are NaN.
Ignores where rewards came from: `store.py` fills these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.space import SimSpace

Floats = npt.NDArray[np.floating]


def mean_over_seeds(accuracy_TCS: Floats) -> npt.NDArray[np.float64]:
    """Mean of the last axis over what is not NaN; NaN where nothing is. Shape (T, C)."""
    known = ~np.isnan(accuracy_TCS)
    count = known.sum(axis=-1)
    total = np.where(known, accuracy_TCS, 0.0).sum(axis=-1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class RewardMatrix:
    """Rewards of one recipe and metric.

    accuracy_TCS: test accuracy in percent, NaN where missing; val_TCS: the same on the val part, or None when the table
    has test accuracy alone.
    """

    recipe: str
    metric: str
    space: SimSpace
    tasks: tuple[str, ...]
    accuracy_TCS: npt.NDArray[np.float64]
    val_TCS: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.accuracy_TCS.shape[:2] != (len(self.tasks), len(self.space)):
            raise BadInput(
                f"rewards of shape {self.accuracy_TCS.shape}; "
                f"expected ({len(self.tasks)} tasks, {len(self.space)} configurations, seeds)"
            )

    @cached_property
    def reward_TC(self) -> npt.NDArray[np.float64]:
        """Test accuracy in percent, mean over seeds, shape (T, C): what is reported."""
        return mean_over_seeds(self.accuracy_TCS)

    @cached_property
    def signal_TC(self) -> npt.NDArray[np.float64]:
        """What learners may look at, shape (T, C): val accuracy where the table has it, test accuracy otherwise."""
        return self.reward_TC if self.val_TCS is None else mean_over_seeds(self.val_TCS)

    @cached_property
    def measured_C(self) -> npt.NDArray[np.bool_]:
        """Configurations measured on every task, shape (C,)."""
        return np.array(~np.isnan(self.reward_TC).any(axis=0))

    def position(self, task: str) -> int:
        """Row of a task; UnknownName when it is not in the matrix."""
        if task not in self.tasks:
            raise UnknownName("task", task, self.tasks)
        return self.tasks.index(task)

    def select(self, tasks: Sequence[str]) -> RewardMatrix:
        """The rows of these tasks, in this order."""
        rows = [self.position(task) for task in tasks]
        val = None if self.val_TCS is None else self.val_TCS[rows]
        return replace(self, tasks=tuple(tasks), accuracy_TCS=self.accuracy_TCS[rows], val_TCS=val)


@dataclass(frozen=True)
class Embeddings:
    """Task2Vec vectors of tasks under one probe; vector_TD: float32 (T, D), finite."""

    probe: str
    tasks: tuple[str, ...]
    vector_TD: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.vector_TD.ndim != 2 or len(self.vector_TD) != len(self.tasks):
            raise BadInput(f"embeddings of shape {self.vector_TD.shape}; expected ({len(self.tasks)} tasks, D)")
        for task, vector in zip(self.tasks, self.vector_TD, strict=True):
            if not np.isfinite(vector).all():
                raise BadInput(f"embedding of {task} is not finite; expected numbers; embed the task again")
            if not vector.any():
                raise BadInput(f"embedding of {task} is all zeros; expected a direction; embed the task again")

    @cached_property
    def unit_TD(self) -> npt.NDArray[np.float32]:
        """Vectors of length 1, the policy's input (paper, section 4.1), shape (T, D)."""
        return unit(self.vector_TD)

    def position(self, task: str) -> int:
        if task not in self.tasks:
            raise UnknownName("embedded task", task, self.tasks, "rewards alone cannot place a task")
        return self.tasks.index(task)

    def select(self, tasks: Sequence[str]) -> Embeddings:
        """The rows of these tasks, in this order."""
        rows = [self.position(task) for task in tasks]
        return Embeddings(self.probe, tuple(tasks), self.vector_TD[rows])


def unit(vector_TD: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows divided by their L2 norm, computed in float64, returned as float32."""
    wide = vector_TD.astype(np.float64)
    return (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)
