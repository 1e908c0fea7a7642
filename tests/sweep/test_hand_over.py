"""A folder of pictures, from prediction to a dataset and a backbone, on the CPU with a recipe of seconds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from PIL import Image

from t2s_offline.cli.renderers import read_plan
from t2s_offline.errors import BadInput
from t2s_offline.images.image_files import Pictures
from t2s_offline.images.task_data import load_task, task_digest
from t2s_offline.matrix import Embeddings
from t2s_offline.recipe import Recipe
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.store.spool import absorb
from t2s_offline.sweep.hand_over import (
    context_of,
    embedded,
    hand_over_backbone,
    probe_of,
    render_pictures,
)
from t2s_offline.sweep.kept_backbones import KeptBackbones
from t2s_offline.sweep.live_cells import LivePath
from t2s_offline.sweep.run import declare, run
from t2s_offline.sweep.run_unit import run_unit
from t2s_offline.sweep.worker import SweepContext, Unit, single_threaded
from t2s_offline.training import task2vec
from t2s_offline.training.evaluate import evaluate
from t2s_offline.training.networks import build, load_backbone, save_backbone
from tests.cli.test_commands import failed

SPEC = """
tasks = ["digits"]
[design]
kind = "list"
configurations = ["00000000", "11111111"]
[recipe]
classes = 2
objects = 2
images = 4
size = 16
epochs = 1
batch = 4
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepContext:
    monkeypatch.delenv("T2S_DATA", raising=False)
    (tmp_path / "spec.toml").write_text(SPEC)
    spec, _design, units, tasks = read_plan(tmp_path / "spec.toml", None)
    store = RewardStore(tmp_path / "s.duckdb")
    declare(store, spec, TASK2SIM, tasks)
    shop = SweepContext(store, spec.recipes, TASK2SIM, "cpu")
    run(units[:1], shop)
    return shop


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of twelve small pictures: dark and light ones."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 190)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.clip(rng.normal(level, 30, size=(20, 24, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def test_kept_backbones_are_measured_as_the_sweep_did(shop: SweepContext) -> None:
    recipe_id = next(iter(shop.recipes))
    kept = KeptBackbones(shop, recipe_id, "digits")
    assert np.flatnonzero(kept.allowed_C).tolist() == [0]
    assert kept.measure(0) == shop.store.frame("rewards")["val_accuracy"][0]


def test_a_folder_of_pictures_is_embedded_and_measured(shop: SweepContext, photos: Path, tmp_path: Path) -> None:
    recipe_id = next(iter(shop.recipes))
    kept = KeptBackbones(shop, recipe_id, photos)
    assert 0 <= kept.measure(0) <= 100
    probe_file = tmp_path / "probe.safetensors"
    save_backbone(probe_file, build("resnet18-narrow", seed=0), None, {"size": 16})
    probe = task2vec.open_probe(str(probe_file))
    name = task2vec.probe_name(probe, probe.size)
    width = len(task2vec.embed(_digits(), probe, "digits", samples=16))
    known = Embeddings(name, ("digits",), np.ones((1, width), dtype=np.float32))
    task = load_task(photos, probe.size)
    found, made = probe_of(known, str(probe_file))
    assert made == task2vec.Made(probe.name, 16, "sample", 1000)
    embeddings = embedded(task, "mine", known, found, made)
    assert embeddings.tasks == ("digits", "mine")
    assert np.isfinite(embeddings.vector_TD).all()
    again = embedded(task, "digits", known, found, made)
    assert again.tasks == ("digits",)
    np.testing.assert_array_equal(again.vector_TD[0], embeddings.vector_TD[1])
    for name, expected in (("other", "do not say how they were made"), ("resnet18-0123abcd-16px", "use that probe")):
        with pytest.raises(BadInput, match=expected):
            probe_of(Embeddings(name, ("digits",), known.vector_TD), str(probe_file))
    with pytest.raises(BadInput, match=r"--probe FILE"):
        probe_of(known, None)


@pytest.mark.parametrize("metric", ["knn5", "linear", "logme", "finetune"])
def test_the_metric_that_is_asked_for_is_measured_as_the_recipe_says(metric: str, shop: SweepContext) -> None:
    recipe_id, recipe = next(iter(shop.recipes.items()))
    recipe = replace(recipe, eval_pictures=60, eval_resize=1.2, linear_epochs=2, finetune_epochs=1)
    shop = replace(shop, recipes={recipe_id: recipe})
    kept = KeptBackbones(shop, recipe_id, "digits", metric)
    parts = load_task("digits", 16, resize=1.2).limited(60).parts
    assert {name: len(part) for name, part in kept.task.parts.items()} == {n: len(p) for n, p in parts.items()}
    np.testing.assert_array_equal(kept.task["val"].image_NCHW, parts["val"].image_NCHW)
    backbone = load_backbone(shop.backbone(Unit(recipe_id, "00000000", 0, ()))).backbone
    with single_threaded(shop):
        assert kept.measure(0) == evaluate(backbone, "digits", parts, recipe, (metric,))[0].val_accuracy


def test_what_is_not_kept_is_trained_only_where_that_is_wanted(shop: SweepContext) -> None:
    kept = KeptBackbones(shop, next(iter(shop.recipes)), "digits")
    with pytest.raises(BadInput, match="00000001 is not at hand; train it with --on-miss live"):
        kept.make(1)


