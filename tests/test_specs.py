"""The specifications that ship are ones a sweep can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_offline.cli.sweep import read_plan
from t2s_offline.recipe import Recipe
from t2s_offline.render import pixels
from t2s_offline.store import RewardStore

TABLES = Path(__file__).parents[1] / "tables"
SPECS = sorted((Path(__file__).parents[1] / "sweeps").glob("*.toml"))
#: configurations, resolution, backbones with references and further seeds
RUNS = {
    "tiny": (16, 4, 2 * 17),
    "cpu": (256, None, 2 * 257),
    "figure6": (2, None, 3 * 2 * 2),
    "figure7": (2, None, 3 * 2 * 2),
    "figure8": (2, None, 4 * 2 * 2),
    "gpu": (256, None, 257 + 33),
    "paper": (256, None, 257),
    "paper237": (2, None, 3),
    "table1": (5, None, 5),
    "probe": (1, None, 1),
}
#: The recipe of each: its id decides every seed, so one that changes makes another table of the same specification.
RECIPES = {
    "cpu": ["cpu-c1585b9f"],
    "gpu": ["gpu-7ab36919"],
    "paper": ["paper-e5cae9f5"],
    "paper237": ["paper237-566dcaec"],
    "probe": ["probe-9a430d9b"],
    "table1": ["table1-566dcaec"],
    "tiny": ["tiny-9bcc3b34"],
    "figure6": ["figure6-classes8-4374c712", "figure6-classes16-cb322634", "figure6-classes64-b18a5b7d"],
    "figure7": [
        "figure7-objects2-images19-dbe548c4",
        "figure7-objects5-images48-74e3ed96",
        "figure7-objects10-images96-bb5dfa42",
    ],
    "figure8": [
        "figure8-images48-e77b8742",
        "figure8-images96-1a8d3a9c",
        "figure8-images192-c1585b9f",
        "figure8-images384-913592dd",
    ],
}
#: The recipes of the shipped tables, and the version of the pixels they are of.
SHIPPED = {"cpu": ("cpu-a0ea692f", "1.1.1"), "tiny": ("tiny-54bb10b9", "1.1.1")}


def test_all_of_them_ship() -> None:
    assert {path.stem for path in SPECS} == set(RUNS)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_specification_is_whole(path: Path) -> None:
    spec, design, units, _tasks = read_plan(path, None)
    runs, resolution, count = RUNS[path.stem]
    assert (len(design.configurations), design.resolution) == (runs, resolution)
    assert len(units) == count
    assert spec.name == path.stem
    assert list(spec.recipes) == RECIPES[path.stem], "a changed id changes every seed: is that meant?"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_table_is_of_its_recipe(name: str) -> None:
    """The ids of tables/ are those of their contents, and say which pixels they are of."""
    ((recipe_id, contents),) = RewardStore(TABLES / name).frame("recipes").select("recipe", "contents").iter_rows()
    recipe = Recipe.from_contents(contents)
    assert (recipe_id, recipe.renderer_version) == SHIPPED[name]
    assert recipe_id == recipe.recipe_id(name)
    assert recipe.contents() == contents
    assert recipe.renderer_version in pixels.VERSIONS["builtin"].values()
