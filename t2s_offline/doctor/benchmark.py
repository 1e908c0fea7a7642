"""What a machine does with this package's work, and whether a GPU does the same as its CPU: a self-test of a minute.

`compared` renders, trains and embeds on a device and on the CPU, and says how far the results are apart. `speeds` times
rendering, pre-training and features, beside the largest matrix products and a loop on one batch that is ready. CPU
seconds of one thread on a CPU, where other work then does not count; seconds until the device is done on a GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from t2s_offline.images.task_data import load_task
from t2s_offline.recipe import Recipe, SweepSpec
from t2s_offline.render.renderer import Renderer, RenderRequest, get_renderer
from t2s_offline.space import TASK2SIM
from t2s_offline.training.fitting import fitting_batch, random_pictures, step_pair
from t2s_offline.training.networks import build, extract
from t2s_offline.training.pretrain import Trainer
from t2s_offline.training.speed import clock, median_seconds
from t2s_offline.training.task2vec import Probe, embed

CONFIGURATIONS = (TASK2SIM.all_off, "01100100", TASK2SIM.domain_randomization)
CLASSES, OBJECTS = 8, 2
PICTURES, STEPS, EMBEDDED = 512, 30, 32  # that a GPU is compared on
#: Network, pixels and pictures a step of the trainings that are timed.
TRAININGS = (("resnet18", 64, 256), ("resnet50", 64, 256), ("resnet50", 224, 128))


@dataclass(frozen=True)
class Figure:
    """One thing that was measured. value: in `unit`; note: how, and what it is compared with."""

    name: str
    value: float | None
    unit: str
    note: str = ""


def compared(
    device: torch.device, *, against: str = "cpu", pictures: int = PICTURES, steps: int = STEPS
) -> list[Figure]:
    """Bytes of pictures, losses of training and an embedding on the device, beside those of the CPU."""
    found = []
    here, there = (_renderer(str(name)) for name in (against, device))
    for configuration in CONFIGURATIONS:
        first, second = (drawn(renderer, configuration, pictures) for renderer in (here, there))
        apart = np.abs(first.astype(np.int16) - second)
        share = 100 * float((apart > 0).mean())
        note = f"mean difference {apart.mean():.4f}, largest {apart.max()} of 255; {len(first)} pictures of 64 px"
        found.append(Figure(f"bytes that differ, {configuration}", share, "%", note))
    first_loss, second_loss = losses(against, steps), losses(str(device), steps)
    apart_by = float(np.abs(first_loss - second_loss).max())
    note = f"{steps} steps in float32; the last loss {second_loss[-1]:.4f}, on the CPU {first_loss[-1]:.4f}"
    found.append(Figure("largest difference of losses", apart_by, "", note))
    one, other = (embedding(name) for name in (against, str(device)))
    cosine = 1 - float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    largest = np.abs(one - other).max() / np.abs(one).max()
    note = f"Task2Vec of {EMBEDDED} digits; largest difference {largest:.1e} of its top"
    return [*found, Figure("cosine distance of embeddings", cosine, "", note)]


def _renderer(device: str) -> Renderer:
    threads = {"threads": 1} if device == "cpu" else {}
    return get_renderer("builtin", classes=CLASSES, objects=OBJECTS, device=device, **threads)


def drawn(renderer: Renderer, configuration: str, pictures: int) -> Any:
    """Pictures of a configuration on the host, uint8 (N, 3, 64, 64)."""
    request = RenderRequest(configuration, max(pictures // CLASSES, 1), 64)
    return np.concatenate([batch.image_NCHW.cpu().numpy() for batch in renderer.render(request)])


def losses(device: str, steps: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Losses (steps,) of a small network on noise in single precision: the same pictures and random numbers on every
    device."""
    recipe = Recipe(size=32, batch=32, classes=8, holdout=0.0, precision="float32", rate=1e-4)
    place = torch.device(device)
    data = random_pictures(32 * steps, 32, 8, place)
    trainer = Trainer(data, recipe, ("doctor",), place)
    trainer.network.train()
    generator = torch.Generator().manual_seed(0)
    kept = []
    for step in range(steps):
        at = torch.arange(32 * step, 32 * (step + 1)).to(place)
        kept.append(trainer.step(trainer.augment(data.image_NCHW[at], generator), data.label_N[at], generator))
    return torch.stack(kept).double().cpu().numpy()


