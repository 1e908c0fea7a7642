"""predict: the configuration to pre-train with, for one task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.options import format_option, metric_option, note, print_rows, recipe_option, store_option
from t2s_offline.errors import BadInput
from t2s_offline.store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.matrix import Embeddings, RewardMatrix
    from t2s_offline.measure import Shortlist
    from t2s_offline.predict import Prediction


@click.command()
@click.argument("target", required=False, metavar="[TASK]")
@click.option("--task", "named", help="The same as the argument.")
@click.option("--policy", "folder", required=True, type=click.Path(path_type=Path), help="Folder made by learn.")
@store_option
@recipe_option
@metric_option
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Configurations to list.")
@click.option(
    "--measure", type=click.IntRange(0), default=0, show_default=True, help="Kept backbones to measure first."
)
@format_option("table", "json")
def predict(
    target: str | None, named: str | None, folder: Path, store_path: Path, recipe: str | None, metric: str, top: int,
    measure: int, file_format: str,
) -> None:  # fmt: skip
    """Predict the configuration to pre-train with for an embedded task.

    With --measure K, a surrogate fitted to the other tasks picks K backbones one after another, measures each on the
    task (or replays the store's rewards of it), and answers with the best.

    \b
    Examples:
      t2s-offline predict CUB --policy policy --store rewards.duckdb
      t2s-offline predict CUB --policy policy --store rewards.duckdb --measure 8
    """
    from t2s_offline import predict as prediction
    from t2s_offline.policy import load_policy

    task = target or named
    if task is None or (target and named and target != named):
        raise BadInput("name one task, as in: t2s-offline predict CUB --policy DIR")
    saved, store = load_policy(folder), RewardStore(store_path)
    wanted = recipe or saved.card.get("recipe")
    matrix = store.matrix(wanted, metric) if wanted in store.recipes() or recipe else None
    embeddings = store.embeddings(saved.card.get("probe"))
    found = prediction.predict(saved, embeddings, task, matrix, top=top)
    path = measured(matrix, embeddings, task, measure) if measure else None
    if path is not None:
        found = prediction.after_measuring(found, path.configuration, path.as_dicts(), matrix)
    show(found, path, file_format)


def measured(matrix: RewardMatrix | None, embeddings: Embeddings, task: str, count: int) -> Shortlist:
    """The path of measuring `count` configurations of a task whose rewards the table has."""
    import numpy as np

    from t2s_offline.learners.surrogate import Surrogate
    from t2s_offline.measure import shortlist
    from t2s_offline.seeds import derive_rng

    if matrix is None or task not in matrix.tasks:
        raise BadInput(
            f"--measure: the store has no rewards of {task} to replay; sweep the task, or leave --measure out"
        )
    others = [name for name in matrix.tasks if name != task and name in embeddings.tasks]
    policy = Surrogate().fit(matrix.select(others), embeddings.select(others), rng=derive_rng("predict"))
    belief = policy.belief(embeddings.select((task,)).unit_TD[0])
    signal_C = matrix.signal_TC[matrix.position(task)]
    note(
        f"replaying the store's {matrix.metric} rewards of {task}; the surrogate learned from {len(others)} other tasks"
    )
    known_C = ~np.isnan(signal_C)
    return shortlist(belief, lambda index: float(signal_C[index]), count, allowed_C=known_C, noise_sd=policy.noise_sd)


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
    print_rows(columns, [[*row, *[None] * (most - len(row))] for row in rows], "table")
    click.echo()
    print_rows(["configuration", "probability", "reward"], [list(row.values()) for row in found.top], "table")
    click.echo()
    print_rows(["nearest task", "similarity"], [list(row.values()) for row in found.nearest], "table")
