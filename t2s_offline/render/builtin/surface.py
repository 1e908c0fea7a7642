# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""Device functions for what a ray meets: the patterns of the materials.

They take a material's row, a point and the width of the pixel there (its footprint), and return the surface's look.
Patterns are solid (3-D) or laid on by the face's main axis, and fade to their mean as the footprint outgrows them, so
that fine ones do not alias.
"""

from __future__ import annotations

import warp as wp

wp.set_module_options({"enable_backward": False, "fast_math": True})


@wp.struct
class Surface:
    """albedo: linear RGB; roughness and metalness: 0 to 1."""

    albedo: wp.vec3
    roughness: float
    metalness: float


@wp.func
def wave(x: float, width: float) -> float:
    """A square wave of period 1, 0..1, averaged over `width`: its edges soften and it fades to a half."""
    w = wp.max(width, 1.0e-4)
    saw = wp.abs(x - wp.floor(x) - 0.5) * 2.0 - 0.5
    soft = wp.clamp(0.5 + saw / wp.min(2.0 * w, 1.0), 0.0, 1.0)
    return wp.lerp(soft, 0.5, wp.clamp(2.0 * w - 0.5, 0.0, 1.0))


@wp.func
def cloud(p: wp.vec3, width: float) -> float:
    """Three octaves of gradient noise, about -1..1, without those finer than the footprint."""
    seed = wp.uint32(7)
    total = wp.noise(seed, p) * wp.clamp(1.5 - 1.5 * width, 0.0, 1.0)
    total += 0.5 * wp.noise(seed, p * 2.03) * wp.clamp(1.5 - 3.0 * width, 0.0, 1.0)
    if width < 0.25:
        total += 0.25 * wp.noise(seed, p * 4.01) * wp.clamp(1.5 - 6.0 * width, 0.0, 1.0)
    return total * 1.3


@wp.func
def cell(p: wp.vec3, a: float) -> float:
    """A number 0..1 for the unit cube that holds p."""
    q = wp.sin(wp.floor(p[0]) * 12.9898 + wp.floor(p[1]) * 78.233 + wp.floor(p[2]) * 37.719 + a) * 437.5453
    return q - wp.floor(q)


@wp.func
def unroll(p: wp.vec3, n: wp.vec3) -> wp.vec2:
    """Place on the side of a cube that the normal faces: bricks and cloth need a plane."""
    a = wp.vec3(wp.abs(n[0]), wp.abs(n[1]), wp.abs(n[2]))
    if a[1] > a[0] and a[1] > a[2]:
        return wp.vec2(p[0], p[2])
    if a[0] > a[2]:
        return wp.vec2(p[2], p[1])
    return wp.vec2(p[0], p[1])


@wp.func
def band(x: float, half: float, width: float) -> float:
    """1 within `half` of a whole number, averaged over `width`."""
    off = wp.abs(x - wp.floor(x + 0.5))
    w = wp.max(width, 0.01)
    return wp.clamp(0.5 + (half - off) / w, 0.0, 1.0) * wp.min(1.0, 2.0 * half / w + 0.15)


@wp.func
def checker(p: wp.vec3, w: float) -> float:
    a = 2.0 * wave(0.5 * p[0], 0.5 * w) - 1.0
    b = 2.0 * wave(0.5 * p[1], 0.5 * w) - 1.0
    c = 2.0 * wave(0.5 * p[2], 0.5 * w) - 1.0
    return 0.5 + 0.5 * a * b * c


@wp.func
def wood(p: wp.vec3, w: float) -> float:
    """Rings about a long axis, bent by noise, with grain along it."""
    bend = cloud(wp.vec3(p[0] * 0.35, p[1] * 0.12, p[2] * 0.35), 0.3 * w)
    ring = wp.sqrt(p[0] * p[0] + p[2] * p[2]) + 1.2 * bend + 0.15 * p[1]
    grain = wp.noise(wp.uint32(3), wp.vec3(p[0] * 4.0, p[1] * 0.4, p[2] * 4.0)) * wp.clamp(1.5 - 5.0 * w, 0.0, 1.0)
    saw = ring - wp.floor(ring)
    return wp.clamp(0.45 + (saw * saw - 0.33) * wp.clamp(1.5 - 1.5 * w, 0.0, 1.0) + 0.25 * grain, 0.0, 1.0)


@wp.func
def bricks(q: wp.vec2, w: float) -> float:
    """Full at the mortar; the tone differs from brick to brick."""
    row = wp.floor(q[1])
    a = q[0] * 0.5 + 0.5 * (row - 2.0 * wp.floor(row * 0.5))
    joint = wp.max(band(a, 0.04, 0.5 * w), band(q[1], 0.08, w))
    return wp.max(joint, 0.3 * cell(wp.vec3(a, row, 0.0), 1.0) * wp.clamp(1.5 - w, 0.0, 1.0))


@wp.func
def dots(p: wp.vec3, w: float) -> float:
    """One ball in each cube."""
    far = wp.length(wp.vec3(p[0] - wp.floor(p[0]) - 0.5, p[1] - wp.floor(p[1]) - 0.5, p[2] - wp.floor(p[2]) - 0.5))
    inside = wp.clamp(0.5 + (0.42 - far) / wp.max(w, 0.02), 0.0, 1.0)
    return 1.0 - wp.lerp(inside, 0.3, wp.clamp(w - 0.5, 0.0, 1.0))


@wp.func
def weave(q: wp.vec2, w: float) -> float:
    """Threads over and under, thicker here and there."""
    over = wave(0.5 * q[0], 0.5 * w) + wave(0.5 * q[1] + 0.25, 0.5 * w)
    slub = 0.3 * wp.noise(wp.uint32(13), wp.vec3(q[0] * 0.2, q[1] * 0.2, 1.0))
    return wp.clamp(0.5 * over + slub, 0.0, 1.0)


@wp.func
def speckle(p: wp.vec3, w: float) -> float:
    fine = cell(p, 2.0) * wp.clamp(1.5 - 0.75 * w, 0.0, 1.0) + 0.5 * wp.clamp(0.75 * w - 0.5, 0.0, 1.0)
    return wp.clamp(1.6 * fine * cell(p * 0.45, 3.0) + 0.2 * wp.noise(wp.uint32(17), p * 0.15), 0.0, 1.0)


@wp.func
def pattern(kind: int, p: wp.vec3, n: wp.vec3, w: float) -> float:
    """How much of the second colour lies at p (in repeats of the pattern), 0..1; w: footprint in repeats."""
    if kind == 1:
        return checker(p, w)
    if kind == 2:  # stripes
        return wave(p[1] + 0.25 * p[0], w)
    if kind == 3:  # noise: worn patches
        return wp.clamp(0.5 + 1.4 * cloud(p * 0.7, 0.7 * w), 0.0, 1.0)
    if kind == 4:
        return wood(p, w)
    if kind == 5:  # marble: veins where warped noise passes zero
        vein = wp.abs(cloud(p * 0.6 + wp.vec3(1.0) * wp.noise(wp.uint32(5), p * 0.4), 0.6 * w))
        return wp.clamp(1.0 - vein * 3.2, 0.0, 1.0) * 0.9
    if kind == 6:
        return bricks(unroll(p, n), w)
    if kind == 7:
        return dots(p, w)
    if kind == 8:  # brushed: long fine scratches
        scratch = wp.noise(wp.uint32(9), wp.vec3(p[0] * 0.3, p[1] * 6.0, p[2] * 0.3))
        return wp.clamp(0.5 + 0.9 * scratch * wp.clamp(2.0 - 4.0 * w, 0.2, 1.0), 0.0, 1.0)
    if kind == 9:
        return weave(unroll(p, n), w)
    if kind == 10:
        return speckle(p, w)
    if kind == 11:  # camo: sharp-edged patches
        return wp.clamp(0.5 + 0.5 * cloud(p * 0.55, 0.55 * w) / wp.max(0.04, 0.4 * w), 0.0, 1.0)
    return 0.0


@wp.func
def paint(rows: wp.array2d(dtype=wp.float32), m: int, p: wp.vec3, n: wp.vec3, footprint: float) -> Surface:
    """The look of material m at point p (object space, unit diameter), normal n; columns as in materials.py."""
    scale = rows[m, 9]
    first = wp.vec3(rows[m, 0], rows[m, 1], rows[m, 2])
    second = wp.vec3(rows[m, 3], rows[m, 4], rows[m, 5])
    mix = pattern(int(rows[m, 8]), p * scale, n, footprint * scale) * rows[m, 10]
    look = Surface()
    look.albedo = first * (1.0 - mix) + second * mix
    look.roughness = wp.min(1.0, rows[m, 6] * (1.0 + 0.3 * mix))
    look.metalness = rows[m, 7]
    if look.metalness < 0.9:  # worn metal: what covers it is not metal
        look.metalness = look.metalness * (1.0 - mix)
    return look
