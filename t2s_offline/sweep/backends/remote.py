"""A unit that is done where the store's file system may not be: what is sent there, and what comes back.

The worker does the unit in a scratch folder of its own, with the tasks and pictures of its own machine (T2S_DATA,
T2S_REAL ...). Rows and backbone come back as bytes, or go to a folder or an fsspec address and their names come back.
Who runs a worker is trusted as the person who sweeps is; rows are checked like those of any shard.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from t2s_offline import __version__
from t2s_offline.errors import BadInput, T2SError, brief
from t2s_offline.files import is_plain, write_whole
from t2s_offline.render.renderer import pixels_version
from t2s_offline.space import PROCEDURAL
from t2s_offline.store.backbone_files import FOLDER
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.spool import SHARD_TABLES, shards, write_received
from t2s_offline.sweep.run_unit import Outcome, check_reference_pixels, do_unit, known_digests
from t2s_offline.sweep.worker import SweepContext, Unit

#: Hours after which a worker removes checkpoints of units that it was not asked for again.
CHECKPOINT_HOURS = 48
INCOMING, COMPLETE = "incoming", "complete"
Shards = dict[str, dict[str, bytes]]  # Parquet by table, by name of the shard


@dataclass(frozen=True)
class Order:
    """A unit to be done elsewhere. `versions`: what a worker must have; `spool`: where rows and backbones go, None to
    send them back."""

    unit: Unit
    context: SweepContext
    versions: Mapping[str, str]
    spool: str | None = None


@dataclass(frozen=True)
class Result:
    """What came of an order: `sent`: shards that lie complete in the order's spool."""

    outcome: Outcome
    shards: Shards = field(default_factory=dict)
    sent: tuple[str, ...] = ()
    backbone: bytes | None = None


def ordered(unit: Unit, context: SweepContext, spool: str | None) -> Order:
    """The order of a unit; BadInput when the store has backbones of this reference from other pixels."""
    check_reference_pixels(unit, context.store)
    versions = versions_here(unit, context)
    return Order(unit, replace(context, digests=known_digests(context)), versions, spool)


def versions_here(unit: Unit, context: SweepContext) -> dict[str, str]:
    """Versions of what decides the rows of a unit: this package, and the pixels of its renderer."""
    renderer = unit.configuration if unit.configuration in PROCEDURAL else context.recipes[unit.recipe_id].renderer
    return {"t2s-offline": __version__, f"pixels of {renderer}": pixels_version(renderer)}


def kept_backbone(unit: Unit, context: SweepContext) -> bytes | None:
    """The unit's backbone where an earlier sweep kept it, to be sent with the order."""
    path = context.backbone(unit)
    return path.read_bytes() if path.exists() else None


def do_order(order: Order, backbone: bytes | None, scratch: Path, worker: str) -> Result:
    """Do a unit on a worker. scratch: a folder of this worker alone, kept between its units: after a kill a training
    goes on from the checkpoint there. worker: its name, for people."""
    unit = order.unit
    data = Path(os.environ["T2S_DATA"]) if os.environ.get("T2S_DATA") else order.context.data
    context = replace(order.context, store=RewardStore(scratch / "rewards.duckdb"), data=data)
    try:
        check_versions(order.versions, versions_here(unit, context), worker)
        _tidy(context, unit)
        backbone = backbone or _fetched(order)
        if backbone is not None and not context.backbone(unit).exists():
            write_whole(context.backbone(unit), backbone, flush=False)
    except (T2SError, OSError) as error:
        return Result(Outcome(unit, "failed", brief(error), hopeless=isinstance(error, BadInput)))
    outcome = do_unit(unit, context)
    if outcome.status == "failed":
        outcome = replace(outcome, error=f"{outcome.error} (on {worker})")
    made = {path.name: _read(path) for path in _shards_of(unit, context)}
    file = context.backbone(unit)
    new = file.read_bytes() if context.keep_backbones and backbone is None and file.exists() else None
    if order.spool is None:
        return Result(outcome, made, backbone=new)
    try:
        _send(order.spool, made, {} if new is None else {file.name: new})
    except Exception as error:  # of a file system that fsspec opens: each has errors of its own
        return Result(Outcome(unit, "failed", f"{worker} cannot write {order.spool}: {brief(error, 300)}"))
    return Result(outcome, sent=tuple(made))


