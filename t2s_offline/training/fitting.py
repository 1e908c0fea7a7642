"""Steps of pre-training that are tried: to time them, and to find the largest batch that fits into a GPU's memory."""

from __future__ import annotations

from collections.abc import Callable

import torch

from t2s_offline.errors import PretrainFailed
from t2s_offline.images.training_set import TrainingSet
from t2s_offline.recipe import Recipe
from t2s_offline.training.networks import seeded
from t2s_offline.training.pretrain import Trainer, out_of_memory

LEAST = 2


def random_pictures(count: int, size: int, classes: int, device: torch.device) -> TrainingSet:
    """Pictures of noise, (count, 3, size, size), on the device."""
    image = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=seeded(0)).to(device)
    label = (torch.arange(count) % classes).to(device)
    names = tuple(str(number) for number in range(classes))
    return TrainingSet(image, label, torch.arange(count, device=device), names)


def step_pair(
    recipe: Recipe, device: torch.device, batch: int = 0
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Two functions: a step of pre-training on `batch` pictures (the recipe's by default) from augmentation to
    optimiser, and the same on one batch that is ready, which is the least that a step can take."""
    batch = batch or recipe.batch
    data = random_pictures(2 * batch, recipe.rendered, max(min(recipe.classes, batch), 2), device)
    trainer = Trainer(data, recipe, ("speed", recipe.digest), device)
    trainer.network.train()
    generator = seeded(0)
    ready = data.image_NCHW[:batch, :, : recipe.size, : recipe.size].float()

    def step() -> object:
        at = torch.randperm(len(data), generator=generator)[:batch].to(device, non_blocking=True)
        return trainer.step(trainer.augment(data.image_NCHW[at], generator), data.label_N[at], generator)

    def constant() -> object:
        return trainer.step(ready, data.label_N[:batch], generator)

    return step, constant


def fitting_batch(recipe: Recipe, device: torch.device, attempt: Callable[[int], object] | None = None) -> int:
    """The recipe's batch, or the first of its halves of which a step fits. attempt: does a step of so many pictures;
    by default one of the recipe's training on the device. PretrainFailed when not even two pictures fit."""

    def step(batch: int) -> object:
        return step_pair(recipe, device, batch)[0]()

    batch = recipe.batch
    while batch >= LEAST:
        try:
            (attempt or step)(batch)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
        else:
            return batch
        finally:
            if device.type == "cuda":
                torch.cuda.empty_cache()
        batch //= 2
    raise PretrainFailed(f"not even {LEAST} pictures of {recipe.size} px a step fit into memory; use a smaller size")
