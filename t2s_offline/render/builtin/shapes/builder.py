"""The builder that a category's function fills, and the registry of categories.

A Builder has a random generator and makes a `Mesh` with named, coloured components. Colours come from palettes shared
by all categories, and any component may be painted in an unusual hue, so that colour alone does not name the category.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from t2s_offline.render.builtin.meshset import Mesh, assemble
from t2s_offline.render.builtin.shapes.solid import Array, Solid, join
from t2s_offline.render.builtin.srgb import linear

T = TypeVar("T")

#: How far objects of a category differ beyond their own choices: degrees about the vertical, and log of the stretch.
STANCE, BUILD = 10.0, 0.05

#: sRGB colours; neighbours are mixed and jittered, so a palette is a region rather than a list.
PALETTES: dict[str, tuple[str, ...]] = {
    "wood": ("d9b38c", "b07d4f", "8a5a33", "5e3a21", "c89b6a", "e6cfa8", "6b4b3a", "a8633c"),
    "metal": ("c8ccd0", "9aa0a6", "6e757c", "4a4f55", "d8c48a", "b87a4b", "e2e4e6", "8c8f80"),
    "dark": ("1d1f22", "2c2c30", "3a3430", "22303a", "44474c", "2f2a26"),
    "light": ("f4f1ea", "e8e4d8", "dfe6ea", "f7efe0", "d8d8d4", "efe0e0"),
    "plastic": ("c83232", "2d6fb8", "2f9a58", "e8b62c", "e6e6e6", "2b2b2f", "e07a2c", "7a4aa8", "3ab0b0", "d8639a"),
    "ceramic": ("f2efe8", "d8cfc0", "a9543a", "3f6c8c", "6f8f6a", "30353c", "cfa06a", "b7c4cc"),
    "fabric": ("7a2f33", "31506e", "4f6b46", "b59a6c", "857a72", "d6c7b2", "3a3542", "b0573a", "8c6f94"),
    "fur": ("8c5f3c", "c49a6c", "3e332c", "e9ddc8", "8a8580", "5c4634", "d8a25c", "b0a090", "f0ece4"),
    "leaf": ("4d7d35", "2f5b2e", "7aa14a", "9cae4a", "b07b36", "a84a2c", "5f8a6a", "d0b040"),
    "skin": ("6f8f4a", "4e6e78", "a87f4f", "c46a4a", "7d6a58", "5a5f66", "c9b26a", "d88c84"),
    "stone": ("b9b1a3", "8d8880", "d6cbb8", "a5624a", "6a6660", "c9a27c", "dedad2", "7c8288"),
    "food": ("c2392e", "e0a030", "d8b26a", "8a4f2a", "6c9a3a", "f0dcb0", "b8603a", "d87a94"),
}


class Builder:
    """Collects the components of one object; every random choice comes from `rng`."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self._solids: dict[str, list[Solid]] = {}
        self._colours: dict[str, Array] = {}

    def u(self, low: float, high: float) -> float:
        """A uniform number."""
        return float(self.rng.uniform(low, high))

    def i(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float = 0.5) -> bool:
        """True in `share` of the cases."""
        return bool(self.rng.random() < share)

    def pick(self, *options: T) -> T:
        """One of the options."""
        return options[int(self.rng.integers(len(options)))]

    def colour(self, palette: str) -> Array:
        """Linear RGB (3,): from the palette, or in about a quarter of the cases from anywhere."""
        if self.chance(0.22):
            mixed = np.array(colorsys.hsv_to_rgb(self.u(0, 1), self.u(0.1, 0.85), self.u(0.25, 0.95)))
        else:
            names = PALETTES[palette]
            ends = [np.frombuffer(bytes.fromhex(self.pick(*names)), np.uint8) / 255 for _ in range(2)]
            mixed = ends[0] + self.u(0, 0.35) * (ends[1] - ends[0])
        tint = mixed * self.u(0.8, 1.15) + self.rng.normal(0, 0.025, 3)
        return linear(np.clip(tint, 0.02, 0.97))

    def add(self, name: str, *solids: Solid, paint: str = "plastic") -> None:
        """Add solids to a component; its colour is drawn from the palette `paint` when it is first named."""
        if name not in self._solids:
            self._solids[name] = []
            self._colours[name] = self.colour(paint)
        self._solids[name].extend(solids)

    def parts(self) -> list[tuple[str, Solid]]:
        """Components in the order in which they were named."""
        return [(name, join(*solids)) for name, solids in self._solids.items() if solids]

    def mesh(
        self,
        yaw: float = 0.0,
        lean: float = 0.0,
        tilt: float = 0.0,
        crease: float = 50.0,
        fewest: int = 300,
        stretch: Array | None = None,
    ) -> Mesh:
        """The object in its canonical pose, its faces split until there are `fewest`.

        It is stretched along its axes by `stretch` (3,), leaned in the picture plane by `lean` degrees, turned by
        `yaw` about the vertical, then its top is tilted by `tilt` towards the camera.
        """
        factor = np.ones(3) if stretch is None else stretch
        parts = [(name, solid.scale(*factor).turn(z=lean).turn(y=yaw).turn(x=tilt)) for name, solid in self.parts()]
        while sum(len(solid.face) for _, solid in parts) < fewest:
            parts = [(name, _split(solid)) for name, solid in parts]
        colour = np.stack([self._colours[name] for name, _ in parts])
        return assemble([(name, solid.vertex, solid.face) for name, solid in parts], colour, crease)


