"""The renderer ``fractals``: iterated function systems, as in FractalDB (Kataoka et al., ACCV 2020).

A class is an iterated function system: 2 to 7 affine maps with coefficients uniform in [-1, 1), each chosen with a
probability proportional to |determinant|. Candidates are drawn until the points of one fill FILLING of the picture. An
object of the class is the system with one of its six coefficients, in every map, multiplied by 0.8, 0.9, 1.1 or 1.2;
object 0 is the system itself, so there are 25, or as many as asked for if fewer. A picture is what one object's points
fill, as grey 3 x 3 patches with random holes on black, flipped at random along each axis.

As in the authors' programs: the coefficients, the filling rate, 0.38 points a pixel, the grey value, the patches, the
margin, the weights, the flips. Otherwise here: points come from many short orbits in place of a long one; patches with
random holes pasted one over another are drawn as covered pixels of which a random half is on; pictures are drawn at
twice the size asked for, at 128 pixels at least, and averaged (the authors draw at 512 and scale down).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from t2s_offline.render.procedural import ProceduralRenderer, random_bytes, shrunk, uniform
from t2s_offline.render.scene import hash_key

MAPS = (2, 7)  # least and most maps of a system
FILLING = 0.2  # least share of pixels that the points of a class fill
DENSITY = 100_000 / 512**2  # points a pixel of the canvas
CANVAS = 128  # least pixels of the canvas, and those at which candidates are judged
MARGIN = 6 / 512  # of the canvas, on each side
GREY = 127.0
ORBIT, SKIPPED = 48, 20  # points kept of an orbit, and left out at its start
WEIGHTS = (0.8, 0.9, 1.1, 1.2)
OBJECTS = 1 + 6 * len(WEIGHTS)
TRIED = 16  # candidates of a class that are judged at a time
AT_ONCE = 1 << 22  # pixels of canvases in memory

Float32 = npt.NDArray[np.float32]


def candidates(key_N: npt.NDArray[np.uint64]) -> tuple[Float32, npt.NDArray[np.uint8]]:
    """Random systems: coefficients (N, 7, 6) as a, b, c, d, e, f of (ax + by + e, cx + dy + f), and which map each of
    256 equally likely numbers stands for, (N, 256)."""
    least, most = MAPS
    count_N = least + (uniform(key_N, 0, 1)[:, 0] * (most - least + 1)).astype(np.int64)
    system_NM6 = 2 * uniform(key_N, 1, most, 6) - 1
    a, b, c, d = np.moveaxis(system_NM6[:, :, :4], 2, 0)
    weight_NM = np.abs(a * d - b * c) * (np.arange(most) < count_N[:, None])
    share_NM = np.cumsum(weight_NM, axis=1) / weight_NM.sum(axis=1, keepdims=True)
    places = (np.arange(256, dtype=np.float32) + 0.5) / 256
    chosen_NB = (places[None, None] > share_NM[:, :-1, None]).sum(axis=1).astype(np.uint8)
    return system_NM6, chosen_NB


def orbits(system_NM6: Float32, chosen_NB: npt.NDArray[np.uint8], key_N: npt.NDArray[np.uint64], count: int) -> Float32:
    """`count` or a few more points of each system, float32 (N, points, 2), from orbits that start at the origin."""
    n, maps = system_NM6.shape[:2]
    chains, steps = -(-count // ORBIT), ORBIT + SKIPPED
    drawn_NTC = random_bytes(key_N, 2, steps * chains).reshape(n, steps, chains)
    number_TNC = np.take_along_axis(chosen_NB, drawn_NTC.reshape(n, -1).astype(np.int64), axis=1)
    number_TNC = number_TNC.reshape(n, steps, chains).transpose(1, 0, 2) + (maps * np.arange(n))[None, :, None]
    flat = system_NM6.reshape(-1, 6)
    point_N2C = np.zeros((n, chains, 2), dtype=np.float32)
    out = np.empty((n, ORBIT, chains, 2), dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # systems that expand leave the range of numbers
        for step in range(steps):
            m = flat[number_TNC[step]]
            x, y = point_N2C[..., 0], point_N2C[..., 1]
            point_N2C = np.stack(
                [m[..., 0] * x + m[..., 1] * y + m[..., 4], m[..., 2] * x + m[..., 3] * y + m[..., 5]], axis=-1
            )
            if step >= SKIPPED:
                out[:, step - SKIPPED] = point_N2C
    return np.nan_to_num(out.reshape(n, -1, 2), posinf=0, neginf=0)


def filled(point_NP2: Float32, size: int) -> npt.NDArray[np.bool_]:
    """Which pixels hold a point, (N, size, size), when the points are stretched to the canvas without its margin."""
    n, margin = len(point_NP2), MARGIN * size
    low, high = point_NP2.min(axis=1, keepdims=True), point_NP2.max(axis=1, keepdims=True)
    scale = (size - 1 - 2 * margin) / np.maximum(high - low, np.float32(1e-12))
    pixel = ((point_NP2 - low) * scale + margin).astype(np.int32)
    canvas = np.zeros(n * size * size, dtype=np.bool_)
    canvas[(np.arange(n)[:, None] * size + pixel[..., 1]) * size + pixel[..., 0]] = True
    return canvas.reshape(n, size, size)


@cache
def _class(number: int) -> tuple[Float32, npt.NDArray[np.uint8]]:
    """The first system (7, 6) that fills enough among the candidates of a class, and its choices (256,)."""
    first = 0
    while True:
        key = np.array([hash_key("fractals", number, first + at) for at in range(TRIED)], dtype=np.uint64)
        system, chosen = candidates(key)
        share = filled(orbits(system, chosen, key, int(DENSITY * CANVAS**2)), CANVAS).mean(axis=(1, 2))
        if (share >= FILLING).any():
            at = int(np.argmax(share >= FILLING))
            return system[at], chosen[at]
        first += TRIED


def weights(object_N: npt.NDArray[np.int64]) -> Float32:
    """What the six coefficients of objects are multiplied by, float32 (N, 6)."""
    table = np.ones((OBJECTS, 6), dtype=np.float32)
    for number in range(1, OBJECTS):
        at, coefficient = divmod(number - 1, 6)
        table[number, coefficient] = WEIGHTS[at]
    return table[object_N]


def draw(
    class_N: npt.NDArray[np.int64], object_N: npt.NDArray[np.int64], key_N: npt.NDArray[np.uint64], size: int
) -> npt.NDArray[np.uint8]:
    """See `procedural.Draw`."""
    scale = max(2, -(-CANVAS // size))
    step = max(1, AT_ONCE // (size * scale) ** 2)
    parts = [slice(start, start + step) for start in range(0, len(class_N), step)]
    return np.concatenate([_draw(class_N[part], object_N[part], key_N[part], size, scale) for part in parts])


def _draw(
    class_N: npt.NDArray[np.int64],
    object_N: npt.NDArray[np.int64],
    key_N: npt.NDArray[np.uint64],
    size: int,
    scale: int,
) -> npt.NDArray[np.uint8]:
    n, side = len(class_N), size * scale
    found = {number: _class(number) for number in np.unique(class_N).tolist()}
    system = np.stack([found[number][0] for number in class_N.tolist()]) * weights(object_N)[:, None]
    chosen = np.stack([found[number][1] for number in class_N.tolist()])
    point = filled(orbits(system, chosen, key_N, int(DENSITY * side**2)), side)
    patch = point.copy()
    for axis in (1, 2):  # each point covers its pixel and the next two
        line = np.moveaxis(patch, axis, 2)
        before = line.copy()
        line[:, :, 1:] |= before[:, :, :-1]
        line[:, :, 2:] |= before[:, :, :-2]
    holes = np.unpackbits(random_bytes(key_N, 3, -(-(side**2) // 8)), axis=1, count=side**2).view(np.bool_)
    on = patch & holes.reshape(n, side, side)
    flip = random_bytes(key_N, 4, 2) < 128
    on = np.where(flip[:, :1, None], on[:, ::-1], on)
    on = np.where(flip[:, 1:, None], on[:, :, ::-1], on)
    grey = shrunk((on * np.float32(GREY))[..., None], scale)
    return np.repeat(grey, 3, axis=1)


def open_renderer(
    *, classes: Sequence[str] | int | None = None, objects: int = 20, device: str = "auto"
) -> ProceduralRenderer:
    """The renderer; pictures are drawn on the CPU by one thread and handed out on `device`."""
    return ProceduralRenderer("fractals", draw, classes, min(objects, OBJECTS), device)
