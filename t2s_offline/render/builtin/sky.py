# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""Device functions that look a background up: behind the frame, or all around the object.

They take the texels of all backgrounds (see backgrounds.py) and a place or a direction with a blur, and return linear
light. Blurs choose one of the halved copies, so that no look-up costs more than eight texels.
"""

from __future__ import annotations

import warp as wp

from t2s_offline.render.builtin.backgrounds import HEIGHT as SKY_HEIGHT
from t2s_offline.render.builtin.backgrounds import LEVELS as SKY_LEVELS
from t2s_offline.render.builtin.backgrounds import WIDTH as SKY_WIDTH

wp.set_module_options({"enable_backward": False, "fast_math": True})

WIDTH = wp.constant(SKY_WIDTH)
HEIGHT = wp.constant(SKY_HEIGHT)
TOP = wp.constant(SKY_LEVELS - 1)
TEXELS = wp.constant(sum((SKY_WIDTH >> level) * (SKY_HEIGHT >> level) for level in range(SKY_LEVELS)))
WINDOW = wp.constant(0.72)  # how much of a background's height a frame shows at zoom 1


@wp.func
def texel_light(texel: wp.array(dtype=wp.vec3ub), at: int) -> wp.vec3:
    """Texels hold the square root of linear light: cheap to undo, and kind to dark tones."""
    c = texel[at]
    r, g, b = float(c[0]), float(c[1]), float(c[2])
    return wp.vec3(r * r, g * g, b * b) * 1.5378700e-5


@wp.func
def bilinear(texel: wp.array(dtype=wp.vec3ub), b: int, level: int, u: float, v: float) -> wp.vec3:
    """Level `level` of background b at (u, v); u wraps round, v stops at the edges."""
    start = b * TEXELS
    for k in range(level):
        start += (WIDTH >> k) * (HEIGHT >> k)
    w = WIDTH >> level
    h = HEIGHT >> level
    x = (u - wp.floor(u)) * float(w) - 0.5
    y = wp.clamp(v, 0.0, 1.0) * float(h) - 0.5
    x0, y0 = int(wp.floor(x)), int(wp.floor(y))
    fx, fy = x - float(x0), y - float(y0)
    left = wp.where(x0 < 0, w - 1, x0)
    right = wp.where(x0 + 1 >= w, 0, x0 + 1)
    above = wp.clamp(y0, 0, h - 1) * w + start
    below = wp.clamp(y0 + 1, 0, h - 1) * w + start
    upper = wp.lerp(texel_light(texel, above + left), texel_light(texel, above + right), fx)
    lower = wp.lerp(texel_light(texel, below + left), texel_light(texel, below + right), fx)
    return wp.lerp(upper, lower, fy)


@wp.func
def trilinear(texel: wp.array(dtype=wp.vec3ub), b: int, level: float, u: float, v: float) -> wp.vec3:
    at = wp.clamp(level, 0.0, float(TOP))
    low = int(at)
    blend = at - float(low)
    light = bilinear(texel, b, low, u, v)
    if blend > 0.01:
        light = wp.lerp(light, bilinear(texel, b, wp.min(low + 1, TOP), u, v), blend)
    return light


@wp.func
def sky_level(texel: wp.array(dtype=wp.vec3ub), b: int, turn: float, d: wp.vec3, level: float) -> wp.vec3:
    """Light from direction d: the picture wrapped round the scene, at a blurred level."""
    return trilinear(texel, b, level, turn + 0.1591549 * wp.atan2(d[0], -d[2]), 0.5 - 0.5 * d[1])


@wp.func
def sky_window(texel: wp.array(dtype=wp.vec3ub), b: int, view: wp.vec3, sx: float, sy: float, blur: float) -> wp.vec3:
    """The picture behind frame place (sx, sy), -0.5..0.5; view: turn, height, zoom; blur: width in frames."""
    span = WINDOW / view[2]
    centre = 0.5 + (view[1] - 0.5) * wp.max(0.0, 1.0 - span)
    u = view[0] + sx * span * float(HEIGHT) / float(WIDTH)
    level = wp.log2(wp.max(1.0, blur * span * float(HEIGHT)))
    return trilinear(texel, b, level, u, centre - sy * span)
