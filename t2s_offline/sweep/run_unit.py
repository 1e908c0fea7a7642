"""One unit of a sweep: render, pre-train, measure on every task, and leave the rows beside the store.

A unit is one backbone and the cells that want it; what is left is a backbone file and a shard of rows. `run_unit`
claims a unit first (`lease`); a sweep claims many, and gives them to its backend, which calls `do_unit`.
"""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from t2s_offline import __version__
from t2s_offline.errors import BadFile, BadInput, Diverged, T2SError
from t2s_offline.render.renderer import pixels_version
from t2s_offline.space import PROCEDURAL, SCRATCH
from t2s_offline.store import schema
from t2s_offline.store.spool import write_shard
from t2s_offline.sweep import leave
from t2s_offline.sweep.lease import claim
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.pictures import load_data, training_pictures
from t2s_offline.sweep.worker import SweepContext, Tables, Unit, device_name, device_of, single_threaded

if TYPE_CHECKING:
    from t2s_offline.images.task_data import TaskData
    from t2s_offline.store.reward_store import RewardStore
    from t2s_offline.training.networks import Backbone


@dataclass(frozen=True)
class Outcome:
    """How a unit ended. `busy`: another process has it; `left`: this process was asked to leave, and the unit goes on
    from its checkpoint; `lost`: its worker ended, for no fault of the unit as far as is known. `hopeless`: what the
    person gave does not fit, so another try would end the same. `attempt`: the number of the try in this sweep.
    `losses`: workers that a lost one lost. Seconds of rendering, training and measuring."""

    unit: Unit
    status: Literal["done", "failed", "busy", "left", "lost"]
    error: str = ""
    render_seconds: float = 0.0
    train_seconds: float = 0.0
    measure_seconds: float = 0.0
    rows: int = 0
    hopeless: bool = False
    attempt: int = 1
    losses: int = 1


def run_unit(unit: Unit, context: SweepContext) -> Outcome:
    """Claim a unit and do what is still missing of it. Whatever goes wrong with it is recorded and returned, not
    raised."""
    begin = time.perf_counter()
    try:
        lease = claim(context.claim(unit))
        if lease is None:
            return Outcome(unit, "busy")
        try:
            left = missing_units([unit], context.store)  # asked under the claim, so the answer stays true
            return do_unit(left[0], context) if left else Outcome(unit, "done")
        finally:
            lease.release()
    except Exception as error:
        return failed(unit, context, error, time.perf_counter() - begin)


def do_unit(unit: Unit, context: SweepContext) -> Outcome:
    """Do a unit that this process may do, and write its rows as shards. Whatever goes wrong with it is recorded and
    returned, not raised: a sweep goes on with the others, and an exception need not pass between processes."""
    begin, rendering, training, rows = time.perf_counter(), 0.0, 0.0, 0
    try:
        for tables in (context.work or measured)(unit, context):
            _write(unit, context, tables)
            rows += len(tables.get("rewards", ()))
            for row in tables.get("backbones", ()):
                rendering, training = rendering + row["render_seconds"], training + row["train_seconds"]
    except leave.Leaving:
        return Outcome(unit, "left")
    except Exception as error:
        if isinstance(error, Diverged):
            context.checkpoint(unit).unlink(missing_ok=True)  # it leads to the same end
        return failed(unit, context, error, time.perf_counter() - begin)
    measuring = max(time.perf_counter() - begin - rendering - training, 0.0)
    return Outcome(unit, "done", "", rendering, training, measuring, rows)


