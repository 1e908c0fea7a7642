# mypy: ignore-errors
# Warp compiles these functions itself; its types are not Python's.
"""Light at each pixel of a whole batch of different images, one thread a pixel, and the order of all passes.

From `World` (meshes, materials, backgrounds; shared) and `Shots` (one row an image) it writes uint8 (N, 3, H, W). Faces
are drawn (coverage.py), what they show is shaded here with rays towards the sun, and a lens blurs it afterwards
(lens.py). What a thread writes depends on its image's row and its place alone, so chunking, batch size and threads
change no byte. The camera looks along -z at the origin, where the object floats.
"""

from __future__ import annotations

from typing import Any

import warp as wp

from t2s_offline.render.builtin.coverage import cover, lattice
from t2s_offline.render.builtin.lens import NOTHING, backdrop, bokeh, compose, develop, tally
from t2s_offline.render.builtin.optics import HALF_VIEW, disc, fraction, scramble, tone
from t2s_offline.render.builtin.shading import Shots, World, shade, smooth_normal
from t2s_offline.render.builtin.sky import sky_window
from t2s_offline.render.builtin.surface import Surface, paint

wp.set_module_options({"enable_backward": False, "fast_math": True})

SUN_RADIUS = wp.constant(0.035)  # half the sun's angle in radians: a soft shadow edge
LIFT = wp.constant(0.002)  # shadow rays start this far off the surface
GPU_LANES = 128  # threads that draw the faces of one image
CPU_SAMPLES, GPU_SAMPLES = 1 << 22, 1 << 27  # samples kept at once, 8 bytes each; larger pictures go in bands


@wp.kernel
def trace(
    world: World,
    shots: Shots,
    first: int,
    size: int,
    top: int,
    rows: int,
    samples: int,
    met: wp.array(dtype=wp.uint64),
    seen: wp.array3d(dtype=wp.vec4),
    spread: wp.array3d(dtype=wp.vec3),
    out: wp.array4d(dtype=wp.uint8),
):
    """Light of each pixel. In focus it is finished at once; else seen gets the object's light times its share of the
    pixel, and that share, and spread how far the lens spreads it: see `bokeh`."""
    j, line, x = wp.tid()
    i = j + first
    y = line + top
    camera = shots.camera_N[i]
    depth, focus, lens = camera[0], camera[1], camera[2]
    pixel = 1.0 / float(size)
    key = scramble(shots.noise_N[i], wp.uint32(y * size + x))
    shift0 = float(key & wp.uint32(65535)) / 65536.0
    shift1 = float(key >> wp.uint32(16)) / 65536.0
    hits = wp.int32(0)
    total = wp.vec3(0.0)
    blur = wp.float32(0.0)
    own = ((j * rows + line) * size + x) * samples
    some = wp.uint64(0)
    for s in range(samples):
        some = some | met[own + s]
    if some != wp.uint64(0):
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
        flat = wp.vec3(0.0)
        part = wp.int32(-1)
        before = wp.int32(-1)
        lit = wp.bool(False)
        for s in range(samples):
            found = met[own + s]
            if found != wp.uint64(0):
                at = lattice(s, samples)
                face = int(wp.uint32(found))
                away = 1.0 / wp.cast(wp.uint32(found >> wp.uint64(32)), wp.float32)
                film = wp.vec3(
                    ((float(x) + at[0]) * pixel - 0.5) * 2.0 * HALF_VIEW,
                    (0.5 - (float(y) + at[1]) * pixel) * 2.0 * HALF_VIEW,
                    -1.0,
                )
                d = back * film
                p = origin + d * away
                fresh = wp.bool(False)
                if face != before:
                    before = face
                    corner = world.face[base + face]
                    a, b, c = (
                        world.vertex[corners + corner[0]],
                        world.vertex[corners + corner[1]],
                        world.vertex[corners + corner[2]],
                    )
                    across = wp.cross(b - a, c - a)
                    flat = wp.normalize(across)
                    if wp.dot(flat, d) > 0.0:
                        flat = -flat
                    now = world.component[base + face]
                    # patterns are filtered over the pixel: samples of one pixel on one smooth patch share their shading
                    if now != part or wp.dot(flat, shaded) < 0.97:
                        fresh = True
                        stretch = wp.length(film)
                        d = d / stretch
                        twice = wp.dot(across, across)
                        w0 = wp.clamp(wp.dot(wp.cross(c - b, p - b), across) / twice, 0.0, 1.0)
                        w1 = wp.clamp(wp.dot(wp.cross(a - c, p - c), across) / twice, 0.0, 1.0)
                        n = smooth_normal(world.normal, corner, corners, w0, w1, flat, d)
                        look.albedo = world.colour[colours + now]
                        material = shots.material_NK[i, now]
                        if material >= 0:
                            footprint = away * stretch * 2.0 * HALF_VIEW * pixel / wp.max(-wp.dot(flat, d), 0.3)
                            look = paint(world.material, material, p + grain, n, footprint)
                        ambient, direct = shade(look, n, flat, d, axis, sunlight, world.texel, sky, turn, pose, gain)
                        part = now
                        shaded = flat
                light = ambient
                if direct[0] + direct[1] + direct[2] > 0.004:
                    # ... and every second one its neighbour's look at the sun
                    if fresh or s % 2 == 0:
                        t = float(s)
                        spot = disc(fraction(shift0 + t * 0.6180340), fraction(shift1 + t * 0.7548777)) * SUN_RADIUS
                        sun = wp.normalize(axis + side * spot[0] + other * spot[1])
                        lit = not wp.mesh_query_ray_anyhit(mesh, p + (flat + sun) * LIFT, sun, 2.0)
                    if lit:
                        light = ambient + direct
                total += wp.vec3(tone(light[0]), tone(light[1]), tone(light[2]))
                blur += 1.0 / focus - 1.0 / away
                hits += 1

    share = 1.0 / float(samples)
    front = wp.vec4(total[0] * share, total[1] * share, total[2] * share, float(hits) * share)
    if lens == 0.0:
        behind = wp.vec3(0.0)
        if front[3] < 0.999:
            sx = (float(x) + 0.5) * pixel - 0.5
            sy = 0.5 - (float(y) + 0.5) * pixel
            behind = sky_window(world.texel, shots.background_N[i], shots.view_N[i], sx, sy, pixel)
        develop(front, behind, i, x, y, world.encode, out)
        return
    seen[j, y, x] = front
    if hits == 0:
        spread[j, y, x] = wp.vec3(NOTHING, NOTHING, 0.0)
    else:
        spread[j, y, x] = bokeh(blur * lens / (float(hits) * pixel * 2.0 * HALF_VIEW))


