"""Six small real meshes in three classes, for tests that render without the catalogue."""

from __future__ import annotations

from functools import cache

import numpy as np
import trimesh

from t2s_offline.render.builtin.backgrounds import Backgrounds, paint, texels
from t2s_offline.render.builtin.meshset import MeshSet, assemble, pack
from t2s_offline.render.builtin.renderer import BuiltinRenderer


@cache
def toy_meshes() -> MeshSet:
    """Two balls, two rings and two boxes of two components each; about 100 to 600 triangles."""
    make = trimesh.creation
    shapes = [
        ("ball", make.icosphere(subdivisions=2)),
        ("ball", make.capsule(height=0.6, radius=0.5, count=(12, 12))),
        ("ring", make.torus(1.0, 0.35, major_sections=24, minor_sections=12)),
        ("ring", make.annulus(0.4, 0.8, 0.6, sections=24)),
        ("box", make.box((1.0, 0.7, 0.5))),
        ("box", make.box((0.8, 0.8, 0.8))),
    ]
    objects = []
    for number, (name, shape) in enumerate(shapes):
        upper = np.asarray(shape.triangles_center)[:, 1] > 0.05
        face = np.asarray(shape.faces)
        parts = [("upper", shape.vertices, face[upper]), ("lower", shape.vertices, face[~upper])]
        colour = np.array([[0.7, 0.3, 0.1 * number], [0.2, 0.4, 0.6]])
        objects.append((name, f"{name}_{number % 2}", assemble(parts, colour)))
    return pack(("ball", "ring", "box"), objects)


@cache
def toy_sky() -> Backgrounds:
    """Three painted scenes: a field, a room, a city."""
    return Backgrounds(("field", "room", "city"), np.stack([texels(paint(i)) for i in range(3)]))


def toy_renderer(threads: int = 1) -> BuiltinRenderer:
    """The builtin renderer on these meshes and scenes, on the CPU."""
    return BuiltinRenderer(toy_meshes(), toy_sky(), device="cpu", threads=threads)
