"""doctor: what is missing on this machine, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from t2s_offline.cli.options import data_option, format_option, print_rows, store_option
from t2s_offline.cli.renderers import changed, renderer_options, use_tdw


@click.command("doctor")
@click.argument("spec_path", metavar="[SPEC.toml]", required=False, type=click.Path(path_type=Path))
@store_option
@data_option
@format_option("table", "json", "csv")
@renderer_options
def doctor(
    spec_path: Path | None, store_path: Path, data: Path | None, file_format: str, **other: Any
) -> int:  # fmt: skip
    """Say what is here, what is missing, and what to do about it.

    Exit code 1 when something that the specification's sweep needs is missing. A TDW build is started, or waited for,
    where the specification uses TDW.

    \b
    Examples:
      t2s-offline doctor
      t2s-offline doctor sweeps/cpu.toml --data tasks
      t2s-offline doctor sweeps/paper.toml --renderer tdw --tdw-build TDW/TDW.x86_64
    """
    from t2s_offline.api.sweep import design_of
    from t2s_offline.doctor.checks import examine, unfit
    from t2s_offline.errors import BadInput
    from t2s_offline.recipe import read_spec
    from t2s_offline.sweep.worker import pin
    from t2s_offline.text_tables import one_line

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
