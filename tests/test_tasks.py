"""The registry of tasks, and where the files of a task are looked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.tasks import DIGITS, PAPER_TASKS, Located, check_counts, locate, present, task


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tasks, named by T2S_DATA: one .npz, one folder, one stray file."""
    folder = tmp_path / "data"
    (folder / "CUB" / "finch").mkdir(parents=True)
    pictures = np.zeros((4, 8, 8, 3), dtype=np.uint8)
    np.savez(folder / "mine.npz", x_train=pictures, y_train=np.array([0, 1, 0, 1]))
    (folder / "notes.txt").write_text("not a task")
    monkeypatch.setenv("T2S_DATA", str(folder))
    return folder


def test_the_papers_twenty() -> None:
    assert len(PAPER_TASKS) == 20
    assert sum(one.split == "seen" for one in PAPER_TASKS) == 12
    assert all(one.place for one in PAPER_TASKS)
    assert sum(one.downloads for one in PAPER_TASKS) == 6
    assert task("CUB").classes == 200
    with pytest.raises(UnknownName, match="CUB"):
        task("cub")


def test_tasks_are_found_by_name_and_by_path(data: Path) -> None:
    assert locate("mine").kind == "npz"
    assert locate("CUB").kind == "folder"
    assert locate("CUB").task == task("CUB")
    assert locate("digits").kind == "embedded"
    assert locate(str(data / "mine.npz"), paths=True).name == "mine"
    assert locate(str(data / "CUB"), paths=True) == Located("CUB", "folder", data / "CUB")
    assert [found.name for found in present()] == ["CUB", "digits", "mine"]


def test_an_absent_task_says_where_to_get_it(data: Path) -> None:
    with pytest.raises(BadFile, match="AlexOlsen/DeepWeeds; expected DeepWeeds/CLASS"):
        locate("DeepWeeds")
    with pytest.raises(BadFile, match="tasks --download USPS"):
        locate("USPS")
    with pytest.raises(UnknownName, match="did you mean mine"):
        locate("min")
    with pytest.raises(BadFile, match="is not there"):
        locate("no/such/folder", paths=True)
    with pytest.raises(BadFile, match="is no folder"):
        locate("mine", data / "absent")


def test_names_cannot_leave_the_folder_of_tasks(data: Path) -> None:
    (data.parent / "secret.npz").write_bytes(b"")
    with pytest.raises(BadInput, match="only a command line may name a path"):
        locate("../secret")
    assert all(found.name != ".." for found in present())


def test_a_name_never_opens_a_path(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name from a specification or a table; what a person typed may be a path."""
    monkeypatch.chdir(data.parent)
    (data.parent / "photos" / "cat").mkdir(parents=True)
    (data.parent / "AID" / "field").mkdir(parents=True)
    np.savez(data.parent / "own.npz", x=np.zeros((4, 8, 8), dtype=np.uint8), y=np.arange(4) % 2)
    for name in ("photos", "own.npz"):
        with pytest.raises(UnknownName):
            locate(name)
    for name in ("./photos", str(data.parent / "photos"), ".", "..", "data/mine.npz"):
        with pytest.raises(BadInput, match="only a command line may name a path"):
            locate(name)
    assert [locate(name, paths=True).name for name in ("photos", "photos/", "own.npz")] == ["photos", "photos", "own"]
    # a name wins where a task has it, a path is never looked up as a name
    assert locate("CUB", paths=True).path == data / "CUB"
    (data.parent / "CUB" / "finch").mkdir(parents=True)
    assert locate("CUB", paths=True).path == data / "CUB"
    assert locate("./CUB", paths=True) == Located("CUB", "folder", Path("CUB"))
    with pytest.raises(BadFile, match=r"for the folder that lies here: \./AID"):
        locate("AID", paths=True)
    with pytest.raises(UnknownName):
        locate("", paths=True)


def test_counts_are_checked() -> None:
    check_counts(task("FMD"), 10, 991)
    with pytest.raises(BadInput, match="11 classes; expected 10"):
        check_counts(task("FMD"), 11, 1000)
    with pytest.raises(BadInput, match="980 pictures; expected 1000"):
        check_counts(task("FMD"), 10, 980)
    check_counts(DIGITS, 10, 1797)


def test_the_command_lists_every_task(data: Path) -> None:
    from t2s_offline.cli.live import tasks_command

    done = CliRunner().invoke(tasks_command, ["--format", "json"])
    rows = {row["task"]: row for row in json.loads(done.output)}
    assert set(rows) == {one.name for one in PAPER_TASKS} | {"digits", "mine"}
    assert rows["CUB"]["present"] == "folder"
    assert rows["AID"]["present"] is None
    done = CliRunner().invoke(tasks_command, ["--check", "--format", "json"])
    rows = {row["task"]: row for row in json.loads(done.output)}
    assert rows["digits"]["problem"] is None
    assert rows["digits"]["train"] + rows["digits"]["val"] + rows["digits"]["test"] == 1797
    assert "has no pictures" in rows["CUB"]["problem"]
