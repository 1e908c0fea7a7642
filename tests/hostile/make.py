"""Makes damaged and malicious files of every kind that a command reads, the same bytes at every run.

`python -m tests.hostile.make FOLDER` writes it to look at; tests/test_hostile.py runs every command on it.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from math import inf, nan, prod
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from t2s_offline.recipe import Recipe
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema

#: Bits of a number, by safetensors' names of types.
BITS = {
    "F64": 64, "I64": 64, "C64": 64, "F32": 32, "F16": 16, "BF16": 16, "U16": 16, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8,
    "F8_E8M0": 8, "F6_E2M3": 6, "F4": 4,
}  # fmt: skip
SECRET = "the-secret-of-this-machine"  # stands in a file that no command has a reason to show
TERMINAL = "\x1b]0;owned\x07\x1b[2Jx\x9b31m\u202ey\r\nz"
HTML = "<img src=x onerror=alert(1)>"
TASKS = ("digits", "rocks", "ferns")
CONFIGURATIONS = (*tuple(TASK2SIM)[::32], TASK2SIM.domain_randomization)
WIDTH = 6  # of embeddings
Frames = dict[str, pl.DataFrame]


def safetensors_bytes(
    tensors: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str] | None = None, *, data: bool = True
) -> bytes:
    """A safetensors file of zeros with any types and shapes, also those its library would not write."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, (kind, shape) in tensors.items():
        size = -(-prod(shape) * BITS[kind] // 8)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + (bytes(end) if data else b"")


class Runs:
    """A pickle that runs a program when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("curl http://127.0.0.1:9/owned",)


PICKLE = pickle.dumps(Runs())


# tables -----------------------------------------------------------------------------------------------------------


def honest(recipe: Recipe | None = None, **contents: object) -> Frames:
    """A small table that is right, as a sweep of ours leaves it; `contents` replaces values of its recipe."""
    values = json.loads((recipe or Recipe(classes=2, objects=2, images=2, size=16, epochs=1, batch=2)).contents())
    text = json.dumps(values | contents)
    rng = np.random.default_rng(0)
    name = "ours"
    rewards = [
        {"recipe": name, "task": task, "configuration": c, "seed": 0, "metric": "knn5", "accuracy": float(v),
         "val_accuracy": float(v), "n_eval": 9, "seconds": 1.0, "created_at": None, "source": "sweep"}
        for task in TASKS for c, v in zip(CONFIGURATIONS, rng.uniform(20, 80, len(CONFIGURATIONS)), strict=True)
    ]  # fmt: skip
    vectors = rng.uniform(0.1, 1, (len(TASKS), WIDTH)).astype(np.float32)
    space = str(TASK2SIM)
    return {
        "recipes": pl.DataFrame({"recipe": [name], "space": [space], "contents": [text], "source": ["sweep"]}),
        "parameters": pl.DataFrame(
            {"recipe": [name] * 8, "position": range(1, 9), "parameter": TASK2SIM.names, "levels": [2] * 8}
        ),
        "tasks": pl.DataFrame({"task": TASKS, "split": ["seen", "seen", "unseen"]}),
        "embeddings": pl.DataFrame(
            {"task": TASKS, "probe": ["p"] * 3, "embedding": vectors.tolist()},
            schema_overrides={"embedding": pl.List(pl.Float32)},
        ),
        "rewards": pl.DataFrame(rewards),
    }  # fmt: skip


def renamed(frames: Frames, column: str, old: str, new: str) -> Frames:
    """The frames with another name of a task or recipe throughout."""
    swap = pl.when(pl.col(column) == old).then(pl.lit(new)).otherwise(pl.col(column)).alias(column)
    return {name: frame.with_columns(swap) if column in frame.columns else frame for name, frame in frames.items()}


def changed(frames: Frames, table: str, **columns: Any) -> Frames:
    return {**frames, table: frames[table].with_columns(**columns)}


def first(column: str, value: Any) -> pl.Expr:
    """A column whose first value is another."""
    return pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)


def write_table(folder: Path, frames: Frames) -> None:
    folder.mkdir(parents=True)
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")


def table_frames() -> dict[str, Frames]:
    """Table folders whose rows are wrong, by name."""
    good, vector = honest(), pl.List(pl.Float32)
    cut = pl.col("embedding").list.head(1 + pl.int_range(pl.len()))
    wide = ",".join(f"p{at}:2" for at in range(20))
    nest = "[" * 50_000 + "]" * 50_000

    def recipe(**columns: Any) -> Frames:
        return changed(good, "recipes", **{name: pl.lit(value) for name, value in columns.items()})

    seeds = pl.concat([good["rewards"].head(1)] * 400).with_columns(
        seed=pl.int_range(400), configuration=pl.lit("0" * 20)
    )
    return {
        "honest": good,
        "types": changed(good, "rewards", accuracy=pl.lit("high")),
        "types_of_embeddings": changed(good, "embeddings", embedding=pl.lit("[1, 2]")),
        "huge_name": renamed(good, "task", "rocks", "x" * 300_000),
        "task_path": renamed(good, "task", "rocks", "../../../rocks"),
        "task_absolute": renamed(good, "task", "rocks", "/etc"),
        "task_terminal": renamed(good, "task", "rocks", TERMINAL),
        "task_html": renamed(good, "task", "rocks", HTML),
        "recipe_path": renamed(good, "recipe", "ours", "../../../ours"),
        "recipe_terminal": renamed(good, "recipe", "ours", TERMINAL),
        "recipe_build": honest(renderer="tdw", renderer_options={"build": "/usr/bin/env TDW.x86_64"}),
        "recipe_address": honest(renderer="tdw", renderer_options={"address": "0.0.0.0", "port": 1071}),
        "recipe_assets": honest(renderer="tdw", renderer_options={"assets": "/etc"}),
        "recipe_module": honest(renderer="trap_module:open_renderer"),
        "recipe_system": honest(renderer="os:system"),
        "recipe_meshes": honest(renderer_options={"meshes": "/etc", "photographs": "/etc"}),
        "recipe_nonsense": honest(renderer_options={"warn": "x", "progress": 1, "device": "cpu"}),
        "recipe_absurd": honest(images=10**9, classes=10**9),
        "recipe_unfit": recipe(recipe="ours-00000000", contents="null"),
        "recipe_other": recipe(contents='{"renderer": 5}'),
        "recipe_nested": recipe(contents=nest),
        "recipe_infinite": recipe(contents='{"rate": Infinity, "batch": 1e999}'),
        "real_etc": changed(good, "rewards", configuration=first("configuration", "real:/etc")),
        "infinite": changed(good, "rewards", accuracy=first("accuracy", inf)),
        "not_a_number": changed(good, "rewards", accuracy=first("accuracy", nan)),
        "embedding_nan": changed(good, "embeddings", embedding=pl.lit([nan] * WIDTH, vector)),
        "embedding_empty": changed(good, "embeddings", embedding=pl.lit([], vector)),
        "embedding_mixed": changed(good, "embeddings", embedding=cut),
        "space_absurd": recipe(space="a:36,b:36,c:36,d:36,e:36"),
        "space_levels": recipe(space="a:" + "9" * 5000),
        "space_sql": recipe(space="a'; DROP TABLE rewards; --"),
        "space_other": recipe(space="a:2,b:2"),
        "space_wide": {**changed(good, "recipes", space=pl.lit(wide)), "rewards": seeds},
        "doubled": {**good, "rewards": pl.concat([good["rewards"], good["rewards"]])},
        "foreign_column": changed(good, "rewards", **{"); DROP TABLE rewards; --": pl.lit(1)}),
        "no_recipes": {name: frame for name, frame in good.items() if name != "recipes"},
        "no_parameters": {name: frame for name, frame in good.items() if name != "parameters"},
    }  # fmt: skip


def tables(folder: Path, secret: Path) -> None:
    for name, frames in table_frames().items():
        write_table(folder / name, frames)
    good = honest()

    def spoilt(name: str, spoil: Callable[[Path], object]) -> None:
        write_table(folder / name, good)
        spoil(folder / name)

    def swap(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
        def swapped(at: Path) -> None:
            (at / name).unlink(missing_ok=True)
            make(at / name)

        return swapped

    spoilt("symlink_rewards", swap("rewards.parquet", lambda path: path.symlink_to(secret)))
    spoilt("symlink_sums", swap("SHA256SUMS", lambda path: path.symlink_to(secret)))
    spoilt("symlink_probe", swap("probe.safetensors", lambda path: path.symlink_to(secret)))
    spoilt("symlink_loop", swap("rewards.parquet", lambda path: path.symlink_to(path)))
    spoilt("device_probe", swap("probe.safetensors", lambda path: path.symlink_to("/dev/zero")))
    spoilt("folder_rewards", swap("rewards.parquet", Path.mkdir))
    spoilt("garbage_rewards", swap("rewards.parquet", lambda path: path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")))
    spoilt("empty_rewards", swap("rewards.parquet", Path.touch))
    spoilt("pickle_probe", swap("probe.safetensors", lambda path: path.write_bytes(PICKLE)))
    sums = f"{'0' * 64}  ../../../etc/passwd\n{'0' * 64}  {secret}\n"
    spoilt("sums_paths", swap("SHA256SUMS", lambda path: path.write_text(sums)))
    spoilt("sums_terminal", swap("SHA256SUMS", lambda path: path.write_text(f"{'0' * 64}  {TERMINAL}\n")))


def stores(folder: Path, secret: Path) -> None:
    """DuckDB files, and what calls itself one."""
    folder.mkdir()
    frames = honest()

    def store(name: str, *statements: str) -> None:
        with duckdb.connect(str(folder / f"{name}.duckdb")) as con:
            con.execute(schema.ddl())
            for table, frame in frames.items():
                con.register("incoming", frame.to_arrow())
                con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
                con.unregister("incoming")
            for statement in statements:
                con.execute(statement)

    store("honest")
    for table in ("rewards", "recipes", "embeddings", "tasks"):
        one, *rest = schema.TABLES[table].columns
        sources = [f"SELECT content AS {one.name} FROM read_text('{secret}')"]
        sources += [f"SELECT NULL::{column.type} AS {column.name}" for column in rest]
        joined = " CROSS JOIN ".join(f"({source})" for source in sources)
        store(f"view_{table}", "DROP VIEW IF EXISTS leaderboard", f"ALTER TABLE {table} RENAME TO kept",
              f"CREATE VIEW {table} AS SELECT * FROM {joined}")  # fmt: skip
    store("view_cells", "DROP VIEW cells", f"CREATE VIEW cells AS SELECT content AS task FROM read_text('{secret}')")
    store("macro", f"CREATE MACRO median(x) AS (SELECT content FROM read_text('{secret}'))",
          f"CREATE MACRO count(x) AS (SELECT content FROM read_text('{secret}'))")  # fmt: skip
    store("version_empty", "DELETE FROM t2s_store")
    store("version_text", "DROP TABLE t2s_store", f"CREATE TABLE t2s_store AS SELECT '{HTML}' AS version")
    store("version_far", "UPDATE t2s_store SET version = 99")
    store("no_rewards", "DROP VIEW IF EXISTS leaderboard", "DROP TABLE rewards")
    store("columns", "ALTER TABLE rewards DROP COLUMN accuracy")
    with duckdb.connect(str(folder / "foreign.duckdb")) as con:
        con.execute("CREATE TABLE people AS SELECT 1 AS name")
    whole = (folder / "honest.duckdb").read_bytes()
    (folder / "truncated.duckdb").write_bytes(whole[: len(whole) // 2])
    (folder / "magic.duckdb").write_bytes(bytes(8) + b"DUCK" + bytes(range(256)) * 64)
    (folder / "text.duckdb").write_text("SELECT 1")
    (folder / "empty.duckdb").touch()
    (folder / "loop.duckdb").symlink_to(folder / "loop.duckdb")


# weights ----------------------------------------------------------------------------------------------------------

POLICY = {"weight1": (5, WIDTH), "bias1": (5,), "weight2": (5, 5), "bias2": (5,), "weight3": (16, 5), "bias3": (16,)}
POLICY_CARD: dict[str, Any] = {
    "format": "t2s-offline policy 1", "space": str(TASK2SIM), "recipe": "ours", "metric": "knn5", "probe": "p",
    "tasks": ["rocks", "ferns"],
}  # fmt: skip


def policies(folder: Path, secret: Path) -> None:
    def policy(name: str, weights: bytes | None = None, kind: str = "F32", card: Any = None, **values: Any) -> Path:
        at = folder / name
        at.mkdir(parents=True)
        shapes = {f"0.{field}": (kind, shape) for field, shape in POLICY.items()}
        (at / "policy.safetensors").write_bytes(safetensors_bytes(shapes) if weights is None else weights)
        (at / "policy.json").write_text(json.dumps(POLICY_CARD | values) if card is None else card)
        return at

    policy("honest")
    policy("pickle", PICKLE)
    for kind in ("BF16", "F8_E4M3", "F4", "I64"):
        policy(kind, kind=kind)
    policy("none", safetensors_bytes({}))
    policy("header", struct.pack("<Q", 1 << 62) + b"{}")
    policy("announced", safetensors_bytes({"0.weight1": ("F32", (1 << 31, 1 << 20))}, data=False))
    policy("nested", card="[" * 100_000)
    policy("other", card='{"format": "pickle"}')
    policy("paths", recipe="../../../ours", probe="/etc/passwd", tasks=["../../x"])
    policy("terminal", recipe=TERMINAL, probe=TERMINAL)
    policy("kinds", recipe={"a": 1}, probe=["p"], tasks=5)
    policy("space", space="a:36,b:36,c:36,d:36,e:36")
    policy("space_terminal", space=TERMINAL)
    at = policy("symlink")
    (at / "policy.json").unlink()
    (at / "policy.json").symlink_to(secret)


def backbones(folder: Path, secret: Path) -> None:
    """Backbones, which are probes too."""
    folder.mkdir()
    good = {"format": "t2s-offline backbone 1", "arch": "resnet18-narrow", "size": 16}

    def backbone(name: str, kind: str = "F32", **card: Any) -> None:
        shapes = {"trunk.conv1.weight": (kind, (32, 3, 3, 3))}
        metadata = {"t2s_offline": json.dumps(good | card)}
        (folder / f"{name}.safetensors").write_bytes(safetensors_bytes(shapes, metadata))

    for kind in ("F32", "BF16", "F8_E4M3", "F4"):
        backbone(kind, kind)
    backbone("arch_path", arch="../../resnet50")
    backbone("arch_terminal", arch=TERMINAL)
    backbone("arch_list", arch=["resnet18"])
    backbone("contents", contents=json.dumps({"renderer": "trap_module:open_renderer"}))
    backbone("size", size=10**12)
    files = {
        "pickle": PICKLE,
        "torch": torch_zip(),
        "nested": safetensors_bytes({"a": ("F32", (1,))}, {"t2s_offline": "[" * 90_000}),
        "header": struct.pack("<Q", 1 << 40) + b"{}",
        "empty": b"",
    }
    for name, content in files.items():
        (folder / f"{name}.safetensors").write_bytes(content)
    (folder / "symlink.safetensors").symlink_to(secret)
    (folder / "device.safetensors").symlink_to("/dev/zero")


def torch_zip() -> bytes:
    """What torch.save writes: a zip with a pickle in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(zipfile.ZipInfo("archive/data.pkl"), PICKLE)
    return out.getvalue()


# specifications ---------------------------------------------------------------------------------------------------

SPEC = '{top}\n[design]\nkind = "list"\nconfigurations = ["00000000"]\n{design}\n[recipe]\n{recipe}\n'


def specifications(folder: Path) -> None:
    folder.mkdir()
    small = "classes = 2\nobjects = 2\nsize = 16\nepochs = 1\nbatch = 2\n"

    def spec(name: str, recipe: str = "", top: str = 'tasks = ["digits"]', design: str = "") -> None:
        text = SPEC.format(top=top, design=design, recipe=small + (recipe or "images = 2"))
        (folder / f"{name}.toml").write_text(text, newline="")

    spec("honest")
    spec("module", 'renderer = "trap_module:open_renderer"')
    spec("system", 'renderer = "os:system"')
    spec("build", 'renderer = "tdw"\nrenderer_options = {build = "/usr/bin/env TDW.x86_64"}')
    spec("options", 'renderer_options = {meshes = "/etc", photographs = "/etc"}')
    spec("unknown_options", 'renderer_options = {cache = "/tmp", warn = 1}')
    spec("images", "images = 1000000000")
    spec("images_listed", "images = [" + "1, " * 5_000 + "2]")
    spec("infinite", "images = 2\nrate = inf")
    spec("power", "images = 2\nrate = " + "9" * 4000)
    spec("resize", "images = 2\neval_resize = nan")
    spec("seeds", top="seeds = 1000000000")
    spec("seeds_below", top="seeds = [-1]")
    spec("name_path", top='name = "../../../ours"')
    spec("name_terminal", top=f"name = {json.dumps(TERMINAL)}")
    spec("task_path", top='tasks = ["../../../etc"]')
    spec("task_device", top='tasks = ["/dev/zero"]')
    spec("task_terminal", top=f"tasks = [{json.dumps(TERMINAL)}]")
    spec("task_kind", top="tasks = [[1]]")
    spec("metric_kind", top="metrics = [{a = 1}]")
    spec("reference", design='references = ["real:/etc"]')
    spec("reference_kind", design="references = 5")
    spec("replicates", design='replicates = "many"')
    spec("replicates_absurd", design="replicates = -1000000000000")
    for name, design in {
        "runs": '{kind = "fractional"}', "runs_absurd": '{kind = "random", runs = 1000000000000}',
        "runs_kind": '{kind = "random", runs = "9"}', "kind": '{kind = "' + "x" * 5000 + '"}', "empty": "{}",
        "configurations": '{kind = "list", configurations = [1]}',
    }.items():  # fmt: skip
        (folder / f"design_{name}.toml").write_text(f"design = {design}\n[recipe]\nimages = 2\n")
    (folder / "deep.toml").write_text("a = " + "[" * 20_000 + "]" * 20_000)
    (folder / "dotted.toml").write_text(".".join("a" * 5_000) + " = 1")
    (folder / "recipe_kind.toml").write_text("recipe = 5\n")
    (folder / "bytes.toml").write_bytes(b"\xff\xfe\x00\x01")
    (folder / "terminal.toml").write_text('"\\u001b[2Jx" = 1\n')
    (folder / "folder.toml").mkdir()
    (folder / "device.toml").symlink_to("/dev/full")


# meshes -----------------------------------------------------------------------------------------------------------


def glb(document: Mapping[str, Any] | str, binary: bytes = b"") -> bytes:
    text = (document if isinstance(document, str) else json.dumps(document)).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(binary), 0x004E4942) + binary if binary else b""
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def gltf(count: int = 3, **buffer: Any) -> dict[str, Any]:
    accessor = {"bufferView": 0, "componentType": 5126, "count": count, "type": "VEC3"}
    return {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}], "accessors": [accessor],
        "bufferViews": [{"buffer": 0, "byteLength": 36}], "buffers": [{"byteLength": 36, **buffer}],
    }  # fmt: skip


