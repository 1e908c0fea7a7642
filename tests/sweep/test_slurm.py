"""The scripts for SLURM: checked by shellcheck, and run by a fake sbatch that does what SLURM would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.status import merge_stores
from tests.sweep.test_run import SPEC, rewards

ROOT = Path(__file__).parents[2]
SLURM = ROOT / "sweeps" / "slurm"
SMALL = SPEC.replace('"00000000", "11111111", "10000010"', '"00000000"').replace("epochs = 2", "epochs = 1")

#: Runs each element of an array in turn, again while it was requeued; a script without an array in the background.
SBATCH = """#!{python}
import os, re, subprocess, sys
from pathlib import Path
here = Path(__file__).parent
(here / "asked").open("a").write(" ".join(sys.argv[1:]) + "\\n")
rest = [word for word in sys.argv[1:] if not word.startswith("--")]
array = re.search(r"--array=1-(\\d+)", " ".join(sys.argv))
if array is None:
    quiet = {{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}}
    child = subprocess.Popen(["bash", *rest], start_new_session=True, **quiet)
    (here / "jobs").open("a").write(f"{{child.pid}}\\n")
    print("Submitted batch job", child.pid)
    sys.exit()
print("Submitted batch job 70")
for element in range(1, int(array[1]) + 1):
    names = {{"SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": str(element), "SLURM_ARRAY_TASK_MAX": array[1]}}
    while True:
        code = subprocess.run(["bash", *rest], env={{**os.environ, **names}}).returncode
        if not (here / f"70_{{element}}").exists():
            break
        (here / f"70_{{element}}").unlink()
    if code:
        sys.exit(code)
"""
SCONTROL = (
    '#!/bin/sh\n[ "$1" = requeue ] && touch "$(dirname "$0")/$2" && echo "requeued $2" >> "$(dirname "$0")/asked"\n'
)
SCANCEL = '#!/bin/sh\nfor job; do kill -- "-$job" 2>/dev/null; done; exit 0\n'
T2S = '#!/bin/sh\nexec {python} -c "from t2s_offline.cli import main; main()" "$@"\n'
#: Left by the signal at first, done when it is run again.
LEAVES = """#!/bin/sh
dir=$(dirname "$0")
echo "$@" >> "$dir/swept"
[ -e "$dir/again" ] && exit 0
touch "$dir/again"
trap 'echo left >> "$dir/swept"; exit 75' USR1
kill -TERM $PPID
while :; do sleep 0.1; done
"""


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with what a login node has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {"sbatch": SBATCH, "t2s-offline": T2S}
    texts = {name: text.format(python=sys.executable) for name, text in scripts.items()}
    for name, text in (texts | {"scontrol": SCONTROL, "scancel": SCANCEL}).items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("T2S_DATA", raising=False)
    (tmp_path / "spec.toml").write_text(SMALL)
    return folder


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    program = shutil.which("shellcheck") or str(Path(sys.executable).parent / "shellcheck")
    scripts = sorted(map(str, SLURM.glob("*.sh")))
    assert len(scripts) == 2
    done = subprocess.run([program, *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert all(os.access(script, os.X_OK) for script in scripts)


def test_an_array_is_submitted_in_elements_of_ten_minutes_and_does_the_sweep(tmp_path: Path, bin_folder: Path) -> None:
    store = RewardStore(tmp_path / "rewards.duckdb")
    command = [str(SLURM / "submit.sh"), "spec.toml", store.path.name, "--gpus=0", "--time=01:00:00"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    asked = (bin_folder / "asked").read_text().split()
    assert asked[:3] == ["--array=1-1", "--gpus=0", "--time=01:00:00"], "seconds of work make one element"
    assert len(rewards(store)) == 0, "the rows wait in the spool"
    merge_stores(store, [])
    assert len(rewards(store)) == 2


def test_an_element_that_is_preempted_ends_its_epoch_and_is_requeued(tmp_path: Path, bin_folder: Path) -> None:
    (bin_folder / "t2s-offline").write_text(LEAVES)
    command = ["sbatch", "--array=1-2", str(SLURM / "array.sh"), "spec.toml", "a.duckdb", "extra"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (bin_folder / "asked").read_text().splitlines()[1:] == ["requeued 70_1"]
    sweep = "sweep spec.toml --store a.duckdb --shard {}/2 --keep-going extra"
    swept = (bin_folder / "swept").read_text().splitlines()
    assert swept == [sweep.format(1), "left", sweep.format(1), sweep.format(2)]


@pytest.mark.parametrize("script", ["array.sh", "submit.sh"])
def test_a_script_without_arguments_says_how_to_call_it(script: str) -> None:
    done = subprocess.run(["bash", str(SLURM / script)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ")


def test_dask_jobqueue_submits_workers_that_do_the_sweep(tmp_path: Path, bin_folder: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    store = RewardStore(tmp_path / "rewards.duckdb")
    command = [sys.executable, str(SLURM / "dask_jobs.py"), "spec.toml", "--store", store.path.name, "--jobs", "1"]
    command += ["--memory", "2GB", "--host", "127.0.0.1", "--sbatch=--gpus=0", "--device", "cpu"]
    environment = {**os.environ, "DASK_TEMPORARY_DIRECTORY": str(tmp_path / "scratch")}
    try:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, env=environment)
    finally:
        for job in (bin_folder / "jobs").read_text().split() if (bin_folder / "jobs").exists() else []:
            subprocess.run([str(bin_folder / "scancel"), job], check=True)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 configurations done, 2 rows added" in done.stdout
    assert len(rewards(store)) == 2
