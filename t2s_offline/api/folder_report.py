"""The page of one prediction: what `report.folder` shows, with pictures from where a question's things lie."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline.errors import BadInput

if TYPE_CHECKING:
    from t2s_offline.api.question import Question
    from t2s_offline.images.task_data import TaskData
    from t2s_offline.learners.predict import Prediction
    from t2s_offline.render.renderer import Renderer
    from t2s_offline.report.folder_pictures import Album
    from t2s_offline.training.networks import Backbone


def check_page(path: Path) -> None:
    """BadInput for a name that is no page's, before anything is computed."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"--report {path}: expected a name that ends in .html")


def write_page(question: Question, found: Prediction, path: Path) -> None:
    """Write the prediction's page; BadFile when it cannot be written."""
    from t2s_offline.report.folder import folder_report
    from t2s_offline.report.write import write_report

    if question.matrix is None:
        raise BadInput("--report needs rewards to speak of: name their recipe with --recipe")
    album = None
    if question.renders:
        with suppress(BadInput):  # a task of the table whose pictures are nowhere
            album = album_of(question)
    report = folder_report(found, question.matrix.metric, question.matrix.recipe, album)
    size = write_report(report, path)
    question.told(f"{path}: {size / 1e6:.1f} MB, opens from disk")


def album_of(question: Question) -> Album:
    """Where the pictures of the page come from; each is looked for when it is wanted."""
    from t2s_offline.report.folder_pictures import Album
    from t2s_offline.space import SCRATCH

    kept = question.kept
    recipe, seen = kept.recipe, {}

    def renderer() -> Renderer:
        from t2s_offline.render.renderer import recipe_renderer

        shop, recipe_id = question.rendering
        return recipe_renderer(shop.recipes[recipe_id], device="cpu")

    def backbone(configuration: str) -> Backbone:
        index = None if configuration == SCRATCH else kept.context.space.index(configuration)
        return kept.backbone(index)

    def task(name: str | None, size: int) -> TaskData:
        from t2s_offline.images.task_data import check_same_pictures, load_task
        from t2s_offline.tasks import locate

        if (name, size) not in seen:
            located = question.located if name is None else locate(name, question.data)
            loaded = load_task(
                located, size, data=question.data, resize=recipe.eval_resize, test_share=recipe.test_share,
                most=question.most if name is None else None,
            )  # fmt: skip
            if name is not None:
                check_same_pictures(question.table.store.digests().get(name), loaded)
            seen[name, size] = loaded
        return seen[name, size]

    return Album(renderer, backbone, task, recipe.evaluated, kept.context.space, recipe.samples)
