"""What TDW shows: the models, skyboxes and materials of a dataset, from metadata libraries and lists.

It reads the folder of TDW's metadata libraries (JSON files of its package), or a folder of local asset bundles with
libraries of the same form; lists of a user in the formats of Task2Sim's release (JSON of WordNet ids to names, a text
of material names). It returns frozen records, and what was asked for and is left out, and why. Does not import tdw.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from t2s_offline.errors import BadFile, BadInput, UnknownName

Vector = tuple[float, float, float]  # x, y, z in TDW's axes: metres, y up, z away from the camera
Records = Mapping[str, Mapping[str, Any]]

ASSETS_VARIABLE, OBJECTS_VARIABLE, MATERIALS_VARIABLE = "T2S_TDW_ASSETS", "T2S_TDW_OBJECTS", "T2S_TDW_MATERIALS"
PRIVATE = "tdw-private"  # the bucket whose models need credentials
OUTDOOR_SUN = 120.0  # least sun_elevation of a skybox by day, degrees: the rule of Task2Sim's release
MISSING, LOCKED = "is not in the library", "is private or has no local bundle"


@dataclass(frozen=True)
class Model:
    """One model. centre and extents: of its bounds at its default scale, from its pivot; slots: every (part, material
    index) that a visual material can be set on; canonical: degrees about x, y, z."""

    name: str
    wnid: str
    category: str
    url: str
    scale_factor: float
    canonical: Vector
    centre: Vector
    extents: Vector
    slots: tuple[tuple[str, int], ...]

    @property
    def unit_scale(self) -> float:
        """What makes its longest side 1 m."""
        return 1.0 / max(self.extents)


@dataclass(frozen=True)
class Skybox:
    """A background. turn: degrees that it is turned by at first."""

    name: str
    url: str
    exposure: float
    turn: float


@dataclass(frozen=True)
class Material:
    """A visual material."""

    name: str
    url: str


class Skipped(NamedTuple):
    """A record that was asked for and is left out, such as ("model", "canoe", "is not in the library")."""

    kind: str
    name: str
    why: str


@dataclass(frozen=True)
class ModelSet:
    """Models grouped by class. `models`: class after class; class_of: class of each; skipped: what is left out."""

    classes: tuple[str, ...]
    models: tuple[Model, ...]
    class_of: tuple[int, ...]
    skipped: tuple[Skipped, ...]

    @cached_property
    def counts(self) -> list[int]:
        """Models of each class."""
        return [self.class_of.count(index) for index in range(len(self.classes))]


def digest(*names: str) -> str:
    """Sixteen hex digits that name these names in this order."""
    return hashlib.blake2b("\x1f".join(names).encode(), digest_size=8).hexdigest()


def file_digest(path: Path) -> str:
    """The first sixteen hex digits of a list's SHA-256: what a recipe keeps of it. BadFile when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise BadFile(f"cannot read {path}: {error.strerror}; expected a list of models or materials") from error


def read_library(path: Path) -> Records:
    """Records of a metadata library by name; relative addresses of bundles become ``file:///``. BadFile otherwise."""
    table = _json(path, "a TDW metadata library")
    records = table.get("records") if isinstance(table, dict) else None
    if not isinstance(records, dict) or not records:
        raise BadFile(f"{path} has no records; expected a TDW metadata library")
    return records


def read_models(path: Path) -> dict[str, list[str]]:
    """A list of models: a JSON object of classes (WordNet ids) to lists of model names."""
    table = _json(path, "JSON of classes to lists of model names")
    good = isinstance(table, dict) and all(
        isinstance(names, list) and names and all(isinstance(name, str) for name in names) for names in table.values()
    )
    if not good or not table:
        raise BadFile(f'{path} is no list of models; expected {{"n02909870": ["bucket", ...], ...}}')
    return dict(table)


def read_materials(path: Path) -> list[str]:
    """A list of materials: one name a line."""
    try:
        names = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"cannot read {path}: {error}; expected one material's name a line") from error
    if not any(names):
        raise BadFile(f"{path} is empty; expected one material's name a line")
    return list(dict.fromkeys(name for name in names if name))


def choose_models(
    library: Records,
    folder: Path,
    *,
    wanted: Mapping[str, Sequence[str]] | None = None,
    classes: Sequence[str] | int | None = None,
    objects: int = 20,
) -> ModelSet:
    """The models of a dataset: at most `objects` a class, of these classes (ids or categories, or how many).

    `folder`: where the library lies, for relative addresses; `wanted`: a user's list, whose classes and order are kept
    and which may name models that TDW advises against. A number of classes takes those with the most models. Raises
    UnknownName and BadInput.
    """
    skipped: list[Skipped] = []
    if wanted is None:
        grouped: dict[str, list[str]] = {}
        for name, record in library.items():
            if not record["do_not_use"]:
                grouped.setdefault(record["wnid"], []).append(name)
    else:
        grouped = {wnid: list(dict.fromkeys(names)) for wnid, names in wanted.items()}
    usable: dict[str, list[Model]] = {}
    for wnid, names in grouped.items():
        for name in names:
            found = _model(library, folder, wnid, name)
            if isinstance(found, str):
                skipped.append(Skipped("model", name, found))
            else:
                usable.setdefault(wnid, []).append(found)
    skipped += [Skipped("class", wnid, "has no model left") for wnid in grouped if wnid not in usable]
    chosen = _classes(usable, classes)
    if objects < 1:
        raise BadInput(f"{objects} objects a class; expected 1 or more")
    models = [(index, model) for index, wnid in enumerate(chosen) for model in usable[wnid][:objects]]
    return ModelSet(tuple(chosen), tuple(m for _, m in models), tuple(i for i, _ in models), tuple(skipped))


