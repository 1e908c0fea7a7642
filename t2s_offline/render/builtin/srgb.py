"""sRGB values and linear light: one curve for materials, backgrounds, the catalogue and a user's meshes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def linear(srgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """sRGB 0 to 1 as linear light, any shape."""
    value = np.asarray(srgb, dtype=np.float64)
    return np.where(value <= 0.04045, value / 12.92, ((np.maximum(value, 0) + 0.055) / 1.055) ** 2.4)


def encoded(light: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Linear light 0 to 1 as sRGB, any shape."""
    value = np.asarray(light, dtype=np.float64)
    return np.asarray(np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055))
