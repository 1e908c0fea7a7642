"""Pictures of tasks that do not fit into a worker's share of memory: decoded once, into files that all workers map.

The system keeps what is read of a mapped file once for all processes and drops it when memory is short. A task is a
folder of arrays (.npy) and a card. The name of the folder holds a hash of the setting and of the files or arrays that
the pictures are from (names, sizes, times), so pictures that change are decoded again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from t2s_offline.images.image_files import Pictures
from t2s_offline.images.task_data import Setting, TaskData
from t2s_offline.tasks import locate

CARD = "task.json"
ROOM = 2  # times its size that a task's files must leave free on the disk


class Mapped:
    """The files of one task at one setting, below `folder`."""

    def __init__(self, folder: Path, task: str, setting: Setting) -> None:
        self.folder, self.task, self.setting = folder, task, setting
        located = locate(task, setting[3])
        source = located.path
        said: list[Any] = [task, located.kind, *setting[:3], setting[4], str(source)]
        if source is not None and source.exists():
            files = sorted(source.rglob("*")) if source.is_dir() else [source]
            said += [[str(file), (stat := file.stat()).st_size, stat.st_mtime_ns] for file in files]
        self.place = folder / f"{task}-{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]}"

    def read(self) -> TaskData | None:
        """The task with its pictures mapped, or None when it has not been written, or cannot be read."""
        try:
            card = json.loads((self.place / CARD).read_text("utf-8"))
            classes = tuple(card["classes"])
            parts = {
                name: Pictures(
                    np.load(self.place / f"{name}.npy", mmap_mode="r"),
                    np.load(self.place / f"{name}-labels.npy"),
                    classes,
                )
                for name in card["parts"]
            }
            return TaskData(
                self.task, classes, parts, card["source"], card["digest"], tuple(card["bad"]), card["version"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def kept(self, load: Callable[[], TaskData], fits: Callable[[], bool]) -> TaskData:
        """Load the task; where it then does not fit into memory and the disk has room, write it and map it. One process
        of a node does so at a time, the others then find the files."""
        with self._alone():
            if found := self.read():
                return found
            loaded = load()
            if fits() or not self._room(loaded):
                return loaded
            try:
                self._write(loaded)
            except OSError:  # a full disk: the pictures are in memory this time
                return loaded
        return self.read() or loaded

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{self.place.name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _room(self, task: TaskData) -> bool:
        wanted = sum(part.image_NCHW.nbytes for part in task.parts.values())
        return shutil.disk_usage(self.folder).free > ROOM * wanted

    def _write(self, task: TaskData) -> None:
        """Whole or nothing: into a folder of another name, which is then renamed."""
        made = Path(tempfile.mkdtemp(prefix=f".{self.place.name}-", dir=self.folder))
        try:
            for name, part in task.parts.items():
                np.save(made / f"{name}.npy", part.image_NCHW)
                np.save(made / f"{name}-labels.npy", part.label_N)
            card = {"classes": task.classes, "parts": list(task.parts), "source": task.source, "digest": task.digest,
                    "bad": task.bad, "version": task.version}  # fmt: skip
            (made / CARD).write_text(json.dumps(card), "utf-8")
            shutil.rmtree(self.place, ignore_errors=True)  # damaged
            made.rename(self.place)
        finally:
            shutil.rmtree(made, ignore_errors=True)
