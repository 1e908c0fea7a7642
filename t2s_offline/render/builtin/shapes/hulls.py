"""Hulls, sails and wings.

Functions take sizes and curves and return solids, or add lumps to a blend.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.primitives import loft
from t2s_offline.render.builtin.shapes.solid import Array, Solid


def boat(long: float, wide: float, deep: float, sheer: float = 0.12, stern: float = 0.7, hollow: bool = True) -> Solid:
    """A hull along x with its rim near y = 0: pointed bow, `stern` the share of the width that the back keeps."""
    t = np.linspace(0, 1, 15)
    beam = (
        wide
        / 2
        * np.where(
            t < 0.45, stern + (1 - stern) * np.sin(np.pi * t / 0.9), np.cos((t - 0.45) / 0.55 * np.pi / 2) ** 0.75
        )
    )
    beam = np.maximum(beam, 0.012 * wide)
    keel = -deep * (1 - np.clip((t - 0.7) / 0.3, 0, 1) ** 2 * 0.75) * (0.75 + 0.25 * np.clip(t / 0.2, 0, 1))
    rim = sheer * (2 * t - 0.9) ** 2
    half = np.array([(0, 1.0), (0.45, 0.93), (0.8, 0.6), (0.95, 0.25), (1.0, 0.0)])
    inner = (
        np.array([(0.9, 0.0), (0.8, 0.3), (0.4, 0.7), (0.0, 0.78)]) if hollow else np.array([(0.6, 0.0), (0.0, 0.0)])
    )
    # a hollow hull is closed at both ends: the inside is filled up to the rim in the outermost rings
    filled = inner * [1.0, 0.0]
    x = long * (t - 0.5)
    rings: list[Array] = []
    for k in [0, 0, *range(len(t)), -1, -1] if hollow else range(len(t)):
        solid = hollow and (len(rings) < 2 or len(rings) > len(t) + 1)
        side = np.concatenate([half, filled if solid else inner])
        ring = np.concatenate([side, side[-2:0:-1] * [-1, 1]])
        shift = {0: -0.015, len(t) + 3: 0.015}.get(len(rings), 0.0) * long if hollow else 0.0
        y = rim[k] + (keel[k] - rim[k]) * ring[:, 1]
        rings.append(np.stack([np.full(len(ring), x[k] + shift), y, beam[k] * ring[:, 0]], 1))
    return loft(np.stack(rings))


def sail(points: Array, belly: float, thick: float = 0.01) -> Solid:
    """A triangle or quadrangle (3 or 4 points in the xy plane) of cloth that bellies towards +z."""
    corners = np.concatenate([points, points[2:3]])[:4]
    u, v = np.meshgrid(np.linspace(0, 1, 8), np.linspace(0, 1, 8))
    plane = (
        ((1 - u) * (1 - v))[..., None] * corners[0]
        + (u * (1 - v))[..., None] * corners[1]
        + (u * v)[..., None] * corners[2]
        + ((1 - u) * v)[..., None] * corners[3]
    )
    bulge = belly * np.sin(np.pi * u) * np.sin(np.pi * v).clip(0) ** 0.6
    front = np.concatenate([plane, (bulge + thick)[..., None]], 2)
    back = np.concatenate([plane, (bulge - thick)[..., None]], 2)
    rows = np.concatenate([front, back[:, ::-1]], 1)
    return loft(rows)


def wing(root: float, tip: float, span: float, sweep: float, thick: float = 0.1, rise: float = 0.0) -> Solid:
    """A wing from the origin along +z: chords `root` and `tip` along x, swept back by `sweep`."""
    foil = np.array([(0.5, 0.0), (0.35, 0.5), (0.1, 0.6), (-0.25, 0.35), (-0.5, 0.0), (-0.25, -0.15), (0.2, -0.3)])
    rings = []
    for t in (0.0, 0.5, 0.95, 1.0):
        chord = (root + (tip - root) * t) * (0.8 if t == 1.0 else 1)
        rings.append(
            np.stack([foil[:, 0] * chord - sweep * t, foil[:, 1] * chord * thick + rise * t, np.full(7, span * t)], 1)
        )
    return loft(np.stack(rings))
