"""tables: table folders, listed and checked, and made of a store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from t2s_offline.cli.options import format_option, note, print_rows, store_option
from t2s_offline.errors import BadInput
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.matrix import RewardMatrix


@click.command("tables")
@click.argument("names", nargs=-1, metavar="[NAME|FOLDER]...")
@click.option(
    "--ship", "folder", type=click.Path(path_type=Path, file_okay=False), help="Make a table folder of --store."
)
@click.option("--probe", type=click.Path(path_type=Path), help="Network behind the embeddings, to ship with --ship.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the sweep with its backbones, for --ship: fills in their checksums.  [default: STORE.work]",
)
@click.option("--whole", is_flag=True, help="With --ship: leave out backbones that are still being measured.")
@click.option(
    "--portfolio", type=click.IntRange(1), metavar="N", help="With --ship: copy the backbones of the N best together."
)
@click.option("--seal", is_flag=True, help="Renew the checksums of the folders named, after their card was edited.")
@store_option
@format_option("table", "json", "csv")
def tables_command(
    names: tuple[str, ...], folder: Path | None, probe: Path | None, work: Path | None, whole: bool,
    portfolio: int | None, seal: bool, store_path: Path, file_format: str,
) -> None:  # fmt: skip
    """List table folders and check them: checksums, rows, embeddings, probe. Exit code 1 when one is damaged.

    Looks in T2S_TABLES, else in tables/ and in what was installed. Every command that reads takes the name of a table,
    or the path of a table folder, as --store.

    \b
    Examples:
      t2s-offline tables
      t2s-offline tables tables/cpu --format json
      t2s-offline tables --ship tables/mine --store rewards.duckdb --probe probe.safetensors
      t2s-offline tables --ship tables/mine --store rewards.duckdb --whole --portfolio 8
    """
    from t2s_offline.store.table_folders import find_tables, folder_of, ship
    from t2s_offline.store.table_folders import seal as renew_sums

    if folder is not None:
        if names or seal:
            raise BadInput("--ship makes one folder of --store; name no other table beside it")
        written = ship(
            RewardStore(store_path), folder, probe, work=backbones_of(store_path, work), whole=whole,
            portfolio=partial(first_of_portfolio, count=portfolio) if portfolio else None,
        )  # fmt: skip
        note(f"{folder}: " + ", ".join(f"{count} {name}" for name, count in written.items()))
        names = (str(folder),)
    elif probe is not None or work is not None or whole or portfolio:
        raise BadInput("--probe, --work, --whole and --portfolio go with --ship FOLDER")
    if seal:
        if not names:
            raise BadInput("--seal needs the folders to seal, as in: t2s-offline tables tables/mine --seal")
        for name in names:
            renew_sums(folder_of(name))
    found = find_tables(names)
    if not found:
        note(f"no table folder in {os.environ.get('T2S_TABLES', 'tables')}; make one with --ship FOLDER")
    columns = ["name", "tasks", "configurations", "seeds", "rewards", "embeddings", "megabytes", "state"]
    rows = []
    for t in found:
        size = round(t.bytes / 1e6, 1)
        rows.append([t.name, t.tasks, t.configurations, t.seeds, t.rewards, t.embeddings, size, t.problem or "whole"])
    print_rows(columns, rows, file_format, {"configurations": "configs", "embeddings": "embedded", "megabytes": "MB"})
    if any(table.problem for table in found):
        raise click.exceptions.Exit(1)


def backbones_of(store: Path, work: Path | None) -> Path | None:
    """The folder in which a sweep kept its backbones; None where there is none beside the store. BadInput when the
    folder that was named has none."""
    folder = (work or store.with_name(f"{store.name}.work")) / "backbones"
    if work is not None and not folder.is_dir():
        raise BadInput(f"--work {work} has no folder backbones; expected STORE.work of a sweep")
    return folder if folder.is_dir() else None


def first_of_portfolio(matrix: RewardMatrix, *, count: int) -> Sequence[str]:
    """The first configurations of the greedy portfolio over all tasks, of those measured on every task."""
    from t2s_offline.learners.baselines import greedy_portfolio

    if count > (measured := int(matrix.measured_C.sum())):
        raise BadInput(f"--portfolio {count}: {measured} configurations are measured on every task; choose fewer")
    order = [int(at) for at in greedy_portfolio(matrix.signal_TC) if matrix.measured_C[at]]
    return [matrix.space.configurations[at] for at in order[:count]]
