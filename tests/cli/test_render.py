"""The command: what it prints, what it writes, how it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from t2s_offline.cli.render import render
from t2s_offline.errors import BadInput, RenderError, T2SError, UnknownName

TOYS = ["--renderer", "tests.cli.test_render:opened"]


def opened(**asked: object) -> object:
    """The toy renderer, as a renderer of a user's own."""
    from tests.render.builtin.toys import toy_renderer

    return toy_renderer()


def run(*words: object) -> Result:
    return CliRunner().invoke(render, [*TOYS, *map(str, words)])


def fails(kind: type[T2SError], *words: object) -> str:
    result = run(*words)
    assert isinstance(result.exception, kind), result.exception or result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_dataset_and_sheet(tmp_path: Path) -> None:
    words = ["01100100", "--images", 2, "--size", 16, "--out", tmp_path / "d", "--sheet", tmp_path / "s.png"]
    result = run(*words)
    assert result.exception is None, result.output
    assert "6 images of 3 classes; 6 rendered" in result.stdout
    assert len(list((tmp_path / "d").rglob("*.png"))) == 6
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.width > 60
    assert "6 were there already" in run(*words).stdout


def test_gallery_and_grids(tmp_path: Path) -> None:
    assert run("--gallery", tmp_path / "g.png", "--size", 32).exception is None
    assert run("--grid", tmp_path / "one.png", "--one-bit", "--object", "box:1", "--size", 16).exception is None
    space = "object_rotation,materials:3"
    assert run("--grid", tmp_path / "all.png", "--space", space, "--size", 16).exception is None
    for name in ("g", "one", "all"):
        with Image.open(tmp_path / f"{name}.png") as picture:
            picture.load()
            assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    out = ["--out", tmp_path / "d"]
    assert "nothing to do" in fails(BadInput, "00000000")
    assert "no CONFIGURATION" in fails(BadInput, *out)
    assert "expected 16" in fails(BadInput, "00000000", "--size", 15, *out)
    assert "expected 8" in fails(BadInput, "0000", *out)
    assert "expected a digit" in fails(BadInput, "00000002", *out)
    assert "did you mean box" in fails(UnknownName, "--grid", tmp_path / "g.png", "--object", "bax")
    assert "box:9" in fails(UnknownName, "--grid", tmp_path / "g.png", "--object", "box:9")
    assert not (tmp_path / "d").exists()


def test_devices_and_folders_are_checked_by_the_builtin_renderer(tmp_path: Path) -> None:
    out = ["--renderer", "builtin", "00000000", "--out", tmp_path / "d"]
    assert "expected auto, cpu" in fails(BadInput, "--device", "gpu", *out)
    assert "is not there" in fails(RenderError, "--device", "cuda:99", *out)
    assert "did you mean builtin" in fails(UnknownName, *out, "--renderer", "bultin")
    (tmp_path / "empty").mkdir()
    assert "empty" in fails(BadInput, "--meshes", tmp_path / "empty", *out)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "is a file" in fails(BadInput, "00000000", "--images", 1, "--size", 16, "--out", blocked)
    assert "cannot write" in fails(RenderError, "00000000", "--images", 1, "--size", 16, "--sheet", blocked / "s.png")


@pytest.mark.parametrize("word", ["--classes", "--images", "--size", "--seed", "--device", "--meshes", "--backgrounds"])
def test_help_names_the_options(word: str) -> None:
    assert word in CliRunner().invoke(render, ["--help"]).output
