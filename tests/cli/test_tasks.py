"""tasks and embed at the command line, with datasets of a hub on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from t2s_offline import task_places, tasks
from t2s_offline.cli import cli
from t2s_offline.images.hub_task import _fetched
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.training.networks import build, save_backbone
from tests import hub_repos
from tests.hub_server import Hub, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("probe") / "probe.safetensors"
    save_backbone(path, build("resnet18-narrow", seed=0), None, {"size": 16})
    return str(path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with PACS (of blank pictures, as many as the paper's cartoons), and three small datasets."""
    hub_repos.birds(tmp_path / "hub")
    hub_repos.sketches(tmp_path / "hub")
    hub_repos.leaves(tmp_path / "hub")
    place = task_places.PLACES["PacsC"]
    assert isinstance(place, task_places.HubPlace)
    hub_repos.write_parquet(
        tmp_path / "hub" / place.repo / "data" / "train-00000-of-00001.parquet", [n % 7 for n in range(2350)],
        names=tuple("abcdefg"), extra={"domain": ["cartoon"] * 2344 + ["sketch"] * 6}, rows=100,
    )  # fmt: skip
    hub_repos.write_card(tmp_path / "hub" / place.repo, "license: unknown")
    (tmp_path / "data").mkdir()
    _fetched.cache_clear()
    for name in ("HF_HUB_OFFLINE", "T2S_ANY_VERSION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("T2S_IMAGE_COLUMN", "T2S_LABEL_COLUMN", "T2S_SPLITS", "T2S_MAX_SIZE"):
        monkeypatch.setenv(name, "")  # put back afterwards: options set them
    with serving(tmp_path / "hub") as served:
        served.commits[place.repo] = place.revision
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("T2S_CACHE", str(tmp_path / "own"))
        monkeypatch.setenv("T2S_DATA", str(tmp_path / "data"))
        yield served


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_a_task_of_the_paper_is_downloaded_as_registered(hub: Hub, tmp_path: Path) -> None:
    """The registry's own place and revision, at its own counts."""
    done = run("tasks", "--download", "PacsC", "--format", "json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert (row["state"], row["found_classes"], row["found"], row["licence"]) == ("present", 7, 2344, "unknown")
    assert row["place"] == str(tmp_path / "data" / "PacsC")
    assert row["source"].startswith("hf:flwrlabs/pacs@")
    assert "PacsC: 7 classes, pictures: train 2344" in done.stderr


def test_tables_for_people_are_eighty_columns_wide_and_say_all(hub: Hub) -> None:
    done = run("tasks")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines[: lines.index("digits           embedded")])) <= 80
    for task in tasks.PAPER_TASKS:
        assert sum(line.startswith(f"{task.name} ") for line in lines) == 2
    assert any(line.startswith("CactusAerial: get cactus-aerial-photos from Kaggle") for line in lines)
    assert sum(line.endswith(" download") for line in lines) == 18
    assert sum(line.endswith(" by hand") for line in lines) == 2


def test_rows_have_every_column_in_json_and_csv(hub: Hub) -> None:
    rows = json.loads(run("tasks", "--format", "json").stdout)
    wanted = {"task", "group", "split", "classes", "images", "found_classes", "found", "place", "source", "licence",
              "megabytes", "state", "known", "present"}  # fmt: skip
    assert {frozenset(row) for row in rows} == {frozenset(wanted)}
    lines = run("tasks", "--format", "csv", "hf:someone/birds", "digits").stdout.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("someone--birds,")


def test_one_that_fails_does_not_stop_the_others(hub: Hub) -> None:
    done = run("tasks", "--download", "DeepWeeds", "PacsC", "CactusAerial")
    assert done.exit_code == 1
    assert "3 tasks were not downloaded: DeepWeeds, CactusAerial" in str(done.exception)
    assert "PacsC: 7 classes" in done.stderr
    assert "has no dataset Project-AgML/DeepWeeds_classification" in done.stderr


def test_places_are_downloaded_checked_and_drawn(hub: Hub, tmp_path: Path) -> None:
    done = run("tasks", "--download", "hf:someone/sketches", "--check", "--format", "json")
    (row,) = json.loads(done.stdout)
    assert (row["task"], row["classes"], row["train"], row["problem"]) == ("someone--sketches", 3, 18, None)
    done = run("tasks", "hf:someone/sketches", "--sheet", str(tmp_path / "sheet.png"))
    assert "up to 10 train pictures of all classes of someone--sketches" in done.stderr
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape[0] == 3 * 66 + 2
    means = [pixels[2 + 66 * row : 60 + 66 * row, 60:200].reshape(-1, 3).mean(axis=0) for row in range(3)]
    assert all(np.abs(means[at] - means[at - 1]).max() > 20 for at in (1, 2))
    assert "0 tasks for one sheet; name one" in str(run("tasks", "--sheet", str(tmp_path / "none.png")).exception)


