"""A thousand SIGKILLs of writers: no acknowledged row is lost, and the store opens after each. `make soak` runs this.

Writers add shards of one reward and a line to a file once a shard is there; every few they take what waits into the
store. Two run at a time, and are killed after some milliseconds, wherever they are.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from pathlib import Path

import polars as pl

from t2s_offline.recipe import Recipe
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.store.spool import absorb, refused, shards, write_shard

KILLS = int(os.environ.get("SOAK_KILLS", "1000"))


def write(path: Path, writer: int) -> None:
    """Write rewards until the end, which is a kill. Each has a seed of its own."""
    store, at = RewardStore(path), 0
    while True:
        seed = 100_000 * (writer % 20_000) + at
        row = {"recipe": "r", "task": "digits", "configuration": "00000000", "seed": seed, "accuracy": seed % 97.0}
        write_shard(store, f"w-{writer}-{at}", {"rewards": typed(pl.DataFrame([row]), schema.REWARDS, "soak")})
        with (path.parent / "acknowledged").open("a") as file:
            file.write(f"{seed}\n")
        at += 1
        if at % 3 == 0:
            absorb(store)


def test_writers_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    store, chance = RewardStore(tmp_path / "rewards.duckdb"), random.Random(1)
    recipe = {"recipe": "r", "space": str(TASK2SIM), "contents": Recipe().contents(), "source": "sweep"}
    store.add({"recipes": typed(pl.DataFrame([recipe]), schema.RECIPES, "soak")})
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    running = [context.Process(target=write, args=(store.path, writer)) for writer in range(2)]
    for process in running:
        process.start()
    for writer in range(2, KILLS + 2):
        time.sleep(chance.uniform(0.01, 0.25))
        at = chance.randrange(2)
        running[at].kill()
        running[at].join()
        with store.reader() as con:  # raises when the store does not open
            con.sql("SELECT count(*) FROM rewards").fetchall()
        running[at] = context.Process(target=write, args=(store.path, writer))
        running[at].start()
    for process in running:
        process.kill()
        process.join()
    absorb(store)
    kept = dict(store.frame("rewards").select("seed", "accuracy").iter_rows())
    acknowledged = [int(line) for line in (tmp_path / "acknowledged").read_text().splitlines()]
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged rows, {len(kept)} in the store")
    assert len(acknowledged) > KILLS / 4, "writers lived long enough to write"
    assert len(set(acknowledged)) == len(acknowledged)
    assert [seed for seed in acknowledged if kept.get(seed) != seed % 97.0] == []
    assert (shards(store), refused(store)) == ([], {})
