"""What a sweep costs beside rendering and training, and how it scales: ``python -m tests.bench.scaling [--units N]``

A stand-in makes the rows of a unit at once (`tests.sweep.standin`); claims, backend, shards and store are real. CPU
seconds of the process that sweeps, a unit: in one process, which also does the units, and on a local Dask cluster of
two workers, where it also is the scheduler. Beside the sweep in one process, which is then a process of its own: the
longest that `query`, `status` and the matrix that `learn` loads waited for the store, and took in all.

Then 256 units on 1 to 256 simulated GPUs. The seconds of the units are those of tables/cpu (their spread), brought to
the mean of --seconds: gpu.toml plans 288 units for an hour. The process that sweeps gives out a unit and takes its rows
one after another, which takes the measured seconds on Dask. Efficiency: seconds of the units over GPUs x seconds of the
sweep; and that of the same order without any overhead, which is less than 100 % because units differ and end apart.
"""

from __future__ import annotations

import argparse
import heapq
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from t2s_offline.cli.options import print_rows
from t2s_offline.store.connection import Connection, StoreFile
from t2s_offline.store.query import query
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.backends.dask_cluster import dask_backend
from t2s_offline.sweep.run import run
from t2s_offline.sweep.status import progress_of
from tests.sweep.standin import SPEC, context_of, stand_in

ROOT = Path(__file__).parents[2]
ON_DASK = 1000  # units


class Waits:
    """The longest that a reader waited for the store, and took in all, while a sweep writes; seconds."""

    def __init__(self) -> None:
        self.wait = self.longest_wait = self.longest = 0.0
        opened = StoreFile._locked_out

        def timed(store: StoreFile, connect: Callable[[], Connection]) -> Connection:
            begin = time.perf_counter()
            try:
                return opened(store, connect)
            finally:
                self.wait = max(self.wait, time.perf_counter() - begin)

        StoreFile._locked_out = timed  # type: ignore[method-assign]

    def read(self, read: Callable[[], object]) -> tuple[float, float]:
        self.wait, begin = 0.0, time.perf_counter()
        read()
        return self.wait, time.perf_counter() - begin


def beside(folder: Path, units: int) -> tuple[float, float, list[list[object]]]:
    """A sweep in a process of its own: its CPU seconds and wall seconds a unit, and a row a reader."""
    spec = folder / "spec.toml"
    spec.write_text(SPEC.format(seeds=1 + (units - 1) // 256))
    all_units, shop = context_of(spec, folder / "rewards.duckdb")
    command = [sys.executable, "-m", "tests.sweep.standin", str(spec), str(shop.store.path), "1", str(units)]
    begin, before = time.perf_counter(), os.times()
    child = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    recipe = all_units[0].recipe_id
    readers: dict[str, Callable[[], object]] = {
        "query": lambda: query(shop.store, "SELECT count(*) FROM rewards"),
        "status": lambda: progress_of(all_units[:units], shop),
        "learn, its matrix": lambda: shop.store.matrix(recipe),
    }
    waits = Waits()
    found: dict[str, list[tuple[float, float]]] = {name: [(0.0, 0.0)] for name in readers}
    while child.poll() is None:
        if len(shop.store.frame("rewards")):
            for name, read in readers.items():
                found[name].append(waits.read(read))
        time.sleep(1)
    wall, after = time.perf_counter() - begin, os.times()
    assert child.returncode == 0
    assert len(shop.store.frame("rewards")) == 2 * units
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    rows: list[list[object]] = []
    for name, read in readers.items():
        longest = [round(max(column), 2) for column in zip(*found[name], strict=True)]
        rows.append([name, len(found[name]) - 1, *longest, round(waits.read(read)[1], 2)])
    return spent / units, wall / units, rows


def on_dask(folder: Path, units: int) -> tuple[float, float]:
    """CPU seconds a unit of the process that sweeps, Dask's scheduler included, and wall seconds."""
    spec = folder / "spec.toml"
    spec.write_text(SPEC.format(seeds=1 + (units - 1) // 256))
    all_units, shop = context_of(spec, folder / "dask.duckdb", 2)
    shop = replace(shop, work=stand_in)
    with dask_backend("local", shop) as backend:
        run(all_units[:10], shop, backend=backend)
        begin, wall = time.process_time(), time.perf_counter()
        run(all_units[:units], shop, backend=backend)
        return (time.process_time() - begin) / (units - 10), (time.perf_counter() - wall) / (units - 10)


def simulated(seconds: list[float], gpus: int, overhead: float) -> float:
    """Seconds of a sweep of units in this order. One process serves one GPU after another; `overhead` of it a unit."""
    server, ends = 0.0, [0.0] * gpus
    for spent in seconds:
        server = max(server, heapq.heappop(ends)) + overhead
        heapq.heappush(ends, server + spent)
    return max(ends)


def unit_seconds(mean: float, count: int = 256) -> list[float]:
    """Seconds of units: those of tables/cpu, repeated, with this mean."""
    rows = RewardStore(ROOT / "tables" / "cpu").frame("backbones").filter(status="done")
    stored = [sum(row) for row in rows.select("render_seconds", "train_seconds").iter_rows()]
    taken = [stored[at % len(stored)] for at in range(count)]
    return [mean * spent / (sum(taken) / count) for spent in taken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=12.5, help="mean seconds of a unit in the simulation")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spent, wall, waits = beside(Path(folder), given.units)
        dask, dask_wall = on_dask(Path(folder), ON_DASK)
    print_rows(
        ["overhead", "units", "CPU ms a unit", "wall ms a unit"],
        [
            ["one process", given.units, round(1000 * spent, 1), round(1000 * wall, 1)],
            ["Dask, two workers", ON_DASK, round(1000 * dask, 1), round(1000 * dask_wall, 1)],
        ],
        "table",
    )
    print_rows(["beside a sweep", "times", "longest wait, s", "longest, s", "after it, s"], waits, "table")
    rows = []
    for name, seconds in (("as stored", unit_seconds(given.seconds)), ("all equal", [given.seconds] * 256)):
        for gpus in (1, 4, 16, 64, 256):
            made, bare = (simulated(seconds, gpus, cost) for cost in (dask, 0.0))
            share, best = (100 * sum(seconds) / (gpus * spent) for spent in (made, bare))
            rows.append([name, gpus, round(made, 1), round(share, 1), round(best, 1), round(100 * share / best, 1)])
    titles = ["units", "GPUs", "seconds", "efficiency %", "without overhead %", "of that %"]
    print_rows(titles, rows, "table")


if __name__ == "__main__":
    main()
