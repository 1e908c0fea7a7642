"""Where a prediction is asked for: what may be used of the store, what is embedded, measured, rendered and trained.

Comes in: a store, what is asked about and the machine. Goes out: embeddings, a path of measuring, files. Ignores which
policy answers and how the answer is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline.cli.learn import note_of_val
from t2s_offline.cli.options import Bar, note
from t2s_offline.errors import BadInput
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.images.asked_task import Asked
    from t2s_offline.learners.shortlist import Shortlist
    from t2s_offline.matrix import Embeddings, RewardMatrix
    from t2s_offline.sweep.hand_over import KeptBackbones
    from t2s_offline.sweep.worker import Workshop
    from t2s_offline.tasks import Located


class Place:
    """Where a prediction is asked for: a store, what is asked about, the rewards that may be used, and the machine.

    digests: of the store's tasks; matrix: its rewards, where it has the recipe.
    """

    def __init__(
        self, store: RewardStore, about: Asked, digests: Mapping[str, str | None], matrix: RewardMatrix | None,
        data: Path | None, device: str, any_pixels: bool = False,
    ) -> None:  # fmt: skip
        self.store, self.about, self.data, self.device = store, about, data, device
        self.any_pixels = any_pixels
        self.digest = digests.get(about.name) if about.stored else None
        if matrix is not None and not about.stored:  # whatever the store calls so is not these pictures
            matrix = matrix.select([name for name in matrix.tasks if name != about.name])
        self.matrix = matrix

    @property
    def replays(self) -> bool:
        """Whether the store has rewards of the task: then nothing is measured."""
        return self.matrix is not None and self.about.name in self.matrix.tasks

    @cached_property
    def located(self) -> Located:
        from t2s_offline.tasks import locate

        return self.about.located or locate(self.about.name, self.data)

    @cached_property
    def shop(self) -> Workshop:
        from t2s_offline.sweep.hand_over import workshop_of

        if self.matrix is None:
            raise BadInput("nothing can be rendered, trained or measured without a recipe: name one with --recipe")
        return workshop_of(self.store, self.matrix.recipe, device=self.device, data=self.data)

    @cached_property
    def kept(self) -> KeptBackbones:
        from t2s_offline.sweep.hand_over import KeptBackbones

        matrix = self.matrix
        if matrix is None:
            raise BadInput("--measure needs rewards to learn from: name their recipe with --recipe")
        return KeptBackbones(self.shop, matrix.recipe, self.located, matrix.metric, stored=self.digest)

    def ready(self, measure: int, images: bool, pretrain: bool) -> None:
        """Say what is missing before anything is computed."""
        if images or (pretrain and not self.kept.allowed_C.any()):
            from t2s_offline.render.renderer import check_pixels

            shop, recipe_id = self.rendering
            try:
                check_pixels(shop.recipes[recipe_id])
            except BadInput as error:
                raise BadInput(f"{error}; or add --any-pixels") from error
        if measure and not self.replays:
            self.kept.check_count(measure)

    def embedded(self, known: Embeddings, probe_path: str | None, samples: int | None) -> Embeddings:
        """The embeddings with the task's: the store's, or with one made now."""
        from t2s_offline.images.task_data import check_same_pictures, load_task
        from t2s_offline.sweep.hand_over import embedded, probe_of

        name = self.about.name
        if self.about.stored and name in known.tasks:
            return known
        shipped = self.store.path / "probe.safetensors"
        if probe_path is None and shipped.is_file():
            probe_path = str(shipped)
        try:
            probe, made = probe_of(known, probe_path, self.device)
        except BadInput as error:
            raise BadInput(f"{name} is not embedded in {self.store.path}; {error}") from error
        if probe.name != made.probe:
            note(f"warning: {probe_path} is not the file that torchvision publishes; taken for its weights as you say")
        made = made if samples is None else replace(made, samples=samples)
        note(f"embedding {name} as the store's tasks were: {made}")
        task = load_task(self.located, made.size, resize=probe.resize)
        check_same_pictures(self.digest, task)
        with closing(Bar("embed", "picture")) as bar:
            return embedded(task, name, known, probe, made, bar)

    def measured(self, embeddings: Embeddings, count: int) -> Shortlist:
        """The path of measuring `count` configurations: replayed where the store has the rewards, else measured."""
        import numpy as np

        from t2s_offline.analysis.seed_noise import seeds_T
        from t2s_offline.learners.shortlist import shortlist
        from t2s_offline.learners.surrogate import Surrogate
        from t2s_offline.seeds import derive_rng

        task, matrix = self.about.name, self.matrix
        if matrix is None:
            raise BadInput("--measure needs rewards to learn from: name their recipe with --recipe")
        others = [name for name in matrix.tasks if name != task and name in embeddings.tasks]
        note_of_val(matrix.select([*others, *({task} & set(matrix.tasks))]))
        policy = Surrogate().fit(matrix.select(others), embeddings.select(others), rng=derive_rng("predict"))
        belief = policy.belief(embeddings.select((task,)).unit_TD[0])
        if self.replays:
            at = matrix.position(task)
            signal_C = matrix.signal_TC[at]
            note(
                f"replaying the store's {matrix.metric} of {task}; the surrogate learned from {len(others)} other tasks"
            )
            return shortlist(
                belief,
                lambda index: float(signal_C[index]),
                count,
                allowed_C=~np.isnan(signal_C),
                noise_sd=policy.noise.at(matrix.pictures_T[at], seeds_T(matrix)[at]),
            )
        kept, part = self.kept, self.kept.task["val"]
        note(
            f"measuring {matrix.metric} of {count} of {int(kept.allowed_C.sum())} kept backbones on {kept.pictures} "
            f"pictures of {task}, of {part.image_NCHW.shape[-1]} px"
        )
        noise_sd = policy.noise.at(kept.pictures)
        return shortlist(belief, kept.measure, count, allowed_C=kept.allowed_C, noise_sd=noise_sd)

    @cached_property
    def rendering(self) -> tuple[Workshop, str]:
        """The workshop and the recipe that pictures and a backbone are made under."""
        from t2s_offline.sweep.hand_over import with_these_pixels

        shop, recipe_id = self.shop, next(iter(self.shop.recipes))
        if not self.any_pixels:
            return shop, recipe_id
        shop, made = with_these_pixels(shop, recipe_id)
        if made != recipe_id:
            note(f"rendering with today's pixels: what is handed over is of recipe {made}, not of {recipe_id}")
        return shop, made

    def hand_over(self, configuration: str, images: int | None, pretrain: bool, out: Path | None) -> None:
        """Render pictures of the configuration and write its backbone, where that was asked for."""
        if out is None or not (images or pretrain):
            return
        from t2s_offline.sweep.hand_over import hand_over_backbone, render_pictures

        if images:
            with closing(Bar("render", "image")) as bar:
                note(render_pictures(*self.rendering, configuration, images, out / "pictures", bar))
        if pretrain:
            note(hand_over_backbone(*self.rendering, configuration, out / "backbone.safetensors"))
