"""doctor --benchmark: figures of this machine, and two devices beside each other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from t2s_offline.cli import cli
from t2s_offline.doctor import benchmark
from t2s_offline.doctor.benchmark import batches, compared, multiply_adds
from t2s_offline.recipe import Recipe, SweepSpec

SPEC = """
name = "small"
tasks = ["digits"]
metrics = ["knn5", "linear"]
[design]
kind = "list"
configurations = ["00000000", "11111111"]
references = ["scratch"]
[recipe]
classes = 8
objects = 2
images = 8
size = 32
"""


def test_a_device_is_the_same_as_itself() -> None:
    """The comparison that a GPU gets, of the CPU with the CPU."""
    found = {figure.name: figure for figure in compared(torch.device("cpu"), pictures=16, steps=2)}
    assert len([name for name in found if name.startswith("bytes that differ")]) == 3
    assert all(figure.value == pytest.approx(0, abs=1e-6) for figure in found.values())
    assert "16 pictures" in found["bytes that differ, 00000000"].note
    assert "2 steps" in found["largest difference of losses"].note


def test_differences_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    real, losses = benchmark.drawn, benchmark.losses
    calls = iter(range(100))
    monkeypatch.setattr(benchmark, "embedding", lambda device: np.ones(3, dtype=np.float32))
    monkeypatch.setattr(benchmark, "drawn", lambda *given: real(*given) // (1 + next(calls) % 2))
    monkeypatch.setattr(benchmark, "losses", lambda *given: losses(*given) + next(calls))
    found = {figure.name: figure.value for figure in compared(torch.device("cpu"), pictures=8, steps=2)}
    assert found["bytes that differ, 11111111"] > 50
    assert found["largest difference of losses"] == 1


def test_work_of_a_network() -> None:
    """ResNet-50 has 4.1 G multiply-adds at 224 pixels, of which 2 M are its last layer's; ResNet-18 has 1.8 G."""
    assert multiply_adds("resnet50", 224) == pytest.approx(4.09e9, rel=0.01)
    assert multiply_adds("resnet18", 224) == pytest.approx(1.81e9, rel=0.01)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "TRAININGS", (("resnet18", 64, 256),))
    spec = tmp_path / "small.toml"
    spec.write_text(SPEC)
    words = ["doctor", str(spec), "--benchmark", "--device", "cpu", "--seconds", "2", "--format", "json"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False, standalone_mode=False)
    assert done.return_value == 0
    rows = {row["measure"]: row for row in json.loads(done.stdout)}
    assert "nothing to compare" in rows["device"]["note"]
    assert not any("differ" in name for name in rows), "the CPU is not compared with itself"
    rates = [row["value"] for row in rows.values() if row["unit"] in ("pictures/s", "Tflop/s", "h")]
    assert len(rates) == 8
    assert min(rates) > 0
    assert "% of one constant batch" in rows["pre-training resnet18, 64 px"]["note"]
    assert "3 backbones, 1 tasks" in rows["sweep small.toml"]["note"]


def test_the_batch_that_fits_is_said() -> None:
    recipe = Recipe(batch=4, size=16, classes=2)
    (figure,) = batches(SweepSpec("test", {"test-1": recipe}, {}), torch.device("cpu"))
    assert (figure.value, figure.note) == (4, "the recipe's is 4")
