"""The specifications in sweeps/ can be run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2s_offline.cli.renderers import read_plan
from t2s_offline.recipe import Recipe
from t2s_offline.render import pixels
from t2s_offline.store.reward_store import RewardStore
from tests.cli.test_commands import run

TABLES = Path(__file__).parents[1] / "tables"
SPECS = sorted((Path(__file__).parents[1] / "sweeps").glob("*.toml"))
#: configurations, resolution, backbones with references and further seeds
RUNS = {
    "tiny": (16, 4, 2 * 17),
    "cpu": (256, None, 2 * 257),
    "references": (2, None, 3 * 5),
    "figure6": (2, None, 3 * 2 * 2),
    "figure7": (2, None, 3 * 2 * 2),
    "figure8": (2, None, 4 * 2 * 2),
    "agreement": (16, 4, 2 * 16),
    "agreement64": (16, 4, 2 * 16),
    "gpu": (256, None, 257 + 33),
    "paper": (256, None, 257),
    "imagenet": (1, None, 3),
    "paper237": (2, None, 3),
    "table1": (5, None, 5),
    "probe": (1, None, 1),
}
#: The recipe of each: its id decides every seed, so one that changes makes another table of the same specification.
RECIPES = {
    "agreement": ["agreement-dc9d5b72"],
    "agreement64": ["agreement64-cbde1915"],
    "cpu": ["cpu-c1585b9f"],
    "references": ["cpu-c1585b9f"],
    "gpu": ["gpu-7ab36919"],
    "paper": ["paper-e5cae9f5"],
    "imagenet": ["paper-e5cae9f5"],
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
#: Specifications that fill another's recipe under its name, so that their rows stand beside its own.
NAMES = {"imagenet": "paper", "references": "cpu"}
#: The recipes of the shipped tables, and the version of the pixels they are of.
SHIPPED = {"cpu": ("cpu-c1585b9f", "2.1.1"), "tiny": ("tiny-9bcc3b34", "2.1.1")}


def test_all_of_them_ship() -> None:
    assert {path.stem for path in SPECS} == set(RUNS)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_specification_is_whole(path: Path) -> None:
    spec, design, units, _tasks = read_plan(path, None)
    runs, resolution, count = RUNS[path.stem]
    assert (len(design.configurations), design.resolution) == (runs, resolution)
    assert len(units) == count
    assert spec.name == NAMES.get(path.stem, path.stem)
    assert list(spec.recipes) == RECIPES[path.stem], "a changed id changes every seed: is that meant?"


def shrunk(path: Path, **values: object) -> str:
    """A specification's text with other values, for a sweep that takes seconds."""
    text = path.read_text()
    for name, value in values.items():
        text, times = re.subn(rf"(?m)^{name} = .*$", f"{name} = {json.dumps(value)}", text)
        assert times == 1, name
    return text


def test_the_imagenet_subset_runs_on_a_stand_in(tmp_path: Path) -> None:
    """Class folders in place of ImageNet's: so many classes and pictures are taken, and the row stands in `references`
    of the recipe that configurations have."""
    folder, rng = tmp_path / "real", np.random.default_rng(0)
    for name in "abcd":
        (folder / name).mkdir(parents=True)
        for at in range(6):
            Image.fromarray(rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(folder / name / f"{at}.png")
    spec, store = tmp_path / "small.toml", tmp_path / "small.duckdb"
    spec.write_text(
        shrunk(
            SPECS[0].parent / "imagenet.toml", classes=3, images=4, objects=2, size=16, render_size=16, samples=1,
            backbone="resnet18-narrow", epochs=1, warmup_epochs=0, batch=4, tasks=["digits"], metrics=["knn5"],
        )
    )  # fmt: skip
    done = run("sweep", spec, "--store", store, "--real", f"imagenet100={folder}", "--workers", "1", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    kept = RewardStore(store)
    ((recipe, space),) = kept.recipes().items()
    assert set(kept.references(recipe)) == {"scratch", "real:imagenet100"}
    assert kept.matrix().measured_C[space.index("11111111")]
    missing = run("sweep", spec, "--store", tmp_path / "none.duckdb", "--data", tmp_path, "--device", "cpu")
    assert missing.returncode == 2
    assert "give --real imagenet100=FOLDER" in missing.stderr


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_table_is_of_its_recipe(name: str) -> None:
    """The ids of tables/ are those of their contents, and say which pixels they are of."""
    ((recipe_id, contents),) = RewardStore(TABLES / name).frame("recipes").select("recipe", "contents").iter_rows()
    recipe = Recipe.from_contents(contents)
    assert (recipe_id, recipe.renderer_version) == SHIPPED[name]
    assert recipe_id == recipe.recipe_id(name)
    assert recipe.contents() == contents
    assert recipe.renderer_version in pixels.VERSIONS["builtin"].values()
