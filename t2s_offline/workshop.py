"""What the units of a sweep share: where things lie, which device a worker has, pictures to train on and to measure.

Comes in: a unit, which is one backbone and the cells that want it. Goes out: paths, a device, rendered pictures, a
task's pictures. What is dear to open is opened once a process. Ignores how a backbone is trained and what is written.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2s_offline.recipe import Recipe, SweepSpec
from t2s_offline.space import TASK2SIM, SimSpace, real_folder
from t2s_offline.store import RewardStore

if TYPE_CHECKING:
    import torch

    from t2s_offline.render import Renderer
    from t2s_offline.task_data import TaskData
    from t2s_offline.training_set import LabelledBatch, TrainingSet

Cell = tuple[str, str]  # task, metric


@dataclass(frozen=True)
class Unit:
    """One backbone, and the cells (task, metric) to measure with it."""

    recipe_id: str
    configuration: str
    seed: int
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """For files: the configuration as it is, or a hash of it where it names a folder."""
        plain = self.configuration
        if not plain.isalnum():
            plain = "real-" + hashlib.sha256(plain.encode()).hexdigest()[:8]
        return f"{self.recipe_id}-{plain}-{self.seed}"


@dataclass(frozen=True)
class Workshop:
    """What every unit of a sweep shares. `device`: auto, cpu, cuda or cuda:0; `workers`: processes that share it."""

    store: RewardStore
    recipes: Mapping[str, Recipe]
    space: SimSpace
    device: str = "auto"
    workers: int = 1
    data: Path | None = None
    keep_backbones: bool = True

    @property
    def folder(self) -> Path:
        """Where claims, checkpoints and backbones lie: beside the store, or under the working directory for a table
        folder, which is only read."""
        if self.store.path.is_dir():
            return Path(f"{self.store.path.resolve().name}.work")
        return self.store.path.with_name(self.store.path.name + ".work")

    def checkpoint(self, unit: Unit) -> Path:
        return self.folder / "checkpoints" / f"{unit.name}.safetensors"

    def backbone(self, unit: Unit) -> Path:
        return self.folder / "backbones" / f"{unit.name}.safetensors"


def pin(spec: SweepSpec) -> SweepSpec:
    """The specification with the version of the renderer's pixels in its recipes, and so in their ids."""
    from t2s_offline.render import pixels_version

    recipes = {}
    for recipe_id, recipe in spec.recipes.items():
        pinned = replace(recipe, renderer_version=pixels_version(recipe.renderer))
        recipes[pinned.recipe_id(recipe_id.rpartition("-")[0])] = pinned
    return replace(spec, recipes=recipes)


@contextmanager
def single_threaded(shop: Workshop) -> Iterator[None]:
    """One thread of torch on a CPU: rounding then does not depend on the number of cores or workers."""
    import torch

    before = torch.get_num_threads()
    if not device_of(shop).startswith("cuda"):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def training_pictures(unit: Unit, shop: Workshop, recipe: Recipe, device: str) -> TrainingSet:
    """The pictures a unit is pre-trained on: rendered under its configuration, or of a folder (``real:FOLDER``)."""
    from t2s_offline.training_set import folder_set

    if folder := real_folder(unit.configuration):
        return folder_set(Path(folder), recipe.rendered, classes=recipe.classes, images=recipe.images, device=device)
    options = json.dumps(dict(recipe.renderer_options))
    renderer = open_renderer(recipe.renderer, recipe.classes, recipe.objects, device, options)
    return rendered_set(renderer, recipe, unit.configuration, unit.seed, device, space=shop.space)


def rendered_set(
    renderer: Renderer,
    recipe: Recipe,
    configuration: str,
    seed: int,
    device: torch.device | str = "cpu",
    *,
    space: SimSpace = TASK2SIM,
    progress: Callable[[int, int], None] | None = None,
) -> TrainingSet:
    """Render what a recipe pre-trains on. The pictures of a seed share their random numbers over all configurations,
    which takes noise out of differences between them."""
    from t2s_offline.render import RenderRequest
    from t2s_offline.seeds import derive_seed
    from t2s_offline.training_set import gather

    scenes = derive_seed("render", recipe.digest, seed) % 2**31
    request = RenderRequest(configuration, recipe.images, recipe.rendered, scenes, recipe.samples, space)
    total = recipe.images * len(renderer.classes)

    def counted() -> Iterator[LabelledBatch]:
        done = 0
        for batch in renderer.render(request):
            yield batch
            done += len(batch.label_N)
            if progress is not None:
                progress(done, total)

    return gather(counted(), total, renderer.classes, device)


@cache
def open_renderer(name: str, classes: int, objects: int, device: str, options: str) -> Any:
    """A renderer, opened once a process; on a CPU with one thread, as the rest of a worker."""
    from t2s_offline.render import get_renderer

    extra = json.loads(options)
    if name == "builtin" and device == "cpu":
        extra.setdefault("threads", 1)
    return get_renderer(name, classes=classes, objects=objects, device=device, **extra)


@cache
def load_data(task: str, size: int, resize: float, pictures: int, data: Path | None) -> TaskData:
    """A task's pictures, read once a process."""
    from t2s_offline.task_data import load_task

    loaded = load_task(task, size, data=data, resize=resize)
    return loaded.limited(pictures) if pictures else loaded


_SLOTS: list[Any] = []  # open lock files: the slots this process holds until it ends


def device_of(shop: Workshop) -> str:
    """This process's device: the one named, or the GPU of a slot that no other worker of the sweep holds."""
    import torch

    if shop.device not in ("auto", "cuda"):
        return shop.device
    count = torch.cuda.device_count()
    if not count:
        return "cpu"
    if not _SLOTS:
        (shop.folder / "claims").mkdir(parents=True, exist_ok=True)
        for slot in range(max(shop.workers, count)):
            file = (shop.folder / "claims" / f".slot-{platform.node()}-{slot}").open("a")
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _SLOTS.append((slot, file))
                break
            file.close()
    return f"cuda:{(_SLOTS[0][0] if _SLOTS else os.getpid()) % count}"


def device_name(device: str) -> str:
    """What a device is called: the GPU's name, or the machine's processor. Rounding may differ between two names."""
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else f"cpu ({processor()})"


def processor() -> str:
    """The processor's name where the system tells it, with the numbers that tell apart those that virtual machines give
    one name; else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    if "model name" not in facts:
        return platform.machine()
    numbers = "-".join(facts.get(key, "") for key in ("cpu family", "model", "stepping"))
    return f"{facts['model name']}, {numbers}"
