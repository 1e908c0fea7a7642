"""Missing cells that are rendered, trained and measured on demand, for a recipe that a sweep made.

`live_path` returns a function for the learners' reward source. Every row is kept in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from t2s_offline.errors import BadInput, PretrainFailed
from t2s_offline.images.task_data import check_tasks
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.spool import absorb
from t2s_offline.sweep.hand_over import context_of
from t2s_offline.sweep.run_unit import Outcome, run_unit
from t2s_offline.sweep.worker import SweepContext, Unit


@dataclass
class LivePath:
    """Measures missing cells of one recipe and metric. `validated`: tasks that are chosen on val accuracy; `outcomes`:
    what was done, for the bill; `compared`: tasks whose pictures are those the store knows."""

    context: SweepContext
    recipe_id: str
    metric: str
    validated: Collection[str]
    seed: int = 0
    told: Callable[[str], None] = lambda line: None
    outcomes: list[Outcome] = field(default_factory=list)
    compared: set[str] = field(default_factory=set)

    def __call__(self, task: str, configuration: str) -> float:
        """Accuracy in percent on the part that learners may look at; rows go into the store at once."""
        if task not in self.compared:  # before anything is rendered: other pictures cannot add to these rewards
            check_tasks(self.context.store.digests(), [task], self.context.data)
            self.compared.add(task)
        self.told(f"measuring {task} under {configuration}")
        unit = Unit(self.recipe_id, configuration, self.seed, ((task, self.metric),))
        outcome = run_unit(unit, self.context)
        absorb(self.context.store)
        self.outcomes.append(outcome)
        if outcome.status != "done":
            raise PretrainFailed(f"{unit.name} could not be measured: {outcome.error or 'another sweep is doing it'}")
        column = "val_accuracy" if task in self.validated else "accuracy"
        with self.context.store.reader() as con:
            row = con.execute(
                f"SELECT {column} FROM rewards WHERE (recipe, task, configuration, seed, metric) = "
                "($1, $2, $3, $4, $5)",
                [self.recipe_id, task, configuration, self.seed, self.metric],
            ).fetchone()
        if row is None or row[0] is None:
            raise PretrainFailed(f"{unit.name} left no {self.metric} reward for {task}; sweep it by hand to see why")
        return float(row[0])

    @property
    def seconds(self) -> float:
        """Rendering, training and measuring together."""
        return sum(done.render_seconds + done.train_seconds + done.measure_seconds for done in self.outcomes)


def live_path(
    store: RewardStore,
    recipe_id: str,
    metric: str,
    *,
    validated: Collection[str],
    device: str = "auto",
    data: Path | None = None,
    told: Callable[[str], None] = lambda line: None,
) -> LivePath:
    """The live path for a recipe of this store; BadInput when the recipe is not one of ours, or for a table folder."""
    if store.path.is_dir():
        raise BadInput(
            f"{store.path} is a table folder, which can only be read, so nothing measured could be kept; "
            f"first: t2s-offline import {store.path} --store mine.duckdb"
        )
    context = context_of(store, recipe_id, device=device, data=data)
    return LivePath(context, recipe_id, metric, validated, told=told)
