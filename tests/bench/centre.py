"""Algorithm 1 with and without `centre`: ``python -m tests.bench.centre [--seeds 8] [--left-out 0]``

Prints, for tables/cpu and, where T2S_TASK2SIM names its folder, the authors' table: normalised regret on the training
tasks (seen tasks where the table has a split, else all), mean over single networks, with its range over seeds, the
probability that a network gives to its answer and how many configurations it answers with; then normalised regret on
the unseen tasks. Missing cells of training tasks are the surrogate's posterior means. With --left-out N each task of a
table without a split is left out in turn, with N seeds. docs/learners.md quotes this.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from threadpoolctl import threadpool_limits

from t2s_offline.analysis.intervals import mean_interval
from t2s_offline.learners.compare import normalised
from t2s_offline.learners.policy import FactoredPolicy
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.surrogate import modelled
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.seeds import derive_rng
from t2s_offline.store.fetch_published import fetch_task2sim
from t2s_offline.store.reward_store import RewardStore
from tests.bench.table import markdown

Table = tuple[RewardMatrix, Embeddings]


def fitted(learner: Reinforce, table: Table, seeds: int) -> list[FactoredPolicy]:
    """One policy for each seed."""
    with threadpool_limits(1):
        return [learner.fit(*table, rng=derive_rng(learner.name, table[0].recipe, seed)) for seed in range(seeds)]


def regrets(policies: Sequence[FactoredPolicy], matrix: RewardMatrix, embeddings: Embeddings) -> np.ndarray:
    """Normalised regret of each task and policy, shape (T, S), of the choice among configurations that all have."""
    at = np.arange(len(matrix.tasks))
    reward_TS = np.stack([
        matrix.reward_TC[at, policy.decide(embeddings.unit_TD, matrix.measured_C).argmax(axis=1)]
        for policy in policies
    ], axis=1)  # fmt: skip
    return normalised(matrix, reward_TS, at)


def complete(matrix: RewardMatrix, embeddings: Embeddings) -> Table:
    """The training tasks with the surrogate's posterior means in missing cells."""
    return (modelled(matrix, embeddings) if np.isnan(matrix.signal_TC).any() else matrix), embeddings


def on_training_tasks(name: str, learner: Reinforce, table: Table, policies: Sequence[FactoredPolicy]) -> list[object]:
    """A row for the tasks that the policies were trained on."""
    regret_S = regrets(policies, *table).mean(axis=0)
    chance_STC = np.stack([policy.probabilities(table[1].unit_TD) for policy in policies])
    kinds = float(np.mean([len(set(chance_TC.argmax(axis=1))) for chance_TC in chance_STC]))
    spread = f"{regret_S.mean():.2f} ({regret_S.min():.2f} to {regret_S.max():.2f})"
    return [name, learner.centre, spread, float(chance_STC.max(axis=2).mean()), f"{kinds:.1f}"]


def report(name: str, store: RewardStore, seeds: int, left_out: int) -> None:
    matrix = store.matrix()
    embeddings, split = store.embeddings().select(matrix.tasks), store.tasks()
    unseen = [task for task in matrix.tasks if split.get(task) == "unseen"]
    training = [task for task in matrix.tasks if task not in unseen]
    table = complete(matrix.select(training), embeddings.select(training))
    rows, others = [], {}
    for learner in (Reinforce(), Reinforce(centre=True)):
        policies = fitted(learner, table, seeds)
        rows.append(on_training_tasks(name, learner, table, policies))
        if unseen:
            others[learner.name] = regrets(policies, matrix.select(unseen), embeddings.select(unseen)).mean(axis=1)
        elif left_out:
            others[learner.name] = np.array([one_left_out(learner, matrix, embeddings, t, left_out) for t in training])
    print(markdown(["table", "centre", "normalised regret, trained on", "probability", "configurations"], rows))
    for label, regret_T in others.items():
        found = mean_interval(regret_T)
        print(f"{name}, {label}, not trained on: {found.mean:.2f} ({found.low:.2f} to {found.high:.2f})")
    if others:
        apart = mean_interval(others["reinforce_centred"] - others["reinforce"])
        print(f"{name}, centred minus plain: {apart.mean:+.2f} ({apart.low:+.2f} to {apart.high:+.2f})", flush=True)


def one_left_out(learner: Reinforce, matrix: RewardMatrix, embeddings: Embeddings, task: str, seeds: int) -> float:
    """Normalised regret on one task of policies trained on all others, mean over seeds."""
    others = [name for name in matrix.tasks if name != task]
    policies = fitted(learner, complete(matrix.select(others), embeddings.select(others)), seeds)
    at = matrix.position(task)
    chosen = [policy.decide(embeddings.unit_TD[[at]], matrix.measured_C).argmax() for policy in policies]
    return float(normalised(matrix, matrix.reward_TC[[at]][:, chosen], [at]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--left-out", type=int, default=0, metavar="N", help="seeds for each task left out; 0: none")
    given = parser.parse_args()
    report("tables/cpu", RewardStore(Path("tables/cpu")), given.seeds, given.left_out)
    if folder := os.environ.get("T2S_TASK2SIM"):
        with TemporaryDirectory() as place:
            store = RewardStore(Path(place) / "published.duckdb")
            fetch_task2sim(store, Path(folder))
            report("authors' table", store, given.seeds, given.left_out)


if __name__ == "__main__":
    main()
