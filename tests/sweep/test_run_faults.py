"""Sweeps in which something goes wrong: what was paid for is kept, and the others go on."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from t2s_offline.cli.merge import merge
from t2s_offline.cli.status import status
from t2s_offline.errors import BadFile, BadInput, StoreError, SweepFailed
from t2s_offline.images.task_data import task_digest
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.store.spool import absorb, refused, shards, spool_folder, write_shard
from t2s_offline.sweep import run_unit as work
from t2s_offline.sweep.live_cells import live_path
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.run import attempts, run
from t2s_offline.sweep.run_unit import obtain, run_unit, unrepeatable
from t2s_offline.sweep.status import merge_stores, progress_of
from t2s_offline.sweep.worker import SweepContext, Unit
from t2s_offline.training.checkpoint import read_checkpoint
from t2s_offline.training.pretrain import Trainer
from tests.sweep.test_run import SPEC, Sweep

ONE = SPEC.replace(
    'configurations = ["00000000", "11111111", "10000010"]\nreferences = ["scratch"]', 'configurations = ["00000000"]'
)
THREE = SPEC.replace('references = ["scratch"]\n', "")


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    monkeypatch.delenv("T2S_DATA", raising=False)
    return Sweep(tmp_path, THREE)


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    monkeypatch.delenv("T2S_DATA", raising=False)
    return Sweep(tmp_path, ONE)


def stepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a step of training is a failure of the test."""

    def stepped(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(Trainer, "step", stepped)


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


# one live cell after a sweep that kept no backbones


def test_a_live_cell_after_a_sweep_without_backbones_blocks_nothing(one: Sweep) -> None:
    shop = replace(one.shop("a"), keep_backbones=False)
    run(one.units, shop)
    (unit,) = one.units
    live = live_path(shop.store, unit.recipe_id, "logme", validated=(), device="cpu")
    assert live("digits", unit.configuration) is not None
    assert absorb(shop.store) == {}
    more = [replace(unit, cells=(*unit.cells, ("digits", "logme"), ("digits", "linear")))]
    assert run(more, shop).rows == 1
    assert merge_stores(shop.store, []) == {}
    assert attempts(shop.store)[unit.recipe_id, unit.configuration, 0][0] == 2, "the third found the live backbone"
    assert refused(shop.store) == {}


def test_keys_of_attempts_do_not_repeat_and_sort_by_time() -> None:
    keys = [unrepeatable() for _ in range(200)]
    assert len(set(keys)) == 200
    assert [key[:-8] for key in keys] == sorted(key[:-8] for key in keys)


# refused shards


def refuse_one(one: Sweep) -> RewardStore:
    store = one.shop("a").store
    row = {"recipe": one.units[0].recipe_id, "task": "digits", "configuration": "00000000", "accuracy": 130.0}
    write_shard(store, "bad", {"rewards": typed(pl.DataFrame([row]), schema.REWARDS, "test")})
    return store


def test_status_and_merge_name_refused_shards(one: Sweep) -> None:
    store = refuse_one(one)
    before = CliRunner().invoke(status, [str(one.path), "--store", str(store.path)], catch_exceptions=False)
    assert before.exit_code == 0
    merged = CliRunner().invoke(merge, ["--store", str(store.path)], catch_exceptions=False)
    assert merged.exit_code == 0
    assert "refused: shard bad: shard: accuracy 130.0" in merged.stderr
    assert merged.stdout.strip() == f"{store.path}: nothing new; 1 shard(s) refused"
    after = CliRunner().invoke(status, [str(one.path), "--store", str(store.path)], catch_exceptions=False)
    assert after.exit_code == 0
    assert "refused: shard bad: shard: accuracy 130.0" in after.stderr


def test_a_damaged_shard_keeps_no_sweep_and_no_status_from_working(one: Sweep) -> None:
    shop = one.shop("a")
    junk = spool_folder(shop.store) / f"{one.units[0].name}-junk"
    junk.mkdir(parents=True)
    (junk / "rewards.parquet").write_bytes(b"PAR1 nonsense")
    assert progress_of(one.units, shop)[0]["waiting"] == 1
    assert run(one.units, shop, spool_only=True).done == 1
    assert run(one.units, shop).done == 1
    assert list(refused(shop.store)) == [junk.name]


def test_rows_that_the_store_refuses_fail_the_sweep(one: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, measure = one.shop("a"), work._write

    def wrong(unit: Unit, shop: SweepContext, tables: dict[str, list[dict[str, object]]]) -> None:
        measure(
            unit,
            shop,
            {
                name: [
                    row | {"status": "strange"} if name == "backbones" else row | {"seed": 9}
                    for row in rows
                    if name != "tasks"
                ]
                for name, rows in tables.items()
            },
        )

    monkeypatch.setattr(work, "_write", wrong)
    with pytest.raises(SweepFailed, match=r"its rows were refused: .*strange"):
        run(one.units, shop)


def test_merging_goes_on_after_a_store_that_contradicts(one: Sweep, tmp_path: Path) -> None:
    def node(name: str, seed: int, digest: str) -> RewardStore:
        store = one.shop(name).store
        row = {"recipe": one.units[0].recipe_id, "task": "digits", "configuration": "00000000", "accuracy": 50.0}
        rewards = typed(pl.DataFrame([{**row, "seed": seed}]), schema.REWARDS, "test")
        task = typed(pl.DataFrame([{"task": "digits", "digest": digest}]), schema.TASKS, "test")
        store.add({"rewards": rewards, "tasks": task})
        return store

    whole = RewardStore(tmp_path / "whole.duckdb")
    nodes = [node("one", 0, "a" * 32), node("two", 1, "b" * 32), node("three", 2, "a" * 32)]
    with pytest.raises(
        BadInput, match=r"two\.duckdb was not merged: task digits here has other pictures.*other 2 were"
    ):
        merge_stores(whole, nodes)
    assert sorted(whole.frame("rewards")["seed"]) == [0, 2]


# a training is kept until its backbone, or its rows, are


def test_a_save_that_fails_costs_no_training(one: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, (unit,) = one.shop("a"), one.units
    with monkeypatch.context() as patch:
        patch.setattr("t2s_offline.training.networks.write_whole", no_space)
        with pytest.raises(SweepFailed, match=r"cannot write the backbone.*No space left"):
            run(one.units, shop, retries=0)
    kept = read_checkpoint(shop.checkpoint(unit))
    assert kept is not None
    assert kept[1]["progress"]["epoch"] == 2, "the last epoch"
    stepless(monkeypatch)
    assert run(one.units, shop).done == 1
    assert not shop.checkpoint(unit).exists()
    assert shop.backbone(unit).exists()


def test_rows_that_cannot_be_written_cost_no_training(one: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, (unit,) = replace(one.shop("a"), keep_backbones=False), one.units
    with monkeypatch.context() as patch:
        patch.setattr(work, "_write", no_space)
        with pytest.raises(SweepFailed, match="No space left"):
            run(one.units, shop, retries=0)
    stepless(monkeypatch)
    assert run(one.units, shop).done == 1
    assert not shop.checkpoint(unit).exists()


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EIO, "Input/output error")], ids=["memory", "disk"])
def test_a_failure_that_may_pass_keeps_the_checkpoint(
    one: Sweep, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    shop, (unit,) = one.shop("a"), one.units
    step, steps = Trainer.step, 0

    def failing(self: Trainer, *rest: object) -> object:
        nonlocal steps
        steps += 1
        if shop.checkpoint(unit).exists():
            raise error
        return step(self, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", failing)
        with pytest.raises(SweepFailed):
            run(one.units, shop, retries=0)
    kept = read_checkpoint(shop.checkpoint(unit))
    assert kept is not None
    assert kept[1]["progress"]["epoch"] == 1
    assert run(one.units, shop).done == 1


def test_a_kill_after_the_backbone_is_kept_leaves_no_checkpoint_for_good(one: Sweep) -> None:
    shop, (unit,) = one.shop("a"), one.units
    obtain(unit, shop)
    shop.checkpoint(unit).write_bytes(b"of a process that was killed here")
    obtain(unit, shop)
    assert not shop.checkpoint(unit).exists()


# one unit's failure is its own

FAILURES = [
    BadFile("a damaged file"),
    ValueError("a value"),
    OSError(errno.EIO, "Input/output error"),
    KeyError("x"),
    BadInput("no"),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_keep_going_survives_whatever_one_unit_meets(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    shop, made = sweep.shop("a"), work.training_pictures

    def failing(unit: Unit, *rest: object) -> object:
        if unit.configuration == "11111111":
            raise error
        return made(unit, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(work, "training_pictures", failing)
    with pytest.raises(SweepFailed, match=r"-11111111-0 failed: .*2 of 3 are done"):
        run(sweep.units, shop, keep_going=True)
    (left,) = missing_units(sweep.units, shop.store)
    number, state, told = attempts(shop.store)[left.recipe_id, left.configuration, 0]
    assert (number, state) == (1 if type(error) is BadInput else 2, "failed")
    assert str(error).strip("'") in str(told)


def test_keep_going_survives_a_unit_that_fails_in_another_process(sweep: Sweep, tmp_path: Path) -> None:
    shop = replace(sweep.shop("a"), workers=2)
    folder = shop.backbone(sweep.units[1])
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"no backbone")
    with pytest.raises(SweepFailed, match=r"is not safetensors.*2 of 3 are done"):
        run(sweep.units, shop, keep_going=True, retries=0)
    assert len(missing_units(sweep.units, shop.store)) == 1


class Deadly(str):
    """A configuration that ends the process which unpickles it, as the system does when memory runs out."""

    def __reduce__(self) -> tuple[object, tuple[int, int]]:
        return _die, (os.getpid(), 0)


def _die(parent: int, _: int) -> str:
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return "11111111"


def test_a_worker_that_is_killed_is_a_failure_and_no_traceback(sweep: Sweep) -> None:
    shop = replace(sweep.shop("a"), workers=2)
    deadly = [sweep.units[0], replace(sweep.units[1], configuration=Deadly("11111111")), sweep.units[2]]
    with pytest.raises(SweepFailed, match=r"-11111111-0 failed: it lost 3 workers: .*2 of 3 are done"):
        run(deadly, shop, keep_going=True, retries=0)
    assert run(sweep.units, replace(shop, workers=1)).done == 3


def test_what_the_person_gave_stops_a_sweep_at_once(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, tried = sweep.shop("a"), []

    def wrong(unit: Unit, *_: object) -> None:
        tried.append(unit)
        raise BadInput("a folder of 3 classes; expected 4")

    monkeypatch.setattr(work, "training_pictures", wrong)
    with pytest.raises(SweepFailed, match="a folder of 3 classes"):
        run(sweep.units, shop, retries=3)
    assert len(tried) == 1


def test_a_failure_that_cannot_be_recorded_is_told_and_the_others_go_on(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, written, seen = sweep.shop("a"), work._write, []

    def failing(unit: Unit, shop: SweepContext, tables: dict[str, list[dict[str, object]]]) -> None:
        if unit.configuration == "11111111":
            raise StoreError("cannot write the shard: No space left on device")
        written(unit, shop, tables)

    monkeypatch.setattr(work, "_write", failing)
    with pytest.raises(SweepFailed, match=r"could not be recorded: .*2 of 3 are done"):
        run(sweep.units, shop, keep_going=True, retries=0, progress=lambda outcome, *_: seen.append(outcome.status))
    assert sorted(seen) == ["done", "done", "failed"]


def test_a_store_that_is_held_for_a_while_ends_no_sweep_that_keeps_going(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, calls = sweep.shop("a"), 0

    def held(store: RewardStore) -> dict[str, int]:
        nonlocal calls
        calls += 1
        if calls in (2, 3):
            raise StoreError("locked")
        return absorb(store)

    monkeypatch.setattr("t2s_offline.sweep.run.absorb", held)
    assert run(sweep.units, shop, keep_going=True).done == 3
    assert shards(shop.store) == []
    assert not missing_units(sweep.units, shop.store)


def test_claims_that_cannot_be_made_are_failures(one: Sweep) -> None:
    shop, (unit,) = one.shop("a"), one.units
    shop.claim(unit).parent.mkdir(parents=True)
    shop.claim(unit).write_text("where the folder of claims should be")
    with pytest.raises(SweepFailed, match="cannot write"):
        run([unit], shop, keep_going=True, retries=0)


def test_a_task_of_other_pictures_is_refused_before_anything_is_trained(
    one: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, (unit,) = one.shop("a"), one.units
    shop.store.add({"tasks": typed(pl.DataFrame([{"task": "digits", "digest": "a" * 32}]), schema.TASKS, "test")})
    stepless(monkeypatch)
    outcome = run_unit(unit, shop)
    assert outcome.hopeless
    assert "task digits: embedded holds other pictures" in outcome.error
    monkeypatch.undo()
    with shop.store.writer() as con:
        con.execute("UPDATE tasks SET digest = $1", [task_digest("digits")])
    assert run_unit(unit, shop).status == "done"
    absorb(shop.store)
    row = shop.store.frame("tasks").row(0, named=True)
    assert (row["digest"], row["classes"]) == (task_digest("digits"), 10)
    assert row["n_train"] is None, "parts were limited, so not counted"
