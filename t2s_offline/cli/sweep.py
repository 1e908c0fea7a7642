"""sweep: fill a store by rendering, pre-training and measuring."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click

from t2s_offline.api.sweep import missing, share_ports
from t2s_offline.cli.options import (
    Bar,
    any_version_option,
    data_option,
    device_option,
    format_option,
    note,
    print_rows,
    spec_argument,
    store_option,
)
from t2s_offline.cli.renderers import name_left_out, read_plan, renderer_options, use_tdw
from t2s_offline.cli.status import note_refused
from t2s_offline.errors import BadInput
from t2s_offline.files import is_plain
from t2s_offline.space import TASK2SIM
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.design import Design
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.pictures import REAL_VARIABLE
from t2s_offline.sweep.run import run, sharded
from t2s_offline.sweep.run_unit import Outcome
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
@click.option("--no-backbones", is_flag=True, help="Do not keep backbones; a task added later then trains again.")
@click.option("--real", multiple=True, metavar="NAME=FOLDER", help="Pictures of a reference real:NAME; repeatable.")
@format_option("table", "json", "csv")  # of --dry-run and of the last line
@renderer_options
def sweep(
    spec_path: Path, store_path: Path, data: Path | None, dry_run: bool, device: str, workers: int | None, retries: int,
    keep_going: bool, shard: str | None, no_backbones: bool, real: tuple[str, ...], file_format: str, **other: Any,
) -> None:  # fmt: skip
    """Render, pre-train and measure every configuration of a specification.

    Cells that the store has are not done again: run the same command after an interruption, or with more tasks.

    \b
    Examples:
      t2s-offline sweep sweeps/tiny.toml --store rewards.duckdb --dry-run
      t2s-offline sweep sweeps/tiny.toml --store rewards.duckdb
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
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    # joblib's process that tracks resources would print warnings about them after an interruption
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    bar = SweepBar(len(missing(made, shop, units)))
    try:
        report = run(
            units, shop, retries=retries, keep_going=keep_going, spool_only=shard is not None, progress=bar.update
        )
    finally:
        bar.close()
        note_refused(store)
    if file_format != "table":
        done = {key: value for key, value in vars(report).items() if key != "failed"}
        print_rows(list(done), [list(done.values())], file_format)
        return
    spent = (
        f"render {report.render_seconds:.0f}, train {report.train_seconds:.0f}, measure {report.measure_seconds:.0f} s"
    )
    click.echo(f"{store_path}: {report.done} of {report.total} configurations done, {report.rows} rows added ({spent})")


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


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Stop. Threads of joblib then fail because their pool is gone, and would print tracebacks: those are dropped."""
    threading.excepthook = lambda _: None
    raise KeyboardInterrupt


def default_workers(device: str) -> int:
    """One a GPU; on a CPU one a core, each with one thread."""
    import torch

    gpus = torch.cuda.device_count() if device in ("auto", "cuda") else 0
    if gpus or device.startswith("cuda"):
        return max(gpus, 1)
    return os.cpu_count() or 1


class SweepBar:
    """Progress of a sweep on stderr: a bar on a terminal, and a line for every failure."""

    def __init__(self, missing: int) -> None:
        self.bar, self.missing, self.seen = Bar("sweep", "configuration"), missing, 0

    def update(self, outcome: Outcome, _done: int, _total: int) -> None:
        if outcome.status == "failed":
            note(f"failed: {outcome.unit.name}, attempt {outcome.attempt}: {outcome.error}")
            return
        self.seen += 1
        self.bar(self.seen, max(self.missing, self.seen))

    def close(self) -> None:
        self.bar.close()


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
        f"about {hours:.2f} h of work, {hours / shop.workers:.2f} h with {shop.workers} worker(s) ({found.basis}); "
        f"{found.disk / 1e6:.0f} MB of backbones"
    )
