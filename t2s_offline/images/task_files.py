"""The formats a task's pictures come in: .npz files, class folders, torchvision's downloads, scikit-learn's digits.

Each reader returns the parts that are there, at least train, as uint8 arrays of one size with their digests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from t2s_offline.errors import BadFile, brief, check_known
from t2s_offline.images.digests import array_sum, part_digest
from t2s_offline.images.image_files import (
    Int64,
    Pictures,
    Progress,
    UInt8,
    as_array,
    class_folders,
    few_of_class,
    files_digest,
    files_of,
    fit_arrays,
    read_folder,
)
from t2s_offline.task_places import PARTS, TORCHVISION_PARTS

MOST_CLASSES = 100_000
#: Name of a folder -> the part in it.
PART_FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, eq=False)
class Arrays:
    """A part as arrays of one shape: image_NHWC uint8 (N, H, W, 3), label_N, classes, and its digest."""

    image_NHWC: UInt8
    label_N: Int64
    classes: tuple[str, ...]
    digest: str

    def fitted(self, size: int, resize: float) -> Pictures:
        image_NCHW = fit_arrays(self.image_NHWC, size, resize)
        return Pictures(image_NCHW, self.label_N, self.classes, digest=self.digest)


def _arrays(image_NHWC: UInt8, raw: Any, label_N: Int64, classes: tuple[str, ...]) -> Arrays:
    sums = ((int(label), array_sum(image)) for label, image in zip(label_N, raw, strict=True))
    return Arrays(image_NHWC, label_N, classes, part_digest(classes, sums))


def digits_arrays() -> dict[str, Arrays]:
    """scikit-learn's handwritten digits."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey_NHW = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    image_NHWC = np.repeat(grey_NHW[..., None], 3, axis=3)
    return {"train": _arrays(image_NHWC, grey_NHW, digits.target.astype(np.int64), tuple("0123456789"))}


