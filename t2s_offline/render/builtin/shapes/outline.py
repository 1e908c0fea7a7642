"""Plane curves: outlines for prisms, profiles for lathes, paths for tubes.

Functions take sizes and control points and return float64 arrays (N, 2), or (N, 3) where the control points are.
Outlines are closed without repeating the first point and turn counterclockwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from t2s_offline.render.builtin.shapes.solid import Array, Point


def arc(
    radius: float, start: float, stop: float, count: int = 12, x: float = 0.0, y: float = 0.0, flat: float = 1.0
) -> Array:
    """Points (count, 2) on a circle about (x, y) from `start` to `stop` degrees; y is scaled by `flat`."""
    angle = np.radians(np.linspace(start, stop, count))
    return np.stack([x + radius * np.cos(angle), y + flat * radius * np.sin(angle)], 1)


def circle(radius: float, count: int = 24, x: float = 0.0, y: float = 0.0, flat: float = 1.0) -> Array:
    """A circle, or an ellipse whose height is `flat` times its width."""
    return arc(radius, 0, 360 * (1 - 1 / count), count, x, y, flat)


def rect(width: float, height: float, x: float = 0.0, y: float = 0.0) -> Array:
    """A rectangle centred on (x, y)."""
    w, h = width / 2, height / 2
    return np.array([[x - w, y - h], [x + w, y - h], [x + w, y + h], [x - w, y + h]])


def rounded(width: float, height: float, radius: float, count: int = 4, x: float = 0.0, y: float = 0.0) -> Array:
    """A rectangle with round corners of `count` points each."""
    radius = min(radius, 0.499 * width, 0.499 * height)
    w, h = width / 2 - radius, height / 2 - radius
    corners = [(w, h, 0), (-w, h, 90), (-w, -h, 180), (w, -h, 270)]
    return np.concatenate([arc(radius, a, a + 90, count, x + cx, y + cy) for cx, cy, a in corners])


def star(points: int, outer: float, inner: float, start: float = 90.0) -> Array:
    """A star of `points` spikes, the first at `start` degrees."""
    angle = np.radians(start + 180 / points * np.arange(2 * points))
    radius = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def gear_outline(teeth: int, outer: float, inner: float, width: float = 0.5) -> Array:
    """A toothed ring: `width` is the share of the pitch that a tooth fills at its foot."""
    angles, radii = [], []
    pitch = 2 * np.pi / teeth
    for tooth in range(teeth):
        for offset, radius in ((-0.5, inner), (-0.32, outer), (0.32, outer), (0.5, inner)):
            angles.append(pitch * (tooth + offset * width))
            radii.append(radius)
    return np.stack([np.array(radii) * np.cos(angles), np.array(radii) * np.sin(angles)], 1)


def smooth(points: Sequence[Point] | Array, count: int = 16, closed: bool = False) -> Array:
    """Catmull-Rom curve of `count` points through the control points, (N, 2) or (N, 3)."""
    control = np.asarray(points, dtype=np.float64)
    n = len(control)
    if closed:
        padded = np.concatenate([control[-1:], control, control[:2]])
        where = np.arange(count) * (n / count)
    else:
        padded = np.concatenate([[2 * control[0] - control[1]], control, [2 * control[-1] - control[-2]]])
        where = np.linspace(0, n - 1, count)
    segment = np.minimum(where.astype(np.int64), (n if closed else n - 1) - 1)
    t = (where - segment)[:, None]
    p0, p1, p2, p3 = (padded[segment + k] for k in range(4))
    curve = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    return np.asarray(0.5 * curve)


def stroke(path: Sequence[Point] | Array, width: float | Sequence[float] | Array) -> Array:
    """The outline of a line drawn along `path` (N, 2) with the given full width at each point."""
    line = np.asarray(path, dtype=np.float64)
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    side = np.stack([-tangent[:, 1], tangent[:, 0]], 1) * np.broadcast_to(width, len(line))[:, None] / 2
    return np.concatenate([line - side, (line + side)[::-1]])


def mirrored(half: Sequence[Point] | Array) -> Array:
    """Closed outline from its right half, listed from bottom to top."""
    right = np.asarray(half, dtype=np.float64)
    left = right[::-1] * np.array([-1.0, 1.0])
    keep = np.abs(left[:, 0]) > 1e-9
    return np.concatenate([right, left[keep]])


def helix(radius: float, height: float, turns: float, count: int = 60, start: float = 0.0) -> Array:
    """Points (count, 3) climbing along +y."""
    t = np.linspace(0, 1, count)
    angle = np.radians(start) + 2 * np.pi * turns * t
    return np.stack([radius * np.cos(angle), height * t, radius * np.sin(angle)], 1)


def lift(flat: Array, axis: int = 2, height: float = 0.0) -> Array:
    """Points (N, 2) put into space, (N, 3): `axis` is the coordinate that gets `height`."""
    return np.insert(flat, axis, height, axis=1)
