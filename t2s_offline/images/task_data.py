"""The pictures of a task as train, val and test parts, uint8 arrays of one size.

`task_files.py` reads the files. A missing test part is split off the pictures, and a missing val part off the train
part: class by class, by a hash of the task's name and each picture's position, so the parts are the same on every
machine. The caller chooses the share of a new test part (a recipe's `test_share`); the test part of a smaller share is
contained in that of a larger one. A task's digest (`digests.py`) identifies its pictures and labels, and so
distinguishes tasks of the same name.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from t2s_offline.errors import BadFile, BadInput, check_known
from t2s_offline.images.digests import joint_digest
from t2s_offline.images.download_limits import check_room
from t2s_offline.images.hub_task import open_located
from t2s_offline.images.image_files import Int64, Pictures, Progress
from t2s_offline.images.task_files import (
    digits_arrays,
    folder_digests,
    npz_arrays,
    read_folder_task,
    read_torchvision_task,
)
from t2s_offline.seeds import derive_rng
from t2s_offline.task_places import PARTS
from t2s_offline.tasks import Located, locate, pictures_at, version_of

SHARE = 0.2  # of a class that goes to a val part, or a test part by default, that the task lacks
MIN_SIZE, MAX_SIZE = 8, 1024
MARK = ".torchvision"  # in a folder that torchvision downloaded to, when all is there
MOST_KEPT = 8 << 30  # most bytes of pictures that a process keeps
#: size in pixels, resize, most pictures of a part (0: all), folder of tasks, share of a test part that is split off
Setting = tuple[int, float, int, Path | None, float]


@dataclass(frozen=True, eq=False)
class TaskData:
    """A task at one size. parts: train, val and test; digest: 32 hex digits of its pictures and labels as given, which
    do not depend on the size and the test share; bad: files that were left out; version: the name of the version of a
    registered task, empty for others; origin: for a store, what is recorded of a download, else as `source`."""

    name: str
    classes: tuple[str, ...]
    parts: dict[str, Pictures]
    source: str
    digest: str
    bad: tuple[str, ...] = ()
    version: str = ""
    origin: str = ""

    def __getitem__(self, part: str) -> Pictures:
        return self.parts[check_known("part", part, PARTS)]

    @property
    def bank(self) -> Pictures:
        """Train and val together, with which test pictures are compared."""
        train, val = self.parts["train"], self.parts["val"]
        return Pictures(
            np.concatenate([train.image_NCHW, val.image_NCHW]),
            np.concatenate([train.label_N, val.label_N]),
            self.classes,
        )

    def limited(self, pictures: int) -> TaskData:
        """At most `pictures` pictures of each part, the same share of each class; for small budgets."""
        parts = {}
        for name, part in self.parts.items():
            keep = np.arange(len(part))
            if len(part) > pictures:
                keep = np.sort(carve(part.label_N, pictures / len(part), self.name, f"limit {name}"))
            parts[name] = part.take(keep)
        return replace(self, parts=parts)


def load_task(
    name: str | Path | Located,
    size: int,
    *,
    data: Path | None = None,
    resize: float = 1.0,
    test_share: float = SHARE,
    progress: Progress | None = None,
    most: int | None = None,
) -> TaskData:
    """Load a task by name (a text), or by path, with pictures of `size` pixels; `resize`: see `image_files.fit`;
    `test_share`: of each class, for testing, where the task has no test part; `most`: of a folder, at most so many
    pictures of a class of a part (the digest is then of those).

    Raises UnknownName, BadFile (absent, damaged, over 1 % unreadable) or BadInput (one class, empty part).
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise BadInput(f"size {size}; expected {MIN_SIZE} to {MAX_SIZE} pixels")
    located = _located(name, data)
    if located.kind == "folder":
        return complete(located, read_folder_task(_path(located), size, resize, progress, most), test_share)
    if located.kind == "torchvision":
        fresh = not (_path(located) / MARK).is_file()  # a place that was not read before
        if fresh and located.place is not None:
            check_room((getattr(located.place, "megabytes", None) or 0) * 10**6, _path(located), str(located.place))
        read = read_torchvision_task(located.name, _path(located), size, resize, download=fresh)
        if fresh:
            (_path(located) / MARK).touch()
        return complete(located, read, test_share)
    if located.kind in ("hub", "table"):
        opened = open_located(located)
        return replace(complete(located, opened.read(size, resize, progress), test_share), origin=opened.text)
    given = digits_arrays() if located.path is None else npz_arrays(located.path)
    return complete(located, {part: arrays.fitted(size, resize) for part, arrays in given.items()}, test_share)


def task_digest(name: str | Path | Located, data: Path | None = None) -> str:
    """The digest that `load_task` returns. Files of pictures are read without decoding them; of an .npz the arrays are
    read; a dataset of torchvision is loaded, because it does not say where its files are."""
    located = _located(name, data)
    if located.kind == "folder":
        return joint_digest(folder_digests(_path(located)))
    if located.kind == "torchvision":
        return load_task(located, MIN_SIZE).digest
    if located.kind in ("hub", "table"):
        return joint_digest(open_located(located).digests())
    given = digits_arrays() if located.path is None else npz_arrays(located.path)
    return joint_digest({part: arrays.digest for part, arrays in given.items()})


