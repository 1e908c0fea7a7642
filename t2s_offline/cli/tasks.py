"""tasks: the downstream tasks, and which pictures are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from t2s_offline.cli.options import any_version_option, data_option, format_option, print_rows


@click.command("tasks")
@data_option
@any_version_option
@click.option("--present", "only_present", is_flag=True, help="Only those whose pictures are at hand.")
@click.option("--check", is_flag=True, help="Read every picture; count classes, pictures and files left out.")
@click.option("--download", metavar="TASK", help="Have torchvision download one of its six into the folder first.")
@click.option(
    "--relate",
    type=click.Path(path_type=Path),
    metavar="STORE",
    help="Write into this store which tasks are relatives, as tasks.csv in the folder says.",
)
@format_option("table", "json", "csv")
def tasks_command(
    data: Path | None, only_present: bool, check: bool, download: str | None, relate: Path | None, file_format: str
) -> None:
    """List the downstream tasks: the paper's twenty, the embedded digits, and what lies in T2S_DATA.

    \b
    Examples:
      t2s-offline tasks --present
      t2s-offline tasks --check --format json
      t2s-offline tasks --relate rewards.duckdb
    """
    if relate is not None:
        from t2s_offline.store.reward_store import RewardStore
        from t2s_offline.tasks import data_folder, relatives

        count = RewardStore(relate).relate(relatives(data_folder(data)))
        click.echo(f"{relate}: relatives of {count} tasks are set")
        return
    if download:
        from t2s_offline.images.task_data import download_task

        download_task(download, data)
    rows = task_listing(data, only_present or check)
    if check:
        rows = [checked(row, data) for row in rows]
    print_rows(list(rows[0]), [list(row.values()) for row in rows], file_format)


def task_listing(data: Path | None, only_present: bool) -> list[dict[str, Any]]:
    """A row a task: registered ones in the paper's order, then others by name."""
    from t2s_offline.tasks import DIGITS, PAPER_TASKS, present

    here = {located.name: located for located in present(data)}
    known = {task.name: task for task in (*PAPER_TASKS, DIGITS)}
    rows = []
    for name in [*known, *(name for name in here if name not in known)]:
        task, located = known.get(name), here.get(name)
        if located is None and only_present:
            continue
        rows.append({
            "task": name,
            "group": task.group if task else None,
            "split": task.split if task else None,
            "classes": task.classes if task else None,
            "images": task.images if task else None,
            "present": located.kind if located else None,
            "place": str(located.path or located.kind) if located else task.place if task else None,
        })  # fmt: skip
    return rows


def checked(row: dict[str, Any], data: Path | None) -> dict[str, Any]:
    """The task with its version, its classes and the pictures of each part, or what is wrong with it."""
    from t2s_offline.errors import T2SError
    from t2s_offline.images.task_data import load_task

    counts: dict[str, Any] = {"version": None, "classes": None, "train": None, "val": None, "test": None}
    counts |= {"left_out": None}
    result = {"task": row["task"], **counts, "problem": None}
    try:
        loaded = load_task(row["task"], 32, data=data)
    except T2SError as error:
        return result | {"problem": str(error)}
    parts = {name: len(part) for name, part in loaded.parts.items()}
    counted = {"version": loaded.version or None, "classes": len(loaded.classes), "left_out": len(loaded.bad)}
    return result | counted | parts
