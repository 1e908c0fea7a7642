"""What is made of a task's pictures with a backbone that is handed over: their features, and a classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import torch

from t2s_offline.files import as_text
from t2s_offline.images.task_data import TaskData
from t2s_offline.recipe import Recipe
from t2s_offline.sweep.one_backbone import write_frame
from t2s_offline.tensor_files import weights_digest
from t2s_offline.training.classifier import Classifier, fit_classifier, save_classifier
from t2s_offline.training.evaluate import Labelled
from t2s_offline.training.networks import BATCH, extract, load_backbone

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class HandedTask:
    """A task's pictures beside a backbone's file: all parts, in float32."""

    task: TaskData
    backbone: Path
    recipe: Recipe
    device: torch.device
    progress: Progress | None = None

    @cached_property
    def features(self) -> dict[str, Labelled]:
        """Features (N, D) and labels of each part, on the device."""
        backbone = load_backbone(self.backbone, self.device).backbone
        done, total = 0, sum(map(len, self.task.parts.values()))
        found = {}
        for name, part in self.task.parts.items():
            chunks = []
            for first in range(0, len(part), BATCH):
                chunks.append(extract(backbone, part.image_NCHW[first : first + BATCH]))
                done += len(chunks[-1])
                if self.progress is not None:
                    self.progress(done, total)
            found[name] = Labelled(torch.cat(chunks), torch.from_numpy(part.label_N).to(self.device))
        return found

    def write_features(self, out: Path) -> str:
        """Write a Parquet file with a row a picture: path (null where pictures have no files), class, part, feature
        (a list of float32). Returns a line that says so."""
        frames = []
        for name, part in self.task.parts.items():
            feature_ND = self.features[name].feature_ND.cpu().numpy()
            frames.append(
                pl.DataFrame({
                    "path": pl.Series([as_text(path) for path in part.paths] or [None] * len(part), dtype=pl.String),
                    "class": [as_text(part.classes[label]) for label in part.label_N.tolist()],
                    "part": [name] * len(part),
                    "feature": pl.Series(feature_ND, dtype=pl.Array(pl.Float32, feature_ND.shape[1])).arr.to_list(),
                })
            )  # fmt: skip
        whole = pl.concat(frames)
        write_frame(whole, out)
        return f"{out}: features of {len(whole)} pictures"

    def write_classifier(self, out: Path, about: dict[str, Any]) -> tuple[Classifier, str]:
        """Fit the recipe's linear probe to all pictures and write it; the classifier, and a line about it."""
        train, *others = (self.features[name] for name in self.task.parts)
        bank = sum(others, start=train)
        digest = weights_digest(self.backbone)
        made = fit_classifier(bank, self.task.classes, self.recipe, self.task.name, digest, about)
        save_classifier(out, made)
        accuracy, pictures = made.card["accuracy"], made.card["pictures"]
        line = f"{out}: {len(made.classes)} classes, {accuracy:.1f} % right of {pictures} pictures (each left out once)"
        return made, line
