"""A stand-in for rendering, training and measuring: rows at once, the same every time. All else of a sweep is real.

``python -m tests.sweep.standin SPEC STORE WORKERS FOLDER [ADDRESS]`` sweeps with it, in processes or on a Dask cluster.
A line in FOLDER/acknowledged is written for every unit whose rows are in the spool.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from t2s_offline.api.sweep import plan
from t2s_offline.errors import T2SError
from t2s_offline.recipe import read_spec
from t2s_offline.space import TASK2SIM
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.run import declare, run
from t2s_offline.sweep.run_unit import unrepeatable
from t2s_offline.sweep.worker import SweepContext, Tables, Unit

SECONDS = "STANDIN_SECONDS"  # of the environment: how long a unit takes
SPEC = """
name = "standin"
tasks = ["digits"]
metrics = ["knn5", "linear"]
seeds = {seeds}
[design]
kind = "full"
[recipe]
classes = 2
objects = 3
images = 8
size = 16
eval_pictures = 100
epochs = 2
batch = 4
"""


def accuracy(unit: Unit, metric: str) -> float:
    """What the stand-in measures, in percent: it depends on the cell alone."""
    text = f"{unit.configuration} {unit.seed} {metric}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:6], 16) % 10_000 / 100


def stand_in(unit: Unit, context: SweepContext) -> Iterator[Tables]:
    """An attempt and its backbone, then the rewards; as `run_unit.measured`, without their work."""
    from t2s_offline.files import write_whole
    from t2s_offline.store.rows import now

    begin = time.perf_counter()
    time.sleep(float(os.environ.get(SECONDS, "0")))
    if context.keep_backbones and not context.backbone(unit).exists():
        write_whole(context.backbone(unit), unit.name.encode() * 100)
        row = {"recipe": unit.recipe_id, "configuration": unit.configuration, "seed": unit.seed, "status": "done"}
        row |= {"attempt": unrepeatable(), "render_seconds": 0.0, "train_seconds": time.perf_counter() - begin}
        content = context.backbone(unit).read_bytes()
        file = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        yield {"backbones": [row | file | {"host": platform.node(), "created_at": now()}]}
    key = {"recipe": unit.recipe_id, "configuration": unit.configuration, "seed": unit.seed}
    made = {"n_eval": 100, "seconds": 0.0, "created_at": now(), "source": "sweep"}
    rewards = [
        {**key, "task": task, "metric": metric, "accuracy": accuracy(unit, metric), **made}
        for task, metric in unit.cells
    ]
    yield {"tasks": [{"task": "digits", "classes": 10, "source": "sweep"}], "rewards": rewards}


def acknowledging(unit: Unit, context: SweepContext) -> Iterator[Tables]:
    """The same, with a line in a file once the rewards are in the spool."""
    yield from stand_in(unit, context)
    with (context.store.path.parent / "acknowledged").open("a") as file:
        file.write(f"{unit.configuration} {unit.seed}\n")


def context_of(spec: Path, store: Path, workers: int = 1) -> tuple[list[Unit], SweepContext]:
    """The units of a specification and a context in which the stand-in does them."""
    made = plan(read_spec(spec), None)
    context = SweepContext(RewardStore(store), made.spec.recipes, TASK2SIM, "cpu", workers, work=acknowledging)
    declare(context.store, made.spec, TASK2SIM, made.tasks)
    return made.units, context


def main() -> None:
    spec, store, workers, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    units, context = context_of(spec, store, workers)
    try:
        report = run(units[:count], context)
    except T2SError as error:
        sys.exit(str(error))
    print(report.done, "done")


if __name__ == "__main__":
    main()
