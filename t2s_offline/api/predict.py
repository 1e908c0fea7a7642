"""The configuration to pre-train with for a task: ask, embed its pictures, believe the policy, measure, answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline.api.backbones import check_wanted, hand_over, implied
from t2s_offline.api.folder_report import check_page, write_page
from t2s_offline.api.measuring import by_measuring
from t2s_offline.api.portfolio import PORTFOLIO, by_lookup, fitted
from t2s_offline.api.question import Question, ask
from t2s_offline.api.told import WARNING, Progress, Told, quiet, stages_of
from t2s_offline.errors import BadInput

if TYPE_CHECKING:
    from t2s_offline.api.table import Table
    from t2s_offline.learners.policy import SavedPolicy
    from t2s_offline.learners.predict import Prediction
    from t2s_offline.matrix import Embeddings

SHOWN_BAD = 3  # files that are no pictures, by name


def predict(
    policy: SavedPolicy | None,
    table: Table,
    target: str | Path,
    *,
    recipe: str | None = None,
    metric: str = "knn5",
    top: int = 5,
    measure: int | None = None,
    budget: str | float | None = None,
    on_miss: str | None = None,
    probe: str | Path | None = None,
    samples: int | None = None,
    data: str | Path | None = None,
    device: str = "auto",
    render: int = 0,
    pretrain: bool = False,
    features: bool = False,
    classifier: bool = False,
    out: str | Path | None = None,
    report: str | Path | None = None,
    any_pixels: bool = False,
    backbones: str | Path | None = None,
    told: Told = quiet,
    progress: Progress | None = None,
) -> Prediction:
    """The configuration to pre-train with, for an embedded task or a folder with one folder of pictures a class.

    policy: None lets the surrogate answer, which is fitted to the table now. target: a name is a task of the table; a
    `Path`, or a text with a separator such as ``photos/``, is pictures. What the table holds of a task of that name is
    used only when it is of the same pictures.

    Answers with `configuration`, `probabilities` (of each parameter's levels), `top` (the likeliest configurations),
    `nearest` (training tasks by similarity), `reward`, `best` and `regret` in percent where the table knows them,
    `measured` (what was measured) and `worth` (accuracy to expect, gains and ties; see `learners.worth`).

    recipe: of the rewards, by default the policy's. top: how many configurations to list. measure: 0 guesses once; K
    lets a surrogate fitted to the other tasks pick so many backbones one after another, each measured on the task's
    pictures by every metric of the table, and answers with the best; of a task of the table its rewards are replayed.
    None measures PORTFOLIO of those at hand. budget: a time instead, ``5m`` or seconds: what is expected to gain most a
    second is measured or trained until it is over. on_miss: what happens to a wanted backbone that is not at hand:
    ``live`` renders and trains it under the table's recipe and keeps it in the user's cache, ``skip`` leaves it out; by
    default skip with `measure`, live with `budget`. backbones: a folder or an https address of backbones, beside those
    of the table, its sweep and the cache. probe, samples: the network's file and how many pictures to draw for the
    embedding, by default the table's. data: folder of tasks, by default T2S_DATA. device: auto, cpu, cuda or cuda:0.

    render, pretrain: write so many pictures a class, and the configuration's backbone with a model card, to the folder
    `out`; with a budget and `out` alone the backbone. features, classifier: with it also the features of the task's
    pictures, and a linear classifier fitted to them, for `classify`; any_pixels: also where the recipe's pixels were
    others than today's. report: an HTML file for a page about this prediction.
    """
    folder = None if out is None else Path(out)
    if report is not None:
        check_page(Path(report))
    pretrain = implied(folder, budget, render=render, pretrain=pretrain)
    check_wanted(folder, render=render, pretrain=pretrain, features=features, classifier=classifier)
    question = ask(
        policy, table, target, recipe=recipe, metric=metric, measure=measure, render=render, pretrain=pretrain,
        data=None if data is None else Path(data), device=device, any_pixels=any_pixels, backbones=backbones,
        budget=budget, on_miss=on_miss, told=told, stages=stages_of(progress),
    )  # fmt: skip
    found = answer(question, top=top, measure=measure, probe=probe, samples=samples)
    if report is not None:
        write_page(question, found, Path(report))
    if folder is not None:
        hand_over(
            question, found, folder, render=render, pretrain=pretrain, features=features, classifier=classifier,
        )  # fmt: skip
    return found


def answer(
    question: Question,
    *,
    top: int = 5,
    measure: int | None = None,
    probe: str | Path | None = None,
    samples: int | None = None,
) -> Prediction:
    """The steps of `predict` between asking and handing over."""
    embeddings = embedded(question, probe, samples)
    if not question.replays and (measure or question.clock.until is not None):
        return by_measuring(question, embeddings, measure, top)
    if measure is None and question.measurable:
        return by_measuring(question, embeddings, PORTFOLIO, top)
    if measure is None and question.policy is None:
        return by_lookup(question, embeddings, PORTFOLIO, top)
    guess = by_lookup(question, embeddings, 0, top) if question.policy is None else None
    found = guess or believed(question, embeddings, top)
    return replayed(question, embeddings, found, measure) if measure else found


def embedded(question: Question, probe: str | Path | None = None, samples: int | None = None) -> Embeddings:
    """The table's embeddings with the task's: as they are where it is among them, else with one made now."""
    from t2s_offline.images.task_data import check_same_pictures, load_task
    from t2s_offline.store.table_folders import PROBE
    from t2s_offline.sweep.hand_over import embedded as with_embedding
    from t2s_offline.sweep.hand_over import probe_of

    known, name, path = question.known, question.about.name, question.table.path
    if question.about.stored and name in known.tasks:
        return known
    shipped = path / PROBE
    file = probe if probe is not None else shipped if shipped.is_file() else None
    try:
        network, made = probe_of(known, None if file is None else str(file), question.device)
    except BadInput as error:
        raise BadInput(f"{name} is not embedded in {path}; {error}") from error
    if network.name != made.probe:
        question.told(f"{WARNING}{file} is not the file that torchvision publishes; taken for its weights as you say")
    made = made if samples is None else replace(made, samples=samples)
    task = load_task(
        question.located, made.size, resize=network.resize, progress=question.stages("read", "picture"),
        most=question.most,
    )  # fmt: skip
    check_same_pictures(question.digest, task)
    if question.most is not None:
        question.told(f"{name} has many pictures: at most {question.most} of each class are embedded and measured")
    if task.bad:
        shown = "; ".join(task.bad[:SHOWN_BAD]) + ("; ..." if len(task.bad) > SHOWN_BAD else "")
        question.told(f"{WARNING}{len(task.bad)} files are no pictures and are left out: {shown}")
    question.told(f"embedding {name} as the store's tasks were: {made}")
    return with_embedding(task, name, known, network, made, question.stages("embed", "picture"))


def believed(question: Question, embeddings: Embeddings, top: int = 5) -> Prediction:
    """What the policy says of the task, before anything is measured."""
    from t2s_offline.learners.predict import predict as prediction

    if question.policy is None:
        raise BadInput("no policy to ask; name one with --policy DIR, or leave it to the surrogate")
    return prediction(question.policy, embeddings, question.about.name, question.matrix, top=top)


def replayed(question: Question, embeddings: Embeddings, found: Prediction, count: int) -> Prediction:
    """The answer after `count` of the table's rewards of the task were looked up, one after another, with a surrogate
    fitted to the rewards of the other tasks."""
    import numpy as np

    from t2s_offline.analysis.seed_noise import seeds_T
    from t2s_offline.learners.predict import after_measuring
    from t2s_offline.learners.shortlist import shortlist

    task, matrix, told = question.about.name, question.matrix, question.told
    if matrix is None:
        raise BadInput("--measure needs rewards to learn from: name their recipe with --recipe")
    others, policy = fitted(question, embeddings)
    if note := matrix.select([*others, task]).val_note:
        told(note)
    at = matrix.position(task)
    signal_C = matrix.signal_TC[at]
    told(f"replaying the store's {matrix.metric} of {task}; the surrogate learned from {len(others)} other tasks")
    path = shortlist(
        policy.belief(embeddings.select((task,)).unit_TD[0]),
        lambda index: float(signal_C[index]),
        count,
        allowed_C=~np.isnan(signal_C),
        noise_sd=policy.noise.at(matrix.pictures_T[at], seeds_T(matrix)[at]),
    )
    return after_measuring(found, path.configuration, path.as_dicts(), matrix)
