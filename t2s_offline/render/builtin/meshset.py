"""Meshes of many objects packed into a few arrays: what a catalogue hands to a renderer.

One `Mesh` an object becomes arrays that can be cached, memory-mapped and sent to a device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Pairs of faces at shared vertices that `crease_normals` will compare; honest meshes have about 40 a vertex.
MAX_CORNER_PAIRS = 30_000_000


@dataclass(frozen=True)
class Mesh:
    """One object: centred on the origin, in a bounding sphere of radius 0.5, +y up, +z towards the default camera.

    vertex: float32 (V, 3); normal: float32 (V, 3) unit (vertices are split where an edge should look sharp);
    face: int32 (F, 3); component: int32 (F,) index into `components`; colour: float32 (K, 3) linear RGB 0 to 1, the
    default colour of each component.
    """

    vertex: npt.NDArray[np.float32]
    normal: npt.NDArray[np.float32]
    face: npt.NDArray[np.int32]
    component: npt.NDArray[np.int32]
    components: tuple[str, ...]
    colour: npt.NDArray[np.float32]


@dataclass(frozen=True)
class MeshSet:
    """O objects of `classes`, packed: object o owns vertices vertex_start[o] to vertex_start[o + 1], and so on.

    class_of: int32 (O,); vertex, normal: float32 (sum V, 3); face: int32 (sum F, 3), numbered within its object;
    component: int32 (sum F,), numbered within its object; colour: float32 (sum K, 3);
    vertex_start, face_start, component_start: int64 (O + 1,).
    """

    classes: tuple[str, ...]
    objects: tuple[str, ...]
    components: tuple[str, ...]
    class_of: npt.NDArray[np.int32]
    vertex: npt.NDArray[np.float32]
    normal: npt.NDArray[np.float32]
    face: npt.NDArray[np.int32]
    component: npt.NDArray[np.int32]
    colour: npt.NDArray[np.float32]
    vertex_start: npt.NDArray[np.int64]
    face_start: npt.NDArray[np.int64]
    component_start: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.objects)

    def mesh(self, index: int) -> Mesh:
        """Object `index` as a Mesh whose arrays are views."""
        v, f, k = (
            slice(int(start[index]), int(start[index + 1]))
            for start in (self.vertex_start, self.face_start, self.component_start)
        )
        return Mesh(
            self.vertex[v],
            self.normal[v],
            self.face[f],
            self.component[f],
            self.components[k],
            self.colour[k],
        )


def crease_normals(
    vertex: npt.NDArray[np.floating], face: npt.NDArray[np.integer], crease: float = 50.0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Vertices (V', 3), unit normals (V', 3) and faces (F, 3), with vertices split along sharp edges.

    A corner of a face takes the area-weighted mean of the normals of the faces around its vertex that are within
    `crease` degrees of its own; corners of a vertex that agree share one new vertex.
    """
    corner = vertex[face]
    area = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    length = np.linalg.norm(area, axis=1, keepdims=True)
    flat = np.where(length > 0, area / np.maximum(length, 1e-30), [0.0, 1.0, 0.0])
    at = face.ravel().astype(np.int64)
    order = np.argsort(at, kind="stable")
    owner = order // 3
    count = np.bincount(at, minlength=len(vertex))
    total = int((count.astype(np.int64) ** 2).sum())
    if total > MAX_CORNER_PAIRS:
        # a vertex shared by a great many faces: smooth it as a whole rather than compare all pairs
        mean = np.stack([np.bincount(at, np.repeat(area[:, k], 3), len(vertex)) for k in range(3)], 1)
        corner_normal = mean[at]
    else:
        per_corner = count[at[order]]
        first = np.repeat(np.arange(len(at)), per_corner)
        start = np.repeat(np.cumsum(count) - count, count)
        second = np.arange(total) - np.repeat(np.cumsum(per_corner) - per_corner, per_corner) + start[first]
        near = np.einsum("ij,ij->i", flat[owner[first]], flat[owner[second]]) > np.cos(np.radians(crease))
        weight = area[owner[second]] * near[:, None]
        summed = np.stack([np.bincount(first, weight[:, k], len(at)) for k in range(3)], 1)
        corner_normal = np.empty_like(summed)
        corner_normal[order] = summed
    size = np.linalg.norm(corner_normal, axis=1, keepdims=True)
    corner_normal = np.where(size > 0, corner_normal / np.maximum(size, 1e-30), np.repeat(flat, 3, axis=0))
    step = np.round((corner_normal + 1) * 255).astype(np.int64)
    key = ((at * 512 + step[:, 0]) * 512 + step[:, 1]) * 512 + step[:, 2]
    _, chosen, renumber = np.unique(key, return_index=True, return_inverse=True)
    return (
        np.asarray(vertex[at[chosen]], dtype=np.float32),
        np.asarray(corner_normal[chosen], dtype=np.float32),
        renumber.reshape(-1, 3).astype(np.int32),
    )


