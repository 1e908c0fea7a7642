"""Painted scenes and photographs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2s_offline.errors import BadFile, BadInput
from t2s_offline.render.builtin import backgrounds
from t2s_offline.render.builtin.backgrounds import (
    COUNT,
    FAMILIES,
    HEIGHT,
    WIDTH,
    Backgrounds,
    paint,
    photographs,
    texels,
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backgrounds, "COUNT", 2)


def test_there_are_enough() -> None:
    assert COUNT >= 60
    assert len(set(FAMILIES)) >= 20


@pytest.mark.parametrize("index", range(len(FAMILIES)), ids=lambda i: FAMILIES[i].__name__)
def test_every_family_paints_a_picture(index: int) -> None:
    picture = paint(index)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert np.isfinite(picture).all()
    shown = np.clip(picture, 0, 1)
    assert shown.std() > 0.02, "not one flat colour"
    assert 0.03 < shown.mean() < 0.95
    seam = np.abs(shown[:, 0] - shown[:, -1]).mean()
    inside = np.abs(np.diff(shown, axis=1)).mean(axis=(0, 2))
    assert seam <= max(2.0 * np.quantile(inside, 0.99), 0.02), "wraps round"


def test_variants_and_seeds_differ() -> None:
    first, variant, seed = paint(0), paint(len(FAMILIES)), paint(0, seed=1)
    assert np.array_equal(first, paint(0))
    assert np.abs(first - variant).mean() > 0.01
    assert np.abs(first - seed).mean() > 0.01


def test_levels_halve_in_linear_light() -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3))
    picture[::2] = 1.0
    chain = texels(picture)
    sky = Backgrounds(("lines",), chain[None])
    assert (sky.picture(0)[::2] == 255).all()
    assert chain[HEIGHT * WIDTH :].min() == chain[HEIGHT * WIDTH :].max() == round(0.5**0.5 * 255)
    assert sky.mean_light_B == pytest.approx([0.5], abs=0.005)


@pytest.mark.usefixtures("few")
def test_cache_round_trip_and_damage(tmp_path: Path) -> None:
    calls: list[int] = []
    first = backgrounds.procedural(cache=tmp_path, progress=lambda done, total: calls.append(done))
    again = backgrounds.procedural(cache=tmp_path, progress=lambda done, total: calls.append(done))
    assert calls == [1, 2]
    assert np.array_equal(first.texel, again.texel)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    mended = backgrounds.procedural(cache=tmp_path)
    assert np.array_equal(first.texel, mended.texel)
    assert file.stat().st_size > 100_000


@pytest.mark.usefixtures("few")
def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert len(backgrounds.procedural(cache=blocked)) == 2


def test_photographs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "deep").mkdir()
    Image.fromarray(rng.integers(0, 255, (90, 130, 3), dtype=np.uint8)).save(tmp_path / "deep" / "b.jpg")
    Image.fromarray(np.full((300, 40), 128, np.uint8)).save(tmp_path / "a.PNG")
    (tmp_path / "c.png").write_bytes(b"not a picture")
    Image.new("RGB", (4, 4)).save(tmp_path / "tiny.png")
    (tmp_path / "notes.txt").write_text("")
    whole = (tmp_path / "deep" / "b.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    sky, skipped = photographs(tmp_path)
    assert sky.names == ("a.PNG", "deep/b.jpg")
    assert sky.picture(0).mean() == pytest.approx(118, abs=2)
    assert np.array_equal(sky.picture(1), sky.picture(1)[:, ::-1]), "laid out beside its mirror image"
    assert [os.path.basename(line.partition(":")[0]) for line in skipped] == ["c.png", "cut.jpg", "tiny.png"]
    assert all("\n" not in line for line in skipped)


def test_no_photograph_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        photographs(tmp_path / "absent")
    (tmp_path / "c.png").write_bytes(b"not a picture")
    with pytest.raises(BadFile, match="no usable"):
        photographs(tmp_path)
