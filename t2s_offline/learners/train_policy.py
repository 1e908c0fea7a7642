"""Train Algorithm 1 with several seeds into one averaged policy, with a card of how it was made and what it reached.

Each seed runs in a process of its own, so that its weights stay in the cache of one core. Stacking 16 seeds into
batched products took 1.6 (NumPy) to 1.8 (torch.bmm) times as long for each seed and step, since a step then moves 16 x
1.3 MB through memory.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from t2s_offline import __version__
from t2s_offline.errors import BadInput
from t2s_offline.learners.policy import MLP, FactoredPolicy
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.reward_source import Evaluator, OnMiss, RewardSource
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.seeds import derive_rng

#: called with the epochs done and the epochs in all, both summed over seeds
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Trained:
    """A policy, its card, and the rewards in percent measured during training, by task and configuration."""

    policy: FactoredPolicy
    card: dict[str, Any]
    filled: dict[tuple[str, str], float]


def train_policy(
    learner: Reinforce,
    matrix: RewardMatrix,
    embeddings: Embeddings,
    *,
    seeds: Sequence[int] = (0,),
    on_miss: OnMiss = "error",
    live: Evaluator | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Trained:
    """Run Algorithm 1 once for each seed, in `jobs` processes. With on_miss "live" seeds run one after another in this
    process and share the measured cells. BadInput without a seed; MissingReward for a missing cell with "error"."""
    if not seeds:
        raise BadInput("at least one seed is needed")
    begin = time.perf_counter()
    total = learner.epochs * len(seeds)
    source = RewardSource(matrix, on_miss, live)
    networks: list[MLP] = []
    if len(seeds) == 1 or jobs == 1 or on_miss == "live":
        for number, seed in enumerate(seeds):
            networks.append(
                _train(learner, source, embeddings, seed, _shifted(progress, number * learner.epochs, total))
            )
    else:
        from joblib import Parallel, delayed

        work = Parallel(n_jobs=jobs, return_as="generator")(
            delayed(_train_alone)(learner, matrix, on_miss, embeddings, seed) for seed in seeds
        )
        for network, hits, misses in work:
            networks.append(network)
            source.hits, source.misses = source.hits + hits, source.misses + misses
            if progress is not None:
                progress(len(networks) * learner.epochs, total)
    policy = FactoredPolicy(matrix.space, tuple(networks), learner.centre_of(embeddings))
    seconds = time.perf_counter() - begin
    filled = replace(matrix, accuracy_TCS=source.reward_TC[..., None], val_TCS=None)
    card = {
        "learner": learner.name,
        "hyperparameters": asdict(learner),
        "recipe": matrix.recipe,
        "metric": matrix.metric,
        "probe": embeddings.probe,
        "tasks": list(matrix.tasks),
        "seeds": list(seeds),
        "on_miss": on_miss,
        "hits": source.hits,
        "misses": source.misses,
        "seconds": round(seconds, 3),
        "reached": figures(policy, filled, embeddings),
        "versions": {
            "t2s-offline": __version__,
            "numpy": version("numpy"),
            "scipy": version("scipy"),
            "python": platform.python_version(),
        },
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Trained(policy, card, source.filled)


def _train(
    learner: Reinforce, source: RewardSource, embeddings: Embeddings, seed: int, progress: Callable[[int], None] | None
) -> MLP:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # small products are slower with threads, and the number of threads changes rounding
        rng = derive_rng(learner.name, source.matrix.recipe, seed)
        return learner.train(source, embeddings, rng=rng, progress=progress)


def _train_alone(
    learner: Reinforce, matrix: RewardMatrix, on_miss: OnMiss, embeddings: Embeddings, seed: int
) -> tuple[MLP, int, int]:
    """One seed in a worker process, with counters of its own."""
    source = RewardSource(matrix, on_miss)
    network = _train(learner, source, embeddings, seed, None)
    return network, source.hits, source.misses


def _shifted(progress: Progress | None, before: int, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda epoch: progress(before + epoch + 1, total)


def figures(policy: FactoredPolicy, matrix: RewardMatrix, embeddings: Embeddings) -> dict[str, float | None]:
    """Mean rewards on the training tasks in percent: of the averaged policy, of the single networks (mean and SD over
    seeds), and of each task's best configuration (oracle). None where not known."""

    def mean(single: FactoredPolicy) -> float:
        decision_TC = single.decide(embeddings.unit_TD, np.ones(len(matrix.space), dtype=bool))
        return float((np.where(decision_TC > 0, matrix.reward_TC, 0.0)).sum(axis=1).mean())

    seeds = [mean(replace(policy, networks=(network,))) for network in policy.networks]
    reached = {
        "policy": mean(policy),
        "seed_mean": float(np.mean(seeds)),
        "seed_sd": float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None,
        "oracle": float(np.nanmax(matrix.reward_TC, axis=1).mean()),
    }
    return {name: None if value is None or np.isnan(value) else round(value, 4) for name, value in reached.items()}
