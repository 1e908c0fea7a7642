"""A closed triangle mesh and the moves that place it.

Vertices and faces, usually from `primitives`, are moved, turned, mirrored, repeated and joined. Angles are degrees, +y
is up, +z points to the camera; faces turn counterclockwise seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
#: Three coordinates, however they are written.
Point = Sequence[float] | Array


def rotation(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Array:
    """Matrix (3, 3) that turns columns about x, then y, then z, in degrees."""
    a, b, c = np.radians([x, y, z])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


@dataclass(frozen=True)
class Solid:
    """vertex: float64 (V, 3); face: int64 (F, 3). Several closed bodies may share one Solid and may overlap."""

    vertex: Array
    face: Index

    def at(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Solid:
        """Moved by (x, y, z)."""
        return Solid(self.vertex + np.array([x, y, z]), self.face)

    def turn(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Solid:
        """Turned about the origin: about x, then y, then z, in degrees."""
        return Solid(self.vertex @ rotation(x, y, z).T, self.face)

    def scale(self, x: float, y: float | None = None, z: float | None = None) -> Solid:
        """Scaled about the origin by positive factors; one factor scales all axes."""
        factor = np.array([x, x if y is None else y, x if z is None else z])
        return Solid(self.vertex * factor, self.face)

    def flip(self, axis: int = 0) -> Solid:
        """Mirror image across the plane through the origin normal to `axis`."""
        factor = np.ones(3)
        factor[axis] = -1
        return Solid(self.vertex * factor, self.face[:, ::-1])

    def twin(self, axis: int = 0) -> Solid:
        """This and its mirror image."""
        return self + self.flip(axis)

    def four(self) -> Solid:
        """This and its mirror images left and right, front and back: the legs of a table."""
        return self.twin(0).twin(2)

    def around(self, count: int, axis: int = 1, start: float = 0.0, sweep: float = 360.0) -> Solid:
        """`count` copies turned about `axis`; a full sweep has no repeated end, a part sweep reaches both ends."""
        step = sweep / count if sweep >= 360 else sweep / max(count - 1, 1)
        turns = np.zeros((count, 3))
        turns[:, axis] = start + step * np.arange(count)
        return join(*(self.turn(*angles) for angles in turns))

    def warp(self, move: Callable[[Array], Array]) -> Solid:
        """Vertices passed through `move`: (V, 3) to (V, 3), which must keep the orientation."""
        return Solid(np.asarray(move(self.vertex), dtype=np.float64), self.face)

    def outward(self) -> Solid:
        """With the faces turned so that the enclosed volume is positive."""
        corner = self.vertex[self.face]
        volume = np.einsum("fi,fi->", corner[:, 0], np.cross(corner[:, 1], corner[:, 2]))
        return self if volume >= 0 else Solid(self.vertex, self.face[:, ::-1])

    def __add__(self, other: Solid) -> Solid:
        return join(self, other)


def join(*solids: Solid) -> Solid:
    """All bodies in one Solid; nothing is merged or cut."""
    offset = np.cumsum([0, *(len(solid.vertex) for solid in solids)])
    return Solid(
        np.concatenate([solid.vertex for solid in solids]),
        np.concatenate([solid.face + start for solid, start in zip(solids, offset, strict=False)]),
    )


def row(solid: Solid, places: Sequence[Point]) -> Solid:
    """A copy of `solid` at each of `places`."""
    return join(*(solid.at(*place) for place in places))