def meshes(folder: Path, secret: Path) -> None:
    """A folder a file: folder/NAME/thing/FILE."""
    triangle = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    ply = "ply\nformat {form} 1.0\nelement vertex {v}\nproperty float x\nproperty float y\nproperty float z\n"
    ply += "element face {f}\nproperty list uchar int vertex_indices\nend_header\n"
    loop = gltf()
    loop["nodes"] = [{"mesh": 0, "children": [1]}, {"children": [0]}]
    files: dict[str, str | bytes] = {
        "mtllib.obj": f"mtllib {secret}\nusemtl {secret}\nmtllib /etc/passwd\n{triangle}",
        "terminal.obj": f"o {TERMINAL}\nv {TERMINAL}\n",
        "index.obj": "v 0 0 0\nf 1 1000000000 -1000000000\n",
        "power.obj": "v 1e400 nan inf\nv 1 0 0\nv 0 1 0\nf 1 2 3\n",
        "uri.gltf": json.dumps(gltf(uri=str(secret))),
        "uri_up.gltf": json.dumps(gltf(uri="../../../../etc/passwd")),
        "uri_net.gltf": json.dumps(gltf(uri="http://127.0.0.1:9/owned")),
        "uri.glb": glb(gltf(uri=str(secret))),
        "count.glb": glb(gltf(count=10**12), bytes(36)),
        "length.glb": struct.pack("<4sII", b"glTF", 2, 0xFFFFFFFF) + struct.pack("<II", 0xFFFFFFFF, 0x4E4F534A),
        "nested.glb": glb('{"a":' + "[" * 100_000 + "]" * 100_000 + "}"),
        "loop.glb": glb(loop, bytes(36)),
        "vertices.ply": ply.format(form="ascii", v=10**9, f=1) + "0 0 0\n",
        "vertices_binary.ply": ply.format(form="binary_little_endian", v=10**9, f=10**9).encode() + bytes(100),
        "below.ply": ply.format(form="ascii", v=-5, f=1),
        "faces.stl": bytes(80) + struct.pack("<I", 10**9) + bytes(50),
        "solid.stl": "solid x\nfacet normal 0 0 0\nouter loop\nvertex 1 2\n",
        "bomb.obj": zip_of(triangle.encode()),
        "empty.ply": b"",
    }
    for name, content in files.items():
        at = folder / name / "thing"
        at.mkdir(parents=True)
        (at / name).write_bytes(content.encode() if isinstance(content, str) else content)
    textured = "mtllib a.mtl\nusemtl a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n"
    for name, texture in {"texture": str(secret), "postscript": "b.png", "bomb_texture": "b.png"}.items():
        at = folder / f"{name}.obj" / "thing"
        at.mkdir(parents=True)
        (at / f"{name}.obj").write_text(textured)
        (at / "a.mtl").write_text(f"newmtl a\nmap_Kd {texture}\n")
    (folder / "postscript.obj" / "thing" / "b.png").write_bytes(POSTSCRIPT)
    (folder / "bomb_texture.obj" / "thing" / "b.png").write_bytes(png(12_000, 12_000))
    for name, target in {"symlink.obj": str(secret), "device.ply": "/dev/zero"}.items():
        (folder / name / "thing").mkdir(parents=True)
        (folder / name / "thing" / name).symlink_to(target)
    loop_at = folder / "loop"
    loop_at.mkdir()
    (loop_at / "thing").symlink_to(loop_at)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(curl) run\n%%EOF\n"


