"""Pictures that do not fit into memory are read from files, once decoded; results stay the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from t2s_offline.images import task_data
from t2s_offline.images.task_data import KeptTasks, TaskData
from t2s_offline.recipe import Recipe
from t2s_offline.sweep.pictures import load_data
from t2s_offline.training.evaluate import evaluate
from t2s_offline.training.networks import build


@pytest.fixture(autouse=True)
def no_tasks_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_data, "KEPT", KeptTasks())


def load(folder: Path, limit: int, data: Path | None = None, task: str = "digits") -> TaskData:
    return load_data(task, 16, 1.0, 40, data, limit, folder=folder)


def mapped(task: TaskData) -> bool:
    return all(isinstance(part.image_NCHW, np.memmap) for part in task.parts.values())


def same(one: TaskData, other: TaskData) -> bool:
    return (one.classes, one.digest, one.source) == (other.classes, other.digest, other.source) and all(
        np.array_equal(one[part].image_NCHW, other[part].image_NCHW)
        and np.array_equal(one[part].label_N, other[part].label_N)
        for part in ("train", "val", "test")
    )


def test_a_task_that_fits_stays_in_memory(tmp_path: Path) -> None:
    found = load(tmp_path, 1 << 30)
    assert not mapped(found)
    assert load(tmp_path, 1 << 30) is found
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_task_that_does_not_fit_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(tmp_path, 1000)
    assert mapped(first)
    assert same(first, load_data("digits", 16, 1.0, 40, None, 1 << 30))
    monkeypatch.setattr(task_data, "KEPT", KeptTasks())
    monkeypatch.setattr(task_data, "load_task", lambda *_, **__: pytest.fail("decoded again"))
    again = load(tmp_path, 1000)
    assert mapped(again)
    assert same(first, again)


def test_measured_alike_and_bounded(tmp_path: Path) -> None:
    recipe = Recipe(size=16, finetune_epochs=1)
    backbone = build("resnet18-narrow", seed=0)
    in_memory = load_data("digits", 16, 1.0, 40, None, 1 << 30)
    rows = [
        [(row.metric, row.accuracy, row.val_accuracy) for row in evaluate(backbone, "digits", parts, recipe, ["knn5"])]
        for parts in (in_memory.parts, load(tmp_path, 0).parts)
    ]
    assert rows[0] == rows[1]


def test_pictures_that_change_are_decoded_again(tmp_path: Path) -> None:
    def write(value: int) -> None:
        np.savez(tmp_path / "own.npz", x=np.full((40, 8, 8, 3), value, np.uint8), y=np.arange(40) % 2)

    write(1)
    assert load(tmp_path / "kept", 0, tmp_path, "own")["train"].image_NCHW.max() == 1
    write(200)
    assert load(tmp_path / "kept", 0, tmp_path, "own")["train"].image_NCHW.max() == 200


def test_damaged_files_and_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(tmp_path, 0)
    (place,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    (place / "train.npy").unlink()  # a mapped file that is cut short takes its readers down
    (place / "train.npy").write_bytes(b"no array")
    assert same(load(tmp_path, 0), load(tmp_path / "new", 0))
    monkeypatch.setattr("t2s_offline.sweep.mapped_tasks.ROOM", 1 << 60)
    here = load(tmp_path / "full", 0)
    assert not mapped(here)
    assert same(first, here)
