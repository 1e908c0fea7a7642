"""The renderer ``dead_leaves``: shapes that occlude each other, as in Baradad et al. (2021).

The paper ("Learning to See by Looking at Noise", NeurIPS) trains on such pictures by contrast, without classes. Here a
class is the statistics of a picture: the family of the shapes (discs, squares, turned squares, rectangles, triangles,
quadrilaterals: class number modulo 6), the distribution of their sizes (density proportional to radius ** -power, from
a smallest radius to the picture's width) and that of their colours (uniform in a box of sRGB). A class draws power,
smallest radius and box from its number; the boxes of classes overlap, so that colour alone does not name a class. An
object of the class moves each of these by up to WOBBLE of its range; object 0 is the class itself, and there are
OBJECTS at most. A picture draws the shapes: where, how large, turned how, in which colour.

As in the authors' program: the families, and their power (3) and smallest radius (0.03) as the middle and the least of
the ranges. Otherwise here: shapes are drawn until they cover each pixel LAYERS times on average, and what is left has
one more colour (the authors go on until nothing is left, or 5000 shapes); pictures are drawn at twice the size and
averaged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from t2s_offline.render.procedural import ProceduralRenderer, shrunk, uniform
from t2s_offline.render.scene import hash_key

FAMILIES = ("discs", "squares", "turned squares", "rectangles", "triangles", "quadrilaterals")
#: Mean area of a shape of each family over its squared radius; the corners of all but discs lie on a circle.
AREA = np.array([np.pi, 2.0, 2.0, 4 / np.pi, 1.5 / np.pi, 3 / np.pi])
POWER = (2.2, 3.8)  # of the radius, in its density
SMALLEST = (0.03, 0.12)  # radius, of the picture's width; equal ratios are equally likely
CENTRE = (0.35, 0.65)  # of the box of colours, each of red, green, blue
WIDTH = (0.4, 0.9)  # of the box of colours
WOBBLE = 0.1  # of these ranges, either way
OBJECTS = 100
LAYERS = 4.0
SCALE = 2  # pixels of the canvas a pixel
AT_ONCE = 1 << 21  # pixels of canvases, and of shapes' boxes, in memory

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


def statistics(class_N: Int64, object_N: Int64) -> npt.NDArray[np.float64]:
    """Power, smallest radius, centre of the box (3), its width (3) of objects: (N, 8)."""
    pairs, back_N = np.unique(np.stack([class_N, object_N], axis=1), axis=0, return_inverse=True)
    own = np.array([hash_key("dead_leaves", label) for label, _ in pairs.tolist()], dtype=np.uint64)
    moved = np.array([hash_key("dead_leaves", *pair) for pair in pairs.tolist()], dtype=np.uint64)
    wobble = WOBBLE * (2 * uniform(moved, 0, 8) - 1) * (pairs[:, 1:] > 0)
    place = np.clip(uniform(own, 0, 8) + wobble, 0, 1).astype(np.float64)
    low = np.array([POWER[0], np.log(SMALLEST[0]), *[CENTRE[0]] * 3, *[WIDTH[0]] * 3])
    high = np.array([POWER[1], np.log(SMALLEST[1]), *[CENTRE[1]] * 3, *[WIDTH[1]] * 3])
    value = low + place * (high - low)
    value[:, 1] = np.exp(value[:, 1])
    return value[back_N.ravel()]


def mean_square(power: npt.NDArray[np.float64], smallest: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean of the squared radius, of the picture's width."""
    one, three = 1 - power, 3 - power
    return np.asarray((1 - smallest**three) / three * one / (1 - smallest**one))


def angles(family_N: Int64, key_N: npt.NDArray[np.uint64], most: int) -> Float32:
    """Corners of shapes as angles in increasing order on their circle, (N, shapes, 4); triangles name one twice."""
    turn = np.float32(2 * np.pi)
    random = np.sort(turn * uniform(key_N, 3, most, 4), axis=2)
    square = np.float32(np.pi / 4) + np.float32(np.pi / 2) * np.arange(4, dtype=np.float32)
    turned = square + turn * uniform(key_N, 4, most, 1)
    lean = np.float32(np.pi / 2) * uniform(key_N, 5, most, 1)
    rectangle = np.concatenate([lean, np.float32(np.pi) - lean, np.float32(np.pi) + lean, turn - lean], axis=2)
    triangle = random[:, :, [0, 1, 2, 2]]
    family = family_N[:, None, None]
    return np.select(
        [family <= 1, family == 2, family == 3, family == 4],
        [np.broadcast_to(square, random.shape), turned, rectangle, triangle],
        random,
    )


