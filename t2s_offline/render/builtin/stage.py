"""Where object, camera and light stand: scene values as matrices and vectors.

World axes: x to the right, y up, z towards the camera, which looks along -z at the origin, where the object floats.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from t2s_offline.render.scene import Scenes

DISTANCE = 2.35  # of the camera from the object's centre, by default; objects have a diameter of 1
CANONICAL = (14.0, 0.0, 0.0)  # the fixed pose: degrees about x, y, z, seen a little from above


def rotation(degrees_N3: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Rotation about z, then x, then y: (N, 3) degrees about x, y, z to (N, 3, 3) matrices."""
    angle = np.radians(np.asarray(degrees_N3, dtype=np.float64))
    (cx, cy, cz), (sx, sy, sz) = np.cos(angle).T, np.sin(angle).T
    zero, one = np.zeros_like(cx), np.ones_like(cx)

    def matrix(*entries: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.stack(entries, axis=-1).reshape(-1, 3, 3)

    about_x = matrix(one, zero, zero, zero, cx, -sx, zero, sx, cx)
    about_y = matrix(cy, zero, sy, zero, one, zero, -sy, zero, cy)
    about_z = matrix(cz, -sz, zero, sz, cz, zero, zero, zero, one)
    return np.asarray(about_y @ about_x @ about_z)


def pose(rotation_N3: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Object to world, (N, 3, 3): the varied rotation in the object's own axes, then the canonical pose."""
    x, y, z = CANONICAL
    canonical = rotation([[x, 0.0, 0.0]])[0] @ rotation([[0.0, y, z]])[0]
    return np.asarray(canonical @ rotation(rotation_N3), dtype=np.float32)


def sun(light_N2: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Unit vectors towards the light (N, 3) from yaw and pitch in degrees (N, 2).

    Yaw 0 shines from the camera's side and turns to the viewer's left; pitch lifts the light.
    """
    yaw, pitch = np.radians(np.asarray(light_N2, dtype=np.float64)).T
    axes = [-np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)]
    return np.stack(axes, axis=1).astype(np.float32)


def camera(scenes: Scenes, radius_N: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """(N, 4): distance of the camera, focus distance, lens radius, radius of the object's bounding sphere."""
    depth = DISTANCE * scenes.distance_N.astype(np.float64)
    return np.stack([depth, depth * scenes.focus_N, scenes.lens_N, radius_N], axis=1).astype(np.float32)
