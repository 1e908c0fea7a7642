"""What a recipe's steps cost on this machine, timed now: rendering apart, everything that a sweep's worker computes.

Seconds are CPU seconds of one thread on a CPU, so that other work on the machine does not count, and seconds until the
device is done on a GPU.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from t2s_offline.recipe import Recipe
from t2s_offline.training.fitting import fitting_batch, random_pictures, step_pair
from t2s_offline.training.networks import build, extract, linear_head, seeded
from t2s_offline.training.probes import sgd_fit

STEP_SECONDS = 0.3  # of a trial step on a CPU: a batch of fewer pictures than the recipe's where it would take longer


@dataclass(frozen=True)
class Speed:
    """Seconds: step, feature: a picture in a step of pre-training, and in extracting features; head: a step of the
    linear probe on features. products: multiply-adds of large matrices a second in float64, the linear probe's."""

    step: float
    feature: float
    head: float
    products: float


def clock(device: torch.device) -> float:
    """Seconds for differences: CPU seconds of this process, or the time at which a GPU is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()


def median_seconds(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Median seconds of a call: at least one, further ones until `seconds` have passed."""
    taken: list[float] = []
    begin = time.perf_counter()
    while not taken or time.perf_counter() - begin < seconds:
        before = clock(device)
        work()
        taken.append(clock(device) - before)
    return statistics.median(taken)


def step_seconds(recipe: Recipe, device: torch.device, seconds: float) -> float:
    """Seconds of a picture in a step of the recipe's batch. On a CPU two smaller batches are timed, and what a step
    costs whatever its size, as the optimiser does, is told apart from what a picture costs."""
    if device.type == "cuda":
        batch = fitting_batch(recipe, device)
        step, _ = step_pair(recipe, device, batch)
        step()
        return median_seconds(step, device, seconds) / batch
    few = min(recipe.batch, 2)
    step, _ = step_pair(recipe, device, few)
    if seconds >= STEP_SECONDS:
        step()  # the first one allocates
    small, many = median_seconds(step, device, seconds / 3), min(recipe.batch, 4)
    # what a picture costs in so small a batch is more than in a larger one
    while 2 * many <= recipe.batch and many * small / few < 2 * min(seconds, STEP_SECONDS):
        many *= 2
    if many == few:
        return small / few
    step, _ = step_pair(recipe, device, many)
    large = median_seconds(step, device, seconds * 2 / 3)
    if many == recipe.batch:
        return large / many
    one = (large - small) / (many - few)
    return one + max(small - few * one, 0.0) / recipe.batch if one > 0 else large / many


def measure_speed(recipe: Recipe, device: torch.device, seconds: float = 3.0) -> Speed:
    """Time a recipe on a device within about so many seconds, setting up apart."""
    each = seconds / 5
    step = step_seconds(recipe, device, 2 * each)
    backbone = build(recipe.backbone, seed=0, device=device)
    many = 256 if device.type == "cuda" else 64 if recipe.evaluated <= 64 else 8
    shown = random_pictures(many, recipe.evaluated, 2, device).image_NCHW
    autocast = recipe.precision == "bfloat16"
    feature = torch.randn((320, backbone.features), generator=seeded(0)).to(device)
    label = (torch.arange(320) % 10).to(device)
    side = 512 if device.type == "cpu" else 4096
    square = torch.ones((side, side), dtype=torch.float64, device=device)

    def head() -> object:
        layer = linear_head(backbone.features, 10, seed=0, device=device)
        return sgd_fit(feature, label, layer, generator=seeded(0), epochs=1)

    return Speed(
        step=step,
        feature=median_seconds(lambda: extract(backbone, shown, autocast=autocast), device, each) / len(shown),
        head=median_seconds(head, device, each / 2) / 10,
        products=side**3 / max(median_seconds(lambda: square @ square, device, each / 2), 1e-9),
    )
