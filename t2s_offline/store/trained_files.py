"""Backbones that were trained here for a prediction, in the user's cache: found again by their name and SHA-256.

A file lies in T2S_CACHE/trained/backbones as NAME.safetensors with a record NAME.json beside it, which is written last:
a file without one is not taken. NAME is that of `backbone_files.backbone_name`: recipe, configuration and seed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from t2s_offline.files import cache_folder, digest, write_whole

MOST = 1 << 16  # bytes of a record


@dataclass(frozen=True)
class Trained:
    """What the cache says of a backbone; seconds: of rendering and training it."""

    recipe: str
    configuration: str
    seed: int
    sha256: str
    bytes: int
    seconds: float


def trained_folder() -> Path:
    """Where checkpoints, claims and backbones of this cache lie."""
    return cache_folder() / "trained"


def trained_file(name: str) -> Path:
    """The path of the backbone of that name, there or not."""
    return trained_folder() / "backbones" / f"{name}.safetensors"


def record(name: str, recipe: str, configuration: str, seed: int, seconds: float) -> None:
    """Say what the file of that name holds, so that it is found again; OSError when the cache cannot be written."""
    file = trained_file(name)
    found = Trained(recipe, configuration, seed, digest(file), file.stat().st_size, seconds)
    write_whole(file.with_suffix(".json"), json.dumps(asdict(found)).encode())


def trained(recipe: str, seed: int) -> list[str]:
    """Configurations of the recipe and seed whose file is what its record says."""
    folder = trained_file("none").parent
    found = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))} if folder.is_dir() else {}
    return [
        one.configuration
        for name, one in found.items()
        if one is not None and (one.recipe, one.seed) == (recipe, seed) and checked(name) is not None
    ]


def checked(name: str) -> Path | None:
    """The file of that name when it is what its record says; a damaged one goes."""
    file = trained_file(name)
    if not file.is_file() or (found := _read(file.with_suffix(".json"))) is None:
        return None
    if file.stat().st_size == found.bytes and digest(file) == found.sha256:
        return file
    for path in (file.with_suffix(".json"), file):
        path.unlink(missing_ok=True)
    return None


def _read(path: Path) -> Trained | None:
    """A record, None when it is damaged."""
    try:
        if path.stat().st_size > MOST:
            return None
        found = Trained(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    kinds = {"recipe": str, "configuration": str, "seed": int, "sha256": str, "bytes": int, "seconds": float}
    return found if all(isinstance(getattr(found, name), kind) for name, kind in kinds.items()) else None
