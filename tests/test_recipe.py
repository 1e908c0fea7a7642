"""Recipes and specifications from TOML."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import field, fields, make_dataclass
from pathlib import Path
from typing import Any

import pytest

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.recipe import BOUNDS, WRITTEN, Recipe, check_id, expand, read_recipe, read_spec

SPEC = """
name = "cpu"
tasks = ["digits", "usps"]
metrics = ["knn5", "linear"]
seeds = 2
[design]
kind = "fractional"
runs = 16
[recipe]
epochs = 3
rate = 1
images = [64, 128]
renderer_options = { photographs = "somewhere" }
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_id_is_of_the_contents() -> None:
    assert Recipe().recipe_id("cpu") == Recipe(rate=1e-3).recipe_id("cpu")
    assert Recipe().digest != Recipe(epochs=7).digest
    assert Recipe().recipe_id("cpu").startswith("cpu-")
    assert Recipe(rate=1).digest == Recipe(rate=1.0).digest
    one = Recipe(renderer_options={"a": 1, "b": "x"})
    assert one.digest == Recipe(renderer_options={"b": "x", "a": 1}).digest
    assert hash(one) == hash(Recipe(renderer_options={"b": "x", "a": 1}))


def test_a_field_added_later_changes_no_id_that_leaves_it_alone() -> None:
    """Seeds derive from the digest: a new field must not change those of recipes that do not use it."""
    added = [("mixing", float, field(default=0.0)), ("extra", str, field(default="none"))]
    later: Any = make_dataclass("Later", added, bases=(Recipe,), frozen=True, eq=False)
    assert later().contents() == Recipe().contents()
    assert later(epochs=9).digest == Recipe(epochs=9).digest
    assert later(mixing=0.5).digest != Recipe().digest
    assert '"mixing":0.5' in later(mixing=0.5).contents()
    assert "extra" not in later(mixing=0.5).contents()


def test_contents_of_the_first_fields_are_pinned() -> None:
    """Never add a name to WRITTEN, nor change a default: either changes ids and seeds of stored recipes."""
    assert set(WRITTEN) <= {item.name for item in fields(Recipe)}
    assert len(WRITTEN) == 41
    assert Recipe().digest == "0c4c9703"


def test_an_id_is_of_its_contents() -> None:
    recipe = Recipe(epochs=9)
    for recipe_id, contents in (
        (recipe.recipe_id("a"), recipe.contents()),
        ("published", recipe.contents()),
        ("theirs-0123abcd", '{"other": 1}'),
        ("theirs-0123abcd", "no JSON"),
        ("theirs-0123abcd", None),
    ):
        check_id(recipe_id, contents)
    with pytest.raises(BadInput, match="other contents than its id says"):
        check_id(recipe.recipe_id("a"), Recipe(epochs=8).contents())


def test_contents_read_back_the_same() -> None:
    recipe = Recipe(epochs=9, crop_area=0.3, renderer_options={"threads": 2})
    assert Recipe.from_contents(recipe.contents()) == recipe
    for text in ("{", "[]", '{"epoch": 3}'):
        with pytest.raises(BadInput):
            Recipe.from_contents(text)


def test_every_number_has_bounds() -> None:
    numbers = {name for name, value in vars(Recipe()).items() if type(value) in (int, float)}
    assert numbers == set(BOUNDS)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"epochs": 1.5}, "a whole number"),
        ({"epochs": True}, "a whole number"),
        ({"epochs": -1}, "0 to"),
        ({"rate": float("nan")}, "0 to"),
        ({"rate": "fast"}, "a number"),
        ({"flip": 1}, "true or false"),
        ({"backbone": "resnet19"}, "did you mean resnet18"),
        ({"renderer_options": {"a": [1]}}, "texts and numbers"),
        ({"warmup_epochs": 6.0}, "fewer than the 6"),
        ({"classes": 1}, "2 to"),
    ],
)
def test_values_that_make_no_sense(values: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        Recipe.from_table(values)


def test_a_specification(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path / "cpu.toml", SPEC))
    assert spec.name == "cpu"
    assert spec.tasks == ("digits", "usps")
    assert spec.seeds == (0, 1)
    assert spec.metrics == ("knn5", "linear")
    assert spec.design == {"kind": "fractional", "runs": 16}
    assert [recipe.images for recipe in spec.recipes.values()] == [64, 128]
    for recipe_id, recipe in spec.recipes.items():
        assert recipe_id == f"cpu-images{recipe.images}-{recipe.digest}"
        assert recipe.rate == 1.0
    least = read_spec(write(tmp_path / "least.toml", ""))
    assert least.tasks == ()
    assert least.recipes == {f"least-{Recipe().digest}": Recipe()}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[recipe]\nepoch = 3", "unknown key in .*did you mean epochs"),
        ("[recipy]", "did you mean recipe"),
        ("seeds = [1, 1]", "different numbers"),
        ("seeds = 0", "seeds = 0"),
        ("metrics = ['knn']", "did you mean knn5"),
        ("metrics = 'knn5'", "expected a list"),
        ("tasks = 'all'", "expected 'present'"),
        ("[design]\nruns = 3", "has no kind"),
        ("[recipe]\nimages = []", "one value or more"),
        ("name = ", "is not TOML"),
    ],
)
def test_specifications_that_are_wrong(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_spec(write(tmp_path / "bad.toml", text))


def test_one_recipe_of_a_file(tmp_path: Path) -> None:
    flat = read_recipe(write(tmp_path / "flat.toml", "epochs = 3"))
    assert flat == (f"flat-{Recipe(epochs=3).digest}", Recipe(epochs=3))
    assert read_recipe(write(tmp_path / "spec.toml", "name = 'x'\n[recipe]\nepochs = 3"))[1] == Recipe(epochs=3)
    with pytest.raises(BadInput, match="stands for 2 recipes"):
        read_recipe(write(tmp_path / "cpu.toml", SPEC))
    with pytest.raises(BadFile, match="cannot read"):
        read_recipe(tmp_path / "none.toml")


def test_unknown_keys_are_an_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        read_recipe(write(tmp_path / "bad.toml", "wieght_decay = 0.1"))


def test_reading_a_recipe_needs_no_torch() -> None:
    code = (
        "import sys, t2s_offline.recipe, t2s_offline.tasks; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_lists_are_crossed_or_gone_through_together(tmp_path: Path) -> None:
    table = {"objects": [2, 5], "images": [19, 48]}
    assert [(r.objects, r.images) for r in expand(table, "x").values()] == [(2, 19), (2, 48), (5, 19), (5, 48)]
    assert [(r.objects, r.images) for r in expand(table, "x", together=True).values()] == [(2, 19), (5, 48)]
    with pytest.raises(BadInput, match="expected one length"):
        expand(table | {"images": [1, 2, 3]}, "x", together=True)
    (tmp_path / "s.toml").write_text('together = "yes"\n[design]\nkind = "full"\n')
    with pytest.raises(BadInput, match="expected true or false"):
        read_spec(tmp_path / "s.toml")
