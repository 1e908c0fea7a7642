"""learn, predict, compare: from rewards to policies and what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

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
from t2s_offline.store import RewardStore

#: Hyperparameters of Algorithm 1 as options; a test holds their defaults to those of `Reinforce`.
HYPERPARAMETERS: dict[str, tuple[float, str]] = {
    "epochs": (1000, "Passes over the training tasks."),
    "batch_size": (4, "Tasks of a mini-batch."),
    "hidden": (400, "Units of each hidden layer."),
    "learning_rate": (1e-3, "SGD learning rate."),
    "momentum": (0.9, "SGD momentum."),
    "weight_decay": (1e-5, "SGD weight decay."),
    "warmup_epochs": (50, "Epochs of linear warm-up."),
    "warmup_rate": (1e-6, "Learning rate at the start."),
    "decay_epochs": (500, "Epochs after which the rate drops."),
    "decay_factor": (0.1, "Factor it drops by."),
    "noise": (0.4, "Exploration noise at the start."),
    "noise_epochs": (5, "Epochs between drops of the noise."),
    "imitation_steps": (5, "Self-imitation steps a mini-batch."),
    "imitation_start": (50, "Epoch self-imitation starts at."),
}


def hyperparameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, (default, text) in reversed(HYPERPARAMETERS.items()):
        option = click.option(
            f"--{name.replace('_', '-')}", type=type(default), default=default, show_default=True, help=text
        )
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
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Networks; their mean is the policy."
)
@click.option("--on-miss", type=click.Choice(["error", "skip", "live"]), default="error", show_default=True)
@jobs_option
@hyperparameter_options
def learn(
    store_path: Path, out: Path, recipe: str | None, metric: str, probe: str | None, train_tasks: str | None,
    seeds: int, on_miss: Any, jobs: int, **hyperparameters: Any,
) -> None:  # fmt: skip
    """Learn a policy by Algorithm 1 (REINFORCE with self-imitation) replayed on a reward table.

    A cell that is missing is an error, is skipped, or is measured live.

    \b
    Example:
      t2s-offline learn --store rewards.duckdb --seeds 8 --out policy
    """
    from t2s_offline.learners.reinforce import Reinforce
    from t2s_offline.learners.train import train_policy
    from t2s_offline.policy import save_policy

    store = RewardStore(store_path)
    learner = Reinforce(**hyperparameters)
    matrix, embeddings = store.matrix(recipe, metric), store.embeddings(probe)
    tasks = training_tasks(store, matrix.tasks, train_tasks)
    if not tasks:
        raise BadInput(f"--train-tasks {train_tasks}: no such task has rewards; use all, or names with commas")
    matrix, embeddings = matrix.select(tasks), embeddings.select(tasks)
    bar = Bar("learn", "epoch")
    try:
        trained = train_policy(
            learner, matrix, embeddings, seeds=range(seeds), on_miss=on_miss, jobs=jobs, progress=bar
        )
    finally:
        bar.close()
    save_policy(out, trained.policy, trained.card)
    card, reached = trained.card, trained.card["reached"]
    note(f"{card['hits']} hits, {card['misses']} misses, {card['seconds']:.1f} s")
    shown = {
        "policy": out,
        "tasks": len(tasks),
        "seeds": seeds,
        "reward": reached["policy"],
        "oracle": reached["oracle"],
    }
    print_rows(list(shown), [[str(v) if isinstance(v, Path) else v for v in shown.values()]], "table")


@click.command("predict")
@click.argument("target", required=False, metavar="[TASK]")
@click.option("--task", "named", help="The same as the argument.")
@click.option("--policy", "folder", required=True, type=click.Path(path_type=Path), help="Folder made by learn.")
@store_option
@recipe_option
@metric_option
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Configurations to list.")
@format_option("table", "json")
def predict_command(
    target: str | None, named: str | None, folder: Path, store_path: Path, recipe: str | None, metric: str, top: int,
    file_format: str,
) -> None:  # fmt: skip
    """Predict the configuration to pre-train with for an embedded task.

    \b
    Example:
      t2s-offline predict CUB --policy policy --store rewards.duckdb
    """
    from t2s_offline.policy import load_policy
    from t2s_offline.predict import predict

    task = target or named
    if task is None or (target and named and target != named):
        raise BadInput("name one task, as in: t2s-offline predict CUB --policy DIR")
    saved = load_policy(folder)
    store = RewardStore(store_path)
    wanted = recipe or saved.card.get("recipe")
    matrix = store.matrix(wanted, metric) if wanted in store.recipes() or recipe else None
    show_prediction(predict(saved, store.embeddings(saved.card.get("probe")), task, matrix, top=top), file_format)


def show_prediction(prediction: Any, file_format: str) -> None:
    from t2s_offline.formats import as_json

    if file_format == "json":
        click.echo(as_json(prediction.as_dict()))
        return
    click.echo(f"task           {prediction.task}")
    click.echo(f"configuration  {prediction.configuration}")
    if prediction.reward is not None:
        click.echo(
            f"reward         {prediction.reward:.2f} (best {prediction.best:.2f}, regret {prediction.regret:.2f})"
        )
    click.echo()
    heads = prediction.probabilities.items()
    rows = [[name, digit, *levels] for (name, levels), digit in zip(heads, prediction.configuration, strict=True)]
    most = max(len(row) for row in rows)
    columns = ["parameter", "chosen", *(f"P({level})" for level in range(most - 2))]
    print_rows(columns, [[*row, *[None] * (most - len(row))] for row in rows], "table")
    click.echo()
    print_rows(["configuration", "probability", "reward"], [list(row.values()) for row in prediction.top], "table")
    click.echo()
    print_rows(["nearest task", "similarity"], [list(row.values()) for row in prediction.nearest], "table")


@click.command("compare")
@store_option
@recipe_option
@metric_option
@probe_option
@click.option("--leave-one-out", is_flag=True, help="Leave each task out in turn, over all tasks.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds of a learner; means are shown."
)
@jobs_option
@format_option("table", "json", "csv")
def compare_command(
    store_path: Path, recipe: str | None, metric: str, probe: str | None, leave_one_out: bool, seeds: int, jobs: int,
    file_format: str,
) -> None:  # fmt: skip
    """Compare Algorithm 1 with the baselines.

    Reward and regret are percent, means over tasks (and seeds); normalised regret is regret over (best - mean of all
    configurations), with its 95 % bootstrap interval over tasks.

    \b
    Examples:
      t2s-offline compare --store rewards.duckdb --seeds 8
      t2s-offline compare --store rewards.duckdb --leave-one-out
    """
    from t2s_offline import compare as comparison
    from t2s_offline.learners.registry import LEARNERS

    store = RewardStore(store_path)
    matrix, embeddings = store.matrix(recipe, metric), store.embeddings(probe)
    tasks = [task for task in matrix.tasks if task in embeddings.tasks]
    if leave_one_out:
        folds = comparison.leave_one_out(tasks)
    else:
        folds = comparison.seen_unseen(*(training_tasks(store, tasks, split) for split in ("seen", "unseen")))
    bar = Bar("compare", "fit")
    try:
        rows = comparison.compare(matrix, embeddings, LEARNERS, folds, seeds=seeds, jobs=jobs, progress=bar)
    finally:
        bar.close()
    columns = [field.name for field in fields(comparison.Row)]
    titles = {"normalised_regret": "normalised", "ci_low": "low", "ci_high": "high"}
    print_rows(columns, [list(vars(row).values()) for row in rows], file_format, titles)
    note("low, high: 95 % bootstrap interval of the normalised regret, over tasks")
    if not leave_one_out:
        note("seen: the training tasks themselves, where nearest is the oracle by construction")
