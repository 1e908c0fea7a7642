"""What a sweep will take, and which cells it is missing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from t2s_offline.recipe import BACKBONES
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.store.spool import write_shard
from t2s_offline.sweep.estimate import FILE_BYTES, estimate
from t2s_offline.sweep.missing import missing_units
from t2s_offline.training.networks import build
from tests.sweep.test_references import THREE
from tests.sweep.test_run import SPEC, Sweep


@pytest.fixture(autouse=True)
def no_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T2S_DATA", raising=False)


def rewards(sweep: Sweep, *configurations: str) -> pl.DataFrame:
    (recipe,) = sweep.spec.recipes
    rows = [{"recipe": recipe, "task": "digits", "configuration": name, "accuracy": 50.0} for name in configurations]
    return typed(pl.DataFrame(rows), schema.REWARDS, "x")


def test_bytes_of_a_backbone_are_those_of_its_network() -> None:
    assert set(FILE_BYTES) == set(BACKBONES)
    for name in ("resnet18", "resnet18-narrow"):
        values = build(name, seed=0).trunk.state_dict().values()
        assert FILE_BYTES[name] == sum(value.numel() * (2 if value.dim() > 1 else 4) for value in values)


def test_references_that_are_trained_are_counted(tmp_path: Path) -> None:
    """Scratch needs no training, fractals and dead leaves as much as a configuration."""
    sweep = Sweep(tmp_path, THREE)
    shop = sweep.shop("a")
    (recipe,) = sweep.spec.recipes
    row = {"recipe": recipe, "configuration": "00000000", "seed": 0, "attempt": "1", "status": "done"}
    known = pl.DataFrame([row | {"render_seconds": 1.0, "train_seconds": 9.0}])
    shop.store.add({"backbones": typed(known, schema.BACKBONES, "x")})
    found = estimate(sweep.units, shop)
    assert found.seconds == pytest.approx(10.0 * (3 + 2 * 3))
    assert found.disk == 9 * FILE_BYTES["resnet18-narrow"]
    assert estimate([], shop).seconds == 0
    assert estimate([unit for unit in sweep.units if unit.configuration == "scratch"], shop).basis == "nothing to train"


def test_what_is_missing_is_what_neither_the_store_nor_a_shard_has(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    units = [replace(unit, cells=(*unit.cells, ("digits", "logme"))) for unit in sweep.units]
    assert missing_units(units, RewardStore(tmp_path / "none.duckdb")) == units
    store = sweep.shop("a").store
    store.add({"rewards": rewards(sweep, "scratch")})
    write_shard(store, f"{units[1].name}-1-x", {"rewards": rewards(sweep, "00000000")})
    left = missing_units(units, store)
    assert [unit.cells for unit in left] == [*[(("digits", "logme"),)] * 2, units[2].cells, units[3].cells]
    assert [missing_units([unit], store) for unit in units] == [[unit] for unit in left], "alone as together"
    assert missing_units(sweep.units, store) == sweep.units[2:]
    assert missing_units(sweep.units[:1], store) == []


def test_status_and_a_dry_run_load_neither_torch_nor_a_renderer(tmp_path: Path) -> None:
    """With nothing to render: status of any store, and a dry run where attempts say what a configuration takes."""
    sweep = Sweep(tmp_path, SPEC)
    shop = sweep.shop("a")
    (recipe,) = sweep.spec.recipes
    row = {"recipe": recipe, "configuration": "00000000", "seed": 0, "attempt": "1", "status": "done"}
    known = pl.DataFrame([row | {"render_seconds": 1.0, "train_seconds": 9.0}])
    shop.store.add({"backbones": typed(known, schema.BACKBONES, "x"), "rewards": rewards(sweep, "00000000")})
    code = (
        "import sys\nfrom t2s_offline.cli import main\nsys.argv = ['t2s-offline', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'warp', 'tdw', 'trimesh', 'polars'} & set(sys.modules)\n"
        "sys.exit(f'loads {heavy}' if heavy else 0)"
    )
    for words in (["status"], ["sweep", "--dry-run", "--workers", "2"]):
        command = [sys.executable, "-c", code, words[0], str(sweep.path), "--store", str(shop.store.path), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert recipe in done.stdout
