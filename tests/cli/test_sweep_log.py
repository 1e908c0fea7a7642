"""What a sweep tells on stderr, as lines and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from t2s_offline.cli import sweep_log
from t2s_offline.cli.status import status
from t2s_offline.cli.sweep import sweep
from t2s_offline.cli.sweep_log import JsonLog, LineLog, duration
from t2s_offline.sweep.run import run
from t2s_offline.sweep.run_unit import Outcome
from t2s_offline.sweep.worker import Unit
from tests.sweep.standin import SPEC as STANDIN
from tests.sweep.standin import context_of
from tests.sweep.test_run import SPEC

UNIT = Unit("cpu-c1585b9f", "01100100", 0, (("digits", "knn5"),))
DONE = Outcome(UNIT, "done", "", 2.0, 31.0, 1.5, 3)


def test_a_line_a_unit(capfd: pytest.CaptureFixture[str]) -> None:
    log = LineLog(3, 12)
    log.begin -= 60
    log.update(DONE, 10, 12)
    log.update(replace(DONE, status="failed", error="no space"), 10, 12)
    log.close()
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "3 of 12 configurations to do"
    assert lines[1] == "10/12 cpu-c1585b9f-01100100-0 34 s, 0 failed, 2 min left"
    assert lines[2].startswith("10/12 failed: cpu-c1585b9f-01100100-0, attempt 1: no space, 1 failed")
    assert len(lines) == 3
    assert max(map(len, lines[:2])) <= 80


def test_a_sweep_that_is_silent_says_that_it_works(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_log, "QUIET", 0.1)
    log, told = LineLog(3, 12), ""
    deadline = time.monotonic() + 20
    while "working for" not in told and time.monotonic() < deadline:
        time.sleep(0.05)
        told += capfd.readouterr().err
    log.close()
    assert "9/12 working for 0." in told


def test_json_has_the_keys_that_are_documented(capfd: pytest.CaptureFixture[str]) -> None:
    log = JsonLog(3, 12)
    log.update(DONE, 10, 12)
    log.close()
    start, unit, end = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    for event, keys in ((start, "missing, total"), (end, "done, total, failed, seconds")):
        assert ["event", "time", *keys.split(", ")] == list(event)
    assert (unit["unit"], unit["status"], unit["train_seconds"], unit["done"]) == (UNIT.name, "done", 31.0, 10)
    assert all(key in str(sweep_log.__doc__) for event in (start, unit, end) for key in event)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (34, "34 s"), (600, "10 min"), (5300, "88 min"), (9000, "2.5 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


WITHOUT_TORCH = """
import sys
from t2s_offline.cli import main
try: main()
except SystemExit as end: code = end.code
heavy = {"torch", "warp", "distributed", "dask"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else code)
"""


def test_a_plan_and_how_many_jobs_it_makes_need_no_torch(tmp_path: Path) -> None:
    """Neither to count GPUs nor for the time, where the store has the seconds of some units."""
    spec, store = tmp_path / "spec.toml", tmp_path / "a.duckdb"
    spec.write_text(STANDIN.format(seeds=1))
    units, shop = context_of(spec, store)
    run(units[:2], shop)
    with shop.store.writer() as con:
        con.execute("UPDATE backbones SET train_seconds = 60")
        con.execute("UPDATE rewards SET seconds = 0.001")  # without any, some are timed now
    told = []
    for given in (["--dry-run"], ["--jobs-of", "10"]):
        command = [sys.executable, "-c", WITHOUT_TORCH, "sweep", str(spec), "--store", str(store), *given]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    assert "254 of 256 configurations, 508 cells to do" in told[0]
    assert "about 4.23 h of work" in told[0]
    assert told[1].strip() == "25", "ten units of a minute in each, or a few more"


def test_a_sweep_in_a_log_and_its_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On no terminal each unit has its line. `scratch` is measured without a training."""
    monkeypatch.delenv("T2S_DATA", raising=False)
    spec, store = tmp_path / "spec.toml", tmp_path / "a.duckdb"
    spec.write_text(
        SPEC.replace('"00000000", "11111111", "10000010"', '"00000000"').replace("epochs = 2", "epochs = 1")
    )
    given = [str(spec), "--store", str(store)]
    monkeypatch.setattr("t2s_offline.cli.sweep.signal.signal", lambda *_: None)  # this process keeps its own
    done = CliRunner().invoke(sweep, [*given, "--device", "cpu", "--workers", "1"], catch_exceptions=False)
    assert done.exit_code == 0
    lines = [line for line in done.stderr.splitlines() if " working for " not in line]  # on a busy machine
    assert lines[0] == "2 of 2 configurations to do"
    assert [line.split()[0] for line in lines[1:]] == ["1/2", "2/2"]
    assert ", 0 failed, 0.0 s left" in lines[2]
    watched = CliRunner().invoke(status, [*given, "--watch"], catch_exceptions=False)
    assert watched.exit_code == 0
    assert watched.stdout.count("hours left") == 1, "nothing is left to wait for"
