#!/bin/bash
# Submit a sweep as a job array, in elements of ten minutes of work or more: a scheduler takes shorter jobs for failures.
#   sweeps/slurm/submit.sh SPEC.toml STORE.duckdb [options of sbatch]
set -eu

if [ $# -lt 2 ]; then
  echo "usage: $0 SPEC.toml STORE.duckdb [options of sbatch]" >&2
  exit 2
fi
spec=$1 store=$2
shift 2

elements=$(t2s-offline sweep "$spec" --store "$store" --jobs-of 10)
sbatch --array="1-$elements" "$@" "$(dirname "$0")/array.sh" "$spec" "$store"
