"""What the authors' published table is and is not: ``python -m tests.bench.published_table``

Compares the table with rows of the paper, and reads off each task how many test pictures it was measured on: all 256
accuracies are multiples of 100 / pictures. docs/published-table.md quotes this. Needs T2S_TASK2SIM.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from t2s_offline.store.fetch_published import fetch_task2sim
from t2s_offline.store.reward_store import RewardStore
from tests.bench.table import markdown

#: mean 5-NN accuracy in percent, 12 seen and 8 unseen tasks: Tables 2 and 3 of the paper, 100 classes / 40k images
PAPER = {"Random": (25.30, 51.80), "Domain Randomization": (19.42, 45.06), "Task2Sim": (30.46, 53.06)}
#: classes of a task, and test pictures that its authors' split, or 30 % of each class, comes to
EXPECTED = {
    "CropDisease": (38, 10_849), "EuroSAT": (10, 8_100), "SVHN": (10, 26_032), "ChestX": (7, 7_754),
    "Sketch": (1_000, 15_267), "DTD": (47, 1_880), "Flowers102": (102, 6_149), "DeepWeeds": (9, 5_253),
    "Resisc45": (45, 9_450), "Omniglot": (659, 3_954), "ISIC": (7, 3_005), "Kaokore": (8, 845), "CUB": (200, 3_033),
    "PacsC": (7, 237), "PacsS": (7, 398), "AID": (30, 3_000), "USPS": (10, 2_007), "FMD": (10, 300),
    "CactusAerial": (2, 4_000), "ChestXPneumonia": (2, 624),
}  # fmt: skip
MOST = 100_000


def pictures(accuracy_C: np.ndarray) -> int:
    """The least number of test pictures of which all accuracies are whole counts; 0 when there is none to MOST."""
    for count in range(1, MOST):
        right_C = accuracy_C * count / 100
        if np.abs(right_C - np.round(right_C)).max() < 1e-6 * max(1.0, count / 100):
            return count
    return 0


def main() -> None:
    folder = os.environ.get("T2S_TASK2SIM")
    if not folder:
        print("T2S_TASK2SIM is not set: nothing is measured")
        return
    with TemporaryDirectory() as place:
        store = RewardStore(Path(place) / "published.duckdb")
        fetch_task2sim(store, Path(folder))
        matrix, split = store.matrix(), store.tasks()
    means = []
    for name in ("seen", "unseen"):
        tasks = [matrix.position(task) for task in matrix.tasks if split[task] == name]
        mean_C = matrix.reward_TC[tasks].mean(axis=0)
        everything = mean_C[matrix.space.index(matrix.space.domain_randomization)]
        means.append((mean_C.mean(), everything, mean_C.min(), mean_C.max(), int((mean_C < everything).sum())))
    rows = [["mean of all 256 (Random)", *(m[0] for m in means), *PAPER["Random"]],
            ["11111111 (Domain Randomization)", *(m[1] for m in means), *PAPER["Domain Randomization"]],
            ["lowest of 256 configurations", *(m[2] for m in means), "", ""],
            ["highest of 256 configurations", *(m[3] for m in means), "", ""],
            ["configurations below 11111111", *(m[4] for m in means), "", ""]]  # fmt: skip
    print(markdown(["mean over tasks", "12 seen", "8 unseen", "paper, seen", "paper, unseen"], rows))
    val = "no" if matrix.val_TCS is None else "a"
    print(f"\n{matrix.accuracy_TCS.shape[2]} seed a cell, {val} val part, {matrix.reward_TC.size:,} cells\n")
    rows = []
    for task, reward_C in zip(matrix.tasks, matrix.reward_TC, strict=True):
        classes, expected = EXPECTED[task]
        rows.append([task, split[task], classes, f"{100 / classes:.1f}", float(reward_C.min()), float(reward_C.mean()),
                     float(reward_C.max()), pictures(reward_C), expected])  # fmt: skip
    print(markdown(["task", "split", "classes", "chance", "lowest", "mean", "highest", "test pictures", "expected"],
                   rows))  # fmt: skip


if __name__ == "__main__":
    main()
