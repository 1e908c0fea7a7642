"""Datasets in the layouts that the hub has: Parquet with features, WebDataset's tars, pictures with a table."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def picture(label: int, number: int, size: int = 20) -> Image.Image:
    """A small picture whose colour tells its class, with some noise of its own."""
    rng = np.random.default_rng(1000 * label + number)
    base = np.array([40 + 60 * (label % 4), 40 + 50 * (label // 2 % 4), 200 - 40 * (label % 5)])
    return Image.fromarray(np.clip(base + rng.integers(-30, 30, (size, size, 3)), 0, 255).astype(np.uint8))


def encoded(label: int, number: int, size: int = 20, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    picture(label, number, size).save(out, form)
    return out.getvalue()


def write_parquet(
    path: Path, labels: Sequence[object], *, names: Sequence[str] = (), image: str = "image", label: str = "label",
    extra: Mapping[str, Sequence[object]] | None = None, first: int = 0, described: bool = True, rows: int = 7,
) -> Path:  # fmt: skip
    """A Parquet file of the hub: image {bytes, path}, label, and further columns. `first`: number of the first picture;
    `described`: with the features' description; `rows`: of a row group."""
    at = {value: number for number, value in enumerate(dict.fromkeys(map(str, labels)))}
    contents = [encoded(at[str(value)], first + number) for number, value in enumerate(labels)]
    pictures = [{"bytes": content, "path": f"{number}.png"} for number, content in enumerate(contents)]
    further = {name: list(values) for name, values in (extra or {}).items()}
    table = pa.table({image: pictures, label: list(labels), **further})
    if described:
        kind = {"names": list(names), "_type": "ClassLabel"} if names else {"dtype": "string", "_type": "Value"}
        features = {image: {"_type": "Image"}, label: kind}
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({b"huggingface": info.encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rows)
    return path


def write_card(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"---\n{text.strip()}\n---\n\nA dataset.\n")


def birds(root: Path, repo: str = "someone/birds", images: int = 12) -> Path:
    """Three classes in two splits of Parquet, the train split in two files, with a card."""
    folder = root / repo
    names = ["finch", "owl", "tit"]
    labels = [number % 3 for number in range(3 * images)]
    half = len(labels) // 2
    write_parquet(folder / "data" / "train-00000-of-00002.parquet", labels[:half], names=names)
    write_parquet(folder / "data" / "train-00001-of-00002.parquet", labels[half:], names=names, first=half)
    write_parquet(folder / "data" / "test-00000-of-00001.parquet", labels[:half], names=names, first=500)
    write_card(folder, """
license: cc-by-4.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/test-*
""")  # fmt: skip
    return folder


def sketches(root: Path, repo: str = "someone/sketches", images: int = 10) -> Path:
    """Two tars of WebDataset in one split, with the names of the classes beside them."""
    folder = root / repo / "test"
    folder.mkdir(parents=True)
    number = 0
    for shard in range(2):
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for _ in range(3 * images // 2):
                members = {"jpg": encoded(number % 3, number, form="JPEG"), "cls": str(number % 3).encode()}
                for ending, content in members.items():
                    info = tarfile.TarInfo(f"s{number:07}.{ending}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
                number += 1
    (folder / "nshards.txt").write_text("2")
    (folder.parent / "classnames.txt").write_text("axe\nbow\ncup\n")
    return folder.parent


def leaves(root: Path, repo: str = "someone/leaves", images: int = 8) -> Path:
    """Pictures as files with metadata.csv in the folder of each split."""
    folder = root / repo
    for split, count in (("train", images), ("validation", 3), ("test", 3)):
        (folder / split).mkdir(parents=True)
        rows = ["file_name,label,remark"]
        for label, name in enumerate(("ash", "oak")):
            for number in range(count):
                file = f"{name}-{number}.png"
                (folder / split / file).write_bytes(encoded(label, number + 100 * len(split)))
                rows.append(f"{file},{name},none")
        (folder / split / "metadata.csv").write_text("\n".join(rows) + "\n")
    write_card(folder, "license: other\nlicense_name: leaves-1.0")
    return folder
