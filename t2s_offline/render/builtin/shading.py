# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""What the kernel is given, and the light that leaves a point of an object.

`World` holds meshes, materials and backgrounds, shared by all images; `Shots` has one row an image. For a point that a
ray met, the linear light from all around and from the sun are returned apart, since only the sun casts a shadow.
Surfaces are diffuse with a GGX highlight.
"""

from __future__ import annotations

import warp as wp

from t2s_offline.render.builtin.optics import fifth
from t2s_offline.render.builtin.sky import sky_level
from t2s_offline.render.builtin.surface import Surface

wp.set_module_options({"enable_backward": False, "fast_math": True})

SUN = wp.constant(2.0)  # sunlight on a white surface that faces it


# Device functions take arrays one by one: a struct is copied for every call, which on a CPU costs more than a ray.


@wp.struct
class World:
    """Shared by all images. O objects; M materials; flat arrays are packed as in MeshSet; texels as in backgrounds."""

    mesh_O: wp.array(dtype=wp.uint64)
    vertex_start_O: wp.array(dtype=wp.int32)
    face_start_O: wp.array(dtype=wp.int32)
    component_start_O: wp.array(dtype=wp.int32)
    normal: wp.array(dtype=wp.vec3)
    face: wp.array(dtype=wp.vec3i)
    component: wp.array(dtype=wp.int32)
    vertex: wp.array(dtype=wp.vec3)
    colour: wp.array(dtype=wp.vec3)
    material: wp.array2d(dtype=wp.float32)
    texel: wp.array(dtype=wp.vec3ub)
    ambient_B: wp.array(dtype=wp.float32)
    encode: wp.array(dtype=wp.uint8)


@wp.struct
class Shots:
    """One row an image. pose: object to world; camera: distance, focus distance, lens radius, radius of the object's
    bounding sphere; sun: unit vector towards the light; view: turn, height and zoom in the background."""

    object_N: wp.array(dtype=wp.int32)
    noise_N: wp.array(dtype=wp.uint32)
    pose_N: wp.array(dtype=wp.mat33)
    camera_N: wp.array(dtype=wp.vec4)
    sun_N: wp.array(dtype=wp.vec3)
    light_N: wp.array(dtype=wp.vec3)
    background_N: wp.array(dtype=wp.int32)
    view_N: wp.array(dtype=wp.vec3)
    grain_N: wp.array(dtype=wp.vec3)
    material_NK: wp.array2d(dtype=wp.int32)


@wp.func
def smooth_normal(
    normal: wp.array(dtype=wp.vec3), corner: wp.vec3i, first: int, w0: float, w1: float, flat: wp.vec3, d: wp.vec3
) -> wp.vec3:
    """The normal at barycentric place (w0, w1) of a face, on the side of `flat`, its plane's normal towards the eye."""
    n = wp.normalize(
        w0 * normal[first + corner[0]] + w1 * normal[first + corner[1]] + (1.0 - w0 - w1) * normal[first + corner[2]]
    )
    if wp.dot(n, flat) < 0.0:
        n = -n
    slope = wp.dot(n, d)
    if slope > -0.02:  # a smoothed normal that faces away: bend it back towards the eye
        n = wp.normalize(n - d * (slope + 0.02))
    return n


@wp.func
def shade(
    look: Surface,
    n: wp.vec3,
    flat: wp.vec3,
    d: wp.vec3,
    sun: wp.vec3,
    sunlight: wp.vec3,
    texel: wp.array(dtype=wp.vec3ub),
    b: int,
    turn: float,
    pose: wp.mat33,
    gain: float,
):
    """Light that leaves a surface with normal n against the ray d (object space): from all around, that is from
    background b as the scene is turned, times `gain`; and from the sun, if nothing stands between."""
    facing = wp.max(-wp.dot(n, d), 0.02)
    f0 = wp.vec3(0.04) * (1.0 - look.metalness) + look.albedo * look.metalness
    matt = look.albedo * (1.0 - look.metalness)

    # the background lights the object: far-blurred by the normal, less so by the mirror direction
    around = sky_level(texel, b, turn, pose * n, 6.0)
    gloss = sky_level(texel, b, turn, pose * (d + n * (2.0 * facing)), wp.floor(2.5 + 4.0 * look.roughness))
    shine = f0 + (wp.vec3(1.0) - f0) * (fifth(1.0 - facing) * (1.0 - look.roughness))
    ambient = (wp.cw_mul(matt, around) + wp.cw_mul(shine, gloss)) * gain

    direct = wp.vec3(0.0)
    lit = wp.dot(n, sun)
    if lit > 0.0 and wp.dot(flat, sun) > -0.2:
        half = wp.normalize(sun - d)
        nh = wp.dot(n, half)
        rough2 = wp.max(look.roughness * look.roughness, 0.02)
        a2 = rough2 * rough2
        bell = nh * nh * (a2 - 1.0) + 1.0
        k = rough2 * 0.5
        ggx = a2 / (bell * bell * 4.0 * (facing * (1.0 - k) + k) * (lit * (1.0 - k) + k))
        mirror = (f0 + (wp.vec3(1.0) - f0) * fifth(1.0 + wp.dot(d, half))) * wp.min(ggx, 40.0)
        direct = wp.cw_mul(matt + mirror, sunlight) * (lit * SUN)
    return ambient, direct
