"""The specifications that ship are ones a sweep can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_offline.cli.sweep import read_plan

SPECS = sorted((Path(__file__).parents[1] / "sweeps").glob("*.toml"))
RUNS = {"tiny": (16, 4), "cpu": (64, 5), "gpu": (256, None), "paper": (256, None)}


def test_all_four_ship() -> None:
    assert {path.stem for path in SPECS} == set(RUNS)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_specification_is_whole(path: Path) -> None:
    spec, design, units, _tasks = read_plan(path, None)
    runs, resolution = RUNS[path.stem]
    assert (len(design.configurations), design.resolution) == (runs, resolution)
    assert len(units) == runs + 1, "and scratch"
    assert spec.name == path.stem
    assert len(spec.recipes) == 1