def check_same_pictures(stored: str | None, task: TaskData) -> None:
    """BadInput when a store's rewards of the task are of other pictures. stored: the digest in the store's table of
    tasks; None or empty when it has none, and then nothing is compared."""
    if stored and stored != task.digest:
        raise other_pictures(task.name, stored, task.digest, task.source)


def other_pictures(name: str, stored: str, found: str, source: str) -> BadInput:
    """The error for pictures that differ from those of the store under the same name."""
    return BadInput(
        f"task {name}: {source} holds other pictures (digest {found[:8]}) than those the store's rewards are of "
        f"({stored[:8]}); give them another name, or put the store's pictures there"
    )


def check_tasks(stored: Mapping[str, str | None], names: Iterable[str], data: Path | None = None) -> None:
    """BadInput for the first task whose pictures differ from those of the store under its name. stored: digests by
    task. The pictures of a task without a digest in the store are not read."""
    for name in names:
        if known := stored.get(name):
            located = locate(name, data)
            if (found := task_digest(located)) != known:
                raise other_pictures(name, known, found, located.where)


def _located(name: str | Path | Located, data: Path | None) -> Located:
    if isinstance(name, Located):
        return name
    return pictures_at(name) if isinstance(name, Path) else locate(name, data)


def _path(located: Located) -> Path:
    if located.path is None:
        raise BadFile(f"task {located.name} of kind {located.kind} has no path; expected one")
    return located.path


def complete(located: Located, given: dict[str, Pictures], test_share: float = SHARE) -> TaskData:
    """Split off the parts that are missing, and check that each part has the pictures it needs."""
    name, parts = located.name, dict(given)
    classes = parts["train"].classes
    if len(classes) < 2:
        raise BadInput(f"task {name} has {len(classes)} class; expected 2 or more to tell apart")
    version = version_of(located.task, len(classes), sum(map(len, parts.values()))) if located.task else ""
    at = np.arange(len(parts["train"]))
    carved = {}
    for part, share in (("test", test_share), ("val", SHARE)):
        if part not in parts:
            taken = carve(parts["train"].label_N[at], share, name, part)
            carved[part] = at[np.sort(taken)]
            at = np.setdiff1d(at, carved[part])
    if carved:
        parts |= parts["train"].divided({"train": at, **carved})
    for part, pictures in parts.items():
        lost = sorted(set(range(len(classes))) - set(pictures.label_N.tolist()))
        if not len(pictures):
            raise BadInput(f"task {name} has no {part} pictures; give each class 2 or more, or a {part} part")
        if part == "train" and lost:
            raise BadInput(f"task {name}: class {classes[lost[0]]} has no train pictures; give it some or leave it out")
    bad = tuple(dict.fromkeys(reason for part in given.values() for reason in part.bad))
    ordered = {part: parts[part] for part in PARTS}
    digest = joint_digest({part: pictures.digest for part, pictures in given.items()})
    return TaskData(name, classes, ordered, located.where, digest, bad, version, located.where)


def carve(label_N: Int64, share: float, name: str, part: str) -> Int64:
    """Positions of a `share` of each class, by a hash of the task's name, the part and the position.

    A class of one picture gives none; a larger one gives at least one and keeps at least one.
    """
    key_N = derive_rng("carve", name, part).random(len(label_N))
    taken = []
    for label in np.unique(label_N):
        at = np.flatnonzero(label_N == label)
        count = min(max(round(share * len(at)), 1), len(at) - 1)
        taken.append(at[np.argsort(key_N[at], kind="stable")[:count]])
    return np.concatenate(taken) if taken else np.empty(0, dtype=np.int64)


def memory_share(workers: int = 1) -> int:
    """Bytes of pictures that each of `workers` processes may keep: together an eighth of the machine's memory."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):  # a system that does not say
        whole = MOST_KEPT
    return min(whole // 8 // workers, MOST_KEPT)


class KeptTasks:
    """A cache of tasks' pictures in memory. Tasks that do not fit are read every time.

    A task with the same setting as those in the cache never replaces them: units of a sweep go over the same tasks in
    the same order, so replacing the oldest would read every task every time. A task with another setting (of another
    recipe) replaces those of other settings that were used longest ago.
    """

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[str, Setting], TaskData] = OrderedDict()

    @property
    def bytes(self) -> int:
        return sum(map(_bytes, self.kept.values()))

    def get(self, name: str, setting: Setting, limit: int) -> TaskData:
        """A task by name. limit: most bytes of all tasks in the cache."""
        if (name, setting) in self.kept:
            self.kept.move_to_end((name, setting))
            return self.kept[name, setting]
        size, resize, pictures, data, test_share = setting
        loaded = load_task(name, size, data=data, resize=resize, test_share=test_share)
        loaded = loaded.limited(pictures) if pictures else loaded
        if (wanted := _bytes(loaded)) <= limit:
            for key in [key for key in self.kept if key[1] != setting]:
                if self.bytes + wanted <= limit:
                    break
                del self.kept[key]
            if self.bytes + wanted <= limit:
                self.kept[name, setting] = loaded
        return loaded


def _bytes(task: TaskData) -> int:
    return sum(part.image_NCHW.nbytes + part.label_N.nbytes for part in task.parts.values())


#: The cache of this process.
KEPT = KeptTasks()
