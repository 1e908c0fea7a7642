"""Backbones that a prediction lacks: rendered and trained when they are asked for, and kept in the user's cache.

One that was stopped goes on from its last epoch the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

from t2s_offline.errors import BadFile, PretrainFailed
from t2s_offline.store.trained_files import checked, record, trained, trained_folder
from t2s_offline.sweep.worker import SweepContext, Unit

Progress = Callable[[int, int], None]
#: What is done and its unit -> where its progress goes.
Stages = Callable[[str, str], Progress]


class OutOfTime(Exception):
    """A training that was stopped because its time was over; what it has done is kept."""


@dataclass(frozen=True)
class CachedContext(SweepContext):
    """A context whose files lie in the user's cache."""

    @property
    def folder(self) -> Path:
        return trained_folder()


def no_stages(_label: str, _unit: str) -> Progress:
    """Progress that goes nowhere."""
    return lambda done, total: None


@dataclass(frozen=True)
class LiveBackbones:
    """Trains backbones of one recipe and seed. context: of the recipe whose pixels are rendered here; stored: seconds
    that one took by the table's own record, None where it has none; taken: what those trained here took, seconds."""

    context: CachedContext
    recipe_id: str
    stored: float | None = None
    seed: int = 0
    stages: Stages = no_stages
    taken: list[float] = field(default_factory=list)

    @cached_property
    def estimated(self) -> float:
        """Seconds of one backbone before any was trained here: the table's, else by a few steps timed now."""
        if self.stored is not None:
            return self.stored
        from t2s_offline.sweep.estimate import estimate

        there = set(trained(self.recipe_id, self.seed))
        lacks = next((name for name in self.context.space if name not in there), None)
        return 0.0 if lacks is None else estimate([self._unit(lacks)], self.context).seconds

    @property
    def seconds(self) -> float:
        """Seconds that the next one will take: the mean of those trained here, where there are any."""
        return sum(self.taken) / len(self.taken) if self.taken else self.estimated

    def path(self, configuration: str) -> Path | None:
        """The backbone's file where one was trained here before."""
        return checked(self._unit(configuration).name)

    def make(self, configuration: str, until: float | None = None) -> Path:
        """The backbone's file, rendered and trained now. until: `time.monotonic` at which to stop with OutOfTime.

        PretrainFailed where another process is training it, BadFile where the cache cannot be written.
        """
        from t2s_offline.sweep.lease import claimed
        from t2s_offline.sweep.worker import single_threaded

        unit = self._unit(configuration)
        with claimed(self.context.claim(unit)) as mine:
            if not mine:
                raise PretrainFailed(f"{unit.name} is being trained by another process; ask again when it is done")
            begin = time.monotonic()
            try:
                with single_threaded(self.context):
                    self._train(unit, until)
                self.taken.append(time.monotonic() - begin)
                record(unit.name, self.recipe_id, configuration, self.seed, self.taken[-1])
            except OSError as error:
                folder, reason = trained_folder(), error.strerror or error
                raise BadFile(
                    f"cannot keep {unit.name} in {folder}: {reason}; free some space or set T2S_CACHE"
                ) from error
            self.context.checkpoint(unit).unlink(missing_ok=True)  # last: a save that fails must not cost the training
        return self.context.backbone(unit)

    def _train(self, unit: Unit, until: float | None) -> None:
        from t2s_offline.sweep.pictures import open_renderer, rendered_set
        from t2s_offline.sweep.worker import device_of
        from t2s_offline.training.networks import save_backbone
        from t2s_offline.training.pretrain import pretrain

        recipe, device = self.context.recipes[self.recipe_id], device_of(self.context)
        self.context.checkpoint(unit).parent.mkdir(parents=True, exist_ok=True)
        data = rendered_set(
            open_renderer(recipe, device), recipe, unit.configuration, unit.seed, device, space=self.context.space,
            progress=timely(self.stages(f"render {unit.configuration}", "picture"), until),
        )  # fmt: skip
        made = pretrain(
            data, recipe, configuration=unit.configuration, seed=unit.seed, device=device,
            checkpoint=self.context.checkpoint(unit),
            progress=timely(self.stages(f"train {unit.configuration}", "step"), until),
        )  # fmt: skip
        card = {"recipe": self.recipe_id, "contents": recipe.contents(), "size": recipe.evaluated}
        card |= {"configuration": unit.configuration, "seed": unit.seed, **made.figures}
        save_backbone(self.context.backbone(unit), made.backbone, None, card)

    def _unit(self, configuration: str) -> Unit:
        return Unit(self.recipe_id, configuration, self.seed, ())


def timely(progress: Progress, until: float | None) -> Progress:
    """The same progress, which raises OutOfTime at `until`, a value of `time.monotonic`."""

    def step(done: int, total: int) -> None:
        progress(done, total)
        if until is not None and time.monotonic() > until and done < total:
            raise OutOfTime

    return step


def live_backbones(
    context: SweepContext, recipe_id: str, *, stored: float | None = None, stages: Stages = no_stages
) -> LiveBackbones:
    """What trains the backbones of a recipe that a prediction lacks; see `LiveBackbones`."""
    cached = CachedContext(**{one.name: getattr(context, one.name) for one in fields(SweepContext)})
    return LiveBackbones(cached, recipe_id, stored, stages=stages)
