"""The paper's Figure 9 in numbers: do neighbours under a backbone have the colours of the picture they are found for?

    python -m tests.bench.neighbours cub20 --first A-0.safetensors A-1.safetensors --second B-0.safetensors …

The three training pictures nearest to each test picture (cosine of features, as 5-NN has it) under backbones of two
configurations. Colour distance: Euclidean, of mean colours, relative to that of a
training picture drawn at random (1: colour plays no part). Difference: first minus second, 95 % interval over test
pictures and seeds. Needs T2S_DATA.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from t2s_offline.analysis.intervals import mean_interval, paired
from t2s_offline.images.task_data import TaskData, load_task
from t2s_offline.report.pictures import nearest
from t2s_offline.training.networks import Backbone, load_backbone
from tests.bench.table import markdown

Float64 = npt.NDArray[np.float64]
SHOWN = 3  # neighbours, as in the paper


def measure(backbone: Backbone, data: TaskData) -> tuple[Float64, Float64]:
    """Relative colour distance and share of the same class among the neighbours of each test picture, both (N,)."""
    bank, test = data.bank, data["test"]
    near_NK = nearest(backbone, bank.image_NCHW, test.image_NCHW)[:, :SHOWN]
    bank_B3, test_N3 = (part.image_NCHW.mean(axis=(2, 3), dtype=np.float64) for part in (bank, test))
    distance_NB = np.linalg.norm(test_N3[:, None] - bank_B3[None], axis=2)
    relative_N = np.take_along_axis(distance_NB, near_NK, axis=1).mean(axis=1) / distance_NB.mean(axis=1)
    return relative_N, (bank.label_N[near_NK] == test.label_N[:, None]).mean(axis=1)


def both(paths: Sequence[Path], data: TaskData) -> tuple[Float64, Float64]:
    """The same under several seeds, both (N, S)."""
    found = [measure(load_backbone(path).backbone, data) for path in paths]
    return np.stack([colour for colour, _ in found], axis=1), np.stack([right for _, right in found], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+")
    parser.add_argument("--first", nargs="+", type=Path, required=True)
    parser.add_argument("--second", nargs="+", type=Path, required=True)
    parser.add_argument("--size", type=int, default=32, help="pixels that the backbones look at")
    options = parser.parse_args()
    rows = []
    for task in options.tasks:
        data = load_task(task, options.size)
        pairs = both(options.first, data), both(options.second, data)
        for name, first, second in zip(("colour distance", "same class"), *pairs, strict=True):
            means = [mean_interval(value) for value in (first, second)] + [paired(first, second)]
            rows.append([task, name, *(f"{at.mean:.3f} ({at.low:.3f} to {at.high:.3f})" for at in means)])
    print(markdown(["task", "of three neighbours", "first", "second", "difference"], rows))


if __name__ == "__main__":
    main()