def check_versions(wanted: Mapping[str, str], here: Mapping[str, str], worker: str) -> None:
    """BadInput when a worker has another version of what decides the rows."""
    for name, version in wanted.items():
        if here.get(name) != version:
            raise BadInput(
                f"worker {worker} has version {here.get(name)!r} of {name}, and the sweep {version!r}: install the "
                f"sweep's version of t2s-offline there and start the worker again"
            )


def receive(result: Result, order: Order, context: SweepContext) -> Outcome:
    """Keep what came back, the rows as shards in the spool of the sweep's store."""
    if result.backbone is not None and not context.backbone(order.unit).exists():
        write_whole(context.backbone(order.unit), result.backbone)
    for name, tables in result.shards.items():
        write_received(context.store, name, tables)
    if order.spool is not None:
        collect(order.spool, context, result.sent)
    return result.outcome


def collect(spool: str, context: SweepContext, names: Sequence[str] | None = None) -> int:
    """Take shards that workers left in a folder or at an fsspec address into the spool of the store; returns how many.
    names: those to take, by default all that are complete, also of a sweep that was killed."""
    fs, root = _opened(spool)
    try:
        if names is None:
            names = [path.split("/")[-2] for path in fs.glob(f"{root}/{INCOMING}/*/{COMPLETE}")]
        for name in names:
            if not is_plain(name):
                raise BadInput(f"{spool} holds a shard {name[:80]!r}; expected a plain name: remove it")
            paths = {table: f"{root}/{INCOMING}/{name}/{table}.parquet" for table in SHARD_TABLES}
            tables = {table: fs.cat_file(path) for table, path in paths.items() if fs.exists(path)}
            write_received(context.store, name, tables)
            fs.rm(f"{root}/{INCOMING}/{name}", recursive=True)
    except T2SError:
        raise
    except Exception as error:  # of a file system that fsspec opens: each has errors of its own
        raise BadInput(f"--spool {spool} cannot be read: {brief(error, 300)}; expected what workers wrote") from error
    return len(names)


def _send(spool: str, made: Shards, files: Mapping[str, bytes]) -> None:
    fs, root = _opened(spool)
    for name, content in files.items():
        fs.makedirs(f"{root}/{FOLDER}", exist_ok=True)
        fs.pipe_file(f"{root}/{FOLDER}/{name}", content)
    for name, tables in made.items():
        fs.makedirs(f"{root}/{INCOMING}/{name}", exist_ok=True)
        for table, content in tables.items():
            fs.pipe_file(f"{root}/{INCOMING}/{name}/{table}.parquet", content)
        fs.pipe_file(f"{root}/{INCOMING}/{name}/{COMPLETE}", b"")  # last: without it the shard is not taken


def _fetched(order: Order) -> bytes | None:
    """The unit's backbone where an earlier worker sent it."""
    if order.spool is None:
        return None
    fs, root = _opened(order.spool)
    path = f"{root}/{FOLDER}/{order.unit.name}.safetensors"
    with suppress(FileNotFoundError):
        content: bytes = fs.cat_file(path)
        return content
    return None


def _opened(spool: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        fs, root = url_to_fs(spool)
    except (ValueError, ImportError) as error:
        raise BadInput(f"--spool {spool}: {brief(error, 200)}; expected a folder or an address of fsspec") from error
    return fs, root.rstrip("/")


def _tidy(context: SweepContext, unit: Unit) -> None:
    """Remove what earlier units left in the scratch folder: it has been sent. Checkpoints stay for two days."""
    for shard in set(shards(context.store)) - set(_shards_of(unit, context)):
        shutil.rmtree(shard, ignore_errors=True)
    own = {context.backbone(unit).name}
    for path in _files(context.backbone(unit).parent):
        if path.name not in own:
            path.unlink(missing_ok=True)
    for path in _files(context.checkpoint(unit).parent):
        if path.name not in own and time.time() - path.stat().st_mtime > 3600 * CHECKPOINT_HOURS:
            path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    return iter(list(folder.iterdir()) if folder.is_dir() else [])


def _shards_of(unit: Unit, context: SweepContext) -> list[Path]:
    return [path for path in shards(context.store) if path.name.startswith(f"{unit.name}-")]


def _read(shard: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted(shard.glob("*.parquet"))}