def test_pictures_other_than_the_stores_are_not_measured(shop: SweepContext) -> None:
    recipe_id = next(iter(shop.recipes))
    KeptBackbones(shop, recipe_id, "digits", stored=task_digest("digits")).measure(0)
    with pytest.raises(BadInput, match="task digits: embedded holds other pictures"):
        KeptBackbones(shop, recipe_id, "digits", stored="0" * 32).measure(0)


def knows_other_digits(shop: SweepContext) -> None:
    with shop.store.writer() as con:
        con.execute("UPDATE tasks SET digest = $1", ["0" * 32])


def test_a_sweep_and_a_live_cell_measure_no_other_pictures(shop: SweepContext, tmp_path: Path) -> None:
    recipe_id = next(iter(shop.recipes))
    knows_other_digits(shop)
    before = shop.store.frame("rewards"), shop.store.frame("backbones")
    with pytest.raises(BadInput, match="task digits: embedded holds other pictures"):
        LivePath(shop, recipe_id, "knn5", ())("digits", "11111111")
    outcome = run_unit(Unit(recipe_id, "00000000", 0, (("digits", "linear"),)), shop)
    assert "task digits: embedded holds other pictures" in outcome.error
    line = failed("sweep", tmp_path / "spec.toml", "--store", shop.store.path, "--workers", "1", "--device", "cpu")
    assert "task digits: embedded holds other pictures" in line
    absorb(shop.store)
    after = shop.store.frame("rewards"), shop.store.frame("backbones").filter(pl.col("status") == "done")
    assert all(new.equals(old) for new, old in zip(after, before, strict=True)), "a failed attempt at most is recorded"


def _digits() -> Pictures:
    return load_task("digits", 16).parts["val"]


def test_dataset_and_backbone_are_handed_over(shop: SweepContext, tmp_path: Path) -> None:
    recipe_id = next(iter(shop.recipes))
    progress: list[tuple[int, int]] = []
    line = render_pictures(shop, recipe_id, "11111111", 2, tmp_path / "out", lambda *done: progress.append(done))
    assert "4 images of 2 classes" in line
    assert len(list((tmp_path / "out").rglob("*.png"))) == 4
    assert progress[-1] == (4, 4)
    assert "kept" in hand_over_backbone(shop, recipe_id, "00000000", tmp_path / "a.safetensors")
    assert "trained now" in hand_over_backbone(shop, recipe_id, "11111111", tmp_path / "b.safetensors")
    cards = [load_backbone(tmp_path / f"{name}.safetensors").card for name in "ab"]
    assert [card["configuration"] for card in cards] == ["00000000", "11111111"]


def test_a_recipe_of_others_has_no_context(tmp_path: Path) -> None:
    store = RewardStore(tmp_path / "s.duckdb")
    row = {"recipe": "theirs", "space": str(TASK2SIM), "source": "paper"}
    store.add({"recipes": typed(pl.DataFrame([row]), schema.RECIPES, "paper")})
    with pytest.raises(BadInput, match="not made by a sweep"):
        context_of(store, "theirs")


def test_the_share_that_is_tested_is_read_from_the_recipe(tmp_path: Path) -> None:
    """By kept backbones, by a sweep's unit and by `evaluate` alike: of 1,797 digits 540 for 359."""
    from t2s_offline.cli.evaluate import evaluate_command

    text, recipe = 'size = 16\ntest_share = 0.3\nprecision = "float32"', Recipe(size=16, test_share=0.3)
    wanted = len(load_task("digits", 16, test_share=0.3)["test"])
    assert wanted > 1.4 * len(load_task("digits", 16)["test"])
    store = RewardStore(tmp_path / "rewards.duckdb")
    shop = SweepContext(store, {"r": recipe}, TASK2SIM, "cpu")
    assert len(KeptBackbones(shop, "r", "digits").task["test"]) == wanted
    (tmp_path / "r.toml").write_text(text)
    options = ["--task", "digits", "--recipe", str(tmp_path / "r.toml"), "--device", "cpu", "--format", "json"]
    done = CliRunner().invoke(evaluate_command, ["scratch", *options])
    assert json.loads(done.stdout)[0]["n_eval"] == wanted
    design = 'kind = "list"\nconfigurations = ["00000000"]\nreferences = ["scratch"]'
    (tmp_path / "spec.toml").write_text(f'tasks = ["digits"]\n[design]\n{design}\n[recipe]\n{text}\n')
    spec, _design, units, tasks = read_plan(tmp_path / "spec.toml", None)
    declare(store, spec, TASK2SIM, tasks)
    (scratch,) = (unit for unit in units if unit.configuration == "scratch")
    assert run_unit(scratch, SweepContext(store, spec.recipes, TASK2SIM, "cpu")).status == "done"
    absorb(store)
    assert store.frame("rewards")["n_eval"].to_list() == [wanted]


def test_a_plan_knows_which_tasks_are_relatives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are written with the tasks, so that whoever compares learners leaves them out together."""
    monkeypatch.setenv("T2S_DATA", str(tmp_path))
    pictures = np.zeros((4, 8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", x_train=pictures, y_train=np.array([0, 1, 0, 1]))
    (tmp_path / "tasks.csv").write_text("task,relatives\nmine,woods\n")
    spec_file = tmp_path / "spec.toml"
    spec_file.write_text(
        'name = "s"\ntasks = ["digits", "mine"]\n[design]\nkind = "list"\nconfigurations = ["00000000"]\n'
    )
    spec, _design, _units, tasks = read_plan(spec_file, None)
    store = RewardStore(tmp_path / "s.duckdb")
    declare(store, spec, TASK2SIM, tasks)
    assert store.relatives() == {"digits": "digits", "mine": "woods"}
