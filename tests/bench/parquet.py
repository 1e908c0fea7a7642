"""Memory while a task is read from Parquet, beside the result.

`python -m tests.bench.parquet [PICTURES] [SIZE] [ROWS]` writes PICTURES (60,000) JPEG files of 256 px in shards of
10,000 to a temporary folder, ROWS (100, as the hub's own tools write; 10000 is a shard in one piece) to a row group,
and loads them as a task at SIZE (64) pixels, with parts split off. It prints the bytes of the result, and the most
memory beyond it and beyond the imports.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SHARD, DIFFERENT = 10_000, 200


def write(folder: Path, pictures: int, rows: int) -> None:
    """Pictures of smooth noise, DIFFERENT ones of them, each with some bytes of its own at the end."""
    rng = np.random.default_rng(0)
    contents = []
    for _ in range(DIFFERENT):
        small = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
        out = io.BytesIO()
        small.resize((256, 256), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
        contents.append(out.getvalue())
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    shards = -(-pictures // SHARD)
    for shard in range(shards):
        numbers = range(shard * SHARD, min((shard + 1) * SHARD, pictures))
        with pq.ParquetWriter(
            folder / f"train-{shard:05}-of-{shards:05}.parquet",
            pa.schema([("image", kind), ("label", pa.int64())]), use_dictionary=False, compression="NONE",
        ) as file:  # fmt: skip
            for first in range(0, len(numbers), rows):
                own = numbers[first : first + rows]
                images = [{"bytes": contents[n % DIFFERENT] + n.to_bytes(4), "path": f"{n}.jpg"} for n in own]
                file.write_table(
                    pa.table({"image": pa.array(images, kind), "label": [n % 10 for n in own]}), row_group_size=rows
                )


def most_memory() -> int:
    """The most bytes of memory that this process has had."""
    lines = Path("/proc/self/status").read_text().splitlines()  # getrusage counts what the parent had, too
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def read(folder: Path, size: int) -> None:
    """Load the task; called in a process of its own."""
    from t2s_offline.images.hub_layout import layout
    from t2s_offline.images.hub_record import Record, write_record
    from t2s_offline.images.task_data import load_task
    from t2s_offline.task_places import HubPlace
    from t2s_offline.tasks import Located

    place = HubPlace("a/b")
    for name in ("small", "all"):  # the small one imports what is needed
        paths = sorted(path.name for path in (folder / name).glob("*.parquet"))
        write_record(folder / name, Record(place, parts=layout(paths, {}, place).parts))
    load_task(Located("small", "hub", folder / "small"), 32)
    before, start, cpu = most_memory(), time.perf_counter(), time.process_time()
    task = load_task(Located("all", "hub", folder / "all"), size)
    result = sum(part.image_NCHW.nbytes for part in task.parts.values())
    beyond = most_memory() - before - result
    bytes_ = sum(path.stat().st_size for path in (folder / "all").glob("*.parquet"))
    print(f"{sum(map(len, task.parts.values())):,} pictures, {bytes_ / 1e9:.2f} GB of Parquet, at {size} px")
    print(
        f"result {result / 1e6:,.0f} MB; beyond it {beyond / 1e6:,.0f} MB (imports and start: {before / 1e6:,.0f} MB)"
    )
    print(f"{time.perf_counter() - start:.0f} s, {time.process_time() - cpu:.0f} CPU seconds")


def main() -> None:
    if sys.argv[1:2] == ["--read"]:
        read(Path(sys.argv[2]), int(sys.argv[3]))
        return
    pictures, size, rows = (int(given) for given in (*sys.argv[1:4], *("60000", "64", "100")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as scratch:
        for name, count in (("small", 100), ("all", pictures)):
            (Path(scratch) / name).mkdir()
            write(Path(scratch) / name, count, rows)
        subprocess.run([sys.executable, "-m", "tests.bench.parquet", "--read", scratch, str(size)], check=True)


if __name__ == "__main__":
    main()
