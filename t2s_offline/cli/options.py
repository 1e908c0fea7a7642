"""Options that several commands share, and printing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from t2s_offline import formats

Command = TypeVar("Command", bound=Callable[..., Any])

store_option = click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path),
    envvar="T2S_STORE",
    default="rewards.duckdb",
    show_default="T2S_STORE, else rewards.duckdb",
    help="Reward store: a DuckDB file, or a table folder (read-only).",
)
recipe_option = click.option("--recipe", metavar="R", help="Recipe of the rewards.  [default: the only one]")
metric_option = click.option("--metric", default="knn5", show_default=True, help="knn5, linear, finetune or logme.")
probe_option = click.option("--probe", metavar="P", help="Probe of the embeddings.  [default: the only one]")
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores", help="Worker processes."
)


def format_option(*names: str) -> Callable[[Command], Command]:
    """--format with these choices; the first is the default."""
    return click.option("--format", "file_format", type=click.Choice(names), default=names[0], show_default=True)


def print_rows(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], file_format: str, titles: Mapping[str, str] | None = None
) -> None:
    """Rows to stdout; a table takes the width of the terminal, or 80 columns when there is none.

    `titles` are shorter names of columns for a table alone.
    """
    if file_format == "table" and titles:
        columns = [titles.get(name, name) for name in columns]
    width = shutil.get_terminal_size((formats.WIDTH, 24)).columns if sys.stdout.isatty() else formats.WIDTH
    click.echo(formats.render(columns, rows, file_format, width))


def note(text: str) -> None:
    """A line to stderr."""
    click.echo(text, err=True)


class Bar:
    """A progress bar on stderr, drawn from calls of (done, total); silent when stderr is no terminal."""

    def __init__(self, label: str, unit: str) -> None:
        self.label, self.unit = label, unit
        self.bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        from tqdm import tqdm

        if self.bar is None:
            self.bar = tqdm(total=total, desc=self.label, unit=self.unit, leave=False, disable=not sys.stderr.isatty())
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
