"""Data from others chooses values, never programs, modules, folders or addresses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from t2s_offline.cli.renderers import changed, read_plan
from t2s_offline.errors import BadFile, BadInput, PretrainFailed, T2SError, UnknownName
from t2s_offline.recipe import Recipe, read_spec
from t2s_offline.render import pixels
from t2s_offline.render.renderer import check_recipe, pixels_version, recipe_renderer
from t2s_offline.space import TASK2SIM
from t2s_offline.store.import_export import import_path
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.table_folders import find_tables
from t2s_offline.sweep.hand_over import context_of, hand_over_backbone, render_pictures
from t2s_offline.sweep.pictures import open_renderer, real_pictures, training_pictures
from t2s_offline.sweep.run import declare
from t2s_offline.sweep.worker import SweepContext, Unit
from t2s_offline.tasks import locate
from tests.hostile import reach

NOW = pixels_version("builtin")
KINDS = (
    "build", "words", "address", "list", "assets", "cache", "meshes", "photographs", "unknown", "kind", "module",
    "relative",
)  # fmt: skip


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> reach.Trap:
    for name in ("RENDERER", "MESHES", "BACKGROUNDS", "REAL", "DATA"):
        monkeypatch.delenv(f"T2S_{name}", raising=False)
    return reach.Trap(tmp_path / "trap")


def cli(trap: reach.Trap, cwd: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from t2s_offline.cli import main; main()"
    env = os.environ | trap.environment | environment
    words = (sys.executable, "-c", code, *map(str, words))
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)  # type: ignore[arg-type]


def test_every_kind_is_tried(trap: reach.Trap) -> None:
    assert set(reach.recipes(trap)) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_opens_nothing_that_a_person_did_not_name(
    kind: str, trap: reach.Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every function that renders under a stored recipe refuses it in one line, and nothing is started or written."""
    monkeypatch.syspath_prepend(str(trap.folder / "modules"))
    folder = reach.table(tmp_path / "theirs", reach.recipes(trap)[kind])
    monkeypatch.chdir(tmp_path)
    store = RewardStore(folder)
    recipe_id, _space = store.recipe(None)
    shop = context_of(store, recipe_id, device="cpu")
    recipe = shop.recipes[recipe_id]
    unit = Unit(recipe_id, "11111111", 0, (("digits", "knn5"),))
    from t2s_offline.cli.report import own_renderer
    from t2s_offline.sweep.estimate import estimate

    for attempt in (
        lambda: check_recipe(recipe),
        lambda: recipe_renderer(recipe, device="cpu"),
        lambda: training_pictures(unit, shop, recipe, "cpu"),
        lambda: render_pictures(shop, recipe_id, "11111111", 1, tmp_path / "out", lambda done, total: None),
        lambda: hand_over_backbone(shop, recipe_id, "11111111", tmp_path / "b.safetensors"),
        lambda: estimate([unit], shop),
    ):
        with pytest.raises(BadInput) as caught:
            attempt()
        assert "\n" not in str(caught.value)
        assert not trap.sprung()
    assert own_renderer(recipe) is None
    assert not trap.sprung()
    assert "sprung_module" not in sys.modules


