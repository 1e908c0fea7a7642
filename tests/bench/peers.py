"""Our learners beside tools that users would pick, on the same rewards: one shot, and K measurements of a new task.

    python -m tests.bench.peers [--store FILE] [--tasks 20] [--seeds 3]

Peers: Vowpal Wabbit (cb_explore_adf), MABWiser (LinUCB, LinTS), scikit-learn (kernel ridge, random forest), Optuna
(TPE).
Those that cannot be imported are named and left out. Rewards: the authors' table where T2S_TASK2SIM names its folder,
else a planted table of the same size. Every task is left out in turn; all peers see the same standardised rewards and
the same contexts (whitened coordinates of the centred embeddings). rewards: how many cells of the training tasks were
looked at.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from t2s_offline.learners.baselines import BestFixed, Nearest
from t2s_offline.learners.compare import leave_one_out
from t2s_offline.learners.embedding_space import whitening
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.linear import Linear, augment
from t2s_offline.learners.nearest import NearestK
from t2s_offline.learners.posterior import standardise
from t2s_offline.learners.shortlist import curve
from t2s_offline.learners.surrogate import Surrogate
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.seeds import derive_rng, derive_seed
from t2s_offline.space import TASK2SIM
from t2s_offline.store.fetch_published import fetch_task2sim
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.text_tables import render
from tests.planted import Planted

Float64 = npt.NDArray[np.float64]
COUNTS = (1, 2, 4, 8, 16, 32)
ROUNDS = 30
CONTEXTS = 4

#: standardised rewards (T, C), contexts (T, R) of training tasks, context of the new one (R,), digits (C, P), seed
#: -> scores (C,) for the new task, and how many rewards were looked at
Scored = tuple[Float64, int]
Peer = Callable[[Float64, Float64, Float64, Float64, int], Scored]


def pairs(context_TR: Float64, digits_CP: Float64) -> Float64:
    """Rows of (context, digits) for every task and configuration, task first."""
    tasks, size = len(context_TR), len(digits_CP)
    return np.c_[np.repeat(context_TR, size, axis=0), np.tile(digits_CP, (tasks, 1))]


def kernel_ridge(z_TC: Float64, known_TR: Float64, new_R: Float64, digits_CP: Float64, seed: int) -> Scored:
    from sklearn.kernel_ridge import KernelRidge

    model = KernelRidge(kernel="rbf", gamma=0.1, alpha=1.0).fit(pairs(known_TR, digits_CP), z_TC.ravel())
    return model.predict(pairs(new_R[None], digits_CP)), z_TC.size


def random_forest(z_TC: Float64, known_TR: Float64, new_R: Float64, digits_CP: Float64, seed: int) -> Scored:
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(100, random_state=seed, n_jobs=1).fit(pairs(known_TR, digits_CP), z_TC.ravel())
    return model.predict(pairs(new_R[None], digits_CP)), z_TC.size


def mabwiser(policy: str) -> Peer:
    def fit(z_TC: Float64, known_TR: Float64, new_R: Float64, digits_CP: Float64, seed: int) -> Scored:
        from mabwiser.mab import MAB, LearningPolicy

        tasks, size = z_TC.shape
        learning = getattr(LearningPolicy, policy)(alpha=0.5)
        bandit = MAB(list(range(size)), learning, seed=seed)
        known_TR, new_1R = augment(known_TR), augment(new_R[None])  # it adds no constant of its own
        bandit.fit(np.tile(np.arange(size), tasks), z_TC.ravel(), np.repeat(known_TR, size, axis=0))
        expected = bandit.predict_expectations(new_1R)
        return np.array([expected[arm] for arm in range(size)]), z_TC.size

    return fit


def vowpal(z_TC: Float64, known_TR: Float64, new_R: Float64, digits_CP: Float64, seed: int) -> Scored:
    from vowpalwabbit import Workspace

    bandit = Workspace("--cb_explore_adf --epsilon 0.1 -q CA --cubic CAA --quiet", enable_logging=False)
    rng = np.random.default_rng(seed)
    actions = ["|A " + " ".join(f"p{at}" for at in np.flatnonzero(digit_P)) for digit_P in digits_CP]

    def example(context_R: Float64, chosen: int = -1, cost: float = 0.0, chance: float = 1.0) -> list[str]:
        shared = "shared |C " + " ".join(f"c{at}:{value:.4f}" for at, value in enumerate(context_R))
        lines = list(actions)
        if chosen >= 0:
            lines[chosen] = f"{chosen}:{cost:.4f}:{chance:.6f} {lines[chosen]}"
        return [shared, *lines]

    for _ in range(ROUNDS):
        for task in rng.permutation(len(z_TC)):
            chance_C = np.array(bandit.predict(example(known_TR[task])))
            chosen = int(rng.choice(len(chance_C), p=chance_C / chance_C.sum()))
            bandit.learn(example(known_TR[task], chosen, -float(z_TC[task, chosen]), float(chance_C[chosen])))
    score_C = np.array(bandit.predict(example(new_R)))
    bandit.finish()
    return score_C, ROUNDS * len(z_TC)


ONE_SHOT: dict[str, tuple[str, Peer]] = {
    "sklearn kernel ridge": ("sklearn", kernel_ridge),
    "sklearn random forest": ("sklearn", random_forest),
    "mabwiser LinUCB": ("mabwiser", mabwiser("LinUCB")),
    "mabwiser LinTS": ("mabwiser", mabwiser("LinTS")),
    "vowpal wabbit": ("vowpalwabbit", vowpal),
}


def tpe(reward_C: Float64, seed: int) -> Float64:
    """Best reward after each of COUNTS trials of Optuna's TPE, which knows no other task, shape (len(COUNTS),)."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = TASK2SIM
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))

    def objective(trial: optuna.Trial) -> float:
        digits = [trial.suggest_categorical(name, [0, 1]) for name in space.names]
        return float(reward_C[space.index(space.configuration(digits))])

    study.optimize(objective, n_trials=max(COUNTS))
    best = np.maximum.accumulate([trial.value for trial in study.trials])
    return best[np.array(COUNTS) - 1]


