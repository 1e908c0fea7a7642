"""Pictures from files and class folders as uint8 arrays: reading, converting to RGB, resizing and cropping.

A file that cannot be read is named and left out; more than 1 % of such files (of few files, a tenth) is an error.
Python's filters of warnings are not changed here, because they belong to the whole process and pictures are read in
threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadFile, BadInput, brief
from t2s_offline.images.digests import file_sum, part_digest
from t2s_offline.seeds import derive_rng

UInt8 = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

BAD_SHARE = 0.01  # of a folder's files may be unreadable
FEW_BAD = 5  # and so many of a folder of fewer than 500 files, but not more than a tenth of them
CHUNK = 256
#: Formats that are read, by Pillow's names. Not EPS, for which Pillow starts Ghostscript, and no formats that contain
#: files of other formats.
FORMATS = (
    "AVIF", "BMP", "DDS", "DIB", "GIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI",
    "SUN", "TGA", "TIFF", "WEBP", "XBM", "XPM",
)  # fmt: skip
UNREADABLE = bytes(32)  # in place of the SHA-256 of a file that cannot be read


@dataclass(frozen=True, eq=False)
class Pictures:
    """N pictures. image_NCHW: uint8 (N, 3, S, S), sRGB; label_N: int64 (N,), index into `classes`; bad: a line for each
    file that was left out; digest: `digests.part_digest` of all pictures as given, empty for a selection; paths: of the
    N files, empty for pictures that have no file each."""

    image_NCHW: UInt8
    label_N: Int64
    classes: tuple[str, ...]
    bad: tuple[str, ...] = ()
    digest: str = ""
    paths: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.label_N)

    def divided(self, places: Mapping[str, Int64]) -> dict[str, Pictures]:
        """The pictures at these places, which together are all of them, as views of one array: it is rearranged, and
        this object is used up. A copy of each would take as much memory as all of them."""
        order = np.concatenate(list(places.values()))
        label_N = self.label_N[order]
        paths = tuple(self.paths[at] for at in order) if self.paths else ()
        _rearrange(self.image_NCHW, order)
        found, first = {}, 0
        for name, index in places.items():
            own = slice(first, first := first + len(index))
            found[name] = Pictures(self.image_NCHW[own], label_N[own], self.classes, self.bad, paths=paths[own])
        return found

    def take(self, index: Int64) -> Pictures:
        """The pictures at these places."""
        paths = tuple(self.paths[at] for at in index) if self.paths else ()
        return Pictures(self.image_NCHW[index], self.label_N[index], self.classes, self.bad, paths=paths)


def _rearrange(array: UInt8, order: Int64) -> None:
    """Put row order[i] at place i, in place: cycle after cycle, with room for one row."""
    done = order == np.arange(len(order))
    for first in np.flatnonzero(~done):
        if done[first]:
            continue
        row, at = array[first].copy(), int(first)
        while (source := int(order[at])) != first:
            array[at] = array[source]
            done[at] = True
            at = source
        array[at] = row
        done[at] = True


def class_folders(folder: Path) -> list[Path]:
    """Folders within a folder, by name; hidden ones are left out. BadFile when the folder cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise BadFile(f"cannot read {folder}: {error.strerror}; expected a folder of class folders") from error


def read_folder(
    folder: Path,
    size: int,
    *,
    resize: float = 1.0,
    classes: Sequence[str] | None = None,
    choose: Callable[[str, int], Int64] | None = None,
    progress: Progress | None = None,
) -> Pictures:
    """Read folder/CLASS/**/FILE, classes and files in the order of their names.

    `size`, `resize`: see `fit`; `classes`: only these, in this order; `choose`: from a class and its number of files to
    those wanted. Raises BadFile when too many of the files are no pictures (`check_share`), or a class has none.
    """
    files, names = files_of(folder, classes=classes, choose=choose)
    return read_files(files, names, size, resize, str(folder), progress)


def files_of(
    folder: Path, *, classes: Sequence[str] | None = None, choose: Callable[[str, int], Int64] | None = None
) -> tuple[list[tuple[Path, int]], tuple[str, ...]]:
    """The (file, label) pairs that `read_folder` reads, and the names of the classes."""
    folders = class_folders(folder) if classes is None else [folder / name for name in classes]
    files: list[tuple[Path, int]] = []
    for label, path in enumerate(folders):
        within = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        if not within:
            raise BadFile(f"class folder {path} has no pictures; fill it or remove it")
        chosen = range(len(within)) if choose is None else choose(path.name, len(within))
        files += [(within[at], label) for at in chosen]
    if not files:
        raise BadFile(f"{folder} has no class folders; expected {folder.name}/CLASS/*.jpg")
    return files, tuple(path.name for path in folders)


def few_of_class(most: int) -> Callable[[str, int], Int64]:
    """A `choose` for `read_folder`: at most so many files of a class, drawn by the name of the class."""
    return lambda name, count: np.sort(derive_rng("folder", name).permutation(count)[:most])


def files_digest(files: Sequence[tuple[Path, int]], classes: tuple[str, ...]) -> str:
    """The digest of the pictures that `read_files` would return, without decoding them."""

    def one(pair: tuple[Path, int]) -> tuple[int, bytes]:
        try:
            with pair[0].open("rb") as file:
                return pair[1], file_sum(file)
        except OSError:
            return pair[1], UNREADABLE

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return part_digest(classes, pool.map(one, files))


