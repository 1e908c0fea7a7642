"""export: every table of a store to a folder."""

from __future__ import annotations

from pathlib import Path

import click

from t2s_offline.cli.options import format_option, store_option
from t2s_offline.store.reward_store import RewardStore


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@store_option
@format_option("parquet", "csv")
def export_command(folder: Path, store_path: Path, file_format: str) -> None:
    """Write every table to a folder; `import` reads it back to an identical store.

    \b
    Example:
      t2s-offline export table --store rewards.duckdb
    """
    from t2s_offline.store.import_export import export_store

    written = export_store(RewardStore(store_path), folder, file_format)
    for name, count in written.items():
        click.echo(f"{folder / name}.{file_format}: {count} rows")
