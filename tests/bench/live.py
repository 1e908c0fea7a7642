"""Speed of the live path: ``python -m tests.bench.live [--device cuda]``

Training: pictures a second of the whole loop (augmentation included) against the same network fed one constant batch,
in alternating rounds, since other work on the machine slows both. Then features, neighbours and Task2Vec. CPU seconds
on a CPU, seconds on a GPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from t2s_offline.device import open_device
from t2s_offline.images.image_files import Pictures
from t2s_offline.images.training_set import TrainingSet
from t2s_offline.recipe import Recipe, read_recipe
from t2s_offline.training.networks import build, extract
from t2s_offline.training.pretrain import Trainer
from t2s_offline.training.probes import knn_votes
from t2s_offline.training.task2vec import Probe, embed

STRONG = {"jitter": 0.4, "randaugment_ops": 2, "mixup": 0.8, "cutmix": 1.0}


def pictures(count: int, size: int, classes: int, device: torch.device) -> TrainingSet:
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator).to(device)
    label = (torch.arange(count) % classes).to(device)
    return TrainingSet(image, label, torch.arange(count, device=device), tuple(map(str, range(classes))))


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of the device: CPU time of this process, or time until the GPU is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        begin = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - begin
    begin = time.process_time()
    work()
    return time.process_time() - begin


def training(recipe: Recipe, device: torch.device, rounds: int, steps: int) -> tuple[float, float]:
    """Pictures a second of an epoch, and of steps on one batch that is ready."""
    data = pictures(steps * recipe.batch, recipe.size, 32, device)
    trainer = Trainer(data, recipe, ("bench",), device)
    # what one batch costs at the least: the same step without augmentation and without mixing
    plain = Trainer(data, Recipe(**{**vars(recipe), "mixup": 0.0, "cutmix": 0.0}), ("bench",), device)
    plain.network, plain.forward, plain.optimiser = trainer.network, trainer.forward, trainer.optimiser
    x, label = data.image_NCHW[: recipe.batch].float(), data.label_N[: recipe.batch]
    generator = torch.Generator().manual_seed(0)

    def constant() -> None:
        for _ in range(steps):
            plain.step(x, label, generator)

    def epoch() -> None:
        trainer.epoch(0, recipe.batch, 1.0, lambda step: None)

    constant(), epoch()
    times = [(timed(epoch, device), timed(constant, device)) for _ in range(rounds)]
    whole, least = (min(column) for column in zip(*times, strict=True))
    return steps * recipe.batch / whole, steps * recipe.batch / least


def evaluation_share(device: torch.device) -> None:
    """gpu.toml's setting: features and 5-NN of 10 tasks x 1000 pictures against the training of a configuration."""
    recipe = read_recipe(Path(__file__).parents[2] / "sweeps" / "gpu.toml")[1]
    steps, batch = (20, recipe.batch) if device.type == "cuda" else (3, 64)
    few = Recipe(backbone=recipe.backbone, size=recipe.size, batch=batch, holdout=0.0)
    rate, _ = training(few, device, 1, steps)
    seen = recipe.classes * recipe.images * (1 - recipe.holdout) * recipe.epochs
    backbone = build(recipe.backbone, seed=0, device=device)
    count = 1000 if device.type == "cuda" else 250
    image = pictures(count, recipe.size, 10, device).image_NCHW
    features = timed(lambda: extract(backbone, image, autocast=True), device) * 10_000 / count
    bank = torch.randn((1000, backbone.features), device=device)
    label = torch.arange(1000, device=device) % 10
    votes = 10 * timed(lambda: knn_votes(bank, label, bank, 10), device)
    print(
        f"gpu.toml: training {seen / rate:.0f} s a configuration; features {features:.1f} s and 5-NN {votes:.2f} s of "
        f"10 tasks x 1000: {100 * (features + votes) / (seen / rate):.1f} % of it"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    device = open_device(given.device)
    torch.set_num_threads(1)
    cases: list[tuple[str, int, int, int, dict[str, float]]] = [
        ("resnet18-narrow", 32, 64, 20, {}),
        ("resnet18-narrow", 32, 64, 20, STRONG),
    ]
    if device.type == "cuda":
        cases += [("resnet50", size, 256, 40, STRONG) for size in (64, 128, 224)]
    print(f"{'network':16} {'px':>4} {'augmentation':12} {'images/s':>9} {'constant':>9} {'share %':>8}")
    for arch, size, batch, steps, strong in cases:
        recipe = Recipe(backbone=arch, size=size, batch=batch, holdout=0.0, **strong)  # type: ignore[arg-type]
        rate, most = training(recipe, device, given.rounds, steps)
        name = "strong" if strong else "crop, flip"
        print(f"{arch:16} {size:4} {name:12} {rate:9.0f} {most:9.0f} {100 * rate / most:8.1f}", flush=True)
    for arch, size in (("resnet18-narrow", 32), ("resnet18", 64)):
        backbone = build(arch, seed=0, device=device)
        data = pictures(1000, size, 10, device)
        seconds = timed(lambda data=data, net=backbone: extract(net, data.image_NCHW, autocast=True), device)  # type: ignore[misc]
        print(f"features of {arch} at {size} px: {1000 / seconds:.0f} images/s; 10 tasks x 1000: {10 * seconds:.1f} s")
    bank = torch.randn((1000, 256), device=device)
    label = torch.arange(1000, device=device) % 10
    seconds = timed(lambda: knn_votes(bank, label, bank, 10), device)
    print(f"5-NN of 1000 pictures against 1000: {1000 * seconds:.1f} ms")
    whole = Pictures(data.image_NCHW.cpu().numpy(), np.arange(1000) % 10, data.classes)
    seconds = timed(lambda: embed(whole, Probe("bench", backbone), "bench"), device)
    print(f"Task2Vec of 1000 pictures, resnet18 at 64 px: {seconds:.1f} s")
    evaluation_share(device)


if __name__ == "__main__":
    main()