def launch(
    world: Any, shots: Any, out: Any, first: int, count: int, samples: int, device: str, stream: Any = None
) -> None:
    """Render images first to first + count of `shots` into out: uint8 (N, 3, H, W) on `device`."""
    size = out.shape[3]
    lanes, most = (1, CPU_SAMPLES) if device == "cpu" else (GPU_LANES, GPU_SAMPLES)
    band = min(size, max(1, most // (count * size * samples)))
    tile = max(8, size // 16)
    tiles, grid = -(-size // tile), size // 2 + 3
    where = {"device": device, "stream": stream}
    seen = wp.empty((count, size, size), dtype=wp.vec4, device=device)
    spread = wp.empty((count, size, size), dtype=wp.vec3, device=device)
    reach = wp.empty((count, tiles, tiles), dtype=wp.vec2, device=device)
    bound = wp.zeros((count, tiles, tiles), dtype=wp.float32, device=device)
    blurred = wp.empty((count, grid, grid), dtype=wp.vec3, device=device)
    for top in range(0, size, band):
        rows = min(band, size - top)
        met = wp.zeros(count * rows * size * samples, dtype=wp.uint64, device=device)
        frame = [size, top, rows, samples]
        wp.launch(cover, dim=(count, lanes), inputs=[world, shots, first, lanes, *frame], outputs=[met], **where)
        inputs = [world, shots, first, *frame, met]
        wp.launch(trace, dim=(count, rows, size), inputs=inputs, outputs=[seen, spread, out], **where)
    wp.launch(tally, dim=reach.shape, inputs=[shots, first, size, tile, spread], outputs=[reach, bound], **where)
    wp.launch(backdrop, dim=blurred.shape, inputs=[world, shots, first, size], outputs=[blurred], **where)
    inputs = [world, shots, first, size, tile, seen, spread, reach, bound, blurred]
    wp.launch(compose, dim=seen.shape, inputs=inputs, outputs=[out], **where)