def embedding(device: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Task2Vec vector of some handwritten digits by a network with initial weights."""
    probe = Probe("doctor", build("resnet18-narrow", seed=0, device=device), 32)
    return embed(load_task("digits", 32).bank, probe, "digits", samples=EMBEDDED)


def speeds(device: torch.device, seconds: float) -> Iterator[Figure]:
    """Figures as they come, in about so many seconds."""
    share = seconds / (4 + 3 * len(TRAININGS))
    yield from _rendering(device, share)
    products = matrix_rate(device, share / 2)
    yield Figure("matrix products", products / 1e12, "Tflop/s", "bfloat16, the largest of a few sizes: the peak")
    for arch, size, batch in TRAININGS:
        yield from _training(arch, size, batch, device, 3 * share, products)


def _rendering(device: torch.device, seconds: float) -> Iterator[Figure]:
    renderer = _renderer(str(device))
    for size in (64, 224):
        for configuration, varied in ((TASK2SIM.all_off, "nothing"), (TASK2SIM.domain_randomization, "everything")):
            each = (1 if size == 64 else 0) + 1 if device.type == "cpu" else 64 if size == 64 else 16
            request = RenderRequest(configuration, max(each, OBJECTS), size)

            def work(request: RenderRequest = request) -> None:
                for _ in renderer.render(request):
                    pass

            if size == 64:
                work()  # the trees of the objects are made once
            taken, share = timed(work, device, seconds)
            rate = request.images * CLASSES / taken
            yield Figure(f"rendering, {size} px, {varied} varied", rate, "pictures/s", f"4 samples a pixel; {share}")


def _training(
    arch: str, size: int, batch: int, device: torch.device, seconds: float, products: float
) -> Iterator[Figure]:
    recipe = Recipe(backbone=arch, size=size, batch=batch, holdout=0.0)
    small = 8 if size == 64 else 2
    batch = fitting_batch(recipe, device) if device.type == "cuda" else small
    step, constant = step_pair(recipe, device, batch)
    if device.type == "cuda" or seconds > 2:
        step()
    least = median_seconds(constant, device, seconds / 3)
    whole, share = timed(step, device, seconds / 3)
    flops = 3 * 2 * multiply_adds(arch, size) * batch
    of_loop, of_peak = 100 * min(least / whole, 1), 100 * flops / whole / products
    note = f"{batch} a step; {of_loop:.0f} % of one constant batch, {of_peak:.0f} % of the peak; {share}"
    yield Figure(f"pre-training {arch}, {size} px", batch / whole, "pictures/s", note)
    backbone = build(arch, seed=0, device=device)
    shown = random_pictures(batch, size, 2, device).image_NCHW

    def features() -> object:
        return extract(backbone, shown, autocast=True)

    taken, share = timed(features, device, seconds / 3)
    yield Figure(f"features of {arch}, {size} px", batch / taken, "pictures/s", share)


def multiply_adds(arch: str, size: int) -> float:
    """Multiply-adds of a picture's way through a network: of convolutions and linear layers."""
    network, total = build(arch, seed=0, device="meta"), 0.0

    def count(module: Any, given: Any, output: torch.Tensor) -> None:
        nonlocal total
        total += module.weight.numel() * output.shape[-1] * output.shape[-2]

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.empty((1, 3, size, size), device="meta"))
    return total


def batches(spec: SweepSpec, device: torch.device) -> Iterator[Figure]:
    """The batch that fits into a GPU's memory, for each recipe."""
    for name, recipe in spec.recipes.items():
        found = fitting_batch(recipe, device)
        yield Figure(f"batch that fits, {name}", found, "pictures", f"the recipe's is {recipe.batch}")


def matrix_rate(device: torch.device, seconds: float) -> float:
    """Most operations (two a multiply-add) a second of products of square matrices in bfloat16, or in float32 where
    those are faster."""
    best = 0.0
    sides = (2048, 4096, 8192) if device.type == "cuda" else (512, 1024)
    for dtype in (torch.bfloat16, torch.float32):
        for side in sides:
            square = torch.ones((side, side), dtype=dtype, device=device)
            taken = median_seconds(partial(torch.matmul, square, square), device, seconds / 6)
            best = max(best, 2 * side**3 / taken)
    return best


def timed(work: Callable[[], object], device: torch.device, seconds: float) -> tuple[float, str]:
    """Median seconds of a call within about so many seconds, and how busy the device was meanwhile: the share of a core
    that this process got, or of the time in which a GPU's kernels ran (torch's profiler)."""
    wall, begin = time.perf_counter(), clock(device)
    found = median_seconds(work, device, seconds)
    share = (clock(device) - begin) / max(time.perf_counter() - wall, 1e-9)
    if device.type == "cuda":
        from torch.profiler import ProfilerActivity, profile

        begin = clock(device)
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            work()
            whole = clock(device) - begin
        kernels = sum(event.device_time_total for event in seen.events())  # microseconds
        share = kernels / 1e6 / max(whole, 1e-9)
    return found, f"busy {100 * min(share, 1.0):.0f} %"
