"""The batch that fits, found by trying."""

from __future__ import annotations

import pytest
import torch

from t2s_offline.errors import PretrainFailed
from t2s_offline.recipe import Recipe
from t2s_offline.training.fitting import fitting_batch

CPU = torch.device("cpu")


def test_batches_are_halved_until_one_fits() -> None:
    tried = []

    def attempt(batch: int) -> None:
        tried.append(batch)
        if batch > 100:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    assert fitting_batch(Recipe(batch=512), CPU, attempt) == 64
    assert tried == [512, 256, 128, 64]


def test_other_errors_are_told() -> None:
    def broken(batch: int) -> None:
        raise RuntimeError("device-side assert")

    def full(batch: int) -> None:
        raise MemoryError

    with pytest.raises(RuntimeError, match="assert"):
        fitting_batch(Recipe(), CPU, broken)
    with pytest.raises(PretrainFailed, match="smaller size"):
        fitting_batch(Recipe(), CPU, full)


def test_a_real_step() -> None:
    assert fitting_batch(Recipe(batch=4, size=16, classes=2), CPU) == 4


def test_compiling_is_another_recipe_and_changes_no_other() -> None:
    assert Recipe(compiled=True).digest != Recipe().digest
    assert "compiled" not in Recipe().contents()
