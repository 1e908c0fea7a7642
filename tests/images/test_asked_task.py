"""The task that a name or path means: one of the store, pictures at a path, or a task in the folder of tasks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2s_offline.errors import BadFile, UnknownName
from t2s_offline.images import asked_task
from t2s_offline.images.asked_task import asked
from t2s_offline.images.task_data import task_digest

OTHER = "0" * 32


def noise(folder: Path) -> Path:
    """Two classes of sixteen pictures that show nothing."""
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        for number in range(16):
            pixels = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def write_digits(path: Path) -> None:
    """scikit-learn's digits as an .npz whose digest is theirs."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    np.savez(path, x=grey, y=digits.target, class_names=np.array(list("0123456789")))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no folder of tasks."""
    monkeypatch.delenv("T2S_DATA", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize("target", ["digits/", "./digits", "../here/digits", "{here}/digits"])
def test_a_path_is_pictures_and_never_a_name(target: str, here: Path) -> None:
    digest = task_digest(noise(here / "digits"))
    found = asked(target.format(here=here), {"digits": OTHER})
    assert (found.name, found.stored) == (f"digits (pictures {digest[:8]})", False)
    assert found.located is not None
    assert found.located.path is not None
    assert found.located.path.samefile(here / "digits")
    assert len(found.notes) == 1
    assert "holds other pictures than the store's digits" in found.notes[0]


def test_pictures_with_the_stores_digest_are_the_stores(here: Path) -> None:
    digest = task_digest(noise(here / "photos"))
    found = asked("photos/", {"photos": digest})
    assert (found.name, found.stored) == ("photos", True)
    assert "holds the same pictures as the store's photos" in found.notes[0]
    write_digits(here / "digits.npz")
    assert asked("./digits.npz", {"digits": task_digest("digits")}).stored
    assert asked("digits.npz", {"digits": task_digest("digits")}).stored


def test_a_store_that_does_not_know_its_pictures(here: Path, tmp_path: Path) -> None:
    noise(here / "digits")
    found = asked("./digits", {"digits": None})
    assert not found.stored
    assert "has no digest of the pictures of its digits" in found.notes[0]
    noise(tmp_path / "data" / "cars")
    found = asked("cars", {"cars": None}, tmp_path / "data")  # a name is the store's: what is not compared it says
    assert found.stored
    assert "has no digest of the pictures of its cars: not compared" in found.notes[0]


def test_a_name_that_the_store_knows_reads_no_picture(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_task, "task_digest", lambda located: pytest.fail("read"))
    for name in ("digits", "CUB", "theirs"):
        assert asked(name, {name: OTHER}).notes == ()
        (here / name / "a").mkdir(parents=True)
        found = asked(name, {name: OTHER})
        assert (found.name, found.stored) == (name, True)
        assert found.notes == (
            f"{name} is the store's task; for the pictures in the folder of that name here: ./{name}",
        )


def test_a_name_is_compared_with_the_folder_of_tasks(tmp_path: Path) -> None:
    digest = task_digest(noise(tmp_path / "data" / "usps"))
    found = asked("usps", {"usps": digest}, tmp_path / "data")
    assert (found.name, found.stored, found.notes) == ("usps", True, ())
    found = asked("usps", {"usps": OTHER}, tmp_path / "data")
    assert (found.name, found.stored) == (f"usps (pictures {digest[:8]})", False)
    assert "holds other pictures than the store's usps" in found.notes[0]
    assert "--data" in found.notes[1]
    digits = tmp_path / "data" / "digits.npz"  # the embedded digits are not what is meant where a file is there
    np.savez(digits, x=np.zeros((9, 8, 8), dtype=np.uint8), y=np.arange(9) % 3)
    assert not asked("digits", {"digits": task_digest("digits")}, tmp_path / "data").stored


def test_the_folder_of_tasks_may_be_the_working_directory(here: Path) -> None:
    digest = task_digest(noise(here / "usps"))
    assert asked("usps", {"usps": digest}, here).notes == ()


def test_what_the_store_does_not_know(here: Path) -> None:
    noise(here / "photos")
    found = asked("photos", {"birds": OTHER})
    assert (found.name, found.stored, found.notes) == ("photos", False, ())
    assert asked("digits", {"birds": OTHER}).located is not None
    with pytest.raises(UnknownName, match="did you mean birds"):
        asked("bird", {"birds": OTHER})
    with pytest.raises(BadFile, match="is not there"):
        asked("./birds", {"birds": OTHER})
