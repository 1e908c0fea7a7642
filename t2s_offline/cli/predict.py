"""predict: the configuration to pre-train with, for one task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.options import (
    any_version_option,
    format_option,
    metric_option,
    note,
    print_rows,
    recipe_option,
    store_option,
    tasks_stored,
)
from t2s_offline.api.predict import Place
from t2s_offline.errors import BadInput
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.schema import ACCURACY_METRICS

if TYPE_CHECKING:
    from t2s_offline.learners.predict import Prediction
    from t2s_offline.learners.shortlist import Shortlist


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
@any_version_option
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:0.")
@click.option("--render", "images", type=click.IntRange(1), metavar="N", help="Also render N images a class to --out.")
@click.option("--pretrain", is_flag=True, help="Also hand over the backbone, to --out.")
@click.option("--any-pixels", is_flag=True, help="Render for both with today's pixels where the recipe's were others.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for --render and --pretrain.")
@format_option("table", "json")
def predict(
    target: str | None, named: str | None, folder: Path, store_path: Path, recipe: str | None, metric: str, top: int,
    measure: int, probe_path: str | None, samples: int | None, data: Path | None, device: str, images: int | None,
    pretrain: bool, any_pixels: bool, out: Path | None, file_format: str,
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
    from t2s_offline.images.asked_task import asked
    from t2s_offline.learners import predict as prediction
    from t2s_offline.learners.policy import load_policy

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
    place = Place(store, asked(task, digests, data), digests, matrix, data, device, any_pixels)
    place.ready(measure, bool(images), pretrain)
    for line in place.about.notes:
        note(line)
    embeddings = place.embedded(known, probe_path, samples)
    found = prediction.predict(saved, embeddings, place.about.name, place.matrix, top=top)
    path = place.measured(embeddings, measure) if measure else None
    if path is not None:
        found = prediction.after_measuring(found, path.configuration, path.as_dicts(), place.matrix)
    show(found, path, metric, file_format)
    place.hand_over(found.configuration, images, pretrain, out)


def show(found: Prediction, path: Shortlist | None, metric: str, file_format: str) -> None:
    from t2s_offline.text_tables import as_json, cell

    if file_format == "json":
        click.echo(as_json(found.as_dict()))
        return
    word, digits = ("reward", 2) if metric in ACCURACY_METRICS else (f"{metric} score", 3)
    click.echo(f"task           {cell(found.task)}")
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
