"""Learners: rewards and embeddings in, a policy out. One file a learner, one protocol.

No learner renders, trains or opens a store: it sees arrays. That is what makes the learners offline.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from t2s_offline.learners.policy import Policy
from t2s_offline.matrix import Embeddings, RewardMatrix


class Learner(Protocol):
    """Makes a policy from the rewards of training tasks. `seeded` learners give another policy for another rng."""

    @property
    def name(self) -> str: ...

    @property
    def seeded(self) -> bool: ...

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> Policy:
        """Learn from `matrix.signal_TC` (T, C) and the embeddings of the same tasks in the same order."""
        ...
