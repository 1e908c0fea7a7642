"""Writes a rendered dataset as a folder: one folder a class, its images, metadata.json and scene.parquet.

The files are those that torchvision's ImageFolder reads. Resumable: an image is written under another name, then
renamed, so a second run renders what is missing, and what a power cut left without its end. The disk is waited for once
a folder, before the finished mark in metadata.json: waiting at each image took forty times as long as writing it.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline import __version__
from t2s_offline.errors import BadFile, BadInput, RenderError
from t2s_offline.files import flush_folder, write_whole
from t2s_offline.render.renderer import Renderer, RenderRequest

METADATA, SCENES = "metadata.json", "scene.parquet"
FORMATS: dict[str, dict[str, Any]] = {
    "png": {"format": "PNG", "compress_level": 3},
    "jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
}
ENDS = {"png": b"IEND\xaeB`\x82", "jpg": b"\xff\xd9"}  # of a whole file


@dataclass(frozen=True)
class Written:
    """What `write_dataset` did: images of the dataset, how many it rendered now, how many were there already."""

    images: int
    rendered: int
    kept: int


def atomic_write(file: Path, content: bytes, *, flush: bool = True) -> None:
    """Write a file whole or not at all; RenderError when the disk is full or refuses. `flush`: see `write_whole`."""
    try:
        write_whole(file, content, flush=flush)
    except OSError as error:
        raise RenderError(
            f"cannot write {file}: {error.strerror or error}; make room, then run the same command to go on"
        ) from error


def encode(image_HWC: npt.NDArray[np.uint8], form: str) -> bytes:
    """One picture, uint8 (H, W, 3), as the bytes of a PNG or JPEG file."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image_HWC).save(out, **FORMATS[form])
    return out.getvalue()


def identity(renderer: Renderer, request: RenderRequest, form: str) -> dict[str, Any]:
    """Everything that decides the dataset's bytes, for metadata.json."""
    return {
        "configuration": request.configuration,
        "space": str(request.space),
        "seed": request.seed,
        "images_a_class": request.images,
        "size": request.size,
        "samples": request.samples,
        "format": form,
        "classes": list(renderer.classes),
        "objects": len(renderer.objects),
        **renderer.settings,
    }


def file_names(renderer: Renderer, request: RenderRequest, object_N: npt.NDArray[np.int64], form: str) -> list[str]:
    """Relative path of every image in order: ``class/00012_object.png``."""
    safe = [re.sub(r"[^\w.-]+", "_", name) for name in renderer.objects]
    folders = [re.sub(r"[^\w.-]+", "_", name) for name in renderer.classes]
    if len(set(folders)) < len(folders):
        raise BadInput("two classes have the same folder name; rename one of them")
    return [f"{folders[i // request.images]}/{i % request.images:05d}_{safe[o]}.{form}" for i, o in enumerate(object_N)]


def _check_folder(out: Path, dataset: dict[str, Any]) -> bool:
    """True when the folder holds this dataset, finished; BadInput or BadFile when it holds something else."""
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; expected a folder to write to")
    file = out / METADATA
    if not file.exists():
        if out.is_dir() and any(not p.name.endswith(".part") for p in out.iterdir()):
            raise BadInput(f"{out} holds other files and no {METADATA}; expected a new or empty folder")
        return False
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        before: dict[str, Any] = dict(known["dataset"])
        finished = bool(known["finished"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadFile(f"{file} cannot be read ({error}); delete the folder or write to another") from error
    for key in dataset | before:
        old, new = before.get(key), dataset.get(key)
        if old != new:
            raise BadInput(f"{out} holds another dataset: {key} is {old}, not {new}; write to another folder")
    return finished


def _is_whole(file: Path, form: str) -> bool:
    """Whether a picture is there up to its end: a power cut may leave a name without all of its bytes."""
    try:
        with file.open("rb") as opened:
            opened.seek(-len(ENDS[form]), os.SEEK_END)
            return opened.read() == ENDS[form]
    except OSError:
        return False


def write_dataset(
    renderer: Renderer,
    request: RenderRequest,
    out: Path,
    *,
    form: str = "png",
    batch: int = 256,
    threads: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Render what is missing of a dataset into folder `out`.

    `progress` is called with (images done, images of the dataset). Raises BadInput for a folder that holds something
    else, RenderError when the disk is full.
    """
    dataset = identity(renderer, request, form)
    label_N, object_N, scenes = renderer.describe(request)
    names = file_names(renderer, request, object_N, form)
    finished = _check_folder(out, dataset)
    there = [_is_whole(out / name, form) for name in names]
    missing = np.array([i for i, known in enumerate(there) if not known], dtype=np.int64)
    if finished and not len(missing):
        return Written(len(names), 0, len(names))

    def mark(done: bool) -> None:
        text = json.dumps({"finished": done, "version": __version__, "dataset": dataset}, indent=1, allow_nan=False)
        atomic_write(out / METADATA, text.encode())

    mark(False)
    done = len(names) - len(missing)
    with ThreadPoolExecutor(threads) as pool:
        for rendered in renderer.render(request, indices=missing, batch=batch):
            pictures = np.ascontiguousarray(rendered.image_NCHW.permute(0, 2, 3, 1).cpu().numpy())
            targets = [out / names[i] for i in rendered.index_N.tolist()]
            write = lambda file, picture: atomic_write(file, encode(picture, form), flush=False)  # noqa: E731
            list(pool.map(write, targets, pictures))
            done += len(targets)
            if progress:
                progress(done, len(names))
    columns: dict[str, Any] = {"file": names, "class": [renderer.classes[c] for c in label_N]}
    columns |= {"label": label_N, "shown": [renderer.objects[o] for o in object_N], **scenes.columns()}
    atomic_write(out / SCENES, parquet(columns))
    for folder in sorted({(out / name).parent for name in names}):
        flush_folder(folder)
    mark(True)
    return Written(len(names), len(missing), len(names) - len(missing))


def parquet(columns: dict[str, Any]) -> bytes:
    """A table as the bytes of a Parquet file."""
    import polars as pl

    table = io.BytesIO()
    pl.DataFrame(columns).write_parquet(table)
    return table.getvalue()
