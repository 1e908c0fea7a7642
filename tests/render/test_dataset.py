"""Datasets on disk: whole, resumable, described."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from t2s_offline.errors import BadFile, BadInput, RenderError
from t2s_offline.render import dataset
from t2s_offline.render.builtin.renderer import BuiltinRenderer
from t2s_offline.render.dataset import Written, write_dataset
from t2s_offline.render.renderer import RenderRequest
from tests.render.builtin.toys import toy_renderer

REQUEST = RenderRequest("11111111", 3, 16)


@pytest.fixture(scope="module")
def renderer() -> BuiltinRenderer:
    return toy_renderer()


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_dataset_is_an_image_folder(renderer: BuiltinRenderer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    done = write_dataset(renderer, REQUEST, tmp_path / "d", batch=4, progress=lambda *at: seen.append(at))
    assert done == Written(9, 9, 0)
    assert seen == [(4, 9), (8, 9), (9, 9)]
    folder = ImageFolder(str(tmp_path / "d"))
    assert sorted(folder.classes) == sorted(renderer.classes)
    assert len(folder) == 9
    metadata = json.loads((tmp_path / "d" / "metadata.json").read_text())
    assert metadata["finished"] is True
    assert metadata["dataset"]["configuration"] == "11111111"
    assert metadata["dataset"]["classes"] == ["ball", "ring", "box"]


def test_files_hold_the_images_and_the_table_their_scenes(renderer: BuiltinRenderer, tmp_path: Path) -> None:
    write_dataset(renderer, REQUEST, tmp_path / "d")
    table = pl.read_parquet(tmp_path / "d" / "scene.parquet")
    (batch,) = renderer.render(REQUEST)
    assert table["label"].to_list() == batch.label_N.tolist()
    assert table["shown"].to_list() == [renderer.objects[o] for o in batch.object_N]
    assert table["rotation_1"].to_numpy() == pytest.approx(batch.scenes.rotation_N3[:, 1])
    assert {"distance", "intensity", "colour_2", "light_0", "focus", "lens", "background"} <= set(table.columns)
    for file, expected in zip(table["file"], batch.image_NCHW.numpy(), strict=True):
        with Image.open(tmp_path / "d" / file) as picture:
            assert np.array_equal(np.asarray(picture), expected.transpose(1, 2, 0))


def test_an_interrupted_dataset_is_gone_on_with(renderer: BuiltinRenderer, tmp_path: Path) -> None:
    write_dataset(renderer, REQUEST, tmp_path / "whole")

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        write_dataset(renderer, REQUEST, tmp_path / "d", batch=4, progress=stop)
    assert json.loads((tmp_path / "d" / "metadata.json").read_text())["finished"] is False
    assert not (tmp_path / "d" / "scene.parquet").exists()
    assert write_dataset(renderer, REQUEST, tmp_path / "d") == Written(9, 5, 4)
    assert files(tmp_path / "d") == files(tmp_path / "whole")
    assert write_dataset(renderer, REQUEST, tmp_path / "d") == Written(9, 0, 9)
    next((tmp_path / "d" / "box").iterdir()).unlink()
    assert write_dataset(renderer, REQUEST, tmp_path / "d") == Written(9, 1, 8)
    assert files(tmp_path / "d") == files(tmp_path / "whole")


def test_the_disk_is_waited_for_once_a_folder(
    renderer: BuiltinRenderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at each of nine pictures; and all of them before the finished mark."""
    waits: list[tuple[int, bool]] = []

    def pictures() -> tuple[int, bool]:
        mark = tmp_path / "d" / "metadata.json"
        return len(list(tmp_path.rglob("*.png"))), mark.exists() and json.loads(mark.read_text())["finished"]

    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (waits.append(pictures()), real(number))[1])
    write_dataset(renderer, REQUEST, tmp_path / "d")
    # the open mark, the table of scenes, three folders, the finished mark
    assert waits == [(0, False), *[(9, False)] * 5]
    assert pictures() == (9, True)


