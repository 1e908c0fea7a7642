"""Claims: one process has a unit, one takes an expired claim; clocks of nodes and kills at any point do not matter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from t2s_offline.errors import StoreError
from t2s_offline.sweep import lease as module
from t2s_offline.sweep.lease import BEAT, LEASE, claim, claimed, is_held


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "claims" / "unit"


def of_another_machine(folder: Path, number: int = 1, age: float = 0.0) -> Path:
    """A claim whose owner cannot be asked whether it lives."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / str(number)
    path.write_text(json.dumps({"host": "elsewhere", "machine": "another", "process": 1, "began": "1"}))
    if age:
        then = path.stat().st_mtime - age
        os.utime(path, (then, then))
    return path


def test_one_has_it_and_lets_it_go(folder: Path) -> None:
    first = claim(folder)
    assert first is not None
    assert (first.number, is_held(folder), claim(folder)) == (1, True, None)
    first.release()
    assert not is_held(folder)
    second = claim(folder)
    assert second is not None
    assert second.number == 2
    assert sorted(os.listdir(folder)) == ["2"], "what is passed is removed"
    second.release()


def test_a_claim_of_another_machine_holds_until_it_expires(folder: Path) -> None:
    of_another_machine(folder, age=LEASE - 20)
    assert claim(folder) is None
    of_another_machine(folder, age=LEASE + 20)
    assert not is_held(folder)
    stolen = claim(folder)
    assert stolen is not None
    assert stolen.number == 2
    stolen.release()


@pytest.mark.parametrize("skew", [-60.0, 60.0])
def test_a_clock_that_is_a_minute_off_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, skew: float
) -> None:
    """The file system's time is asked, never this machine's."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + skew)
    for age, held in ((LEASE - 20, True), (LEASE + 20, False)):
        of_another_machine(folder, age=age)
        assert is_held(folder) is held


def test_a_beat_keeps_it(folder: Path) -> None:
    lease = claim(folder)
    assert lease is not None
    then = lease.path.stat().st_mtime - LEASE - 20
    os.utime(lease.path, (then, then))
    assert not is_held(folder)
    lease.beat()
    assert is_held(folder)
    lease.release()
    assert not is_held(folder)
    assert BEAT * 4 < LEASE, "some beats may be missed"


def test_of_many_that_find_it_expired_one_takes_it(folder: Path) -> None:
    for round_number in range(20):
        of_another_machine(folder, 10 * round_number + 1, age=LEASE + 1)
        gate = threading.Barrier(8)

        def race(gate: threading.Barrier = gate) -> object:
            gate.wait()
            return claim(folder)

        with ThreadPoolExecutor(8) as pool:
            won = [lease for lease in pool.map(lambda _: race(), range(8)) if lease]
        assert len(won) == 1
        won[0].release()  # type: ignore[attr-defined]


def test_who_looked_long_ago_takes_nothing(folder: Path) -> None:
    """A process that was stopped between its look and its claim: others have passed the number and removed it."""
    of_another_machine(folder, 7, age=0)
    assert module._take(folder, 3) is None
    assert sorted(os.listdir(folder)) == ["7"]


HOLD = """
import sys, time
from pathlib import Path
from t2s_offline.sweep.lease import claim
print(claim(Path(sys.argv[1])) is not None, flush=True)
time.sleep(60)
"""


def test_the_claim_of_a_process_that_was_killed_here_is_free_at_once(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "True"
        assert claim(folder) is None
        child.send_signal(signal.SIGSTOP)
        assert claim(folder) is None, "stopped is not dead"
        child.kill()
        deadline = time.monotonic() + 20
        while is_held(folder) and time.monotonic() < deadline:  # until the system has ended it, reaped or not
            time.sleep(0.02)
        lease = claim(folder)
        assert lease is not None
        lease.release()
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"machine": 1}', b"\xff\xfe"])
def test_an_owner_that_was_killed_while_it_wrote_expires(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    path = folder / "1"
    path.write_bytes(content)
    assert is_held(folder)
    os.utime(path, (1.0, 1.0))
    with claimed(folder) as mine:
        assert mine
        with claimed(folder) as again:
            assert not again
    assert not is_held(folder)


def test_what_others_left_in_the_folder_is_no_claim(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ".now-1234").touch()
    (folder / ".nfs0001").touch()
    assert not is_held(folder)
    with claimed(folder) as mine:
        assert mine


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write .*file/unit"):
        claim(tmp_path / "file" / "unit")
