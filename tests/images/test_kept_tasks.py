"""The cache of tasks' pictures: bounded in bytes, and a task in it is read once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from t2s_offline.images import task_data
from t2s_offline.images.task_data import KeptTasks, memory_share
from t2s_offline.sweep import pictures
from t2s_offline.sweep.pictures import load_data

PICTURE = 3 * 16 * 16  # bytes at 16 px
ONE = 40 * (PICTURE + 8)  # bytes of a task of forty pictures with their labels


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number in range(5):
        x = np.full((40, 16, 16), number, dtype=np.uint8)
        np.savez(tmp_path / f"t{number}.npz", x=x, y=np.arange(40) % 2)
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tasks that are read from files, in order; nothing is kept from before."""
    names: list[str] = []
    plain = task_data.load_task

    def counted(name: str, *arguments: object, **options: object) -> object:
        names.append(name)
        return plain(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(task_data, "load_task", counted)
    monkeypatch.setattr(task_data, "KEPT", KeptTasks())
    return names


def passes(data: Path, limit: int, tasks: int = 5, count: int = 3, size: int = 16) -> int:
    """Go over the tasks so often, as the units of a sweep do; returns the bytes that are kept."""
    for _ in range(count):
        for number in range(tasks):
            loaded = load_data(f"t{number}", size, 1.0, 0, data, limit)
            assert (loaded["test"].image_NCHW == number).all()
            assert task_data.KEPT.bytes <= limit
    return task_data.KEPT.bytes


def test_tasks_that_fit_are_read_once(data: Path, read: list[str]) -> None:
    assert passes(data, 5 * ONE) == 5 * ONE
    assert read == ["t0", "t1", "t2", "t3", "t4"]


def test_what_does_not_fit_is_used_and_not_kept(data: Path, read: list[str]) -> None:
    """What is kept stays: dropping the oldest for the newest would read every task in every pass."""
    assert passes(data, 4 * ONE + ONE // 2) == 4 * ONE
    assert read == ["t0", "t1", "t2", "t3", "t4", "t4", "t4"]


def test_a_task_larger_than_the_limit_is_used_and_not_kept(data: Path, read: list[str]) -> None:
    assert passes(data, ONE - 1, tasks=2, count=2) == 0
    assert read == ["t0", "t1", "t0", "t1"]


def test_another_size_drops_what_was_used_longest_ago(data: Path, read: list[str]) -> None:
    passes(data, 4 * ONE, tasks=4)
    load_data("t0", 16, 1.0, 0, data, 4 * ONE)
    assert len(read) == 4
    load_data("t4", 8, 1.0, 0, data, 4 * ONE)  # a quarter of the bytes: t1 has to go
    load_data("t4", 8, 1.0, 0, data, 4 * ONE)
    for name in ("t0", "t2", "t3"):
        load_data(name, 16, 1.0, 0, data, 4 * ONE)
    assert read[4:] == ["t4"]
    load_data("t1", 16, 1.0, 0, data, 4 * ONE)
    assert read[4:] == ["t4", "t1"]


def test_a_share_of_the_pictures_is_kept_as_such(data: Path, read: list[str]) -> None:
    assert len(load_data("t0", 16, 1.0, 4, data, 5 * ONE)["train"]) == 4
    assert len(load_data("t0", 16, 1.0, 0, data, 5 * ONE)["train"]) > 4
    assert len(load_data("t0", 16, 1.0, 4, data, 5 * ONE)["train"]) == 4
    assert read == ["t0", "t0"]


def test_tasks_of_another_share_for_testing_are_not_taken_for_them(data: Path, read: list[str]) -> None:
    assert len(load_data("t0", 16, 1.0, 0, data, 5 * ONE)["test"]) == 8
    assert len(load_data("t0", 16, 1.0, 0, data, 5 * ONE, test_share=0.3)["test"]) == 12
    assert len(load_data("t0", 16, 1.0, 0, data, 5 * ONE)["test"]) == 8
    assert read == ["t0", "t0"]


def test_the_default_is_a_share_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**20}.__getitem__)
    assert memory_share() == 2**29
    assert memory_share(4) == 2**27
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**30}.__getitem__)
    assert memory_share() == task_data.MOST_KEPT
    assert pictures.load_data.__defaults__ == (None,)
