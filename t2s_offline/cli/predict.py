"""predict: the configuration to pre-train with, for one task."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
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
from t2s_offline.store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.matrix import Embeddings, RewardMatrix
    from t2s_offline.measure import Shortlist
    from t2s_offline.predict import Prediction


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
    measure: int, probe_path: str | None, data: Path | None, device: str, images: int | None, pretrain: bool,
    out: Path | None, file_format: str,
) -> None:  # fmt: skip
    """Predict the configuration to pre-train with: for an embedded task, or a folder of class folders.

    With --measure K, a surrogate fitted to the other tasks picks K backbones one after another, measures each on the
    task (or replays the store's rewards of it), and answers with the best.

    \b
    Examples:
      t2s-offline predict CUB --policy policy --store rewards.duckdb
      t2s-offline predict CUB --policy policy --store rewards.duckdb --measure 8
      t2s-offline predict photos/ --policy policy --store table --probe table/probe.safetensors
    """
    from t2s_offline import predict as prediction
    from t2s_offline.policy import load_policy

    task = target or named
    if task is None or (target and named and target != named):
        raise BadInput("name one task, as in: t2s-offline predict CUB --policy DIR")
    if (images or pretrain) and out is None:
        raise BadInput("--render and --pretrain need a folder to write to: add --out DIR")
    saved, store = load_policy(folder), RewardStore(store_path)
    wanted = recipe or saved.card.get("recipe")
    matrix = store.matrix(wanted, metric) if wanted in store.recipes() or recipe else None
    place = Place(store, matrix, task, data, device)
    name, embeddings = place.embedded(store.embeddings(saved.card.get("probe")), probe_path)
    found = prediction.predict(saved, embeddings, name, matrix, top=top)
    path = place.measured(embeddings, name, measure) if measure else None
    if path is not None:
        found = prediction.after_measuring(found, path.configuration, path.as_dicts(), matrix)
    show(found, path, file_format)
    place.hand_over(found.configuration, images, pretrain, out)


@dataclass(frozen=True)
class Place:
    """Where a prediction is asked for: a store, its rewards, a task's name or folder, and the machine."""

    store: RewardStore
    matrix: RewardMatrix | None
    target: str
    data: Path | None
    device: str

    def embedded(self, known: Embeddings, probe_path: str | None) -> tuple[str, Embeddings]:
        """The task's name and the embeddings with it: the store's, or with one made now."""
        from t2s_offline.handover import embedded

        if self.target in known.tasks:
            return self.target, known
        shipped = self.store.path / "probe.safetensors"
        if probe_path is None and shipped.is_file():
            probe_path = str(shipped)
        if probe_path is None:
            if not Path(self.target).exists():
                known.position(self.target)  # neither a task of the store nor pictures: names the nearest task
            raise BadInput(
                f"{self.target} is not embedded in {self.store.path}; name the probe of its embeddings "
                f"({known.probe}) with --probe FILE"
            )
        with closing(Bar("embed", "picture")) as bar:
            return embedded(self.target, known, probe_path, data=self.data, device=self.device, progress=bar)

    def measured(self, embeddings: Embeddings, task: str, count: int) -> Shortlist:
        """The path of measuring `count` configurations: replayed where the store has the rewards, else measured."""
        import numpy as np

        from t2s_offline.handover import KeptBackbones, workshop_of
        from t2s_offline.learners.surrogate import Surrogate
        from t2s_offline.measure import shortlist
        from t2s_offline.seeds import derive_rng

        if self.matrix is None:
            raise BadInput("--measure needs rewards to learn from: name their recipe with --recipe")
        others = [name for name in self.matrix.tasks if name != task and name in embeddings.tasks]
        note_of_val(self.matrix.select([*others, *({task} & set(self.matrix.tasks))]))
        policy = Surrogate().fit(self.matrix.select(others), embeddings.select(others), rng=derive_rng("predict"))
        belief = policy.belief(embeddings.select((task,)).unit_TD[0])
        if task in self.matrix.tasks:
            signal_C = self.matrix.signal_TC[self.matrix.position(task)]
            note(f"replaying the store's rewards; the surrogate learned from {len(others)} other tasks")
            return shortlist(
                belief,
                lambda index: float(signal_C[index]),
                count,
                allowed_C=~np.isnan(signal_C),
                noise_sd=policy.noise_sd,
            )
        shop = workshop_of(self.store, self.matrix.recipe, device=self.device, data=self.data)
        kept = KeptBackbones(shop, self.matrix.recipe, self.target)
        note(f"measuring {count} of {int(kept.allowed_C.sum())} kept backbones on {task}")
        return shortlist(belief, kept.measure, count, allowed_C=kept.allowed_C, noise_sd=policy.noise_sd)

    def hand_over(self, configuration: str, images: int | None, pretrain: bool, out: Path | None) -> None:
        """Render pictures of the configuration and write its backbone, where that was asked for."""
        if self.matrix is None or out is None or not (images or pretrain):
            return
        from t2s_offline import handover

        shop = handover.workshop_of(self.store, self.matrix.recipe, device=self.device, data=self.data)
        if images:
            with closing(Bar("render", "image")) as bar:
                note(handover.render_pictures(shop, self.matrix.recipe, configuration, images, out / "pictures", bar))
        if pretrain:
            note(handover.hand_over_backbone(shop, self.matrix.recipe, configuration, out / "backbone.safetensors"))


def show(found: Prediction, path: Shortlist | None, file_format: str) -> None:
    from t2s_offline.formats import as_json

    if file_format == "json":
        click.echo(as_json(found.as_dict()))
        return
    click.echo(f"task           {found.task}")
    click.echo(f"configuration  {found.configuration}")
    if found.reward is not None:
        click.echo(f"reward         {found.reward:.2f} (best {found.best:.2f}, regret {found.regret:.2f})")
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
    print_rows(["configuration", "probability", "reward"], [list(row.values()) for row in found.top], "table")
    click.echo()
    print_rows(["nearest task", "similarity"], [list(row.values()) for row in found.nearest], "table")
