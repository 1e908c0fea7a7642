"""What this process may use of its node: cores and GPUs. Nothing here imports torch.

Cores are those of the affinity mask and of the control groups that the process is in; a container or a job of SLURM has
fewer than the node. GPUs are named as CUDA_VISIBLE_DEVICES wants them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

GROUPS, OF_PROCESS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
GPUS = Path("/proc/driver/nvidia/gpus")
VISIBLE = "CUDA_VISIBLE_DEVICES"
#: Variables that say how many threads a library takes; read when it is loaded.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)


def cores() -> int:
    """Cores that this process may use: those of its affinity mask, at most the quota of its control groups."""
    try:
        count = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not Linux
        count = os.cpu_count() or 1
    quota = cpu_quota()
    return count if quota is None else max(min(count, int(quota)), 1)


def cpu_quota(groups: Path = GROUPS, of_process: Path = OF_PROCESS) -> float | None:
    """The least number of cores that a control group of this process allows, of version 2 or 1; None without a limit.

    groups: where the control groups are mounted. of_process: the file that names those of the process. A group's limit
    holds for the groups in it, so each is looked at from the process's up to the mount.
    """
    try:
        lines = of_process.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    found = []
    for line in [*lines, "0::/"]:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounts = [groups] if not controllers else [groups / controllers, groups / "cpu"]
        inside = Path(path.lstrip("/"))
        for mount in mounts:
            for folder in (mount / inside, *(mount / part for part in inside.parents)):
                found += _quotas(folder)
    return min(found, default=None)


def _quotas(folder: Path) -> list[float]:
    texts = [_text(folder / "cpu.max").split()]
    texts.append([_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")])
    return [
        int(text[0]) / int(text[1])
        for text in texts
        if len(text) == 2 and text[0].isdecimal() and text[1].isdecimal() and int(text[1])
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return ""


def gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; empty where there is none.

    Those of that variable where it is set; else those of nvidia-smi, slices of a GPU (MIG) in place of the whole; else
    those that the driver lists.
    """
    given = os.environ.get(VISIBLE)
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        return [name for name in names[: names.index("-1")] if name] if "-1" in names else [n for n in names if n]
    program = shutil.which("nvidia-smi")
    if program:
        try:
            done = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            done = None
        if done is not None and done.returncode == 0:
            return listed(done.stdout)
    try:
        return [str(number) for number in range(len(list(GPUS.iterdir())))]
    except OSError:
        return []


def listed(text: str) -> list[str]:
    """GPUs of the output of ``nvidia-smi -L``: their numbers, or the names of the slices where one has any."""
    names: list[str] = []
    whole = ""
    for line in text.splitlines():
        if gpu := re.match(r"GPU (\d+):", line):
            names.append(whole := gpu[1])
        elif slice_ := re.search(r"\(UUID: (MIG-[^)]+)\)", line):
            if whole in names:
                names.remove(whole)
            names.append(slice_[1])
    return names


def default_workers(device: str) -> int:
    """Worker processes of a sweep: one a GPU; on a CPU one a core, each with one thread."""
    if device in ("auto", "cuda") and (found := gpus()):
        return len(found)
    return 1 if device.startswith("cuda") else cores()


def environments(device: str, workers: int) -> list[Mapping[str, str]]:
    """What each worker process gets into its environment before torch is loaded there: a GPU of its own, and as many
    threads as make workers x threads the cores. More workers than GPUs share them in turn."""
    threads = str(max(cores() // workers, 1))
    common = {name: os.environ.get(name) or threads for name in THREADS}
    found = gpus() if device in ("auto", "cuda") else []
    return [{**common, VISIBLE: found[at % len(found)]} if found else common for at in range(workers)]
