"""The task map: embeddings in two dimensions, and how similar tasks are to each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline.report import canvases, charts
from t2s_offline.report.facts import Facts
from t2s_offline.report.model import Figure, Key, Panel, Section, ShownTable

Float64 = npt.NDArray[np.float64]

GROUPS = ("policy", "fixed", "nearest", "dr", "surrogate", "oracle")
STEPS = 6
Box = tuple[float, float, float, float]  # left, top, right, bottom
PLACES = (
    ("left", 9, 0), ("right", -9, 0), ("center", 0, -12), ("center", 0, 12), ("left", 8, -11), ("left", 8, 11),
    ("right", -8, -11), ("right", -8, 11), ("left", 14, -22), ("left", 14, 22), ("right", -14, -22), ("right", -14, 22),
)  # fmt: skip


def task_map(facts: Facts) -> Section | None:
    """Embedded tasks, near each other where their Task2Vec vectors are; None with fewer than three."""
    if facts.embeddings is None or len(facts.embeddings.tasks) < 3:
        return None
    embeddings = facts.embeddings
    cosine_TT = cosines(embeddings.unit_TD)
    place_T2, kept = scaled(1 - cosine_TT)
    tasks = embeddings.tasks
    group_T = [facts.groups.get(task) or "" for task in tasks]
    names = sorted(set(group_T))
    groups = {name or "no group": GROUPS[at % len(GROUPS)] for at, name in enumerate(names)}
    rows: list[dict[str, Any]] = [
        {"task": task, "group": group or "no group", "x": float(x), "y": float(y)}
        for task, group, (x, y) in zip(tasks, group_T, place_T2, strict=True)
    ]
    named = [{**row, **spot} for row, spot in zip(rows, spots(place_T2, tasks), strict=True)]
    apart = cosine_TT - 2 * np.eye(len(tasks))
    first, second = np.unravel_index(int(apart.argmax()), apart.shape)
    lonely = int(apart.max(axis=1).argmin())
    summary = (
        f"Tasks in two dimensions by classical scaling of the cosine distance of their embeddings; the plane holds "
        f"{100 * kept:.0f} % of its variation. Closest: {tasks[first]} and {tasks[second]} "
        f"({apart[first, second]:.3f}); furthest from any other: {tasks[lonely]} ({apart[lonely].max():.3f})."
    )
    keys = charts.keys(groups, shaped=True) if len(groups) > 1 else ()
    plane = Figure(
        "map",
        "Tasks in two dimensions",
        summary,
        (Panel(canvases.plane(named, groups, summary)),),
        ShownTable.of(rows),
        keys,
    )
    order = clustered(1 - cosine_TT)
    text = (
        f"Task2Vec vectors under the probe {embeddings.probe}. All components are positive, so cosines are high: only "
        "their differences count.",
    )
    return Section("map", "Map", "Task map", text, (plane, _matrix(tasks, cosine_TT, order)))


def cosines(unit_TD: npt.NDArray[np.float32]) -> Float64:
    """Cosine similarity between tasks, shape (T, T), exactly symmetric with ones on the diagonal."""
    wide = unit_TD.astype(np.float64)
    cosine_TT = np.clip(wide @ wide.T, -1, 1)
    cosine_TT = (cosine_TT + cosine_TT.T) / 2
    np.fill_diagonal(cosine_TT, 1.0)
    return cosine_TT


def scaled(distance_TT: Float64) -> tuple[Float64, float]:
    """Classical multidimensional scaling: places (T, 2), and the share of the positive spectrum that they hold."""
    size = len(distance_TT)
    centre = np.eye(size) - 1 / size
    value, vector = np.linalg.eigh(-centre @ distance_TT**2 @ centre / 2)
    top = np.argsort(value)[::-1][:2]
    sign = np.sign(vector[np.abs(vector[:, top]).argmax(axis=0), top])  # eigenvectors have no sign of their own
    positive = np.maximum(value, 0)
    return vector[:, top] * sign * np.sqrt(positive[top]), float(positive[top].sum() / (positive.sum() or 1.0))


def clustered(distance_TT: Float64) -> list[int]:
    """An order of tasks in which similar ones are neighbours: average linkage with leaves turned to fit."""
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    apart = squareform(distance_TT, checks=False)
    tree = linkage(apart, "average")
    return [int(at) for at in leaves_list(optimal_leaf_ordering(tree, apart))]


def spots(place_T2: Float64, names: Sequence[str]) -> list[dict[str, Any]]:
    """Where each name stands beside its point, so that names cover neither each other nor points: the first of a few
    places that is free, or else the least covered. Pixels, for a square of `charts.PLANE`."""
    span = float(np.ptp(place_T2, axis=0).max())
    pixel_T2 = place_T2 / (span or 1.0) * charts.PLANE / 1.28 * (1, -1)
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in pixel_T2]
    found: list[dict[str, Any]] = []
    for (x, y), name in zip(pixel_T2, names, strict=True):
        width = 6.2 * min(len(name), 18)
        best, least = None, np.inf
        for align, dx, dy in PLACES:
            left = x + dx - {"left": 0.0, "center": width / 2, "right": width}[align]
            box = (left, y + dy - 6, left + width, y + dy + 6)
            covered = sum(_overlap(box, other) for other in taken)
            if covered < least:
                best, least = ({"align": align, "dx": dx, "dy": dy}, box), covered
            if not covered:
                break
        if best is not None:
            found.append(best[0])
            taken.append(best[1])
    return found


def _overlap(box: Box, other: Box) -> float:
    """Area that two boxes share."""
    across = min(box[2], other[2]) - max(box[0], other[0])
    down = min(box[3], other[3]) - max(box[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def _matrix(tasks: tuple[str, ...], cosine_TT: Float64, order: list[int]) -> Figure:
    names = [tasks[at] for at in order]
    off = cosine_TT[~np.eye(len(tasks), dtype=bool)]
    spread = float(off.max() - off.min())
    steps = STEPS if spread > 1e-6 else 1
    digits = max(2, 1 - int(np.floor(np.log10(max(spread, 1e-6) / steps))))
    edges = np.linspace(off.min(), off.max(), steps + 1)
    labels = [f"{low:.{digits}f} to {high:.{digits}f}" for low, high in pairwise(edges)]
    shades = canvases.shades("seq", [*labels, "itself"])
    rows = []
    for i in order:
        for j in order:
            step = min(int(np.searchsorted(edges, cosine_TT[i, j], side="right")) - 1, steps - 1)
            shade = "itself" if i == j else labels[max(step, 0)]
            rows.append(
                {"x": tasks[j], "y": tasks[i], "value": float(cosine_TT[i, j]), "shade": shade, "strong": False}
            )
    summary = (
        f"Cosine similarity between all pairs of {len(tasks)} tasks, similar ones beside each other; between different "
        f"tasks from {off.min():.3f} to {off.max():.3f}."
    )
    spec = canvases.heatmap(rows, names, names, shades, "cosine", summary, angle=-60, row=19)
    table = ShownTable.of(
        [{"task": tasks[i], **{f"{tasks[j]}": float(cosine_TT[i, j]) for j in order}} for i in order]
    )  # fmt: skip
    keys = tuple(Key(text, colour, "square") for text, colour in shades)
    return Figure("similarity", "Similarity between tasks", summary, (Panel(spec),), table, keys)
