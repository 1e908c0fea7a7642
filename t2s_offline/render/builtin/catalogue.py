"""The procedural catalogue: object categories made by the families in `shapes`, built once and cached.

`load_catalogue` returns a `MeshSet` for names or a number of categories, objects a category and a seed. An object
depends on (category, index, seed) alone, so neither the order nor the number of workers nor the other categories change
it.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from collections.abc import Callable, Sequence
from functools import cache as memoise
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from t2s_offline.errors import BadInput, check_known
from t2s_offline.files import cache_folder, write_npz
from t2s_offline.render import pixels
from t2s_offline.render.builtin.meshset import Mesh, MeshSet, concatenate, pack
from t2s_offline.render.builtin.shapes import FAMILIES
from t2s_offline.render.builtin.shapes.builder import REGISTRY

#: What the families call to make shapes.
LIBRARIES = ("manifold3d", "numpy")
#: Names of all categories, sorted.
CATEGORIES: tuple[str, ...] = tuple(sorted(REGISTRY))

ARRAYS = (
    "class_of",
    "vertex",
    "normal",
    "face",
    "component",
    "colour",
    "vertex_start",
    "face_start",
    "component_start",
)
NAMES = ("classes", "objects", "components")


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()


def build_object(category: str, index: int, *, seed: int = 0) -> Mesh:
    """Object `index` (from 0) of a category. UnknownName for a category that does not exist."""
    check_known("object category", category, CATEGORIES)
    if index < 0 or seed < 0:
        raise BadInput(f"object {index} of {category} with seed {seed}; expected numbers from 0")
    entropy = int.from_bytes(_digest(category, index, seed), "big")
    return REGISTRY[category].build(np.random.default_rng(entropy))


@memoise
def category_order() -> tuple[str, ...]:
    """Every category in the order from which a number of classes is taken: each prefix is spread over the families, and
    what a later edition of the catalogue added comes last."""
    rank: dict[str, tuple[int, float, bytes]] = {}
    for family, added in product(FAMILIES, sorted({item.added for item in REGISTRY.values()})):
        names = (name for name in CATEGORIES if (REGISTRY[name].family, REGISTRY[name].added) == (family, added))
        members = sorted(names, key=_digest)
        rank |= {
            name: (added, (place + 0.5) / len(members), _digest("tie", name)) for place, name in enumerate(members)
        }
    return tuple(sorted(CATEGORIES, key=lambda name: rank[name]))


def choose_categories(classes: Sequence[str] | int | None) -> tuple[str, ...]:
    """Names from names, a number (a prefix of `category_order`) or None (all of them, sorted)."""
    if classes is None:
        return CATEGORIES
    if isinstance(classes, int):
        if not 1 <= classes <= len(CATEGORIES):
            raise BadInput(f"{classes} classes; the catalogue has {len(CATEGORIES)}, expected 1 to {len(CATEGORIES)}")
        return category_order()[:classes]
    names = tuple(check_known("object category", name, CATEGORIES) for name in classes)
    if not names or len(set(names)) != len(names):
        raise BadInput(f"classes {', '.join(names) or '(none)'}: expected one or more different names")
    return names


@memoise
def _code_key() -> str:
    """What makes objects: our sources and the libraries they call, so that neither's change meets an old cache."""
    return "-".join([pixels.digest(pixels.CATALOGUE), *map(version, LIBRARIES)])


def _read(path: Path, category: str, objects: int) -> MeshSet | None:
    """A cached category, or None when the file is absent, damaged or not what it should be."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            fields: dict[str, Any] = {name: stored[name] for name in ARRAYS}
            fields |= {name: tuple(str(item) for item in stored[name]) for name in NAMES}
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    found = MeshSet(**fields)
    ends = [(found.vertex_start, found.vertex), (found.face_start, found.face), (found.component_start, found.colour)]
    whole = all(start[-1:].tolist() == [len(rows)] and len(start) == objects + 1 for start, rows in ends)
    return found if whole and found.classes == (category,) and len(found) == objects else None


def _write(path: Path, built: MeshSet) -> None:
    """Store a category; a cache that cannot be written (a full or read-only disk) is done without."""
    arrays = {name: getattr(built, name) for name in ARRAYS} | {name: np.array(getattr(built, name)) for name in NAMES}
    with contextlib.suppress(OSError):
        write_npz(path, arrays)


def _load_category(category: str, objects: int, seed: int, folder: Path) -> MeshSet:
    """One category from the cache, or built and cached."""
    path = folder / f"{category}-{objects}-{seed}-{_code_key()}.npz"
    found = _read(path, category, objects)
    if found is None:
        meshes = [build_object(category, index, seed=seed) for index in range(objects)]
        found = pack((category,), [(category, f"{category}_{index:03d}", mesh) for index, mesh in enumerate(meshes)])
        _write(path, found)
    return found


def load_catalogue(
    classes: Sequence[str] | int | None = None,
    objects: int = 20,
    *,
    seed: int = 0,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    jobs: int = 1,
) -> MeshSet:
    """Objects 0 to `objects` - 1 of each class, from the cache where they are in it.

    classes: names, a number of categories (see `category_order`) or None for all; cache: a folder, else ``catalogue``
    in the user's cache folder; progress: called with the categories finished and their number; jobs: processes that
    build. Raises UnknownName for an unknown category and BadInput for numbers out of range.
    """
    names = choose_categories(classes)
    if objects < 1 or seed < 0 or jobs < 1:
        raise BadInput(f"objects {objects}, seed {seed}, jobs {jobs}; expected at least 1, 0 and 1")
    folder = cache_folder() / "catalogue" if cache is None else cache
    task = joblib.delayed(_load_category)
    # reading is faster in one process: workers are started only when something has to be built
    pending = [name for name in names if not (folder / f"{name}-{objects}-{seed}-{_code_key()}.npz").exists()]
    workers = joblib.Parallel(n_jobs=min(jobs, max(len(pending) // 4, 1)), return_as="generator")
    parts = []
    for part in workers(task(name, objects, seed, folder) for name in names):
        parts.append(part)
        if progress is not None:
            progress(len(parts), len(names))
    return concatenate(parts)
