"""The paper's sentences about Task2Sim's outputs, on the authors' table: ``python -m tests.bench.claims [--seeds 8]``

Learners see the 12 seen tasks and answer for all 20: Algorithm 1 with the right gather, the same with the authors'
(`published`), the exact gradient (each with several seeds), and the surrogate. An output is the probability of 1 of
each parameter; the surrogate's is its chosen configuration. Beside them what the table itself says: main effects
(accuracy with a parameter on minus off) and each task's best configuration. docs/paper.md quotes this. Needs
T2S_TASK2SIM.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import binomtest, rankdata

from t2s_offline.analysis.intervals import mean_interval
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.learner import Learner
from t2s_offline.learners.policy import FactoredPolicy, Policy
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.surrogate import Surrogate
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.seeds import derive_rng
from t2s_offline.store.fetch_published import fetch_task2sim
from t2s_offline.store.reward_store import RewardStore
from tests.bench.table import markdown

LEARNERS: dict[str, Learner[Policy]] = {
    "Algorithm 1": Reinforce(),
    "published": Reinforce(published_indexing=True),
    "exact": Exact(),
    "surrogate": Surrogate(),
}
#: unseen task -> the seen task that the paper says its outputs are like
LIKE = {"ChestXPneumonia": "ChestX", "CactusAerial": "EuroSAT", "PacsS": "Sketch", "CUB": "CropDisease"}


def outputs(
    learner: Learner[Policy], matrix: RewardMatrix, embeddings: Embeddings, seen: list[str], seeds: int
) -> np.ndarray:
    """Probability of 1 (tasks, parameters, seeds)."""
    found = []
    for seed in range(seeds if learner.seeded else 1):
        rng = derive_rng(learner.name, matrix.recipe, seed)
        policy = learner.fit(matrix.select(seen), embeddings.select(seen), rng=rng)
        if isinstance(policy, FactoredPolicy):
            found.append(np.stack([head_TL[:, 1] for head_TL in policy.marginals(embeddings.unit_TD)], axis=1))
        else:
            chosen_TC = policy.decide(embeddings.unit_TD, matrix.measured_C)
            found.append(chosen_TC @ matrix.space.digits_CP)
    return np.stack(found, axis=2)


def main_effects(matrix: RewardMatrix) -> np.ndarray:
    """Accuracy with a parameter on minus off, in percent (tasks, parameters)."""
    on_CP = matrix.space.digits_CP == 1
    return np.stack([matrix.reward_TC[:, on].mean(1) - matrix.reward_TC[:, ~on].mean(1) for on in on_CP.T], axis=1)


def side(value_TS: np.ndarray) -> str:
    """Mean probability of 1, tasks that are on in the mean over seeds, and the side where a sign test decides (5 %)."""
    mean_T = value_TS.mean(axis=1)
    on, decided = int((mean_T > 0.5).sum()), int((mean_T != 0.5).sum())
    p = binomtest(on, decided).pvalue if decided else 1.0
    told = "unclear" if p >= 0.05 else "on" if 2 * on > decided else "off"
    return f"{mean_T.mean():.2f}, {on} of {len(mean_T)} on: {told}"


def in_general(matrix: RewardMatrix, output: dict[str, np.ndarray]) -> None:
    """Which side each parameter is on over all tasks: what learners answer, and what the table says."""
    effect_TP, rows = main_effects(matrix), []
    best_TP = matrix.space.digits_CP[matrix.reward_TC.argmax(axis=1)]
    for at, name in enumerate(matrix.space.names):
        effect = mean_interval(effect_TP[:, at])
        told = f"{effect.mean:+.2f} ({effect.low:+.2f} to {effect.high:+.2f})"
        better = f"{(effect_TP[:, at] > 0).sum()} of {len(effect_TP)}"
        rows.append([name, *(side(value[:, at]) for value in output.values()), told, better,
                     f"{best_TP[:, at].sum()} of {len(best_TP)}"])  # fmt: skip
    print("\nprobability of 1, mean over the 20 tasks and seeds; sign test over tasks\n")
    print(markdown(["parameter", *output, "main effect, points", "effect > 0", "best has 1"], rows))
    print("\nshare of seeds that turn materials on:\n")
    rows = []
    for task, name in enumerate(matrix.tasks):
        shares = [f"{(value[task, 7] > 0.5).mean():.2f}" for value in output.values()]
        rows.append([name, *shares, f"{effect_TP[task, 7]:+.1f}", int(best_TP[task, 7])])
    print(markdown(["task", *output, "main effect", "in best"], rows))


def one_task(matrix: RewardMatrix, output: dict[str, np.ndarray], task: str, parameter: str) -> None:
    """Share of seeds that turn one parameter on for one task, and the table's own effect there."""
    row, at = matrix.position(task), matrix.space.names.index(parameter)
    effect = float(main_effects(matrix)[row, at])
    best = matrix.space.configurations[int(matrix.reward_TC[row].argmax())]
    print(f"\n{parameter} for {task}: main effect {effect:+.2f} points, best configuration {best}")
    print(markdown(list(output), [[f"{(value[row, at] > 0.5).mean():.2f}" for value in output.values()]]))


def alike(matrix: RewardMatrix, embeddings: Embeddings, output: dict[str, np.ndarray], seen: list[int]) -> None:
    """Place of the seen task that the paper names among the 12 by likeness of outputs (1: most alike; chance 6.5),
    mean over seeds; of embeddings; and of rewards over the 256 configurations."""
    z_TC = matrix.reward_TC - matrix.reward_TC.mean(axis=1, keepdims=True)
    z_TC /= np.linalg.norm(z_TC, axis=1, keepdims=True)
    rows = []
    for unseen, named in LIKE.items():
        row, at = matrix.position(unseen), [matrix.tasks[task] for task in seen].index(named)
        told = []
        for value in output.values():
            apart_ZS = np.abs(value[seen] - value[row]).mean(axis=1)
            place_S = rankdata(apart_ZS, axis=0)[at]
            told.append(f"{place_S.mean():.1f} (first in {(place_S < 2).sum()} of {len(place_S)})")
        near = rankdata(-(embeddings.unit_TD[seen] @ embeddings.unit_TD[row]))[at]
        profile_Z = z_TC[seen] @ z_TC[row]
        rows.append([f"{unseen} like {named}", *told, f"{near:.0f}",
                     f"{rankdata(-profile_Z)[at]:.0f} (r = {profile_Z[at]:+.2f})"])  # fmt: skip
    print("\nplace of the named seen task among the 12, 1 is most alike\n")
    print(markdown(["claim", *output, "by embedding", "by rewards"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    given = parser.parse_args()
    folder = os.environ.get("T2S_TASK2SIM")
    if not folder:
        print("T2S_TASK2SIM is not set: nothing is measured")
        return
    with TemporaryDirectory() as place:
        store = RewardStore(Path(place) / "published.duckdb")
        fetch_task2sim(store, Path(folder))
        matrix, split = store.matrix(), store.tasks()
        embeddings = store.embeddings().select(matrix.tasks)
    names = [task for task in matrix.tasks if split[task] == "seen"]
    seen = [matrix.position(task) for task in names]
    output = {name: outputs(learner, matrix, embeddings, names, given.seeds) for name, learner in LEARNERS.items()}
    in_general(matrix, output)
    one_task(matrix, output, "CUB", "light_colour")
    alike(matrix, embeddings, output, seen)


if __name__ == "__main__":
    main()
