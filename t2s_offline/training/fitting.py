"""The largest batch that fits into a GPU's memory, by steps that are tried."""

from __future__ import annotations

from collections.abc import Callable

import torch

from t2s_offline.errors import PretrainFailed
from t2s_offline.recipe import Recipe
from t2s_offline.training.pretrain import out_of_memory
from t2s_offline.training.speed import step_pair

LEAST = 2


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
