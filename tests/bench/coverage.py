"""Do 95 % intervals cover? ``python -m tests.bench.coverage [--times 400] [--seeds]``

Values of 8 to 47 tasks are drawn from populations whose mean is known, and from each draw four intervals of the mean
are made: percentiles of resampled means, scipy's BCa, Student's t, and ours (`analysis/intervals.py`). Prints how
often each holds the truth, and its mean width.

Populations: known curves; regrets of a fixed configuration and of the nearest task over 4,000 tasks of a planted table,
and their paired difference; with T2S_TASK2SIM also the authors' 20 tasks, smoothed. `--seeds`: tasks x seeds instead,
where a seed moves all tasks together.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import bootstrap, skew
from scipy.stats import t as student

from t2s_offline.analysis.intervals import mean_interval
from t2s_offline.learners.baselines import BestFixed, Nearest
from t2s_offline.learners.compare import compare, leave_one_out, normalised
from t2s_offline.learners.surrogate import Surrogate
from tests.bench.table import markdown
from tests.planted import Planted, space_of

TASKS = (8, 12, 15, 20, 47)
RESAMPLES = 1_000
MANY = 1_000_000
Rng = np.random.Generator
Draw = Callable[[Rng, int], np.ndarray]
Ends = tuple[float, float]


def percentile(value_T: np.ndarray, rng: Rng) -> Ends:
    drawn = value_T[rng.integers(len(value_T), size=(RESAMPLES, len(value_T)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def bca(value_T: np.ndarray, rng: Rng) -> Ends:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of draws that are all equal
        found = bootstrap((value_T,), np.mean, n_resamples=RESAMPLES, rng=rng).confidence_interval
    return float(found.low), float(found.high)


def student_t(value_T: np.ndarray, rng: Rng) -> Ends:
    reach = student.ppf(0.975, len(value_T) - 1) * value_T.std(ddof=1) / np.sqrt(len(value_T))
    return float(value_T.mean() - reach), float(value_T.mean() + reach)


def ours(value: np.ndarray, rng: Rng) -> Ends:
    found = mean_interval(value, resamples=RESAMPLES, seed=int(rng.integers(2**31)))
    return found.low, found.high


WAYS = {"percentile": percentile, "BCa": bca, "Student": student_t, "bootstrap-t": ours}


def curves() -> dict[str, Draw]:
    return {
        "normal": lambda rng, n: rng.normal(0.6, 0.4, n),
        "gamma, shape 1.5": lambda rng, n: rng.gamma(1.5, 0.4, n),
        "exponential": lambda rng, n: rng.exponential(0.5, n),
        "a fifth zeros": lambda rng, n: np.where(rng.random(n) < 0.2, 0, rng.gamma(1.5, 0.4, n)),
        "three fifths zeros": lambda rng, n: np.where(rng.random(n) < 0.6, 0, rng.exponential(0.2, n)),
    }


def sampled(value_T: np.ndarray, noise: float = 0.0, least: float = -np.inf) -> Draw:
    """From recorded values, each with a little noise."""
    return lambda rng, n: np.maximum(rng.choice(value_T, n) + rng.normal(0, noise, n), least)


def planted() -> dict[str, Draw]:
    """Regrets over new tasks of learners that saw ten."""
    matrix, embeddings = Planted(space_of(*[2] * 6), tasks=4010).draw(np.random.default_rng(7))
    train, test = matrix.tasks[:10], [matrix.position(task) for task in matrix.tasks[10:]]
    every_C = np.ones(len(matrix.space), dtype=bool)
    regret = {}
    for learner in (BestFixed(), Nearest()):
        policy = learner.fit(matrix.select(train), embeddings.select(train), rng=np.random.default_rng(0))
        chosen_TC = policy.decide(embeddings.unit_TD[10:], every_C)
        regret[learner.name] = normalised(matrix, (chosen_TC * matrix.reward_TC[10:]).sum(axis=1), test)
    return {
        "planted, best fixed": sampled(regret["best_fixed"]),
        "planted, nearest": sampled(regret["nearest"]),
        "planted, their difference": sampled(regret["nearest"] - regret["best_fixed"]),
    }


def authors() -> dict[str, Draw]:
    """The 20 tasks of the authors' table, left out one by one."""
    folder = os.environ.get("T2S_TASK2SIM")
    if not folder:
        return {}
    from t2s_offline.store.fetch_published import fetch_task2sim
    from t2s_offline.store.reward_store import RewardStore

    with TemporaryDirectory() as place:
        store = RewardStore(Path(place) / "published.duckdb")
        fetch_task2sim(store, Path(folder))
        matrix, embeddings = store.matrix(), store.embeddings()
    learners = (BestFixed(), Nearest(), Surrogate())
    regret = compare(matrix, embeddings, learners, leave_one_out(matrix.tasks)).normalised_T["leave_one_out"]
    return {
        "authors', surrogate": sampled(regret["surrogate"], 0.08, 0.0),
        "authors', nearest": sampled(regret["nearest"], 0.1, 0.0),
        "authors', nearest - best fixed": sampled(regret["nearest"] - regret["best_fixed"], 0.08),
    }


def over_tasks(times: int) -> None:
    rows = []
    for name, draw in {**curves(), **planted(), **authors()}.items():
        many = draw(np.random.default_rng(1), MANY)
        truth = float(many.mean())
        for tasks in TASKS:
            rng = np.random.default_rng(tasks)
            held: dict[str, list[bool]] = {way: [] for way in WAYS}
            width: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(times):
                value_T = draw(rng, tasks)
                for way, make in WAYS.items():
                    low, high = make(value_T, rng)
                    held[way].append(low <= truth <= high)
                    width[way].append(high - low)
            told = [f"{100 * np.mean(held[way]):.1f} ({np.nanmean(width[way]):.2f})" for way in WAYS]
            rows.append([name, f"{skew(many):.1f}", tasks, *told])
        print(".", end="", flush=True)
    print("\ncoverage in percent (mean width)\n" + markdown(["population", "skew", "tasks", *WAYS], rows))


def over_seeds(times: int) -> None:
    """A learner's regret is task + seed + both, with SDs of 0.5 or 0.35, 0.1 and 0.2: means over seeds, then both."""
    rows = []
    for name, of_tasks in (
        ("gamma", lambda rng, n: rng.gamma(1.5, 0.4, (n, 1))),
        ("normal", lambda rng, n: rng.normal(0.6, 0.35, (n, 1))),
    ):
        for tasks in (8, 20):
            for seeds in (2, 4, 8):
                rng, held, width = np.random.default_rng(seeds), np.zeros((times, 2)), np.zeros((times, 2))
                for at in range(times):
                    value_TS = of_tasks(rng, tasks) + rng.normal(0, 0.1, (1, seeds))
                    value_TS = value_TS + rng.normal(0, 0.2, (tasks, seeds))
                    for column, value in enumerate((value_TS.mean(axis=1), value_TS)):
                        low, high = ours(value, rng)
                        held[at, column], width[at, column] = low <= 0.6 <= high, high - low
                told = [f"{100 * a:.1f} ({b:.2f})" for a, b in zip(held.mean(axis=0), width.mean(axis=0), strict=True)]
                rows.append([name, tasks, seeds, *told])
    print("coverage in percent (mean width)")
    print(markdown(["tasks are", "tasks", "seeds", "means over seeds", "tasks and seeds"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=400)
    parser.add_argument("--seeds", action="store_true")
    given = parser.parse_args()
    (over_seeds if given.seeds else over_tasks)(given.times)


if __name__ == "__main__":
    main()