def choose_skyboxes(library: Records, folder: Path) -> tuple[tuple[Skybox, ...], list[Skipped]]:
    """Outdoor skyboxes by day, by name, and those whose bundle is not there."""

    def make(name: str, url: str, record: Mapping[str, Any]) -> Skybox:
        return Skybox(name, url, float(record["exposure"]), float(record["initial_skybox_rotation"]))

    outdoor = (
        name for name, r in sorted(library.items()) if r["location"] != "interior" and r["sun_elevation"] >= OUTDOOR_SUN
    )
    return _chosen(library, folder, outdoor, "skybox", make)


def choose_materials(
    library: Records, folder: Path, names: Iterable[str] | None = None
) -> tuple[tuple[Material, ...], list[Skipped]]:
    """These materials (all of the library, by name, when None), and those that are not there."""
    wanted = sorted(library) if names is None else names
    return _chosen(library, folder, wanted, "material", lambda name, url, _: Material(name, url))


def summary(skipped: Iterable[Skipped]) -> list[str]:
    """One line a kind and reason, with how many there are and all of their names."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in skipped:
        groups.setdefault((item.kind, item.why), []).append(item.name)
    return [f"left out {len(names)}, {kind} {why}: {', '.join(names)}" for (kind, why), names in groups.items()]


def _chosen(
    library: Records, folder: Path, names: Iterable[str], kind: str, make: Callable[[str, str, Mapping[str, Any]], Any]
) -> tuple[tuple[Any, ...], list[Skipped]]:
    found: list[Any] = []
    skipped: list[Skipped] = []
    for name in names:
        url = _address(library[name], folder) if name in library else None
        if url is None:
            skipped.append(Skipped(kind, name, MISSING if name not in library else LOCKED))
        else:
            found.append(make(name, url, library[name]))
    if not found:
        raise BadInput(f"no {kind} is left of {len(skipped)} that were asked for; expected one or more in {folder}")
    return tuple(found), skipped


def _classes(usable: Mapping[str, Sequence[Model]], classes: Sequence[str] | int | None) -> list[str]:
    if not usable:
        raise BadInput("no model is left; name models of the library, or give local bundles with --tdw-assets")
    if classes is None:
        return list(usable)
    if isinstance(classes, int):
        if not 1 <= classes <= len(usable):
            raise BadInput(f"{classes} classes; expected 1 to {len(usable)}, those that have a model")
        return sorted(usable, key=lambda wnid: (-len(usable[wnid]), wnid))[:classes]
    by_name = {models[0].category: wnid for wnid, models in usable.items()} | {wnid: wnid for wnid in usable}
    for name in classes:
        if name not in by_name:
            raise UnknownName("class", name, by_name)
    chosen = [by_name[name] for name in classes]
    if not chosen or len(set(chosen)) < len(chosen):
        raise BadInput(f"classes {', '.join(classes) or '(none)'}: expected one or more different names")
    return chosen


def _model(library: Records, folder: Path, wnid: str, name: str) -> Model | str:
    """The model, or why it cannot be shown."""
    record = library.get(name)
    if record is None:
        return MISSING
    url = _address(record, folder)
    if url is None:
        return LOCKED
    b = record["bounds"]
    sides = (("right", "left", "x"), ("top", "bottom", "y"), ("front", "back", "z"))
    extents = tuple(float(b[high][axis] - b[low][axis]) for high, low, axis in sides)
    if not (max(extents) > 0 and all(math.isfinite(side) for side in extents)):
        return "has no size in its record"
    return Model(
        name=name,
        wnid=wnid,
        category=record["wcategory"],
        url=url,
        scale_factor=float(record["scale_factor"]),
        canonical=_vector(record["canonical_rotation"]),
        centre=_vector(b["center"]),
        extents=(extents[0], extents[1], extents[2]),
        slots=tuple((part["name"], i) for part in record["substructure"] for i in range(len(part["materials"]))),
    )


def _address(record: Mapping[str, Any], folder: Path) -> str | None:
    """Where the bundle of this platform lies; None when it is private or its file is not there."""
    url = str(record["urls"].get(platform.system(), ""))
    if url.startswith(("http://", "https://")):
        return None if PRIVATE in url else url
    file = Path("/" + url.removeprefix("file:").lstrip("/")) if url.startswith("file:") else folder / url
    return f"file:///{str(file.resolve()).lstrip('/')}" if url and file.is_file() else None


def _vector(record: Mapping[str, float]) -> Vector:
    return float(record["x"]), float(record["y"]), float(record["z"])


def _json(path: Path, expected: str) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadFile(f"cannot read {path}: {error.strerror}; expected {expected}") from error
    except ValueError as error:
        raise BadFile(f"{path} is not JSON ({error}); expected {expected}") from error