def test_commands_that_take_a_table(trap: reach.Trap, tmp_path: Path) -> None:
    table = reach.table(tmp_path / "theirs", reach.recipes(trap)["build"])
    words = ["--store", table, "--device", "cpu"]
    policy = cli(trap, tmp_path, "learn", "--store", table, "--on-miss", "model", "--epochs", 2, "--out", "policy")
    assert policy.returncode == 0, policy.stderr
    kept = cli(trap, tmp_path, "import", table, "--store", "mine.duckdb")
    assert kept.returncode == 0, kept.stderr
    for command in (
        ["predict", "digits", "--policy", "policy", *words, "--render", 1, "--out", "out"],
        ["predict", "digits", "--policy", "policy", *words, "--pretrain", "--out", "out2"],
        ["learn", "--store", "mine.duckdb", "--on-miss", "live", "--device", "cpu", "--epochs", 2, "--out", "live"],
    ):
        done = cli(trap, tmp_path, *command)
        assert done.returncode == 2, (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        assert "the recipe" in done.stderr.splitlines()[-1]
        assert not trap.sprung()
    for command in (["tables", table], ["report", "--store", table, "--images", "--out", "report.html"]):
        done = cli(trap, tmp_path, *command)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert not trap.sprung()
    assert "pictures: the recipe" in done.stderr


@pytest.mark.parametrize("kind", ["build", "module", "cache", "unknown"])
def test_commands_that_take_a_specification(kind: str, trap: reach.Trap, tmp_path: Path) -> None:
    spec = reach.specification(tmp_path / "spec.toml", reach.recipes(trap)[kind])
    for command in (
        ["sweep", spec, "--dry-run"],
        ["sweep", spec],
        ["status", spec],
        ["doctor", spec],
        ["pretrain", "--recipe", spec, "--config", "00000000", "--out", "b.safetensors"],
    ):
        done = cli(trap, tmp_path, *command)
        assert done.returncode == 2, (command, done.stdout, done.stderr)
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "the recipe" in done.stderr
        assert not trap.sprung()


def test_the_line_says_what_to_give(trap: reach.Trap) -> None:
    said = {}
    for kind, values in reach.recipes(trap).items():
        with pytest.raises(BadInput) as caught:
            check_recipe(Recipe(**values))
        said[kind] = str(caught.value)
    assert said["build"] == "the recipe sets 'build' of the renderer tdw, which only you may: give --tdw-build"
    assert "--objects FILE" in said["list"]
    assert "give --meshes DIR" in said["meshes"]
    assert "give --backgrounds DIR" in said["photographs"]
    assert "a recipe may set catalogue_seed, meshes, photographs" in said["unknown"]
    assert "a whole number" in said["kind"]
    assert "T2S_RENDERER" in said["module"]
    with pytest.raises(UnknownName, match="did you mean builtin"):
        check_recipe(Recipe(renderer="bultin"))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"renderer_options": {"catalogue_seed": 3}},
        {"renderer": "tdw", "renderer_options": {"models": "full", "quality": "high", "settle": 2}},
        {"renderer": "tdw", "renderer_options": {"models": f"list:{'0' * 16}", "materials": "all", "pictures": "png"}},
    ],
)
def test_what_a_recipe_may_set(values: dict[str, Any]) -> None:
    check_recipe(Recipe(**values))


