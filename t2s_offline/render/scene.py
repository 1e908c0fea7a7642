"""Scene values: what a configuration, a seed and image numbers show, as arrays with one row an image.

Counter-based: a value is a hash of (seed, parameter, column, class name, number of the image in its class), so it
depends neither on the other images nor on batches, threads or the order of classes. Each parameter has streams of its
own: switching one changes only its own values. The ranges are those of Task2Sim (section 4.1 and its released
settings). Every renderer shares them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import UnknownName
from t2s_offline.space import SimSpace

#: Parameter -> the fields of `Scenes` that it alone may change.
FIELDS: dict[str, tuple[str, ...]] = {
    "object_rotation": ("rotation_N3",),
    "object_distance": ("distance_N",),
    "light_intensity": ("intensity_N",),
    "light_colour": ("colour_N3",),
    "light_direction": ("light_N2",),
    "focus_blur": ("focus_N", "lens_N"),
    "background": ("background_N", "view_N3"),
    "materials": ("material_NK", "grain_N3"),
}

ROTATION = 180.0  # degrees either way about each axis
DISTANCE = (0.4, 1.5)  # of the default distance
INTENSITY = 0.6  # either way of 1
COLOUR = (0.05, 1.0)  # each of red, green and blue
LIGHT = (35.0, 50.0)  # default yaw and pitch of the light, degrees; varied over the whole circle
BLUR_PROBABILITY = 0.75
FOCUS = 0.38  # focus distance varies this much of the object's distance, the paper's 1 m on its scale
APERTURE = (0.5, 1.2)  # f-number, the paper's
LENS = 0.085  # lens radius at f/1, in object diameters
VIEW = (0.30, 0.5, 1.0)  # default place in the background (turn, height) and its zoom
ZOOM = (0.75, 1.25)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Scenes:
    """Scene values of N images.

    rotation_N3: degrees about x, y, z on top of the canonical pose; distance_N: of the default distance;
    intensity_N: of the default light; colour_N3: linear RGB of the light; light_N2: yaw and pitch, degrees;
    focus_N: focus distance over the object's distance; lens_N: lens radius, 0 = all in focus; background_N: which one;
    view_N3: turn (0 to 1), height (0 to 1) and zoom in it; material_NK: material of each component, -1 = the
    object's own colour; grain_N3: where in its pattern a material starts; object_N: object within its class;
    noise_N: uint32 key for the renderer's sampling noise.
    """

    object_N: npt.NDArray[np.int32]
    noise_N: npt.NDArray[np.uint32]
    rotation_N3: npt.NDArray[np.float32]
    distance_N: npt.NDArray[np.float32]
    intensity_N: npt.NDArray[np.float32]
    colour_N3: npt.NDArray[np.float32]
    light_N2: npt.NDArray[np.float32]
    focus_N: npt.NDArray[np.float32]
    lens_N: npt.NDArray[np.float32]
    background_N: npt.NDArray[np.int32]
    view_N3: npt.NDArray[np.float32]
    material_NK: npt.NDArray[np.int32]
    grain_N3: npt.NDArray[np.float32]

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """One flat array (N,) a column, named for a table: rotation_0, rotation_1, ... distance, ..."""
        table: dict[str, npt.NDArray[np.generic]] = {}
        for field in fields(self):
            name, values = field.name.split("_")[0], getattr(self, field.name)
            flat = [values] if values.ndim == 1 else list(values.T)
            table |= {name if len(flat) == 1 else f"{name}_{i}": column for i, column in enumerate(flat)}
        return table


def hash_key(*parts: str | int) -> np.uint64:
    """64 bits that name these strings and integers."""
    text = "\x1f".join(str(part) for part in parts)
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def hash_uint64(key: npt.NDArray[np.uint64], counter: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Element `counter` of the SplitMix64 sequence that starts at `key`; shapes broadcast."""
    with np.errstate(over="ignore"):
        x = key + (counter.astype(np.uint64) + np.uint64(1)) * _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


