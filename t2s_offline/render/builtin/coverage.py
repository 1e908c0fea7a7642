# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""Which face of an object each sample of each pixel sees: rays from a pinhole, found by drawing the faces.

From `World`, `Shots` and the lattice of samples, which is the same in every pixel, it writes for each sample the
nearest face and how near it is, as one number. Drawing costs a tenth of what asking a tree for each ray does. Faces are
kept by the greatest number, so the order in which threads draw them does not matter.
"""

from __future__ import annotations

import warp as wp

from t2s_offline.render.builtin.optics import HALF_VIEW, fraction
from t2s_offline.render.builtin.shading import Shots, World

wp.set_module_options({"enable_backward": False, "fast_math": True})

NEAR = wp.constant(0.01)  # faces that come nearer to the camera than this are left out
# neighbouring faces overlap this much, so that no sample falls between them: in pixels, and in widths of the frame
SLACK, SLACK_WIDE = wp.constant(1.0e-4), wp.constant(1.0e-7)


@wp.func
def lattice(s: int, samples: int) -> wp.vec2:
    """Place of sample s in its pixel, 0 to 1: to the right, and down."""
    t = float(s)
    return wp.vec2((t + 0.5) / float(samples), 1.0 - fraction(0.5 + t * 0.6180340))


@wp.func
def project(pose: wp.mat33, p: wp.vec3, depth: float, scale: float, centre: float) -> wp.vec3:
    """Column and row in pixels of a point of the object, and one over its depth; zero where it is too near."""
    q = pose * p
    away = depth - q[2]
    if away < NEAR:
        return wp.vec3(0.0)
    near = 1.0 / away
    return wp.vec3(centre + q[0] * scale * near, centre - q[1] * scale * near, near)


@wp.func
def slope(ax: float, ay: float, bx: float, by: float) -> float:
    """Columns a row along an edge; 0 for a level one, which bounds no row."""
    fall = by - ay
    if wp.abs(fall) < 1.0e-7:
        return 0.0
    return (bx - ax) / fall


@wp.func
def leftmost(fall: float, at: float, bound: float) -> float:
    return wp.where(fall < -1.0e-7, wp.max(at, bound), bound)


@wp.func
def rightmost(fall: float, at: float, bound: float) -> float:
    return wp.where(fall > 1.0e-7, wp.min(at, bound), bound)


@wp.kernel
def cover(
    world: World, shots: Shots, first: int, lanes: int, size: int, top: int, rows: int, samples: int,
    met: wp.array(dtype=wp.uint64),
):  # fmt: skip
    """Draw rows `top` to top + rows of image first + j: lane k of `lanes` draws every lanes-th face."""
    j, k = wp.tid()
    i = first + j
    obj = shots.object_N[i]
    pose, depth = shots.pose_N[i], shots.camera_N[i][0]
    start = world.vertex_start_O[obj]
    base = world.face_start_O[obj]
    scale = 0.5 * float(size) / HALF_VIEW
    centre = 0.5 * float(size)
    wide = float(size)
    slack = SLACK + SLACK_WIDE * wide
    low, high = float(top), float(top + rows)
    for f in range(base + k, world.face_start_O[obj + 1], lanes):
        corner = world.face[f]
        a = project(pose, world.vertex[start + corner[0]], depth, scale, centre)
        b = project(pose, world.vertex[start + corner[1]], depth, scale, centre)
        c = project(pose, world.vertex[start + corner[2]], depth, scale, centre)
        left = wp.max(wp.min(a[0], wp.min(b[0], c[0])), 0.0)
        right = wp.min(wp.max(a[0], wp.max(b[0], c[0])), wide)
        up = wp.max(wp.min(a[1], wp.min(b[1], c[1])), low)
        down = wp.min(wp.max(a[1], wp.max(b[1], c[1])), high)
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        seen = left <= right and up <= down and wp.abs(area) > 1.0e-9
        if seen and wp.min(a[2], wp.min(b[2], c[2])) > 0.0:
            if area < 0.0:
                swap = b
                b = c
                c = swap
                area = -area
            # one over the depth is linear in the frame
            nx = ((b[2] - a[2]) * (c[1] - a[1]) - (c[2] - a[2]) * (b[1] - a[1])) / area
            ny = ((c[2] - a[2]) * (b[0] - a[0]) - (b[2] - a[2]) * (c[0] - a[0])) / area
            nearest = wp.max(a[2], wp.max(b[2], c[2]))
            furthest = wp.min(a[2], wp.min(b[2], c[2]))
            ab, bc, ca = b[1] - a[1], c[1] - b[1], a[1] - c[1]
            mab = slope(a[0], a[1], b[0], b[1])
            mbc = slope(b[0], b[1], c[0], c[1])
            mca = slope(c[0], c[1], a[0], a[1])
            for s in range(samples):
                at = lattice(s, samples)
                for y in range(
                    wp.max(int(wp.ceil(up - at[1] - slack)), top),
                    wp.min(int(wp.floor(down - at[1] + slack)) + 1, top + rows),
                ):
                    row = float(y) + at[1]
                    xab = a[0] + (row - a[1]) * mab
                    xbc = b[0] + (row - b[1]) * mbc
                    xca = c[0] + (row - c[1]) * mca
                    enter = leftmost(ab, xab, leftmost(bc, xbc, leftmost(ca, xca, left)))
                    leave = rightmost(ab, xab, rightmost(bc, xbc, rightmost(ca, xca, right)))
                    line = ((j * rows + y - top) * size) * samples + s
                    for x in range(
                        wp.max(int(wp.ceil(enter - at[0] - slack)), 0),
                        wp.min(int(wp.floor(leave - at[0] + slack)) + 1, size),
                    ):
                        near = a[2] + (float(x) + at[0] - a[0]) * nx + (row - a[1]) * ny
                        near = wp.clamp(near, furthest, nearest)
                        key = (wp.uint64(wp.cast(near, wp.uint32)) << wp.uint64(32)) | wp.uint64(f - base)
                        wp.atomic_max(met, line + x * samples, key)
