"""Pictures rendered ahead: the same bytes and losses, in order, and errors where they belong."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from t2s_offline.errors import RenderError
from t2s_offline.sweep import pictures
from t2s_offline.sweep.ahead import Ahead
from t2s_offline.sweep.pictures import expect, training_pictures, wants_pictures
from t2s_offline.training.pretrain import pretrain
from tests.sweep.test_run import Sweep


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    made = Ahead()
    monkeypatch.setattr(pictures, "AHEAD", made)
    monkeypatch.setattr(pictures, "_EXPECTED", [])
    monkeypatch.delenv("T2S_DATA", raising=False)
    return made


def test_the_same_bytes_and_losses(tmp_path: Path, alone: Ahead) -> None:
    sweep = Sweep(tmp_path)
    shop = sweep.shop("a")
    units = [unit for unit in sweep.units if unit.configuration != "scratch"][:2]
    recipe = shop.recipes[units[0].recipe_id]
    found = []
    for ahead in (False, True):
        for number, unit in enumerate(units):
            expect(units[number + 1 :])
            data = training_pictures(unit, shop, recipe, "cpu", ahead=ahead)
            assert (alone.job is not None) == (ahead and number == 0)
            made = pretrain(data, recipe, configuration=unit.configuration, seed=unit.seed)
            found.append((data.image_NCHW, made.figures["loss"]))
    for plain, overlapped in zip(found[:2], found[2:], strict=True):
        assert torch.equal(plain[0], overlapped[0])
        assert plain[1] == overlapped[1]
    assert not torch.equal(found[0][0], found[1][0])


def test_on_a_cpu_nothing_is_rendered_ahead(tmp_path: Path, alone: Ahead) -> None:
    sweep = Sweep(tmp_path)
    shop = sweep.shop("a")
    units = [unit for unit in sweep.units if unit.configuration != "scratch"]
    expect(units[1:])
    training_pictures(units[0], shop, shop.recipes[units[0].recipe_id], "cpu")
    assert alone.job is None


def test_who_needs_no_pictures(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    shop = sweep.shop("a")
    scratch, unit = sweep.units[0], sweep.units[1]
    assert not wants_pictures(scratch, shop)
    assert wants_pictures(unit, shop)
    shop.backbone(unit).parent.mkdir(parents=True)
    shop.backbone(unit).touch()
    assert not wants_pictures(unit, shop)


def test_an_error_is_the_units_own_and_what_nobody_wants_is_dropped() -> None:
    ahead, names, free = Ahead(), [], threading.Event()

    def fails() -> None:
        free.wait(10)
        raise RenderError("no light")

    ahead.begin("second", fails, "cpu")  # type: ignore[arg-type]
    ahead.begin("third", lambda: names.append("third"), "cpu")  # type: ignore[arg-type, func-returns-value]
    free.set()
    with pytest.raises(RenderError, match="no light"):
        ahead.take("second", lambda: names.append("second"), "cpu")  # type: ignore[arg-type, func-returns-value]
    assert names == [], "one at a time"
    ahead.begin("unwanted", fails, "cpu")  # type: ignore[arg-type]
    ahead.take("other", lambda: names.append("other"), "cpu")  # type: ignore[arg-type, func-returns-value]
    assert names == ["other"]
    assert ahead.job is None
