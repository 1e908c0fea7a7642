"""The benchmark behind Figure 9: the distance is 1 where colour has no effect, and small where only colour counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from t2s_offline.images.task_data import load_task
from tests.bench import neighbours


@pytest.mark.parametrize(
    ("by_colour", "least", "most"), [(True, 0.0, 0.2), (False, 0.8, 1.2)], ids=["colour", "chance"]
)
def test_colour_distance(by_colour: bool, least: float, most: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def nearest(_backbone: object, bank_NCHW: np.ndarray, query_NCHW: np.ndarray) -> np.ndarray:
        bank_B3, query_N3 = (image.mean(axis=(2, 3), dtype=float) for image in (bank_NCHW, query_NCHW))
        distance_NB = np.linalg.norm(query_N3[:, None] - bank_B3[None], axis=2)
        chance_NB = np.random.default_rng(0).random(distance_NB.shape)
        return np.argsort(distance_NB if by_colour else chance_NB, axis=1)[:, :5]

    monkeypatch.setattr(neighbours, "nearest", nearest)
    colour_N, right_N = neighbours.measure(torch.nn.Identity(), load_task("digits", 16))  # type: ignore[arg-type]
    assert least <= colour_N.mean() <= most
    assert len(colour_N) == len(right_N)
    assert 0 <= right_N.min() <= right_N.max() <= 1
