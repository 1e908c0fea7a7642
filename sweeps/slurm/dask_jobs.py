"""A sweep on Dask workers that SLURM runs, by dask-jobqueue (``pip install 't2s-offline[cluster]'``).

    python sweeps/slurm/dask_jobs.py SPEC.toml --store rewards.duckdb --jobs 8 --sbatch=--gpus=1 --gpu

runs the scheduler and the sweep here, and 8 jobs with a worker each. A worker does one unit after another until its
job ends, so jobs are long although units are short. Workers stop five minutes before that; SLURM starts others while
there is work. Nodes need no file system in common with the store.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from dask_jobqueue import SLURMCluster


def cluster_of(given: argparse.Namespace) -> SLURMCluster:
    """The cluster: a job has one worker process of one thread, which does one unit at a time."""
    hours, minutes = divmod(given.minutes, 60)
    worker = ["--lifetime", f"{given.minutes - 5}m", "--lifetime-stagger", "2m"]
    return SLURMCluster(
        job_name="t2s-offline",
        cores=1,
        job_cpu=given.cpus,
        processes=1,
        memory=given.memory,
        walltime=f"{hours:02}:{minutes:02}:00",
        job_extra_directives=given.sbatch,
        worker_extra_args=[*worker, *(["--resources", "GPU=1"] if given.gpu else [])],
        scheduler_options={"dashboard_address": ":0", **({"host": given.host} if given.host else {})},
        log_directory=given.logs,
        python=given.python,
    )


def parsed(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec")
    parser.add_argument("--store", default="rewards.duckdb")
    parser.add_argument("--jobs", type=int, default=4, help="workers, one a job")
    parser.add_argument("--cpus", type=int, default=2, help="cores of a job")
    parser.add_argument("--memory", default="16GB", help="memory of a job")
    parser.add_argument("--minutes", type=int, default=240, help="length of a job, 15 or more")
    parser.add_argument("--gpu", action="store_true", help="a worker has a GPU; ask for it with --sbatch=--gpus=1")
    parser.add_argument("--sbatch", action="append", default=[], help="an option of sbatch; repeatable")
    parser.add_argument("--host", help="address of this machine that the nodes reach")
    parser.add_argument("--logs", help="folder for the logs of the jobs")
    parser.add_argument("--python", default=sys.executable, help="Python on the nodes")
    given, rest = parser.parse_known_args(arguments)
    if given.minutes < 15:
        parser.error("--minutes: expected 15 or more; shorter jobs look like failures to a scheduler")
    return given, rest


def main() -> int:
    """Start the workers, sweep on them, and end them. Unknown options go to ``t2s-offline sweep``."""
    given, rest = parsed(sys.argv[1:])
    with cluster_of(given) as cluster:
        cluster.adapt(minimum_jobs=given.jobs, maximum_jobs=given.jobs)  # a job that ended is followed by another
        command = [sys.executable, "-c", "from t2s_offline.cli import main; main()", "sweep", given.spec]
        command += ["--store", given.store, "--cluster", cluster.scheduler_address, *rest]
        return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
