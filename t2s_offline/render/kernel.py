# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""The ray tracer: one thread a pixel, a whole batch of different images a launch.

Comes in: `World` (meshes, materials, backgrounds; shared) and `Shots` (one row an image). Goes out: uint8 (N, 3, H, W).
A thread depends on its image's row and its pixel alone and writes only its own pixel, so chunking, batch size and
threads change no byte. Ignores where scene values come from. The camera looks along -z at the origin, where the
object floats; rays are traced in the object's own space.
"""

from __future__ import annotations

from typing import Any

import warp as wp

from t2s_offline.render.coverage import cover, near_object
from t2s_offline.render.optics import HALF_VIEW, blur_radius, disc, fraction, scramble, tone
from t2s_offline.render.shading import Shots, World, shade, smooth_normal
from t2s_offline.render.sky import sky_window
from t2s_offline.render.surface import Surface, paint

wp.set_module_options({"enable_backward": False, "fast_math": True})

SUN_RADIUS = wp.constant(0.035)  # half the sun's angle in radians: a soft shadow edge
MAX_REFINE = wp.constant(2)  # blurred images get up to this many times the samples
ENCODE_TOP = wp.constant(4095.0)  # last entry of the table from linear light to bytes
MAX_SHARE = wp.constant(6)  # and pixels that share what they saw this far, in pixels
LIFT = wp.constant(0.002)  # shadow rays start this far off the surface
BLUR_TAPS = wp.constant(4)


@wp.func
def develop(
    front: wp.vec4,
    i: int,
    x: int,
    y: int,
    texel: wp.array(dtype=wp.vec3ub),
    sky: int,
    view: wp.vec3,
    camera: wp.vec4,
    turn: float,
    encode: wp.array(dtype=wp.uint8),
    out: wp.array4d(dtype=wp.uint8),
):
    """Lay what the rays saw (light and share of the pixel) over the background, and write the pixel's bytes."""
    colour = wp.vec3(front[0], front[1], front[2])
    if front[3] < 0.999:
        pixel = 1.0 / float(out.shape[3])
        sx = (float(x) + 0.5) * pixel - 0.5
        sy = 0.5 - (float(y) + 0.5) * pixel
        blur = blur_radius(camera[2], camera[1], 1.0e6)
        behind = wp.vec3(0.0)
        if blur < 0.75 * pixel:
            behind = sky_window(texel, sky, view, sx, sy, pixel)
        else:
            for s in range(BLUR_TAPS):
                spot = disc((float(s) + 0.5) / float(BLUR_TAPS), turn + float(s) * 0.3819660) * blur
                behind += sky_window(texel, sky, view, sx + spot[0], sy + spot[1], blur) / float(BLUR_TAPS)
        colour += behind * (1.0 - front[3])
    for channel in range(3):
        out[i, channel, y, x] = encode[int(wp.clamp(colour[channel], 0.0, 1.0) * ENCODE_TOP + 0.5)]


