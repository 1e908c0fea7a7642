"""import: rewards or embeddings from Parquet or CSV."""

from __future__ import annotations

from pathlib import Path

import click

from t2s_offline.cli.options import store_option
from t2s_offline.store.reward_store import RewardStore


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@store_option
@click.option("--recipe", metavar="R", help="Recipe of rewards that have no recipe column.")
@click.option("--space", metavar="S", help="Space of a new recipe, as name:levels,...  [default: the paper's]")
@click.option("--replace", is_flag=True, help="Overwrite cells that are stored with other values.")
def import_command(path: Path, store_path: Path, recipe: str | None, space: str | None, replace: bool) -> None:
    """Add rewards or embeddings from a Parquet or CSV file, or a folder of them.

    Rewards need the columns task, configuration, accuracy (percent) and recipe; seed, metric, val_accuracy, n_eval,
    n_val, seconds, created_at, source may follow. Embeddings need task, probe, embedding (in CSV a JSON list).

    \b
    Examples:
      t2s-offline import rewards.csv --recipe mine --store rewards.duckdb
      t2s-offline import exported/ --store copy.duckdb
    """
    from t2s_offline.space import SimSpace
    from t2s_offline.store.import_export import import_path

    given = SimSpace.parse(space) if space else None
    say_added(import_path(RewardStore(store_path), path, recipe=recipe, space=given, replace=replace), store_path)


def say_added(new: dict[str, int], store_path: Path) -> None:
    """A line on stdout: how many rows came into the store, by table."""
    added = {name: count for name, count in new.items() if count and name != "parameters"}
    what = ", ".join(f"{count} {name}" for name, count in added.items())
    click.echo(f"{store_path}: {what} added" if added else f"{store_path}: nothing new")
