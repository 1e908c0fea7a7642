"""Backbones to take away: a file as a torch module; what a prediction hands over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline.api.classify import BACKBONE, CLASSIFIER
from t2s_offline.api.told import WARNING
from t2s_offline.device import open_device
from t2s_offline.errors import BadFile, BadInput
from t2s_offline.recipe import ACCURACY_METRICS

if TYPE_CHECKING:
    from t2s_offline.api.question import Question
    from t2s_offline.images.task_data import TaskData
    from t2s_offline.learners.predict import Prediction
    from t2s_offline.recipe import Recipe
    from t2s_offline.training.encoder import Encoder

FEATURES, CARD = "features.parquet", "README.md"


def load_backbone(path: str | Path, device: str = "cpu") -> Encoder:
    """The backbone of a file as a torch module in evaluation mode: pictures (N, 3, H, W), floats 0 to 1 or uint8, to
    float32 features (N, `.features`).

    The file is one that a sweep or `pretrain` wrote, or one that `predict` handed over. device: auto, cpu, cuda or
    cuda:0. BadFile when the file is absent, damaged or not a backbone of this package.
    """
    from t2s_offline.training.encoder import Encoder
    from t2s_offline.training.networks import load_backbone as read

    saved = read(Path(path), open_device(device))
    return Encoder(saved.backbone, saved.card).eval()


def check_wanted(out: Path | None, *, render: int, pretrain: bool, features: bool, classifier: bool) -> None:
    """BadInput for things to hand over without a folder to write to, or without the backbone that they need."""
    if (render or pretrain or features or classifier) and out is None:
        raise BadInput("--render and --pretrain need a folder to write to: add --out DIR")
    if (features or classifier) and not pretrain:
        raise BadInput("--features and --classifier are made with the backbone that is handed over: add --pretrain")
    if out is not None and not (render or pretrain):
        raise BadInput("--out names a folder, and nothing is to be written to it: add --pretrain or --render N")


def implied(out: Path | None, budget: object, *, render: int, pretrain: bool) -> bool:
    """Whether the backbone is handed over: where that is asked for, and with a budget of time also by --out alone,
    because the answer is then one that was measured, so there is its file."""
    return pretrain or (out is not None and budget is not None and not render)


def hand_over(
    question: Question,
    found: Prediction,
    out: Path,
    *,
    render: int = 0,
    pretrain: bool = False,
    features: bool = False,
    classifier: bool = False,
) -> None:
    """Write to the folder `out` what is asked for of the predicted configuration.

    render: pictures/, so many a class. pretrain: backbone.safetensors (the one that the sweep kept, else one trained
    now) and README.md, its model card. features: features.parquet of the task's pictures. classifier:
    classifier.safetensors, fitted to all of them. BadInput when the task's pictures are needed and are nowhere.
    """
    from t2s_offline.sweep.hand_over import hand_over_backbone, render_pictures

    if features or classifier:
        _ = question.located  # before anything is rendered or trained
    if render:
        step = question.stages("render", "picture")
        question.told(render_pictures(*question.rendering, found.configuration, render, out / "pictures", step))
    if pretrain and question.clock.until is not None and not found.measured:
        question.told(
            f"{WARNING}nothing was measured in that time, so no backbone is handed over: give a longer --budget"
        )
    elif pretrain:
        shop = question.rendering
        line = hand_over_backbone(
            *shop, found.configuration, out / BACKBONE, question.backbones, stages=question.stages
        )  # fmt: skip
        question.told(line)
        _describe(question, found, out, features, classifier)


def _describe(question: Question, found: Prediction, out: Path, features: bool, classifier: bool) -> None:
    """What is made with the backbone's file, and the card that lists it."""
    from t2s_offline.files import write_whole
    from t2s_offline.sweep.handed_task import HandedTask
    from t2s_offline.sweep.model_card import ModelCard
    from t2s_offline.training.networks import load_backbone as read

    (shop, recipe_id), files, expected = question.rendering, [], expected_of(question, found)
    recipe, card = shop.recipes[recipe_id], read(out / BACKBONE).card
    classes = known_classes(question)
    if features or classifier:
        task = _all_pictures(question, recipe)
        classes = task.classes
        made = HandedTask(
            task, out / BACKBONE, recipe, open_device(question.device), question.stages("embed", "picture")
        )
        if features:
            question.told(made.write_features(out / FEATURES))
            files.append((FEATURES, "features of the task's pictures: path, class, part, feature"))
        if classifier:
            about = {"recipe": recipe_id, "configuration": found.configuration}
            fitted, line = made.write_classifier(out / CLASSIFIER, about)
            question.told(line)
            files.append((CLASSIFIER, "the linear probe fitted to all of the task's pictures"))
            expected.append(
                f"Linear probe, the classifier beside the backbone: {fitted.card['accuracy']:.2f} % right of "
                f"{fitted.card['pictures']} pictures, each named by a probe that learned from the other folds "
                f"({fitted.card['folds']} folds)."
            )
    text = ModelCard(
        found.task, found.configuration, shop.space, recipe_id, recipe, dict(card), classes, expected, files
    ).text()
    try:
        write_whole(out / CARD, text.encode("utf-8", "replace"))
    except OSError as error:
        raise BadFile(f"cannot write {out / CARD}: {error.strerror or error}; choose another --out") from error
    question.told(f"{out / CARD}: what it is, and how to load it")


def _all_pictures(question: Question, recipe: Recipe) -> TaskData:
    """The task's pictures as the recipe measures them, all of them."""
    from t2s_offline.images.task_data import check_same_pictures, load_task

    task = load_task(
        question.located, recipe.evaluated, data=question.data, resize=recipe.eval_resize, test_share=recipe.test_share
    )
    check_same_pictures(question.digest, task)
    for line in task.bad:
        question.told(f"skipped {line}")
    return task


def known_classes(question: Question) -> tuple[str, ...]:
    """The classes of the task's pictures where these are a folder; empty where reading them would take reading all."""
    from t2s_offline.images.task_files import folder_classes

    try:
        located = question.located
    except BadInput:
        return ()
    return folder_classes(located.path) if located.kind == "folder" and located.path is not None else ()


def expected_of(question: Question, found: Prediction) -> list[str]:
    """Sentences on what the backbone reaches on the task, by the table or as it was measured."""
    from t2s_offline.sweep.model_card import code

    if question.matrix is None:
        return []
    metric, recipe = question.matrix.metric, code(question.matrix.recipe)
    unit = " % right" if metric in ACCURACY_METRICS else ""
    if found.reward is not None:
        return [f"{metric} on test pictures, by the table's rewards under recipe {recipe}: {found.reward:.2f}{unit}."]
    steps = [step for step in found.measured if step["configuration"] == found.configuration]
    shown = [step["measured"] if "measured" in step else step[metric] for step in steps[:1]]
    return [f"{metric} on val pictures, as measured: {value:.2f}{unit}." for value in shown]
