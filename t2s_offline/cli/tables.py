"""tables: table folders, listed and checked, and made of a store."""

from __future__ import annotations

from pathlib import Path

import click

from t2s_offline.cli.options import format_option, note, print_rows, store_option
from t2s_offline.errors import BadInput
from t2s_offline.store.reward_store import RewardStore


@click.command("tables")
@click.argument("names", nargs=-1, metavar="[NAME|FOLDER]...")
@click.option(
    "--ship", "folder", type=click.Path(path_type=Path, file_okay=False), help="Make a table folder of --store."
)
@click.option("--probe", type=click.Path(path_type=Path), help="Network behind the embeddings, to ship with --ship.")
@click.option("--seal", is_flag=True, help="Renew the checksums of the folders named, after their card was edited.")
@store_option
@format_option("table", "json", "csv")
def tables_command(
    names: tuple[str, ...], folder: Path | None, probe: Path | None, seal: bool, store_path: Path, file_format: str
) -> None:
    """List table folders and check them: checksums, rows, embeddings, probe. Exit code 1 when one is damaged.

    Looks in T2S_TABLES, else in tables/. A table folder can be given as --store to every command that reads.

    \b
    Examples:
      t2s-offline tables
      t2s-offline tables tables/cpu --format json
      t2s-offline tables --ship tables/mine --store rewards.duckdb --probe probe.safetensors
    """
    from t2s_offline.store.table_folders import find_tables, folder_of, homes, ship
    from t2s_offline.store.table_folders import seal as renew_sums

    if folder is not None:
        if names or seal:
            raise BadInput("--ship makes one folder of --store; name no other table beside it")
        written = ship(RewardStore(store_path), folder, probe)
        note(f"{folder}: " + ", ".join(f"{count} {name}" for name, count in written.items()))
        names = (str(folder),)
    elif probe is not None:
        raise BadInput("--probe goes with --ship FOLDER")
    if seal:
        if not names:
            raise BadInput("--seal needs the folders to seal, as in: t2s-offline tables tables/mine --seal")
        for name in names:
            renew_sums(folder_of(name))
    found = find_tables(names)
    if not found:
        note(f"no table folder in {', '.join(map(str, homes())) or 'tables/'}; make one with --ship FOLDER")
    columns = ["name", "tasks", "configurations", "seeds", "rewards", "embeddings", "megabytes", "state"]
    rows = []
    for t in found:
        size = round(t.bytes / 1e6, 1)
        rows.append([t.name, t.tasks, t.configurations, t.seeds, t.rewards, t.embeddings, size, t.problem or "whole"])
    print_rows(columns, rows, file_format, {"configurations": "configs", "embeddings": "embedded", "megabytes": "MB"})
    if any(table.problem for table in found):
        raise click.exceptions.Exit(1)
