"""Pictures from files: warnings of decoders, and the state of the process afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2s_offline.errors import BadFile
from t2s_offline.images.image_files import read_files, read_folder
from t2s_offline.images.task_data import load_task

#: Reads a folder again and again in threads, without pytest's own filters.
READ = """
import sys, warnings
from pathlib import Path
from t2s_offline.images.image_files import read_folder
before = list(warnings.filters)
for _ in range(30):
    read_folder(Path(sys.argv[1]), 8)
    if list(warnings.filters) != before:
        sys.exit("the filters are not what they were: " + repr(warnings.filters[0]))
"""


def fill(folder: Path, images: int) -> Path:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for number in range(images):
            pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_threads_leave_the_filters_of_warnings_alone(tmp_path: Path) -> None:
    folder = fill(tmp_path / "pictures", 100)
    plain = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
    done = subprocess.run([sys.executable, "-c", READ, str(folder)], capture_output=True, text=True, env=plain)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("action", ["ignore", "default", "error"])
def test_a_bomb_is_left_out_whatever_the_filters_are(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # what is twice as large is an error of Pillow's own
    folder = fill(tmp_path / "pictures", 100)
    Image.fromarray(np.zeros((50, 60, 3), dtype=np.uint8)).save(folder / "a" / "bomb.jpg")
    with warnings.catch_warnings():
        warnings.simplefilter(action)  # type: ignore[arg-type]
        if action == "default":
            warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
        read = read_folder(folder, 8)
    assert len(read) == 200
    assert len(read.bad) == 1
    assert "bomb.jpg" in read.bad[0]


def test_a_picture_of_no_numbers_is_a_bad_file(tmp_path: Path) -> None:
    pixels = np.full((12, 12), 300, dtype=np.float32)
    pixels[3, 4] = np.nan
    Image.fromarray(pixels).save(tmp_path / "nan.tiff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(BadFile, match=r"nan\.tiff.*not finite"):
            read_files([(tmp_path / "nan.tiff", 0)], ("one",), 8, 1.0, "here")


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that appears when Ghostscript is started, which is a trap on PATH here."""
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # looked for again
    program = tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho started >> {tmp_path}/started\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return tmp_path / "started"


DRAWING = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\nshowpage\n%%EOF\n"


def test_a_picture_starts_no_program(tmp_path: Path, trap: Path) -> None:
    """PostScript is drawn by Ghostscript, a program: such a file is no picture here, whatever it is called."""
    (tmp_path / "drawing.jpg").write_text(DRAWING)
    with pytest.raises(BadFile, match=r"drawing\.jpg"):
        read_files([(tmp_path / "drawing.jpg", 0)], ("one",), 8, 1.0, "here")
    assert not trap.exists()


def test_a_picture_that_torchvision_keeps_starts_no_program(tmp_path: Path, trap: Path) -> None:
    folder = tmp_path / "data" / "EuroSAT" / "eurosat" / "2750" / "Forest"
    folder.mkdir(parents=True)
    (folder / "Forest_1.jpg").write_text(DRAWING)
    (tmp_path / "data" / "EuroSAT" / ".torchvision").touch()
    with pytest.raises(BadFile, match="torchvision cannot read EuroSAT"):
        load_task("EuroSAT", 8, data=tmp_path / "data")
    assert not trap.exists()
