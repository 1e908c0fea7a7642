"""A minute of two sweeps of two workers each, of whose processes a random one is killed every second. `make soak`."""

from __future__ import annotations

from pathlib import Path

from tests.sweep.faults import disturb, let_end, started


def test_a_minute_of_kills(tmp_path: Path) -> None:
    sweeps = started(tmp_path, sweeps=2, workers=2, units=256, unit_seconds=0.3)
    killed = disturb(sweeps, seconds=60, every=1.0)
    print(f"{killed} kills, sweeps started {[sweep.starts for sweep in sweeps]} times")
    let_end(sweeps, tmp_path, 256)
