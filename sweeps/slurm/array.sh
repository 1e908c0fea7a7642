#!/bin/bash
# One element of a job array: its part of a sweep. Nothing but sbatch is needed, and a file system that all nodes share.
#   sweeps/slurm/submit.sh sweeps/gpu.toml rewards.duckdb --gpus=1 --time=04:00:00
# submits as many elements as have ten minutes of work or more each. By hand:
#   sbatch --array=1-8 --gpus=1 sweeps/slurm/array.sh sweeps/gpu.toml rewards.duckdb
# Rows wait beside the store until: t2s-offline merge --store rewards.duckdb
#SBATCH --job-name=t2s-offline
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=t2s-offline-%A_%a.log
#SBATCH --signal=B:USR1@300
set -u

if [ $# -lt 2 ]; then
  echo "usage: sbatch --array=1-N $0 SPEC.toml STORE.duckdb [options of t2s-offline sweep]" >&2
  exit 2
fi
spec=$1 store=$2
shift 2

t2s-offline sweep "$spec" --store "$store" \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_MAX" --keep-going "$@" &
sweep=$!
# Five minutes before the end (USR1) and when the job is preempted (TERM): the epoch is ended, the checkpoint is kept.
trap 'kill -USR1 "$sweep" 2>/dev/null' USR1 TERM
code=0
while :; do
  wait "$sweep"
  code=$?
  # a trapped signal ends `wait`, not the sweep
  kill -0 "$sweep" 2>/dev/null || break
done

# 75: the sweep left before its end. The same element goes on where it was.
if [ "$code" -eq 75 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