def test_a_killed_dataset_has_no_finished_mark(renderer: BuiltinRenderer, tmp_path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from t2s_offline.render.renderer import RenderRequest
from t2s_offline.render.dataset import write_dataset
from tests.render.builtin.toys import toy_renderer
die = lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done >= 6 else None
write_dataset(toy_renderer(), RenderRequest("11111111", 3, 16), Path(sys.argv[1]), batch=3, progress=die)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "d")], cwd=Path(__file__).parents[2], timeout=120)
    assert done.returncode == -9
    assert json.loads((tmp_path / "d" / "metadata.json").read_text())["finished"] is False
    write_dataset(renderer, REQUEST, tmp_path / "whole")
    assert write_dataset(renderer, REQUEST, tmp_path / "d") == Written(9, 3, 6)
    assert files(tmp_path / "d") == files(tmp_path / "whole")


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_a_picture_cut_short_is_rendered_again(renderer: BuiltinRenderer, tmp_path: Path, form: str) -> None:
    write_dataset(renderer, REQUEST, tmp_path / "d", form=form)
    whole = files(tmp_path / "d")
    mark = tmp_path / "d" / "metadata.json"
    mark.write_text(mark.read_text().replace("true", "false", 1))
    empty, half = sorted((tmp_path / "d").rglob(f"*.{form}"))[:2]
    empty.write_bytes(b"")
    half.write_bytes(half.read_bytes()[:-20])
    assert write_dataset(renderer, REQUEST, tmp_path / "d", form=form) == Written(9, 2, 7)
    assert files(tmp_path / "d") == whole


def test_jpeg(renderer: BuiltinRenderer, tmp_path: Path) -> None:
    write_dataset(renderer, RenderRequest("00000000", 1, 64), tmp_path / "d", form="jpg")
    (batch,) = renderer.render(RenderRequest("00000000", 1, 64))
    file = next((tmp_path / "d" / "ball").glob("*.jpg"))
    with Image.open(file) as picture:
        difference = np.abs(np.asarray(picture).astype(int) - batch.image_NCHW[0].numpy().transpose(1, 2, 0))
    assert difference.mean() < 3


@pytest.mark.parametrize(
    ("change", "word"),
    [({"seed": 1}, "seed is 0, not 1"), ({"configuration": "11111110"}, "configuration"), ({"images": 4}, "images")],
)
def test_another_request_is_refused(
    renderer: BuiltinRenderer, tmp_path: Path, change: dict[str, int | str], word: str
) -> None:
    write_dataset(renderer, REQUEST, tmp_path / "d")
    before = files(tmp_path / "d")
    other = RenderRequest(**({"configuration": "11111111", "images": 3, "size": 16} | change))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=word):
        write_dataset(renderer, other, tmp_path / "d")
    assert files(tmp_path / "d") == before


def test_foreign_and_damaged_folders(renderer: BuiltinRenderer, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("keep me")
    with pytest.raises(BadInput, match="holds other files"):
        write_dataset(renderer, REQUEST, tmp_path / "precious")
    with pytest.raises(BadInput, match="is a file"):
        write_dataset(renderer, REQUEST, tmp_path / "precious" / "thesis.txt")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "metadata.json").write_text('{"finished": true')
    with pytest.raises(BadFile, match="cannot be read"):
        write_dataset(renderer, REQUEST, tmp_path / "broken")


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from t2s_offline.errors import RenderError
from t2s_offline.render.dataset import atomic_write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
atomic_write(Path(sys.argv[1]) / "small", b"x" * 900)
try:
    atomic_write(Path(sys.argv[1]) / "large", b"x" * 2000)
except RenderError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "cannot write" in result.stdout
    assert result.stdout.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["small"]


def test_a_disk_that_fills_while_rendering(
    renderer: BuiltinRenderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count = Path.write_bytes, 0

    def full(path: Path, content: bytes) -> int:
        nonlocal count
        count += 1
        if count > 5:
            real(path, content[: len(content) // 2])
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RenderError, match="No space left on device; make room"):
        write_dataset(renderer, REQUEST, tmp_path / "d", threads=1)
    monkeypatch.undo()
    assert not list((tmp_path / "d").rglob("*.part"))
    for file in (tmp_path / "d").rglob("*.png"):
        with Image.open(file) as picture:
            picture.load()
    assert write_dataset(renderer, REQUEST, tmp_path / "d").kept == 4


def test_names_are_safe(renderer: BuiltinRenderer) -> None:
    names = dataset.file_names(renderer, REQUEST, renderer.describe(REQUEST)[1], "png")
    assert len(set(names)) == 9
    assert all(name.count("/") == 1 for name in names)
