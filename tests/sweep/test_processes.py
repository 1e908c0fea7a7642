"""Worker processes of one machine: each its own GPU, killed at any moment, and two sweeps at once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from t2s_offline.errors import SweepFailed
from t2s_offline.sweep.backends.processes import Processes
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.node import VISIBLE
from t2s_offline.sweep.run import run
from t2s_offline.sweep.worker import SweepContext, Tables, Unit
from tests.sweep.faults import disturb, let_end, started
from tests.sweep.standin import SPEC, context_of, stand_in


def telling(unit: Unit, context: SweepContext) -> Iterator[Tables]:
    """The stand-in, in a process that first says what it sees, and waits until two have said so."""
    said = context.store.path.parent / "said"
    said.mkdir(exist_ok=True)
    if not (said / os.environ[VISIBLE]).exists():
        (said / os.environ[VISIBLE]).write_text(f"{os.environ['OMP_NUM_THREADS']} {'torch' in sys.modules}")
    while len(list(said.iterdir())) < 2:
        time.sleep(0.02)
    return stand_in(unit, context)


def dying(unit: Unit, context: SweepContext) -> Iterator[Tables]:
    """The stand-in, which ends its process at one unit."""
    if unit.configuration == "00000001":
        os._exit(9)
    return stand_in(unit, context)


def test_every_worker_has_its_gpu_before_torch_is_there(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC.format(seeds=1))
    units, shop = context_of(tmp_path / "spec.toml", tmp_path / "a.duckdb", 2)
    environments = [{VISIBLE: "GPU-a", "OMP_NUM_THREADS": "3"}, {VISIBLE: "GPU-b", "OMP_NUM_THREADS": "3"}]
    assert run(units[:4], replace(shop, work=telling), backend=Processes(environments)).done == 4
    told = {path.name: path.read_text() for path in (tmp_path / "said").iterdir()}
    assert told == {"GPU-a": "3 False", "GPU-b": "3 False"}


def test_a_unit_that_ends_its_worker_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC.format(seeds=1))
    units, shop = context_of(tmp_path / "spec.toml", tmp_path / "a.duckdb", 2)
    units = [unit for unit in units if unit.configuration.startswith("000000")]
    with pytest.raises(SweepFailed, match=r"-00000001-0 failed: it lost 3 workers: .*; 3 of 4 are done"):
        run(units, replace(shop, work=dying), retries=5)
    assert [unit.configuration for unit in missing_units(units, shop.store)] == ["00000001"]


def test_two_sweeps_whose_processes_are_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    sweeps = started(tmp_path, sweeps=2, workers=2, units=48, unit_seconds=0.2)
    killed = disturb(sweeps, seconds=10, every=1.0)
    assert killed >= 3
    let_end(sweeps, tmp_path, 48)
