"""The README's blocks "On a cluster": the first runs, and gives the rows of one process to the last digit."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from t2s_offline.store.reward_store import RewardStore
from tests.sweep.test_run import COLUMNS

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text("utf-8").partition("\n## On a cluster\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
CLI = "from t2s_offline.cli import main; main()"


def shrunk() -> str:
    """tiny.toml with a few pictures, four configurations and one task."""
    text = (ROOT / "sweeps" / "tiny.toml").read_text("utf-8")
    changes = {"runs": "4", "classes": "2", "objects": "3", "images": "8", "size": "16", "epochs": "2", "batch": "4"}
    for key, value in {**changes, "eval_pictures": "100", "seeds": "1", "tasks": '["digits"]'}.items():
        text, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert count == 1, key
    text = text.replace('kind = "fractional"\nruns = 4', 'kind = "list"\nconfigurations = ["01100100", "11111111"]')
    assert "configurations" in text
    return text


def test_the_local_block_gives_the_rows_of_one_process(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "tiny.toml").write_text(shrunk())
    (line,) = BLOCKS[0].splitlines()
    words = shlex.split(line)
    assert words[0] == "t2s-offline"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "T2S_DATA": ""}
    alone = ["sweep", "sweeps/tiny.toml", "--store", "one.duckdb", "--workers", "1"]
    for given in (words[1:], alone):
        command = [sys.executable, "-c", CLI, *given, "--device", "cpu"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "3 of 3 configurations done, 3 rows added" in done.stdout
        assert "distributed" not in done.stderr, "Dask's own log is not the sweep's"
    cluster, one = (
        RewardStore(tmp_path / name).frame("rewards").select(COLUMNS) for name in ("tiny.duckdb", "one.duckdb")
    )
    assert cluster.equals(one)
    kept = [
        sorted(path.name for path in (tmp_path / f"{name}.duckdb.work" / "backbones").iterdir())
        for name in ("tiny", "one")
    ]
    assert kept[0] == kept[1]
    for name in kept[0]:
        files = [(tmp_path / f"{store}.duckdb.work" / "backbones" / name).stat().st_size for store in ("tiny", "one")]
        assert files[0] == files[1]


def test_there_are_three_blocks_of_what_is_there() -> None:
    assert len(BLOCKS) == 3
    for script in re.findall(r"sweeps/slurm/\S+", SECTION):
        assert (ROOT / script).is_file()
