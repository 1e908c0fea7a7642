"""Rewards and embeddings as arrays, as learners use them.

Axes: T tasks, C configurations in the index order of the space, S seeds, D values of an embedding. Missing cells are
NaN. `store.reward_store.RewardStore` makes these from a store.
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

NAMED = 20  # most tasks named in one line


def mean_over_seeds(accuracy_TCS: Floats) -> npt.NDArray[np.float64]:
    """Mean over the last axis of the values that are not NaN; NaN where all are. Shape (T, C)."""
    known = ~np.isnan(accuracy_TCS)
    count = known.sum(axis=-1)
    total = np.where(known, accuracy_TCS, 0.0).sum(axis=-1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class RewardMatrix:
    """Rewards of one recipe and metric.

    accuracy_TCS: test accuracy in percent, NaN where missing. val_TCS: accuracy on the val part, or None when no task
    has it. Learners use a task's val accuracy or its test accuracy, never a mixture: where a measured cell of a task
    has no val accuracy, all val accuracies of that task are dropped; other tasks keep theirs. n_eval_T, n_val_T: number
    of test and val pictures of each task; NaN or None where not known. Raises BadInput when the shape does not match.
    """

    recipe: str
    metric: str
    space: SimSpace
    tasks: tuple[str, ...]
    accuracy_TCS: npt.NDArray[np.float64]
    val_TCS: npt.NDArray[np.float64] | None = None
    n_eval_T: npt.NDArray[np.float64] | None = None
    n_val_T: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.accuracy_TCS.shape[:2] != (len(self.tasks), len(self.space)):
            raise BadInput(
                f"rewards of shape {self.accuracy_TCS.shape}; "
                f"expected ({len(self.tasks)} tasks, {len(self.space)} configurations, seeds)"
            )
        if self.val_TCS is not None:
            gap_T = np.any(np.isnan(self.val_TCS) & ~np.isnan(self.accuracy_TCS), axis=(1, 2))
            val_TCS = np.where(gap_T[:, None, None], np.nan, self.val_TCS)
            object.__setattr__(self, "val_TCS", None if np.isnan(val_TCS).all() else val_TCS)

    @cached_property
    def reward_TC(self) -> npt.NDArray[np.float64]:
        """Test accuracy in percent, mean over seeds, shape (T, C). Results are reported in it."""
        return mean_over_seeds(self.accuracy_TCS)

    @cached_property
    def val_T(self) -> npt.NDArray[np.bool_]:
        """Whether a task has val accuracy for learners to choose by, shape (T,)."""
        if self.val_TCS is None:
            return np.zeros(len(self.tasks), dtype=bool)
        return np.array(~np.isnan(self.val_TCS).all(axis=(1, 2)))

    @property
    def validated(self) -> tuple[str, ...]:
        """Names of the tasks whose configuration is chosen on val accuracy."""
        return tuple(task for task, val in zip(self.tasks, self.val_T, strict=True) if val)

    @property
    def unvalidated(self) -> tuple[str, ...]:
        """Names of the tasks whose configuration is chosen and reported on the same test part."""
        return tuple(task for task, val in zip(self.tasks, self.val_T, strict=True) if not val)

    @property
    def val_note(self) -> str:
        """One line that names the tasks of `unvalidated`; empty when there are none."""
        without = self.unvalidated
        if not without:
            return ""
        shown = ", ".join(without[:NAMED]) + (f" and {len(without) - NAMED} more" if len(without) > NAMED else "")
        what = f"for {shown}" if self.validated else "in this table"
        return f"no val accuracy {what}: chosen and reported on the same test part"

    @cached_property
    def signal_TCS(self) -> npt.NDArray[np.float64]:
        """What learners are given, shape (T, C, S): a task's val accuracy, or its test accuracy where it has none."""
        if self.val_TCS is None:
            return self.accuracy_TCS
        return np.where(self.val_T[:, None, None], self.val_TCS, self.accuracy_TCS)

    @cached_property
    def signal_TC(self) -> npt.NDArray[np.float64]:
        """Mean of `signal_TCS` over seeds, shape (T, C)."""
        return self.reward_TC if self.val_TCS is None else mean_over_seeds(self.signal_TCS)

    @cached_property
    def pictures_T(self) -> npt.NDArray[np.float64]:
        """Number of pictures that `signal_TC` was measured on, shape (T,); NaN where not known."""
        n_eval_T, n_val_T = (
            np.full(len(self.tasks), np.nan) if known_T is None else known_T
            for known_T in (self.n_eval_T, self.n_val_T)
        )
        return np.where(self.val_T, n_val_T, n_eval_T)

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
        val, n_eval, n_val = (
            None if array is None else array[rows] for array in (self.val_TCS, self.n_eval_T, self.n_val_T)
        )
        accuracy_TCS = self.accuracy_TCS[rows]
        return replace(self, tasks=tuple(tasks), accuracy_TCS=accuracy_TCS, val_TCS=val, n_eval_T=n_eval, n_val_T=n_val)


@dataclass(frozen=True)
class Embeddings:
    """Task2Vec vectors of tasks under one probe. vector_TD: float32 (T, D); BadInput when one is not finite or zero."""

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
        """Row of a task; UnknownName when it has no embedding."""
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
