"""The backgrounds: 78 procedural scenes, or a folder of photographs, as texels for a renderer.

`procedural` paints them from a seed, `photographs` reads a folder of JPEG and PNG files. Both return `Backgrounds`,
each picture with its chain of halved copies; procedural ones are cached on first use.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadFile, BadInput
from t2s_offline.files import cache_folder, write_npz
from t2s_offline.render import pixels
from t2s_offline.render.builtin.interiors import INDOORS
from t2s_offline.render.builtin.scenery import OUTDOORS, Canvas
from t2s_offline.render.builtin.srgb import linear
from t2s_offline.render.scene import hash_key

HEIGHT, WIDTH, LEVELS = 256, 512, 7
FAMILIES = tuple(f for pair in zip(OUTDOORS, INDOORS, strict=False) for f in pair) + INDOORS[len(OUTDOORS) :]
VARIANTS = 3
COUNT = len(FAMILIES) * VARIANTS
PHOTOS = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True, eq=False)
class Backgrounds:
    """B pictures. names: (B,); texel: uint8 (B, sum of the levels' pixels, 3), the square root of linear light."""

    names: tuple[str, ...]
    texel: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.names)

    def picture(self, index: int) -> npt.NDArray[np.uint8]:
        """Level 0 of a background for looking at: uint8 (HEIGHT, WIDTH, 3), roughly sRGB."""
        return self.texel[index, : HEIGHT * WIDTH].reshape(HEIGHT, WIDTH, 3)

    @property
    def mean_light_B(self) -> npt.NDArray[np.float32]:
        """Mean linear light of each background, shape (B,)."""
        coarse = self.texel[:, -(HEIGHT >> LEVELS - 1) * (WIDTH >> LEVELS - 1) :].astype(np.float32) / 255
        return np.asarray((coarse**2).mean((1, 2)), dtype=np.float32)


def texels(srgb: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """A picture (HEIGHT, WIDTH, 3), sRGB 0 to 1, with its halved copies: uint8 (pixels of all levels, 3)."""
    light = linear(np.clip(srgb, 0, 1)).astype(np.float32)
    chain = []
    for _ in range(LEVELS):
        chain.append(np.rint(np.sqrt(light) * 255).astype(np.uint8).reshape(-1, 3))
        light = (light[::2, ::2] + light[1::2, ::2] + light[::2, 1::2] + light[1::2, 1::2]) * np.float32(0.25)
    return np.concatenate(chain)


def paint(index: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Procedural scene `index` (0 to COUNT - 1) of a seed: sRGB float (HEIGHT, WIDTH, 3), about 0 to 1."""
    family, variant = FAMILIES[index % len(FAMILIES)], index // len(FAMILIES)
    rng = np.random.default_rng(int(hash_key("background", seed, family.__name__, variant)))
    return family(Canvas(rng, HEIGHT, WIDTH))


def procedural(
    seed: int = 0, *, cache: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> Backgrounds:
    """All procedural scenes of a seed, from the cache where they are there already."""
    names = tuple(f"{FAMILIES[i % len(FAMILIES)].__name__}_{i // len(FAMILIES)}" for i in range(COUNT))
    made_by = f"{pixels.digest(pixels.BACKGROUNDS)}-{version('numpy')}"
    file = (cache or cache_folder()) / f"backgrounds-{made_by}-{seed}-{HEIGHT}.npz"
    shape = (COUNT, sum((HEIGHT >> level) * (WIDTH >> level) for level in range(LEVELS)), 3)
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
            if kept["texel"].shape == shape and kept["texel"].dtype == np.uint8:
                return Backgrounds(names, kept["texel"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # absent or damaged: paint it again
    texel = np.empty(shape, dtype=np.uint8)
    for i in range(COUNT):
        texel[i] = texels(paint(i, seed))
        if progress:
            progress(i + 1, COUNT)
    with suppress(OSError):  # a read-only or full cache costs time, not the result
        write_npz(file, {"texel": texel})
    return Backgrounds(names, texel)


def photographs(folder: Path) -> tuple[Backgrounds, list[str]]:
    """The photographs of a folder and its subfolders, in order of name, and one line for each file left out.

    A photograph is cut to a square and laid out beside its mirror image, so that it wraps round.
    """
    from PIL import Image, UnidentifiedImageError

    if not folder.is_dir():
        raise BadInput(f"backgrounds {folder}: no such folder; expected one with .jpg or .png files")
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PHOTOS)
    kept, skipped = [], []
    for file in files:
        try:
            with Image.open(file, formats=("JPEG", "PNG")) as opened:  # of others some start programs
                opened.draft("RGB", (WIDTH, WIDTH))
                picture = opened.convert("RGB")
            side = min(picture.size)
            if side < 16:
                raise ValueError(f"{picture.width} x {picture.height} pixels; expected 16 or more a side")
            left, top = (picture.width - side) // 2, (picture.height - side) // 2
            square = picture.resize((HEIGHT, HEIGHT), Image.Resampling.BOX, (left, top, left + side, top + side))
            pixels = np.asarray(square, dtype=np.float32) / 255
            kept.append((file.relative_to(folder).as_posix(), texels(np.concatenate([pixels, pixels[:, ::-1]], 1))))
        except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            skipped.append(f"{file}: not a usable picture ({' '.join(str(error).split())}); left out")
    if not kept:
        raise BadFile(f"backgrounds {folder}: no usable .jpg or .png among {len(files)} files; add photographs")
    return Backgrounds(tuple(name for name, _ in kept), np.stack([texel for _, texel in kept])), skipped