@wp.kernel
def trace(
    world: World,
    shots: Shots,
    first: int,
    size: int,
    samples: int,
    seen: wp.array3d(dtype=wp.vec4),
    smear: wp.array3d(dtype=wp.float32),
    out: wp.array4d(dtype=wp.uint8),
):
    """Rays of each pixel. In focus it is finished at once; else seen gets the object's light times its share of the
    pixel, and that share, and smear how far the lens spreads what the rays met, in pixels."""
    j, y, x = wp.tid()
    i = j + first
    camera = shots.camera_N[i]
    depth, focus, lens, radius = camera[0], camera[1], camera[2], camera[3]
    pixel = 1.0 / float(size)
    key = scramble(shots.noise_N[i], wp.uint32(y * size + x))
    shift0 = float(key & wp.uint32(65535)) / 65536.0
    shift1 = float(key >> wp.uint32(16)) / 65536.0
    sx = (float(x) + 0.5) * pixel - 0.5
    sy = 0.5 - (float(y) + 0.5) * pixel

    widest = wp.max(blur_radius(lens, focus, depth - radius), blur_radius(lens, focus, depth + radius))
    count = samples
    traced = wp.int32(0)
    hits = wp.int32(0)
    total = wp.vec3(0.0)
    spread = wp.float32(0.0)
    if near_object(shots.cover_NR, i, sx, sy, widest + pixel):
        count = samples * wp.min(MAX_REFINE, 1 + int(widest / pixel))
        obj = shots.object_N[i]
        mesh = world.mesh_O[obj]
        base, corners, colours = world.face_start_O[obj], world.vertex_start_O[obj], world.component_start_O[obj]
        sky, turn, grain, sunlight = shots.background_N[i], shots.view_N[i][0], shots.grain_N[i], shots.light_N[i]
        gain = world.ambient_B[sky]
        pose = shots.pose_N[i]
        back = wp.transpose(pose)
        look = Surface()
        look.roughness = 0.5
        look.metalness = 0.0
        axis = back * shots.sun_N[i]
        side = wp.normalize(
            wp.cross(axis, wp.where(wp.abs(axis[1]) < 0.9, wp.vec3(0.0, 1.0, 0.0), wp.vec3(1.0, 0.0, 0.0)))
        )
        other = wp.cross(axis, side)
        origin = back * wp.vec3(0.0, 0.0, depth)
        ambient = wp.vec3(0.0)
        direct = wp.vec3(0.0)
        shaded = wp.vec3(0.0)
        part = wp.int32(-1)
        lit = wp.bool(False)
        dim = wp.float32(2.0)
        bright = wp.float32(-1.0)
        for s in range(count):
            # in focus one lattice serves every pixel (clean edges); on the lens and the sun a Kronecker sequence,
            # shifted for each pixel, turns what too few rays miss into fine grain
            t = float(s)
            jx = (t + 0.5) / float(count)
            jy = fraction(0.5 + t * 0.6180340)
            if lens > 0.0:
                jx = fraction(shift0 + t * 0.7548777)
                jy = fraction(shift1 + t * 0.5698403)
            film = wp.vec3(
                (sx + (jx - 0.5) * pixel) * 2.0 * HALF_VIEW, (sy + (jy - 0.5) * pixel) * 2.0 * HALF_VIEW, -1.0
            )
            o = origin
            if lens > 0.0:
                spot = disc(fraction(shift1 + t * 0.8191725), fraction(shift0 + t * 0.6710436)) * lens
                aside = wp.vec3(spot[0], spot[1], 0.0)
                o = origin + back * aside
                film = film * focus - aside
            film = wp.normalize(film)
            d = back * film
            hit = wp.mesh_query_ray(mesh, o, d, 1000.0)
            traced += 1
            if hit.result:
                flat = wp.where(wp.dot(hit.normal, d) > 0.0, -hit.normal, hit.normal)
                p = o + d * hit.t
                now = world.component[base + hit.face]
                # patterns are filtered over the pixel: rays of one pixel on one smooth patch share their shading
                fresh = now != part or wp.dot(flat, shaded) < 0.97 or (lens > 0.0 and s % 2 == 0)
                if fresh:
                    n = smooth_normal(world.normal, world.face[base + hit.face], corners, hit.u, hit.v, flat, d)
                    look.albedo = world.colour[colours + now]
                    material = shots.material_NK[i, now]
                    if material >= 0:
                        footprint = hit.t * 2.0 * HALF_VIEW * pixel / wp.max(-wp.dot(flat, d), 0.3)
                        look = paint(world.material, material, p + grain, n, footprint)
                    ambient, direct = shade(look, n, flat, d, axis, sunlight, world.texel, sky, turn, pose, gain)
                    part = now
                    shaded = flat
                light = ambient
                if direct[0] + direct[1] + direct[2] > 0.004:
                    # ... and every second one its neighbour's look at the sun
                    if fresh or s % 2 == 0:
                        spot = disc(fraction(shift0 + t * 0.6180340), fraction(shift1 + t * 0.7548777)) * SUN_RADIUS
                        sun = wp.normalize(axis + side * spot[0] + other * spot[1])
                        lit = not wp.mesh_query_ray_anyhit(mesh, p + (flat + sun) * LIFT, sun, 2.0)
                    if lit:
                        light = ambient + direct
                light = wp.vec3(tone(light[0]), tone(light[1]), tone(light[2]))
                total += light
                spread += blur_radius(lens, focus, -hit.t * film[2])
                grey = light[0] + light[1] + light[2]
                dim = wp.min(dim, grey)
                bright = wp.max(bright, grey)
                hits += 1
            # more rays are for pixels where the first ones disagree
            if traced == samples and hits == samples and bright - dim < 0.08:
                break
            if traced == 2 * samples and hits == 0:
                break

    share = 1.0 / float(wp.max(traced, 1))
    front = wp.vec4(total[0] * share, total[1] * share, total[2] * share, float(hits) * share)
    if lens == 0.0:
        develop(front, i, x, y, world.texel, shots.background_N[i], shots.view_N[i], camera, shift0, world.encode, out)
        return
    seen[j, y, x] = front
    smear[j, y, x] = spread / (float(wp.max(hits, 1)) * pixel)


