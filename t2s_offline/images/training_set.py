"""The pictures that a backbone is pre-trained on, from a renderer's batches or from class folders.

They are uint8 tensors on one device. `hold_out` chooses the pictures to validate on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from t2s_offline.errors import BadInput
from t2s_offline.images.image_files import Int64, Progress, class_folders, few_of_class, read_folder
from t2s_offline.seeds import derive_rng


class LabelledBatch(Protocol):
    """A batch of a renderer. image_NCHW: uint8 (N, 3, S, S); label_N and object_N: int64 (N,)."""

    @property
    def image_NCHW(self) -> torch.Tensor: ...
    @property
    def label_N(self) -> torch.Tensor: ...
    @property
    def object_N(self) -> torch.Tensor: ...


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """N pictures on one device: image_NCHW uint8 (N, 3, S, S), label_N and object_N int64 (N,). Pictures of one object
    are held out together."""

    image_NCHW: torch.Tensor
    label_N: torch.Tensor
    object_N: torch.Tensor
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label_N)


def gather(
    batches: Iterable[LabelledBatch], total: int, classes: tuple[str, ...], device: torch.device | str
) -> TrainingSet:
    """Collect `total` pictures on the device as they come; BadInput when there are fewer or more."""
    image: torch.Tensor | None = None
    label, thing = (torch.empty(total, dtype=torch.int64, device=device) for _ in range(2))
    done = 0
    for batch in batches:
        if image is None:
            image = torch.empty((total, *batch.image_NCHW.shape[1:]), dtype=torch.uint8, device=device)
        here = slice(done, done + len(batch.label_N))
        done = here.stop
        if done > total:
            break
        image[here], label[here], thing[here] = batch.image_NCHW, batch.label_N, batch.object_N
    if image is None or done != total:
        raise BadInput(f"{done} pictures came from the renderer; expected {total}")
    return TrainingSet(image, label, thing, classes)


def folder_set(
    folder: Path,
    size: int,
    *,
    classes: int | None = None,
    images: int | None = None,
    resize: float = 1.0,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> TrainingSet:
    """Pictures of class folders. classes: how many, the first by name; images: how many of each, drawn by a seed from
    the name of the class; None for all. BadInput with fewer classes."""
    choose = None if images is None else few_of_class(images)
    names = [path.name for path in class_folders(folder)][: classes or None]
    if len(names) < max(classes or 2, 2):
        raise BadInput(f"{folder} has {len(names)} class folders; expected {max(classes or 2, 2)} or more")
    read = read_folder(folder, size, resize=resize, classes=names, choose=choose, progress=progress)
    label_N = torch.from_numpy(read.label_N).to(device)
    return TrainingSet(
        torch.from_numpy(read.image_NCHW).to(device), label_N, torch.arange(len(read)).to(device), read.classes
    )


def hold_out(data: TrainingSet, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions of the pictures to train on and of those held out: a share of each class's objects, at least one.

    Where no class has two objects, single pictures are held out. The choice depends on names and counts alone, so it is
    the same under every configuration and seed.
    """
    label_N, object_N = data.label_N.cpu().numpy(), data.object_N.cpu().numpy()
    objects = [np.unique(object_N[label_N == label]) for label in range(len(data.classes))]
    if all(len(group) < 2 for group in objects):
        object_N = np.arange(len(data))
        objects = [np.flatnonzero(label_N == label) for label in range(len(data.classes))]
    out: list[Int64] = []
    for name, group in zip(data.classes, objects, strict=True):
        count = min(math.ceil(share * len(group)), len(group) - 1)
        out.append(group[derive_rng("hold out", name, len(group)).permutation(len(group))[: max(count, 0)]])
    held = torch.from_numpy(np.isin(object_N, np.concatenate(out)))
    return torch.nonzero(~held).squeeze(1), torch.nonzero(held).squeeze(1)
