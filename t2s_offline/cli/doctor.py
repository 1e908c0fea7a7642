"""doctor: what is missing on this machine, and what to do; with --benchmark what it does in a second."""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.options import data_option, device_option, format_option, note, print_rows, store_option
from t2s_offline.cli.renderers import changed, renderer_options, use_tdw

if TYPE_CHECKING:
    from t2s_offline.doctor.benchmark import Figure

#: Specifications whose hours are estimated where this clone has them.
SWEEPS = Path(__file__).parents[2] / "sweeps"
SPECS = ("tiny", "cpu", "gpu", "paper")


@click.command("doctor")
@click.argument("spec_path", metavar="[SPEC.toml]", required=False, type=click.Path(path_type=Path))
@store_option
@data_option
@click.option("--benchmark", is_flag=True, help="Instead: measure this machine, and compare a GPU with the CPU.")
@device_option
@click.option("--seconds", type=click.FloatRange(1, 3600), default=60, show_default=True, help="Of --benchmark, about.")
@format_option("table", "json", "csv")
@renderer_options
def doctor(
    spec_path: Path | None, store_path: Path, data: Path | None, benchmark: bool, device: str, seconds: float,
    file_format: str, **other: Any,
) -> int:  # fmt: skip
    """Say what is here, what is missing, and what to do about it.

    Exit code 1 when something that the specification's sweep needs is missing. A TDW build is started, or waited for,
    where the specification uses TDW. --benchmark renders, trains and embeds on a GPU and on the CPU and says how far
    the results are apart, measures how fast this machine is, and says how long sweeps would take here: of the
    specification, or of four that come with this package.

    \b
    Examples:
      t2s-offline doctor
      t2s-offline doctor sweeps/cpu.toml --data tasks
      t2s-offline doctor --benchmark --device cuda
      t2s-offline doctor sweeps/paper.toml --renderer tdw --tdw-build TDW/TDW.x86_64
    """
    from t2s_offline.api.sweep import design_of
    from t2s_offline.doctor.checks import examine, unfit
    from t2s_offline.errors import BadInput
    from t2s_offline.recipe import read_spec
    from t2s_offline.sweep.worker import pin
    from t2s_offline.text_tables import one_line

    if benchmark:
        specs = [spec_path] if spec_path else [SWEEPS / f"{name}.toml" for name in SPECS]
        show_benchmark(device, seconds, [path for path in specs if spec_path or path.is_file()], data, file_format)
        return 0
    spec, backbones, other = None, 0, use_tdw(other)
    if spec_path is not None:
        spec = pin(changed(read_spec(spec_path), **other))
        backbones = len(spec.recipes) * len(spec.seeds) * len(design_of(spec).configurations)
    elif any(other.values()):
        raise BadInput("--renderer and the files for it change a specification; expected SPEC.toml with them")
    checks = examine(spec, data=data, store=store_path, backbones=backbones)
    if file_format == "table":
        for check in checks:
            click.echo(one_line(f"{check.state:7}  {check.name:12} {check.found}"))
            if check.advice:
                click.echo(one_line(f"{'':9}{'':12} -> {check.advice}"))
    else:
        rows = [[check.name, check.state, check.found, check.advice] for check in checks]
        print_rows(["check", "state", "found", "advice"], rows, file_format)
    return int(unfit(checks))


def show_benchmark(device: str, seconds: float, specs: list[Path], data: Path | None, file_format: str) -> None:
    """Every figure as it comes for people, all at the end for programs."""
    import torch

    from t2s_offline.device import open_device
    from t2s_offline.doctor import benchmark
    from t2s_offline.text_tables import WIDTH

    place = open_device(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = []
    try:
        for figure in figures(benchmark, place, seconds, specs, data):
            rows.append([figure.name, figure.value, figure.unit, figure.note])
            if file_format == "table":
                shown = "" if figure.value is None else f"{figure.value:10.4g} {figure.unit}"
                click.echo(f"{figure.name:42}{shown}".rstrip())
                for line in textwrap.wrap(figure.note, WIDTH - 4):
                    click.echo(f"    {line}")
    finally:
        torch.set_num_threads(threads)
    if file_format != "table":
        print_rows(["measure", "value", "unit", "note"], rows, file_format)


def figures(benchmark: Any, device: Any, seconds: float, specs: list[Path], data: Path | None) -> Iterator[Figure]:
    """Comparisons, speeds, hours."""
    from t2s_offline.recipe import read_spec
    from t2s_offline.sweep.worker import device_name

    kind = device_name(str(device))
    if device.type == "cpu":
        text = f"{kind}; the device is the CPU: nothing to compare it with; seconds are CPU seconds of one thread"
        yield benchmark.Figure("device", None, "", text)
    else:
        yield benchmark.Figure("device", None, "", kind)
        yield from benchmark.compared(device)
        for path in specs:
            yield from benchmark.batches(read_spec(path), device)
    yield from benchmark.speeds(device, 0.4 * seconds)
    for path in specs:
        yield hours(benchmark, path, str(device), 0.25 * seconds / len(specs), data)


def hours(benchmark: Any, path: Path, device: str, seconds: float, data: Path | None) -> Figure:
    """What the whole sweep of a specification would take here, from nothing."""
    from t2s_offline.api.sweep import plan
    from t2s_offline.errors import T2SError, brief
    from t2s_offline.recipe import read_spec
    from t2s_offline.space import TASK2SIM
    from t2s_offline.store.reward_store import RewardStore
    from t2s_offline.sweep.estimate import estimate
    from t2s_offline.sweep.node import default_workers
    from t2s_offline.sweep.worker import SweepContext

    name = f"sweep {path.name}"
    try:
        made = plan(read_spec(path), data)
        workers = default_workers(device)
        with tempfile.TemporaryDirectory() as empty:
            store = RewardStore(Path(empty) / "none.duckdb")
            shop = SweepContext(store, made.spec.recipes, TASK2SIM, device, workers, data)
            found = estimate(made.units, shop, trial=seconds)
    except T2SError as error:
        note(f"{name}: {brief(error)}")
        return benchmark.Figure(name, None, "", brief(error))
    text = f"{len(made.units)} backbones, {len(made.tasks)} tasks; measuring is {found.measuring / 3600:.3g} h of "
    text += f"{found.seconds / 3600:.3g} h of work; {workers} worker(s); {found.memory / 1e9:.1f} GB of pictures each"
    return benchmark.Figure(name, found.seconds / 3600 / workers, "h", text)