def read_files(
    files: Sequence[tuple[Path, int]],
    classes: tuple[str, ...],
    size: int,
    resize: float,
    what: str,
    progress: Progress | None = None,
) -> Pictures:
    """Read (file, label) pairs over a pool of threads; the order is kept. The digest is of all files, bad ones too."""
    image_NCHW = np.empty((len(files), 3, size, size), dtype=np.uint8)
    reasons: list[str | None] = [None] * len(files)
    sums = [UNREADABLE] * len(files)

    def read(at: int) -> None:
        try:
            with opened(files[at][0]) as file:
                sums[at] = file_sum(file)
                image_NCHW[at] = decode(file, files[at][0], size, resize)
        except BadFile as error:
            reasons[at] = str(error)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for first in range(0, len(files), CHUNK):
            last = min(first + CHUNK, len(files))
            list(pool.map(read, range(first, last)))
            if progress is not None:
                progress(last, len(files))
    bad = tuple(reason for reason in reasons if reason is not None)
    check_share(bad, len(files), what)
    good = np.array([at for at, reason in enumerate(reasons) if reason is None], dtype=np.int64)
    label_N = np.array([label for _, label in files], dtype=np.int64)[good]
    lost = sorted(set(range(len(classes))) - set(label_N.tolist()))
    if lost:
        raise BadFile(f"{what}: class {classes[lost[0]]} has no picture that can be read; first: {bad[0]}")
    digest = part_digest(classes, zip((label for _, label in files), sums, strict=True))
    paths = tuple(files[at][0] for at in good)
    return Pictures(image_NCHW[good] if bad else image_NCHW, label_N, classes, bad, digest, paths)


def check_share(bad: Sequence[str], total: int, what: str) -> None:
    """BadFile when more than 1 % of the files were left out; of few files, more than FEW_BAD or a tenth."""
    if len(bad) > max(BAD_SHARE * total, min(FEW_BAD, total / 10)):
        shown = "; ".join(bad[:3]) + ("; …" if len(bad) > 3 else "")
        raise BadFile(
            f"{what}: {len(bad)} of {total} files are no pictures (at most 1 % may be, or {FEW_BAD} of few): {shown}"
        )


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A picture's file; BadFile when it cannot be opened or read."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror or error}") from error


def decode(file: IO[bytes], path: Path, size: int, resize: float) -> UInt8:
    """An open file as uint8 (3, size, size); BadFile, which names `path`, when it is no whole picture."""
    from PIL import Image

    try:
        with Image.open(file, formats=FORMATS) as picture:
            check_pixels(picture)
            picture.draft("RGB", (2 * size, 2 * size))  # JPEG alone: decode at a smaller scale, much faster
            picture.load()
            check_pixels(picture)  # an ICO file may have a larger picture than its header says
            return as_array(picture, size, resize)
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error and more
        reason = getattr(error, "strerror", None) or brief(error, 80)
        raise BadFile(f"{path}: {reason}") from error


def check_pixels(picture: Any) -> None:
    """BadFile for more pixels than the limit at which Pillow warns: a small file may decompress to that many."""
    from PIL import Image

    width, height = picture.size
    if Image.MAX_IMAGE_PIXELS is not None and width * height > Image.MAX_IMAGE_PIXELS:
        raise BadFile(f"{width} x {height} pixels; expected at most {Image.MAX_IMAGE_PIXELS} in all")


def as_array(picture: Any, size: int, resize: float = 1.0) -> UInt8:
    """A PIL picture as RGB, fitted: uint8 (3, size, size)."""
    if picture.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        # PIL clips 16 bits to white; the high byte is what a viewer shows
        wide = np.asarray(picture, dtype=np.float64)
        if not np.isfinite(wide).all():
            raise BadFile("values that are not finite; expected 0 to 255")
        from PIL import Image

        picture = Image.fromarray(np.clip(wide / 256 if wide.max() > 255 else wide, 0, 255).astype(np.uint8))
    elif picture.mode in ("P", "PA", "LA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        from PIL import Image

        over = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.asarray(fit(picture.convert("RGB"), size, resize)).transpose(2, 0, 1)


def fit(picture: Any, size: int, resize: float = 1.0) -> Any:
    """Resize so that the shorter side is `resize * size`, then take the centre crop of `size` x `size`.

    `resize` 8/7 is the paper's (256 pixels, then 224); 1 keeps as much of the picture as a square can.
    """
    if not 1 <= resize <= 4:
        raise BadInput(f"resize {resize}; expected 1 to 4 times the size")
    from PIL import Image

    side = min(picture.size) * size / round(size * resize)  # of the square that is kept, in pixels of the picture
    left, top = ((length - side) / 2 for length in picture.size)
    if (left, top) == (0, 0) and picture.size == (size, size):
        return picture
    return picture.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))


def fit_arrays(image_NHWC: UInt8, size: int, resize: float = 1.0) -> UInt8:
    """Pictures of one shape, uint8 (N, H, W, 3), to uint8 (N, 3, size, size)."""
    from PIL import Image

    if image_NHWC.shape[1:3] == (size, size) and resize == 1:
        return np.ascontiguousarray(image_NHWC.transpose(0, 3, 1, 2))
    out = np.empty((len(image_NHWC), 3, size, size), dtype=np.uint8)
    for at, image_HWC in enumerate(image_NHWC):
        out[at] = np.asarray(fit(Image.fromarray(image_HWC), size, resize)).transpose(2, 0, 1)
    return out
