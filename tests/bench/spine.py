"""Seconds of Algorithm 1, the store and the command line, beside the floor of each.

    python -m tests.bench.spine [--seeds 16]

Algorithm 1 is timed at the published size: 12 tasks, 9600-d embeddings, 1000 epochs = 17,250 optimiser steps. The time
does not depend on the rewards' values beyond how soon the policy agrees with the best seen; they are planted here, or
the authors' where T2S_TASK2SIM is set.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.train_policy import train_policy
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import TASK2SIM
from t2s_offline.store import import_export as exchange
from t2s_offline.store import schema
from t2s_offline.store.fetch_published import fetch_task2sim
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.text_tables import render

STEPS = 17_250


def median(function: Callable[[], object], repeats: int) -> float:
    """Median seconds of a call, after one to warm up."""
    function()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def table(folder: Path) -> tuple[RewardMatrix, Embeddings]:
    """Twelve tasks: the authors' seen ones, or planted ones of the same size."""
    if source := os.environ.get("T2S_TASK2SIM"):
        store = RewardStore(folder / "published.duckdb")
        fetch_task2sim(store, Path(source))
        seen = [task for task, split in store.tasks().items() if split == "seen"]
        return store.matrix().select(seen), store.embeddings().select(seen)
    rng = np.random.default_rng(0)
    tasks = tuple(f"task{number:02}" for number in range(12))
    effect = rng.normal(size=(12, 8))
    reward_TC = 40 + 3 * effect @ TASK2SIM.digits_CP.T + rng.normal(size=(12, 256))
    vectors = np.abs(rng.normal(size=(12, 9600))).astype(np.float32)
    return RewardMatrix("planted", "knn5", TASK2SIM, tasks, reward_TC[..., None]), Embeddings("p", tasks, vectors)


def floor_of_a_step() -> float:
    """Seconds to read and write what one optimiser step must: weights read by the products and both buffers updated.

    Two products read the 400 x 400 weights, the update reads and writes weights and velocities: 6 passes of 0.69 MB.
    Measured as plain copies of buffers of that size, so it is this machine's own floor.
    """
    source, target = np.ones(171_616, dtype=np.float32), np.empty(171_616, dtype=np.float32)
    return 3 * median(lambda: np.copyto(target, source), 2001)  # a copy is two passes


def learning(folder: Path, seeds: int) -> list[list[object]]:
    matrix, embeddings = table(folder)
    floor = floor_of_a_step() * STEPS
    rows: list[list[object]] = []
    for count, jobs, bar in ((1, 1, 5.0), (seeds, os.cpu_count() or 1, 60.0)):
        times = []
        for _ in range(3 if count == 1 else 1):
            begin = time.perf_counter()
            train_policy(Reinforce(), matrix, embeddings, seeds=range(count), jobs=jobs)
            times.append(time.perf_counter() - begin)
        seconds = statistics.median(times)
        least = floor * count / min(jobs, count)
        rows.append(
            [f"Algorithm 1, {count} seed{'s' * (count > 1)}, {jobs} process(es)", seconds, bar, least, seconds / least]
        )
    return rows


def storage(folder: Path) -> list[list[object]]:
    rows = [
        {"recipe": "big", "task": f"t{task:02}", "configuration": configuration, "seed": seed, "accuracy": 50.0}
        for task in range(20)
        for configuration in TASK2SIM
        for seed in range(9)
    ]
    rewards = typed(pl.DataFrame(rows), schema.REWARDS, "bench")
    frames = exchange.complete({"rewards": rewards}, {}, "bench")
    store = RewardStore(folder / "big.duckdb")
    store.add(frames)
    load = median(store.matrix, 21)
    block = rewards.head(5120)
    numbers = iter(range(1, 100))

    def write() -> None:
        recipe = pl.lit(f"r{next(numbers)}")
        new = {name: frames[name].with_columns(recipe=recipe) for name in ("recipes", "parameters")}
        store.add({**new, "rewards": block.with_columns(recipe=recipe)})

    scan = median(lambda: np.frombuffer(np.zeros(46_080 * 5).tobytes()), 21)
    sync = median(lambda: _synced(folder / "raw", 5120 * 80), 21)
    return [
        ["load a matrix of 46,080 rewards", load, 0.015, scan, load / scan],
        ["write 5,120 rows in a transaction", (seconds := median(write, 5)), 0.2, sync, seconds / sync],
    ]


def _synced(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())


def commands(folder: Path) -> list[list[object]]:
    bare = median(lambda: subprocess.run([sys.executable, "-c", ""], check=True), 5)

    def run(*arguments: str) -> Callable[[], object]:
        code = "from t2s_offline.cli import main; main()"
        return lambda: subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.DEVNULL)

    rows = []
    for name, arguments in (
        ("t2s-offline --help", ["--help"]),
        ("t2s-offline query", ["query", "SELECT count(*) FROM rewards", "--store", str(folder / "big.duckdb")]),
    ):
        seconds = median(run(*arguments), 5)
        rows.append([name, seconds, 0.4, bare, seconds / bare])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=16)
    seeds = parser.parse_args().seeds
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = [*learning(folder, seeds), *storage(folder), *commands(folder)]
    text = [[name, *(f"{value:.3g}" for value in numbers)] for name, *numbers in rows]
    print(render(["what", "seconds", "bar", "floor", "ratio to floor"], text))


if __name__ == "__main__":
    main()
