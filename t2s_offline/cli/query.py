"""query: SQL on a store, read-only."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

import click

from t2s_offline.cli.options import format_option, note, print_chunks, store_option
from t2s_offline.errors import QueryError, UnansweredQuery
from t2s_offline.store.reward_store import RewardStore


@click.command("query")
@click.argument("sql")
@store_option
@format_option("table", "json", "csv")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True, help="Seconds."
)
@click.option("--limit", type=click.IntRange(0), help="Rows to print.  [default: 1000000; 10000 in a table]")
def query_command(sql: str, store_path: Path, file_format: str, timeout: float, limit: int | None) -> None:
    """Ask SQL of a store. Read-only; files and networks are out of reach.

    Printing stops at --limit. At a limit that was not asked for it stops with exit code 2: what is printed is whole
    (valid JSON, whole lines) but not all. No more than 256 MB are printed; export writes whole tables.

    \b
    Tables: rewards, tasks, embeddings, recipes, parameters, backbones.
    Views:  best_configuration  the best configuration of each task
            main_effects        mean accuracy by task, parameter and level
            leaderboard         every configuration over all tasks
            coverage            what is measured, by task and seed
            cross_fitted        best of each task, chosen and scored on other seeds
            cells               rewards, mean over seeds
    \b
    Example:
      t2s-offline query "SELECT task, configuration, accuracy FROM best_configuration"
    """
    from t2s_offline.store.query import asked

    try:
        with asked(RewardStore(store_path), sql, timeout=timeout) as answer:
            stopped = print_chunks(answer.columns, answer.chunks, file_format, limit)
    except UnansweredQuery:
        atexit.register(_leave)
        raise
    if limit is not None and stopped == f"{limit:,} rows":
        note(f"stopped at --limit {limit}; there are more rows")
    elif stopped:
        raise QueryError(f"stopped after {stopped}; there is more: narrow the query or use --limit, or export DIR")


def _leave() -> None:
    """End the process although DuckDB still computes in another thread."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(2)
