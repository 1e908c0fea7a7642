"""Outdoor backgrounds, painted with numpy from a seed.

Functions take a `Canvas` (a random generator and coordinates) and return sRGB pictures, float (H, W, 3), 0 to 1, that
wrap round from right to left. Each family is one function and every call paints another variant.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float64]


class Canvas:
    """Coordinates and brushes. x, y: float (H, W), 0 to 1, y downwards."""

    def __init__(self, rng: np.random.Generator, height: int, width: int) -> None:
        self.rng, self.height, self.width = rng, height, width
        self.y, self.x = np.mgrid[0:height, 0:width] + 0.5
        self.y, self.x = self.y / height, self.x / width

    def noise(self, slope: float = 1.8, stretch: float = 1.0, coarse: float = 1.0) -> Picture:
        """Periodic noise of mean 0 and spread 1, amplitude falling as frequency**-slope; stretch > 1: long in x."""
        fy = np.fft.fftfreq(self.height)[:, None] * self.height
        fx = np.fft.rfftfreq(self.width)[None] * self.width * 0.5
        radius = np.hypot(fy, fx * stretch)
        amplitude = np.where(radius < 0.5, 0.0, np.maximum(radius, coarse) ** -slope)
        white = self.rng.standard_normal((self.height, self.width))
        out = np.fft.irfft2(np.fft.rfft2(white) * amplitude, s=white.shape)
        return np.asarray((out - out.mean()) / out.std())

    def profile(self, slope: float = 1.5, coarse: float = 2.0) -> Picture:
        """A periodic line over x, shape (W,), mean 0 and spread 1."""
        frequency = np.arange(self.width // 2 + 1.0)
        amplitude = np.where(frequency < 1, 0.0, np.maximum(frequency, coarse) ** -slope)
        line = np.fft.irfft(np.fft.rfft(self.rng.standard_normal(self.width)) * amplitude, n=self.width)
        return np.asarray((line - line.mean()) / line.std())

    def colour(self, hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]) -> Picture:
        """One sRGB colour from ranges of hue, saturation and value; shape (3,)."""
        draws = [self.rng.uniform(*pair) for pair in (hue, saturation, value)]
        return np.array(colorsys.hsv_to_rgb(draws[0] % 1.0, draws[1], draws[2]))

    def scatter(self, count: int, reach: float) -> npt.NDArray[np.int64]:
        """Number of the nearest of `count` random points at every pixel, -1 farther than `reach` (in heights)."""
        from scipy.spatial import cKDTree

        seeds = self.rng.random((count, 2)) * [1.0, 2.0]
        tree = cKDTree(seeds, boxsize=[1.0, 2.0])
        at = np.stack([self.y.ravel(), self.x.ravel() * 2.0], axis=1)
        far, nearest = tree.query(at, distance_upper_bound=reach)
        return np.where(np.isfinite(far), nearest, -1).reshape(self.y.shape)


def mix(a: Picture, b: Picture, share: Picture | float) -> Picture:
    """a where share is 0, b where it is 1; a, b: colours (3,) or pictures; share: (H, W) or a number."""
    t = np.clip(np.asarray(share, dtype=np.float64), 0, 1)[..., None]
    return np.asarray(a * (1 - t) + b * t)


def sky(c: Canvas, low: Picture, high: Picture, clouds: float = 0.6) -> Picture:
    """A gradient from the horizon's colour up to the zenith's, with clouds."""
    out = mix(high, low, c.y**0.8 * 1.4)
    cover = c.noise(1.9, 2.0) * 0.6 + c.rng.uniform(-0.4, 0.3)
    bright = np.clip(low * 0.3 + 0.72, 0, 1)
    return mix(out, bright, np.clip(cover, 0, 1) * clouds * (1.2 - c.y))


def ground(c: Canvas, picture: Picture, line: Picture | float, near: Picture, far: Picture, rough: float) -> Picture:
    """Lay ground below the horizon `line` (0 to 1 down), its grain growing towards the eye."""
    depth = np.clip((c.y - line) / (1 - np.mean(line)), 0, 1)
    grain = c.noise(0.9, 0.35) * rough * (0.3 + depth)
    soil = mix(far, near, depth**0.6) * (1 + grain)[..., None]
    return mix(picture, soil, np.clip((c.y - line) * c.height, 0, 1))


def field(c: Canvas) -> Picture:
    out = sky(c, c.colour((0.55, 0.6), (0.1, 0.25), (0.9, 1.0)), c.colour((0.56, 0.62), (0.45, 0.65), (0.75, 0.95)))
    hills = 0.55 - 0.035 * c.profile(1.8)
    out = ground(
        c,
        out,
        hills,
        c.colour((0.28, 0.36), (0.2, 0.4), (0.45, 0.55)),
        c.colour((0.35, 0.5), (0.2, 0.3), (0.5, 0.6)),
        0.05,
    )
    return ground(
        c,
        out,
        0.62,
        c.colour((0.18, 0.3), (0.45, 0.65), (0.4, 0.55)),
        c.colour((0.18, 0.28), (0.35, 0.5), (0.6, 0.7)),
        0.16,
    )


def sunset(c: Canvas) -> Picture:
    low, high = c.colour((0.02, 0.12), (0.6, 0.9), (0.95, 1.0)), c.colour((0.6, 0.85), (0.4, 0.7), (0.3, 0.55))
    out = mix(high, low, c.y**1.2 * 1.7)
    streaks = np.clip(c.noise(1.7, 7.0) * 0.7, 0, 1)
    out = mix(out, c.colour((0.95, 1.05), (0.4, 0.7), (0.9, 1.0)), streaks * (1 - c.y))
    far = np.hypot((c.x - 0.5) * 2, c.y - 0.58)
    out = mix(out, np.array([1.0, 0.95, 0.75]), np.exp(-((far / 0.09) ** 2)) + 0.35 * np.exp(-far / 0.25))
    for i in range(3):
        line = 0.62 + 0.1 * i - 0.05 * c.profile(1.4, 2 + i)
        out = mix(out, low * (0.45 - 0.14 * i), np.clip((c.y - line) * c.height, 0, 1))
    return out


def mountains(c: Canvas) -> Picture:
    haze = c.colour((0.55, 0.65), (0.08, 0.25), (0.85, 0.97))
    out = sky(c, haze, c.colour((0.55, 0.63), (0.4, 0.7), (0.6, 0.9)))
    rock = c.colour((0.55, 0.75), (0.15, 0.4), (0.3, 0.4))
    for i in range(4):
        height = 0.38 + 0.13 * i - (0.11 - 0.015 * i) * c.profile(1.15, 2 + i)
        body = mix(haze, rock, 0.35 + 0.2 * i) * (1 + 0.14 * c.noise(1.2))[..., None]
        snow = np.clip((0.10 - (c.y - height)) * 14 + c.noise(1.3), 0, 1) * (i < 2)
        out = mix(out, mix(body, np.array([0.95, 0.97, 1.0]), snow), np.clip((c.y - height) * c.height, 0, 1))
    return ground(c, out, 0.84, c.colour((0.25, 0.4), (0.3, 0.6), (0.2, 0.35)), rock, 0.15)


def sea(c: Canvas) -> Picture:
    low = c.colour((0.5, 0.6), (0.1, 0.3), (0.85, 1.0))
    out = sky(c, low, c.colour((0.55, 0.62), (0.4, 0.75), (0.6, 0.9)), 0.8)
    level = c.rng.uniform(0.45, 0.6)
    depth = np.clip((c.y - level) / (1 - level), 0, 1)
    ripple = np.sin(c.noise(1.6, 5.0) * 3 + 40 / (depth + 0.08)) * 0.5 + c.noise(1.1, 6.0) * 0.5
    water = mix(low * 0.75, c.colour((0.48, 0.6), (0.6, 0.9), (0.3, 0.5)), depth**0.5)
    out = np.where((c.y > level)[..., None], mix(water, low, np.clip(ripple - 0.3, 0, 1) * 0.55), out)
    if c.rng.random() < 0.6:
        out = ground(
            c, out, 0.86 - 0.03 * c.profile(2.0), c.colour((0.1, 0.13), (0.25, 0.4), (0.8, 0.9)), low * 0.8, 0.06
        )
    return out


def city(c: Canvas) -> Picture:
    night = c.rng.random() < 0.5
    low = c.colour((0.05, 0.7), (0.2, 0.5), (0.25, 0.4) if night else (0.85, 1.0))
    out = sky(c, low, c.colour((0.58, 0.7), (0.4, 0.7), (0.1, 0.2) if night else (0.7, 0.9)), 0.2 if night else 0.6)
    for i in range(3):
        count = int(c.rng.integers(14, 26))
        edge = np.sort(c.rng.random(count))
        tower = np.searchsorted(edge, c.x[0]) % count
        top = (c.rng.uniform(0.2, 0.55, count) + 0.12 * i)[tower][None]
        tone = mix(low * 0.9, c.colour((0.5, 1.1), (0.05, 0.35), (0.15, 0.3) if night else (0.35, 0.65)), 0.4 + 0.3 * i)
        wall = tone * (0.8 + 0.4 * c.rng.random(count)[tower])[None, :, None]
        rows, columns = np.floor(c.y * 60).astype(int), np.floor(c.x * 110).astype(int)
        lit = c.rng.random((61, 111))[rows, columns] < (0.35 if night else 0.6)
        pane = ((c.y * 60) % 1 > 0.45) & ((c.x * 110) % 1 > 0.4) & lit
        glow = np.array([1.0, 0.85, 0.5]) if night else wall * 0.6
        wall = np.where(pane[..., None], glow, wall)
        out = np.where((c.y > top)[..., None], wall, out)
    return ground(c, out, 0.88, np.full(3, 0.25), np.full(3, 0.35), 0.06)


def forest(c: Canvas) -> Picture:
    leaf = c.colour((0.2, 0.38) if c.rng.random() < 0.7 else (0.05, 0.13), (0.4, 0.7), (0.45, 0.7))
    light = np.clip(leaf * 0.5 + 0.5, 0, 1)
    out = mix(light, leaf * 0.5, 0.5 + 0.35 * c.noise(1.3))
    out = ground(c, out, 0.72, leaf * 0.55, leaf * 0.8, 0.3)
    bark = c.colour((0.05, 0.1), (0.2, 0.5), (0.2, 0.4))
    for i in range(3):
        for at in c.rng.random(9 - 2 * i):
            half = (0.004 + 0.004 * i) * c.rng.uniform(0.7, 1.5)
            off = np.abs((c.x - at - 0.006 * np.sin(c.y * c.rng.uniform(2, 6)) + 0.5) % 1 - 0.5)
            trunk = mix(light * 0.8, bark, 0.4 + 0.3 * i) * (1.15 - 0.5 * off / half)[..., None]
            out = mix(out, trunk, np.clip((half - off) * c.width, 0, 1) * (c.y < 0.78 + 0.08 * i))
        crown = np.clip(c.noise(1.1, 1.0, 6) * 1.5 - 0.4 - c.y * 4, 0, 1)
        out = mix(out, leaf * (0.5 + 0.25 * i), crown)
    return out


def dunes(c: Canvas) -> Picture:
    sand = c.colour((0.06, 0.12), (0.35, 0.6), (0.8, 0.95))
    out = sky(c, c.colour((0.55, 0.62), (0.05, 0.2), (0.9, 1.0)), c.colour((0.55, 0.62), (0.4, 0.8), (0.6, 0.85)), 0.2)
    for i in range(5):
        crest = 0.45 + 0.1 * i - 0.035 * c.profile(2.2)
        ripple = 0.05 * np.sin(c.y * 260 + 6 * c.noise(2.2))
        shade = 0.62 + 0.08 * i + 0.9 * np.gradient(crest)[None] * 30 + ripple
        out = mix(out, sand * np.clip(shade, 0.4, 1.15)[..., None], np.clip((c.y - crest) * c.height, 0, 1))
    return out


def night(c: Canvas) -> Picture:
    deep = c.colour((0.55, 0.8), (0.5, 0.9), (0.12, 0.25))
    out = mix(deep, c.colour((0.5, 1.0), (0.4, 0.8), (0.4, 0.65)), np.clip(c.noise(2.0) * 0.5 + 0.1, 0, 0.8))
    stars = c.rng.random(c.y.shape) ** 400
    out = np.clip(out + stars[..., None], 0, 1)
    return mix(out, deep * 0.35, np.clip((c.y - 0.78 + 0.06 * c.profile(1.4)) * c.height, 0, 1))


def road(c: Canvas) -> Picture:
    out = field(c)
    depth = np.clip(c.y - 0.62, 1e-3, None)
    across = np.abs(c.x - 0.5) / depth
    tar = np.full(3, c.rng.uniform(0.3, 0.45)) * (1 + 0.08 * c.noise(0.6))[..., None]
    out = np.where(((across < 0.62) & (c.y > 0.622))[..., None], tar, out)
    dash = (across < 0.02) & (np.sin(3.0 / depth) > 0)
    line = (np.abs(across - 0.55) < 0.02) | dash
    return np.where((line & (c.y > 0.625))[..., None], np.array([0.95, 0.93, 0.85]), out)


def aerial(c: Canvas) -> Picture:
    plots = c.scatter(int(c.rng.integers(40, 120)), 9.0)
    tones = np.stack([c.colour((0.08, 0.38), (0.25, 0.6), (0.35, 0.75)) for _ in range(plots.max() + 1)])
    lines = 0.06 * np.sin((c.x * 2 * np.cos(plots) + c.y * np.sin(plots)) * 300)
    edge = (plots != np.roll(plots, 1, 0)) | (plots != np.roll(plots, 1, 1))
    out = tones[plots] * (1 + lines + 0.08 * c.noise(1.0))[..., None]
    return np.where(edge[..., None], np.array([0.6, 0.55, 0.45]), out)


def meadow(c: Canvas) -> Picture:
    grass = c.colour((0.2, 0.36), (0.5, 0.8), (0.4, 0.65))
    out = grass * np.clip(1 + 0.3 * c.noise(0.6, 3.0), 0.3, 1.6)[..., None]
    hue = c.rng.random()
    for i in range(3):
        spot = c.scatter(int(c.rng.integers(60, 260)), 0.012 + 0.012 * i)
        bloom = np.stack([c.colour((hue, hue + 0.3), (0.3, 0.9), (0.8, 1.0)) for _ in range(300)])
        out = np.where((spot >= 0)[..., None], bloom[spot], out)
    return out


def underwater(c: Canvas) -> Picture:
    deep, light = c.colour((0.5, 0.62), (0.7, 0.95), (0.25, 0.45)), c.colour((0.45, 0.53), (0.3, 0.6), (0.8, 0.95))
    out = mix(light, deep, c.y * 0.9 + 0.1 * c.noise(2.0))
    caustic = np.exp(-6 * np.abs(c.noise(2.0, 0.6, 5)))
    out = mix(out, light, caustic * (1 - 0.6 * c.y) * 0.7)
    return ground(c, out, 0.85 - 0.03 * c.profile(1.8), light * 0.7, deep, 0.12)


OUTDOORS: tuple[Callable[[Canvas], Picture], ...] = (
    field, city, mountains, forest, sea, sunset, aerial, road, dunes, meadow, night, underwater,
)  # fmt: skip
