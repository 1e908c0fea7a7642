"""The page of one prediction: what it says, names of others as text, and in a browser that nothing is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from t2s_offline.errors import BadFile, BadInput
from t2s_offline.images.image_files import Pictures
from t2s_offline.images.task_data import TaskData
from t2s_offline.learners.predict import Prediction
from t2s_offline.report.folder import folder_report
from t2s_offline.report.folder_pictures import Album
from t2s_offline.report.page import page
from t2s_offline.report.write import write_report
from t2s_offline.space import SimParam, SimSpace
from t2s_offline.training.networks import build
from tests.report.browser import browsing, chromium, opened
from tests.report.reported import HOSTILE

SPACE = SimSpace((SimParam("rotation"), SimParam("light")))


def steps() -> list[dict[str, Any]]:
    shared = {"linear": 50.0, "logme": 0.1, "sd": 2.0, "pictures": 40, "seconds": 1.5, "answer": "01"}
    rows = [("00", 40.0, "kept"), ("01", 48.0, "kept"), ("10", 44.0, "trained")]
    return [
        {"configuration": name, "knn5": value, "expected": value - 1, "how": how, **shared} for name, value, how in rows
    ]


def prediction(name: str = HOSTILE[0]) -> Prediction:
    gains = [{"over": name, "gain": 3.0, "low": -1.0, "high": 7.0}]
    worth = {"expected": 47.0, "low": 43.0, "high": 51.0, "p_best": 0.6, "gains": gains, "tied": ["10"]}
    top = [{"configuration": "01", "probability": 0.6, "reward": None, "expected": 47.0}]
    nearest = [{"task": other, "similarity": 0.9} for other in HOSTILE[1:4]]
    levels = {"rotation": [0.7, 0.3], "light": [0.2, 0.8]}
    return Prediction(name, "01", levels, top, nearest, measured=steps(), worth=worth)


def pictures(size: int) -> TaskData:
    rng = np.random.default_rng(0)
    parts = {
        part: Pictures(rng.integers(0, 256, (count, 3, size, size), dtype=np.uint8), np.arange(count) % 2, HOSTILE[:2])
        for part, count in (("train", 12), ("val", 4), ("test", 4))
    }
    return TaskData("mine", HOSTILE[:2], parts, "here", "0" * 32)


def album() -> Album:
    from t2s_offline.render.renderer import get_renderer

    def task(name: str | None, size: int) -> TaskData:
        if name == HOSTILE[3]:
            raise BadInput(f"unknown task {name}")
        return pictures(size)

    def renderer() -> Any:
        return get_renderer("builtin", classes=2, objects=2, device="cpu")

    return Album(renderer, lambda configuration: build("resnet18-narrow", seed=0).eval(), task, 16, SPACE)


def test_what_it_says() -> None:
    made = folder_report(prediction("mine"), "knn5", "toy")
    about = dict(made.summary)
    assert about["Answer"] == "Pre-train with configuration 01."
    assert about["Worth"] == "Expected 47.0 %, with 95 % between 43.0 % and 51.0 %."
    assert about["Gain"] == "+3.0 over mine."
    assert about["Ties"].startswith("1 other configuration cannot be told from it")
    assert about["Cost"] == "3 backbones, 120 forward passes, 4 s."
    figure = made.figure("path")
    assert figure.table.column("configuration") == ["00", "01", "10"]
    assert [key.text for key in figure.keys] == ["kept", "trained"]
    assert made.missing == ()


def test_a_guess_has_a_page_too() -> None:
    guess = Prediction("mine", "01", prediction().probabilities, prediction().top, [])
    made = folder_report(guess, "logme", "toy")
    assert [section.key for section in made.sections] == ["ties"]
    assert "nothing was measured" in made.missing[0]
    assert "mine" in page(made)


def test_names_are_text() -> None:
    text = page(folder_report(prediction(), "knn5", HOSTILE[1]))
    assert "<script>alert(1)" not in text
    assert "<img src=x" not in text


def test_what_cannot_be_shown_is_named() -> None:
    made = folder_report(prediction(), "knn5", "toy", album())
    assert any(HOSTILE[3] in line for line in made.missing)
    assert {"near", "neighbours"} <= {section.key for section in made.sections}


def test_it_opens_from_disk_and_asks_for_nothing(tmp_path: Path) -> None:
    chromium()
    file = tmp_path / "page <b>.html"
    write_report(folder_report(prediction(), "knn5", "toy", album()), file)
    with browsing() as browser:
        for width, scheme in ((1100, "light"), (1100, "dark"), (390, "light")):
            with opened(browser, file, width=width, scheme=scheme) as shown:
                assert shown.complaints == []
                assert {url.split(":")[0] for url in shown.requests} <= {"file"}
                assert shown.overflow() == 0
                assert len(shown.marks("path", "point")) == 3
                assert shown.page.evaluate("document.querySelectorAll('img').length") >= 4


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="choose another"):
        write_report(folder_report(prediction(), "knn5", "toy"), tmp_path / "file" / "page.html")
