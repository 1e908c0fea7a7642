"""What a report is about: a store's rewards, embeddings and costs, read once.

Arrays and a few counts, with a line for everything that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from t2s_offline.errors import BadInput, EmptyStore, T2SError
from t2s_offline.learners.policy import SavedPolicy
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.recipe import METRICS
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore

#: metric -> what people call it
METRIC_NAMES = {
    "knn5": "5-NN accuracy",
    "linear": "linear-probe accuracy",
    "finetune": "fine-tuned accuracy",
    "logme": "LogME",
}


@dataclass(frozen=True)
class Facts:
    """split: seen, unseen or None by task; training: tasks the policy, or else the paper's split, learned from (empty
    where neither says); others: rewards under further metrics of the same recipe; missing: lines for the reader."""

    store: RewardStore
    matrix: RewardMatrix
    embeddings: Embeddings | None
    policy: SavedPolicy | None
    groups: Mapping[str, str | None]
    training: tuple[str, ...]
    others: Mapping[str, RewardMatrix]
    missing: tuple[str, ...] = field(default=())

    @property
    def unit(self) -> str:
        """Axis title of rewards."""
        name = METRIC_NAMES[self.matrix.metric]
        return name if self.matrix.metric == "logme" else f"{name} (%)"

    @property
    def contested(self) -> tuple[str, ...]:
        """Tasks that learners are compared on: all, or those that are embedded."""
        known = self.embeddings.tasks if self.embeddings is not None else self.matrix.tasks
        return tuple(task for task in self.matrix.tasks if task in known)

    def ask(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Rows of a SELECT on the store as dictionaries; `values` for $1, $2 … (names of users are never SQL)."""
        with self.store.reader() as con:
            result = con.execute(f"{schema.WITH_VIEWS} {sql}", list(values))
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def read_facts(
    store: RewardStore,
    recipe: str | None = None,
    metric: str = "knn5",
    *,
    probe: str | None = None,
    policy: SavedPolicy | None = None,
) -> Facts:
    """Read a store. Raises EmptyStore without rewards and BadInput for a policy of another space; what else is absent
    becomes a line of `missing`."""
    matrix = store.matrix(recipe, metric)
    missing: list[str] = []
    if policy is None:
        missing.append("No policy was given: add --policy DIR (made by t2s-offline learn) to see what it chooses.")
    elif policy.policy.space != matrix.space:
        raise BadInput(
            f"the policy is for the space {policy.policy.space}; recipe {matrix.recipe} has {matrix.space}: "
            "name the recipe it was learned from with --recipe"
        )
    embeddings = _embeddings(store, probe or (policy.card.get("probe") if policy else None), missing)
    if embeddings is not None:
        bare = [task for task in matrix.tasks if task not in embeddings.tasks]
        if len(bare) == len(matrix.tasks):
            missing.append("No task with rewards is embedded: learners that look at embeddings are left out.")
            embeddings = None
        elif bare:
            missing.append(
                f"{_some(bare)} of {len(matrix.tasks)} tasks have rewards but no embedding: comparisons leave them "
                "out; embed them with t2s-offline embed."
            )
    if policy is not None and embeddings is None:
        missing.append("The policy cannot be asked without embeddings.")
        policy = None
    store_split = store.tasks()
    training = tuple(task for task in matrix.tasks if store_split.get(task) == "seen")
    if policy is not None:
        training = tuple(task for task in matrix.tasks if task in policy.card.get("tasks", ()))
    cells = matrix.reward_TC.size
    absent = cells - int((matrix.reward_TC == matrix.reward_TC).sum())
    if absent:
        whole = int(matrix.measured_C.sum())
        missing.append(
            f"{absent:,} of {cells:,} cells are not measured; {whole} of {len(matrix.space)} configurations are "
            f"measured on all {len(matrix.tasks)} tasks, and comparisons use those."
        )
    if matrix.val_TCS is None:
        missing.append(
            "The table has test accuracy alone: what is chosen is chosen and reported on the same part, which flatters "
            "it."
        )
    elif matrix.val_note:
        missing.append(f"{matrix.val_note[:1].upper()}{matrix.val_note[1:]}, which flatters it.")
    if store.backbone_seconds(matrix.recipe) is None:
        missing.append("No backbone has its seconds: what the table cost, and what a full one would, is not known.")
    others = _others(store, matrix, missing)
    groups = {row["task"]: row["task_group"] for row in _rows(store, "SELECT task, task_group FROM tasks")}
    return Facts(store, matrix, embeddings, policy, groups, training, others, tuple(missing))


def _embeddings(store: RewardStore, probe: str | None, missing: list[str]) -> Embeddings | None:
    try:
        return store.embeddings(probe)
    except EmptyStore:
        missing.append(
            "The store has no embeddings: there is no task map, and learners that look at them are left out."
        )
        return None


def _others(store: RewardStore, matrix: RewardMatrix, missing: list[str]) -> dict[str, RewardMatrix]:
    """Rewards of the same recipe under other metrics."""
    found = {}
    for metric in METRICS:
        if metric != matrix.metric:
            try:
                found[metric] = store.matrix(matrix.recipe, metric)
            except EmptyStore:
                continue
    if not found:
        missing.append(
            f"Only {METRIC_NAMES[matrix.metric]} is measured: whether it ranks configurations as a linear probe or "
            "fine-tuning would is not known."
        )
    return found


def _rows(store: RewardStore, sql: str) -> list[dict[str, Any]]:
    with store.reader() as con:
        result = con.execute(sql)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 task, 2 tasks."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _some(names: list[str]) -> str:
    """A few names, for a sentence."""
    if len(names) <= 3:
        return f"{len(names)} ({', '.join(names)})"
    return f"{len(names)} ({', '.join(names[:3])} …)"


def reason(error: T2SError) -> str:
    """An error of the family as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
