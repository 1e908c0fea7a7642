"""The specifications that ship are ones a sweep can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_offline.cli.sweep import read_plan

SPECS = sorted((Path(__file__).parents[1] / "sweeps").glob("*.toml"))
#: configurations, resolution, backbones with references and further seeds
RUNS = {
    "tiny": (16, 4, 2 * 17),
    "cpu": (65, 5, 66 + 34),
    "gpu": (256, None, 257 + 33),
    "paper": (256, None, 257),
    "paper237": (2, None, 3),
    "table1": (5, None, 5),
    "probe": (1, None, 1),
}


def test_all_of_them_ship() -> None:
    assert {path.stem for path in SPECS} == set(RUNS)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_specification_is_whole(path: Path) -> None:
    spec, design, units, _tasks = read_plan(path, None)
    runs, resolution, count = RUNS[path.stem]
    assert (len(design.configurations), design.resolution) == (runs, resolution)
    assert len(units) == count
    assert spec.name == path.stem
    assert len(spec.recipes) == 1