def npz_arrays(path: Path) -> dict[str, Arrays]:
    """x_train, y_train and, where given, x_val, y_val, x_test, y_test, class_names; or x, y alone."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except ValueError as error:
        reason = "it holds object arrays" if "allow_pickle" in str(error) else brief(error, 80)
        raise BadFile(f"cannot read {path}: {reason}; expected plain arrays x_train, y_train, …") from error
    except Exception as error:  # zipfile, zlib, EOFError, OSError …
        raise BadFile(f"cannot read {path}: {error}; expected an .npz of x_train, y_train, …") from error
    if "x" in arrays and "y" in arrays and "x_train" not in arrays:
        arrays |= {"x_train": arrays["x"], "y_train": arrays["y"]}
    if "x_train" not in arrays or "y_train" not in arrays:
        raise BadFile(f"{path} has {', '.join(arrays) or 'nothing'}; expected x_train and y_train (or x and y)")
    present = [part for part in PARTS if f"x_{part}" in arrays and f"y_{part}" in arrays]
    labels = {part: _labels(arrays[f"y_{part}"], f"{path}: y_{part}") for part in present}
    highest = max(int(label_N.max()) for label_N in labels.values() if len(label_N))
    if highest >= MOST_CLASSES:
        raise BadFile(f"{path} has label {highest}; expected labels from 0, one a class, at most {MOST_CLASSES}")
    names = tuple(map(str, arrays.get("class_names", np.arange(highest + 1)).ravel()))
    if highest >= len(names):
        raise BadFile(f"{path} has label {highest} and {len(names)} class names; expected labels from 0")
    parts = {}
    for part in present:
        image_NHWC = _channels_last(arrays[f"x_{part}"], f"{path}: x_{part}")
        if len(image_NHWC) != len(labels[part]):
            raise BadFile(f"{path}: {len(image_NHWC)} pictures and {len(labels[part])} labels in {part}")
        parts[part] = _arrays(image_NHWC, arrays[f"x_{part}"], labels[part], names)
    return parts


def _labels(array: Any, what: str) -> Int64:
    flat = np.asarray(array)
    if flat.dtype.kind not in "iu" or flat.size != len(flat) or not flat.size or flat.min() < 0:
        raise BadFile(f"{what} is {flat.dtype} of shape {flat.shape}; expected integers from 0, one a picture")
    return flat.ravel().astype(np.int64)


def _channels_last(array: Any, what: str) -> Any:
    """(N, H, W), (N, H, W, 1 or 3) or (N, 1 or 3, H, W) as (N, H, W, 3)."""
    array = np.asarray(array)
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim == 4 and array.shape[1] in (1, 3) and array.shape[3] not in (1, 3):
        array = array.transpose(0, 2, 3, 1)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[3] not in (1, 3) or not array.size:
        raise BadFile(f"{what} is {array.dtype} of shape {array.shape}; expected uint8 (N, H, W, 3), 0 to 255")
    return np.repeat(array, 3, axis=3) if array.shape[3] == 1 else array


def read_folder_task(
    folder: Path, size: int, resize: float, progress: Progress | None, most: int | None = None
) -> dict[str, Pictures]:
    """FOLDER/CLASS/* as one train part, or FOLDER/{train,val,test}/CLASS/*. most: pictures of a class of a part, drawn
    by the name of the class; all by default."""
    parts, choose = part_folders(folder), None if most is None else few_of_class(most)
    read = {
        part: read_folder(path, size, resize=resize, progress=progress, choose=choose) for part, path in parts.items()
    }
    names = read["train"].classes
    place = {part: np.array([names.index(name) for name in one.classes], dtype=np.int64) for part, one in read.items()}
    return {part: replace(one, label_N=place[part][one.label_N], classes=names) for part, one in read.items()}


def folder_digests(folder: Path) -> dict[str, str]:
    """The digests of the parts that `read_folder_task` would return, without decoding pictures."""
    return {part: files_digest(*files_of(path)) for part, path in part_folders(folder).items()}


def folder_classes(folder: Path) -> tuple[str, ...]:
    """The classes of the pictures that `read_folder_task` would return."""
    return tuple(path.name for path in class_folders(part_folders(folder)["train"]))


def part_folders(folder: Path) -> dict[str, Path]:
    """The folders of class folders by part: the folder itself as train, or its folders train, val and test."""
    within = class_folders(folder)
    if not within:
        raise BadFile(f"{folder} has no class folders; expected {folder.name}/CLASS/*.jpg")
    parts = {PART_FOLDERS[path.name]: path for path in within if path.name in PART_FOLDERS}
    if "train" not in parts or len(parts) != len(within):
        return {"train": folder}
    names = [path.name for path in class_folders(parts["train"])]
    for part, path in parts.items():
        for inner in class_folders(path):
            check_known(f"class in {path}", inner.name, names, f"every class of {part} must be in train")
    return parts


def read_torchvision_task(
    name: str, root: Path, size: int, resize: float, *, download: bool = False
) -> dict[str, Pictures]:
    """A dataset that torchvision keeps under `root`, with the parts that torchvision has."""
    from PIL import EpsImagePlugin
    from torchvision import datasets

    # torchvision lets Pillow open every format: without this Pillow would start Ghostscript for PostScript files
    EpsImagePlugin.gs_binary = False
    splits = {part: [options] for part, options in TORCHVISION_PARTS[name]}
    if name == "Omniglot":
        splits = {"train": [{"background": half} for half in omniglot_halves(root)]}
    parts = {}
    for part, options in splits.items():
        try:
            root.mkdir(parents=True, exist_ok=True)
            opened = [getattr(datasets, name)(str(root), download=download, **option) for option in options]
            parts[part] = _join(opened, size, resize)
        except (RuntimeError, OSError, ValueError, ImportError) as error:
            raise BadFile(f"torchvision cannot read {name} in {root}: {brief(error, 120)}") from error
    return parts


def omniglot_halves(root: Path) -> tuple[bool, ...]:
    """Which halves of the alphabets to read, True for the background half. The authors of Task2Sim measure the
    evaluation half; the background half is read too if it was downloaded. All characters are classes of one task."""
    return (True, False) if (root / "omniglot-py" / "images_background.zip").is_file() else (False,)


def _join(datasets: list[Any], size: int, resize: float) -> Pictures:
    images: list[Any] = []
    labels: list[int] = []
    names: list[str] = []
    sums: list[bytes] = []
    for dataset in datasets:
        first = len(labels)
        for picture, label in dataset:
            sums.append(array_sum(np.asarray(picture), picture.mode))
            images.append(as_array(picture, size, resize))
            labels.append(int(label) + len(names))
        known = getattr(dataset, "classes", None) or getattr(dataset, "_characters", None)
        count = max(labels[first:]) + 1 - len(names)
        names += [str(known[at]) if known else str(at) for at in range(count)]
    digest = part_digest(names, zip(labels, sums, strict=True))
    return Pictures(np.stack(images), np.array(labels, dtype=np.int64), tuple(names), digest=digest)
