"""status: how far a sweep is."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from t2s_offline.cli.options import data_option, format_option, note, print_rows, spec_argument, store_option
from t2s_offline.cli.renderers import read_plan, renderer_options, use_tdw
from t2s_offline.space import TASK2SIM
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.run import attempts
from t2s_offline.sweep.worker import SweepContext, Unit

WATCH = 10.0  # seconds between two looks of --watch


@click.command()
@spec_argument
@store_option
@data_option
@click.option("--watch", is_flag=True, help=f"Print it again every {WATCH:.0f} s, until nothing waits or runs.")
@format_option("table", "json", "csv")
@renderer_options
def status(spec_path: Path, store_path: Path, data: Path | None, watch: bool, file_format: str, **other: Any) -> None:
    """How far a sweep is: done, running, failed, rate, time left.

    \b
    Examples:
      t2s-offline status sweeps/tiny.toml --store rewards.duckdb
      t2s-offline status sweeps/tiny.toml --store rewards.duckdb --watch
    """
    made = read_plan(spec_path, data, **use_tdw(other))
    store = RewardStore(store_path)
    context = SweepContext(store, made.spec.recipes, TASK2SIM, data=data)
    while not _show(made.units, context, file_format, clear=watch and sys.stdout.isatty()) and watch:
        time.sleep(WATCH)
    for key, (number, state, error) in sorted(attempts(store).items() if store.path.exists() else []):
        if state == "failed":
            note(f"failed: {' '.join(map(str, key))}, attempt {number}: {error}")
    note_refused(store)


def _show(units: Sequence[Unit], context: SweepContext, file_format: str, *, clear: bool) -> bool:
    """Print how far the sweep is; returns whether nothing of it waits or runs."""
    from t2s_offline.sweep.status import progress_of

    rows = progress_of(units, context)
    titles = {"configurations": "all", "per_hour": "an hour", "hours_left": "hours left"}
    if clear:
        click.clear()
    print_rows(list(rows[0]), [list(row.values()) for row in rows], file_format, titles)
    sys.stdout.flush()
    return not any(row["running"] + row["waiting"] for row in rows)


def note_refused(store: RewardStore) -> int:
    """Name the shards that were set aside, and why, on stderr; returns how many there are."""
    from t2s_offline.store.spool import REFUSED, refused, spool_folder

    found = refused(store)
    for name, reason in found.items():
        note(f"refused: shard {name}: {reason}")
    if found:
        note(f"{len(found)} refused shard(s) lie in {spool_folder(store) / REFUSED}")
    return len(found)