def test_columns_and_splits_from_the_command_line(hub: Hub) -> None:
    done = run("tasks", "hf:flwrlabs/pacs", "--check", "--label-column", "domain", "--format", "json")
    assert json.loads(done.stdout)[0]["classes"] == 2
    _fetched.cache_clear()
    arguments = ["tasks", "hf:someone/leaves", "--check", "--format", "json", "--label-column", "label"]
    done = run(*arguments, "--split", "train=train", "--split", "test=validation")
    assert json.loads(done.stdout)[0]["test"] == 6
    done = run("tasks", "hf:someone/birds", "--max-size", "1kB", "--check", "--format", "json")
    assert done.exit_code == 0
    assert run("tasks", "--split", "all=train").exit_code != 0
    assert run("tasks", "--max-size", "large").exit_code != 0


def test_embed_takes_several_places_and_a_store_keeps_where_they_are_from(hub: Hub, tmp_path: Path, probe: str) -> None:
    """From the shell, in a process of its own."""
    store = tmp_path / "store.duckdb"
    command = [sys.executable, "-m", "t2s_offline", "embed", "hf:someone/birds", "hf:someone/leaves", "hf:someone/fish"]
    command += ["--probe", probe, "--store", str(store), "--samples", "8", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert "1 of 3 tasks were not embedded: someone--fish" in done.stderr
    frame = RewardStore(store).frame("tasks")
    said = {row["task"]: json.loads(row["source"]) for row in frame.to_dicts()}
    assert set(said) == {"someone--birds", "someone--leaves"}
    assert (said["someone--birds"]["licence"], said["someone--birds"]["pictures"]) == (
        "cc-by-4.0", {"train": 36, "test": 18},
    )  # fmt: skip
    assert frame["digest"].null_count() == 0
    assert sorted(RewardStore(store).frame("embeddings")["task"]) == ["someone--birds", "someone--leaves"]


def test_embed_all_goes_on_and_loads_its_probe_once(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, probe: str
) -> None:
    from t2s_offline.training import task2vec

    opened: list[str] = []
    plain = task2vec.open_probe
    monkeypatch.setattr(task2vec, "open_probe", lambda path, device: (opened.append(path), plain(path, device))[1])
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        x = rng.integers(0, 256, (30, 16, 16, 3), dtype=np.uint8)
        np.savez(tmp_path / "data" / f"{name}.npz", x=x, y=np.arange(30) % 2)
    options = ["--probe", probe, "--samples", "4", "--device", "cpu"]
    store = tmp_path / "store.duckdb"
    assert run("embed", "one", *options, "--store", str(store)).exit_code == 0
    opened.clear()
    done = run("embed", "--all", *options, "--store", str(store))
    assert done.exit_code == 0, done.output
    assert "1 of 3 tasks have embeddings" in done.stderr
    assert sorted(RewardStore(store).frame("embeddings")["task"]) == ["digits", "one", "two"]
    assert len(opened) == 1
    assert run("embed", "one", "two", *options, "--out", str(tmp_path / "both.parquet")).exit_code == 0
    assert pl.read_parquet(tmp_path / "both.parquet")["task"].to_list() == ["one", "two"]
    assert run("embed", *options, "--store", str(store)).exit_code != 0
    assert run("embed", "one", "--all", *options, "--store", str(store)).exit_code != 0


def test_predict_answers_for_a_dataset_of_the_hub(hub: Hub) -> None:
    """By a guess from the shipped table, without downloading anything twice."""
    store = str(ROOT / "tables" / "cpu")
    done = run("predict", "hf:someone/birds", "--store", store, "--measure", "0", "--samples", "8", "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["task"] == "someone--birds"
    got = [path for method, path, _ in hub.log if method == "GET" and path.endswith(".parquet")]
    assert len(got) == len(set(got)) == 3


def test_evaluate_takes_a_place(hub: Hub, probe: str, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("size = 16\n")
    arguments = ["evaluate", "scratch", "--task", "hf:someone/leaves", "--recipe", str(recipe), "--format", "json"]
    done = run(*arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.stdout)[0]["task"] == "someone--leaves"