class SceneSampler:
    """Draws the scene values of one dataset.

    `classes`: names; `objects`: objects of each class (len(classes),); `components`: the most components an object
    has; `backgrounds`, `materials`: how many there are to choose from.
    """

    def __init__(
        self,
        space: SimSpace,
        configuration: str,
        seed: int,
        *,
        classes: Sequence[str],
        objects: Sequence[int],
        components: int,
        backgrounds: int,
        materials: int,
    ) -> None:
        for name in space.names:
            if name not in FIELDS:
                raise UnknownName("simulation parameter", name, FIELDS, "this renderer cannot vary it")
        digits = space.digits(configuration)
        self.strength = dict.fromkeys(FIELDS, 0.0) | {
            param.name: digit / (param.levels - 1) for param, digit in zip(space.params, digits, strict=True)
        }
        self.seed, self.components = seed, components
        self.backgrounds, self.materials = backgrounds, materials
        self.class_key = np.array([hash_key("class", name) for name in classes], dtype=np.uint64)
        self.objects = np.array(objects, dtype=np.int64)
        # which object the k-th image of a class shows: a seeded order of the objects, gone through again and again
        width = int(self.objects.max())
        draw = self._uniform("object", 0, self.class_key[:, None], np.arange(width)[None])
        draw[np.arange(width)[None] >= self.objects[:, None]] = 2.0
        self.order = np.argsort(draw, axis=1, kind="stable").astype(np.int32)

    def _uniform(
        self, name: str, column: int, key: npt.NDArray[np.uint64], k: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Uniform in [0, 1), from the stream of this name and column."""
        with np.errstate(over="ignore"):
            bits = hash_uint64(key + hash_key(self.seed, name, column), k)
        return np.asarray((bits >> np.uint64(11)) * 2.0**-53, dtype=np.float64)

    def sample(self, class_N: npt.NDArray[np.int64], k_N: npt.NDArray[np.int64]) -> Scenes:
        """Scene values of image k_N[i] of class class_N[i]."""
        n, key = len(class_N), self.class_key[class_N]

        def draw(name: str, columns: int) -> npt.NDArray[np.float64]:
            return np.stack([self._uniform(name, c, key, k_N) for c in range(columns)], axis=1)

        s = self.strength
        turn = 2 * draw("object_rotation", 3) - 1
        near, far = DISTANCE
        distance = 1 + s["object_distance"] * (near + (far - near) * draw("object_distance", 1)[:, 0] - 1)
        intensity = 1 + s["light_intensity"] * INTENSITY * (2 * draw("light_intensity", 1)[:, 0] - 1)
        dark, bright = COLOUR
        colour = 1 + s["light_colour"] * (dark + (bright - dark) * draw("light_colour", 3) - 1)
        light = np.array(LIGHT) + s["light_direction"] * 360.0 * (draw("light_direction", 2) - 0.5)

        blur = draw("focus_blur", 3)
        blurred = (blur[:, 0] < BLUR_PROBABILITY) & (s["focus_blur"] > 0)
        focus = np.where(blurred, 1 + s["focus_blur"] * FOCUS * (2 * blur[:, 1] - 1), 1.0)
        aperture = APERTURE[0] + (APERTURE[1] - APERTURE[0]) * blur[:, 2]
        lens = np.where(blurred, s["focus_blur"] * LENS / aperture, 0.0)

        place = draw("background", 4)
        background = np.zeros(n) + np.floor(place[:, 0] * np.ceil(s["background"] * self.backgrounds))
        view = np.tile(VIEW, (n, 1))
        view[:, 0] = (view[:, 0] + s["background"] * (place[:, 1] - 0.5)) % 1.0
        view[:, 1] += s["background"] * (place[:, 2] - 0.5)
        view[:, 2] += s["background"] * (ZOOM[0] + (ZOOM[1] - ZOOM[0]) * place[:, 3] - 1)

        choice = draw("materials", self.components)
        material = np.floor(choice * np.ceil(s["materials"] * self.materials))
        varied = s["materials"] > 0
        return Scenes(
            object_N=self.order[class_N, k_N % self.objects[class_N]],
            noise_N=(draw("noise", 1)[:, 0] * 2.0**32).astype(np.uint32),
            rotation_N3=(s["object_rotation"] * ROTATION * turn).astype(np.float32),
            distance_N=distance.astype(np.float32),
            intensity_N=intensity.astype(np.float32),
            colour_N3=colour.astype(np.float32),
            light_N2=(light % 360.0).astype(np.float32),
            focus_N=focus.astype(np.float32),
            lens_N=lens.astype(np.float32),
            background_N=background.astype(np.int32),
            view_N3=view.astype(np.float32),
            material_NK=(material if varied else np.full_like(material, -1)).astype(np.int32),
            grain_N3=(draw("grain", 3) * varied).astype(np.float32),
        )
