"""What a sweep will take: seconds and bytes.

Seconds come from attempts of the same recipe that the store has; without any, from a few training steps and rendered
pictures timed now on the device. The measuring of tasks, which is a small part, is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from t2s_offline.space import SCRATCH
from t2s_offline.sweep.pictures import open_renderer
from t2s_offline.sweep.worker import SweepContext, Unit, device_of, single_threaded

STEPS = 6
#: Bytes of a kept backbone's weights by network; a table, so that the estimate does not load torch to add them up.
FILE_BYTES = {"resnet50": 47_334_996, "resnet18": 22_410_704, "resnet18-narrow": 5_618_960}


@dataclass(frozen=True)
class Estimate:
    """Seconds of work of all units (wall time is that over the workers), bytes of backbones, and where it is from."""

    seconds: float
    disk: int
    basis: str


def estimate(units: Sequence[Unit], context: SweepContext) -> Estimate:
    """Time and disk for the units that need a backbone."""
    seconds, disk, bases = 0.0, 0, set()
    for recipe_id in dict.fromkeys(unit.recipe_id for unit in units):
        count = sum(
            unit.recipe_id == recipe_id and unit.configuration != SCRATCH and not context.backbone(unit).exists()
            for unit in units
        )
        if not count:
            continue
        known = context.store.backbone_seconds(recipe_id) if context.store.path.exists() else None
        one = known if known is not None else _timed(recipe_id, context)
        bases.add("earlier attempts" if known is not None else "a few steps timed now")
        seconds += count * one
        disk += count * FILE_BYTES[context.recipes[recipe_id].backbone] if context.keep_backbones else 0
    return Estimate(seconds, disk, " and ".join(sorted(bases)) or "nothing to train")


def _timed(recipe_id: str, context: SweepContext) -> float:
    """Seconds of one configuration, from STEPS training steps and a batch of pictures."""
    import torch

    from t2s_offline.images.training_set import TrainingSet
    from t2s_offline.render.renderer import RenderRequest
    from t2s_offline.training.pretrain import Trainer

    recipe, device = context.recipes[recipe_id], device_of(context)
    pictures = recipe.classes * recipe.images
    with single_threaded(context):
        count = min(4 * recipe.batch, max(pictures, 8))
        image = torch.randint(0, 256, (count, 3, recipe.rendered, recipe.rendered), dtype=torch.uint8, device=device)
        label = torch.arange(count, device=device) % min(recipe.classes, count // 2)
        names = tuple(str(number) for number in range(int(label.max()) + 1))
        data = TrainingSet(image, label, torch.arange(count, device=device), names)
        trainer = Trainer(data, recipe, ("estimate", recipe.digest), torch.device(device))
        generator = torch.Generator().manual_seed(0)
        batch = min(recipe.batch, count)

        def steps(number: int) -> float:
            begin = time.perf_counter()
            for _ in range(number):
                picked = torch.randint(0, count, (batch,)).to(device)
                trainer.network.train()
                trainer.step(trainer.augment(image[picked], generator), label[picked], generator)
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            return time.perf_counter() - begin

        steps(2)
        step = steps(STEPS) / STEPS
        renderer = open_renderer(recipe, device)
        few = max(64 // len(renderer.classes), 1)
        request = RenderRequest(context.space.domain_randomization, few, size=recipe.rendered, samples=recipe.samples)
        times = []
        for _ in range(2):
            begin = time.perf_counter()
            for _batch in renderer.render(request):
                pass
            times.append((time.perf_counter() - begin) / (few * len(renderer.classes)))
    epochs = recipe.epochs * pictures * (1 - recipe.holdout) / recipe.batch
    return epochs * step + pictures * times[-1]
