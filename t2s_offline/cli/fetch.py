"""fetch: the authors' published reward table."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from t2s_offline.cli.import_files import say_added
from t2s_offline.cli.options import Bar, note, store_option
from t2s_offline.store.reward_store import RewardStore


@click.command()
@click.argument("what", type=click.Choice(["task2sim"]))
@store_option
@click.option(
    "--from", "folder", type=click.Path(path_type=Path), help="Folder with the files, instead of the network."
)
def fetch(what: str, store_path: Path, folder: Path | None) -> None:
    """Fetch the authors' published reward table: 20 tasks x 256 configurations.

    The files come from their public repository at a fixed commit; sha256 is always checked.

    \b
    Examples:
      t2s-offline fetch task2sim --store rewards.duckdb
      t2s-offline fetch task2sim --from ~/task2sim
    """
    from t2s_offline.store.fetch_published import fetch_task2sim
    from t2s_offline.store.published import SOURCE

    note(f"reading {folder or SOURCE}")
    with closing(Bar("fetch", "B")) as bar:
        new = fetch_task2sim(RewardStore(store_path), folder, lambda _name, done, total: bar(done, total))
    say_added(new, store_path)
