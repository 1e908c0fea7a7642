"""What predict hands over is usable: a card whose code runs, features, a classifier that names new pictures."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_digits

import t2s_offline as t2s
from t2s_offline.cli import main
from t2s_offline.cli.renderers import read_plan
from t2s_offline.errors import BadFile, BadInput
from t2s_offline.images.task_data import load_task
from t2s_offline.recipe import Recipe
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.sweep.handed_task import HandedTask
from t2s_offline.sweep.model_card import ModelCard
from t2s_offline.sweep.run import declare
from t2s_offline.sweep.worker import SweepContext, Unit
from t2s_offline.tensor_files import announced
from t2s_offline.training import task2vec
from t2s_offline.training.networks import SavedBackbone, build, save_backbone
from t2s_offline.training.portable import write_portable
from tests.hostile.make import TERMINAL, safetensors_bytes

SPEC = """
tasks = ["digits"]
[design]
kind = "list"
configurations = ["00000000", "01100100"]
[recipe]
classes = 2
objects = 2
images = 4
size = 32
epochs = 1
batch = 4
"""
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str | Path) -> Done:
    """A command in this process: starting another one for each takes longer than the command."""
    out, err, before, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["t2s-offline", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.argv = before
    return Done(code, out.getvalue(), err.getvalue())


def failed(*arguments: str | Path) -> str:
    """Run what must fail; returns its one line."""
    done = run(*arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr
    assert done.stderr.startswith("error: ")
    return done.stderr


def write_halves(root: Path) -> tuple[Path, Path]:
    """scikit-learn's digits as class folders of PNG: every other picture to known/, the rest to new/."""
    digits = load_digits()
    for at, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        folder = root / ("new" if at % 2 else "known") / f"digit{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(image * (255 / 16)).astype(np.uint8)).save(folder / f"{at:04}.png")
    return root / "known", root / "new"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with known/ and new/ pictures, and mine/: what predict handed over for known/. The backbone has initial
    weights, and lies where a sweep would have kept it."""
    home = tmp_path_factory.mktemp("home")
    known, _new = write_halves(home)
    (home / "spec.toml").write_text(SPEC)
    spec, _design, _units, _tasks = read_plan(home / "spec.toml", None)
    store, (recipe_id,) = RewardStore(home / "s.duckdb"), spec.recipes
    declare(store, spec, TASK2SIM, [{"task": name, "source": "toy"} for name in ("birds", "cars")])
    shop, rewards = SweepContext(store, spec.recipes, TASK2SIM, "cpu"), []
    for seed, configuration in enumerate(("00000000", "01100100")):
        card = {"recipe": recipe_id, "configuration": configuration, "size": 32}
        network = build("resnet18-narrow", seed=seed)
        save_backbone(shop.backbone(Unit(recipe_id, configuration, 0, ())), network, None, card)
        rewards += [
            {"recipe": recipe_id, "task": task, "configuration": configuration, "accuracy": 50.0 + seed}
            for task in ("birds", "cars")
        ]
    save_backbone(home / "probe.safetensors", build("resnet18-narrow", seed=0), None, {"size": 16})
    probe = task2vec.open_probe(str(home / "probe.safetensors"))
    width = len(task2vec.embed(load_task("digits", 16).limited(30).bank, probe, "digits", samples=16))
    rng = np.random.default_rng(0)
    vectors = [
        {"task": task, "probe": task2vec.probe_name(probe, 16), "embedding": rng.uniform(0, 1, width).tolist()}
        for task in ("birds", "cars")
    ]
    store.add({
        "rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "toy"),
        "embeddings": typed(pl.DataFrame(vectors), schema.EMBEDDINGS, "toy"),
    })  # fmt: skip
    policy = t2s.learn(t2s.open_table(store.path), on_miss="skip", epochs=1, hidden=4, warmup_epochs=0)
    policy.save(home / "policy")
    options = ["--policy", home / "policy", "--store", store.path, "--probe", home / "probe.safetensors"]
    more = ["--samples", "16", "--measure", "2", "--pretrain", "--features", "--classifier", "--device", "cpu"]
    done = run("predict", known, *options, *more, "--out", home / "mine")
    assert done.returncode == 0, done.stderr
    assert "classifier.safetensors: 10 classes, " in done.stderr
    return home


def test_new_pictures_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    done = run("classify", "new", "--with", "mine", "--format", "json", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = json.loads(done.stdout)
    assert len(rows) == 898
    assert list(rows[0]) == ["path", "class", "probability", "class_2", "probability_2", "class_3", "probability_3"]
    right = np.mean([Path(row["path"]).parent.name == row["class"] for row in rows])
    assert right > 0.7, "chance is 0.1"
    for row in rows:
        assert 0 < row["probability_3"] <= row["probability_2"] <= row["probability"] <= 1
    card = json.loads(announced(home / "mine" / "classifier.safetensors", ("F32",)).metadata["t2s_offline"])
    assert abs(card["accuracy"] / 100 - right) < 0.08, "folds say what new pictures give"
    assert card["classes"] == [f"digit{at}" for at in range(10)]


def test_python_gives_what_the_command_gives(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    assert "new/digit4/0" in failed("classify", "new/digit3", "new/digit4/0", "--with", "mine")
    files = sorted(Path("new/digit4").iterdir())[:2]
    words = ["classify", "new/digit3", *files, "--with", "mine", "--top", "2", "--device", "cpu"]
    done = run(*words, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    seen: list[tuple[int, int]] = []
    frame = t2s.classify(["new/digit3", *files], "mine", top=2, device="cpu", progress=lambda *at: seen.append(at))
    assert [row["path"] for row in rows] == frame["path"].to_list()
    assert [row["class_2"] for row in rows] == frame["class_2"].to_list()
    assert seen[-1] == (len(frame), len(frame))
    assert frame.schema["probability"] == pl.Float64
    assert t2s.classify(files[0], "mine", top=99, device="cpu").width == 21
    table = run(*words).stdout
    assert "digit3" in table
    assert max(map(len, table.splitlines())) <= 80


def test_what_is_no_picture_is_named_and_skipped(home: Path, tmp_path: Path) -> None:
    good = next((home / "new" / "digit0").iterdir())
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "b.png").write_bytes(good.read_bytes())
    (tmp_path / "in" / "a.png").write_bytes(good.read_bytes()[:60])
    (tmp_path / "in" / "notes.txt").write_text("x")
    (tmp_path / "in" / ".hidden.png").write_bytes(good.read_bytes())
    words = ["--with", home / "mine", "--format", "csv", "--device", "cpu"]
    done = run("classify", tmp_path / "in", *words)
    assert done.returncode == 0, done.stderr
    assert [line.split(": ")[0].rpartition("/")[2] for line in done.stderr.splitlines()] == ["a.png", "notes.txt"]
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == ["path", str(tmp_path / "in/deep/b.png")]
    (tmp_path / "in" / "deep" / "b.png").unlink()
    alone = run("classify", tmp_path / "in" / "notes.txt", *words)
    assert alone.returncode == 2
    assert "none of 1 files is a picture" in alone.stderr
    assert "there is no file or folder" in failed("classify", tmp_path / "nothing", *words)
    (tmp_path / "empty").mkdir()
    assert "no files under" in failed("classify", tmp_path / "empty", *words)
    with pytest.raises(BadInput, match="top 0"):
        t2s.classify(good, home / "mine", top=0)


def test_features_of_the_folder(home: Path) -> None:
    frame = pl.read_parquet(home / "mine" / "features.parquet")
    assert frame.schema == {
        "path": pl.String, "class": pl.String, "part": pl.String, "feature": pl.List(pl.Float32)
    }  # fmt: skip
    assert len(frame) == frame["path"].n_unique() == 899
    assert set(frame["part"]) == {"train", "val", "test"}
    task, net = load_task(home / "known", 32), t2s.load_backbone(home / "mine" / "backbone.safetensors")
    for row in frame.sample(5, seed=0).to_dicts():
        assert Path(row["path"]).parent.name == row["class"]
        found = task[row["part"]]
        at = [str(path) for path in found.paths].index(row["path"])
        with torch.no_grad():
            feature = net(torch.from_numpy(found.image_NCHW[at : at + 1]))[0]
        np.testing.assert_allclose(row["feature"], feature.numpy(), rtol=1e-3, atol=1e-4)


def test_the_card_says_what_it_is_and_its_code_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (home / "mine" / "README.md").read_text("utf-8")
    configuration = re.search(r"under the configuration `([01]{8})`", text)
    assert configuration
    assert f"| object distance | {configuration[1][1]} |" in text
    assert "knn5 on val pictures, as measured: " in text
    assert re.search(r"Linear probe.*: \d\d\.\d\d % right of 899 pictures", text)
    assert "`digit0`, `digit1`, " in text
    assert "RGB, 32 x 32 pixels" in text
    assert "(0.485, 0.456, 0.406)" in text
    assert "Apache-2.0" in text
    assert "--with ." in text
    assert "torchvision.models" not in text, "the narrow network is in no other library"
    monkeypatch.chdir(home / "mine")
    (block,) = BLOCK.findall(text)
    names: dict[str, object] = {}
    exec(compile(block, "the card", "exec"), names)
    assert names["features"].shape == (4, 256)  # type: ignore[attr-defined]


@pytest.mark.parametrize("library", ["t2s_offline", "torchvision", "timm"])
def test_the_code_of_a_card_for_other_libraries(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, network = Recipe(backbone="resnet18", size=64), build("resnet18", seed=3).eval()
    card = write_portable(tmp_path / "backbone.safetensors", SavedBackbone(network, None, {}))
    text = ModelCard("mine", "01100100", TASK2SIM, "r-1", recipe, card).text()
    blocks = [block for block in BLOCK.findall(text) if f"import {library}" in block or f", {library}\n" in block]
    assert len(blocks) == 1
    assert len(BLOCK.findall(text)) == 3
    assert all(len(block.strip().splitlines()) == 5 for block in BLOCK.findall(text))
    pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(blocks[0], "the card", "exec"), names)
    picture = torch.rand(2, 3, 64, 64)
    mean, sd = (torch.tensor(card[name])[:, None, None] for name in ("mean", "sd"))
    given = picture if library == "t2s_offline" else (picture - mean) / sd
    with torch.no_grad():
        found = names["net"](given)  # type: ignore[operator]
        torch.testing.assert_close(found, network(picture * 255), rtol=1e-3, atol=1e-3)


def test_a_card_shows_names_of_others_as_code() -> None:
    odd = "x`\n# <img src=x> " + TERMINAL
    recipe = Recipe(renderer="tdw", renderer_options={"a": "```\n# b"})
    card = {"arch": "resnet50"}
    text = ModelCard(odd, "00000000", TASK2SIM, odd, recipe, card, (odd, ""), (odd,)).text()
    assert all(line.isprintable() for line in text.splitlines())
    headings = [line for line in text.splitlines() if line.startswith("# ")]
    assert len(headings) == 1, "and those of the code blocks are none"
    assert "ask its authors" in text


def test_things_that_need_others(home: Path) -> None:
    words = ["predict", home / "known", "--policy", home / "policy", "--store", home / "s.duckdb"]
    assert "add --pretrain" in failed(*words, "--classifier", "--out", home / "o")
    assert "add --out" in failed(*words, "--features", "--pretrain")
    assert "no backbone at" in failed("classify", home / "new", "--with", home / "none")
    (home / "bare").mkdir()
    (home / "bare" / "backbone.safetensors").symlink_to(home / "mine" / "backbone.safetensors")
    with pytest.raises(BadFile, match="--pretrain --classifier"):
        t2s.classify(home / "new", home / "bare")


@pytest.mark.parametrize("solver", ["sgd", "task2sim"])
def test_the_other_solvers_make_a_classifier(solver: str, home: Path, tmp_path: Path) -> None:
    recipe = Recipe(size=32, linear_solver=solver, linear_epochs=3)
    task, backbone = load_task(home / "known", 32), tmp_path / "mine" / "backbone.safetensors"
    task = replace(task, parts={name: part.take(np.arange(0, len(part), 3)) for name, part in task.parts.items()})
    (tmp_path / "mine").mkdir()
    backbone.write_bytes((home / "mine" / "backbone.safetensors").read_bytes())
    made, line = HandedTask(task, backbone, recipe, torch.device("cpu")).write_classifier(
        tmp_path / "mine" / "classifier.safetensors", {}
    )
    assert "10 classes" in line
    assert made.card["accuracy"] > 30
    found = t2s.classify(home / "new" / "digit0", tmp_path / "mine", device="cpu")
    assert (found["class"] == "digit0").mean() > 0.3


def damaged(home: Path, folder: Path, **changes: object) -> Path:
    """A copy of mine/ whose classifier has other arrays, or other values in its card."""
    folder.mkdir(exist_ok=True)
    if not (folder / "backbone.safetensors").exists():
        (folder / "backbone.safetensors").symlink_to(home / "mine" / "backbone.safetensors")
    source = home / "mine" / "classifier.safetensors"
    arrays, card = load_file(source), json.loads(announced(source, ("F32",)).metadata["t2s_offline"])
    arrays |= {name: value for name, value in changes.items() if isinstance(value, np.ndarray)}
    card |= {name: value for name, value in changes.items() if not isinstance(value, np.ndarray)}
    save_file(arrays, folder / "classifier.safetensors", {"t2s_offline": json.dumps(card)})
    return folder


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=np.float32)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weight": ones(10, 255)}, "weight has shape"), ({"weight": ones(10_000, 256)}, "weight has shape"),
        ({"weight": ones(256, 10)}, "weight has shape"), ({"bias": ones(9)}, "bias has shape"),
        ({"mean": ones(1)}, "mean has shape"), ({"scale": ones(256, 1)}, "scale has shape"),
        ({"odd": ones(1)}, "odd has shape"), ({"bias": ones(10) * np.nan}, "bias is not finite"),
        ({"scale": ones(256) * np.inf}, "scale is not finite"), ({"weight": ones(10, 256) * 3e38}, "not finite"),
        ({"weight": np.ones((10, 256))}, "of type F64"),
        ({"classes": ["a", "b"]}, "has shape"), ({"classes": "abcdefghij"}, "classes in its card"),
        ({"classes": [1] * 10}, "classes in its card"), ({"classes": ["\ud800"] * 10}, "classes in its card"),
        ({"classes": []}, "classes in its card"),
        ({"size": 32_000}, "size in its card"), ({"size": 10**12}, "size in its card"), ({"size": "32"}, "size in"),
        ({"size": True}, "size in its card"), ({"resize": 1000.0}, "resize in its card"),
        ({"resize": float("nan")}, "resize in its card"), ({"resize": 0.5}, "resize in its card"),
        ({"accuracy": 1e9}, "accuracy in its card"), ({"accuracy": TERMINAL}, "accuracy in its card"),
        ({"backbone": ["x"]}, "backbone in its card"), ({"backbone": "00000000"}, "fitted to another backbone"),
        ({"format": "t2s-offline backbone 2"}, "no classifier of this package"), ({"format": {}}, "no classifier"),
    ],
    ids=str,
)  # fmt: skip
def test_a_classifier_of_strangers(changes: dict[str, object], said: str, home: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        t2s.classify(home / "new" / "digit0", damaged(home, tmp_path / "m", **changes), device="cpu")
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_classifier_that_is_no_such_file_is_one_line(home: Path, tmp_path: Path) -> None:
    folder = damaged(home, tmp_path / "m")
    path, shapes = folder / "classifier.safetensors", {"weight": ("F32", (10_000_000, 256))}
    for content in (b"", b"\x80\x04K\x01.", safetensors_bytes(shapes, {"t2s_offline": "[" * 90_000}, data=False)):
        path.write_bytes(content)
        assert str(path) in failed("classify", home / "new", "--with", folder)
    card = json.dumps({"format": "t2s-offline classifier 1"})
    path.write_bytes(safetensors_bytes(shapes, {"t2s_offline": card}, data=False))
    assert "classes in its card is None" in failed("classify", home / "new", "--with", folder)


def test_terminals_are_safe_from_class_names(home: Path, tmp_path: Path) -> None:
    folder = damaged(home, tmp_path / "m", classes=[f"{TERMINAL}{at}" for at in range(10)])
    for kind in ("table", "json", "csv"):
        done = run("classify", home / "new" / "digit0", "--with", folder, "--format", kind, "--device", "cpu")
        assert done.returncode == 0, done.stderr
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.stdout)
