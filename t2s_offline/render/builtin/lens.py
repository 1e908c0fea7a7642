# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""What a lens does to a picture that a pinhole took: blur by depth, of the object and of what lies behind it.

From each pixel's light of the object, its share of the pixel and how far the lens spreads it, it writes uint8 (N, 3, H,
W). Each pixel is spread over a disc, and what lies behind another pixel never over it. A thread writes its own pixel
only.
"""

from __future__ import annotations

import warp as wp

from t2s_offline.render.builtin.optics import blur_radius, disc
from t2s_offline.render.builtin.shading import Shots, World
from t2s_offline.render.builtin.sky import sky_window

wp.set_module_options({"enable_backward": False, "fast_math": True})

ENCODE_TOP = wp.constant(4095.0)  # last entry of the table from linear light to bytes
TAPS = wp.constant(10.0)  # wide discs are sampled this often a radius
NOTHING = wp.constant(1.0e6)  # spread of a pixel without the object: behind everything
FULL, FALL, EDGE = wp.constant(1.516), wp.constant(1.053), wp.constant(1.2)  # a disc: 1 to 0.7 radii, 0 from 1.2 on
SKY_TAPS = wp.constant(5)


@wp.func
def share_at(off: float, sharp: float) -> float:
    """Height of the disc at the squared distance `off` in pixels; sharp: one over its squared radius."""
    return wp.clamp(FULL - FALL * off * sharp, 0.0, 1.0)


@wp.func
def bokeh(spread: float) -> wp.vec3:
    """How a pixel is spread: its signed radius in pixels (greater is further away), one over the disc's squared
    radius, and the disc's height at its centre, so that its pixels sum to 1."""
    sharp = 1.0 / (spread * spread + 0.25)
    level = 0.33 * sharp
    if sharp > 0.3:  # few pixels: count them
        level = 1.0 / (
            1.0 + 4.0 * (share_at(1.0, sharp) + share_at(2.0, sharp) + share_at(4.0, sharp))
            + 8.0 * share_at(5.0, sharp)
        )  # fmt: skip
    return wp.vec3(spread, sharp, level)


@wp.func
def behind_grid(blur: float) -> int:
    """Pixels between places where a blurred background is looked up; blur: its radius in pixels."""
    step = wp.int32(1)
    while float(step) * 3.0 <= blur and step < 16:
        step = step * 2
    return step


@wp.func
def develop(
    front: wp.vec4, behind: wp.vec3, i: int, x: int, y: int, encode: wp.array(dtype=wp.uint8),
    out: wp.array4d(dtype=wp.uint8),
):  # fmt: skip
    """Lay the object (light and share of the pixel) over the background, and write the pixel's bytes."""
    colour = wp.vec3(front[0], front[1], front[2]) + behind * (1.0 - front[3])
    for channel in range(3):
        out[i, channel, y, x] = encode[int(wp.clamp(colour[channel], 0.0, 1.0) * ENCODE_TOP + 0.5)]


@wp.func
def blurred_sky(
    texel: wp.array(dtype=wp.vec3ub),
    sky: int,
    view: wp.vec3,
    sx: float,
    sy: float,
    blur: float,
    pixel: float,
    taps: int,
) -> wp.vec3:
    """The background over a disc of radius `blur` (widths of the frame) about a place in the frame."""
    behind = wp.vec3(0.0)
    for s in range(taps):
        spot = disc((float(s) + 0.5) / float(taps), float(s) * 0.3819660) * blur
        behind += sky_window(texel, sky, view, sx + spot[0], sy + spot[1], wp.max(blur, pixel))
    return behind / float(taps)


@wp.kernel
def tally(
    shots: Shots, first: int, size: int, tile: int, spread: wp.array3d(dtype=wp.vec3),
    reach: wp.array3d(dtype=wp.vec2), bound: wp.array3d(dtype=wp.float32),
):  # fmt: skip
    """For each tile of `tile` pixels a side how far the object's pixels are spread in it, at least and at most, and the
    widest spread among the tiles whose pixels may come to lie in it."""
    j, ty, tx = wp.tid()
    if shots.camera_N[first + j][2] == 0.0:
        return
    sharpest = wp.float32(0.0)
    softest = wp.float32(NOTHING)
    for v in range(ty * tile, wp.min((ty + 1) * tile, size)):
        for u in range(tx * tile, wp.min((tx + 1) * tile, size)):
            there = spread[j, v, u]
            if there[2] > 0.0:
                softest = wp.min(softest, there[1])
                sharpest = wp.max(sharpest, there[1])
    if sharpest == 0.0:
        reach[j, ty, tx] = wp.vec2(NOTHING, 0.0)
        return
    most = EDGE / wp.sqrt(softest)
    reach[j, ty, tx] = wp.vec2(EDGE / wp.sqrt(sharpest), most)
    tiles = bound.shape[1]
    span = int(most) / tile + 1
    for v in range(wp.max(ty - span, 0), wp.min(ty + span + 1, tiles)):
        for u in range(wp.max(tx - span, 0), wp.min(tx + span + 1, tiles)):
            wp.atomic_max(bound, j, v, u, most)


