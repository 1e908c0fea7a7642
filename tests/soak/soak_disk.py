"""A disk that is full at any write: a clear error, the store intact, and the sweep goes on once there is room.

`make soak` runs this. The disk is a tmpfs of 24 MB, filled but for some kilobytes, more of them every time, so that
another write fails first. Where nothing may be mounted, files may not grow beyond some kilobytes (RLIMIT_FSIZE).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from t2s_offline.store.reward_store import RewardStore
from tests.sweep.faults import ROOT, check
from tests.sweep.standin import SPEC

FREE = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048]  # KiB
LIMIT = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); n = {limit}; "
LIMIT += "resource.setrlimit(resource.RLIMIT_FSIZE, (n, resource.RLIM_INFINITY)) if n else None; "


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("nothing may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def swept(folder: Path, units: int, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """The sweep of so many units, in a process whose files may not grow beyond `limit` bytes."""
    code = LIMIT.format(limit=limit) + "import runpy; runpy.run_module('tests.sweep.standin', run_name='__main__')"
    command = [sys.executable, "-c", code, str(folder / "spec.toml"), str(folder / "rewards.duckdb"), "1", str(units)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def intact(folder: Path, done: subprocess.CompletedProcess[str]) -> bool:
    """Whether the sweep failed; then by one clear line, and the store opens with whole rows."""
    if done.returncode:
        (line,) = [line for line in done.stderr.splitlines() if line.strip()]
        assert "Traceback" not in line
        assert any(word in line for word in ("No space", "not enough", "space", "File too large", "write")), line
    if (folder / "rewards.duckdb").exists():
        rewards = RewardStore(folder / "rewards.duckdb").frame("rewards")
        assert len(rewards) % 2 == 0, "a unit's two rows come together"
    return done.returncode != 0


def test_a_full_disk_at_any_write(disk: Path) -> None:
    (disk / "spec.toml").write_text(SPEC.format(seeds=1))
    assert swept(disk, 2).returncode == 0
    failed, units = [], 2
    for free in FREE:
        units += 6
        ballast = disk / "ballast"
        room = os.statvfs(disk)
        ballast.write_bytes(bytes(max(room.f_bavail * room.f_frsize - 1024 * free, 0)))
        if intact(disk, swept(disk, units)):
            failed.append(free)
        ballast.unlink()
        assert intact(disk, swept(disk, units)) is False, "there is room again"
    print(f"failed with {failed} KiB free of {FREE}, went on every time")
    assert failed[0] == 0
    assert failed != FREE
    check(disk, units)


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC.format(seeds=1))
    assert swept(tmp_path, 2).returncode == 0
    failed, units = [], 2
    for limit in (1, 100, 500, 2000, 8000, 100_000, 600_000, 4_000_000, 64_000_000):
        units += 6
        if intact(tmp_path, swept(tmp_path, units, limit)):
            failed.append(limit)
        assert intact(tmp_path, swept(tmp_path, units)) is False
    print(f"failed with files of at most {failed} bytes, went on every time")
    assert 1 in failed
    check(tmp_path, units)