def failed(unit: Unit, context: SweepContext, error: Exception, seconds: float) -> Outcome:
    """The outcome of a unit that came to nothing, recorded as an attempt where that is possible."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, T2SError):
        reason = f"{type(error).__name__}: {reason}"
    reason = reason[:500]
    try:
        row = attempt_row(unit, context, "failed", error=reason, train_seconds=seconds)
        _write(unit, context, {"backbones": [row]})
    except Exception as second:  # a full disk, a device that is gone: the sweep still has the others to do
        reason += f" (and this could not be recorded: {' '.join(str(second).split())[:300]})"
    return Outcome(unit, "failed", reason, hopeless=isinstance(error, BadInput) and not isinstance(error, BadFile))


def measured(unit: Unit, context: SweepContext) -> Iterator[Tables]:
    """The rows of a unit that is rendered, pre-trained and measured here: the attempt when there was one, then the
    rewards."""
    from t2s_offline.images.task_data import check_same_pictures, memory_share
    from t2s_offline.store.rows import now
    from t2s_offline.training.evaluate import evaluate

    with single_threaded(context):
        recipe, digests = context.recipes[unit.recipe_id], known_digests(context)
        limit = memory_share(context.workers)
        tables: Tables = {"tasks": [], "rewards": []}
        tasks = list(dict.fromkeys(task for task, _ in unit.cells))
        for task in tasks:
            check_digest(task, digests.get(task), context.data)
        backbone, attempt = obtain(unit, context)
        if attempt is not None:  # written now: a kill while measuring must not lose what the kept backbone cost
            yield {"backbones": [attempt]}
        for task in tasks:
            metrics = [metric for of, metric in unit.cells if of == task]
            given = (recipe.evaluated, recipe.eval_resize, recipe.eval_pictures, context.data, limit)
            loaded = load_data(task, *given, test_share=recipe.test_share, folder=context.folder / "pictures")
            check_same_pictures(digests.get(task), loaded)
            tables["tasks"].append(task_row(task, loaded, whole=not recipe.eval_pictures))
            for row in evaluate(backbone, task, loaded.parts, recipe, metrics, seed=unit.seed):
                key = {"recipe": unit.recipe_id, "task": task, "configuration": unit.configuration, "seed": unit.seed}
                tables["rewards"].append({**key, **vars(row), "created_at": now(), "source": "sweep"})
        yield tables
        if not context.keep_backbones:  # last: until its rows are written, a training must not be lost
            context.checkpoint(unit).unlink(missing_ok=True)


def known_digests(context: SweepContext) -> Mapping[str, str | None]:
    """Digests of the tasks' pictures that the sweep's store has."""
    return context.store.digests() if context.digests is None else context.digests


def task_row(task: str, loaded: TaskData, *, whole: bool) -> dict[str, Any]:
    """A row of the tasks table. `whole`: its parts are all there, so they can be counted."""
    counts = {f"n_{part}": len(pictures) for part, pictures in loaded.parts.items()} if whole else {}
    return {"task": task, "classes": len(loaded.classes), **counts, "source": "sweep", "digest": loaded.digest}


def check_reference_pixels(unit: Unit, store: RewardStore) -> None:
    """BadInput when the store has backbones of this reference from other pixels than its renderer makes here. A
    configuration's pixels are part of its recipe; a reference's stand beside its backbone, in `versions`."""
    if unit.configuration not in PROCEDURAL or not store.path.exists():
        return
    here = pixels_version(unit.configuration)
    with store.reader() as con:
        rows = con.execute(
            "SELECT versions FROM backbones WHERE (recipe, configuration) = ($1, $2) AND status = 'done'",
            [unit.recipe_id, unit.configuration],
        ).fetchall()
    for (text,) in rows:
        try:
            stored = json.loads(text)["pixels"]
        except (ValueError, TypeError, KeyError, RecursionError):
            stored = ""
        if stored != here:
            raise BadInput(
                f"the store's backbones of {unit.configuration} are of version {str(stored)[:40]!r} of its pixels, and "
                f"version {here!r} is made here: sweep the references into another store"
            )


@cache
def check_digest(task: str, stored: str | None, data: Path | None) -> None:
    """Raise BadInput when a store knows other pictures under the task's name; asked once a process and digest, before
    anything is trained for a reward that would be refused."""
    from t2s_offline.images.task_data import check_tasks

    check_tasks({task: stored}, [task], data)


def obtain(unit: Unit, context: SweepContext) -> tuple[Backbone, dict[str, Any] | None]:
    """The unit's backbone: the kept one, or one made now together with the row of that attempt."""
    import torch

    from t2s_offline.seeds import derive_seed
    from t2s_offline.training.networks import build, load_backbone, save_backbone
    from t2s_offline.training.pretrain import pretrain

    recipe, path, device = context.recipes[unit.recipe_id], context.backbone(unit), device_of(context)
    if unit.configuration == SCRATCH:
        seed = derive_seed("pretrain", recipe.digest, SCRATCH, unit.seed, "weights")
        return build(recipe.backbone, seed=seed, device=device).eval(), None
    check_reference_pixels(unit, context.store)
    checkpoint = context.checkpoint(unit)
    if path.exists():
        checkpoint.unlink(missing_ok=True)
        return load_backbone(path, device).backbone, None
    begin = time.perf_counter()
    data = training_pictures(unit, context, recipe, device)
    rendering = time.perf_counter() - begin
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    trained = pretrain(
        data, recipe, configuration=unit.configuration, seed=unit.seed, device=device, checkpoint=checkpoint,
        progress=leave.between(recipe.epochs),
    )  # fmt: skip
    training = time.perf_counter() - begin - rendering
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    kept: dict[str, Any] = {}
    if context.keep_backbones:
        card = {"recipe": unit.recipe_id, "contents": recipe.contents(), "size": recipe.evaluated}
        card |= {"configuration": unit.configuration, "seed": unit.seed, **trained.figures}
        save_backbone(path, trained.backbone, None, card)
        checkpoint.unlink(missing_ok=True)  # last: a save that fails must not cost the training
        kept = file_columns(path)
    row = attempt_row(unit, context, "done", render_seconds=rendering, train_seconds=training, figures=trained.figures)
    return trained.backbone, row | kept


