"""Sweep a specification into a store: what is to be done, and doing it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from t2s_offline.errors import BadInput
from t2s_offline.recipe import SweepSpec, read_spec, spec_of
from t2s_offline.space import PROCEDURAL, SCRATCH, TASK2SIM, is_reference, real_name
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.sweep.design import Design
    from t2s_offline.sweep.run import Progress, Report
    from t2s_offline.sweep.worker import SweepContext, Unit

#: Keys of [design] that say which seeds and references are swept, not which configurations.
PLANNED = ("references", "reference_seeds", "replicates", "seeds_first")


class Plan(NamedTuple):
    """What a specification stands for on this machine: its configurations, the backbones to train with the cells to
    measure, and a row a task."""

    spec: SweepSpec
    design: Design
    units: list[Unit]
    tasks: list[dict[str, object]]


def sweep(
    spec: str | Path | Mapping[str, Any],
    store: str | Path,
    *,
    data: str | Path | None = None,
    device: str = "auto",
    workers: int = 1,
    retries: int = 1,
    keep_going: bool = False,
    keep_backbones: bool = True,
    cluster: str | None = None,
    spool: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Render, pre-train and measure every configuration of a specification; returns what was done.

    spec: a TOML file, or a dictionary of the same keys (name, tasks, metrics, seeds, together, design, recipe). store:
    the DuckDB file to fill, made when it is not there. Cells that it has are not done again. data: folder of tasks, by
    default T2S_DATA. device: auto, cpu, cuda or cuda:0. workers: processes; with more than one the program that calls
    needs its ``if __name__ == "__main__"``. retries, keep_going: how often a failure is tried again, and whether the
    others are done then; SweepFailed names it. cluster: the address of a Dask scheduler, or ``local`` for one of this
    machine; spool: where its workers leave rows and backbones, a folder or an fsspec address. progress: called with
    the outcome, units done and units in all.
    """
    from t2s_offline.sweep.run import run
    from t2s_offline.sweep.worker import SweepContext

    found = spec_of(spec) if isinstance(spec, Mapping) else read_spec(Path(spec))
    folder = None if data is None else Path(data)
    made = plan(found, folder)
    shop = SweepContext(
        RewardStore(Path(store)), made.spec.recipes, TASK2SIM, device, workers, folder, keep_backbones=keep_backbones
    )
    share_ports(workers)
    missing(made, shop, made.units)
    given: dict[str, Any] = {"retries": retries, "keep_going": keep_going, "progress": progress}
    if cluster is None:
        return run(made.units, shop, **given)
    from t2s_offline.sweep.backends.dask_cluster import dask_backend

    with dask_backend(cluster, shop, spool, retries) as backend:
        return run(made.units, shop, **given, backend=backend)


def plan(spec: SweepSpec, data: Path | None) -> Plan:
    """The plan of a specification, whose recipes get the version of the pixels that are made here.

    BadInput for references and designs that do not exist, UnknownName and BadFile for tasks without pictures.
    """
    from t2s_offline.images.task_download import origin_of
    from t2s_offline.sweep.pictures import check_real
    from t2s_offline.sweep.units import plan as units_of
    from t2s_offline.sweep.worker import pin
    from t2s_offline.tasks import data_folder, locate, present, relatives

    spec = pin(spec)
    references = [str(name) for name in spec.design.get("references", [])]
    if strange := [name for name in references if not is_reference(name)]:
        raise BadInput(
            f"reference {strange[0]!r} of {spec.name}; expected {', '.join((SCRATCH, *PROCEDURAL))} or real:NAME"
        )
    for name in filter(None, map(real_name, references)):
        check_real(name)
    design = design_of(spec)
    found = [locate(task, data) for task in spec.tasks] if spec.tasks else present(data)
    units = units_of(spec, design, [located.name for located in found], references)
    related = relatives(data_folder(data))
    tasks: list[dict[str, object]] = [
        {
            "task": located.name,
            "task_group": located.task.group if located.task else None,
            "split": located.task.split if located.task else None,
            "source": origin_of(located),
            "relatives": related.get(located.name),
        }
        for located in found
    ]
    return Plan(spec, design, units, tasks)


def share_ports(workers: int) -> None:
    """Let each worker's TDW build take a free port of so many, unless T2S_TDW_PORTS says how many."""
    os.environ["T2S_TDW_PORTS"] = os.environ.get("T2S_TDW_PORTS") or str(workers)


def design_of(spec: SweepSpec) -> Design:
    """The configurations that a specification's [design] chooses."""
    from t2s_offline.sweep.design import make_design

    return make_design({key: value for key, value in spec.design.items() if key not in PLANNED})


def missing(made: Plan, shop: SweepContext, units: Sequence[Unit]) -> list[Unit]:
    """Write what the rewards will refer to into the store, and return the units that have cells missing; BadInput when
    a task's pictures are others than the store's."""
    from t2s_offline.images.task_data import check_tasks
    from t2s_offline.sweep.missing import missing_units
    from t2s_offline.sweep.run import declare

    declare(shop.store, made.spec, TASK2SIM, made.tasks)
    left = missing_units(units, shop.store)
    check_tasks(shop.store.digests(), {task: None for unit in left for task, _ in unit.cells}, shop.data)
    return left
