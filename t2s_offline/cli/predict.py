"""predict: the configuration to pre-train with, for one task."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.learn import note_of_val
from t2s_offline.cli.options import (
    Bar,
    format_option,
    metric_option,
    note,
    print_rows,
    recipe_option,
    store_option,
    tasks_stored,
)
from t2s_offline.errors import BadInput
from t2s_offline.schema import ACCURACY_METRICS
from t2s_offline.store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.asked import Asked
    from t2s_offline.handover import KeptBackbones
    from t2s_offline.matrix import Embeddings, RewardMatrix
    from t2s_offline.measure import Shortlist
    from t2s_offline.predict import Prediction
    from t2s_offline.tasks import Located
    from t2s_offline.workshop import Workshop


@click.command()
@click.argument("target", required=False, metavar="[TASK|FOLDER]", shell_complete=tasks_stored)
@click.option("--task", "named", help="The same as the argument.")
@click.option("--policy", "folder", required=True, type=click.Path(path_type=Path), help="Folder made by learn.")
@store_option
@recipe_option
@metric_option
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Configurations to list.")
@click.option("--measure", type=click.IntRange(0), default=0, help="Backbones to measure first.  [default: 0]")
@click.option("--probe", "probe_path", metavar="FILE", help="Probe to embed a folder with.  [default: the table's]")
@click.option("--samples", type=click.IntRange(2), help="Pictures drawn to embed a folder.  [default: the table's]")
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="T2S_DATA", help="Folder of tasks.  [default: T2S_DATA]"
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:0.")
@click.option("--render", "images", type=click.IntRange(1), metavar="N", help="Also render N images a class to --out.")
@click.option("--pretrain", is_flag=True, help="Also hand over the backbone, to --out.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for --render and --pretrain.")
@format_option("table", "json")
def predict(
    target: str | None, named: str | None, folder: Path, store_path: Path, recipe: str | None, metric: str, top: int,
    measure: int, probe_path: str | None, samples: int | None, data: Path | None, device: str, images: int | None,
    pretrain: bool, out: Path | None, file_format: str,
) -> None:  # fmt: skip
    """Predict the configuration to pre-train with: for an embedded task, or a folder of class folders.

    A name is a task of the store; a path such as ./digits is pictures. What the store holds of a task of that name is
    used for them only when it is about the same pictures.

    With --measure K, a surrogate fitted to the other tasks picks K backbones one after another, measures --metric of
    each on the task's val part (or replays the store's rewards of it), and answers with the best.

    \b
    Examples:
      t2s-offline predict CUB --policy policy --store rewards.duckdb
      t2s-offline predict CUB --policy policy --store rewards.duckdb --measure 8
      t2s-offline predict photos/ --policy policy --store table --probe table/probe.safetensors
    """
    from t2s_offline import predict as prediction
    from t2s_offline.asked import asked
    from t2s_offline.policy import load_policy

    task = target or named
    if task is None or (target and named and target != named):
        raise BadInput("name one task, as in: t2s-offline predict CUB --policy DIR")
    if (images or pretrain) and out is None:
        raise BadInput("--render and --pretrain need a folder to write to: add --out DIR")
    saved, store = load_policy(folder), RewardStore(store_path)
    wanted = recipe or saved.card.get("recipe")
    matrix = store.matrix(wanted, metric) if wanted in store.recipes() or recipe else None
    needing = [
        name for name, given in (("--measure", measure), ("--render", images), ("--pretrain", pretrain)) if given
    ]
    if matrix is None and needing:
        lacks = f"{store_path} has no recipe {wanted}, the policy's" if wanted else "the policy names no recipe"
        there = ", ".join(store.recipes())
        raise BadInput(f"{', '.join(needing)} cannot be done: {lacks}; name one with --recipe: {there}")
    known = store.embeddings(saved.card.get("probe"))
    digests = dict.fromkeys((*known.tasks, *(matrix.tasks if matrix else ()))) | store.digests()
    place = Place(store, asked(task, digests, data), digests, matrix, data, device)
    place.ready(measure, bool(images or pretrain))
    for line in place.about.notes:
        note(line)
    embeddings = place.embedded(known, probe_path, samples)
    found = prediction.predict(saved, embeddings, place.about.name, place.matrix, top=top)
    path = place.measured(embeddings, measure) if measure else None
    if path is not None:
        found = prediction.after_measuring(found, path.configuration, path.as_dicts(), place.matrix)
    show(found, path, metric, file_format)
    place.hand_over(found.configuration, images, pretrain, out)


class Place:
    """Where a prediction is asked for: a store, what is asked about, the rewards that may be used, and the machine.

    digests: of the store's tasks; matrix: its rewards, where it has the recipe.
    """

    def __init__(
        self, store: RewardStore, about: Asked, digests: Mapping[str, str | None], matrix: RewardMatrix | None,
        data: Path | None, device: str,
    ) -> None:  # fmt: skip
        self.store, self.about, self.data, self.device = store, about, data, device
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
        from t2s_offline.handover import workshop_of

        if self.matrix is None:
            raise BadInput("nothing can be rendered, trained or measured without a recipe: name one with --recipe")
        return workshop_of(self.store, self.matrix.recipe, device=self.device, data=self.data)

    @cached_property
    def kept(self) -> KeptBackbones:
        from t2s_offline.handover import KeptBackbones

        matrix = self.matrix
        if matrix is None:
            raise BadInput("--measure needs rewards to learn from: name their recipe with --recipe")
        return KeptBackbones(self.shop, matrix.recipe, self.located, matrix.metric, stored=self.digest)

    def ready(self, measure: int, hand_over: bool) -> None:
        """Say what is missing before anything is computed."""
        if hand_over:
            _ = self.shop
        if measure and not self.replays:
            self.kept.check_count(measure)

    def embedded(self, known: Embeddings, probe_path: str | None, samples: int | None) -> Embeddings:
        """The embeddings with the task's: the store's, or with one made now."""
        from t2s_offline.handover import embedded, probe_of
        from t2s_offline.task_data import check_same_pictures, load_task

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

        from t2s_offline.learners.surrogate import Surrogate
        from t2s_offline.measure import shortlist
        from t2s_offline.noise import seeds_T
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

    def hand_over(self, configuration: str, images: int | None, pretrain: bool, out: Path | None) -> None:
        """Render pictures of the configuration and write its backbone, where that was asked for."""
        if self.matrix is None or out is None or not (images or pretrain):
            return
        from t2s_offline import handover

        if images:
            with closing(Bar("render", "image")) as bar:
                note(
                    handover.render_pictures(
                        self.shop, self.matrix.recipe, configuration, images, out / "pictures", bar
                    )
                )
        if pretrain:
            note(
                handover.hand_over_backbone(self.shop, self.matrix.recipe, configuration, out / "backbone.safetensors")
            )


def show(found: Prediction, path: Shortlist | None, metric: str, file_format: str) -> None:
    from t2s_offline.formats import as_json

    if file_format == "json":
        click.echo(as_json(found.as_dict()))
        return
    word, digits = ("reward", 2) if metric in ACCURACY_METRICS else (f"{metric} score", 3)
    click.echo(f"task           {found.task}")
    click.echo(f"configuration  {found.configuration}")
    if found.reward is not None:
        about = f"best {found.best:.{digits}f}, regret {found.regret:.{digits}f}"
        click.echo(f"{word:<14} {found.reward:.{digits}f} ({about})")
    if path is not None:
        click.echo()
        steps: list[dict[str, Any]] = path.as_dicts()
        print_rows(list(steps[0]), [list(step.values()) for step in steps], "table")
        return
    click.echo()
    heads = found.probabilities.items()
    rows = [[name, digit, *levels] for (name, levels), digit in zip(heads, found.configuration, strict=True)]
    most = max(len(row) for row in rows)
    columns = ["parameter", "chosen", *(f"P({level})" for level in range(most - 2))]
    bars = (columns[-1], 1.0) if most == 4 else None  # with two levels the last column says it all
    print_rows(columns, [[*row, *[None] * (most - len(row))] for row in rows], "table", bars=bars)
    click.echo()
    print_rows(["configuration", "probability", word], [list(row.values()) for row in found.top], "table")
    click.echo()
    print_rows(["nearest task", "similarity"], [list(row.values()) for row in found.nearest], "table")
