"""How many classes and pictures a task at hand has, without reading the pictures; and examples of each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from t2s_offline.errors import BadFile, brief
from t2s_offline.images.hub_task import open_located
from t2s_offline.images.image_files import UInt8, files_of
from t2s_offline.images.task_data import TaskData
from t2s_offline.images.task_download import record_of
from t2s_offline.images.task_files import part_folders
from t2s_offline.tasks import DIGITS, Located


def counts(located: Located) -> tuple[int | None, int | None]:
    """Classes, and pictures of all parts together; None where only reading the pictures would tell."""
    if (record := record_of(located)) is not None:
        return record.classes, sum(record.pictures.values())
    if located.kind == "embedded":
        return DIGITS.classes, DIGITS.images
    if located.kind == "npz" and located.path is not None:
        return _in_npz(located.path)
    if located.kind == "folder" and located.path is not None:
        found = {part: files_of(folder) for part, folder in part_folders(located.path).items()}
        return len(found["train"][1]), sum(len(files) for files, _ in found.values())
    if located.kind == "table":
        opened = open_located(located)
        return len(opened.classes), sum(opened.pictures.values())
    return None, None


def _in_npz(path: Path) -> tuple[int, int]:
    """By the labels alone; an array of an .npz is read when it is asked for."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [name for name in file.files if name in ("y", "y_train", "y_val", "y_test")]
            labels = np.concatenate([file[name].ravel() for name in names])
            classes = len(file["class_names"]) if "class_names" in file.files else int(labels.max()) + 1
            return classes, len(labels)
    except Exception as error:  # zipfile, zlib, ValueError, OSError …
        raise BadFile(f"cannot read {path}: {brief(error, 80)}; expected an .npz of x_train, y_train, …") from error


def examples(task: TaskData, columns: int, most: int) -> tuple[UInt8, list[str]]:
    """`columns` train pictures of each class, uint8 (N, 3, S, S), white where a class has fewer; the names of the
    classes, of which there are at most `most`, spread over all."""
    train = task["train"]
    chosen = np.unique(np.linspace(0, len(task.classes) - 1, min(most, len(task.classes))).astype(int))
    shape = (len(chosen), columns, *train.image_NCHW.shape[1:])
    sheet = np.full(shape, 255, dtype=np.uint8)
    for row, label in enumerate(chosen):
        at = np.flatnonzero(train.label_N == label)
        spread = at[np.unique(np.linspace(0, len(at) - 1, min(columns, len(at))).astype(int))]
        sheet[row, : len(spread)] = train.image_NCHW[spread]
    return sheet.reshape(-1, *shape[2:]), [task.classes[label] for label in chosen]
