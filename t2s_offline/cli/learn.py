"""learn: a policy from a table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from t2s_offline.api.table import Table
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
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.store.reward_store import RewardStore


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
      t2s-offline learn --store tables/cpu --on-miss model --centre --out policy
    """
    from t2s_offline.api.learn import learn as learned

    table = Table(RewardStore(store_path))
    with closing(Bar("learn", "epoch")) as bar:
        policy = learned(
            table, recipe=recipe, metric=metric, probe=probe, train_tasks=tasks_of(train_tasks),
            leave_out=names_in(leave_out), seeds=seeds, on_miss=on_miss, device=device, jobs=jobs, told=note,
            progress=bar, **hyperparameters,
        )  # fmt: skip
    policy.save(out)
    reached = policy.card["reached"]
    shown = {
        "policy": str(out),
        "tasks": len(policy.card["tasks"]),
        "seeds": seeds,
        "reward": reached["policy"],
        "oracle": reached["oracle"],
    }
    print_rows(list(shown), [list(shown.values())], file_format)


def names_in(text: str | None) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else []


def tasks_of(text: str | None) -> str | list[str] | None:
    """What --train-tasks says: seen, unseen or all as it is, else names."""
    return text if text in (None, "seen", "unseen", "all") else names_in(text)
