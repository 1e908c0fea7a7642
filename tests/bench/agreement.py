"""What a study of the disagreement with the published table could tell: ``python -m tests.bench.agreement tables/cpu``

Main effects of our table agree little with the authors' (mean rank correlation over eight shared tasks). Is that the
renderer, the budget, or the resolution? A study measures a fraction again at a larger budget and asks whether the
correlation rises (sweeps/agreement.toml). This says which rise it would see: effects at the larger budget are ours
moved by a share towards the published ones; both are measured with the seed noise of our table; the rise of the mean
correlation is found when the 95 % interval over tasks of the paired differences leaves out zero. Needs T2S_TASK2SIM.
With a second table, the one that the study made: the correlations that it found, and their rise with its interval.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from scipy.stats import t as student

from t2s_offline.analysis.ties import noise_sd_T
from t2s_offline.seeds import derive_rng
from t2s_offline.store.fetch_published import fetch_task2sim
from t2s_offline.store.reward_store import RewardStore
from tests.bench.table import SHARED, main_effects, markdown, recipe_of_most

Floats = npt.NDArray[np.float64]

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
#: configurations and seeds of a study at the larger budget; a fraction of 8 has no room for eight effects and the mean
STUDIES = ((16, 1), (16, 2), (64, 1), (64, 2))
TIMES = 4  # the pictures and epochs of the study, or the pixels, over those of the table
DRAWS = 4_000


def correlation(a: Floats, b: Floats) -> Floats:
    """Rank correlation over the last axis."""
    rank_a, rank_b = (rankdata(values, axis=-1) for values in (a, b))
    rank_a -= rank_a.mean(-1, keepdims=True)
    rank_b -= rank_b.mean(-1, keepdims=True)
    norms = np.sqrt((rank_a**2).sum(-1) * (rank_b**2).sum(-1))
    return np.asarray((rank_a * rank_b).sum(-1) / norms, dtype=np.float64)


def detected(
    ours_TP: Floats, theirs_TP: Floats, noise_T: Floats, base_rows: float, study_rows: float, share: float
) -> tuple[float, float]:
    """Mean rise of the correlation, and the share of studies that find it.

    ours_TP, theirs_TP: effects in percent. noise_T: SD of one reward in percent. rows: backbones behind each table's
    effects, of which one is the difference of two means of half of them.
    """
    rng = derive_rng("agreement", str(study_rows), str(share))
    tasks, parameters = ours_TP.shape
    scale_T = np.linalg.norm(ours_TP, axis=1) / np.linalg.norm(theirs_TP, axis=1)
    moved_TP = (1 - share) * ours_TP + share * theirs_TP * scale_T[:, None]

    def seen(true_TP: Floats, rows: float) -> Floats:
        error = rng.normal(size=(DRAWS, tasks, parameters)) * (2 * noise_T / np.sqrt(rows))[:, None]
        return np.asarray(correlation(true_TP + error, theirs_TP), dtype=np.float64)

    rise_RT = seen(moved_TP, study_rows) - seen(ours_TP, base_rows)
    half_R = student.ppf(0.975, tasks - 1) * rise_RT.std(axis=1, ddof=1) / np.sqrt(tasks)
    return float(rise_RT.mean()), float((np.abs(rise_RT.mean(axis=1)) > half_R).mean())


def shrunk(effects_TP: Floats, noise_T: Floats, rows: float) -> Floats:
    """Effects with their spread over parameters brought to what is left without noise."""
    error_T = (2 * noise_T / np.sqrt(rows)) ** 2
    spread_T = effects_TP.var(axis=1, ddof=1)
    factor_T = np.sqrt(np.maximum(spread_T - error_T, 0) / spread_T)
    return np.asarray(effects_TP * factor_T[:, None], dtype=np.float64)


@dataclass(frozen=True)
class Effects:
    """Main effects in percent (tasks, parameters), the SD of one reward (tasks,), and the backbones behind them."""

    effect_TP: Floats
    noise_T: Floats
    rows: float
    seconds: float


def effects_of(store: RewardStore, tasks: Sequence[str], names: Sequence[str]) -> Effects:
    recipe = recipe_of_most(store)
    matrix = store.matrix(recipe).select(tasks)
    found = main_effects(matrix)
    effect_TP = np.array([[found[task][name].percent for name in names] for task in tasks])
    rows = float((~np.isnan(matrix.accuracy_TCS[0])).sum())
    of_mean_T = noise_sd_T(matrix)[0]
    return Effects(
        effect_TP, of_mean_T * np.sqrt(rows / matrix.measured_C.sum()), rows, store.backbone_seconds(recipe) or 0.0
    )


def published_effects(folder: Path) -> dict[str, dict[str, float]]:
    with TemporaryDirectory() as place:
        store = RewardStore(Path(place) / "published.duckdb")
        fetch_task2sim(store, folder)
        found = main_effects(store.matrix())
    return {task: {name: effect.percent for name, effect in of_task.items()} for task, of_task in found.items()}


def power(base: Effects, theirs_TP: Floats) -> None:
    """What studies of several sizes would find."""
    ours_TP = shrunk(base.effect_TP, base.noise_T, base.rows)
    lines = []
    for runs, seeds in STUDIES:
        cost = runs * seeds * base.seconds * TIMES / 3600
        for share in SHARES:
            rise, found = detected(ours_TP, theirs_TP, base.noise_T, base.rows, runs * seeds, share)
            lines.append([runs, seeds, f"{cost:.1f}", share, rise, found])
    print(f"{len(theirs_TP)} tasks, {base.rows:.0f} backbones behind our effects, {base.seconds:.0f} s each")
    print(markdown(["configurations", "seeds", "core-hours", "moved by", "rise of mean rho", "found"], lines))
    print(f"core-hours: at {TIMES} times the cost of a backbone of the table")


def outcome(base: Effects, study: Effects, theirs_TP: Floats, tasks: Sequence[str]) -> None:
    """The correlations of both, and the rise of their mean with its interval over tasks."""
    before_T, after_T = (correlation(table.effect_TP, theirs_TP) for table in (base, study))
    within_T = correlation(study.effect_TP, base.effect_TP)
    rows = [
        [task, float(a), float(b), float(c)] for task, a, b, c in zip(tasks, before_T, after_T, within_T, strict=True)
    ]
    print(markdown(["task", "rho, table", "rho, study", "rho of study with table"], rows))
    rise_T = after_T - before_T
    half = student.ppf(0.975, len(tasks) - 1) * rise_T.std(ddof=1) / np.sqrt(len(tasks))
    print(f"\nmean rho {before_T.mean():.2f} -> {after_T.mean():.2f}; study with table {within_T.mean():.2f}")
    rise = rise_T.mean()
    print(f"rise {rise:+.2f} ({rise - half:+.2f} to {rise + half:+.2f}), {study.rows:.0f} backbones")


def main(table: Path, study: Path | None, published: Path) -> None:
    theirs = published_effects(published)
    store = RewardStore(table)
    known = RewardStore(study).matrix().tasks if study else store.matrix(recipe_of_most(store)).tasks
    tasks = [mine for mine, name in SHARED.items() if mine in known and name in theirs]
    names = list(next(iter(theirs.values())))
    theirs_TP = np.array([[theirs[SHARED[task]][name] for name in names] for task in tasks])
    base = effects_of(store, tasks, names)
    power(base, theirs_TP)
    if study:
        print()
        outcome(base, effects_of(RewardStore(study), tasks, names), theirs_TP, tasks)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", nargs="?", type=Path, default=Path("tables/cpu"))
    parser.add_argument("study", nargs="?", type=Path)
    given = parser.parse_args()
    if folder := os.environ.get("T2S_TASK2SIM"):
        main(given.table, given.study, Path(folder))
    else:
        print("T2S_TASK2SIM is not set")
