"""Smooth unions of limbs and lumps: animals, fruit, hands.

Round cones and ellipsoids become one closed `Solid`, the zero level of their blended distance, as a surface net (one
vertex a crossed cell, one quad a crossed grid edge). Sharp features are lost: add those as solids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline.render.builtin.shapes.csg import simplify
from t2s_offline.render.builtin.shapes.solid import Array, Index, Point, Solid, rotation

Grid = npt.NDArray[np.float32]


class Blob:
    """Collects lumps; `soft` is the length over which they flow into each other."""

    def __init__(self, soft: float = 0.03) -> None:
        self.soft = soft
        self._cones: list[tuple[Array, Array, float, float]] = []
        self._balls: list[tuple[Array, Array, Array]] = []

    def bone(self, start: Point, stop: Point, r0: float, r1: float | None = None, twin: bool = False) -> Blob:
        """A round cone between two points; `twin` adds its mirror image across z = 0."""
        self._cones.append((np.asarray(start, float), np.asarray(stop, float), r0, r0 if r1 is None else r1))
        if twin:
            mirror = np.array([1.0, 1.0, -1.0])
            self.bone(np.asarray(start) * mirror, np.asarray(stop) * mirror, r0, r1)
        return self

    def limb(self, points: Sequence[Point] | Array, radii: Sequence[float] | Array, twin: bool = False) -> Blob:
        """A chain of round cones."""
        for i in range(len(points) - 1):
            self.bone(points[i], points[i + 1], float(radii[i]), float(radii[i + 1]), twin)
        return self

    def ball(self, centre: Point, radii: Point | float, turn: Point = (0, 0, 0), twin: bool = False) -> Blob:
        """An ellipsoid, turned by degrees about its centre."""
        size = np.broadcast_to(np.asarray(radii, dtype=float), 3)
        self._balls.append((np.asarray(centre, float), size, rotation(*turn)))
        if twin:
            mirror = np.array([1.0, 1.0, -1.0])
            self.ball(np.asarray(centre) * mirror, radii, np.asarray(turn) * [-1, -1, 1])
        return self

    def solid(self, cells: int = 36, most: int = 2200) -> Solid:
        """The surface, with `cells` grid cells along the longest side and about `most` faces at most."""
        low = np.min(
            [np.minimum(p - a, q - b) for p, q, a, b in self._cones] + [c - r.max() for c, r, _ in self._balls], 0
        )
        high = np.max(
            [np.maximum(p + a, q + b) for p, q, a, b in self._cones] + [c + r.max() for c, r, _ in self._balls], 0
        )
        cell = float((high - low).max()) / cells
        low = low - 2.5 * cell
        shape = np.ceil((high - low) / cell + 2.5).astype(int)
        axes = [(low[k] + cell * np.arange(shape[k])).astype(np.float32) for k in range(3)]
        total = np.full(shape, 1e-30, dtype=np.float32)
        reach = 8 * self.soft + cell
        for p, q, a, b in self._cones:
            self._pour(total, axes, np.minimum(p - a, q - b) - reach, np.maximum(p + a, q + b) + reach, (p, q, a, b))
        for centre, radii, turn in self._balls:
            margin = radii.max() + reach
            self._pour(total, axes, centre - margin, centre + margin, (centre, radii, turn))
        distance = (-self.soft * np.log(total)).astype(np.float32)
        vertex, face = surface_net(distance)
        return simplify(Solid(vertex * cell + low, face).outward(), most)

    def _pour(self, total: Grid, axes: list[Grid], low: Array, high: Array, lump: tuple[Any, ...]) -> None:
        """Add exp(-distance / soft) of a lump to the cells near it."""
        span = [slice(*np.searchsorted(axis, (low[k], high[k]))) for k, axis in enumerate(axes)]
        x, y, z = np.meshgrid(*(axis[s] for axis, s in zip(axes, span, strict=True)), indexing="ij", sparse=True)
        distance = _cone(x, y, z, *lump) if len(lump) == 4 else _ellipsoid(x, y, z, *lump)
        total[tuple(span)] += np.exp(np.clip(-distance / self.soft, -60, 60))


def _cone(x: Grid, y: Grid, z: Grid, p: Array, q: Array, a: float, b: float) -> Grid:
    axis = (q - p).astype(np.float32)
    length2 = max(float(axis @ axis), 1e-12)
    px, py, pz = x - np.float32(p[0]), y - np.float32(p[1]), z - np.float32(p[2])
    t = np.clip((px * axis[0] + py * axis[1] + pz * axis[2]) / length2, 0, 1)
    gap = (px - t * axis[0]) ** 2 + (py - t * axis[1]) ** 2 + (pz - t * axis[2]) ** 2
    return np.asarray(np.sqrt(gap) - (a + (b - a) * t), dtype=np.float32)


def _ellipsoid(x: Grid, y: Grid, z: Grid, centre: Array, radii: Array, turn: Array) -> Grid:
    px, py, pz = x - np.float32(centre[0]), y - np.float32(centre[1]), z - np.float32(centre[2])
    local = [turn[0, k] * px + turn[1, k] * py + turn[2, k] * pz for k in range(3)]
    k0 = np.sqrt(sum((v / r) ** 2 for v, r in zip(local, radii, strict=True)))
    k1 = np.sqrt(sum((v / r**2) ** 2 for v, r in zip(local, radii, strict=True)))
    # first-order distance; exact on the surface and close enough within the blending length
    return np.asarray(k0 * (k0 - 1) / np.maximum(k1, 1e-6), dtype=np.float32)


def surface_net(distance: Grid) -> tuple[Array, Index]:
    """Zero level of a grid (X, Y, Z), negative inside: vertices (V, 3) in cells and faces (F, 3)."""
    inside = distance < 0
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    size = np.array(distance.shape) - 1
    block = [tuple(slice(c, c + n) for c, n in zip(corner, size, strict=True)) for corner in corners]
    count = np.sum([inside[b] for b in block], axis=0)
    cell = np.argwhere((count > 0) & (count < 8))
    number = np.full(size, -1, dtype=np.int64)
    number[tuple(cell.T)] = np.arange(len(cell))
    value = np.stack([distance[b][tuple(cell.T)] for b in block], 1)
    place, hits = np.zeros((len(cell), 3)), np.zeros(len(cell))
    for a in range(8):
        for b in range(a + 1, 8):
            step = np.subtract(corners[b], corners[a])
            if step.sum() != 1 or np.abs(step).sum() != 1:
                continue
            crossed = (value[:, a] < 0) != (value[:, b] < 0)
            gap = np.where(crossed, value[:, a] - value[:, b], 1)
            where = np.array(corners[a]) + (value[:, a] / gap)[:, None] * step
            place += np.where(crossed[:, None], where, 0)
            hits += crossed
    vertex = cell + place / hits[:, None]
    faces = []
    for axis in range(3):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        edge = np.argwhere(inside[tuple(low)] != inside[tuple(high)])
        u, v = (axis + 1) % 3, (axis + 2) % 3
        quad = []
        for du, dv in ((1, 1), (0, 1), (0, 0), (1, 0)):
            at = edge.copy()
            at[:, u] -= du
            at[:, v] -= dv
            quad.append(number[tuple(at.T)])
        q = np.stack(quad, 1)
        turned = inside[tuple(edge.T)]
        q[~turned] = q[~turned][:, ::-1]
        # cut each quad along its shorter diagonal
        d0 = np.linalg.norm(vertex[q[:, 0]] - vertex[q[:, 2]], axis=1)
        d1 = np.linalg.norm(vertex[q[:, 1]] - vertex[q[:, 3]], axis=1)
        q = np.where((d0 <= d1)[:, None], q, np.roll(q, 1, 1))
        faces += [q[:, [0, 1, 2]], q[:, [0, 2, 3]]]
    return vertex, np.concatenate(faces).astype(np.int64)
