"""Hashes of what must not change when code is moved: comparisons, a sweep's rows, a render's bytes, a policy's weights.

Runs the command line alone, so it holds before and after any change of layout. Run it twice on one machine and compare:
    python -m tests.bench.unchanged
T2S_TASK2SIM=DIR adds the authors' table.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEARNERS = "random,domain_randomization,best_fixed,nearest,nearest_k,exact,surrogate"
SWEEP = """
name = "unchanged"
tasks = ["digits"]
metrics = ["knn5", "linear", "logme"]
seeds = 1
[design]
kind = "list"
configurations = ["01100100", "11111111"]
[recipe]
classes = 4
objects = 2
images = 16
size = 32
backbone = "resnet18-narrow"
epochs = 1
batch = 32
eval_pictures = 200
val_by = "folds"
"""


def run(*arguments: str) -> bytes:
    """What a command prints."""
    code = "from t2s_offline.cli import main; main()"
    variables = os.environ | {"OMP_NUM_THREADS": "1", "T2S_DATA": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, env=variables, capture_output=True)
    if done.returncode:
        sys.exit(f"t2s-offline {' '.join(arguments)}\n{done.stderr.decode()}")
    return done.stdout


#: Columns that `compare` has had from the first; further ones come where they can be had, and are no change.
COLUMNS = [
    "learner",
    "split",
    "tasks",
    "reward",
    "regret",
    "normalised_regret",
    "ci_low",
    "ci_high",
    "measured",
    "runs",
    "hours",
]


def compared(*arguments: str) -> bytes:
    """Rows of `compare` with those columns alone, and without the row of simulated truth."""
    rows = json.loads(run("compare", *arguments, "--format", "json"))
    kept = [{name: row[name] for name in COLUMNS} for row in rows if row["learner"] != "true_best"]
    return f"{json.dumps(kept, indent=1, ensure_ascii=False)}\n".encode()


def show(name: str, content: bytes) -> None:
    print(f"{hashlib.sha256(content).hexdigest()[:16]}  {name}", flush=True)


def pictures(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*.png")))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        stores = {"tables/cpu": "tables/cpu"}
        if authors := os.environ.get("T2S_TASK2SIM"):
            stores["authors' table"] = str(here / "authors.duckdb")
            run("fetch", "task2sim", "--from", authors, "--store", stores["authors' table"])
        for title, store in stores.items():
            rows = compared("--store", store, "--leave-one-out", "--alone", "--learners", LEARNERS)
            show(f"compare on {title}", rows)
            policy = here / title.replace("/", "_")
            run("learn", "--store", store, "--on-miss", "model", "--seeds", "1", "--out", str(policy))
            show(f"weights of a policy of {title}", (policy / "policy.safetensors").read_bytes())
            show(f"effects of {title}", run("effects", "--store", store, "--format", "json"))
        for configuration in ("00000000", "11111111"):
            out = here / configuration
            run("render", configuration, "--out", str(out), "--classes", "4", "--images", "4", "--size", "48")
            show(f"pictures of {configuration}", pictures(out))
        spec, swept = here / "sweep.toml", str(here / "swept.duckdb")
        spec.write_text(SWEEP, "utf-8")
        run("sweep", str(spec), "--store", swept, "--workers", "1")
        columns = "recipe, task, configuration, seed, metric, accuracy, val_accuracy, n_eval"
        show("rows of a sweep", run("query", f"SELECT {columns} FROM rewards ORDER BY ALL", "--store", swept))


if __name__ == "__main__":
    main()