def _split(solid: Solid) -> Solid:
    """Each face cut into four at the middles of its edges."""
    edge = np.sort(solid.face[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
    unique, number = np.unique(edge, axis=0, return_inverse=True)
    middle = number.reshape(-1, 3) + len(solid.vertex)
    vertex = np.concatenate([solid.vertex, solid.vertex[unique].mean(1)])
    (a, b, c), (ab, bc, ca) = solid.face.T, middle.T
    quarters = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return Solid(vertex, np.concatenate([np.stack(q, 1) for q in quarters]))


@dataclass(frozen=True)
class Category:
    """How objects of one category are made, and how they are turned to the camera.

    `added`: the edition of the catalogue that brought it. A number of classes takes earlier editions first, so that it
    means the same classes for ever.
    """

    name: str
    family: str
    make: Callable[[Builder], None]
    yaw: float
    lean: float
    tilt: float
    crease: float
    added: int = 1

    def build(self, rng: np.random.Generator) -> Mesh:
        """One object; every choice comes from `rng`."""
        builder = Builder(rng)
        self.make(builder)
        # models of one kind never stand in quite the same way nor have quite the same build
        stretch = np.exp(rng.uniform(-BUILD, BUILD, 3))
        yaw = self.yaw + float(rng.uniform(-STANCE, STANCE))
        return builder.mesh(yaw, self.lean, self.tilt, self.crease, stretch=stretch)


REGISTRY: dict[str, Category] = {}


def category(
    family: str, *, yaw: float = 0.0, lean: float = 0.0, tilt: float = 0.0, crease: float = 50.0, added: int = 1
) -> Callable[[Callable[[Builder], None]], Callable[[Builder], None]]:
    """Register a function under its own name. See `Builder.mesh` for the angles, `Category` for `added`."""

    def register(make: Callable[[Builder], None]) -> Callable[[Builder], None]:
        name = make.__name__
        if name in REGISTRY:
            raise ValueError(f"two functions make the category {name}")
        REGISTRY[name] = Category(name, family, make, yaw, lean, tilt, crease, added)
        return make

    return register


def spread(count: int, low: float, high: float) -> Sequence[float]:
    """`count` evenly spaced numbers from low to high; the middle when there is one."""
    return [float(x) for x in (np.linspace(low, high, count) if count > 1 else [(low + high) / 2])]
