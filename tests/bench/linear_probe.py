"""What the solver of the linear probe changes: ``python -m tests.bench.linear_probe [--tasks a,b] [--probe FILE]``

One backbone, the same pictures, test accuracy in percent after learning from train and val together:

    lbfgs      logistic regression on features of the pictures as they are, to the optimum
    sgd        the paper's schedule on the same features: batch norm, then dropout
    task2sim   the authors': new crops and flips in every epoch, dropout, then batch norm, Nesterov's momentum
    still      the same on pictures as they are

docs/paper.md quotes this. Needs T2S_DATA; some fifteen minutes on one core.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from t2s_offline.images.augment import Augment
from t2s_offline.images.task_data import load_task
from t2s_offline.recipe import Recipe
from t2s_offline.tasks import data_folder
from t2s_offline.training.authors_probe import scored
from t2s_offline.training.evaluate import features_of, measured, percent
from t2s_offline.training.networks import load_backbone
from tests.bench.table import markdown

ROOT = Path(__file__).parents[2]
SOLVERS = ("lbfgs", "sgd", "task2sim", "still")


def still(size: int, _area: float) -> Augment:
    """No crops and no flips."""
    return Augment(size, 1.0, flip=False)


def main() -> None:
    """Print a row a task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", default="usps,eurosat10,dtd,pacs_s")
    parser.add_argument("--probe", type=Path, default=ROOT / "tables" / "cpu" / "probe.safetensors")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--pictures", type=int, default=1000, help="at most, of a part")
    parser.add_argument("--seeds", type=int, default=2, help="of the two that draw")
    options = parser.parse_args()
    torch.set_num_threads(1)
    backbone = load_backbone(options.probe).backbone.eval()
    rows = []
    for name in options.tasks.split(","):
        task = load_task(name, options.size, data=data_folder()).limited(options.pictures)
        plain = Recipe(size=options.size, precision="float32")
        found = features_of(backbone, {"bank": task.bank, "test": task["test"]}, plain)
        row: list[object] = [name, len(task.classes), len(task.bank), len(task["test"])]
        for solver in SOLVERS:
            begin = time.perf_counter()
            recipe = replace(plain, linear_solver="task2sim" if solver == "still" else solver)
            right = []
            for seed in range(1 if solver == "lbfgs" else options.seeds):
                if recipe.linear_solver == "task2sim":
                    with patch("t2s_offline.training.authors_probe.Augment", still if solver == "still" else Augment):
                        scores = scored(backbone, task.bank, task["test"], name, recipe, tuned=False, seed=seed)
                    right.append(percent(scores, found["test"].label_N))
                else:
                    right.append(
                        measured("linear", found["bank"], found["test"], len(task.classes), recipe, seed, name)
                    )
            spent = (time.perf_counter() - begin) / len(right)
            row += [f"{np.mean(right):.1f}", f"{spent:.1f}"]
        rows.append(row)
        print(row, flush=True)
    columns = [column for solver in SOLVERS for column in (solver, "s")]
    print(markdown(["task", "classes", "to learn from", "test pictures", *columns], rows))


if __name__ == "__main__":
    main()
