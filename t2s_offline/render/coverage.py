# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""Where in the frame an object may be seen: 32 x 32 tiles, one bit each, so that empty pixels need no rays.

Comes in: `World` and `Shots`. Goes out: the rows of bits in `Shots`, and a test for a place. Errs on the full side.
Ignores lenses: who asks says how far the object may be smeared.
"""

from __future__ import annotations

import warp as wp

from t2s_offline.render.optics import HALF_VIEW
from t2s_offline.render.shading import Shots, World

wp.set_module_options({"enable_backward": False, "fast_math": True})

FULL_ROW = wp.constant(wp.uint32(0xFFFFFFFF))


@wp.func
def tile(place: float) -> int:
    """Row or column of the coverage grid that holds a place in the frame (-0.5 to 0.5), held to the grid."""
    return wp.clamp(int(wp.floor((place + 0.5) * 32.0)), 0, 31)


@wp.func
def columns(low: int, high: int) -> wp.uint32:
    """A row of the grid with tiles low to high set."""
    return (FULL_ROW >> wp.uint32(31 - high + low)) << wp.uint32(low)


@wp.kernel
def cover(world: World, shots: Shots, first: int):
    """Mark the tiles of the frame, 32 x 32 bits, where the object may be seen when all is in focus."""
    i = wp.tid() + first
    obj = shots.object_N[i]
    pose, depth = shots.pose_N[i], shots.camera_N[i][0]
    start = world.vertex_start_O[obj]
    for f in range(world.face_start_O[obj], world.face_start_O[obj + 1]):
        low = wp.vec2(1.0e6, 1.0e6)
        high = wp.vec2(-1.0e6, -1.0e6)
        corner = world.face[f]
        for k in range(3):
            p = pose * world.vertex[start + corner[k]]
            scale = 0.5 / (HALF_VIEW * (depth - p[2]))
            spot = wp.vec2(p[0] * scale, p[1] * scale)
            low = wp.min(low, spot)
            high = wp.max(high, spot)
        if low[0] < 0.5 and high[0] > -0.5:
            bits = columns(tile(low[0]), tile(high[0]))
            if low[1] < 0.5 and high[1] > -0.5:
                for row in range(tile(low[1]), tile(high[1]) + 1):
                    shots.cover_NR[i, row] = shots.cover_NR[i, row] | bits


@wp.func
def near_object(cover_NR: wp.array2d(dtype=wp.uint32), i: int, sx: float, sy: float, reach: float) -> bool:
    """Whether the object may lie within `reach` of a place in the frame."""
    bits = columns(tile(sx - reach), tile(sx + reach))
    found = wp.uint32(0)
    for row in range(tile(sy - reach), tile(sy + reach) + 1):
        found = found | (cover_NR[i, row] & bits)
    return found != wp.uint32(0)