@wp.kernel
def compose(
    world: World,
    shots: Shots,
    first: int,
    size: int,
    seen: wp.array3d(dtype=wp.vec4),
    smear: wp.array3d(dtype=wp.float32),
    out: wp.array4d(dtype=wp.uint8),
):
    """Finish images with blur: neighbouring pixels share what their rays found, since rays are few and what they found
    is spread at least that far anyway."""
    j, y, x = wp.tid()
    i = j + first
    camera = shots.camera_N[i]
    if camera[2] == 0.0:
        return
    depth, focus, lens, radius = camera[0], camera[1], camera[2], camera[3]
    pixel = 1.0 / float(size)
    front = seen[j, y, x]
    widest = wp.max(blur_radius(lens, focus, depth - radius), blur_radius(lens, focus, depth + radius)) / pixel
    sx = (float(x) + 0.5) * pixel - 0.5
    sy = 0.5 - (float(y) + 0.5) * pixel
    if widest > 0.75 and near_object(shots.cover_NR, i, sx, sy, (1.5 * widest + 1.0) * pixel):
        span = wp.min(int(0.5 * widest) + 1, MAX_SHARE)
        own = smear[j, y, x]
        total = wp.vec4(0.0)
        weights = wp.float32(0.0)
        for v in range(wp.max(y - span, 0), wp.min(y + span + 1, size)):
            for u in range(wp.max(x - span, 0), wp.min(x + span + 1, size)):
                reach = 0.45 * wp.max(own, smear[j, v, u])
                off = float((u - x) * (u - x) + (v - y) * (v - y))
                weight = wp.max(0.0, 1.0 - off / (reach * reach + 0.8))
                total += seen[j, v, u] * weight
                weights += weight
        front = total / weights
    turn = float(scramble(shots.noise_N[i], wp.uint32(y * size + x)) & wp.uint32(65535)) / 65536.0
    develop(front, i, x, y, world.texel, shots.background_N[i], shots.view_N[i], camera, turn, world.encode, out)


def launch(
    world: Any, shots: Any, out: Any, first: int, count: int, samples: int, device: str, stream: Any = None
) -> None:
    """Render images first to first + count of `shots` into out: uint8 (N, 3, H, W) on `device`."""
    size = out.shape[3]
    shape = (count, size, size)
    seen = wp.empty(shape, dtype=wp.vec4, device=device)
    smear = wp.empty(shape, dtype=wp.float32, device=device)
    where = {"device": device, "stream": stream}
    wp.launch(cover, dim=count, inputs=[world, shots, first], **where)
    wp.launch(trace, dim=shape, inputs=[world, shots, first, size, samples], outputs=[seen, smear, out], **where)
    wp.launch(compose, dim=shape, inputs=[world, shots, first, size, seen, smear], outputs=[out], **where)
