"""What a user gets from a prediction: an embedding, a dataset, a backbone's file (`kept_backbones.py` measures them).

Each needs a store made by a sweep and the configuration that was predicted, whoever predicted it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from t2s_offline.device import open_device
from t2s_offline.errors import BadInput
from t2s_offline.images.task_data import TaskData
from t2s_offline.matrix import Embeddings
from t2s_offline.recipe import Recipe, check_id
from t2s_offline.store.backbone_files import backbone_files
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.trained_files import trained_folder
from t2s_offline.sweep.live_backbones import Stages, live_backbones, no_stages
from t2s_offline.sweep.worker import SweepContext, Unit

if TYPE_CHECKING:
    from t2s_offline.training.task2vec import Made, Probe

Progress = Callable[[int, int], None]


def embedded(
    task: TaskData, name: str, known: Embeddings, probe: Probe, made: Made, progress: Progress | None = None
) -> Embeddings:
    """The store's embeddings with one of the task's pictures added under `name`, in place of one of that name. Which
    pictures are taken depends on the task's own name."""
    from t2s_offline.training import task2vec

    vector_D = task2vec.embed(
        task.bank, probe, task.name, samples=made.samples, estimator=made.estimator, progress=progress
    )
    others = [other for other in known.tasks if other != name]
    return Embeddings(known.probe, (*others, name), np.vstack([known.select(others).vector_TD, vector_D[None]]))


def probe_of(known: Embeddings, path: str | None, device: str = "auto") -> tuple[Probe, Made]:
    """The network behind a store's embeddings, from its file, and how they were made; BadInput when it is another one.

    Without a file torchvision's ImageNet ResNet-18 can be had, the probe of the authors' vectors. A file of its weights
    that is not torchvision's own is taken, under a name that tells: whoever calls says so.
    """
    from t2s_offline.training import task2vec

    made = task2vec.made_by(known.probe)
    if path is None and made.probe != task2vec.IMAGENET:
        raise BadInput(f"name the probe of the store's embeddings ({known.probe}) with --probe FILE")
    probe = task2vec.open_probe(path or made.probe, open_device(device))
    brought = made.probe == task2vec.IMAGENET and probe.name.startswith(f"{made.probe}-")
    if probe.name != made.probe and not brought:
        raise BadInput(
            f"probe {path} is {probe.name}; the store's embeddings are {known.probe}, by {made.probe}: use that probe"
        )
    return probe, made


def is_swept(store: RewardStore, recipe_id: str) -> bool:
    """Whether a sweep of this package made the recipe, so that its backbones can be measured."""
    with store.reader() as con:
        row = con.execute("SELECT contents, source FROM recipes WHERE recipe = $1", [recipe_id]).fetchone()
    return row is not None and row[1] == "sweep" and bool(row[0])


def context_of(store: RewardStore, recipe_id: str, *, device: str = "auto", data: Path | None = None) -> SweepContext:
    """The context of a recipe that a sweep made; BadInput for a recipe of others, or whose id is of other contents.

    Its renderer opens only where the pixels are the recipe's; kept backbones can be measured anywhere.
    """
    recipe_id, space = store.recipe(recipe_id)
    with store.reader() as con:
        row = con.execute("SELECT contents, source FROM recipes WHERE recipe = $1", [recipe_id]).fetchone()
    if row is None or row[1] != "sweep" or not row[0]:
        raise BadInput(
            f"recipe {recipe_id} was not made by a sweep: nothing can be rendered, trained or measured under it; "
            f"use rewards that are there (--on-miss skip)"
        )
    check_id(recipe_id, row[0])
    return SweepContext(store, {recipe_id: Recipe.from_contents(row[0])}, space, device, data=data)


def with_these_pixels(context: SweepContext, recipe_id: str) -> tuple[SweepContext, str]:
    """The context and the recipe with the version of the pixels that are made here: another recipe, where the stored
    one is of older pixels. For what is handed over, where a person says so; rewards of the two never mix."""
    from t2s_offline.render.renderer import check_recipe, pixels_version

    recipe = context.recipes[recipe_id]
    check_recipe(recipe)
    changed = replace(recipe, renderer_version=pixels_version(recipe.renderer))
    new = changed.recipe_id(recipe_id.rpartition("-")[0]) if changed != recipe else recipe_id
    return replace(context, recipes={new: changed}), new


def render_pictures(
    context: SweepContext, recipe_id: str, configuration: str, images: int, out: Path, progress: Progress
) -> str:
    """Write a dataset of the configuration under the recipe's renderer; returns a line that says what was done."""
    from t2s_offline.render.dataset import write_dataset
    from t2s_offline.render.renderer import RenderRequest, recipe_renderer

    recipe = context.recipes[recipe_id]
    renderer = recipe_renderer(recipe, device=context.device)
    request = RenderRequest(configuration, images, recipe.rendered, samples=recipe.samples, space=context.space)
    done = write_dataset(renderer, request, out, progress=progress)
    return f"{out}: {done.images} images of {len(renderer.classes)} classes under {configuration}"


def hand_over_backbone(
    context: SweepContext,
    recipe_id: str,
    configuration: str,
    out: Path,
    named: str | Path | None = None,
    stages: Stages = no_stages,
) -> str:
    """Write the configuration's backbone under torchvision's names: the kept one, or one trained now; returns a line
    that says which. named: see `KeptBackbones`. What is trained for a table folder stays in the user's cache."""
    from t2s_offline.sweep.run_unit import obtain
    from t2s_offline.sweep.worker import single_threaded
    from t2s_offline.training.networks import load_backbone
    from t2s_offline.training.portable import write_portable

    unit = Unit(recipe_id, configuration, 0, ())
    path, how = context.backbone(unit), "kept by the sweep"
    files = backbone_files(context.store, recipe_id, work=[path.parent], named=named)
    if configuration in files.within_reach():
        path = files.path(configuration)
        how = "trained here" if trained_folder() in path.parents else how
    elif not path.exists() and context.store.path.is_dir():
        path, how = live_backbones(context, recipe_id, stages=stages).make(configuration), "trained now"
    elif not path.exists():
        how = "trained now"
        with single_threaded(context):
            obtain(unit, context)
    write_portable(out, load_backbone(path))
    return f"{out}: backbone of {configuration}, {how}"
