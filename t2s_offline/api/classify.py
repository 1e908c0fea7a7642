"""New pictures named by what a prediction handed over: its backbone and the classifier of a folder's pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline.api.told import Progress, Told, quiet
from t2s_offline.device import open_device
from t2s_offline.errors import BadFile, BadInput
from t2s_offline.files import as_text

if TYPE_CHECKING:
    import polars as pl

BACKBONE, CLASSIFIER = "backbone.safetensors", "classifier.safetensors"


def classify(
    pictures: str | Path | Sequence[str | Path],
    model: str | Path,
    *,
    top: int = 3,
    device: str = "auto",
    told: Told = quiet,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Name the class of each picture: a row a picture, with `path`, `class`, `probability` (0 to 1), and of the next
    likely classes `class_2`, `probability_2` and so on, `top` classes in all (fewer where there are fewer).

    pictures: files, or folders, whose files are taken at any depth. model: the folder that `predict` with
    ``pretrain=True, classifier=True, out=model`` wrote. device: auto, cpu, cuda or cuda:0. Files that are no pictures
    are left out, and `told` is called with a line for each. BadFile for damaged files of the model, and when none of
    the files is a picture.
    """
    from t2s_offline.images.new_pictures import batches, pictures_under
    from t2s_offline.tensor_files import weights_digest
    from t2s_offline.training.classifier import load_classifier
    from t2s_offline.training.networks import extract, load_backbone

    if top < 1:
        raise BadInput(f"top {top}; expected 1 class or more")
    folder, where = Path(model), open_device(device)
    backbone = load_backbone(folder / BACKBONE, where).backbone
    classifier = load_classifier(folder / CLASSIFIER, backbone.features, where)
    if classifier.card["backbone"] != weights_digest(folder / BACKBONE):
        raise BadFile(
            f"{folder / CLASSIFIER} was fitted to another backbone than {folder / BACKBONE}; hand both over again"
        )
    places = [pictures] if isinstance(pictures, str | Path) else pictures
    files = pictures_under([Path(place) for place in places])
    top, classes = min(top, len(classifier.classes)), classifier.classes
    rows: list[list[str | float]] = []
    done, first = 0, ""
    for batch in batches(files, classifier.card["size"], classifier.card["resize"]):
        for line in batch.bad:
            told(f"skipped {line}")
            first = first or line
        chance_NC = classifier.probabilities(extract(backbone, batch.image_NCHW)).cpu()
        best = chance_NC.topk(top, dim=1)
        for path, named, chances in zip(batch.paths, best.indices.tolist(), best.values.tolist(), strict=True):
            pairs = zip(named, chances, strict=True)
            rows.append([as_text(path), *(value for label, chance in pairs for value in (classes[label], chance))])
        done += len(batch.paths) + len(batch.bad)
        if progress is not None:
            progress(done, len(files))
    if not rows:
        raise BadFile(f"none of {len(files)} files is a picture; first: {first}")
    return _frame(rows, top)


def _frame(rows: list[list[str | float]], top: int) -> pl.DataFrame:
    import polars as pl

    schema: dict[str, type[pl.DataType]] = {"path": pl.String}
    for rank in range(1, top + 1):
        end = f"_{rank}" if rank > 1 else ""
        schema |= {f"class{end}": pl.String, f"probability{end}": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
