"""The learners `compare` sets side by side, in the order of its rows."""

from __future__ import annotations

from t2s_offline.learners import Learner
from t2s_offline.learners.baselines import BestFixed, DomainRandomization, Nearest, Random
from t2s_offline.learners.reinforce import Reinforce

LEARNERS: tuple[Learner, ...] = (Random(), DomainRandomization(), BestFixed(), Nearest(), Reinforce())
