"""What is asked of a policy: about which pictures, beside which rewards, on which machine; checked before any work."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline.api.budget import Clock, clock_of, spoken
from t2s_offline.api.told import Stages, Told, no_progress, quiet
from t2s_offline.errors import BadInput, EmptyStore, check_known
from t2s_offline.tasks import is_path

if TYPE_CHECKING:
    from t2s_offline.api.table import Table
    from t2s_offline.images.asked_task import Asked
    from t2s_offline.learners.policy import SavedPolicy
    from t2s_offline.matrix import Embeddings, RewardMatrix
    from t2s_offline.sweep.kept_backbones import KeptBackbones
    from t2s_offline.sweep.worker import SweepContext
    from t2s_offline.tasks import Located


#: Pictures of a folder that are embedded and measured, about; of each class FEWEST_OF_CLASS at least.
MOST_PICTURES, FEWEST_OF_CLASS = 2000, 10
#: Metrics that are measured on the same features.
FEATURE_METRICS = ("knn5", "linear", "logme")
#: What happens to a backbone that is wanted and not at hand: it is trained, or left out.
ON_MISS = ("live", "skip")


@dataclass(frozen=True)
class Question:
    """A policy, a table and a task; what is opened for them is opened once.

    about: the task, and whether what the table holds of it is of the same pictures; known: the table's embeddings under
    the policy's probe; matrix: rewards that may be used, None where the table has none of the recipe; digest: of the
    pictures that the table's rewards of the task are of; data: folder of tasks, T2S_DATA where None; any_pixels: render
    with today's pixels where the recipe's were others; backbones: a folder or an https address of backbones; live:
    whether backbones that are not at hand are trained; clock: when measuring must end.
    """

    policy: SavedPolicy | None
    table: Table
    about: Asked
    known: Embeddings
    matrix: RewardMatrix | None
    digest: str | None
    data: Path | None = None
    device: str = "auto"
    any_pixels: bool = False
    backbones: str | Path | None = None
    told: Told = quiet
    live: bool = False
    clock: Clock = field(default_factory=Clock)
    stages: Stages = no_progress

    @property
    def replays(self) -> bool:
        """Whether the table has rewards of the task: then nothing is measured."""
        return self.matrix is not None and self.about.name in self.matrix.tasks

    @cached_property
    def other_metrics(self) -> dict[str, RewardMatrix]:
        """Rewards by the metrics that see the same features (5-NN, linear, LogME), without the one that is asked for;
        empty where the one asked for needs other work (fine-tuning)."""
        matrix = self.matrix
        if matrix is None or matrix.metric not in FEATURE_METRICS:
            return {}
        found = {}
        for name in FEATURE_METRICS:
            if name != matrix.metric:
                with suppress(EmptyStore):  # the table has it under another recipe, or not at all
                    found[name] = self.table.store.matrix(matrix.recipe, name)
        whole = {name: rewards for name, rewards in found.items() if set(matrix.tasks) <= set(rewards.tasks)}
        return {name: rewards.select(matrix.tasks) for name, rewards in whole.items()}

    @cached_property
    def measurable(self) -> bool:
        """Whether the task is pictures and some backbones of the recipe are within reach."""
        if self.matrix is None or self.replays or self.matrix.metric not in FEATURE_METRICS:
            return False
        return self.renders and bool((self.kept.allowed_C & self.matrix.measured_C).any())

    @cached_property
    def renders(self) -> bool:
        """Whether a sweep of this package made the recipe, so that it can be rendered and its backbones opened."""
        from t2s_offline.sweep.hand_over import is_swept

        return self.matrix is not None and is_swept(self.table.store, self.matrix.recipe)

    @cached_property
    def located(self) -> Located:
        """Where the pictures are; UnknownName or BadFile when they are nowhere."""
        from t2s_offline.tasks import locate

        return self.about.located or locate(self.about.name, self.data)

    @cached_property
    def most(self) -> int | None:
        """How many pictures of each class of a folder are embedded and measured; None for all, as of a task whose
        rewards the table has."""
        from t2s_offline.images.task_files import folder_classes

        if self.digest or self.located.kind != "folder" or self.located.path is None:
            return None
        classes = len(folder_classes(self.located.path))
        files = sum(1 for path in self.located.path.rglob("*") if path.is_file())
        if files <= MOST_PICTURES or not classes:
            return None
        most = max(-(-MOST_PICTURES // classes), FEWEST_OF_CLASS)
        return most if files > most * classes else None

    @cached_property
    def shop(self) -> SweepContext:
        """Where the sweep that made the rewards keeps its backbones; BadInput for rewards that no sweep made."""
        from t2s_offline.sweep.hand_over import context_of

        if self.matrix is None:
            raise BadInput("nothing can be rendered, trained or measured without a recipe: name one with --recipe")
        return context_of(self.table.store, self.matrix.recipe, device=self.device, data=self.data)

    @cached_property
    def kept(self) -> KeptBackbones:
        """The backbones that can be measured on the task."""
        from t2s_offline.sweep.kept_backbones import KeptBackbones
        from t2s_offline.sweep.live_backbones import live_backbones

        if self.matrix is None:
            raise BadInput("--measure needs rewards to learn from: name their recipe with --recipe")
        shop, recipe_id, live = self.shop, self.matrix.recipe, None
        if self.live:
            stored = self.table.store.backbone_seconds(recipe_id)
            live = live_backbones(*self.rendering, stored=stored, stages=self.stages)
        return KeptBackbones(
            shop, recipe_id, self.located, self.matrix.metric, stored=self.digest, named=self.backbones, live=live,
            stages=self.stages, most=self.most,
        )  # fmt: skip

    def training_seconds(self) -> float | None:
        """Seconds that a backbone took to render and train, by the table; None where it does not say."""
        return None if self.matrix is None else self.table.store.backbone_seconds(self.matrix.recipe)

    @cached_property
    def rendering(self) -> tuple[SweepContext, str]:
        """The context and the recipe that pictures and a backbone are made under."""
        from t2s_offline.sweep.hand_over import with_these_pixels

        shop, recipe_id = self.shop, next(iter(self.shop.recipes))
        if not self.any_pixels:
            return shop, recipe_id
        shop, made = with_these_pixels(shop, recipe_id)
        if made != recipe_id:
            self.told(f"rendering with today's pixels: what is handed over is of recipe {made}, not of {recipe_id}")
        return shop, made


def ask(
    policy: SavedPolicy | None,
    table: Table,
    target: str | Path,
    *,
    recipe: str | None = None,
    metric: str = "knn5",
    probe_name: str | None = None,
    measure: int | None = None,
    render: int = 0,
    pretrain: bool = False,
    data: Path | None = None,
    device: str = "auto",
    any_pixels: bool = False,
    backbones: str | Path | None = None,
    budget: str | float | None = None,
    on_miss: str | None = None,
    confirm: Callable[[str], bool] | None = None,
    told: Told = quiet,
    stages: Stages = no_progress,
) -> Question:
    """The question, when all that it needs is there; what is missing is an error before anything is computed.

    See `predict` for the arguments. Says through `told` when pictures are others than the table's of that name.
    confirm: asked whether backbones that are not at hand are trained, where `on_miss` does not say.
    """
    from t2s_offline.images.asked_task import asked

    clock = clock_of(budget)
    if on_miss is not None:
        check_known("--on-miss", on_miss, ON_MISS)
    if budget is not None and measure is not None:
        raise BadInput("--measure counts backbones and --budget counts time: give one of them")

    if isinstance(target, Path):  # a path is pictures, never the name of a task
        target = str(target) if is_path(str(target)) else f".{os.sep}{target}"
    card = policy.card if policy is not None else {}
    store = table.store
    recipes = store.recipes()
    wanted = recipe or (card.get("recipe") if policy is not None else store.recipe(None)[0])
    matrix = store.matrix(wanted, metric) if wanted in recipes or recipe else None
    needing = [
        name
        for name, given in (
            ("--measure", measure),
            ("--budget", budget),
            ("--render", render),
            ("--pretrain", pretrain),
        )
        if given
    ]
    if matrix is None and needing:
        lacks = f"{table.path} has no recipe {wanted}, the policy's" if wanted else "the policy names no recipe"
        there = ", ".join(recipes)
        raise BadInput(f"{', '.join(needing)} cannot be done: {lacks}; name one with --recipe: {there}")
    known = store.embeddings(probe_name or card.get("probe"))
    digests = dict.fromkeys((*known.tasks, *(matrix.tasks if matrix else ()))) | store.digests()
    about = asked(target, digests, data)
    if matrix is not None and not about.stored:  # whatever the table calls so is not these pictures
        matrix = matrix.select([name for name in matrix.tasks if name != about.name])
    digest = digests.get(about.name) if about.stored else None
    question = Question(
        policy, table, about, known, matrix, digest, data, device, any_pixels, backbones, told,
        live=on_miss == "live" or (budget is not None and on_miss is None), clock=clock, stages=stages,
    )  # fmt: skip
    if question.replays and (budget is not None or on_miss == "live"):
        raise BadInput(
            f"the table has rewards of {about.name}, so nothing is measured or trained for it: give --measure K alone"
        )
    if render or (pretrain and budget is None and not question.kept.allowed_C.any()):
        check_pixels(question)
    if measure and not question.replays:
        question = _with_lacking(question, measure, on_miss, confirm)
    elif budget is not None and question.live and not question.kept.allowed_C.all():
        check_pixels(question)
    for line in about.notes:
        told(line)
    return question


def _with_lacking(
    question: Question, measure: int, on_miss: str | None, confirm: Callable[[str], bool] | None
) -> Question:
    """The question with the word on what to do where fewer backbones than `measure` are at hand: `on_miss`, what a
    person answers, or else to leave them out."""
    there = int(question.kept.allowed_C.sum())
    wanted = min(measure, len(question.kept.allowed_C))
    if wanted <= there:
        return question
    seconds = question.training_seconds()
    time = "an unknown time" if seconds is None else f"about {spoken((wanted - there) * seconds)}"
    line = f"{wanted - there} of {wanted} backbones are not at hand; rendering and training them here takes {time}"
    if on_miss is None and confirm is not None:
        on_miss = "live" if confirm(line) else "skip"
    elif on_miss is None:
        question.told(f"{line} (--on-miss live does it): measuring the {there} that are")
    if on_miss != "live":
        return question
    question = replace(question, live=True)
    check_pixels(question)
    question.told(line)
    return question


def check_pixels(question: Question) -> None:
    """BadInput when the recipe's pictures can no longer be made here."""
    from t2s_offline.render.renderer import check_pixels as check

    shop, recipe_id = question.rendering
    try:
        check(shop.recipes[recipe_id])
    except BadInput as error:
        raise BadInput(f"{error}; or add --any-pixels") from error
