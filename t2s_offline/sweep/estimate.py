"""What a sweep will take: seconds, disk and memory.

Seconds of making a backbone and of measuring a task come from what the store has of the same recipe; what it does not
know is timed now on the device (`training/speed.py`) and multiplied by the counts below, which are those of the code
that does the work: pictures rendered, pictures passed through the network forwards and backwards, products of the
linear probe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from t2s_offline.recipe import Recipe
from t2s_offline.space import SCRATCH
from t2s_offline.sweep.pictures import open_renderer
from t2s_offline.sweep.task_sizes import Sizes, sizes_of
from t2s_offline.sweep.worker import SweepContext, Unit, device_of, single_threaded

if TYPE_CHECKING:
    import torch

    from t2s_offline.training.speed import Speed

#: Bytes of a kept backbone's weights by network; a table, so that the estimate does not load torch to add them up.
FILE_BYTES = {"resnet50": 47_334_996, "resnet18": 22_410_704, "resnet18-narrow": 5_618_960}
FEATURES = {"resnet50": 2048, "resnet18": 512, "resnet18-narrow": 256}
FOLDS = 5
SEARCH_STEPS = 25  # of the linear probe's solver: 10 to 30
MEASURED = 2048  # pictures of the training part that a backbone is looked at with
DECODING = 2e-3  # seconds of a file of some 400 pixels; arrays take next to nothing
TRIAL = 3.0  # seconds to time a recipe


@dataclass(frozen=True)
class Estimate:
    """Seconds of work of all units (wall time is that over the workers), of which `measuring` on tasks; disk: bytes of
    kept backbones; basis: where the seconds are from; memory: most bytes of pictures that a worker holds, those of the
    configuration and of the tasks; mapped: bytes of files that tasks are read from which do not fit into that."""

    seconds: float
    disk: int
    basis: str
    measuring: float = 0.0
    memory: int = 0
    mapped: int = 0


def estimate(units: Sequence[Unit], context: SweepContext, *, trial: float = TRIAL) -> Estimate:
    """Time, disk and memory for units that are missing. trial: seconds to time each recipe that the store does not
    know."""
    from t2s_offline.images.task_data import memory_share

    making = measuring = 0.0
    disk, memory, mapped, bases = 0, 0, 0, set()
    for recipe_id in dict.fromkeys(unit.recipe_id for unit in units):
        recipe, own = context.recipes[recipe_id], [unit for unit in units if unit.recipe_id == recipe_id]
        speed = cache(lambda recipe=recipe: _timed(recipe, context, trial))
        sizes = {name: sizes_of(name, recipe, context.data) for unit in own for name, _ in unit.cells}
        count = sum(unit.configuration != SCRATCH and not context.backbone(unit).exists() for unit in own)
        if count:
            known = context.store.backbone_seconds(recipe_id) if context.store.path.exists() else None
            bases.add("earlier attempts" if known is not None else "a few steps timed now")
            making += count * (known if known is not None else making_seconds(recipe, *speed()))
            disk += count * FILE_BYTES[recipe.backbone] if context.keep_backbones else 0
        cells = [cell for unit in own for cell in unit.cells]
        stored = _stored(recipe_id, context)
        for cell in dict.fromkeys(cells):
            one = stored[cell] if cell in stored else measuring_seconds(cell[1], sizes[cell[0]], recipe, speed()[0])
            bases.add("earlier attempts" if cell in stored else "a few steps timed now")
            measuring += cells.count(cell) * one
        held = {name: size.whole * 3 * recipe.evaluated**2 for name, size in sizes.items()}
        share, total = memory_share(context.workers), sum(held.values())
        measuring += context.workers * sum(size.whole * DECODING for size in sizes.values() if size.files)
        memory = max(memory, recipe.classes * recipe.images * 3 * recipe.rendered**2 + min(total, share))
        mapped = max(mapped, total - share)
    basis = " and ".join(sorted(bases)) or "nothing to train"
    return Estimate(making + measuring, disk, basis, measuring, memory, max(mapped, 0))


def making_seconds(recipe: Recipe, speed: Speed, render: float) -> float:
    """Seconds of one backbone: pictures rendered, trained on in every epoch, and looked at once at the end."""
    pictures = recipe.classes * recipe.images
    train = pictures * (1 - recipe.holdout)
    looked = min(train, MEASURED) + pictures - train
    return pictures * render + recipe.epochs * train * speed.step + looked * speed.feature


def measuring_seconds(metric: str, size: Sizes, recipe: Recipe, speed: Speed) -> float:
    """Seconds of one metric of a task of this size; features are counted for each metric that needs them but LogME,
    which shares those of another."""
    authors = recipe.linear_solver == "task2sim"
    larger = (recipe.evaluated / recipe.size) ** 2
    if metric == "finetune":
        return tuned_pictures(size, recipe) * speed.step * larger + (size.val + size.test) * speed.feature
    folds = recipe.val_by == "folds"
    fits = [size.bank * (FOLDS - 1) // FOLDS] * FOLDS + [size.bank] if folds else [size.train, size.bank]
    if metric == "linear" and authors:
        return recipe.linear_epochs * sum(fits) * speed.feature + (size.val + size.test) * speed.feature
    width, features = FEATURES[recipe.backbone], size.whole * speed.feature
    if metric == "knn5":
        asked = size.bank * size.bank if folds else size.val * size.train
        return features + (asked + size.test * size.bank) * width / (2 * speed.products)
    if metric == "logme":
        return sum(8 * n * width * min(n, width) for n in (size.train, size.bank)) / speed.products
    if recipe.linear_solver == "sgd":
        return features + recipe.linear_epochs * sum(fits) / recipe.linear_batch * speed.head
    products = 0
    for n in fits:
        least = min(n, width)
        products += 3 * n * width * least + least**3 + SEARCH_STEPS * 2 * n * least * size.classes
    return features + products / speed.products


def tuned_pictures(size: Sizes, recipe: Recipe) -> int:
    """Pictures that fine-tuning passes forwards and backwards: once for val accuracy, once for test accuracy."""
    return recipe.finetune_epochs * (size.train + size.bank)


def _stored(recipe_id: str, context: SweepContext) -> Mapping[tuple[str, str], float]:
    """Median seconds of a measurement by (task, metric), where the store has some."""
    if not context.store.path.exists():
        return {}
    with context.store.reader() as con:
        rows = con.execute(
            "SELECT task, metric, median(seconds) FROM rewards WHERE recipe = $1 AND seconds > 0 GROUP BY ALL",
            [recipe_id],
        ).fetchall()
    return {(task, metric): float(seconds) for task, metric, seconds in rows}


def _timed(recipe: Recipe, context: SweepContext, seconds: float) -> tuple[Speed, float]:
    """Speed of a recipe on the context's device, and seconds of a rendered picture."""
    import torch

    from t2s_offline.training.speed import measure_speed

    device = torch.device(device_of(context))
    with single_threaded(context):
        speed = measure_speed(recipe, device, seconds * 2 / 3)
        return speed, rendering_seconds(recipe, device, context, seconds / 3)


def rendering_seconds(recipe: Recipe, device: torch.device, context: SweepContext, seconds: float) -> float:
    """Seconds of a picture, mean of nothing and of everything varied."""
    from t2s_offline.render.renderer import RenderRequest
    from t2s_offline.training.speed import median_seconds

    # a few classes cost a picture as much as all, and are opened sooner
    renderer = open_renderer(
        replace(recipe, classes=min(recipe.classes, 8), objects=min(recipe.objects, 2)), str(device)
    )
    few = max(32 // len(renderer.classes), 1)

    def drawn(configuration: str) -> Callable[[], object]:
        request = RenderRequest(configuration, few, size=recipe.rendered, samples=recipe.samples)
        return lambda: [None for _ in renderer.render(request)]

    off, on = (drawn(name) for name in (context.space.all_off, context.space.domain_randomization))
    off()  # the trees of the objects are made once
    both = median_seconds(off, device, seconds / 2) + median_seconds(on, device, seconds / 2)
    return both / (2 * few * len(renderer.classes))
