"""Sections with pictures: what the chosen configurations look like, and what two backbones find alike (Figure 9).

The caller gives a renderer and functions that return kept backbones and tasks' pictures. Sections hold JPEG pictures
small enough to be inlined. torch is imported when it is used; where things lie is the caller's to know.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from t2s_offline.errors import BadInput, T2SError
from t2s_offline.report.contest import chosen
from t2s_offline.report.facts import Facts, reason
from t2s_offline.report.model import Picture, Section

if TYPE_CHECKING:
    import torch

    from t2s_offline.images.task_data import TaskData
    from t2s_offline.render.renderer import Renderer
    from t2s_offline.training.networks import Backbone

UInt8 = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]

COLUMNS, SIZE = 10, 88  # pictures of a configuration, pixels
QUERIES, NEIGHBOURS, SHOWN = 4, 5, 56  # rows, pictures a backbone, pixels
TASKS = 4  # tasks whose neighbours are shown
LIMIT = 400  # pictures of a part that neighbours are looked for in
GAP, QUALITY = 3, 82
RIGHT, WRONG = (0, 158, 115), (213, 94, 0)


@dataclass(frozen=True)
class Studio:
    """renderer: what draws configurations, and whether it made the backbones (`own`); backbone: the kept one of a
    configuration, or None; task: its pictures at a size in pixels, or None; size: pixels that backbones look at."""

    renderer: Renderer | None
    own: bool
    backbone: Callable[[str], Backbone | None]
    task: Callable[[str, int], TaskData | None]
    size: int
    samples: int = 4

    def __call__(self, facts: Facts) -> tuple[list[Section], list[str]]:
        """Sections, and lines about what cannot be shown."""
        sections: list[Section] = []
        missing: list[str] = []
        for make in (self.sheets, self.neighbours):
            try:
                sections.append(make(facts))
            except T2SError as error:
                missing.append(reason(error))
        return sections, missing

    def sheets(self, facts: Facts) -> Section:
        """Each configuration that is chosen for some task, after everything off and everything on."""
        if self.renderer is None:
            raise BadInput("Pictures of configurations: the renderer of this recipe cannot be opened here.")
        from t2s_offline.render.renderer import RenderRequest
        from t2s_offline.render.sheet import pictures

        space = facts.matrix.space
        wanted = {space.all_off: ["nothing varied"], space.domain_randomization: ["everything varied"]}
        for task, configuration in picked(facts).items():
            wanted.setdefault(configuration, []).append(task)
        step = max(len(self.renderer.classes) // COLUMNS, 1)
        labels = [at * step for at in range(min(COLUMNS, len(self.renderer.classes)))]
        shown = []
        for configuration, tasks in wanted.items():
            request = RenderRequest(configuration, COLUMNS, SIZE, samples=self.samples, space=space)
            image_NCHW = pictures(self.renderer, request, [label * COLUMNS + at for at, label in enumerate(labels)])
            kinds = ", ".join(self.renderer.classes[label].replace("_", " ") for label in labels)
            alt = f"{len(labels)} rendered pictures under {configuration}: {kinds}"
            shown.append(picture([list(image_NCHW)], alt, f"{configuration} · {', '.join(tasks)}"))
        maker = f"the renderer {self.renderer.name}"
        text = (
            f"The same objects under each configuration that {chooser(facts)}, by {maker}"
            + ("." if self.own else ", which stands in for the one that made the rewards."),
        )
        return Section("pictures", "Pictures", "What the configurations look like", text, pictures=tuple(shown))

    def neighbours(self, facts: Facts) -> Section:
        """For a few tasks, the pictures that the best and the worst kept backbone find most like some test pictures."""
        shown: list[Picture] = []
        for task in facts.matrix.tasks:
            data = self.task(task, self.size) if len(shown) < TASKS else None
            pair = self.extremes(facts, task) if data is not None else None
            seen = self.task(task, SHOWN) if pair is not None else None
            if data is not None and pair is not None and seen is not None:
                shown.append(self._found(facts, task, data.limited(LIMIT), seen.limited(LIMIT), pair))
        if not shown:
            raise BadInput(
                "Nearest neighbours of test pictures need two kept backbones beside the store and a task's pictures "
                "(T2S_DATA or --data)."
            )
        text = (
            "Left, test pictures; then the five pictures of the task's own train and val parts that the best kept "
            "backbone finds most like each, then those of the worst. A green frame has the test picture's class, an "
            "orange frame with a cross another.",
        )
        return Section("neighbours", "Neighbours", "What two backbones find alike", text, pictures=tuple(shown))

    def extremes(self, facts: Facts, task: str) -> tuple[str, str] | None:
        """The best and the worst measured configuration of a task whose backbones are kept."""
        reward_C = facts.matrix.reward_TC[facts.matrix.position(task)]
        order = [at for at in np.argsort(-reward_C, kind="stable") if np.isfinite(reward_C[at])]
        names = [facts.matrix.space.configurations[at] for at in order]
        best = next((name for name in names if self.backbone(name) is not None), None)
        worst = next((name for name in reversed(names) if self.backbone(name) is not None), None)
        return None if best is None or worst is None or best == worst else (best, worst)

    def _found(self, facts: Facts, task: str, data: TaskData, seen: TaskData, pair: tuple[str, str]) -> Picture:
        bank, test = data.bank, data["test"]
        at_Q = queries(test.label_N)
        rows = [[seen["test"].image_NCHW[at]] for at in at_Q]
        rewards = facts.matrix.reward_TC[facts.matrix.position(task)]
        captions = []
        for configuration in pair:
            backbone = self.backbone(configuration)
            if backbone is None:  # taken away since extremes() saw it
                raise BadInput(f"Nearest neighbours: the backbone of {configuration} is gone.")
            near_QK = nearest(backbone, bank.image_NCHW, test.image_NCHW[at_Q])
            right = 0
            for row, at, near_K in zip(rows, at_Q, near_QK, strict=True):
                row.append(np.full((3, SHOWN, 10), 255, dtype=np.uint8))
                for index in near_K:
                    same = bool(bank.label_N[index] == test.label_N[at])
                    right += same
                    row.append(framed(seen.bank.image_NCHW[index], same))
            reward = rewards[facts.matrix.space.index(configuration)]
            captions.append(f"{configuration} ({reward:.1f} %): {right} of {near_QK.size} of the same class")
        alt = f"Nearest neighbours of {len(at_Q)} test pictures of {task} under two backbones. " + "; ".join(captions)
        return picture(rows, alt, f"{task} · " + " · ".join(captions))


def chooser(facts: Facts) -> str:
    """Who chose: the policy that was given, or the table itself."""
    return "the policy chooses for a task" if facts.policy is not None else "is best for a task"


def picked(facts: Facts) -> dict[str, str]:
    """Configuration by task: the policy's, or the best measured where there is none."""
    if facts.policy is not None:
        return chosen(facts)
    matrix = facts.matrix
    best_T = np.nanargmax(matrix.reward_TC, axis=1)
    return {task: matrix.space.configurations[at] for task, at in zip(matrix.tasks, best_T, strict=True)}