def file_columns(path: Path) -> dict[str, Any]:
    """What the table of backbones says of a file: its SHA-256 and its size in bytes."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def attempt_row(
    unit: Unit,
    context: SweepContext,
    status: str,
    *,
    render_seconds: float = 0.0,
    train_seconds: float = 0.0,
    error: str | None = None,
    figures: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A row of the backbones table. For a reference that is rendered, `versions` also holds that of its pixels."""
    from t2s_offline.store.rows import now

    packages = {name: version(name) for name in ("torch", "torchvision", "warp-lang", "numpy")}
    if unit.configuration in PROCEDURAL:
        packages["pixels"] = pixels_version(unit.configuration)
    return {
        "recipe": unit.recipe_id,
        "configuration": unit.configuration,
        "seed": unit.seed,
        "attempt": unrepeatable(),
        "status": status,
        "render_seconds": render_seconds,
        "train_seconds": train_seconds,
        "train_accuracy": (figures or {}).get("train_accuracy"),
        "val_accuracy": (figures or {}).get("val_accuracy"),
        "device": device_name(device_of(context)),
        "host": platform.node(),
        "versions": json.dumps({"t2s-offline": __version__, **packages}),
        "error": error,
        "created_at": now(),
    }


def unrepeatable() -> str:
    """A key that no other attempt has, on any machine: the time, UTC, by which keys sort, and random digits."""
    from t2s_offline.store.rows import now

    return f"{now():%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"


def _write(unit: Unit, context: SweepContext, tables: Tables) -> None:
    import polars as pl

    from t2s_offline.store.rows import typed

    frames = {
        name: typed(pl.DataFrame(rows, infer_schema_length=None), schema.TABLES[name], "sweep")
        for name, rows in tables.items()
        if rows
    }
    write_shard(context.store, f"{unit.name}-{unrepeatable()}", frames)
