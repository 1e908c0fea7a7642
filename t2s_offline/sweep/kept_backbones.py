"""Backbones of a table measured on a task, as its recipe says; those that are lacking are trained where that is wanted.

Features of the train and val pictures alone are computed: an answer needs no test pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput
from t2s_offline.images.task_data import TaskData, check_same_pictures, load_task
from t2s_offline.recipe import Recipe
from t2s_offline.space import SCRATCH
from t2s_offline.store.backbone_files import FOLDER, BackboneFiles, backbone_files
from t2s_offline.sweep.live_backbones import LiveBackbones, Stages, no_stages
from t2s_offline.sweep.worker import SweepContext, Unit
from t2s_offline.tasks import Located

if TYPE_CHECKING:
    from t2s_offline.training.networks import Backbone


@dataclass(frozen=True)
class KeptBackbones:
    """Backbones of a table, to be measured on a task as the recipe says: by one metric on its val part (percent, or the
    score of logme), or by several.

    named: a folder or an https address of backbones beside those of the sweep and the table. stored: the digest that
    the store has for the task's pictures, where its rewards of the task are used beside the measurements; other
    pictures are then a BadInput. live: trains what is not at hand, and knows what was trained before. most: pictures of
    a class of a folder that are read, all by default.
    """

    context: SweepContext
    recipe_id: str
    target: str | Path | Located
    metric: str = "knn5"
    seed: int = 0
    stored: str | None = None
    named: str | Path | None = None
    live: LiveBackbones | None = None
    stages: Stages = no_stages
    most: int | None = None
    made: dict[str, Path] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        return self.context.recipes[self.recipe_id]

    @cached_property
    def allowed_C(self) -> npt.NDArray[np.bool_]:
        """Configurations whose backbone is there, shape (C,)."""
        there = set(self.files.within_reach(self.seed))
        if self.live is not None:
            there.update(name for name in self.context.space if self.live.path(name) is not None)
        paths = {name: self.context.backbone(self._unit(name)) for name in self.context.space}
        return np.array([name in there or path.exists() for name, path in paths.items()])

    @cached_property
    def files(self) -> BackboneFiles:
        """Where the recipe's backbones lie."""
        work = [self.context.folder / FOLDER]
        return backbone_files(self.context.store, self.recipe_id, work=work, named=self.named)

    def path(self, configuration: str) -> Path:
        """The checked file of a configuration's backbone, downloaded where it lies elsewhere."""
        if configuration in self.made:
            return self.made[configuration]
        if self.live is not None and configuration not in self.files.within_reach(self.seed):
            found = self.live.path(configuration)
            if found is not None:
                return found
        return self.files.path(configuration, self.seed)

    def make(self, index: int, until: float | None = None) -> None:
        """Render and train the backbone of a configuration; see `LiveBackbones.make`. BadInput without a live path."""
        configuration = self.context.space.configurations[index]
        if self.live is None:
            raise BadInput(f"the backbone of {configuration} is not at hand; train it with --on-miss live")
        self.made[configuration] = self.live.make(configuration, until)

    @cached_property
    def task(self) -> TaskData:
        recipe = self.recipe
        loaded = load_task(
            self.target,
            recipe.evaluated,
            data=self.context.data,
            resize=recipe.eval_resize,
            test_share=recipe.test_share,
            progress=self.stages("read", "picture"),
            most=self.most,
        )
        check_same_pictures(self.stored, loaded)
        return loaded.limited(recipe.eval_pictures) if recipe.eval_pictures else loaded

    @property
    def pictures(self) -> int:
        """How many pictures a measurement rests on."""
        from t2s_offline.training.evaluate import val_pictures

        return val_pictures(self.metric, self.task.parts, self.recipe)

    @property
    def passes(self) -> int:
        """Forward passes of one backbone: pictures of the train and val parts."""
        return len(self.task["train"]) + len(self.task["val"])

    def measure(self, index: int) -> float:
        """The metric of one configuration's backbone: the recipe's val accuracy."""
        return self.measure_all(index, (self.metric,))[self.metric]

    def measure_all(self, index: int | None, metrics: Sequence[str]) -> dict[str, float]:
        """Several metrics of the same features on the recipe's val pictures; index None: of an untrained network.

        On one thread: small networks gain nothing by more, and on a busy machine threads that wait for each other take
        many times as long. Rounding is then that of the sweep, too.
        """
        from t2s_offline.sweep.worker import single_threaded
        from t2s_offline.training.evaluate import evaluate, features_of
        from t2s_offline.training.val_metrics import of_features, val_accuracy

        name, parts, found = self.task.name, self.task.parts, {}
        with single_threaded(self.context):
            backbone = self.backbone(index)
            whole = [metric for metric in metrics if not of_features(metric, self.recipe)]
            if whole:
                rows = evaluate(backbone, name, parts, self.recipe, whole, seed=self.seed)
                found = {row.metric: row.val_accuracy for row in rows}
            if len(whole) < len(metrics):
                of = features_of(backbone, {part: parts[part] for part in ("train", "val")}, self.recipe)
                given = (of["train"], of["val"], len(self.task.classes), self.recipe, name, self.seed)
                found |= {metric: val_accuracy(metric, *given) for metric in metrics if metric not in whole}
        return {metric: found[metric] for metric in metrics}

    def backbone(self, index: int | None) -> Backbone:
        """The network of a configuration, or an untrained one; BadFile where it is not at hand."""
        from t2s_offline.seeds import derive_seed
        from t2s_offline.sweep.worker import device_of
        from t2s_offline.training.networks import build, load_backbone

        device = device_of(self.context)
        if index is not None:
            return load_backbone(self.path(self.context.space.configurations[index]), device).backbone
        own = derive_seed("pretrain", self.recipe.digest, SCRATCH, self.seed, "weights")
        return build(self.recipe.backbone, seed=own, device=device).eval()

    def _unit(self, configuration: str) -> Unit:
        return Unit(self.recipe_id, configuration, self.seed, ())
