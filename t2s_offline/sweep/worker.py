"""What the units of a sweep share: where things lie, which device a worker has, pictures to train on and to measure.

Comes in: a unit, which is one backbone and the cells that want it. Goes out: paths, a device, rendered pictures, a
task's pictures. What is dear to open is opened once a process. Ignores how a backbone is trained and what is written.
"""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2s_offline.errors import BadInput
from t2s_offline.files import is_plain
from t2s_offline.recipe import Recipe, SweepSpec
from t2s_offline.space import PROCEDURAL, TASK2SIM, SimSpace, real_name
from t2s_offline.store.backbone_files import backbone_name
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.tasks import data_folder

if TYPE_CHECKING:
    import torch

    from t2s_offline.images.task_data import TaskData
    from t2s_offline.images.training_set import LabelledBatch, TrainingSet
    from t2s_offline.render.renderer import Renderer

Cell = tuple[str, str]  # task, metric
REAL_VARIABLE = "T2S_REAL"


@dataclass(frozen=True)
class Unit:
    """One backbone, and the cells (task, metric) to measure with it."""

    recipe_id: str
    configuration: str
    seed: int
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Name of its files without an ending."""
        return backbone_name(self.recipe_id, self.configuration, self.seed)


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
    recipes = {}
    for recipe_id, recipe in spec.recipes.items():
        made = pinned(recipe)
        recipes[made.recipe_id(recipe_id.rpartition("-")[0])] = made
    return replace(spec, recipes=recipes)


def pinned(recipe: Recipe) -> Recipe:
    """The recipe with the version of its renderer's pixels; BadInput for another, or for options it may not set."""
    from t2s_offline.render.renderer import check_recipe, pixels_version

    check_recipe(recipe)
    here = pixels_version(recipe.renderer)
    if recipe.renderer_version not in ("", here):
        raise BadInput(
            f"renderer_version = {recipe.renderer_version!r} in a recipe, and the pixels of the renderer "
            f"{recipe.renderer} are {here!r} here: leave it out to sweep with these"
        )
    return replace(recipe, renderer_version=here)


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
    """The pictures a unit is pre-trained on: rendered under its configuration or by its reference's renderer, or read
    from a folder (``real:NAME``). The recipe says how many classes and pictures, and their size."""
    from t2s_offline.images.training_set import folder_set
    from t2s_offline.render.renderer import get_renderer

    if name := real_name(unit.configuration):
        folder = real_pictures(name, shop.data)
        return folder_set(folder, recipe.rendered, classes=recipe.classes, images=recipe.images, device=device)
    if unit.configuration in PROCEDURAL:
        renderer = get_renderer(unit.configuration, classes=recipe.classes, objects=recipe.objects, device=device)
        return rendered_set(renderer, recipe, shop.space.all_off, unit.seed, device, space=shop.space)
    renderer = open_renderer(recipe, device)
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
    from t2s_offline.images.training_set import gather
    from t2s_offline.render.renderer import RenderRequest
    from t2s_offline.seeds import derive_seed

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


def check_real(name: str) -> None:
    """BadInput for a ``real:NAME`` whose name is a path: data names pictures, a person says where they lie."""
    if not is_plain(name):
        raise BadInput(
            f"reference {'real:' + name[:80]!r} holds a path, and data opens none: call it real:NAME and say where "
            f"that is with --real NAME=FOLDER or {REAL_VARIABLE}, or put NAME into the folder of tasks"
        )


def real_pictures(name: str, data: Path | None) -> Path:
    """The folder of class folders of ``real:NAME``: what T2S_REAL says (NAME=FOLDER, with the system's separator of
    paths between them), else NAME in the folder of tasks. BadInput when there is none."""
    check_real(name)
    for part in os.environ.get(REAL_VARIABLE, "").split(os.pathsep):
        called, _, folder = part.partition("=")
        if called == name and folder:
            return Path(folder)
    tasks = data_folder(data)
    if tasks is None or not (tasks / name).is_dir():
        raise BadInput(
            f"no pictures for real:{name}; give --real {name}=FOLDER, or put {name} into the folder of tasks"
        )
    return tasks / name


def open_renderer(recipe: Recipe, device: str) -> Renderer:
    """A recipe's renderer, opened once a process; on a CPU with one thread, as the rest of a worker. See
    `recipe_renderer`."""
    same = {name: getattr(recipe, name) for name in ("renderer", "renderer_version", "renderer_options")}
    return _opened(Recipe(classes=recipe.classes, objects=recipe.objects, **same), device)


@cache
def _opened(recipe: Recipe, device: str) -> Renderer:
    from t2s_offline.render.renderer import recipe_renderer

    one_thread = {"threads": 1} if recipe.renderer == "builtin" and device == "cpu" else {}
    return recipe_renderer(recipe, device=device, **one_thread)


def load_data(
    task: str,
    size: int,
    resize: float,
    pictures: int,
    data: Path | None,
    limit: int | None = None,
    *,
    test_share: float = Recipe.test_share,
) -> TaskData:
    """A task's pictures, kept for the next unit where there is room. limit: bytes that this process keeps in all;
    default: what `memory_share` gives one process. test_share: see `load_task`."""
    from t2s_offline.images.task_data import KEPT, memory_share

    return KEPT.get(task, (size, resize, pictures, data, test_share), memory_share() if limit is None else limit)


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
