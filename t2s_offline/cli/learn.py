"""learn: from rewards to a policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.options import (
    Bar,
    format_option,
    jobs_option,
    metric_option,
    note,
    print_rows,
    probe_option,
    recipe_option,
    store_option,
)
from t2s_offline.errors import BadInput
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.matrix import RewardMatrix
    from t2s_offline.sweep.live_cells import LivePath


def hyperparameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each field of `Reinforce` that has a help text, with the field's default."""
    for setting in reversed(fields(Reinforce)):
        if "help" in setting.metadata:
            flag = f"--{setting.name.replace('_', '-')}"
            kind: dict[str, Any] = {"type": type(setting.default), "show_default": True}
            if isinstance(setting.default, bool):
                kind = {"is_flag": True}
            option = click.option(flag, default=setting.default, help=setting.metadata["help"], **kind)
            command = option(command)
    return command


def training_tasks(store: RewardStore, known: Sequence[str], text: str | None) -> list[str]:
    """Names given as seen, unseen, all or a list with commas; by default seen where tasks have a split, else all."""
    split = store.tasks()
    if text is None:
        text = "seen" if any(split.get(task) == "seen" for task in known) else "all"
    if text == "all":
        return list(known)
    if text in ("seen", "unseen"):
        return [task for task in known if split.get(task) == text]
    return [name.strip() for name in text.split(",") if name.strip()]


@click.command()
@store_option
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the policy.")
@recipe_option
@metric_option
@probe_option
@click.option("--train-tasks", metavar="TASKS", help="seen, all, or names with commas.  [default: seen]")
@click.option("--leave-out", metavar="TASKS", help="Tasks to learn nothing from: names with commas.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Networks; their mean is the policy."
)
@click.option(
    "--on-miss",
    type=click.Choice(["error", "skip", "model", "live"]),
    default="error",
    show_default=True,
    help="A missing cell is an error, dropped, what a surrogate believes of it, or rendered and trained.",
)
@click.option("--device", default="auto", show_default=True, help="Where missing cells are measured.")
@jobs_option
@format_option("table", "json", "csv")
@hyperparameter_options
def learn(
    store_path: Path, out: Path, recipe: str | None, metric: str, probe: str | None, train_tasks: str | None,
    leave_out: str | None, seeds: int, on_miss: Any, device: str, jobs: int, file_format: str,
    **hyperparameters: Any,
) -> None:  # fmt: skip
    """Learn a policy by Algorithm 1 (REINFORCE with self-imitation) replayed on a reward table.

    Where the table is a fraction of all configurations, --on-miss says what a missing cell is.

    \b
    Examples:
      t2s-offline learn --store rewards.duckdb --seeds 8 --out policy
      t2s-offline learn --store tables/cpu --on-miss model --leave-out digits --out policy
    """
    import numpy as np

    from t2s_offline.learners.policy import save_policy
    from t2s_offline.learners.train_policy import train_policy

    store = RewardStore(store_path)
    learner = Reinforce(**hyperparameters)
    matrix, embeddings = store.matrix(recipe, metric), store.embeddings(probe)
    tasks = training_tasks(store, matrix.tasks, train_tasks)
    for name in (leave_out or "").split(",") if leave_out else []:
        matrix.position(name.strip())
        tasks = [task for task in tasks if task != name.strip()]
    if not tasks:
        raise BadInput(f"--train-tasks {train_tasks}: no such task has rewards; use all, or names with commas")
    matrix, embeddings = matrix.select(tasks), embeddings.select(tasks)
    chosen_on, gaps = matrix, 0
    if on_miss == "model":
        from t2s_offline.learners.surrogate import modelled

        gaps = int(np.isnan(matrix.signal_TC).sum())
        matrix = modelled(matrix, embeddings)
        note(f"{gaps} of {matrix.signal_TC.size} cells are missing: a surrogate's belief stands for them")
    live = live_evaluator(store, matrix, device) if on_miss == "live" else None
    bar = Bar("learn", "epoch")
    try:
        trained = train_policy(
            learner, matrix, embeddings, seeds=range(seeds), on_miss="error" if on_miss == "model" else on_miss,
            live=live, jobs=jobs, progress=bar,
        )  # fmt: skip
    finally:
        bar.close()
    save_policy(out, trained.policy, {**trained.card, "on_miss": on_miss, "modelled": gaps})
    note_of_val(chosen_on)
    card, reached = trained.card, trained.card["reached"]
    note(f"{card['hits']} hits, {card['misses']} misses, {card['seconds']:.1f} s")
    if live is not None and live.outcomes:
        note(f"{len(live.outcomes)} cells measured and kept in {store_path}, {live.seconds:.0f} s of work")
    shown = {
        "policy": out,
        "tasks": len(tasks),
        "seeds": seeds,
        "reward": reached["policy"],
        "oracle": reached["oracle"],
    }
    print_rows(list(shown), [[str(v) if isinstance(v, Path) else v for v in shown.values()]], file_format)


def note_of_val(matrix: RewardMatrix) -> None:
    """A line on stderr that names the tasks whose rewards are chosen and reported on the same part."""
    if matrix.val_note:
        note(matrix.val_note)


def live_evaluator(store: RewardStore, matrix: RewardMatrix, device: str) -> LivePath:
    """What measures missing cells: on the part of each task that the learner looks at."""
    from t2s_offline.sweep.live_cells import live_path

    return live_path(store, matrix.recipe, matrix.metric, validated=matrix.validated, device=device, told=note)
