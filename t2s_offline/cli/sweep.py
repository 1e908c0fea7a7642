"""sweep: fill a store by rendering, pre-training and measuring."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import click

from t2s_offline.api.sweep import missing, share_ports
from t2s_offline.cli.options import (
    any_version_option,
    data_option,
    device_option,
    format_option,
    note,
    print_rows,
    require,
    spec_argument,
    store_option,
)
from t2s_offline.cli.renderers import name_left_out, read_plan, renderer_options, use_tdw
from t2s_offline.cli.status import note_refused
from t2s_offline.cli.sweep_log import opened_log
from t2s_offline.errors import BadInput
from t2s_offline.files import is_plain
from t2s_offline.space import TASK2SIM
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep import leave
from t2s_offline.sweep.backends import Backend
from t2s_offline.sweep.design import Design
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.node import default_workers
from t2s_offline.sweep.pictures import REAL_VARIABLE
from t2s_offline.sweep.run import run
from t2s_offline.sweep.units import sharded
from t2s_offline.sweep.worker import SweepContext, Unit


@click.command()
@spec_argument
@store_option
@data_option
@any_version_option
@click.option("--dry-run", is_flag=True, help="Print what would be done, its time and disk; do nothing.")
@device_option
@click.option("--workers", type=click.IntRange(1), help="Processes.  [default: one a GPU, or one a core]")
@click.option("--retries", type=click.IntRange(0), default=1, show_default=True, help="Tries after a failure.")
@click.option("--keep-going", is_flag=True, help="Go on with the others after a failure.")
@click.option("--shard", metavar="I/N", help="Do part I of N and leave the rows in the spool; see merge.")
@click.option("--jobs-of", type=float, metavar="MINUTES", help="Print how many jobs so long it makes.")
@click.option("--cluster", metavar="ADDRESS", help="Do it on a Dask cluster: its scheduler's address, or local.")
@click.option("--spool", metavar="URL", help="With --cluster: where workers leave rows and backbones; a folder or URL.")
@click.option("--no-backbones", is_flag=True, help="Do not keep backbones; a task added later then trains again.")
@click.option("--real", multiple=True, metavar="NAME=FOLDER", help="Pictures of a reference real:NAME; repeatable.")
@click.option("--log-json", is_flag=True, help="Progress on stderr as one JSON object an event.")
@format_option("table", "json", "csv")  # of --dry-run and of the last line
@renderer_options
def sweep(
    spec_path: Path, store_path: Path, data: Path | None, dry_run: bool, device: str, workers: int | None, retries: int,
    keep_going: bool, shard: str | None, jobs_of: float | None, cluster: str | None, spool: str | None,
    no_backbones: bool, real: tuple[str, ...], log_json: bool, file_format: str, **other: Any,
) -> int:  # fmt: skip
    """Render, pre-train and measure every configuration of a specification.

    Cells that the store has are not done again: run the same command after an interruption, or with more tasks.
    Ctrl-C stops at once. SIGTERM and SIGUSR1 end the epoch first, and the exit code is then 75.

    \b
    Examples:
      t2s-offline sweep sweeps/tiny.toml --store rewards.duckdb --dry-run
      t2s-offline sweep sweeps/tiny.toml --store rewards.duckdb
      t2s-offline sweep sweeps/gpu.toml --store rewards.duckdb --cluster tcp://node:8786
      t2s-offline sweep sweeps/paper.toml --renderer tdw --tdw-build TDW/TDW.x86_64
    """
    made = read_plan(spec_path, data, **use_tdw(other))
    name_left_out(made.spec)
    use_real(real)
    store = RewardStore(store_path)
    count = workers or default_workers(device)
    share_ports(count)
    shop = SweepContext(store, made.spec.recipes, TASK2SIM, device, count, data, keep_backbones=not no_backbones)
    units = sharded(made.units, shard)
    if dry_run:
        show_plan(units, missing_units(units, store), made.design, shop, file_format)
        return 0
    if jobs_of is not None:
        click.echo(jobs(missing(made, shop, units), shop, 60 * jobs_of))
        return 0
    if cluster is None:  # said once, where every unit would
        require("torch")
    # the process that tracks what worker processes share would print warnings about it after an interruption
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    signal.signal(signal.SIGINT, _stop)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _leave)
    left = missing(made, shop, units)
    with ExitStack() as stack:
        backend = stack.enter_context(_backend(cluster, spool, shop, retries))
        log = stack.enter_context(opened_log(log_json, len(left), len(units)))
        try:
            report = run(
                units, shop, retries=retries, keep_going=keep_going, spool_only=shard is not None,
                progress=log.update, backend=backend,
            )  # fmt: skip
        finally:
            log.close()
            note_refused(store)
    if file_format != "table":
        done = {key: value for key, value in vars(report).items() if key != "failed"}
        print_rows(list(done), [list(done.values())], file_format)
        return leave.EXIT_CODE if report.left else 0
    spent = (
        f"render {report.render_seconds:.0f}, train {report.train_seconds:.0f}, measure {report.measure_seconds:.0f} s"
    )
    click.echo(f"{store_path}: {report.done} of {report.total} configurations done, {report.rows} rows added ({spent})")
    if not report.left:
        return 0
    note(f"left, as asked, with {report.left} to do; the same command goes on (exit code {leave.EXIT_CODE})")
    return leave.EXIT_CODE


def use_real(given: Sequence[str]) -> None:
    """Put --real into the environment, where the workers of a sweep find it."""
    places = []
    for text in given:
        name, _, folder = text.partition("=")
        if not is_plain(name) or not folder or not Path(folder).is_dir():
            raise BadInput(f"--real {text!r}; expected NAME=FOLDER with a folder of class folders that is there")
        places.append(f"{name}={Path(folder).resolve()}")
    if places:
        os.environ[REAL_VARIABLE] = os.pathsep.join([*places, os.environ.get(REAL_VARIABLE, "")])


def _backend(
    cluster: str | None, spool: str | None, shop: SweepContext, retries: int
) -> AbstractContextManager[Backend | None]:
    """The Dask cluster of the command line; None for processes of this machine."""
    if cluster is None:
        if spool is not None:
            raise BadInput("--spool is where the workers of a cluster leave rows; give --cluster ADDRESS with it")
        return nullcontext()
    from t2s_offline.sweep.backends.dask_cluster import dask_backend

    return dask_backend(cluster, shop, spool, retries)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Stop at once; at most the epoch in flight is lost."""
    raise KeyboardInterrupt


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Leave at the end of the epoch; at once when this was asked before."""
    if leave.asked():
        raise KeyboardInterrupt
    leave.ask()


def jobs(missing: Sequence[Unit], shop: SweepContext, seconds: float) -> int:
    """Into how many jobs of at least so many seconds each the units can be parted; 1 when they do not fill one."""
    from t2s_offline.sweep.estimate import estimate

    if not seconds > 0:
        raise BadInput(f"--jobs-of {seconds / 60:g}; expected minutes, more than 0")
    one = estimate(missing, shop).seconds / max(len(missing), 1)
    together = min(math.ceil(seconds / one), len(missing)) if one else len(missing)  # units of a job
    return max(len(missing) // max(together, 1), 1)


def show_plan(
    units: Sequence[Unit], missing: Sequence[Unit], design: Design, shop: SweepContext, file_format: str
) -> None:
    """The units to do to stdout; for people also what they will take, which goes to stderr for programs."""
    from t2s_offline.sweep.estimate import estimate

    recipes = dict.fromkeys(unit.recipe_id for unit in units)
    cells = sum(len(unit.cells) for unit in missing)
    note(f"{design}; {len(recipes)} recipe(s), {len(dict.fromkeys(u.seed for u in units))} seed(s)")
    shown = [[unit.recipe_id, unit.configuration, unit.seed, len(unit.cells)] for unit in missing]
    print_rows(["recipe", "configuration", "seed", "cells"], shown, file_format)
    found = estimate(missing, shop)
    hours = found.seconds / 3600
    say = click.echo if file_format == "table" else note
    say(f"{len(missing)} of {len(units)} configurations, {cells} cells to do")
    say(
        f"about {hours:.2f} h of work, of it {found.measuring / 3600:.2f} h of measuring; "
        f"{hours / shop.workers:.2f} h with {shop.workers} worker(s) ({found.basis}); "
        f"{found.disk / 1e6:.0f} MB of backbones, {found.memory / 1e9:.1f} GB of pictures in each worker's memory"
    )
