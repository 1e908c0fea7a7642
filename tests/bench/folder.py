"""What the default answer of predict is worth: each task of a table left out with its relatives, as if a folder.

    python -m tests.bench.folder tables/cpu [--counts 0,1,2,4,8,16,32]

K backbones of seed 0 are "measured" (their val values are looked up, by every metric of the table or by the target
alone): a portfolio chosen on the other tasks, or one after another by expected improvement, as predict does. The
surrogate answers. Normalised regret is of
the mean test accuracy over seeds; differences to the best fixed configuration have 95 % intervals over tasks. Forward
passes: pictures of the val part times backbones.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

import t2s_offline as t2s
from t2s_offline.analysis.intervals import mean_interval, paired
from t2s_offline.learners.baselines import mean_standardised
from t2s_offline.learners.compare import leave_one_out
from t2s_offline.learners.measured_answer import chosen_one_by_one, replay_portfolio, taught_quality
from t2s_offline.learners.surrogate import Surrogate
from t2s_offline.matrix import RewardMatrix
from t2s_offline.seeds import derive_rng
from tests.bench.table import markdown

METRICS = ("knn5", "linear", "logme")


def first_seed(matrix: RewardMatrix) -> RewardMatrix:
    """The matrix with the values of one seed alone."""
    val_TCS = matrix.val_TCS
    first = None if val_TCS is None else val_TCS[..., :1]
    return replace(matrix, accuracy_TCS=matrix.accuracy_TCS[..., :1], val_TCS=first)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--counts", default="0,1,2,4,8,16,32")
    given = parser.parse_args()
    table = t2s.open_table(given.table)
    counts = [int(count) for count in given.counts.split(",")]
    whole = {name: table.matrix(name) for name in METRICS if name in table.metrics}
    one = {name: first_seed(matrix) for name, matrix in whole.items()}
    target, embeddings = whole["knn5"], table.embeddings()
    measured_C = target.measured_C
    tasks = [task for task in target.tasks if task in embeddings.tasks]
    regret: dict[tuple[str, int], list[float]] = {}
    passes: dict[int, list[float]] = {}
    for fold in leave_one_out(tasks, table.store.relatives()):
        task, train = fold.test[0], fold.train
        reward_C = np.where(measured_C, target.reward_TC[target.position(task)], np.nan)
        gap = np.nanmax(reward_C) - np.nanmean(reward_C)

        def lost(index: int, reward_C: np.ndarray = reward_C, gap: float = gap) -> float:
            return float((np.nanmax(reward_C) - reward_C[index]) / gap)

        known = target.select(train)
        policy = Surrogate().fit(known, embeddings.select(train), rng=derive_rng("bench", "folder"))
        unit_D = embeddings.select((task,)).unit_TD[0]
        fixed = np.where(measured_C, mean_standardised(known.signal_TC), -np.inf)
        regret.setdefault(("best fixed", 0), []).append(lost(int(fixed.argmax())))
        everything = target.space.index(target.space.domain_randomization)
        if measured_C[everything]:
            regret.setdefault(("domain randomization", 0), []).append(lost(everything))
        for count in counts:
            if count == 0:
                prior = np.where(measured_C, policy.belief(unit_D).mean_C, -np.inf)
                regret.setdefault(("one-shot surrogate", 0), []).append(lost(int(prior.argmax())))
                continue
            for label, matrices in (("all metrics", one), ("knn5 alone", {"knn5": one["knn5"]})):
                found = replay_portfolio(policy, unit_D, matrices, train, task, count)
                regret.setdefault((f"portfolio, {label}", count), []).append(lost(found.answer))
                at = {name: matrix.signal_TC[matrix.position(task)] for name, matrix in matrices.items()}
                noise = policy.noise.at(target.pictures_T[target.position(task)])
                quality = taught_quality(matrices, train)
                found = chosen_one_by_one(policy.belief(unit_D), at, measured_C, count, quality, noise)
                regret.setdefault((f"one by one, {label}", count), []).append(lost(found.answer))
            passes.setdefault(count, []).append(count * target.pictures_T[target.position(task)])
    fixed_T = np.array(regret["best fixed", 0])
    rows = []
    for (name, count), values in sorted(regret.items(), key=lambda item: (item[0][1], item[0][0])):
        found_T = np.array(values)
        inside, against = mean_interval(found_T[:, None]), paired(found_T[:, None], fixed_T[:, None])
        rows.append([
            name, count, f"{found_T.mean():.2f} ({inside.low:.2f} to {inside.high:.2f})",
            f"{against.mean:+.2f} ({against.low:+.2f} to {against.high:+.2f})",
            f"{np.mean(passes[count]):.0f}" if count in passes else "",
        ])  # fmt: skip
    print(f"{len(tasks)} tasks, each left out with its relatives; {int(measured_C.sum())} configurations")
    print(markdown(["answer", "measured", "normalised regret", "minus best fixed", "passes"], rows))


if __name__ == "__main__":
    main()
