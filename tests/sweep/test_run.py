"""Sweeps on the CPU with a recipe of seconds: resumed, shared, killed, and always the same rows."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from t2s_offline.cli.renderers import read_plan
from t2s_offline.errors import BadInput, SweepFailed
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.train_policy import train_policy
from t2s_offline.matrix import Embeddings
from t2s_offline.space import TASK2SIM
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.lease import claimed, is_held
from t2s_offline.sweep.live_cells import live_path
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.one_backbone import open_backbone
from t2s_offline.sweep.pictures import load_data
from t2s_offline.sweep.run import attempts, declare, run
from t2s_offline.sweep.status import merge_stores, progress_of
from t2s_offline.sweep.units import sharded
from t2s_offline.sweep.worker import SweepContext, Unit
from t2s_offline.training.evaluate import evaluate

SPEC = """
name = "test"
tasks = ["digits"]
metrics = ["knn5"]
[design]
kind = "list"
configurations = ["00000000", "11111111", "10000010"]
references = ["scratch"]
[recipe]
classes = 2
objects = 3
images = 8
size = 16
eval_pictures = 100
epochs = 2
batch = 4
"""
COLUMNS = ["recipe", "task", "configuration", "seed", "metric", "accuracy", "val_accuracy", "n_eval", "n_val"]


class Sweep:
    """A specification in a folder, and stores to run it into."""

    def __init__(self, folder: Path, text: str = SPEC) -> None:
        self.folder, self.path = folder, folder / "spec.toml"
        self.path.write_text(text)
        self.spec, self.design, self.units, self.tasks = read_plan(self.path, None)

    def shop(self, name: str) -> SweepContext:
        store = RewardStore(self.folder / f"{name}.duckdb")
        declare(store, self.spec, TASK2SIM, self.tasks)
        return SweepContext(store, self.spec.recipes, TASK2SIM, "cpu")


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    monkeypatch.delenv("T2S_DATA", raising=False)
    return Sweep(tmp_path)


def rewards(store: RewardStore) -> pl.DataFrame:
    return store.frame("rewards").select(COLUMNS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SweepContext:
    """A sweep that nothing disturbed."""
    sweep = Sweep(tmp_path_factory.mktemp("undisturbed"))
    shop = sweep.shop("whole")
    run(sweep.units, shop)
    return shop


@pytest.fixture
def undisturbed(whole: SweepContext) -> pl.DataFrame:
    """Its rows."""
    return rewards(whole.store)


def test_replicates_repeat_the_first_configurations_alone(tmp_path: Path) -> None:
    text = SPEC.replace("[design]", "seeds = 3\n[design]\nreplicates = 2")
    units = Sweep(tmp_path, text).units
    assert [(unit.configuration, unit.seed) for unit in units if unit.seed == 0] == [
        (configuration, 0) for configuration in ("scratch", "00000000", "11111111", "10000010")
    ]
    assert [(unit.configuration, unit.seed) for unit in units if unit.seed == 2] == [
        (configuration, 2) for configuration in ("scratch", "00000000", "11111111")
    ]
    with pytest.raises(BadInput, match="expected 0 to 3"):
        Sweep(tmp_path, text.replace("replicates = 2", "replicates = 4"))
    with pytest.raises(BadInput, match="seeds = 2"):
        Sweep(tmp_path, SPEC.replace("[design]", "[design]\nreplicates = 2"))


def test_every_seed_of_the_first_configurations_comes_before_the_others(tmp_path: Path) -> None:
    text = SPEC.replace("[design]", "seeds = 2\n[design]\nseeds_first = 1")
    units = [(unit.configuration, unit.seed) for unit in Sweep(tmp_path, text).units]
    first = [(name, seed) for seed in (0, 1) for name in ("scratch", "00000000")]
    assert units[:4] == first
    assert units[4:] == [(name, seed) for seed in (0, 1) for name in ("11111111", "10000010")]
    with pytest.raises(BadInput, match="seeds_first = 9; expected 0 to 3"):
        Sweep(tmp_path, text.replace("seeds_first = 1", "seeds_first = 9"))


def test_a_sweep_and_its_resumption(sweep: Sweep, undisturbed: pl.DataFrame) -> None:
    shop, seen = sweep.shop("a"), []
    report = run(sweep.units[:2], shop, progress=lambda outcome, done, total: seen.append((done, total)))
    assert (report.done, report.rows, seen) == (2, 2, [(1, 2), (2, 2)])
    assert len(missing_units(sweep.units, shop.store)) == 2
    run(sweep.units, shop)
    assert rewards(shop.store).equals(undisturbed)
    again = run(sweep.units, shop)
    assert (again.done, again.rows) == (4, 0)
    assert len(attempts(shop.store)) == 3, "one attempt a backbone, none for scratch"
    for name, digest, size in shop.store.frame("backbones").select("configuration", "sha256", "bytes").iter_rows():
        content = next((shop.folder / "backbones").glob(f"*-{name}-0.safetensors")).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (digest, size)


def test_order_and_workers_change_nothing(sweep: Sweep, undisturbed: pl.DataFrame) -> None:
    shop = replace(sweep.shop("b"), workers=2)
    run(sweep.units[::-1], shop)
    assert rewards(shop.store).equals(undisturbed)


def test_backbones_differ_and_rewards_are_those_of_the_backbones(
    whole: SweepContext, undisturbed: pl.DataFrame
) -> None:
    (recipe,) = whole.recipes.values()
    names = ["00000000", "11111111", "10000010"]
    files = {name: next((whole.folder / "backbones").glob(f"*-{name}-0.safetensors")) for name in names}
    found = {
        name: open_backbone(str(files.get(name, name)), recipe, 0, torch.device("cpu"))[0].backbone
        for name in (*names, "scratch")
    }
    # a file has its configuration's name in it, so hashes always differ: the weights must
    weight_BN = torch.stack([torch.cat([one.flatten() for one in net.parameters()]) for net in found.values()])
    assert torch.pdist(weight_BN).min() > 0.01 * weight_BN.norm(dim=1).max()
    parts = load_data("digits", recipe.size, recipe.eval_resize, recipe.eval_pictures, None).parts
    assert undisturbed["configuration"].to_list() == sorted(found)
    for row in undisturbed.iter_rows(named=True):
        (again,) = evaluate(found[row["configuration"]], "digits", parts, recipe, ["knn5"])
        assert (row["accuracy"], row["val_accuracy"]) == (again.accuracy, again.val_accuracy)
        assert 20 < row["accuracy"] < 100, "twice what chance reaches"


SWEEP = """
import sys
from pathlib import Path
from t2s_offline.cli import main
_, spec, store, *rest = sys.argv
sys.argv = ["t2s-offline", "sweep", spec, "--store", store, "--device", "cpu", "--workers", "2", *rest]
main()
"""


def test_three_kills_at_random_moments_lose_nothing(sweep: Sweep, undisturbed: pl.DataFrame) -> None:
    store = RewardStore(sweep.folder / "killed.duckdb")
    command = [sys.executable, "-c", SWEEP, str(sweep.path), str(store.path)]
    chance = random.Random(7)
    for _ in range(3):
        child = subprocess.Popen(command, start_new_session=True)
        time.sleep(chance.uniform(1.5, 6))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 configurations done" in done.stdout
    assert rewards(store).equals(undisturbed)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_a_sweep_that_is_stopped_says_so_and_goes_on(
    sweep: Sweep, undisturbed: pl.DataFrame, number: int, code: int
) -> None:
    shop = sweep.shop("stopped")
    command = [sys.executable, "-c", SWEEP, str(sweep.path), str(shop.store.path), "--log-json"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list((shop.folder / "claims").glob("*/1")) and child.poll() is None:
        time.sleep(0.05)
    child.send_signal(number)
    _, error = child.communicate(timeout=120)
    assert child.returncode == code
    *lines, last = error.strip().splitlines()
    assert last == "interrupted" if code == 130 else last.startswith("left, as asked, with "), error
    events = [json.loads(line) for line in lines if line]
    assert (events[0]["event"], events[0]["missing"], events[-1]["event"]) == ("start", 4, "end")
    assert ("leaving" in {event["event"] for event in events}) == (code == 75)
    assert not any(is_held(shop.claim(unit)) for unit in sweep.units)
    run(sweep.units, shop)
    assert rewards(shop.store).equals(undisturbed)


def test_two_sweeps_share_the_work(sweep: Sweep, undisturbed: pl.DataFrame) -> None:
    path = sweep.folder / "shared.duckdb"
    command = [sys.executable, "-c", SWEEP, str(sweep.path), str(path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for child in both:
        _, error = child.communicate(timeout=300)
        assert child.returncode == 0, error
    store = RewardStore(path)
    assert rewards(store).equals(undisturbed)
    assert all(number == 1 for number, *_ in attempts(store).values()), "none was trained twice"


def test_a_claimed_unit_is_left_to_its_holder(sweep: Sweep) -> None:
    shop = sweep.shop("c")
    from t2s_offline.sweep.run_unit import run_unit

    with claimed(shop.claim(sweep.units[1])) as mine:
        assert mine
        assert run_unit(sweep.units[1], shop).status == "busy"
        assert progress_of(sweep.units, shop)[0]["running"] == 1
    assert progress_of(sweep.units, shop)[0]["running"] == 0


def test_a_task_added_later_needs_no_training(sweep: Sweep) -> None:
    shop = sweep.shop("d")
    run(sweep.units[:2], shop)
    more = [replace(unit, cells=(*unit.cells, ("digits", "logme"))) for unit in sweep.units[:2]]
    report = run(more, shop)
    assert (report.rows, report.train_seconds) == (2, 0)
    assert len(attempts(shop.store)) == 1


def test_a_failure_is_recorded_retried_and_told(sweep: Sweep) -> None:
    recipe_id, recipe = next(iter(sweep.spec.recipes.items()))
    shop = sweep.shop("e")
    # AdamW then multiplies every weight by 1 - 10,000 a step: beyond float32 within a dozen
    broken = replace(shop, recipes={recipe_id: replace(recipe, rate=1e3, weight_decay=10.0, epochs=30)})
    with pytest.raises(SweepFailed, match="not finite"):
        run(sweep.units[1:3], broken, retries=1, keep_going=True)
    states = attempts(shop.store)
    assert {(number, status) for number, status, _ in states.values()} == {(2, "failed")}
    assert progress_of(sweep.units, shop)[0]["failed"] == 2
    report = run(sweep.units[1:3], shop)
    assert report.done == 2
    assert {status for _, status, _ in attempts(shop.store).values()} == {"done"}


def test_shards_of_several_nodes_come_together(sweep: Sweep, undisturbed: pl.DataFrame) -> None:
    stores = []
    for part in ("1/2", "2/2"):
        shop = sweep.shop(f"node{part[0]}")
        run(sharded(sweep.units, part), shop, spool_only=True)
        assert len(rewards(shop.store)) == 0, "the rows wait in the spool"
        stores.append(shop.store)
    merged = RewardStore(sweep.folder / "merged.duckdb")
    merge_stores(merged, stores)
    assert rewards(merged).equals(undisturbed)


def test_what_the_store_has_is_not_declared_again(sweep: Sweep) -> None:
    store = sweep.shop("declared").store
    before = store.path.stat().st_mtime_ns
    declare(store, sweep.spec, TASK2SIM, sweep.tasks)
    assert store.path.stat().st_mtime_ns == before
    declare(store, sweep.spec, TASK2SIM, [*sweep.tasks, {"task": "another"}])
    assert list(store.tasks()) == ["another", "digits"]
    with store.writer() as con:
        con.execute("UPDATE recipes SET contents = NULL")
    declare(store, sweep.spec, TASK2SIM, sweep.tasks)
    assert store.frame("recipes")["contents"].null_count() == 0


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_shards_that_cannot_be(sweep: Sweep, shard: str) -> None:
    with pytest.raises(BadInput, match="i/n"):
        sharded(sweep.units, shard)


def test_a_missing_cell_is_measured_live(sweep: Sweep) -> None:
    """Learning on a table with holes fills exactly those it touches, and the second time there are none."""
    shop = sweep.shop("f")
    recipe_id = next(iter(sweep.spec.recipes))
    table = {configuration: 50.0 + index % 7 for index, configuration in enumerate(TASK2SIM)}
    holes = set(list(TASK2SIM)[::4])
    from t2s_offline.store import schema
    from t2s_offline.store.rows import typed

    rows = [
        {"recipe": recipe_id, "task": task, "configuration": c, "accuracy": a, "val_accuracy": a}
        for task in ("digits", "other")
        for c, a in table.items()
        if task == "other" or c not in holes
    ]
    shop.store.add({"rewards": typed(pl.DataFrame(rows), schema.REWARDS, "planted")})
    matrix = shop.store.matrix(recipe_id)
    vectors = pl.Series([[1.0, 0.2], [0.1, 1.0]]).to_list()
    import numpy as np

    embeddings = Embeddings("p", matrix.tasks, np.array(vectors, dtype=np.float32))
    live = live_path(shop.store, recipe_id, "knn5", validated=matrix.validated, device="cpu")
    trained = train_policy(Reinforce(epochs=12, hidden=8), matrix, embeddings, on_miss="live", live=live)
    touched = {configuration for _, configuration in trained.filled}
    assert touched
    assert touched <= holes
    assert trained.card["misses"] == len(touched) == len(live.outcomes)
    assert live.seconds > 0
    again = train_policy(
        Reinforce(epochs=12, hidden=8), shop.store.matrix(recipe_id), embeddings, on_miss="live", live=live
    )
    assert again.card["misses"] == 0


def test_the_live_path_looks_at_the_part_its_task_is_chosen_on(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    from t2s_offline.store import schema
    from t2s_offline.store.rows import typed
    from t2s_offline.sweep import live_cells as module
    from t2s_offline.sweep.run_unit import Outcome

    shop = sweep.shop("parts")
    recipe_id = next(iter(sweep.spec.recipes))
    row = {"recipe": recipe_id, "configuration": "00000001", "accuracy": 40.0, "val_accuracy": 60.0}
    rows = pl.DataFrame([row | {"task": "digits"}, row | {"task": "other"}])
    shop.store.add({"rewards": typed(rows, schema.REWARDS, "planted")})
    monkeypatch.setattr(module, "run_unit", lambda unit, shop: Outcome(unit, "done"))
    live = live_path(shop.store, recipe_id, "knn5", validated=("digits",), device="cpu")
    assert (live("digits", "00000001"), live("other", "00000001")) == (60, 40)


def test_the_live_path_needs_a_recipe_of_ours(tiny_store: RewardStore) -> None:
    with pytest.raises(BadInput, match="not made by a sweep"):
        live_path(tiny_store, "tiny", "knn5", validated=())


def test_units_name_files_safely() -> None:
    unit = Unit("r-1", "real:../../etc/x", 0, ())
    assert "/" not in unit.name
    assert unit.name != replace(unit, configuration="real:elsewhere").name


def test_specifications_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="reference 'scrach'"):
        Sweep(tmp_path, SPEC.replace('"scratch"', '"scrach"'))
    with pytest.raises(BadInput, match="digits"):
        Sweep(tmp_path, SPEC.replace('tasks = ["digits"]', 'tasks = ["digit"]'))
