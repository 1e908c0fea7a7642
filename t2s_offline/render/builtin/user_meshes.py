"""A user's own meshes: folder/class_name/*.glb, gltf, obj, ply, stl.

A folder with one folder a class becomes a `MeshSet`, with one message for each file that was skipped. Of a file the
geometry is taken, and the mean colour of its textures; vertex normals are made anew with sharp edges kept; animations,
cameras and lights are left out. Components are the materials or the parts of a file; shapes are scaled to the unit size
of the catalogue.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import trimesh
from PIL import EpsImagePlugin
from trimesh.resolvers import FilePathResolver

from t2s_offline.errors import BadFile, BadInput
from t2s_offline.render.builtin.meshset import Mesh, MeshSet, assemble, pack
from t2s_offline.render.builtin.srgb import linear

SUFFIXES = (".glb", ".gltf", ".obj", ".ply", ".stl")
#: A mesh with more is not worth a renderer of small pictures, and may be hostile.
MAX_FACES = 2_000_000
MAX_BYTES = 512 << 20
MAX_PIXELS = 1 << 26  # of a texture
MAX_COMPONENTS = 64
GREY = (0.5, 0.5, 0.5)

Part = tuple[str, npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.float64]]


def load_meshes(folder: Path, *, progress: Callable[[int, int], None] | None = None) -> tuple[MeshSet, list[str]]:
    """The meshes of every class folder, and a message for each file that was skipped.

    progress: called with the files read and their number. Raises BadInput when `folder` has no class folders with mesh
    files, and BadFile when a class has none that can be used.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; expected one that holds a folder of meshes for each class")
    kinds = ", ".join(SUFFIXES)
    files = {
        place.name: sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
        for place in sorted(folder.iterdir())
        if place.is_dir() and not place.name.startswith(".")
    }
    if not files:
        raise BadInput(f"{folder} has no class folders; expected {folder.name}/class_name/*{SUFFIXES[0]} (or {kinds})")
    skipped: list[str] = []
    objects: list[tuple[str, str, Mesh]] = []
    total, done = sum(map(len, files.values())), 0
    for name, paths in files.items():
        before = len(objects)
        for path in paths:
            try:
                objects.append((name, f"{name}/{path.name}", read_mesh(path)))
            except BadFile as error:
                skipped.append(str(error))
            done += 1
            if progress is not None:
                progress(done, total)
        if len(objects) == before:
            why = f"; the first was skipped because {skipped[-len(paths)]}" if paths else f" (none of {kinds} is there)"
            raise BadFile(f"class {name} in {folder} has no usable mesh of {len(paths)} files{why}; mend or remove it")
    return pack(tuple(files), objects), skipped


def read_mesh(path: Path) -> Mesh:
    """One file as a Mesh of unit size; BadFile with the reason when it cannot be used."""
    try:
        size = path.stat().st_size
        if size == 0 or size > MAX_BYTES:
            raise BadFile(f"{path}: {size} bytes; expected a mesh file of 1 byte to {MAX_BYTES >> 20} MiB")
        with _quiet():
            parts = list(_parts(trimesh.load(path, force="scene", process=False, resolver=Beside(str(path)))))
    except BadFile:
        raise
    except MemoryError as error:
        raise BadFile(f"{path}: announces more data than fits in memory; it is corrupt or far too large") from error
    except Exception as error:
        # the readers of foreign formats raise whatever their parsers happen to trip over
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise BadFile(f"{path}: cannot be read ({reason}); expected a valid {path.suffix[1:].upper()} file") from error
    parts = _merge_small(_checked(path, parts))
    colour = np.array([part[3] for part in parts])
    return assemble([part[:3] for part in parts], colour)


