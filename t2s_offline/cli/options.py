"""Options that several commands share, and printing."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from t2s_offline import shipped, text_tables
from t2s_offline.device import device_number
from t2s_offline.errors import T2SError
from t2s_offline.recipe import METRICS
from t2s_offline.tasks import ANY_VERSION_VARIABLE

BAR, NARROWEST_BAR = 11, 3  # characters
MOST_ROWS, MOST_BYTES = 1_000_000, 256 << 20  # of JSON and CSV that `query` prints
TABLE_ROWS, TABLE_BYTES, LONGEST = 10_000, 16 << 20, 400  # of a table for people

Command = TypeVar("Command", bound=Callable[..., Any])


def stored(sql: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Completion by what the store of the command line holds; `sql` gives one column of names."""

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        from t2s_offline.store.reward_store import RewardStore

        path = context.params.get("store_path") or os.environ.get("T2S_STORE", "rewards.duckdb")
        with suppress(T2SError), RewardStore(Path(path), lock_wait=0).reader() as con:
            return [name for (name,) in con.sql(sql).fetchall() if name.startswith(incomplete)]
        return []

    return complete


recipes_stored = stored("SELECT recipe FROM recipes ORDER BY 1")
tasks_stored = stored("SELECT task FROM tasks ORDER BY 1")


def metrics_known(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completion of --metric."""
    return [name for name in METRICS if name.startswith(incomplete)]


def _by_name(_context: click.Context, _parameter: click.Parameter, given: Path) -> Path:
    """A table that ships may be given by its name."""
    return shipped.named(given, shipped.tables())


store_option = click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path),
    envvar="T2S_STORE",
    default="rewards.duckdb",
    show_default="T2S_STORE, else rewards.duckdb",
    callback=_by_name,
    help="Reward store: a DuckDB file, or a table folder (read-only) by path or name.",
)
recipe_option = click.option(
    "--recipe", metavar="R", shell_complete=recipes_stored, help="Recipe of the rewards.  [default: the only one]"
)
metric_option = click.option(
    "--metric",
    default="knn5",
    show_default=True,
    shell_complete=metrics_known,
    help="knn5, linear, finetune or logme.",
)
probe_option = click.option("--probe", metavar="P", help="Probe of the embeddings.  [default: the only one]")
data_option = click.option(
    "--data", type=click.Path(path_type=Path), envvar="T2S_DATA", help="Folder of tasks.  [default: T2S_DATA]"
)


def _device(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    """BadInput for a name that no device has. Whether it is there is known when it is opened."""
    if given != "auto":
        device_number(given)
    return given


device_option = click.option(
    "--device", default="auto", show_default=True, callback=_device, help="auto, cpu, cuda or cuda:0."
)
seed_option = click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Pre-training seed.")
spec_argument = click.argument("spec_path", metavar="SPEC", type=click.Path(path_type=Path))
recipe_file_option = click.option(
    "--recipe", "recipe_path", type=click.Path(path_type=Path), help="TOML file of the recipe."
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="all cores", help="Worker processes."
)


def _set_any_version(_context: click.Context, _parameter: click.Parameter, given: bool) -> None:
    """Put --any-version into the environment, where the workers of a sweep find it."""
    if given:
        os.environ[ANY_VERSION_VARIABLE] = "1"
        note("--any-version: a task of unknown counts is taken as it is; `t2s-offline tasks --check` names it")


any_version_option = click.option(
    "--any-version", is_flag=True, expose_value=False, callback=_set_any_version,
    help="Take one of the paper's tasks also when its counts are no known version's (T2S_ANY_VERSION=1).",
)  # fmt: skip


def require(package: str) -> None:
    """ModuleNotFoundError, which `main` explains, where a package is not installed. It is not imported."""
    if find_spec(package) is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)


def format_option(*names: str) -> Callable[[Command], Command]:
    """--format with these choices; the first is the default."""
    return click.option("--format", "file_format", type=click.Choice(names), default=names[0], show_default=True)


def print_rows(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    file_format: str,
    titles: Mapping[str, str] | None = None,
    *,
    bars: tuple[str, float] | None = None,
) -> None:
    """Rows to stdout; a table takes the width of the terminal, or 80 columns when there is none.

    For a table alone: `titles` are shorter names of columns; `bars` names a column that is drawn beside the others, and
    the value at which a bar is full (negative: bars of both signs).
    """
    terminal = shutil.get_terminal_size((text_tables.WIDTH, 24)).columns
    width = terminal if sys.stdout.isatty() else text_tables.WIDTH
    if file_format == "table":
        drawn = bars and [row[list(columns).index(bars[0])] for row in rows]
        columns = [(titles or {}).get(name, name) for name in columns]
        room = min(width - max(map(len, text_tables.table(columns, rows, width).split("\n"))) - 2, BAR)
        if bars and drawn and room >= NARROWEST_BAR:
            rows = [[*row, text_tables.bar(value, bars[1], room)] for row, value in zip(rows, drawn, strict=True)]
            columns = [*columns, ""]
    if file_format == "table" and coloured(sys.stdout):
        text = text_tables.render(columns, rows, file_format, width, heading=_bold, body=_tinted)
    else:
        text = text_tables.render(columns, rows, file_format, width)
    click.echo(text)


def print_chunks(columns: list[str], chunks: Iterable[list[Any]], file_format: str, limit: int | None) -> str:
    """Rows to stdout as they come, at most `limit` of them; returns what printing stopped at, empty when it did not.

    A table is printed when all rows are there, since its widths need them: of long texts only the beginning is kept.
    """
    if file_format != "table":
        write = partial(click.echo, nl=False)
        bounds = {"limit": MOST_ROWS if limit is None else limit, "size": MOST_BYTES}
        try:
            return text_tables.write_rows(columns, chunks, file_format, write, **bounds)
        except BrokenPipeError:  # the reader has seen enough, which is no error
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ""
    most = TABLE_ROWS if limit is None else min(limit, MOST_ROWS)
    rows: list[list[Any]] = []
    size, stopped = 0, ""
    for row in chain.from_iterable(chunks):
        kept = [value[:LONGEST] if isinstance(value, str) else value for value in row]
        kept = [text_tables.cell(value) if isinstance(value, list | dict | bytes) else value for value in kept]
        size += sum(len(value) if isinstance(value, str) else 8 for value in kept)
        if len(rows) == most or size > TABLE_BYTES:
            stopped = f"{most:,} rows" if len(rows) == most else f"{TABLE_BYTES >> 20} MB"
            break
        rows.append(kept)
    print_rows(columns, rows, file_format)
    return stopped


def coloured(stream: TextIO) -> bool:
    """Whether colours are welcome: on a terminal that knows them, unless NO_COLOR is set (see no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _bold(line: str) -> str:
    return click.style(line, bold=True)


def _tinted(line: str) -> str:
    return re.sub("[█▏▎▍▌▋▊▉]+", lambda found: click.style(found[0], fg="cyan"), line)


def note(text: str) -> None:
    """A line to stderr; a warning in yellow on a terminal. Control characters in it are shown, not sent."""
    text = text_tables.one_line(text)
    click.echo(
        click.style(text, fg="yellow") if text.startswith("warning") and coloured(sys.stderr) else text, err=True
    )


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
        if done >= total:  # what is told next begins a line of its own
            self.close()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None  # a further call begins another bar