def draw(class_N: Int64, object_N: Int64, key_N: npt.NDArray[np.uint64], size: int) -> npt.NDArray[np.uint8]:
    """See `procedural.Draw`."""
    step = max(1, AT_ONCE // (size * SCALE) ** 2)
    parts = [slice(start, start + step) for start in range(0, len(class_N), step)]
    return np.concatenate([_draw(class_N[part], object_N[part], key_N[part], size * SCALE) for part in parts])


def _draw(class_N: Int64, object_N: Int64, key_N: npt.NDArray[np.uint64], side: int) -> npt.NDArray[np.uint8]:
    family_N, value = class_N % len(FAMILIES), statistics(class_N, object_N)
    power, smallest = value[:, :1], value[:, 1:2]
    count_N = np.ceil(LAYERS / (AREA[family_N] * mean_square(power, smallest)[:, 0])).astype(np.int64)
    most = int(count_N.max())
    least = smallest ** (1 - power)
    radius = ((least + uniform(key_N, 0, most) * (1 - least)) ** (1 / (1 - power))).astype(np.float32) * side
    place = uniform(key_N, 1, most, 2) * side
    box = value[:, None, 2:5] + value[:, None, 5:] * (uniform(key_N, 2, most + 1, 3) - 0.5)
    colour = np.rint(255 * np.clip(box, 0, 1)).astype(np.float32)
    corner = angles(family_N, key_N, most)
    after = np.concatenate([corner[:, :, 1:], corner[:, :, :1] + np.float32(2 * np.pi)], axis=2)
    middle, reach = (corner + after) / 2, np.cos((after - corner) / 2) * radius[:, :, None]
    reach[family_N == 0] = np.inf  # discs have no edges
    edge = np.stack([np.cos(middle), np.sin(middle), reach], axis=3)

    picture, shape = np.nonzero(np.arange(most) < count_N[:, None])
    radius, place, edge = radius[picture, shape], place[picture, shape], edge[picture, shape]
    front = np.zeros(len(class_N) * side * side, dtype=np.int32)  # the last shape that covers a pixel, from 1
    for chosen, width in _by_width(2 * radius + 2, side):
        for start in range(0, len(chosen), max(1, AT_ONCE // width**2)):
            at = chosen[start : start + max(1, AT_ONCE // width**2)]
            _cover(front, picture[at], shape[at] + 1, place[at], radius[at], edge[at], width, side)
    front_N = front.reshape(len(class_N), -1)
    canvas = np.take_along_axis(colour, front_N[..., None].astype(np.int64), axis=1)
    return shrunk(canvas.reshape(-1, side, side, 3), SCALE)


def _by_width(need: Float32, side: int) -> list[tuple[Int64, int]]:
    """Shapes in groups, and the width in pixels of a square that holds each of the group, or the part of it that the
    canvas shows. Widths grow by a quarter from one group to the next."""
    widths = [4]
    while widths[-1] < side:
        widths.append(min(side, widths[-1] + max(1, widths[-1] // 4)))
    group = np.minimum(np.searchsorted(widths, need), len(widths) - 1)
    return [(np.flatnonzero(group == at), width) for at, width in enumerate(widths) if (group == at).any()]


def _cover(
    front: npt.NDArray[np.int32],
    picture_M: Int64,
    shape_M: Int64,
    place_M2: Float32,
    radius_M: Float32,
    edge_M43: Float32,
    width: int,
    side: int,
) -> None:
    """Enter M shapes into `front` where their number is larger than what stands there. A pixel is covered when its
    centre is inside the circle and on the inner side of all four edges."""
    first = np.clip(np.floor(place_M2 - width / 2 + 0.5), 0, side - width).astype(np.int64)
    line = np.arange(width, dtype=np.float32) + np.float32(0.5)
    x = line + (first[:, 0] - place_M2[:, 0]).astype(np.float32)[:, None]
    y = line + (first[:, 1] - place_M2[:, 1]).astype(np.float32)[:, None]
    inside = (x * x)[:, None, :] <= (radius_M[:, None] ** 2 - y * y)[:, :, None]
    for cosine, sine, reach in np.moveaxis(edge_M43, (1, 2), (0, 1)):
        inside &= (x * cosine[:, None])[:, None, :] <= (reach[:, None] - y * sine[:, None])[:, :, None]
    shape, row, column = np.nonzero(inside)
    pixel = (picture_M[shape] * side + first[shape, 1] + row) * side + first[shape, 0] + column
    np.maximum.at(front, pixel, shape_M[shape].astype(np.int32))


def open_renderer(
    *, classes: Sequence[str] | int | None = None, objects: int = 20, device: str = "auto"
) -> ProceduralRenderer:
    """The renderer; pictures are drawn on the CPU by one thread and handed out on `device`."""
    return ProceduralRenderer("dead_leaves", draw, classes, min(objects, OBJECTS), device)
