"""From a prediction to what a user takes home: an embedding of their pictures, measured backbones, a dataset, a file.

Comes in: a task's name or folder, a store made by a sweep, the configuration that was predicted. Goes out: its
embedding beside those of the store, accuracies of kept backbones, rendered pictures, a backbone's file. Ignores how
the configuration was chosen.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput
from t2s_offline.matrix import Embeddings
from t2s_offline.recipe import Recipe, check_id
from t2s_offline.store import RewardStore
from t2s_offline.task_data import TaskData, load_task
from t2s_offline.workshop import Unit, Workshop

Progress = Callable[[int, int], None]
SAMPLES = 1000  # pictures an embedding is taken from; `t2s-offline embed` has the same default


def embedded(
    target: str,
    known: Embeddings,
    probe_path: str,
    *,
    data: Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> tuple[str, Embeddings]:
    """A task that the store has not embedded: its name, and the store's embeddings with its own added.

    Raises BadInput when the probe is not the one behind the store's embeddings.
    """
    from t2s_offline import networks, task2vec

    probe = task2vec.open_probe(probe_path, networks.open_device(device))
    name = task2vec.probe_name(probe, probe.size)
    if name != known.probe:
        raise BadInput(f"probe {probe_path} gives embeddings {name}; the store's are of {known.probe}: use that probe")
    task = load_task(target, probe.size, data=data, resize=probe.resize)
    vector_D = task2vec.embed(task.bank, probe, task.name, samples=SAMPLES, progress=progress)
    others = [other for other in known.tasks if other != task.name]
    kept = known.select(others)
    return task.name, Embeddings(known.probe, (*others, task.name), np.vstack([kept.vector_TD, vector_D[None]]))


@dataclass(frozen=True)
class KeptBackbones:
    """Backbones that a sweep left beside its store, to be measured on a task. accuracies are 5-NN on the val part."""

    shop: Workshop
    recipe_id: str
    target: str
    seed: int = 0

    @property
    def recipe(self) -> Recipe:
        return self.shop.recipes[self.recipe_id]

    @cached_property
    def allowed_C(self) -> npt.NDArray[np.bool_]:
        """Configurations whose backbone is there, shape (C,)."""
        paths = (self.shop.backbone(self._unit(configuration)) for configuration in self.shop.space)
        return np.array([path.exists() for path in paths])

    @cached_property
    def task(self) -> TaskData:
        recipe = self.recipe
        return load_task(self.target, recipe.evaluated, data=self.shop.data, resize=recipe.eval_resize)

    def measure(self, index: int) -> float:
        """5-NN accuracy in percent of one configuration's backbone on the val part."""
        from t2s_offline.evaluate import evaluate
        from t2s_offline.networks import load_backbone
        from t2s_offline.workshop import device_of

        path = self.shop.backbone(self._unit(self.shop.space.configurations[index]))
        backbone = load_backbone(path, device_of(self.shop)).backbone
        return evaluate(backbone, self.task.name, self.task.parts, self.recipe, seed=self.seed)[0].val_accuracy

    def _unit(self, configuration: str) -> Unit:
        return Unit(self.recipe_id, configuration, self.seed, ())


def workshop_of(store: RewardStore, recipe_id: str, *, device: str = "auto", data: Path | None = None) -> Workshop:
    """The workshop of a recipe that a sweep made; BadInput for a recipe of others, or whose id is of other contents.

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
    return Workshop(store, {recipe_id: Recipe.from_contents(row[0])}, space, device, data=data)


def render_pictures(
    shop: Workshop, recipe_id: str, configuration: str, images: int, out: Path, progress: Progress
) -> str:
    """Write a dataset of the configuration under the recipe's renderer; returns a line that says what was done."""
    from t2s_offline.render import RenderRequest, recipe_renderer
    from t2s_offline.render.dataset import write_dataset

    recipe = shop.recipes[recipe_id]
    renderer = recipe_renderer(recipe, device=shop.device)
    request = RenderRequest(configuration, images, recipe.rendered, samples=recipe.samples, space=shop.space)
    done = write_dataset(renderer, request, out, progress=progress)
    return f"{out}: {done.images} images of {len(renderer.classes)} classes under {configuration}"


def hand_over_backbone(shop: Workshop, recipe_id: str, configuration: str, out: Path) -> str:
    """Write the configuration's backbone: the kept one, or one trained now; returns a line that says which."""
    from t2s_offline.work import obtain
    from t2s_offline.workshop import single_threaded

    unit = Unit(recipe_id, configuration, 0, ())
    path = shop.backbone(unit)
    how = "kept by the sweep"
    if not path.exists():
        how = "trained now"
        with single_threaded(shop):
            obtain(unit, shop)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, out)
    return f"{out}: backbone of {configuration}, {how}"
