"""The protocol of a learner: `fit` makes a policy from the rewards and embeddings of training tasks.

Learners see arrays only. They import nothing that renders, trains networks or opens a store.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

from t2s_offline.errors import BadInput
from t2s_offline.matrix import Embeddings, RewardMatrix

P_co = TypeVar("P_co", covariant=True)


class Learner(Protocol[P_co]):
    """Makes a policy of type `P_co`. With `seeded` the policy depends on `rng`; without it `rng` is not used."""

    @property
    def name(self) -> str: ...

    @property
    def seeded(self) -> bool: ...

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> P_co:
        """Learn from `matrix.signal_TC`, shape (T, C), and the embeddings of the same tasks in the same order.

        BadInput when tasks differ or the rewards are too few for this learner.
        """
        ...


def check_same_tasks(matrix: RewardMatrix, embeddings: Embeddings) -> None:
    """BadInput unless rewards and embeddings are of the same tasks in the same order."""
    if matrix.tasks != embeddings.tasks:
        raise BadInput("rewards and embeddings are of different tasks; select the same tasks in the same order")
