"""The registry of tasks, and where the files of a task are looked for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.tasks import DIGITS, PAPER_TASKS, Located, locate, present, relatives, task, version_of


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
    assert sum(one.downloads for one in PAPER_TASKS) == 18
    assert task("CUB").classes == 200
    with pytest.raises(UnknownName, match="CUB"):
        task("cub")


def test_relatives_come_from_the_registry_and_from_the_list_beside_the_tasks(data: Path) -> None:
    known = {"PacsC": "pacs", "PacsS": "pacs", "USPS": "digits", "digits": "digits"}
    assert relatives(data) == relatives(None) == known
    (data / "tasks.csv").write_text('task,dataset,relatives\nmine,"wood, planed",textures\nCUB,,\nyours,,textures\n')
    assert relatives(data) == known | {"mine": "textures", "yours": "textures"}


@pytest.mark.parametrize("content", [b"name,relatives\na,b\n", b"task,relatives\n\xff\xfe,b\n"])
def test_a_list_that_is_none_is_refused(data: Path, content: bytes) -> None:
    (data / "tasks.csv").write_bytes(content)
    with pytest.raises(BadFile, match=r"tasks\.csv"):
        relatives(data)


def test_a_list_without_relatives_says_nothing(data: Path) -> None:
    (data / "tasks.csv").write_text("task,group\nmine,natural\n")
    assert "mine" not in relatives(data)


def test_tasks_are_found_by_name_and_by_path(data: Path) -> None:
    assert locate("mine").kind == "npz"
    assert locate("CUB").kind == "folder"
    assert locate("CUB").task == task("CUB")
    assert locate("digits").kind == "embedded"
    assert locate(str(data / "mine.npz"), paths=True).name == "mine"
    assert locate(str(data / "CUB"), paths=True) == Located("CUB", "folder", data / "CUB")
    assert [found.name for found in present()] == ["CUB", "digits", "mine"]


def test_an_absent_task_says_where_to_get_it(data: Path) -> None:
    with pytest.raises(BadFile, match=r"tasks --download DeepWeeds; or put it there: DeepWeeds/CLASS"):
        locate("DeepWeeds")
    with pytest.raises(BadFile, match=r"cactus-aerial-photos from Kaggle, .* put it at .*data/CactusAerial/CLASS"):
        locate("CactusAerial")
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


def test_a_place_is_for_a_person_alone(data: Path) -> None:
    for text in ("hf:someone/birds", "torchvision:USPS"):
        with pytest.raises(BadInput, match="only a command line may name a path"):
            locate(text)
    found = locate("hf:someone/birds@v1:small", paths=True)
    assert (found.name, found.kind, found.path) == ("someone--birds--small", "hub", None)
    assert found.where == "hf:someone/birds@v1:small"
    found = locate("torchvision:USPS", paths=True)
    assert (found.name, found.kind, found.path, found.task) == ("USPS", "torchvision", data / "USPS", task("USPS"))


@pytest.mark.parametrize(
    ("name", "classes", "images", "version"),
    [
        ("FMD", 10, 991, "as published"),
        ("FMD", 10, 2000, "2,000, as the published table counts"),
        ("Kaokore", 4, 8848, "status"),
        ("Kaokore", 8, 8000, "gender and status, the authors'"),
        ("Omniglot", 1623, 32460, "whole"),
        ("Omniglot", 659, 13180, "evaluation half, the authors'"),
        ("CUB", 200, 11788, "CUB-200-2011"),
        ("CUB", 200, 6032, "CUB-200 of 2010, as in the authors' file list"),
        ("CactusAerial", 2, 21500, "cactus-aerial-photos"),
        ("CactusAerial", 2, 17500, "labelled part of aerial-cactus-identification"),
        ("ChestXPneumonia", 2, 5856, "all parts"),
        ("ChestXPneumonia", 2, 5840, "train and test, the authors'"),
    ],
)
def test_versions_are_told_apart_by_their_counts(name: str, classes: int, images: int, version: str) -> None:
    assert version_of(task(name), classes, images) == version


def test_a_version_unlike_all_is_refused_unless_the_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T2S_ANY_VERSION", raising=False)
    assert version_of(DIGITS, 10, 1797) == "as published"
    with pytest.raises(BadInput, match=r"FMD has 11 classes and 1000 pictures; expected 10 classes and 1000 .* or 10"):
        version_of(task("FMD"), 11, 1000)
    with pytest.raises(BadInput, match=r"980 pictures; expected 10 classes and 1000 .*: --any-version, or T2S_ANY_VER"):
        version_of(task("FMD"), 10, 980)
    with pytest.raises(BadInput, match=r"expected 4 classes .status. or 8 classes .gender and status"):
        version_of(task("Kaokore"), 5, 8000)
    monkeypatch.setenv("T2S_ANY_VERSION", "0")
    with pytest.raises(BadInput):
        version_of(task("FMD"), 10, 980)
    monkeypatch.setenv("T2S_ANY_VERSION", "1")
    assert version_of(task("FMD"), 11, 980) == "unknown: 11 classes and 980 pictures"
    assert version_of(task("FMD"), 10, 1000) == "as published"


def test_any_version_from_the_command_line(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from t2s_offline.cli.tasks import tasks_command

    monkeypatch.setenv("T2S_ANY_VERSION", "")  # put back afterwards: the option sets it
    x = np.random.default_rng(0).integers(0, 256, (30, 16, 16), dtype=np.uint8)
    np.savez(data / "FMD.npz", x=x, y=np.arange(30) % 3)

    def row(*options: str) -> dict[str, object]:
        done = CliRunner().invoke(tasks_command, ["--check", "--format", "json", *options])
        return next(row for row in json.loads(done.stdout) if row["task"] == "FMD")

    assert row()["version"] is None
    assert "3 classes and 30 pictures; expected 10 classes and 1000" in str(row()["problem"])
    taken = row("--any-version")
    assert (taken["version"], taken["problem"]) == ("unknown: 3 classes and 30 pictures", None)
    assert taken["test"] == 6
    assert os.environ["T2S_ANY_VERSION"] == "1"  # which workers inherit


@pytest.mark.parametrize("command", ["sweep", "evaluate", "embed", "predict", "tasks"])
def test_what_reads_pictures_has_the_option(command: str) -> None:
    from t2s_offline.cli import cli

    assert "--any-version" in CliRunner().invoke(cli, [command, "--help"]).output


def test_the_command_lists_every_task(data: Path) -> None:
    from t2s_offline.cli.tasks import tasks_command

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
