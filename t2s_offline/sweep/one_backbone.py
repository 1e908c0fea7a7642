"""One backbone by hand: what the commands pretrain, evaluate and embed do.

They use the seeds that a sweep would use, so that they give the same numbers.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import torch

from t2s_offline import __version__
from t2s_offline.errors import BadFile, BadInput
from t2s_offline.recipe import Recipe
from t2s_offline.render.renderer import pixels_version
from t2s_offline.seeds import derive_seed
from t2s_offline.space import SCRATCH, is_reference
from t2s_offline.store import schema
from t2s_offline.store.rows import task_rows, typed
from t2s_offline.training.networks import SavedBackbone, build, load_backbone, save_backbone
from t2s_offline.training.pretrain import Pretrained

Progress = Callable[[int, int], None]


def write_backbone(
    path: Path,
    made: Pretrained,
    recipe_id: str,
    recipe: Recipe,
    configuration: str,
    seed: int,
    classes: tuple[str, ...],
) -> dict[str, Any]:
    """Write a backbone's file with its card, and return the card."""
    packages = {name: version(name) for name in ("torch", "torchvision", "numpy", "warp-lang")}
    card = {
        "recipe": recipe_id,
        "contents": recipe.contents(),
        "configuration": configuration,
        "seed": seed,
        "size": recipe.evaluated,
        "classes": list(classes),
        "figures": made.figures,
        "pixels": None if is_reference(configuration) else pixels_version(recipe.renderer),
        "device": str(made.backbone.scale.device),
        "versions": {"t2s-offline": __version__, "python": platform.python_version(), **packages},
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    save_backbone(path, made.backbone, made.head, card)
    return card


def open_backbone(name: str, recipe: Recipe | None, seed: int, device: torch.device) -> tuple[SavedBackbone, Recipe]:
    """A backbone's file, or ``scratch`` (initial weights), and the recipe it is measured under: the one given, else the
    one that the file names."""
    if name == SCRATCH:
        recipe = recipe or Recipe()
        first = derive_seed("pretrain", recipe.digest, SCRATCH, seed, "weights")
        return SavedBackbone(build(recipe.backbone, seed=first, device=device).eval(), None, {}), recipe
    saved = load_backbone(Path(name), device)
    contents = saved.card.get("contents")
    if recipe is None and not isinstance(contents, str):
        raise BadInput(f"{name} does not say under which recipe it was made; give one with --recipe")
    return saved, recipe or Recipe.from_contents(str(contents))


def embedding_frames(
    task: str, probe: str, vector: Any, source: str, digest: str | None = None
) -> dict[str, pl.DataFrame]:
    """Tables for a store: the embedding, and the task where it is not there yet. `digest`: of its pictures, for a task
    that is new to the store alone: it would else vouch for rewards that are there."""
    rows = pl.DataFrame([{"task": task, "probe": probe, "embedding": [float(value) for value in vector]}])
    tasks = task_rows([task], source).with_columns(pl.lit(digest, pl.String).alias("digest"))
    return {"tasks": tasks, "embeddings": typed(rows, schema.EMBEDDINGS, source)}


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write one table as .parquet, in the columns that `import` reads."""
    if path.suffix != ".parquet":
        raise BadInput(f"{path}: expected a name that ends in .parquet")
    try:
        frame.write_parquet(path)
    except OSError as error:
        raise BadFile(f"cannot write {path}: {error.strerror or error}; choose another --out") from error
