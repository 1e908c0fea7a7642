"""Learn a policy from a table by Algorithm 1 of the paper, replayed on rewards that were measured before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from t2s_offline.api.told import Progress, Told, quiet
from t2s_offline.errors import BadInput, check_known
from t2s_offline.learners.policy import SavedPolicy, save_policy
from t2s_offline.learners.policy import load_policy as read_policy

if TYPE_CHECKING:
    from t2s_offline.api.table import Table
    from t2s_offline.store.reward_store import RewardStore

OnMiss = Literal["error", "skip", "model", "live"]


@dataclass(frozen=True)
class Policy(SavedPolicy):
    """A learned policy: `policy` maps unit embeddings (T, D) to probabilities of configurations (T, C); `card` says
    what it was made from (recipe, metric, probe, tasks, seeds, versions) and what it reached, in percent."""

    def save(self, folder: str | Path) -> None:
        """Write policy.safetensors and policy.json; BadFile when the folder cannot be written."""
        save_policy(Path(folder), self.policy, self.card)


def load_policy(folder: str | Path) -> Policy:
    """Read what `Policy.save` or ``t2s-offline learn`` wrote; BadFile when it is absent or damaged."""
    saved = read_policy(Path(folder))
    return Policy(saved.policy, saved.card)


def learn(
    table: Table,
    *,
    recipe: str | None = None,
    metric: str = "knn5",
    probe: str | None = None,
    train_tasks: str | Sequence[str] | None = None,
    leave_out: str | Sequence[str] = (),
    seeds: int = 1,
    on_miss: OnMiss = "error",
    device: str = "auto",
    jobs: int = 1,
    told: Told = quiet,
    progress: Progress | None = None,
    **hyperparameters: Any,
) -> Policy:
    """Learn a policy from the rewards of a table.

    recipe, probe: needed where the table has several. train_tasks: ``seen``, ``unseen``, ``all`` or names; by default
    the seen ones where tasks are marked so, else all. leave_out: tasks to learn nothing from. seeds: how many networks;
    their mean is the policy. on_miss: what a cell is that the table lacks: an ``error`` (MissingReward), dropped
    (``skip``), what a surrogate believes of it (``model``), or rendered, trained and measured on `device` (``live``).
    jobs: worker processes, each one seed at a time. hyperparameters: fields of `learners.reinforce.Reinforce`, such as
    ``epochs=1000`` or ``centre=True``.
    """
    import numpy as np

    from t2s_offline.learners.reinforce import Reinforce
    from t2s_offline.learners.train_policy import train_policy

    for name in hyperparameters:
        check_known("hyperparameter", name, [field.name for field in fields(Reinforce)])
    learner = Reinforce(**hyperparameters)
    matrix, embeddings = table.store.matrix(recipe, metric), table.store.embeddings(probe)
    tasks = training_tasks(table.store, matrix.tasks, train_tasks)
    for name in [leave_out] if isinstance(leave_out, str) else leave_out:
        matrix.position(name)
        tasks = [task for task in tasks if task != name]
    if not tasks:
        shown = train_tasks if isinstance(train_tasks, str | None) else ",".join(train_tasks)
        raise BadInput(f"--train-tasks {shown}: no such task has rewards; use all, or names with commas")
    matrix, embeddings = matrix.select(tasks), embeddings.select(tasks)
    chosen_on, gaps = matrix, 0
    if on_miss == "model":
        from t2s_offline.learners.surrogate import modelled

        gaps = int(np.isnan(matrix.signal_TC).sum())
        matrix = modelled(matrix, embeddings)
        told(f"{gaps} of {matrix.signal_TC.size} cells are missing: a surrogate's belief stands for them")
    live = None
    if on_miss == "live":
        from t2s_offline.sweep.live_cells import live_path

        # measured on the part of each task that the learner looks at
        live = live_path(
            table.store, matrix.recipe, matrix.metric, validated=matrix.validated, device=device, told=told
        )
    trained = train_policy(
        learner, matrix, embeddings, seeds=range(seeds), on_miss="error" if on_miss == "model" else on_miss,
        live=live, jobs=jobs, progress=progress,
    )  # fmt: skip
    card = {**trained.card, "on_miss": on_miss, "modelled": gaps}
    if chosen_on.val_note:
        told(chosen_on.val_note)
    told(f"{card['hits']} hits, {card['misses']} misses, {card['seconds']:.1f} s")
    if live is not None and live.outcomes:
        told(f"{len(live.outcomes)} cells measured and kept in {table.path}, {live.seconds:.0f} s of work")
    return Policy(trained.policy, card)


def training_tasks(store: RewardStore, known: Sequence[str], wanted: str | Sequence[str] | None) -> list[str]:
    """The tasks that are named, or the known ones that are seen, unseen or all; by default seen where tasks have a
    split, else all."""
    split = store.tasks()
    if wanted is None:
        wanted = "seen" if any(split.get(task) == "seen" for task in known) else "all"
    if wanted == "all":
        return list(known)
    if wanted in ("seen", "unseen"):
        return [task for task in known if split.get(task) == wanted]
    return [wanted] if isinstance(wanted, str) else list(wanted)
