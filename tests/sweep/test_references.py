"""Reference backbones of a sweep: rows beside those of configurations, with seeds of their own."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from t2s_offline.errors import BadInput, SweepFailed
from t2s_offline.render import pixels
from t2s_offline.space import PROCEDURAL, SCRATCH, TASK2SIM, is_reference
from t2s_offline.store import schema
from t2s_offline.store.query import query
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.sweep.run import run
from tests.sweep.test_run import SPEC, Sweep, rewards

THREE = SPEC.replace('["scratch"]', '["scratch", "fractals", "dead_leaves"]\nreference_seeds = 3')


@pytest.fixture(autouse=True)
def no_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T2S_DATA", raising=False)


def test_references_have_seeds_of_their_own_and_change_no_recipe(tmp_path: Path) -> None:
    plain, three = Sweep(tmp_path, SPEC), Sweep(tmp_path, THREE)
    assert list(three.spec.recipes) == list(plain.spec.recipes)
    units = [(unit.configuration, unit.seed) for unit in three.units]
    names = (SCRATCH, *PROCEDURAL)
    references = [(name, seed) for seed in range(3) for name in names]
    assert units == [*references, ("00000000", 0), ("11111111", 0), ("10000010", 0)]
    more = Sweep(tmp_path, THREE.replace("[design]", "seeds = [1, 7]\n[design]")).units
    assert {unit.seed for unit in more if unit.configuration == "fractals"} == {0, 1, 2}
    assert {unit.seed for unit in more if unit.configuration == "00000000"} == {1, 7}
    for wrong in ("0", "true", "[0, 1]", "-1", "1000000"):
        with pytest.raises(BadInput, match="reference_seeds"):
            Sweep(tmp_path, THREE.replace("reference_seeds = 3", f"reference_seeds = {wrong}"))
    with pytest.raises(BadInput, match="scratch, fractals, dead_leaves or real:NAME"):
        Sweep(tmp_path, THREE.replace("dead_leaves", "dead_leafs"))


def test_references_are_trained_measured_and_kept_apart(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, THREE.replace("reference_seeds = 3", "reference_seeds = 2"))
    units = [unit for unit in sweep.units if unit.configuration not in ("11111111", "10000010")]
    shop = sweep.shop("a")
    report = run(units, shop)
    assert report.rows == 7
    (recipe_id,) = sweep.spec.recipes
    assert set(shop.store.references(recipe_id)) == {SCRATCH, *PROCEDURAL}
    assert shop.store.matrix().measured_C.sum() == 1, "00000000 alone is a configuration"
    assert query(shop.store, "SELECT DISTINCT configuration FROM cells")[1] == [("00000000",)]
    seeds = query(shop.store, "SELECT configuration, seeds FROM reference_backbones ORDER BY 1")[1]
    assert seeds == [("dead_leaves", 2), ("fractals", 2), ("scratch", 2)]
    made = shop.store.frame("backbones").filter(pl.col("configuration").is_in(PROCEDURAL))
    assert {json.loads(text)["pixels"] for text in made["versions"]} == {pixels.version(name) for name in PROCEDURAL}
    assert made["train_accuracy"].is_between(0, 100).all()
    assert sorted(path.name for path in (shop.folder / "backbones").iterdir())[0].endswith("00000000-0.safetensors")
    assert shop.backbone(units[1]).name == f"{recipe_id}-fractals-0.safetensors"
    again = sweep.shop("b")
    run(units[::-1], again)
    assert rewards(again.store).equals(rewards(shop.store)), "the same rows in another order"
    assert rewards(shop.store)["accuracy"].n_unique() > 5


def test_references_of_other_pixels_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Sweep(tmp_path, THREE)
    shop, units = sweep.shop("a"), [unit for unit in sweep.units if unit.configuration == "fractals"]
    run(units[:1], shop)
    found = pixels.digest(pixels.SOURCES["fractals"])
    monkeypatch.setitem(pixels.VERSIONS["fractals"], found, "2")
    pixels.version.cache_clear()
    try:
        with pytest.raises(SweepFailed, match="'1' of its pixels, and version '2' is made here: sweep the references"):
            run(units, shop)
    finally:
        monkeypatch.undo()
        pixels.version.cache_clear()


def test_no_reference_can_be_a_configuration() -> None:
    for name in (SCRATCH, *PROCEDURAL):
        assert is_reference(name)
        assert f"'{name}'" in schema.SIMULATED
        with pytest.raises(BadInput):
            TASK2SIM.digits(name)


def test_views_of_an_earlier_release_are_replaced_by_the_next_write(tmp_path: Path) -> None:
    """They counted new references among the configurations."""
    store = RewardStore(tmp_path / "s.duckdb")
    row = {"recipe": "r", "task": "t", "accuracy": 50.0}
    rows = pl.DataFrame([row | {"configuration": "00000000"}, row | {"configuration": "fractals"}])
    recipe = pl.DataFrame([{"recipe": "r", "space": str(TASK2SIM)}])
    store.add({"recipes": typed(recipe, schema.RECIPES, "x"), "rewards": typed(rows[:1], schema.REWARDS, "x")})
    with duckdb.connect(str(store.path)) as con:
        for name, body in schema.VIEWS.items():
            old = body.replace(schema.SIMULATED, "configuration <> 'scratch' AND configuration NOT LIKE 'real:%'")
            con.execute(f"CREATE OR REPLACE VIEW {name} AS {old.strip()}")
    store.add({"rewards": typed(rows, schema.REWARDS, "x")})
    assert query(store, "SELECT configuration FROM cells")[1] == [("00000000",)]
    assert query(store, "SELECT configuration FROM reference_backbones")[1] == [("fractals",)]
