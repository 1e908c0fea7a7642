"""Everything to do on the first day of a machine with a GPU: ``python -m tests.bench.gpu_day [OUT]`` (or ``make gpu``).

In this order, each piece within ten minutes, each with its output in a file of the folder OUT (gpu-day by default):

1. tests: ``pytest -k cuda``                            -> tests.txt
2. benchmark: ``doctor --benchmark --device cuda``      -> benchmark.json
3. one: two configurations of gpu.toml's network with few pictures, on the device and on the CPU -> one.json
4. cube: ``sweep sweeps/gpu.toml``, as much as fits      -> gpu.duckdb, its state in status.json

The same command goes on after a stop: a piece whose file is there is not done again (remove it to do so), and the cube
resumes until nothing is missing. ``--device cpu --small`` runs through all of it with small sizes, to prove the script.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIECE = 540.0  # seconds
NOISE = 6.0  # points of accuracy by which rows of two devices may differ on one task; seeds differ by as much
RUN = [sys.executable, "-c", "from t2s_offline.cli import main; main()"]
#: gpu.toml's configuration with little of everything, so that a CPU can do it, too.
SMALL = """
name = "day"
tasks = ["digits"]
metrics = ["knn5", "linear", "logme"]
[design]
kind = "list"
configurations = [{configurations}]
[recipe]
classes = {classes}
objects = {objects}
images = {images}
size = {size}
backbone = "{backbone}"
epochs = {epochs}
batch = 64
"""


def call(words: list[str], seconds: float, out: Path | None = None) -> int:
    """Run a command from the root; after so many seconds it is interrupted as by Ctrl-C, which a sweep survives. Its
    output goes to the file, which is whole or not there."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    print("$", " ".join(words[-8:]), flush=True)
    with tempfile.TemporaryFile("w+") as text:
        process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=text if out else None, start_new_session=True)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            return 124
        if out is not None:
            text.seek(0)
            part = out.with_name(out.name + ".part")
            part.write_text(text.read(), "utf-8")
            part.replace(out)
    return code


def swept(spec: Path, store: Path, device: str, seconds: float) -> dict[str, float]:
    """Rows of a small sweep by configuration and metric, in percent, and the seconds it took."""
    begin = time.perf_counter()
    call([*RUN, "sweep", str(spec), "--store", str(store), "--device", device, "--workers", "1"], seconds)
    rows = store.with_suffix(".json")
    sql = "SELECT configuration, metric, accuracy FROM rewards"
    call([*RUN, "query", sql, "--store", str(store), "--format", "json"], 60, rows)
    found = {f"{row['configuration']} {row['metric']}": row["accuracy"] for row in json.loads(rows.read_text("utf-8"))}
    return {**found, "seconds": time.perf_counter() - begin}


def write_spec(out: Path, small: bool) -> Path:
    """A specification that a CPU can do, too."""
    sizes = (
        {"classes": 4, "objects": 2, "images": 8, "size": 32, "backbone": "resnet18-narrow", "epochs": 1}
        if small
        else {"classes": 16, "objects": 4, "images": 32, "size": 64, "backbone": "resnet50", "epochs": 3}
    )
    spec = out / "one.toml"
    spec.write_text(SMALL.format(configurations='"11111111"' if small else '"00000000", "11111111"', **sizes))
    return spec


def one(out: Path, device: str, spec: Path) -> None:
    """The same small configurations on the device and on the CPU."""
    there, here = (
        swept(spec, out / f"one-{number}.duckdb", name, PIECE / 2) for number, name in enumerate((device, "cpu"))
    )
    apart = {
        key: there[key] - here[key] for key in there if key in here and key.rpartition(" ")[2] in ("knn5", "linear")
    }
    fine = bool(apart) and all(abs(value) <= NOISE for value in apart.values())
    whole = {"device": device, "rows": there, "cpu": here, "differences": apart, "within_noise": fine, "noise": NOISE}
    (out / "one.json").write_text(json.dumps(whole, indent=1))


def cube(out: Path, device: str, small: bool) -> None:
    """A further slice of the cube, then what is there of it. The store resumes; status.json is always written anew."""
    spec = out / "one.toml" if small else ROOT / "sweeps" / "gpu.toml"
    words = [str(spec), "--store", str(out / "gpu.duckdb")]
    call([*RUN, "sweep", *words, "--device", device, "--keep-going"], PIECE)
    call([*RUN, "status", *words, "--format", "json"], 60, out / "status.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=Path("gpu-day"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="small sizes, to run through on a CPU")
    given = parser.parse_args()
    out: Path = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    chosen = ["tests/render/builtin/test_cuda_path.py", "-k", "cuda_path_launches"] if given.small else ["-k", "cuda"]
    spec = write_spec(out, given.small)
    seconds = "2" if given.small else "60"
    doctor = [
        "doctor",
        *([str(spec)] if given.small else []),
        "--benchmark",
        "--device",
        given.device,
        "--seconds",
        seconds,
        "--format",
        "json",
    ]
    pieces: list[tuple[str, Callable[[], object]]] = [
        ("tests.txt", lambda: call([sys.executable, "-m", "pytest", "-q", *chosen], PIECE, out / "tests.txt")),
        ("benchmark.json", lambda: call([*RUN, *doctor], PIECE, out / "benchmark.json")),
        ("one.json", lambda: one(out, given.device, spec)),
    ]
    for name, work in pieces:
        if not (out / name).exists():
            work()
        print(f"{name}: {'done' if (out / name).exists() else 'not done; run this command again'}", flush=True)
    cube(out, given.device, given.small)
    print(f"cube: see {out / 'status.json'}", flush=True)


if __name__ == "__main__":
    main()