@wp.kernel
def backdrop(world: World, shots: Shots, first: int, size: int, blurred: wp.array3d(dtype=wp.vec3)):
    """Blurred backgrounds, looked up at places as far apart as their blur allows; the first lies outside the frame."""
    j, v, u = wp.tid()
    i = first + j
    camera = shots.camera_N[i]
    if camera[2] == 0.0:
        return
    pixel = 1.0 / float(size)
    blur = blur_radius(camera[2], camera[1], 1.0e6)
    step = behind_grid(blur / pixel)
    if step == 1 or wp.max(u, v) * step > size + 2 * step:
        return
    sx = (float(u) - 0.5) * float(step) * pixel - 0.5
    sy = 0.5 - (float(v) - 0.5) * float(step) * pixel
    blurred[j, v, u] = blurred_sky(world.texel, shots.background_N[i], shots.view_N[i], sx, sy, blur, pixel, SKY_TAPS)


@wp.func
def behind_pixel(
    world: World, shots: Shots, i: int, j: int, x: int, y: int, size: int, blurred: wp.array3d(dtype=wp.vec3)
) -> wp.vec3:
    camera = shots.camera_N[i]
    pixel = 1.0 / float(size)
    blur = blur_radius(camera[2], camera[1], 1.0e6)
    step = behind_grid(blur / pixel)
    if step == 1:
        sx = (float(x) + 0.5) * pixel - 0.5
        sy = 0.5 - (float(y) + 0.5) * pixel
        return blurred_sky(world.texel, shots.background_N[i], shots.view_N[i], sx, sy, blur, pixel, SKY_TAPS)
    gx = (float(x) + 0.5) / float(step) + 0.5
    gy = (float(y) + 0.5) / float(step) + 0.5
    u, v = int(gx), int(gy)
    fx, fy = gx - float(u), gy - float(v)
    upper = wp.lerp(blurred[j, v, u], blurred[j, v, u + 1], fx)
    lower = wp.lerp(blurred[j, v + 1, u], blurred[j, v + 1, u + 1], fx)
    return wp.lerp(upper, lower, fy)


@wp.kernel
def compose(
    world: World, shots: Shots, first: int, size: int, tile: int, seen: wp.array3d(dtype=wp.vec4),
    spread: wp.array3d(dtype=wp.vec3), reach: wp.array3d(dtype=wp.vec2), bound: wp.array3d(dtype=wp.float32),
    blurred: wp.array3d(dtype=wp.vec3), out: wp.array4d(dtype=wp.uint8),
):  # fmt: skip
    """Finish images with blur: gather the discs of all pixels that reach this one."""
    j, y, x = wp.tid()
    i = j + first
    if shots.camera_N[i][2] == 0.0:
        return
    front = seen[j, y, x]
    mine = spread[j, y, x]
    widest = bound[j, y / tile, x / tile]
    if widest > 1.0:
        own_least, own_most = wp.float32(NOTHING), wp.float32(0.0)
        if mine[2] > 0.0:
            own_most = EDGE / wp.sqrt(mine[1])
            own_least = own_most
        total = wp.vec4(0.0)
        weights = wp.float32(0.0)
        span = int(widest)
        for ty in range(wp.max(y - span, 0) / tile, wp.min(y + span, size - 1) / tile + 1):
            for tx in range(wp.max(x - span, 0) / tile, wp.min(x + span, size - 1) / tile + 1):
                limits = reach[j, ty, tx]
                far = int(wp.max(own_most, limits[1]))
                # every pixel where discs are small, every second, third ... where all are wide
                step = wp.clamp(int(wp.min(own_least, limits[0]) / TAPS), 1, tile)
                low, left = wp.max(ty * tile, y - far), wp.max(tx * tile, x - far)
                low, left = (low + step - 1) / step * step, (left + step - 1) / step * step
                for v in range(low, wp.min(wp.min((ty + 1) * tile, size), y + far + 1), step):
                    for u in range(left, wp.min(wp.min((tx + 1) * tile, size), x + far + 1), step):
                        there = spread[j, v, u]
                        # what lies behind is spread no further than this pixel: it does not bleed over
                        if there[0] > mine[0]:
                            there = mine
                        off = float((u - x) * (u - x) + (v - y) * (v - y))
                        weight = share_at(off, there[1]) * there[2] * float(step * step)
                        total += seen[j, v, u] * weight
                        weights += weight
        own = front[3]
        inside = total / wp.max(weights, 1.0e-6)
        outside = total / wp.max(total[3], 1.0)
        front = inside * own + outside * (1.0 - own)
    develop(front, behind_pixel(world, shots, i, j, x, y, size, blurred), i, x, y, world.encode, out)
