"""predict --measure K --on-miss live and --budget: what is not at hand is trained, kept, and found the next time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import t2s_offline as t2s
from t2s_offline.api.budget import Clock, clock_of, seconds_of, spoken
from t2s_offline.errors import BadInput
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.trained_files import trained
from t2s_offline.sweep import live_backbones
from tests.cli.test_commands import failed, run
from tests.cli.test_predict_portfolio import CONFIGURATIONS, NAME, RECIPE, table

__all__ = ["table"]  # a fixture
KEPT = len(CONFIGURATIONS)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("T2S_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four digits as class folders, ten a class."""
    folder, digits = tmp_path_factory.mktemp("pictures") / "photos", load_digits()
    for label in range(4):
        (folder / str(label)).mkdir(parents=True)
        for number in np.flatnonzero(digits.target == label)[:10]:
            grey = np.rint(digits.images[number] * (255 / 16)).astype(np.uint8)
            Image.fromarray(grey).resize((16, 16)).save(folder / str(label) / f"{number}.png")
    return folder


def test_backbones_that_are_not_at_hand_are_trained_once(table: Path, photos: Path, cache: Path) -> None:
    told: list[str] = []
    options = {"measure": KEPT + 1, "samples": 8, "told": told.append}
    found = t2s.predict(None, t2s.open_table(table), photos, on_miss="live", **options)
    hows = [row["how"] for row in found.measured]
    assert hows == ["kept"] * KEPT + ["trained"]
    new = found.measured[-1]["configuration"]
    assert new not in CONFIGURATIONS
    assert found.configuration == max(found.measured, key=lambda row: row["expected"])["configuration"]
    assert any("1 of 11 backbones are not at hand; rendering and training them here takes about 3 s" in x for x in told)
    assert trained(NAME, 0) == [new]
    assert not list((cache / "trained" / "checkpoints").iterdir())
    again = t2s.predict(None, t2s.open_table(table), photos, **options)
    assert {row["configuration"] for row in again.measured} == {row["configuration"] for row in found.measured}
    assert [row["how"] for row in again.measured] == ["kept"] * (KEPT + 1)
    # a damaged file is not taken, and goes
    (file,) = (cache / "trained" / "backbones").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    fewer = t2s.predict(None, t2s.open_table(table), photos, **options)
    assert len(fewer.measured) == KEPT
    assert not file.exists()


def test_without_a_word_what_is_lacking_is_said_and_left_out(table: Path, photos: Path) -> None:
    done = run("predict", photos, "--store", table, "--samples", "8", "--measure", "12", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["measured"]) == KEPT
    line = (
        "2 of 12 backbones are not at hand; rendering and training them here takes about 6 s (--on-miss live does it)"
    )
    assert line in done.stderr


def test_pixels_of_another_version_are_not_rendered(table: Path, photos: Path, tmp_path: Path) -> None:
    other = replace(RECIPE, renderer_version="0.0.1")
    frames = RewardStore(table).frames()
    changed = {name: frame.to_dicts() for name, frame in frames.items() if "recipe" in frame.columns}
    for rows in changed.values():
        for row in rows:
            row["recipe"] = other.recipe_id("toy")
            if "contents" in row:
                row["contents"] = other.contents()
    store = RewardStore(tmp_path / "other.duckdb")
    store.add(frames | {name: pl.DataFrame(rows, schema=frames[name].schema) for name, rows in changed.items()})
    asked = ["predict", photos, "--store", store.path, "--probe", table / "probe.safetensors", "--samples", "8"]
    assert "or add --any-pixels" in failed(*asked, "--measure", "1", "--on-miss", "live")
    with pytest.raises(BadInput, match="or add --any-pixels"):
        t2s.predict(None, t2s.open_table(store.path), photos, budget="5s")


def test_a_budget_measures_and_trains_until_it_is_over(
    table: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is one of a list, because a busy machine has no other that a test can rely on."""
    values = iter([1000.0] * 36 + [0.0] * 100)
    monkeypatch.setattr(Clock, "left", property(lambda self: next(values)))
    told: list[str] = []
    found = t2s.predict(
        None, t2s.open_table(table), photos, budget="1h", samples=8, out=tmp_path / "mine", told=told.append
    )
    assert KEPT < len(found.measured) < 3 * KEPT
    hows = [row["how"] for row in found.measured]
    assert hows[0] == "kept"
    assert hows.count("trained") > 1
    assert t2s.load_backbone(tmp_path / "mine" / "backbone.safetensors").card["size"] == 16
    assert any(line.startswith("rendering and training") and "left" in line for line in told)


def test_nothing_is_begun_that_cannot_end(table: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table says that one takes an hour: nothing is trained, all that is kept is measured."""
    monkeypatch.setattr(RewardStore, "backbone_seconds", lambda self, recipe: 3600.0)
    found = t2s.predict(None, t2s.open_table(table), photos, budget="10m", samples=8, told=lambda line: None)
    assert [row["how"] for row in found.measured] == ["kept"] * KEPT


def test_a_training_whose_time_is_over_goes_on_the_next_time(
    table: Path, photos: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RewardStore, "backbone_seconds", lambda self, recipe: 60.0)
    told: list[str] = []

    def over(_progress: object, _until: object) -> None:
        raise live_backbones.OutOfTime

    monkeypatch.setattr(live_backbones, "timely", over)
    found = t2s.predict(None, t2s.open_table(table), photos, budget="10m", samples=8, told=told.append)
    assert {row["how"] for row in found.measured} == {"kept"}
    assert any("time is over before" in line for line in told)
    assert trained(NAME, 0) == []


def test_what_does_not_fit_together_is_one_line(table: Path, photos: Path) -> None:
    assert "give one of them" in failed("predict", photos, "--store", table, "--budget", "5m", "--measure", "3")
    assert "a time such as 90s, 5m or 1h" in failed("predict", photos, "--store", table, "--budget", "soon")
    assert "nothing is measured or trained" in failed("predict", "task0", "--store", table, "--budget", "5m")
    assert "nothing is to be written" in failed("predict", "task0", "--store", table, "--out", "o")
    assert "ends in .html" in failed("predict", "task0", "--store", table, "--report", "page")


def test_a_page_of_the_prediction(table: Path, photos: Path, tmp_path: Path) -> None:
    """The tasks of the table have no pictures here: they are named."""
    told: list[str] = []
    found = t2s.predict(
        None, t2s.open_table(table), photos, measure=3, samples=8, report=tmp_path / "page.html", told=told.append
    )
    text = (tmp_path / "page.html").read_text()
    assert f"Pre-train with configuration {found.configuration}." in text
    assert text.count("data:image/jpeg") == 1 + 3 + 1, "the pictures, three configurations, neighbours"
    assert f"Pictures of {found.nearest[0]['task']}" in text
    assert "opens from disk" in told[-1]


def test_times() -> None:
    assert [seconds_of(text) for text in ("90s", "5m", "1.5h", "7", 7)] == [90, 300, 5400, 7, 7]
    for text in ("", "m", "-1s", "0", "5 minutes", "1e9h", "nan", 0):
        with pytest.raises(BadInput, match="a time such as"):
            seconds_of(text)
    assert [spoken(value) for value in (3.2, 89, 300, 7200)] == ["3 s", "89 s", "5 min", "2.0 h"]
    assert clock_of(None).left > 1e9
    assert 290 < clock_of("5m").left < 296
