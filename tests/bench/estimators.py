"""Which Task2Vec estimator places tasks best? ``T2S_DATA=DIR python -m tests.bench.estimators [--samples 2000]``

Embeds the tasks of a table by each estimator under its probe and leaves each task out in turn: normalised regret
of the learners that look at embeddings, with intervals, and the paired difference to the default `sample`; and seconds
of a core a task. The default was chosen by these figures.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch

from t2s_offline.analysis.intervals import mean_interval
from t2s_offline.images.task_data import load_task
from t2s_offline.learners.baselines import Nearest
from t2s_offline.learners.compare import compare, leave_one_out
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.nearest import DistanceWeighted, NearestK
from t2s_offline.learners.surrogate import Surrogate
from t2s_offline.matrix import Embeddings
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.training.task2vec import SAMPLES, embed, open_probe
from tests.bench.table import markdown


def embedded(
    tasks: tuple[str, ...], probe_file: Path, estimator: str, samples: int, data: Path
) -> tuple[Embeddings, float]:
    """Embeddings of these tasks, and core-seconds a task."""
    probe = open_probe(str(probe_file))
    begin, rows = time.process_time(), []
    for name in tasks:
        task = load_task(name, probe.size, data=data, resize=probe.resize)
        rows.append(embed(task.bank, probe, name, estimator=estimator, samples=samples))  # type: ignore[arg-type]
    return Embeddings(estimator, tasks, np.stack(rows)), (time.process_time() - begin) / len(tasks)


def ends(value_T: np.ndarray) -> str:
    found = mean_interval(value_T)
    return f"({found.low:.2f} to {found.high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, default=Path("tables/cpu"))
    parser.add_argument("--samples", type=int, default=2000, help="draws of batch and variational; theirs are 10,000")
    options = parser.parse_args()
    torch.set_num_threads(1)
    matrix = RewardStore(options.table).matrix()
    data = Path(os.environ["T2S_DATA"])
    learners = [Nearest(), NearestK(), DistanceWeighted(), Exact(), Surrogate()]
    found, seconds = {}, {}
    for estimator in SAMPLES:
        draws = SAMPLES["sample"] if estimator == "sample" else options.samples
        embeddings, seconds[estimator] = embedded(
            matrix.tasks, options.table / "probe.safetensors", estimator, draws, data
        )
        made = compare(matrix, embeddings, learners, leave_one_out(matrix.tasks))
        found[estimator] = made.normalised_T["leave_one_out"]
        print(f"{estimator}: {seconds[estimator]:.1f} core-seconds a task", flush=True)
    rows = []
    for learner in learners:
        for estimator, made in found.items():
            value_T = made[learner.name]
            apart_T = value_T - found["sample"][learner.name]
            change = "" if estimator == "sample" else f"{apart_T.mean():+.2f} {ends(apart_T)}"
            rows.append([learner.name, estimator, f"{value_T.mean():.2f} {ends(value_T)}", change])
    print(markdown(["learner", "estimator", "normalised regret", "against sample"], rows))


if __name__ == "__main__":
    main()
