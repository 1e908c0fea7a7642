"""The specifications that ship are ones a sweep can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_offline.cli.sweep import read_plan
from t2s_offline.recipe import Recipe
from t2s_offline.render import pixels_version
from t2s_offline.store import RewardStore

TABLES = Path(__file__).parents[1] / "tables"
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
#: The recipe of each: its id decides every seed, so one that changes makes another table of the same specification.
RECIPES = {
    "cpu": "cpu-a0ea692f",
    "gpu": "gpu-9349f666",
    "paper": "paper-76dbee9b",
    "probe": "probe-9debb344",
    "tiny": "tiny-54bb10b9",
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
    assert list(spec.recipes) == [RECIPES[path.stem]], "a changed id changes every seed: is that meant?"


@pytest.mark.parametrize("name", ["cpu", "tiny"])
def test_a_shipped_table_is_of_its_specification(name: str) -> None:
    """The ids of tables/ are those of their contents and of sweeps/, and say which pixels they are of."""
    ((recipe_id, contents),) = RewardStore(TABLES / name).frame("recipes").select("recipe", "contents").iter_rows()
    recipe = Recipe.from_contents(contents)
    assert recipe_id == recipe.recipe_id(name) == RECIPES[name]
    assert recipe.contents() == contents
    assert recipe.renderer_version == pixels_version("builtin")
