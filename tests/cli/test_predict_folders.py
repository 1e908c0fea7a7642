"""predict on folders that are hardly a task, or too much of one: one line, or a bounded clear answer."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import t2s_offline as t2s
from t2s_offline.api import question
from t2s_offline.errors import BadFile, BadInput
from t2s_offline.learners.predict import Prediction
from tests.cli.test_commands import failed
from tests.cli.test_predict_portfolio import table

__all__ = ["table"]  # a fixture


def folder_of(folder: Path, classes: int, pictures: int) -> Path:
    """Class folders of small pictures: each class has a level of grey of its own, and noise."""
    rng = np.random.default_rng(0)
    for label in range(classes):
        (folder / f"c{label:03d}").mkdir(parents=True)
        for number in range(pictures):
            pixels = np.clip(rng.normal(40 + 170 * label / classes, 8, (12, 12, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"c{label:03d}" / f"{number}.png")
    return folder


def asked(table: Path, folder: Path, **options: object) -> tuple[Prediction, list[str]]:
    told: list[str] = []
    found = t2s.predict(None, t2s.open_table(table), folder, measure=1, samples=8, told=told.append, **options)
    return found, told


def test_one_class(table: Path, tmp_path: Path) -> None:
    line = failed("predict", folder_of(tmp_path / "photos", 1, 6), "--store", table)
    assert "1 class; expected 2 or more" in line


def test_one_picture_a_class(table: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give each class"):
        asked(table, folder_of(tmp_path / "photos", 3, 1))


def test_too_few_to_compare_with(table: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="pictures to compare with; expected 5 or more"):
        asked(table, folder_of(tmp_path / "photos", 2, 3))


def test_broken_pictures_are_named_counted_and_left_out(table: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos", 3, 12)
    for name in ("c000/0.png", "c001/3.png"):
        (folder / name).write_bytes(b"no picture")
    found, told = asked(table, folder)
    assert found.measured[0]["pictures"] == 28
    (line,) = [line for line in told if "no pictures" in line]
    assert line.startswith("warning: 2 files are no pictures and are left out: ")
    assert "c000/0.png" in line
    assert "c001/3.png" in line
    for number in range(4, 8):
        (folder / "c002" / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(BadFile, match="6 of 36 files are no pictures"):
        asked(table, folder)


def test_many_classes(table: Path, tmp_path: Path) -> None:
    found, _ = asked(table, folder_of(tmp_path / "photos", 300, 3))
    assert found.measured[0]["pictures"] == 600
    assert 0 <= found.measured[0]["knn5"] <= 100


def test_many_pictures_are_sampled(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What 50,000 pictures are to MOST_PICTURES, 400 are to 40: links to a few files, most of which are not opened."""
    monkeypatch.setattr(question, "MOST_PICTURES", 40)
    folder = folder_of(tmp_path / "photos", 4, 10)
    for path in list(folder.rglob("*.png")):
        for copy in range(9):
            os.link(path, path.with_name(f"{path.stem}-{copy}.png"))
    found, told = asked(table, folder)
    assert "photos has many pictures: at most 10 of each class are embedded and measured" in told
    assert found.measured[0]["pictures"] == 32
    again, _ = asked(table, folder)
    assert again.measured[0]["knn5"] == found.measured[0]["knn5"], "the same ones are drawn"
