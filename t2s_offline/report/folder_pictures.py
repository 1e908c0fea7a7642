"""Pictures of the report of one prediction: near tasks, renderings of the answer, neighbours under two backbones.

The caller says where things are: a renderer, backbones by configuration, pictures of tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput, T2SError
from t2s_offline.learners.predict import Prediction
from t2s_offline.report.facts import reason
from t2s_offline.report.model import Picture, Section, ShownTable
from t2s_offline.report.pictures import COLUMNS, LIMIT, SHOWN, SIZE, framed, nearest, picture, queries
from t2s_offline.space import SCRATCH, SimSpace

if TYPE_CHECKING:
    from t2s_offline.images.task_data import TaskData
    from t2s_offline.render.renderer import Renderer
    from t2s_offline.training.networks import Backbone

UInt8 = npt.NDArray[np.uint8]
THUMBS = 12  # pictures of a task


@dataclass(frozen=True)
class Album:
    """renderer: what draws configurations, or a BadInput that says why not; backbone: of a configuration, or of an
    untrained network (SCRATCH); task: pictures by name (None: the folder's) and size in pixels, BadInput where they are
    not at hand; size: pixels that backbones look at."""

    renderer: Callable[[], Renderer]
    backbone: Callable[[str], Backbone]
    task: Callable[[str | None, int], TaskData]
    size: int
    space: SimSpace
    samples: int = 4

    def __call__(self, found: Prediction) -> tuple[list[Section], list[str]]:
        """Sections, and lines about what cannot be shown."""
        sections: list[Section] = []
        missing: list[str] = []
        for make in (self.near, self.rendered, self.neighbours):
            try:
                section, lines = make(found)
            except (T2SError, OSError) as error:
                missing.append(reason(error) if isinstance(error, T2SError) else str(error))
                continue
            sections.append(section)
            missing += lines
        return sections, missing

    def near(self, found: Prediction) -> tuple[Section, list[str]]:
        """The folder's pictures and those of the tasks that are most like it."""
        shown: list[Picture] = []
        missing: list[str] = []
        names: list[tuple[str | None, str]] = [(None, found.task)]
        names += [(row["task"], f"{row['task']}, similarity {row['similarity']:.2f}") for row in found.nearest]
        for name, title in names:
            try:
                part = self.task(name, SHOWN)["train"]
            except T2SError as error:
                missing.append(f"Pictures of {title}: {reason(error)}")
                continue
            at = np.linspace(0, len(part) - 1, min(THUMBS, len(part))).astype(int)
            kinds = ", ".join(dict.fromkeys(part.classes[label] for label in part.label_N[at]))
            alt = f"{len(at)} pictures of {title}: {kinds}"
            shown.append(picture([[part.image_NCHW[one] for one in at]], alt, title))
        table = ShownTable.of(found.nearest)
        text = (
            "Your pictures, then those of the table's tasks whose embeddings are most like theirs: what is known of "
            "them is where the search began.",
        )
        tables = (("Similarity", table),) if found.nearest else ()
        return Section("near", "Near", "The nearest tasks", text, tables=tables, pictures=tuple(shown)), missing

    def rendered(self, found: Prediction) -> tuple[Section, list[str]]:
        """Pictures that the answer's backbone is trained on, beside nothing and everything varied."""
        from t2s_offline.render.renderer import RenderRequest
        from t2s_offline.render.sheet import pictures

        renderer = self.renderer()
        wanted = {
            found.configuration: "the answer",
            self.space.all_off: "nothing varied",
            self.space.domain_randomization: "everything varied",
        }
        step = max(len(renderer.classes) // COLUMNS, 1)
        labels = [at * step for at in range(min(COLUMNS, len(renderer.classes)))]
        shown = []
        for configuration, title in wanted.items():
            request = RenderRequest(configuration, COLUMNS, SIZE, samples=self.samples, space=self.space)
            image_NCHW = pictures(renderer, request, [label * COLUMNS + at for at, label in enumerate(labels)])
            kinds = ", ".join(renderer.classes[label].replace("_", " ") for label in labels)
            alt = f"{len(labels)} rendered pictures under {configuration}: {kinds}"
            shown.append(picture([list(image_NCHW)], alt, f"{configuration} · {title}"))
        text = (f"The same objects under each configuration, by the renderer {renderer.name}.",)
        return Section("rendered", "Rendered", "What the answer trains on", text, pictures=tuple(shown)), []

    def neighbours(self, found: Prediction) -> tuple[Section, list[str]]:
        """For some of the folder's pictures the most similar others, under the answer's and an untrained backbone."""
        data, seen = (self.task(None, size).limited(LIMIT) for size in (self.size, SHOWN))
        bank, test = data.bank, data["test"]
        at_Q = queries(test.label_N)
        rows: list[list[UInt8]] = [[seen["test"].image_NCHW[at]] for at in at_Q]
        captions = []
        for configuration, title in ((found.configuration, "the answer"), (SCRATCH, "an untrained network")):
            near_QK = nearest(self.backbone(configuration), bank.image_NCHW, test.image_NCHW[at_Q])
            right = 0
            for row, at, near_K in zip(rows, at_Q, near_QK, strict=True):
                row.append(np.full((3, SHOWN, 10), 255, dtype=np.uint8))
                for index in near_K:
                    same = bool(bank.label_N[index] == test.label_N[at])
                    right += same
                    row.append(framed(seen.bank.image_NCHW[index], same))
            captions.append(f"{configuration}, {title}: {right} of {near_QK.size} of the same class")
        if not len(rows):
            raise BadInput("Nearest neighbours: the folder has no pictures to ask about.")
        alt = f"Nearest neighbours of {len(at_Q)} pictures under two backbones. " + "; ".join(captions)
        text = (
            "Left, some of your pictures; then the five that the answer's backbone finds most like each, then those of "
            "an untrained network. A green frame has the picture's class, an orange frame with a cross another.",
        )
        shown = picture(rows, alt, " · ".join(captions))
        return Section("neighbours", "Neighbours", "What the answer finds alike", text, pictures=(shown,)), []
