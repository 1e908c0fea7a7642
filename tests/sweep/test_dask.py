"""Sweeps on a Dask cluster whose workers do not see the store: rows and backbones travel, workers die and come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from t2s_offline.errors import BadInput, SweepFailed
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.backends import remote
from t2s_offline.sweep.backends.dask_cluster import dask_backend
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.run import run
from t2s_offline.sweep.worker import SweepContext, Tables, Unit
from tests.sweep.faults import ROOT, check
from tests.sweep.standin import SPEC, accuracy, context_of, stand_in

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask, about its own parts


@contextmanager
def scheduler() -> Iterator[str]:
    """A scheduler without workers on 127.0.0.1; gives its address."""
    options = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    with distributed.SpecCluster(scheduler={"cls": distributed.Scheduler, "options": options}) as cluster:
        yield cluster.scheduler_address


class Node:
    """A worker that stands for a node: an address of its own and a scratch folder of its own."""

    def __init__(self, address: str, host: str, folder: Path, **environment: str) -> None:
        self.command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--host", host, "--name", host]
        self.command += ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder / host)]
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self.start()

    def start(self) -> None:
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.child = subprocess.Popen(self.command, env=self.environment, cwd=ROOT, **quiet)

    def end(self) -> None:
        self.child.kill()
        self.child.wait()


@contextmanager
def nodes(address: str, folder: Path, count: int = 2, **environment: str) -> Iterator[list[Node]]:
    found = [Node(address, f"127.0.0.{2 + at}", folder, **environment) for at in range(count)]
    try:
        yield found
    finally:
        for node in found:
            node.end()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.format(seeds=1))
    return path


def dying(unit: Unit, context: SweepContext) -> Iterator[Tables]:
    if unit.configuration == "00000001":
        os._exit(9)
    return stand_in(unit, context)


def some(units: list[Unit]) -> list[Unit]:
    return [unit for unit in units if unit.configuration.startswith("000000")]


def test_rows_and_backbones_travel_and_a_unit_that_kills_its_workers_is_named(tmp_path: Path, spec: Path) -> None:
    units, shop = context_of(spec, tmp_path / "a.duckdb", 2)
    shop = replace(shop, work=dying)
    with (
        dask_backend("local", shop) as backend,
        pytest.raises(
            SweepFailed, match=r"-00000001-0 failed: it lost 3 workers: the last was tcp://127.0.0.1.*3 of 4"
        ),
    ):
        run(some(units), shop, backend=backend)
    (left,) = missing_units(some(units), shop.store)
    assert left.configuration == "00000001"
    rows = shop.store.frame("rewards").select("configuration", "metric", "accuracy").rows()
    done = {unit.configuration: unit for unit in some(units)}
    assert all(accuracy(done[configuration], metric) == value for configuration, metric, value in rows)
    for name, size in shop.store.frame("backbones").select("configuration", "bytes").iter_rows():
        assert shop.backbone(done[name]).stat().st_size == size


def test_two_nodes_one_killed_and_brought_back_one_cut_off(tmp_path: Path, spec: Path) -> None:
    units, shop = context_of(spec, tmp_path / "rewards.duckdb")
    shop = replace(shop, work=stand_in)
    (tmp_path / "acknowledged").touch()

    def told(outcome: object, done: int, total: int) -> None:
        with (tmp_path / "acknowledged").open("a") as file:
            unit = outcome.unit  # type: ignore[attr-defined]
            file.write(f"{unit.configuration} {unit.seed}\n")

    with scheduler() as address, nodes(address, tmp_path, STANDIN_SECONDS="0.3") as (first, second):

        def disturb() -> None:
            while len((tmp_path / "acknowledged").read_text().splitlines()) < 3:
                time.sleep(0.05)
            first.end()
            second.child.send_signal(signal.SIGSTOP)
            time.sleep(2)
            first.start()
            time.sleep(8)
            second.child.send_signal(signal.SIGCONT)

        disturber = threading.Thread(target=disturb)
        disturber.start()
        with dask_backend(address, shop) as backend:
            report = run(units[:60], shop, backend=backend, progress=told)
        disturber.join()
    assert report.done == 60
    check(tmp_path, 60)
    scratch = {path.parent.parent.name for path in tmp_path.glob("127.0.0.*/*/t2s-offline-*")}
    assert scratch == {"127.0.0.2", "127.0.0.3"}, "both nodes worked, each in its own folder"


def test_a_spool_keeps_backbones_and_brings_rows(tmp_path: Path, spec: Path) -> None:
    units, shop = context_of(spec, tmp_path / "a.duckdb")
    unit, other = units[0], units[1]
    shop, spool = replace(shop, work=stand_in), f"file://{tmp_path}/spool"
    order = remote.ordered(other, shop, spool)
    before = remote.do_order(order, None, tmp_path / "scratch", "w")
    assert (before.outcome.status, before.shards, before.backbone, len(before.sent)) == ("done", {}, None, 2)
    half = tmp_path / "spool" / "incoming" / f"{unit.name}-half"
    half.mkdir()
    (half / "rewards.parquet").write_bytes(b"the worker was killed before all was there")
    assert remote.collect(spool, shop) == 2, "of a sweep that was killed before it took them"
    assert run([other], shop).rows == 0
    assert (tmp_path / "spool" / "backbones" / f"{other.name}.safetensors").exists()
    assert not shop.backbone(other).exists()
    order = remote.ordered(unit, shop, spool)
    outcome = remote.receive(remote.do_order(order, None, tmp_path / "scratch", "w"), order, shop)
    assert (outcome.status, outcome.rows) == ("done", 2)
    assert run([unit], shop).rows == 0
    # another task: the backbone comes from there, nothing is trained
    more = replace(unit, cells=(("digits", "logme"),))
    order = remote.ordered(more, shop, spool)
    remote.receive(remote.do_order(order, None, tmp_path / "elsewhere", "w"), order, shop)
    run([more], shop)
    assert len(shop.store.frame("backbones").filter(configuration=unit.configuration)) == 1


def test_a_worker_of_another_version_says_so(tmp_path: Path, spec: Path) -> None:
    units, shop = context_of(spec, tmp_path / "a.duckdb")
    order = remote.ordered(units[0], shop, None)
    assert list(order.versions) == ["t2s-offline", "pixels of builtin"]
    for name in order.versions:
        other = replace(order, versions={**order.versions, name: "0.0"})
        outcome = remote.do_order(other, None, tmp_path / "scratch", "tcp://node7:40001").outcome
        assert outcome.hopeless
        assert f"worker tcp://node7:40001 has version '{order.versions[name]}' of {name}" in outcome.error
    assert not (tmp_path / "scratch").exists()


def test_a_scheduler_that_is_not_there(tmp_path: Path, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("t2s_offline.sweep.backends.dask_cluster.JOIN", 1)
    _, shop = context_of(spec, tmp_path / "a.duckdb")
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(BadInput, match="no Dask scheduler"), dask_backend(address, shop):
            pass


@pytest.mark.parametrize(("name", "tables"), [("../x", {}), (".x", {}), ("refused", {}), ("x", {"../y": b""})])
def test_names_that_a_worker_may_not_send(tmp_path: Path, name: str, tables: dict[str, bytes]) -> None:
    from t2s_offline.store.spool import write_received

    with pytest.raises(BadInput, match="a worker sent the shard"):
        write_received(RewardStore(tmp_path / "a.duckdb"), name, tables)
    assert list(tmp_path.iterdir()) == []
