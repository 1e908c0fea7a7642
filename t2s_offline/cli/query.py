"""fetch, import, export, query: what goes into a store and comes out of it."""

from __future__ import annotations

from pathlib import Path

import click

from t2s_offline.cli.options import Bar, format_option, note, print_chunks, store_option
from t2s_offline.errors import QueryError
from t2s_offline.store.reward_store import RewardStore


def _say_added(new: dict[str, int], store_path: Path) -> None:
    added = {name: count for name, count in new.items() if count and name != "parameters"}
    what = ", ".join(f"{count} {name}" for name, count in added.items())
    click.echo(f"{store_path}: {what} added" if added else f"{store_path}: nothing new")


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
    bar = Bar("fetch", "B")
    try:
        new = fetch_task2sim(RewardStore(store_path), folder, lambda _name, done, total: bar(done, total))
    finally:
        bar.close()
    _say_added(new, store_path)


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
    _say_added(import_path(RewardStore(store_path), path, recipe=recipe, space=given, replace=replace), store_path)


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
            cells               rewards, mean over seeds
    \b
    Example:
      t2s-offline query "SELECT task, configuration, accuracy FROM best_configuration"
    """
    from t2s_offline.store.query import asked

    with asked(RewardStore(store_path), sql, timeout=timeout) as answer:
        stopped = print_chunks(answer.columns, answer.chunks, file_format, limit)
    if limit is not None and stopped == f"{limit:,} rows":
        note(f"stopped at --limit {limit}; there are more rows")
    elif stopped:
        raise QueryError(f"stopped after {stopped}; there is more: narrow the query or use --limit, or export DIR")
