# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""Device functions of the camera: sampling numbers, blur, and light to a byte.

They take and return plain numbers and small vectors.
"""

from __future__ import annotations

import warp as wp

wp.set_module_options({"enable_backward": False, "fast_math": True})

HALF_VIEW = wp.constant(0.3153)  # tangent of half the angle of view (35 degrees)
MIX_A = wp.constant(wp.uint32(2654435769))
MIX_B = wp.constant(wp.uint32(747796405))
MIX_C = wp.constant(wp.uint32(2891336453))
MIX_D = wp.constant(wp.uint32(277803737))


@wp.func
def scramble(a: wp.uint32, b: wp.uint32) -> wp.uint32:
    """A 32-bit hash of two numbers (PCG output mix)."""
    state = (a ^ (b * MIX_A)) * MIX_B + MIX_C
    word = ((state >> ((state >> wp.uint32(28)) + wp.uint32(4))) ^ state) * MIX_D
    return (word >> wp.uint32(22)) ^ word


@wp.func
def fraction(a: float) -> float:
    return a - wp.floor(a)


@wp.func
def disc(a: float, b: float) -> wp.vec2:
    """Two uniforms to a point of the unit disc."""
    r = wp.sqrt(a)
    return wp.vec2(r * wp.cos(6.2831853 * b), r * wp.sin(6.2831853 * b))


@wp.func
def tone(c: float) -> float:
    """Unbounded linear light to 0..1: unchanged up to 0.4, highlights bent above."""
    x = wp.max(c - 0.4, 0.0) / 0.6
    return wp.min(c, 0.4) + 0.6 * x / (1.0 + x)


@wp.func
def fifth(c: float) -> float:
    """c**5, of Schlick's approximation to Fresnel's law."""
    return c * c * c * c * c


@wp.func
def blur_radius(lens: float, focus: float, depth: float) -> float:
    """Circle of confusion of a point at `depth`, as a fraction of the frame's width."""
    return lens * wp.abs(1.0 / focus - 1.0 / depth) / (2.0 * HALF_VIEW)
