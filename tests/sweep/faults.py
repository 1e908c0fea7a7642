"""Sweeps with the stand-in in processes of their own, a killer, and what must be true when they have ended."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.spool import refused, shards
from tests.sweep.standin import SECONDS, SPEC, accuracy, context_of

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """A sweep, started again whenever it was killed."""

    command: list[str]
    folder: Path
    environment: dict[str, str]
    starts: int = 0
    child: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.starts += 1
        with (self.folder / "log").open("a") as log:
            self.child = subprocess.Popen(
                self.command, stdout=log, stderr=log, text=True, cwd=ROOT, env=self.environment
            )

    def processes(self) -> list[int]:
        """This sweep's process and its workers, without multiprocessing's own helpers."""
        return [self.child.pid, *children(self.child.pid)] if self.child.poll() is None else []


def children(process: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == process and fields[0] not in "ZX" and b"spawn_main" in command:
            found.append(int(path.parent.name))
    return found


def started(folder: Path, *, sweeps: int, workers: int, units: int, unit_seconds: float) -> list[Running]:
    """Sweeps of the same units into one store."""
    (folder / "spec.toml").write_text(SPEC.format(seeds=1 + units // 257))
    store = str(folder / "rewards.duckdb")
    command = [sys.executable, "-m", "tests.sweep.standin", str(folder / "spec.toml"), store, str(workers), str(units)]
    environment = {**os.environ, SECONDS: str(unit_seconds), "PYTHONPATH": str(ROOT)}
    return [Running(command, folder, environment) for _ in range(sweeps)]


def disturb(sweeps: list[Running], *, seconds: float, every: float, seed: int = 7) -> int:
    """SIGKILL a random process of the sweeps every so many seconds; returns how many. A sweep that was killed is
    started again."""
    chance, killed, end = random.Random(seed), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(every)
        processes = [(sweep, process) for sweep in sweeps for process in sweep.processes()]
        if not processes:
            break
        _, process = chance.choice(processes)
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed += 1
        for sweep in sweeps:
            if process == sweep.child.pid:
                sweep.child.wait()
                sweep.start()
    return killed


def let_end(sweeps: list[Running], folder: Path, units: int) -> None:
    """Let the sweeps end, starting again what failed; then every cell must be there once, and as it was measured."""
    for sweep in sweeps:
        while sweep.child.wait(timeout=300) != 0:
            assert sweep.starts < 100, (folder / "log").read_text()[-2000:]
            sweep.start()
    check(folder, units)


def check(folder: Path, units: int) -> None:
    store = RewardStore(folder / "rewards.duckdb")
    wanted, _ = context_of(folder / "spec.toml", store.path)
    rows = store.frame("rewards").select("configuration", "seed", "metric", "accuracy").rows()
    expected = {
        (unit.configuration, unit.seed, metric): accuracy(unit, metric)
        for unit in wanted[:units]
        for _, metric in unit.cells
    }
    assert {row[:3]: row[3] for row in rows} == expected, "all cells, as they were measured"
    assert len(rows) == len(expected), "none double"
    assert shards(store) == []
    assert refused(store) == {}
    acknowledged = Counter((folder / "acknowledged").read_text().splitlines())
    names = {f"{configuration} {seed}" for configuration, seed, _ in expected}
    assert set(acknowledged) <= names, "every acknowledged reward is kept"
    assert max(acknowledged.values()) == 1, "no unit was paid for twice"
    assert len(acknowledged) >= len(names) - 30, "killed between the shard and its line, a few at most"
