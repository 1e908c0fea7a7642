"""What measuring in training mode does to 5-NN: ``python -m tests.bench.published_mode [--tasks a,b] [--probe FILE]``

The authors' 5-NN takes features of a network that was never put into evaluation mode: batch norms use the batch at
hand, and stochastic depth drops one residual branch in ten at the last block, fewer before. Their loader shuffles the
pictures to compare with and reads test pictures in the order of the dataset, which for most of their tasks is class by
class. One backbone, the same pictures, six ways:

    eval       running statistics, nothing dropped: what t2s-offline measures
    drop path  the same with stochastic depth alone
    batch      batch statistics alone, test pictures in random order
    shuffled   training mode (both), test pictures in random order
    by class   training mode, test pictures class by class: as the authors measured, batches of 128
    one class  the same where no batch holds two classes: what a class of 128 test pictures and more amounts to

Needs T2S_DATA. Means and SDs over seeds of order and stochastic depth.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from t2s_offline.images.image_files import Pictures
from t2s_offline.images.task_data import TaskData, load_task
from t2s_offline.tasks import data_folder
from t2s_offline.training.evaluate import percent
from t2s_offline.training.networks import Backbone, extract, load_backbone
from t2s_offline.training.probes import knn_votes
from tests.bench.table import markdown

ROOT = Path(__file__).parents[2]
TASKS = "usps,omniglot,eurosat10,resisc12,dtd,isic,pacs_s,flowers12"
BATCH = 128  # their configs/knn_defaults.yaml
DROP_PATH = 0.1
K, TEMPERATURE = 5, 0.07


def drop_paths(backbone: Backbone, rate: float, generator: torch.Generator) -> None:
    """Drop residual branches, picture by picture, with a rate that grows from 0 at the first block to `rate`."""
    blocks = [module for module in backbone.modules() if isinstance(module, BasicBlock | Bottleneck)]
    for block, chance in zip(blocks, np.linspace(0, rate, len(blocks)), strict=True):
        last = block.bn3 if isinstance(block, Bottleneck) else block.bn2
        keep = 1 - float(chance)

        def dropped(_module: nn.Module, _given: object, branch: torch.Tensor, keep: float = keep) -> torch.Tensor:
            kept = (torch.rand(len(branch), generator=generator) < keep).to(branch.dtype)
            return branch * (kept / keep)[:, None, None, None]

        last.register_forward_hook(dropped)


@torch.no_grad()
def trained_features(backbone: Backbone, image_NCHW: np.ndarray, batches: list[np.ndarray]) -> torch.Tensor:
    """Features with batch statistics of these batches (places of pictures), in the order of the pictures."""
    feature_ND = torch.zeros(len(image_NCHW), backbone.features)
    backbone.train()
    for at in batches:
        with torch.autocast("cpu", torch.bfloat16):
            feature_ND[torch.from_numpy(at)] = backbone(torch.from_numpy(image_NCHW[at])).float()
    return feature_ND


def split(order: np.ndarray, batch: int = BATCH) -> list[np.ndarray]:
    """Batches of a loader that drops nothing."""
    return [order[first : first + batch] for first in range(0, len(order), batch)]


def of_one_class(label_N: np.ndarray, batch: int = BATCH) -> list[np.ndarray]:
    """Batches within classes."""
    return [part for label in np.unique(label_N) for part in split(np.flatnonzero(label_N == label), batch)]


def accuracy(bank_ND: torch.Tensor, bank: Pictures, test_MD: torch.Tensor, test: Pictures, kept: np.ndarray) -> float:
    """5-NN in percent; `kept`: places of the bank that have features."""
    label_N = torch.from_numpy(bank.label_N[kept])
    votes = knn_votes(bank_ND[torch.from_numpy(kept)], label_N, test_MD, len(bank.classes), K, TEMPERATURE)
    return percent(votes, torch.from_numpy(test.label_N))


def ways(backbone: Backbone, data: TaskData, seed: int) -> Iterator[tuple[str, float]]:
    """Names and accuracies of one seed."""
    bank, test = data.bank, data["test"]
    rng = np.random.default_rng(seed)
    plain, dropping = copy.deepcopy(backbone), copy.deepcopy(backbone)
    drop_paths(dropping, DROP_PATH, torch.Generator().manual_seed(seed))
    everything = np.arange(len(bank))
    features = [extract(dropping, part.image_NCHW, autocast=True) for part in (bank, test)]
    yield "drop path", accuracy(features[0], bank, features[1], test, everything)
    order, shuffled = rng.permutation(len(bank)), split(rng.permutation(len(test)))
    full = order[: max(len(order) // BATCH, 1) * BATCH]  # their loader drops the last batch where it is not full
    by_class = split(np.argsort(test.label_N, kind="stable"))
    for network, orders in (
        (plain, {"batch": shuffled}),
        (dropping, {"shuffled": shuffled, "by class": by_class, "one class": of_one_class(test.label_N)}),
    ):
        bank_ND = trained_features(network, bank.image_NCHW, split(full))
        for name, batches in orders.items():
            test_MD = trained_features(network, test.image_NCHW, batches)
            yield name, accuracy(bank_ND, bank, test_MD, test, np.sort(full))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=TASKS)
    parser.add_argument("--probe", type=Path, default=ROOT / "tables/cpu/probe.safetensors")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    folder = data_folder(None)
    names = [name for name in given.tasks.split(",") if folder and (folder / f"{name}.npz").is_file()]
    if not names:
        print("T2S_DATA holds none of these tasks: nothing is measured")
        return
    backbone = load_backbone(given.probe).backbone
    rows, change = [], []
    for name in names:
        data = load_task(name, given.size)
        bank, test = data.bank, data["test"]
        features = [extract(backbone, part.image_NCHW, autocast=True) for part in (bank, test)]
        found = {"eval": [accuracy(features[0], bank, features[1], test, np.arange(len(bank)))]}
        for seed in range(given.seeds):
            for way, value in ways(backbone, data, seed):
                found.setdefault(way, []).append(value)
        mean = {way: float(np.mean(values)) for way, values in found.items()}
        change.append([mean[way] - mean["eval"] for way in list(mean)[1:]])
        told = [f"{mean[way]:.1f}" + (f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else "")
                for way, values in found.items()]  # fmt: skip
        rows.append([name, len(data.classes), len(test), *told])
        print(".", end="", flush=True)
    means = [f"{value:+.1f}" for value in np.mean(change, axis=0)]
    print("\n" + markdown(["task", "classes", "test", *mean],
                          [*rows, ["**mean change**", "", "", "", *means]]))  # fmt: skip


if __name__ == "__main__":
    main()