def bounding_sphere(vertex: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.float64], float]:
    """Centre (3,) and radius of a sphere around all vertices, within about one per cent of the smallest one."""
    points = np.asarray(vertex, dtype=np.float64)
    centre = (points.min(0) + points.max(0)) / 2
    for i in range(60):
        far = points[np.argmax(((points - centre) ** 2).sum(1))]
        centre = centre + (far - centre) / (i + 2)
    box = (points.min(0) + points.max(0)) / 2
    radii = [float(np.sqrt(((points - c) ** 2).sum(1).max())) for c in (centre, box)]
    return (centre, radii[0]) if radii[0] <= radii[1] else (box, radii[1])


def unit_size(vertex: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Vertices (V, 3) moved and scaled into a bounding sphere of radius 0.5 centred on the origin."""
    centre, radius = bounding_sphere(vertex)
    return np.asarray((vertex - centre) * (0.5 / radius))


def assemble(
    parts: Sequence[tuple[str, npt.NDArray[np.floating], npt.NDArray[np.integer]]],
    colour: npt.NDArray[np.floating],
    crease: float = 50.0,
) -> Mesh:
    """One object from its components (name, vertex (V, 3), face (F, 3)), scaled to unit size, with normals.

    colour: (K, 3) linear RGB, one row a component.
    """
    sizes = [len(vertex) for _, vertex, _ in parts]
    vertex = unit_size(np.concatenate([vertex for _, vertex, _ in parts]))
    pieces = [
        crease_normals(piece, face, crease)
        for piece, (_, _, face) in zip(np.split(vertex, np.cumsum(sizes)[:-1]), parts, strict=True)
    ]
    start = np.cumsum([0, *(len(piece[0]) for piece in pieces)])
    return Mesh(
        np.concatenate([piece[0] for piece in pieces]),
        np.concatenate([piece[1] for piece in pieces]),
        np.concatenate([piece[2] + s for piece, s in zip(pieces, start, strict=False)]).astype(np.int32),
        np.repeat(np.arange(len(parts), dtype=np.int32), [len(piece[2]) for piece in pieces]),
        tuple(name for name, _, _ in parts),
        np.asarray(colour, dtype=np.float32).reshape(len(parts), 3),
    )


def pack(classes: Sequence[str], objects: Sequence[tuple[str, str, Mesh]]) -> MeshSet:
    """Objects (class, name, mesh) as one set; every class named by an object must be in `classes`."""
    number = {name: index for index, name in enumerate(classes)}
    meshes = [mesh for _, _, mesh in objects]

    def starts(lengths: list[int]) -> npt.NDArray[np.int64]:
        return np.cumsum([0, *lengths], dtype=np.int64)

    def stacked(field: str, width: tuple[int, ...], kind: type) -> npt.NDArray[Any]:
        return np.concatenate([np.zeros((0, *width), kind), *(getattr(mesh, field) for mesh in meshes)]).astype(kind)

    return MeshSet(
        classes=tuple(classes),
        objects=tuple(name for _, name, _ in objects),
        components=tuple(name for mesh in meshes for name in mesh.components),
        class_of=np.array([number[name] for name, _, _ in objects], dtype=np.int32),
        vertex=stacked("vertex", (3,), np.float32),
        normal=stacked("normal", (3,), np.float32),
        face=stacked("face", (3,), np.int32),
        component=stacked("component", (), np.int32),
        colour=stacked("colour", (3,), np.float32),
        vertex_start=starts([len(mesh.vertex) for mesh in meshes]),
        face_start=starts([len(mesh.face) for mesh in meshes]),
        component_start=starts([len(mesh.components) for mesh in meshes]),
    )


#: Array fields of a MeshSet that are joined end to end; the three `_start` fields and the names are handled apart.
JOINED = ("vertex", "normal", "face", "component", "colour")


def concatenate(sets: Sequence[MeshSet]) -> MeshSet:
    """The objects of all sets in one; classes keep the order in which they first appear."""
    classes = tuple(dict.fromkeys(name for part in sets for name in part.classes))
    number = {name: index for index, name in enumerate(classes)}
    label = [np.array([number[name] for name in part.classes], dtype=np.int32)[part.class_of] for part in sets]
    starts = {}
    for field in ("vertex_start", "face_start", "component_start"):
        offset = np.cumsum([0, *(int(getattr(part, field)[-1]) for part in sets)], dtype=np.int64)
        pieces = [getattr(part, field)[:-1] + first for part, first in zip(sets, offset, strict=False)]
        starts[field] = np.concatenate([*pieces, offset[-1:]])
    return MeshSet(
        classes=classes,
        objects=tuple(name for part in sets for name in part.objects),
        components=tuple(name for part in sets for name in part.components),
        class_of=np.concatenate(label),
        **{field: np.concatenate([getattr(part, field) for part in sets]) for field in JOINED},
        **starts,
    )
