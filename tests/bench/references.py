"""Is rendering objects better than procedural pictures? ``python -m tests.bench.references STORE``

Mean accuracy over tasks of the configurations (their mean, all off, all on) and of the references (no pre-training,
fractals, dead leaves), and paired differences over tasks with 95 % intervals. A store with both needs `t2s-offline
import tables/cpu` and `import tables/cpu-rest`.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import polars as pl

from t2s_offline.analysis.intervals import mean_interval
from t2s_offline.store.reward_store import RewardStore
from tests.bench.table import markdown

RENDERED = ("mean of configurations", "00000000", "11111111")
OTHERS = ("fractals", "dead_leaves", "scratch")


def accuracies(store: RewardStore, metric: str) -> pl.DataFrame:
    """A row a task: accuracy in percent, mean over seeds, of each of RENDERED and OTHERS."""
    rewards = store.frame("rewards").filter(pl.col("metric") == metric)
    cells = rewards.group_by("task", "configuration").agg(pl.col("accuracy").mean())
    rendered = cells.filter(~pl.col("configuration").is_in(OTHERS)).group_by("task")
    wide = cells.filter(pl.col("configuration").is_in([*RENDERED, *OTHERS])).pivot(
        on="configuration", index="task", values="accuracy"
    )
    return wide.join(rendered.agg(pl.col("accuracy").mean().alias(RENDERED[0])), on="task").sort("task")


def main(store: RewardStore) -> None:
    for metric in ("knn5", "linear"):
        found = accuracies(store, metric)
        print(f"\n{metric}, {len(found)} tasks, percent\n")
        print(markdown([*RENDERED, *OTHERS], [[float(found[name].mean()) for name in (*RENDERED, *OTHERS)]]))  # type: ignore[arg-type]
        rows = []
        for a, b in (*product(RENDERED, OTHERS[:2]), ("fractals", "scratch"), ("dead_leaves", "scratch")):
            gap = mean_interval((found[a] - found[b]).to_numpy())
            better = int((found[a] > found[b]).sum())
            rows.append([f"{a} over {b}", f"{gap.mean:+.2f} ({gap.low:+.2f} to {gap.high:+.2f})", better])
        print("\n" + markdown(["", "difference (95 % interval over tasks)", f"better on, of {len(found)}"], rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", type=Path, default=Path("cpu.duckdb"))
    given = parser.parse_args()
    if given.store.exists():
        main(RewardStore(given.store))
    else:
        print(f"{given.store} is not there")
