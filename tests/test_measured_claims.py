"""The benchmarks of docs/published-table.md, docs/statistics.md and docs/paper.md run, in small."""

from __future__ import annotations

import copy
import sys
from functools import partial

import numpy as np
import pytest
import torch

from t2s_offline.learners.exact import Exact
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.training.networks import build, extract
from tests.bench import centre, claims, coverage, published_mode, published_table
from tests.planted import Planted


@pytest.mark.parametrize(
    ("bench", "variable"),
    [(published_mode, "T2S_DATA"), (published_table, "T2S_TASK2SIM"), (claims, "T2S_TASK2SIM")],
    ids=["mode", "table", "claims"],
)
def test_without_data_nothing_is_measured(
    bench, variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "argv", ["bench"])
    bench.main()
    assert "nothing is measured" in capsys.readouterr().out


def test_training_mode_depends_on_the_batch_and_stochastic_depth_does_what_its_rate_says() -> None:
    image_NCHW = np.random.default_rng(0).integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
    backbone = build("resnet18-narrow", seed=0)
    alone = extract(backbone, image_NCHW)
    whole, halves = [np.arange(12)], [np.arange(6), np.arange(6, 12)]
    one, two = (published_mode.trained_features(copy.deepcopy(backbone), image_NCHW, b) for b in (whole, halves))
    assert not torch.allclose(one, two, rtol=0.05)
    for rate, same in ((0.0, True), (0.5, False)):
        network = copy.deepcopy(backbone)
        published_mode.drop_paths(network, rate, torch.Generator().manual_seed(0))
        assert torch.allclose(extract(network, image_NCHW), alone) is same


def test_batches_of_one_class() -> None:
    label_N = np.array([1, 0, 1, 1, 0, 2])
    assert [part.tolist() for part in published_mode.of_one_class(label_N, 2)] == [[1, 4], [0, 2], [3], [5]]


def test_the_number_of_test_pictures_is_read_off_accuracies() -> None:
    right_C = np.random.default_rng(0).integers(0, 601, 256)
    assert published_table.pictures(100 * right_C / 600) == 600


def test_likeness_is_ranked_among_the_seen_tasks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from t2s_offline.space import TASK2SIM

    matrix, embeddings = Planted(TASK2SIM, tasks=5).draw(np.random.default_rng(0))
    monkeypatch.setattr(claims, "LIKE", {"task04": "task02"})
    output = {"twin": np.zeros((5, 8, 2))}
    output["twin"][:4] = np.arange(4)[:, None, None] / 10
    output["twin"][4] = 0.2
    claims.alike(matrix, embeddings, output, [0, 1, 2, 3])
    assert "1.0 (first in 2 of 2)" in capsys.readouterr().out
    found = claims.outputs(Exact(epochs=3), matrix, embeddings, list(matrix.tasks[:4]), 2)
    assert found.shape == (5, 8, 2)
    assert ((found >= 0) & (found <= 1)).all()


def test_coverage_is_counted_against_a_known_truth() -> None:
    """Of eight skewed values percentiles are narrower than ours and hold the truth less often."""
    rng, held = np.random.default_rng(5), np.zeros(2)
    for _ in range(150):
        value_T = rng.gamma(1.5, 0.4, 8)
        ends = [make(value_T, rng) for make in (coverage.percentile, coverage.ours)]
        held += [low <= 0.6 <= high for low, high in ends]
    assert held[0] < held[1]


def test_the_ablation_of_centre_prints_seen_and_left_out_tasks(
    tiny_store: RewardStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(centre, "Reinforce", partial(Reinforce, epochs=3, hidden=8))
    centre.report("tiny", tiny_store, seeds=2, left_out=1)
    printed = capsys.readouterr().out
    assert printed.count("| tiny | ") == 2
    for line in ("tiny, reinforce, not", "tiny, reinforce_centred, not", "tiny, centred minus plain"):
        assert line in printed
