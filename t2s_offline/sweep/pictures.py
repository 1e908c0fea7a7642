"""The pictures of a sweep: those that a unit is pre-trained on, and those of the tasks it is measured on.

A renderer is opened once a process, and the pictures of tasks are kept for the next unit where there is room.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline.errors import BadInput
from t2s_offline.files import is_plain
from t2s_offline.recipe import Recipe
from t2s_offline.space import PROCEDURAL, SCRATCH, TASK2SIM, SimSpace, real_name
from t2s_offline.sweep.ahead import AHEAD
from t2s_offline.sweep.worker import SweepContext, Unit
from t2s_offline.tasks import data_folder

if TYPE_CHECKING:
    import torch

    from t2s_offline.images.task_data import TaskData
    from t2s_offline.images.training_set import LabelledBatch, TrainingSet
    from t2s_offline.render.renderer import Renderer

REAL_VARIABLE = "T2S_REAL"


def training_pictures(
    unit: Unit, context: SweepContext, recipe: Recipe, device: str, *, ahead: bool | None = None
) -> TrainingSet:
    """The pictures a unit is pre-trained on: rendered under its configuration or by its reference's renderer, or read
    from a folder (``real:NAME``). The recipe says how many classes and pictures, and their size.

    Afterwards those of the unit that `expect` named are begun, on a GPU with room for both (ahead: whether, instead).
    """
    found = AHEAD.take((unit.name, device), lambda: pictures_now(unit, context, recipe, device), device)
    following = _EXPECTED.pop() if _EXPECTED else None
    if following is not None and wants_pictures(following, context):
        then = context.recipes[following.recipe_id]
        if ahead if ahead is not None else device.startswith("cuda") and _fits(then, device):
            make = partial(pictures_now, following, context, then, device)
            AHEAD.begin((following.name, device), make, device)
    return found


_EXPECTED: list[Unit] = []


def expect(units: Sequence[Unit]) -> None:
    """Say which unit this process will do after the next one; none when the list is empty."""
    _EXPECTED[:] = units[:1]


def wants_pictures(unit: Unit, context: SweepContext) -> bool:
    """Whether a unit will be trained on pictures that are drawn."""
    drawn = unit.configuration != SCRATCH and not real_name(unit.configuration)
    return drawn and not context.backbone(unit).exists()


def _fits(recipe: Recipe, device: str) -> bool:
    """Whether pictures of a further unit take at most a quarter of what is free."""
    import torch

    from t2s_offline.training.device_memory import free_bytes

    free = free_bytes(torch.device(device))
    return free is not None and 4 * recipe.classes * recipe.images * 3 * recipe.rendered**2 <= free


def pictures_now(unit: Unit, context: SweepContext, recipe: Recipe, device: str) -> TrainingSet:
    """See `training_pictures`: made now, in this thread."""
    from t2s_offline.images.training_set import folder_set
    from t2s_offline.render.renderer import get_renderer

    if name := real_name(unit.configuration):
        folder = real_pictures(name, context.data)
        return folder_set(folder, recipe.rendered, classes=recipe.classes, images=recipe.images, device=device)
    if unit.configuration in PROCEDURAL:
        renderer = get_renderer(unit.configuration, classes=recipe.classes, objects=recipe.objects, device=device)
        return rendered_set(renderer, recipe, context.space.all_off, unit.seed, device, space=context.space)
    renderer = open_renderer(recipe, device)
    return rendered_set(renderer, recipe, unit.configuration, unit.seed, device, space=context.space)


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
    folder: Path | None = None,
) -> TaskData:
    """A task's pictures, kept for the next unit where there is room. limit: bytes that this process keeps in all;
    default: what `memory_share` gives one process. test_share: see `load_task`. folder: where a task that does not fit
    is kept as files which all processes read (`mapped_tasks.py`); without one it is read anew every time."""
    from t2s_offline.images.task_data import KEPT, memory_share
    from t2s_offline.sweep.mapped_tasks import Mapped

    setting = (size, resize, pictures, data, test_share)
    limit = memory_share() if limit is None else limit
    if folder is None or (task, setting) in KEPT.kept:
        return KEPT.get(task, setting, limit)
    mapped = Mapped(folder, task, setting)
    return mapped.read() or mapped.kept(lambda: KEPT.get(task, setting, limit), lambda: (task, setting) in KEPT.kept)
