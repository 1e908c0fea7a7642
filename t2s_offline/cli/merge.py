"""merge: the work of other nodes into one store."""

from __future__ import annotations

from pathlib import Path

import click

from t2s_offline.cli.options import store_option
from t2s_offline.cli.status import note_refused
from t2s_offline.store.reward_store import RewardStore


@click.command()
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@store_option
def merge(sources: tuple[Path, ...], store_path: Path) -> None:
    """Take waiting shards into a store, and the rows of other stores or table folders.

    \b
    Examples:
      t2s-offline merge --store rewards.duckdb
      t2s-offline merge node1.duckdb node2.duckdb --store rewards.duckdb
    """
    from t2s_offline.sweep.status import merge_stores

    new = merge_stores(RewardStore(store_path), [RewardStore(path) for path in sources])
    added = ", ".join(f"{count} {name}" for name, count in new.items() if count and name != "parameters")
    aside = sum(note_refused(RewardStore(path)) for path in (store_path, *sources))
    left_out = f"; {aside} shard(s) refused" if aside else ""
    click.echo(f"{store_path}: {added or 'nothing new'}{' added' if added else ''}{left_out}")
