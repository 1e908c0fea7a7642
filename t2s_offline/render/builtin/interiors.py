"""Indoor and close-up backgrounds: rooms, walls, cloth, print, lights; painted with numpy from a seed.

Functions take a `Canvas` and return sRGB pictures, float (H, W, 3), 0 to 1, that wrap round from right to left.
Patterns repeat a whole number of times over the width for that reason.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from t2s_offline.render.builtin.scenery import Canvas, Picture, mix

ANY_HUE = (0.0, 1.0)


def _wall(c: Canvas) -> Picture:
    """A painted wall, lit unevenly."""
    tone = c.colour(ANY_HUE, (0.05, 0.45), (0.6, 0.95))
    return tone * (1 + 0.08 * c.noise(2.2) + 0.03 * c.noise(0.5) - 0.15 * (c.y - 0.5))[..., None]


def _grid(c: Canvas, rows: int, columns: int, shift: float = 0.0) -> tuple[Picture, Picture, Picture]:
    """Place within a cell (0 to 1 across, down) and a random number a cell, each (H, W)."""
    down = c.y * rows
    row = np.floor(down).astype(int)
    across = c.x * columns + shift * (row % 2)
    column = np.floor(across).astype(int) % columns
    return across % 1, down % 1, c.rng.random((rows, columns))[row, column]


def room(c: Canvas) -> Picture:
    out = _wall(c)
    if c.rng.random() < 0.6:  # a papered wall
        across, _, _ = _grid(c, 1, int(c.rng.integers(20, 60)))
        out = out * (1 - 0.12 * (across < 0.5))[..., None]
    level = c.rng.uniform(0.66, 0.78)
    floor = c.colour((0.04, 0.12), (0.3, 0.65), (0.35, 0.7))
    across, _, tone = _grid(c, 24, 12, 0.5)
    board = floor * (0.8 + 0.3 * tone - 0.3 * (across < 0.03) + 0.05 * c.noise(1.0, 4.0))[..., None]
    out = np.where((c.y > level)[..., None], board, out)
    out = np.where((np.abs(c.y - level) < 0.015)[..., None], np.full(3, 0.9), out)
    day = mix(np.array([0.85, 0.93, 1.0]), np.array([0.5, 0.7, 0.95]), 0.5 + 0.4 * c.noise(2.0))
    for at in (np.arange(3) + c.rng.uniform(0.2, 0.8, 3)) / 3:
        wide, high, top = c.rng.uniform(0.04, 0.09), c.rng.uniform(0.12, 0.2), c.rng.uniform(0.25, 0.4)
        off, up = np.abs((c.x - at + 0.5) % 1 - 0.5), np.abs(c.y - top)
        if c.rng.random() < 0.5:  # a window
            inside = day * (1 - 0.8 * ((off < 0.003) | (up < 0.006)))[..., None]
        else:  # a picture
            inside = mix(
                c.colour(ANY_HUE, (0.3, 0.8), (0.3, 0.9)), c.colour(ANY_HUE, (0.2, 0.8), (0.4, 1.0)), 0.5 + c.noise(1.8)
            )
        out = np.where(
            ((off < wide + 0.008) & (up < high + 0.016))[..., None],
            c.colour((0.05, 0.12), (0.0, 0.6), (0.3, 0.95)),
            out,
        )
        out = np.where(((off < wide) & (up < high))[..., None], inside, out)
    return out


def tiles(c: Canvas) -> Picture:
    rows = int(c.rng.integers(5, 22))
    across, down, tone = _grid(c, rows, rows * 2)
    first, second = c.colour(ANY_HUE, (0.1, 0.7), (0.5, 0.95)), c.colour(ANY_HUE, (0.0, 0.4), (0.7, 1.0))
    out = (
        mix(first, second, (tone > c.rng.uniform(0.3, 0.9)).astype(float)) * (0.9 + 0.2 * tone - 0.1 * down)[..., None]
    )
    joint = np.minimum(np.minimum(across, 1 - across), np.minimum(down, 1 - down)) < 0.04
    return np.where(joint[..., None], np.full(3, c.rng.uniform(0.5, 0.9)), out)


def brickwork(c: Canvas) -> Picture:
    rows = int(c.rng.integers(10, 30))
    across, down, tone = _grid(c, rows, rows, 0.5)
    brick = c.colour((0.0, 0.1), (0.2, 0.65), (0.45, 0.8))
    out = brick * (0.75 + 0.45 * tone + 0.12 * c.noise(0.7))[..., None]
    joint = (np.minimum(across, 1 - across) < 0.025) | (np.minimum(down, 1 - down) < 0.07)
    return np.where(joint[..., None], np.full(3, c.rng.uniform(0.55, 0.8)) * (1 + 0.05 * c.noise(0.6))[..., None], out)


def gravel(c: Canvas) -> Picture:
    stones = c.scatter(int(c.rng.integers(400, 2500)), 9.0)
    base = c.colour((0.0, 0.7), (0.05, 0.3), (0.5, 0.75))
    tone = c.rng.uniform(0.5, 1.3, stones.max() + 1)[stones]
    edge = (stones != np.roll(stones, 1, 0)) | (stones != np.roll(stones, 1, 1))
    return base * (np.where(edge, 0.4, tone) * (1 + 0.1 * c.noise(0.5)))[..., None]


def bokeh(c: Canvas) -> Picture:
    out = mix(
        c.colour(ANY_HUE, (0.3, 0.8), (0.15, 0.3)), c.colour(ANY_HUE, (0.3, 0.8), (0.25, 0.5)), 0.5 + 0.5 * c.noise(2.2)
    )
    hue = c.rng.random()
    for _ in range(60):
        (y, x), size = c.rng.random(2), c.rng.uniform(0.02, 0.09)
        far = np.hypot(((c.x - x + 0.5) % 1 - 0.5) * 2, c.y - y)
        disc = np.clip((size - far) * c.height * 0.5, 0, 1) * c.rng.uniform(0.15, 0.7)
        out = mix(out, c.colour((hue, hue + 0.35), (0.2, 0.8), (0.85, 1.0)), disc)
    return out


def studio(c: Canvas) -> Picture:
    tone = c.colour(ANY_HUE, (0.0, 0.6), (0.55, 0.95))
    glow = np.exp(-(((c.x - 0.5) * 2) ** 2 + (c.y - 0.45) ** 2) / c.rng.uniform(0.15, 0.5))
    floor = np.clip((c.y - 0.7) * 3, 0, 1)
    return tone * (0.55 + 0.5 * glow - 0.15 * floor + 0.01 * c.noise(0.3))[..., None]


def shelves(c: Canvas) -> Picture:
    out = c.colour((0.04, 0.1), (0.2, 0.6), (0.15, 0.35)) * np.ones((*c.y.shape, 1))
    rows = int(c.rng.integers(3, 6))
    row = np.floor(c.y * rows).astype(int)
    down = (c.y * rows) % 1
    for i in range(rows):
        edge = np.sort(c.rng.random(int(c.rng.integers(50, 110))))
        book = np.searchsorted(edge, c.x[0]) % len(edge)
        covers = np.stack([c.colour(ANY_HUE, (0.1, 0.8), (0.25, 0.9)) for _ in edge])
        top = c.rng.uniform(0.12, 0.4, len(edge))[book]
        stripe = np.abs(down - c.rng.uniform(0.45, 0.8, len(edge))[book]) < 0.03
        spine = covers[book][None] * np.where(stripe, 1.35, 1.0)[..., None]
        out = np.where(((row == i) & (down > top))[..., None], spine, out)
    plank = c.colour((0.05, 0.11), (0.3, 0.6), (0.5, 0.8))
    return np.where((down > 0.93)[..., None], plank, out)


def print_paper(c: Canvas) -> Picture:
    rows = int(c.rng.integers(18, 50))
    down = (c.y * rows) % 1
    row = np.floor(c.y * rows).astype(int)
    letters = c.rng.random((rows, rows * 6))
    ink = letters[row, np.floor(c.x * rows * 6).astype(int)] < 0.62
    word = c.rng.random((rows, rows))[row, np.floor(c.x * rows).astype(int)] < 0.9
    margin = (c.x * 4 % 1 > 0.08) & (c.x * 4 % 1 < 0.92)
    text = ink & word & margin & (down > 0.3) & (down < 0.75)
    paper = c.colour((0.08, 0.16), (0.0, 0.2), (0.88, 0.98)) * (1 + 0.02 * c.noise(1.5))[..., None]
    out = np.where(text[..., None], c.colour(ANY_HUE, (0.0, 0.6), (0.1, 0.4)), paper)
    box, _, pick = _grid(c, 3, 8)
    picture = (pick < 0.3) & (box > 0.15) & (box < 0.85)
    return np.where(
        picture[..., None], mix(c.colour(ANY_HUE, (0.2, 0.9), (0.3, 0.9)), paper, 0.5 + 0.5 * c.noise(1.5)), out
    )


def plaid(c: Canvas) -> Picture:
    base, first, second = (c.colour(ANY_HUE, (0.3, 0.85), (0.3, 0.85)) for _ in range(3))
    n = int(c.rng.integers(4, 10))
    band = ((c.x * 2 * n) % 1 < 0.45) * 0.5 + ((c.y * n) % 1 < 0.45) * 0.5
    line = ((c.x * 2 * n + 0.3) % 1 < 0.06) * 0.6 + ((c.y * n + 0.3) % 1 < 0.06) * 0.6
    thread = 0.1 * np.sin((c.x * 2 + c.y) * 2 * np.pi * 90)
    return mix(mix(base, first, band), second, line) * (1 + thread + 0.06 * c.noise(2.0))[..., None]


def planks(c: Canvas) -> Picture:
    rows = int(c.rng.integers(5, 14))
    across, down, tone = _grid(c, rows, 4, 0.5)
    wood = c.colour((0.04, 0.12), (0.25, 0.65), (0.4, 0.85))
    grain = np.sin(c.y * 180 + 4 * c.noise(1.9, 4.0) + tone * 40) * 0.08 + 0.06 * c.noise(0.8, 8.0)
    out = wood * (0.8 + 0.35 * tone + grain)[..., None]
    return out * (1 - 0.6 * ((down < 0.03) | (across < 0.006)))[..., None]


def checker_hall(c: Canvas) -> Picture:
    out = _wall(c)
    level = 0.55
    depth = np.clip(c.y - level, 1e-3, None)
    across = np.abs(c.x - 0.5) / depth * 3.0
    check = (np.floor(across) + np.floor(1.6 / depth)) % 2
    floor = mix(c.colour(ANY_HUE, (0.0, 0.6), (0.15, 0.5)), c.colour(ANY_HUE, (0.0, 0.3), (0.75, 0.98)), check)
    floor = mix(floor, floor.mean((0, 1)), np.clip(0.05 / depth, 0, 1))
    columns, _, _ = _grid(c, 1, 10)
    pillar = np.abs(columns - 0.5) < 0.16
    stone = c.colour((0.05, 0.15), (0.0, 0.3), (0.6, 0.95)) * (1.1 - 2.4 * np.abs(columns - 0.45))[..., None]
    out = np.where((pillar & (c.y < level + 0.03))[..., None], stone, out)
    return np.where((c.y > level + 0.03)[..., None], floor, out)


def wallpaper(c: Canvas) -> Picture:
    n = int(c.rng.integers(5, 16))
    across, down, tone = _grid(c, n, n * 2, 0.5)
    angle, far = np.arctan2(down - 0.5, across - 0.5), np.hypot(across - 0.5, down - 0.5)
    petals = int(c.rng.integers(2, 8))
    edge = 0.22 + 0.14 * np.cos(petals * angle + (tone > 0.5) * np.pi)
    out = mix(
        c.colour(ANY_HUE, (0.1, 0.7), (0.5, 0.95)),
        c.colour(ANY_HUE, (0.3, 0.9), (0.3, 0.9)),
        np.clip((edge - far) * 20, 0, 1),
    )
    return mix(out, c.colour(ANY_HUE, (0.2, 0.8), (0.5, 1.0)), np.clip((0.09 - far) * 20, 0, 1))


def curtain(c: Canvas) -> Picture:
    folds = np.sin(2 * np.pi * (int(c.rng.integers(8, 24)) * c.x + 0.12 * c.noise(2.6, 0.3)))
    cloth = c.colour(ANY_HUE, (0.3, 0.85), (0.4, 0.9))
    return cloth * (0.75 + 0.3 * folds + 0.1 * np.roll(folds, 5, 1) * folds + 0.03 * c.noise(0.4))[..., None]


def stained_wall(c: Canvas) -> Picture:
    out = np.full(3, c.rng.uniform(0.5, 0.8)) * (1 + 0.12 * c.noise(1.6) + 0.06 * c.noise(0.6))[..., None]
    drips = np.clip(c.noise(1.5, 0.15) - 0.8, 0, 1) * c.y
    out = mix(out, np.array([0.3, 0.25, 0.2]), drips)
    for _ in range(int(c.rng.integers(2, 6))):  # painted loops
        line = c.rng.uniform(0.2, 0.8) + 0.12 * c.profile(1.9)
        out = mix(out, c.colour(ANY_HUE, (0.6, 1.0), (0.5, 1.0)), np.clip((0.02 - np.abs(c.y - line)) * 80, 0, 0.9))
    return out


INDOORS: tuple[Callable[[Canvas], Picture], ...] = (
    room, tiles, studio, shelves, gravel, plaid, bokeh, brickwork, print_paper, planks, checker_hall, wallpaper,
    curtain, stained_wall,
)  # fmt: skip
