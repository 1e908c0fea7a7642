"""Closed solids from numbers: box, ball, lathe, tube, loft, prism, torus.

Functions take sizes, profiles and paths and return a `Solid` whose every body is closed and faces outwards. Solids are
centred on the origin unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import manifold3d
import numpy as np

from t2s_offline.render.builtin.shapes.outline import arc, circle, lift, smooth
from t2s_offline.render.builtin.shapes.solid import Array, Index, Point, Solid


def from_manifold(body: manifold3d.Manifold) -> Solid:
    """A manifold3d body as a Solid."""
    mesh = body.to_mesh64()
    return Solid(np.array(mesh.vert_properties[:, :3], np.float64), np.array(mesh.tri_verts, np.int64))


def hull(points: Sequence[Point] | Array) -> Solid:
    """Convex hull of points (N, 3)."""
    return from_manifold(manifold3d.Manifold.hull_points(np.asarray(points, dtype=np.float64)))


def box(width: float, height: float, depth: float, bevel: float = 0.0) -> Solid:
    """A box along x, y, z; `bevel` cuts its edges."""
    half = np.array([width, height, depth]) / 2
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    bevel = min(bevel, 0.95 * half.min())
    if bevel <= 0:
        return hull(signs * half)
    return hull(np.concatenate([signs * (half - bevel * (1 - np.eye(3)[axis])) for axis in range(3)]))


def _skin(rows: int, columns: int, wrap: bool) -> Index:
    """Faces of a grid of rows x columns whose columns close, and whose rows close too when `wrap`."""
    i = np.arange(rows if wrap else rows - 1)[:, None]
    j = np.arange(columns)[None, :]
    a, b = i * columns + j, i * columns + (j + 1) % columns
    c, d = (i + 1) % rows * columns + j, (i + 1) % rows * columns + (j + 1) % columns
    quads = np.stack([np.stack([a, b, d], -1), np.stack([a, d, c], -1)])
    return quads.reshape(-1, 3).astype(np.int64)


def loft(rings: Array, wrap: bool = False) -> Solid:
    """Skin over rings (N, K, 3); the first and last are closed by fans, or joined to each other when `wrap`."""
    rows, columns, _ = rings.shape
    vertex, face = rings.reshape(-1, 3), _skin(rows, columns, wrap)
    if not wrap:
        count = rows * columns
        vertex = np.concatenate([vertex, rings[:1].mean(1), rings[-1:].mean(1)])
        j = np.arange(columns)
        after = (j + 1) % columns
        last = count - columns
        bottom = np.stack([after, j, np.full(columns, count)], -1)
        top = np.stack([last + j, last + after, np.full(columns, count + 1)], -1)
        face = np.concatenate([face, bottom, top])
    return Solid(vertex, face).outward()


def lathe(profile: Sequence[Point] | Array, count: int = 24) -> Solid:
    """A profile of (radius, y) turned about the y axis. Ends off the axis are closed by flat discs."""
    points = np.asarray(profile, dtype=np.float64)
    points = points[np.r_[True, np.abs(np.diff(points, axis=0)).max(1) > 1e-6]]
    inner = points[points[:, 0] > 1e-6]
    angle = 2 * np.pi * np.arange(count) / count
    ring = np.stack([np.cos(angle), np.ones(count), -np.sin(angle)], -1)
    solid = loft(inner[:, [0, 1, 0]][:, None, :] * ring)
    # the fans of the loft already have a hub on the axis: lift it to where the profile meets the axis
    for end, hub in ((0, -2), (-1, -1)):
        if points[end, 0] <= 1e-6:
            solid.vertex[hub] = [0, points[end, 1], 0]
    return solid.outward()


def rod(start: Point, stop: Point, radius: float, tip: float | None = None, count: int = 10) -> Solid:
    """A cylinder between two points, or a cone frustum that ends with radius `tip`."""
    return tube(np.array([start, stop], dtype=np.float64), np.array([radius, radius if tip is None else tip]), count)


def disc(radius: float, height: float, count: int = 28, bevel: float = 0.0) -> Solid:
    """An upright cylinder centred on the origin, its rims bevelled."""
    h, b = height / 2, min(bevel, 0.45 * height, 0.9 * radius)
    profile = [(radius - b, -h), (radius, -h + b), (radius, h - b), (radius - b, h)]
    return lathe(profile, count)


def tube(
    path: Sequence[Point] | Array,
    radius: float | Sequence[float] | Array,
    count: int = 8,
    *,
    closed: bool = False,
    ends: bool = False,
    flat: float = 1.0,
    up: Point = (0.0, 1.0, 0.0),
    section: Array | None = None,
) -> Solid:
    """A section swept along path (N, 3) with a radius at each point.

    `ends` rounds the ends; `flat` scales the section along `up`; `section` (K, 2) replaces the circle, its first
    coordinate across and its second along `up`.
    """
    line = np.asarray(path, dtype=np.float64)
    radii = np.maximum(np.broadcast_to(np.asarray(radius, dtype=np.float64), len(line)), 1e-4)
    if ends:
        dome = arc(1.0, 8, 68, 3)
        first, last = line[0] - line[1], line[-1] - line[-2]
        first, last = first / np.linalg.norm(first), last / np.linalg.norm(last)
        head = line[0] + first * radii[0] * dome[::-1, :1][::-1] * min(1.0, flat * 2)
        tail = line[-1] + last * radii[-1] * dome[::-1, :1] * min(1.0, flat * 2)
        line = np.concatenate([head, line, tail])
        radii = np.concatenate([radii[0] * dome[:, 1], radii, radii[-1] * dome[::-1, 1]])
    step = np.roll(line, -1, 0) - np.roll(line, 1, 0) if closed else np.gradient(line, axis=0)
    tangent = step / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-9)
    above = np.asarray(up, dtype=np.float64)
    if abs(above @ tangent[0]) > 0.95 * np.linalg.norm(above):
        above = np.array([0.0, 0.0, 1.0]) if abs(tangent[0, 2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    frames = np.empty((len(line), 2, 3))
    for i, t in enumerate(tangent):
        above = above - t * (above @ t)
        above = above / max(float(np.linalg.norm(above)), 1e-9)
        frames[i] = np.cross(above, t), above
    shape = circle(1.0, count) * np.array([1.0, flat]) if section is None else section
    return loft(line[:, None] + radii[:, None, None] * np.einsum("kc,ncx->nkx", shape, frames), wrap=closed)


def torus(radius: float, thickness: float, count: int = 28, sides: int = 10, flat: float = 1.0) -> Solid:
    """A ring lying in the xz plane; `thickness` is the radius of its tube."""
    return tube(lift(circle(radius, count), 1), thickness, sides, closed=True, flat=flat)


def ball(x: float, y: float | None = None, z: float | None = None, count: int = 18, square: float = 1.0) -> Solid:
    """An ellipsoid with these radii; `square` under 1 makes it boxy (a superellipsoid), over 1 pinched."""
    latitude = np.radians(np.linspace(-90, 90, max(count // 2, 4) + 1))
    unit = lathe(np.stack([np.cos(latitude), np.sin(latitude)], 1), count)
    if square != 1:
        v = unit.vertex
        ring = np.maximum(np.hypot(v[:, 0], v[:, 2]), 1e-9)
        direction = np.stack([v[:, 0] / ring, v[:, 2] / ring], 1)
        boxy = np.sign(direction) * np.abs(direction) ** square
        height, span = np.sign(v[:, 1]) * np.abs(v[:, 1]) ** square, ring**square
        span[ring < 1e-6] = 0
        unit = Solid(np.stack([span * boxy[:, 0], height, span * boxy[:, 1]], 1), unit.face)
    return unit.scale(x, x if y is None else y, x if z is None else z)


def cushion(width: float, height: float, depth: float, square: float = 0.4, count: int = 20) -> Solid:
    """A soft box of these full sizes."""
    # a ring of points at the corners' directions makes the superellipsoid's corners even
    return ball(width / 2, height / 2, depth / 2, count, square)


def prism(*contours: Array, depth: float, taper: float = 1.0) -> Solid:
    """Outlines in the xy plane (even-odd: an outline inside another is a hole) drawn out along z, centred."""
    section = manifold3d.CrossSection([np.asarray(c, np.float64) for c in contours], manifold3d.FillRule.EvenOdd)
    body = manifold3d.Manifold.extrude(section, depth, 0, 0.0, (taper, taper))
    return from_manifold(body).at(z=-depth / 2)


def vessel(outer: Sequence[Point] | Array, wall: float, count: int = 24, steps: int = 9) -> Solid:
    """A hollow lathe: control points (radius, y) of the outside from the foot to the lip, smoothed; open at the top."""
    curve = smooth(outer, steps)
    inside = curve[::-1] - np.array([wall, 0.0])
    inside = inside[(inside[:, 0] > 0.2 * wall) & (inside[:, 1] > curve[0, 1] + wall)]
    floor = max(curve[0, 1] + wall, inside[-1, 1] - wall)
    return lathe(np.concatenate([[[0, curve[0, 1]]], curve, inside, [[0, floor]]]), count)
