"""Pictures without classes: files by path, or all under folders, read batch by batch.

A file that cannot be read is named and left out, however many there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from t2s_offline.errors import BadFile
from t2s_offline.images.image_files import UInt8, decode, opened

BATCH, BATCH_BYTES = 256, 64 << 20  # most pictures of a batch, and most bytes of their pixels


@dataclass(frozen=True, eq=False)
class Batch:
    """image_NCHW: uint8 (N, 3, S, S), sRGB, of the N paths; bad: a line for each file that was left out."""

    image_NCHW: UInt8
    paths: tuple[Path, ...]
    bad: tuple[str, ...]


def pictures_under(places: Sequence[Path]) -> list[Path]:
    """The files at these paths, and those under these folders in the order of their names, hidden ones left out; each
    once. BadFile for a path at which there is neither, or when there are no files."""
    files: list[Path] = []
    for place in places:
        if place.is_dir():
            within = (path for path in place.rglob("*") if path.is_file())
            files += sorted(path for path in within if not _hidden(path.relative_to(place)))
        elif place.is_file():
            files.append(place)
        else:
            raise BadFile(f"there is no file or folder {place}; expected pictures, or a folder of them")
    if not files:
        raise BadFile(f"no files under {', '.join(map(str, places))[:200]}; expected pictures")
    return list(dict.fromkeys(files))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def batches(files: Sequence[Path], size: int, resize: float) -> Iterator[Batch]:
    """Read the files over a pool of threads, in order. `size`, `resize`: see `image_files.fit`."""
    count = max(min(BATCH, BATCH_BYTES // (3 * size * size)), 1)

    def read(path: Path) -> UInt8 | str:
        try:
            with opened(path) as file:
                return decode(file, path, size, resize)
        except BadFile as error:
            return str(error)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for first in range(0, len(files), count):
            paths = files[first : first + count]
            found = list(pool.map(read, paths))
            good = [(path, image) for path, image in zip(paths, found, strict=True) if not isinstance(image, str)]
            pixels = np.empty((len(good), 3, size, size), dtype=np.uint8)
            for at, (_path, image) in enumerate(good):
                pixels[at] = image
            yield Batch(pixels, tuple(path for path, _ in good), tuple(one for one in found if isinstance(one, str)))