def zip_of(content: bytes, name: str = "a") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


# pictures ---------------------------------------------------------------------------------------------------------


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PICTURE = png(4, 4, (b"\0" + bytes(4)) * 4)


def pictures(folder: Path, secret: Path) -> None:
    """Tasks: folders of class folders, and .npz files."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{secret}"/></svg>'

    def task(name: str, *parts: tuple[str, bytes]) -> Path:
        at = folder / name
        for label in ("one", "two"):
            (at / label).mkdir(parents=True)
            for number in range(3):
                (at / label / f"{number}.png").write_bytes(PICTURE)
        for part, content in parts:
            (at / part).parent.mkdir(parents=True, exist_ok=True)
            (at / part).write_bytes(content)
        return at

    task("bomb", ("one/b.png", png(60_000, 60_000)))
    task("bomb_long", ("one/b.png", png(2**31 - 1, 2**31 - 1)))
    task("truncated", ("one/b.png", PICTURE[:40]))
    task("svg", ("one/b.svg", svg.encode()))
    task("postscript", ("one/b.eps", POSTSCRIPT))
    task("pickle", ("one/b.png", PICKLE))
    task("terminal", (f"one/{TERMINAL.replace(chr(10), '')}.png", b"no picture"))
    task("nested", ("/".join(["one", *"abcdefghij", "b.png"]), PICTURE))
    task("class_up", ("...", b""))
    (task("loop") / "one" / "loop").symlink_to(folder / "loop")
    (task("loop_file") / "one" / "b.png").symlink_to("b.png")
    (task("secret") / "one" / "b.png").symlink_to(secret)
    (task("device") / "one" / "b.png").symlink_to("/dev/zero")
    os.mkfifo(task("fifo") / "one" / "b.png")
    (task("bytes") / "one" / os.fsdecode(b"\xff\xfe.png")).write_bytes(b"no picture")
    (folder / "alone" / "one").mkdir(parents=True)
    (task("png_postscript") / "one" / "b.png").write_bytes(POSTSCRIPT)

    def npz(name: str, **arrays: bytes) -> None:
        with zipfile.ZipFile(folder / f"{name}.npz", "w", zipfile.ZIP_DEFLATED) as file:
            for key, content in arrays.items():
                file.writestr(zipfile.ZipInfo(f"{key}.npy"), content)

    label = npy("<i8", (4,), np.array([0, 1, 0, 1]).tobytes())
    npz("objects", x_train=npy("|O", (4,), PICKLE), y_train=label)
    npz("announced", x_train=npy("|u1", (10**9, 64, 64, 3)), y_train=label)
    npz("overflow", x_train=npy("|u1", (2**62, 2**62)), y_train=label)
    npz("below", x_train=npy("|u1", (-4, 8, 8, 3)), y_train=label)
    npz("header", x_train=b"\x93NUMPY\x01\x00" + struct.pack("<H", 60) + b"__import__('os').system('curl')".ljust(60))
    npz(
        "labels",
        x_train=npy("|u1", (4, 8, 8, 3), bytes(768)),
        y_train=npy("<i8", (4,), np.array([0, 1, 0, 10**12]).tobytes()),
    )
    npz("traversal", **{"../../../owned": label})
    (folder / "text.npz").write_text("no zip")
    (folder / "secret.npz").symlink_to(secret)
    # announces 2 GiB and inflates to 400 MiB
    block = bytes(1 << 20)
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open(zipfile.ZipInfo("y_train.npy"), "w") as part:
            part.write(label)
        info = zipfile.ZipInfo("x_train.npy")
        info.compress_type = zipfile.ZIP_DEFLATED
        with file.open(info, "w", force_zip64=True) as part:
            part.write(npy("|u1", (2048, 1024, 1024, 1)))
            for _ in range(400):
                part.write(block)


def npy(kind: str, shape: tuple[int, ...], content: bytes = b"") -> bytes:
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + content


# files to import --------------------------------------------------------------------------------------------------


def imports(folder: Path) -> None:
    folder.mkdir()
    head = "recipe,task,configuration,accuracy\n"
    files: dict[str, str | bytes] = {
        "terminal.csv": f'{head}r,"{TERMINAL}",00000000,101\n',
        "columns.csv": ",".join(f"c{at}" for at in range(20_000)) + "\n",
        "column_terminal.csv": f'"{TERMINAL}",accuracy\n1,2\n',
        "huge.csv": head + "r," + "x" * 5_000_000 + ",00000000,high\n",
        "infinite.csv": head + "r,a,00000000,inf\n",
        "configuration.csv": head + "r,a,../../x,50\n",
        "real.csv": head + "r,a,real:/etc,5000\n",
        "ragged.csv": head + "r,a\nr,a,b,c,d,e,f\n",
        "zeros.csv": bytes(5000),
        "quote.csv": head + 'r,"a' * 1000,
        "nested.csv": 'task,probe,embedding\na,p,"' + "[" * 50_000 + '"\n',
        "embedding.csv": 'task,probe,embedding\na,p,"[1, ""x"", {}]"\n',
        "times.csv": "recipe,task,configuration,accuracy,created_at\nr,a,00000000,5,yesterday\n",
        "space.csv": "recipe,space\nr,a:99999999999999999999\n",
        "garbage.parquet": b"PAR1" + bytes(range(256)) + b"PAR1",
        "rewards.json": '{"rewards": [[1]]}',
        "empty.csv": "",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    pl.DataFrame({"task": [[["a"]]], "accuracy": [{"b": 1}]}).write_parquet(folder / "kinds.parquet")
    (folder / "device.csv").symlink_to("/dev/full")
    (folder / "loop.parquet").symlink_to(folder / "loop.parquet")


def make(folder: Path) -> None:
    """Write all of it into an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = folder / "secret.txt"
    secret.write_text(f"{SECRET}\n")
    tables(folder / "tables", secret)
    stores(folder / "stores", secret)
    policies(folder / "policies", secret)
    backbones(folder / "backbones", secret)
    specifications(folder / "specifications")
    meshes(folder / "meshes", secret)
    pictures(folder / "pictures", secret)
    imports(folder / "imports")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
