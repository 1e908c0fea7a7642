"""status: how far a sweep is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from t2s_offline.cli.options import data_option, format_option, note, print_rows, spec_argument, store_option
from t2s_offline.cli.renderers import read_plan, renderer_options, use_tdw
from t2s_offline.space import TASK2SIM
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.run import attempts
from t2s_offline.sweep.worker import SweepContext


@click.command()
@spec_argument
@store_option
@data_option
@format_option("table", "json", "csv")
@renderer_options
def status(spec_path: Path, store_path: Path, data: Path | None, file_format: str, **other: Any) -> None:
    """How far a sweep is: done, running, failed, rate, time left.

    \b
    Example:
      t2s-offline status sweeps/tiny.toml --store rewards.duckdb
    """
    from t2s_offline.sweep.status import progress_of

    made = read_plan(spec_path, data, **use_tdw(other))
    store = RewardStore(store_path)
    rows = progress_of(made.units, SweepContext(store, made.spec.recipes, TASK2SIM, data=data))
    columns = list(rows[0])
    titles = {"configurations": "all", "per_hour": "an hour", "hours_left": "hours left"}
    print_rows(columns, [list(row.values()) for row in rows], file_format, titles)
    for key, (number, state, error) in sorted(attempts(store).items() if store.path.exists() else []):
        if state == "failed":
            note(f"failed: {' '.join(map(str, key))}, attempt {number}: {error}")
    note_refused(store)


def note_refused(store: RewardStore) -> int:
    """Name the shards that were set aside, and why, on stderr; returns how many there are."""
    from t2s_offline.store.spool import REFUSED, refused, spool_folder

    found = refused(store)
    for name, reason in found.items():
        note(f"refused: shard {name}: {reason}")
    if found:
        note(f"{len(found)} refused shard(s) lie in {spool_folder(store) / REFUSED}")
    return len(found)