class Beside(FilePathResolver):
    """What a mesh names (materials, textures, buffers) is read from its own folder and nowhere else."""

    def get(self, name: str) -> bytes:
        folder = Path(self.parent).resolve()
        path = (folder / name.strip()).resolve()
        if folder not in path.parents or not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise BadFile(
                f"{self.file_path}: names {name.strip()[:80]!r}, which is no file of its folder; put it there"
            )
        return path.read_bytes()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the readers from printing: what matters becomes the message of an error."""
    EpsImagePlugin.gs_binary = False  # Pillow would start Ghostscript for a texture that is PostScript
    logger = logging.getLogger("trimesh")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _parts(scene: Any) -> Iterator[Part]:
    """Each placed geometry of a scene as (name, vertices, faces, linear RGB)."""
    for node in scene.graph.nodes_geometry:
        place, key = scene.graph[node]
        geometry = scene.geometry[key]
        if not isinstance(geometry, trimesh.Trimesh):
            continue  # points and lines have no surface
        vertex = np.asarray(geometry.vertices, dtype=np.float64).reshape(-1, 3)
        vertex = vertex @ np.asarray(place)[:3, :3].T + np.asarray(place)[:3, 3]
        face = np.asarray(geometry.faces, dtype=np.int64).reshape(-1, 3)
        if np.linalg.det(np.asarray(place)[:3, :3]) < 0:
            face = face[:, ::-1]
        material = getattr(getattr(geometry.visual, "material", None), "name", None)
        yield str(material or node or key), vertex, face, _base_colour(geometry.visual)


def _base_colour(visual: Any) -> npt.NDArray[np.float64]:
    """Linear RGB (3,): the mean of the texture times the material's factor, vertex colours, or grey."""
    kind = getattr(visual, "kind", None)
    colour: npt.NDArray[np.float64] | None = None
    if kind == "texture":
        material = visual.material
        image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
        factor = getattr(material, "baseColorFactor", None)
        if factor is None and image is None:
            factor = getattr(material, "diffuse", None)
        if image is not None and image.width * image.height <= MAX_PIXELS:
            colour = linear(
                np.asarray(image.convert("RGB").resize((32, 32)), dtype=np.float64).reshape(-1, 3) / 255
            ).mean(0)
        if factor is not None:
            # glTF factors are linear already; the diffuse colour of an MTL file is taken as sRGB
            scale = np.asarray(factor, dtype=np.float64)[:3] / (255 if np.asarray(factor).dtype.kind in "ui" else 1)
            scale = scale if hasattr(material, "baseColorFactor") else linear(scale)
            colour = scale if colour is None else colour * scale
    elif kind in ("vertex", "face"):
        table = visual.vertex_colors if kind == "vertex" else visual.face_colors
        colour = linear(np.asarray(table, dtype=np.float64)[:, :3] / 255).mean(0)
    if colour is None or colour.shape != (3,) or not np.isfinite(colour).all():
        return np.array(GREY)
    return np.clip(colour, 0.0, 1.0)


def _checked(path: Path, parts: list[Part]) -> list[Part]:
    """Parts without unused vertices and degenerate faces; BadFile when nothing can be shown."""
    total = sum(len(face) for _, _, face, _ in parts)
    if total == 0:
        raise BadFile(f"{path}: has no faces; expected a surface of triangles")
    if total > MAX_FACES:
        raise BadFile(f"{path}: has {total} faces; expected at most {MAX_FACES}, simplify it first")
    kept: list[Part] = []
    for name, vertex, face, colour in parts:
        if len(face) and (face.min() < 0 or face.max() >= len(vertex)):
            raise BadFile(f"{path}: a face names a vertex that is not there; the file is corrupt")
        used, number = np.unique(face, return_inverse=True)
        vertex, face = vertex[used], number.reshape(-1, 3)
        if not np.isfinite(vertex).all():
            raise BadFile(f"{path}: has NaN or infinite coordinates; expected finite ones")
        kept.append((name, vertex, face, colour))
    points = np.concatenate([vertex for _, vertex, _, _ in kept])
    size = float(np.ptp(points, axis=0).max())
    if not 0 < size < 1e30:
        raise BadFile(f"{path}: all vertices lie in one point, or are beyond measure; expected a surface")
    shown: list[Part] = []
    for name, vertex, face, colour in kept:
        corner = (vertex / size)[face]
        area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
        face = face[area > 1e-12]
        if len(face):
            used, number = np.unique(face, return_inverse=True)
            shown.append((name, vertex[used], number.reshape(-1, 3), colour))
    if not shown:
        raise BadFile(f"{path}: all faces have zero area; expected a surface")
    return shown


def _merge_small(parts: list[Part]) -> list[Part]:
    """Parts of one name as one component, and vertices of equal place as one, so that normals can be smooth."""
    grouped: dict[str, list[Part]] = {}
    for part in sorted(parts, key=lambda part: -len(part[2])):
        name = part[0] if part[0] in grouped or len(grouped) < MAX_COMPONENTS - 1 else "other"
        grouped.setdefault(name, []).append(part)
    merged = []
    for name, group in grouped.items():
        offset = np.cumsum([0, *(len(vertex) for _, vertex, _, _ in group)])
        vertex = np.concatenate([vertex for _, vertex, _, _ in group])
        face = np.concatenate([face + start for (_, _, face, _), start in zip(group, offset, strict=False)])
        share = np.array([len(face) for _, _, face, _ in group], dtype=np.float64)
        colour = (share[:, None] * np.array([colour for _, _, _, colour in group])).sum(0) / share.sum()
        unique, number = np.unique(vertex, axis=0, return_inverse=True)
        merged.append((name, unique, number.ravel()[face], colour))
    return merged
