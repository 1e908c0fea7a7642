"""What the units of a sweep share: the store, the recipes, where files lie, and the device of a worker."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from t2s_offline.device import open_device
from t2s_offline.errors import BadInput
from t2s_offline.recipe import Recipe, SweepSpec
from t2s_offline.space import SimSpace
from t2s_offline.store.backbone_files import backbone_name
from t2s_offline.store.reward_store import RewardStore

Cell = tuple[str, str]  # task, metric
Tables = dict[str, list[dict[str, Any]]]  # rows by table


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
class SweepContext:
    """What every unit of a sweep shares. `device`: auto, cpu, cuda or cuda:0; `workers`: processes that share it.

    `digests`: of the tasks' pictures, for a worker that does not reach the store; None is to ask it.
    `work`: what makes the rows of a unit, in parts that are written one after another; None is to render, pre-train and
    measure (`run_unit.measured`). A program may give a function of a module of its own, such as a simulation.
    """

    store: RewardStore
    recipes: Mapping[str, Recipe]
    space: SimSpace
    device: str = "auto"
    workers: int = 1
    data: Path | None = None
    keep_backbones: bool = True
    digests: Mapping[str, str | None] | None = None
    work: Callable[[Unit, SweepContext], Iterator[Tables]] | None = None

    @property
    def folder(self) -> Path:
        """Where claims, checkpoints and backbones lie: beside the store, or under the working directory for a table
        folder, which is only read."""
        if self.store.path.is_dir():
            return Path(f"{self.store.path.resolve().name}.work")
        return self.store.path.with_name(self.store.path.name + ".work")

    def claim(self, unit: Unit) -> Path:
        """The folder of a unit's claims; see `lease`."""
        return self.folder / "claims" / unit.name

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
def single_threaded(context: SweepContext) -> Iterator[None]:
    """One thread of torch on a CPU: rounding then does not depend on the number of cores or workers."""
    import torch

    before = torch.get_num_threads()
    if not device_of(context).startswith("cuda"):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_of(context: SweepContext) -> str:
    """This process's device: the one named, or its first GPU; BadInput when it is not there. A worker of several sees
    its own alone (`node`)."""
    device = open_device(context.device)
    return "cuda:0" if str(device) == "cuda" else str(device)


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