def tables(path: Path | None, folder: Path) -> tuple[str, RewardMatrix, Embeddings]:
    """A store's table, the authors' table, or a planted one."""
    if path is not None:
        matrix = RewardStore(path).matrix()
        return path.name, matrix, RewardStore(path).embeddings().select(matrix.tasks)
    if source := os.environ.get("T2S_TASK2SIM"):
        store = RewardStore(folder / "published.duckdb")
        fetch_task2sim(store, Path(source))
        matrix = store.matrix()
        return "the authors' table", matrix, store.embeddings().select(matrix.tasks)
    return "a planted table", *Planted(TASK2SIM, tasks=20).draw(np.random.default_rng(0))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=20, help="How many tasks to leave out.")
    parser.add_argument("--store", type=Path, help="Take the table from this store.")
    parser.add_argument("--seeds", type=int, default=3, help="Seeds of what is random.")
    options, _ = parser.parse_known_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        title, matrix, embeddings = tables(options.store, Path(folder))
    absent = [package for package in ("sklearn", "mabwiser", "vowpalwabbit", "optuna") if find_spec(package) is None]
    print(f"{title}; left out: {options.tasks} of {len(matrix.tasks)} tasks; absent: {', '.join(absent) or 'none'}")
    folds = [(fold.train, fold.test[0]) for fold in leave_one_out(matrix.tasks)][: options.tasks]
    one_shot(matrix, embeddings, folds, options.seeds)
    measured(matrix, embeddings, folds, options.seeds)


def one_shot(
    matrix: RewardMatrix, embeddings: Embeddings, folds: list[tuple[tuple[str, ...], str]], seeds: int
) -> None:
    """Normalised regret without measuring the new task."""
    every_C = np.ones(len(matrix.space), dtype=bool)
    rows: list[list[object]] = []
    ours = (BestFixed(), Nearest(), NearestK(), Exact(), Linear(), Linear("thompson"), Surrogate())
    for learner in ours:
        begin, regrets = time.perf_counter(), []
        for train, test in folds:
            for seed in range(seeds if learner.seeded else 1):
                rng = derive_rng(learner.name, matrix.recipe, seed)
                policy = learner.fit(matrix.select(train), embeddings.select(train), rng=rng)
                decision_C = policy.decide(embeddings.select((test,)).unit_TD, every_C)[0]
                regrets.append(normalised(matrix, test, float(decision_C @ matrix.reward_TC[matrix.position(test)])))
        looked = ROUNDS * len(folds[0][0]) if isinstance(learner, Linear) else len(folds[0][0]) * len(matrix.space)
        rows.append([learner.name, looked, np.mean(regrets), 1e3 * (time.perf_counter() - begin) / len(regrets)])
    for name, (package, peer) in ONE_SHOT.items():
        if find_spec(package) is None:
            continue
        begin, regrets, looked = time.perf_counter(), [], 0
        for train, test in folds:
            z_TC, _, _ = standardise(matrix.select(train).signal_TC)
            known = embeddings.select(train).unit_TD
            centre_D, project_RD = whitening(known)
            project_RD = project_RD[:CONTEXTS]
            new_R = project_RD @ (embeddings.select((test,)).unit_TD[0] - centre_D)
            for seed in range(1 if "ridge" in name or "LinUCB" in name else seeds):
                number = derive_seed(name, seed) % 2**31
                score_C, looked = peer(
                    z_TC, (known - centre_D) @ project_RD.T, new_R, matrix.space.digits_CP.astype(float), number
                )
                reward = matrix.reward_TC[matrix.position(test), score_C.argmax()]
                regrets.append(normalised(matrix, test, float(reward)))
        rows.append([name, looked, np.mean(regrets), 1e3 * (time.perf_counter() - begin) / len(regrets)])
    print("\nOne shot: normalised regret, mean over tasks and seeds; milliseconds a task")
    print(render(["learner", "rewards", "regret", "ms"], rows))


def measured(
    matrix: RewardMatrix, embeddings: Embeddings, folds: list[tuple[tuple[str, ...], str]], seeds: int
) -> None:
    """Normalised regret after K measurements of the new task."""
    found = curve(matrix, embeddings, Surrogate(), folds, COUNTS)
    if find_spec("optuna") is not None:
        found["optuna TPE"] = np.array(
            [
                np.mean(
                    [tpe(matrix.reward_TC[matrix.position(test)], derive_seed(test, s) % 2**31) for s in range(seeds)],
                    axis=0,
                )
                for _, test in folds
            ]
        ).T
    rows, tests = [], [test for _, test in folds]
    for name, reward_KT in found.items():
        regret_KT = [list(map(partial(normalised, matrix), tests, reward_T)) for reward_T in reward_KT]
        rows.append([name, *np.mean(regret_KT, axis=1)])
    print("\nMeasured: normalised regret after K measurements of the new task")
    print(render(["search", *(f"K={count}" for count in COUNTS)], rows))


def normalised(matrix: RewardMatrix, task: str, reward: float) -> float:
    reward_C = matrix.reward_TC[matrix.position(task)]
    return float((reward_C.max() - reward) / (reward_C.max() - reward_C.mean()))


if __name__ == "__main__":
    main()