def test_a_renderer_of_ones_own_is_imported_where_it_was_named(
    trap: reach.Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "my_renderer.py"
    module.write_text(
        "PIXELS = '7'\nRECIPE_OPTIONS = {'turns': range(3), 'sharp': bool}\n"
        "def opened(**asked):\n    from tests.render.builtin.toys import toy_renderer\n    return toy_renderer()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "my_renderer:opened"
    recipe = Recipe(renderer=name, renderer_version="7", renderer_options={"turns": 1})
    with pytest.raises(BadInput, match="name it: --renderer, or T2S_RENDERER"):
        pixels_version(name)
    with pytest.raises(BadInput, match="name it"):
        recipe_renderer(recipe)
    monkeypatch.setenv("T2S_RENDERER", "my_renderer:other")
    with pytest.raises(BadInput, match="with the same text"):
        recipe_renderer(recipe)
    assert "my_renderer" not in sys.modules
    monkeypatch.setenv("T2S_RENDERER", name)
    assert pixels_version(name) == "7"
    assert len(recipe_renderer(recipe, device="cpu").classes) == 3
    for options in ({"turns": 3}, {"sharp": 1}, {"path": "/etc"}):
        with pytest.raises(BadInput, match="the recipe sets"):
            recipe_renderer(replace(recipe, renderer_options=options))
    with pytest.raises(BadInput, match=r"version '6'.*makes version '7'"):
        recipe_renderer(replace(recipe, renderer_version="6"))
    # --renderer names it, too
    monkeypatch.delenv("T2S_RENDERER")
    spec = read_spec(reach.specification(tmp_path / "spec.toml", {}))
    monkeypatch.setenv("T2S_RENDERER", "")  # so that what `changed` sets is taken back
    (mine,) = changed(spec, name).recipes.values()
    assert mine.renderer == name
    assert pixels_version(name) == "7"


def test_a_folder_of_meshes_is_named_by_its_contents(
    trap: reach.Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--meshes and --backgrounds make another recipe; it renders only from folders with those files."""
    for name, shape in (("ball", trimesh.creation.icosphere(subdivisions=1)), ("box", trimesh.creation.box())):
        (tmp_path / "meshes" / name).mkdir(parents=True)
        shape.export(tmp_path / "meshes" / name / "one.stl")
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.full((32, 32, 3), 90, dtype=np.uint8)).save(tmp_path / "photos" / "grey.png")
    for name in ("T2S_MESHES", "T2S_BACKGROUNDS"):
        monkeypatch.setenv(name, "")
    spec = reach.specification(tmp_path / "spec.toml", {})
    plain = next(iter(read_plan(spec, None)[0].recipes))
    given = {"meshes": tmp_path / "meshes", "backgrounds": tmp_path / "photos"}
    ((recipe_id, recipe),) = read_plan(spec, None, **given)[0].recipes.items()
    assert recipe_id != plain
    assert all(text.startswith("folder:") for text in recipe.renderer_options.values())
    assert open_renderer(recipe, "cpu").classes == ("ball", "box")
    monkeypatch.setenv("T2S_MESHES", "")
    with pytest.raises(BadInput, match="give their folder with --meshes DIR or T2S_MESHES"):
        recipe_renderer(recipe, device="cpu")
    (tmp_path / "meshes" / "box" / "one.stl").write_bytes(b"other")
    monkeypatch.setenv("T2S_MESHES", str(tmp_path / "meshes"))
    with pytest.raises(BadFile, match="give the folder that it was made with"):
        recipe_renderer(recipe, device="cpu")
    with pytest.raises(BadInput, match="builtin's, not tdw's"):
        read_plan(spec, None, renderer="tdw", meshes=tmp_path / "meshes")


def test_real_pictures_lie_where_the_person_says(
    trap: reach.Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RewardStore(tmp_path / "s.duckdb")
    recipe = Recipe(**{**reach.SMALL, "renderer_version": NOW})
    shop = SweepContext(store, {"r": recipe}, TASK2SIM, "cpu")
    for name in (f"{trap.outside}", "../pets", "a/b", "..", ".", "x\ny"):
        unit = Unit("r", f"real:{name}", 0, ())
        with pytest.raises(BadInput, match="--real NAME=FOLDER") as caught:
            training_pictures(unit, shop, recipe, "cpu")
        assert "\n" not in str(caught.value)
        design = {"references": [f"real:{name}"]}
        if "/" in name or "." in name:
            with pytest.raises(BadInput, match="holds a path"):
                read_plan(reach.specification(tmp_path / "spec.toml", {}, design=design), None)
    with pytest.raises(BadInput, match="no pictures for real:pets; give --real pets=FOLDER"):
        real_pictures("pets", None)
    (tmp_path / "tasks" / "pets").mkdir(parents=True)
    assert real_pictures("pets", tmp_path / "tasks") == tmp_path / "tasks" / "pets"
    monkeypatch.setenv("T2S_REAL", os.pathsep.join(["cats=/c", f"pets={trap.outside}"]))
    assert real_pictures("pets", tmp_path / "tasks") == trap.outside


def test_sweep_takes_real_pictures(trap: reach.Trap, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("dark", "light"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            pixels_HWC = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels_HWC).save(tmp_path / "photos" / name / f"{number}.png")
    design = {"configurations": ["00000000"], "references": ["real:pets"]}
    spec = reach.specification(tmp_path / "spec.toml", {"eval_pictures": 40}, design=design)
    words = ["sweep", spec, "--store", "s.duckdb", "--device", "cpu", "--workers", 1]
    lost = cli(trap, tmp_path, *words)
    assert lost.returncode == 2
    assert "give --real pets=FOLDER" in lost.stderr
    assert "expected NAME=FOLDER" in cli(trap, tmp_path, *words, "--real", "pets").stderr
    done = cli(trap, tmp_path, *words, "--real", f"pets={tmp_path / 'photos'}")
    assert done.returncode == 0, done.stderr
    assert set(RewardStore(tmp_path / "s.duckdb").frame("rewards")["configuration"]) == {"real:pets", "00000000"}


@pytest.mark.parametrize("name", ["/etc", "../secret", "{data}/mine", "..", "x" * 300, "a\0b", "a\nb", ""])
def test_tasks_of_data_are_names(name: str, tmp_path: Path, trap: reach.Trap) -> None:
    """A specification's or a table's task opens no path; the command line still may."""
    data = tmp_path / "data"
    for label in ("a", "b"):
        (data / "mine" / label).mkdir(parents=True)
        (tmp_path / "secret" / label).mkdir(parents=True)
    name = name.format(data=data)
    with pytest.raises(BadInput) as caught:
        locate(name, data)
    assert "\n" not in str(caught.value)
    assert locate(str(data / "mine"), None, paths=True).name == "mine"
    assert locate("mine", data).name == "mine"
    with pytest.raises(BadInput):
        read_plan(reach.specification(tmp_path / "spec.toml", {}, tasks=[name]), data)


def test_a_stores_task_opens_no_folder(tmp_path: Path, trap: reach.Trap) -> None:
    from t2s_offline.cli.report import studio_of
    from t2s_offline.sweep.pictures import load_data

    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "secret" / label).mkdir(parents=True)
        for number in range(12):
            pixels_HWC = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels_HWC).save(tmp_path / "secret" / label / f"{number}.png")
    with pytest.raises(BadInput, match="only a command line"):
        load_data(str(tmp_path / "secret"), 16, 1.0, 0, None)
    table = reach.table(tmp_path / "theirs", {}, tasks=("digits", str(tmp_path / "secret")))
    studio = studio_of(RewardStore(table), None, None)
    assert studio.task(str(tmp_path / "secret"), 16) is None
    assert studio.task("digits", 16) is not None


@pytest.mark.parametrize(
    "recipe_id",
    ["../../x", "/etc/x", "a/b-12345678", "..", ".hidden", "a\0b", "a\nb", "x" * 300, "", "~", "a b", "ünï", "a\\b"],
)
def test_files_of_units_are_safe_whatever_a_recipe_is_called(recipe_id: str, tmp_path: Path) -> None:
    shop = SweepContext(RewardStore(tmp_path / "s.duckdb"), {}, TASK2SIM)
    for configuration in ("00000000", "../../x", "real:/etc", "٣", "0" * 500):
        unit = Unit(recipe_id, configuration, 0, ())
        for path in (shop.backbone(unit), shop.checkpoint(unit)):
            assert path.resolve().parent.parent == (tmp_path / "s.duckdb.work").resolve()
            assert len(path.name) < 200
            assert path.name.isascii()
            assert path.name.isprintable()
        assert unit.name != replace(unit, recipe_id=f"{recipe_id}'").name
    assert Unit("cpu-a0ea692f", "01100100", 1, ()).name == "cpu-a0ea692f-01100100-1", "kept backbones are found again"


def test_a_specifications_name_stays_in_the_folder(tmp_path: Path, trap: reach.Trap) -> None:
    spec = reach.specification(tmp_path / "spec.toml", {"eval_pictures": 40}, name="../../x")
    (tmp_path / "work").mkdir()
    before = {path for path in tmp_path.rglob("*") if "work" not in path.parts}
    done = cli(trap, tmp_path, "sweep", spec, "--store", "work/s.duckdb", "--device", "cpu", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert {path for path in tmp_path.rglob("*") if "work" not in path.parts} == before
    assert len(list((tmp_path / "work" / "s.duckdb.work" / "backbones").iterdir())) == 4


def test_pixels_of_another_version_are_refused_and_kept_backbones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from t2s_offline.sweep.kept_backbones import KeptBackbones
    from t2s_offline.sweep.live_cells import live_path
    from t2s_offline.training.networks import build, save_backbone

    recipe = Recipe(**{**reach.SMALL, "renderer_version": "1.0.0", "eval_pictures": 40})
    store = RewardStore(tmp_path / "s.duckdb")
    spec = replace(read_spec(reach.specification(tmp_path / "spec.toml", {})), recipes={recipe.recipe_id(): recipe})
    declare(store, spec, TASK2SIM, [{"task": "digits", "source": "embedded"}])
    shop = context_of(store, recipe.recipe_id(), device="cpu")
    match = f"version '1.0.0' of the pixels of builtin, and this one makes version '{NOW}'"
    with pytest.raises(BadInput, match=match):
        render_pictures(shop, recipe.recipe_id(), "00000000", 1, tmp_path / "out", lambda done, total: None)
    with pytest.raises(BadInput, match=match):
        hand_over_backbone(shop, recipe.recipe_id(), "00000000", tmp_path / "b.safetensors")
    with pytest.raises(PretrainFailed, match=match):
        live_path(store, recipe.recipe_id(), "knn5", validated=(), device="cpu")("digits", "00000000")
    unit = Unit(recipe.recipe_id(), "00000000", 0, ())
    save_backbone(shop.backbone(unit), build(recipe.backbone, seed=0), None, {"size": 16})
    assert 0 <= KeptBackbones(shop, recipe.recipe_id(), "digits").measure(0) <= 100
    assert "kept by the sweep" in hand_over_backbone(shop, recipe.recipe_id(), "00000000", tmp_path / "b.safetensors")
    # sources that nobody has looked at are another version
    monkeypatch.setattr(pixels, "VERSIONS", {"builtin": {}, "tdw": {}})
    pixels.version.cache_clear()
    try:
        with pytest.raises(BadInput, match="makes version 'dev-"):
            recipe_renderer(replace(recipe, renderer_version=NOW), device="cpu")
    finally:
        pixels.version.cache_clear()


def test_a_specification_of_another_version_is_refused(tmp_path: Path) -> None:
    spec = reach.specification(tmp_path / "spec.toml", {"renderer_version": "1.0.0"})
    with pytest.raises(BadInput, match=r"renderer_version = '1.0.0' in a recipe.*leave it out"):
        read_plan(spec, None)


def test_a_stored_recipe_under_the_id_of_another(tmp_path: Path, trap: reach.Trap) -> None:
    """Rewards of one recipe under the id of another: no rendering and no training under it, and the line says so."""
    recipe = Recipe(**{**reach.SMALL, "renderer_version": NOW})
    folder = reach.shipped(tmp_path / "theirs", *reach.renamed(recipe, images=5))
    store = RewardStore(folder)
    with pytest.raises(BadInput, match="other contents than its id says"):
        context_of(store, recipe.recipe_id("theirs"))
    with pytest.raises(BadInput, match="other contents than its id says"):
        import_path(RewardStore(tmp_path / "mine.duckdb"), folder)
    assert "other contents than its id says" in find_tables([str(folder)])[0].problem


def test_a_recipes_line_is_one_line() -> None:
    for name in ("x\ny:z", "a:b\n", "m:" + "f" * 500):
        with pytest.raises(T2SError) as caught:
            check_recipe(Recipe(renderer=name))
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 700


def test_a_card_says_which_pixels(tmp_path: Path, trap: reach.Trap) -> None:
    """`pretrain --config` writes the pixels' version into the backbone's card."""
    from t2s_offline.training.networks import load_backbone

    spec = reach.specification(tmp_path / "spec.toml", {})
    words = ["--recipe", spec, "--config", "00000000", "--device", "cpu", "--out", "b.safetensors"]
    done = cli(trap, tmp_path, "pretrain", *words)
    assert done.returncode == 0, done.stderr
    card = load_backbone(tmp_path / "b.safetensors").card
    assert card["pixels"] == NOW
    assert json.loads(card["contents"])["renderer"] == "builtin"
