"""The learners `compare` sets side by side, in the order of its rows."""

from __future__ import annotations

from t2s_offline.learners.baselines import BestFixed, DomainRandomization, Nearest, Random
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.learner import Learner
from t2s_offline.learners.linear import Linear
from t2s_offline.learners.nearest import DistanceWeighted, NearestK
from t2s_offline.learners.policy import Policy
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.surrogate import Surrogate

LEARNERS: tuple[Learner[Policy], ...] = (
    Random(),
    DomainRandomization(),
    BestFixed(),
    BestFixed(standardised=True),
    Nearest(),
    NearestK(),
    DistanceWeighted(),
    Linear(),
    Linear("thompson"),
    Exact(),
    Surrogate(embedded=False),
    Surrogate(),
    Reinforce(),
)

#: Shown when they are asked for by name: what the defect of the authors' script costs, what centring embeddings gives.
ABLATIONS: tuple[Learner[Policy], ...] = (Reinforce(published_indexing=True), Reinforce(centre=True))
