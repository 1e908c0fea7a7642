"""How many pictures the parts of a task have, without reading them: for what a sweep will take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from t2s_offline.errors import T2SError
from t2s_offline.images.image_files import class_folders
from t2s_offline.images.task_files import PART_FOLDERS
from t2s_offline.recipe import Recipe
from t2s_offline.tasks import locate, task

SHARE = 0.2  # of the train part that becomes a val part where there is none
UNKNOWN = (5000, 10)  # pictures and classes of a task that does not say


@dataclass(frozen=True)
class Sizes:
    """Pictures of the three parts, how many classes they have, and whether each is a file that must be decoded."""

    train: int
    val: int
    test: int
    classes: int
    files: bool = False

    @property
    def bank(self) -> int:
        """Pictures of train and val together."""
        return self.train + self.val

    @property
    def whole(self) -> int:
        """Pictures of all parts."""
        return self.bank + self.test


def sizes_of(name: str, recipe: Recipe, data: Path | None) -> Sizes:
    """The sizes of a task as the recipe measures it. From names of files and small arrays; for a task whose form is
    not known here, what the registry says of it."""
    files = False
    try:
        located = locate(name, data)
        if located.path is not None and located.path.suffix == ".npz":
            given, classes = _npz(located.path)
        elif located.kind == "folder" and located.path is not None:
            (given, classes), files = _folder(located.path), True
        else:
            given, classes = _registered(name)
    except (T2SError, OSError, ValueError, KeyError):
        given, classes = _registered(name)
    train, val, test = given.get("train", 0), given.get("val"), given.get("test")
    if test is None:
        test = round(recipe.test_share * train)
        train -= test
    if val is None:
        val = round(SHARE * train)
        train -= val
    most = recipe.eval_pictures or max(train, val, test)
    return Sizes(min(train, most), min(val, most), min(test, most), classes, files)


def _npz(path: Path) -> tuple[dict[str, int], int]:
    with np.load(path, allow_pickle=False) as file:
        labels = {name: file[name] for name in file.files if name == "y" or name.startswith("y_")}
    counts = {name.partition("_")[2] or "train": len(label) for name, label in labels.items()}
    return counts, 1 + max(int(np.asarray(label).max()) for label in labels.values() if len(label))


def _folder(path: Path) -> tuple[dict[str, int], int]:
    within = class_folders(path)
    parts = {PART_FOLDERS[found.name.lower()]: found for found in within if found.name.lower() in PART_FOLDERS}
    if "train" not in parts:
        parts = {"train": path}
    counts = {part: sum(sum(1 for _ in one.iterdir()) for one in class_folders(at)) for part, at in parts.items()}
    return counts, len(class_folders(parts["train"]))


def _registered(name: str) -> tuple[dict[str, int], int]:
    try:
        known = task(name)
    except T2SError:
        return {"train": UNKNOWN[0]}, UNKNOWN[1]
    return {"train": known.images or UNKNOWN[0]}, known.classes or UNKNOWN[1]