def queries(label_N: Index) -> Index:
    """Places of the first picture of a few classes, spread over all of them."""
    first = np.unique(label_N, return_index=True)[1]
    return np.asarray(first[np.unique(np.linspace(0, len(first) - 1, QUERIES).astype(int))])


def nearest(backbone: Backbone, bank_NCHW: UInt8, query_NCHW: UInt8) -> Index:
    """Places in the bank of the pictures with the most similar features (cosine), shape (queries, NEIGHBOURS)."""
    from t2s_offline.training.networks import extract

    def unit(image_NCHW: UInt8) -> torch.Tensor:
        feature_ND = extract(backbone, image_NCHW)
        return feature_ND / feature_ND.norm(dim=1, keepdim=True).clamp_min(1e-12)

    similarity = (unit(query_NCHW) @ unit(bank_NCHW).T).cpu().numpy()
    return np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS]


def framed(image_CHW: UInt8, right: bool) -> UInt8:
    """A picture with a frame that says whether its class is right: by colour, and by a cross where it is not."""
    image = Image.fromarray(np.ascontiguousarray(image_CHW.transpose(1, 2, 0)))
    pen = ImageDraw.Draw(image)
    end = image.width - 1
    pen.rectangle((0, 0, end, end), outline=RIGHT if right else WRONG, width=3)
    if not right:
        pen.rectangle((end - 13, 0, end, 13), fill=WRONG)
        pen.line((end - 10, 3, end - 3, 10), fill="white", width=2)
        pen.line((end - 3, 3, end - 10, 10), fill="white", width=2)
    return np.asarray(image).transpose(2, 0, 1)


def picture(rows: Sequence[Sequence[UInt8]], alt: str, caption: str) -> Picture:
    """Rows of pictures (3, H, W) of one height, beside and below each other, as a JPEG."""
    height = rows[0][0].shape[1]
    width = max(sum(image.shape[2] + GAP for image in row) - GAP for row in rows)
    sheet = Image.new("RGB", (width, len(rows) * (height + GAP) - GAP), "white")
    for number, row in enumerate(rows):
        left = 0
        for image_CHW in row:
            tile = Image.fromarray(np.ascontiguousarray(image_CHW.transpose(1, 2, 0)))
            sheet.paste(tile, (left, number * (height + GAP)))
            left += tile.width + GAP
    out = io.BytesIO()
    sheet.save(out, format="JPEG", quality=QUALITY, optimize=True)
    return Picture(out.getvalue(), sheet.width, sheet.height, alt, caption)
