"""How far a sweep is (counts, rate, time left), and bringing the work of several nodes together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from t2s_offline.errors import BadInput
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.spool import absorb
from t2s_offline.sweep.lease import is_held
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.run import attempts
from t2s_offline.sweep.worker import SweepContext, Unit


def progress_of(units: Sequence[Unit], context: SweepContext) -> list[dict[str, Any]]:
    """A row a recipe: configurations in all, done, running, failed, waiting; configurations an hour, hours left.

    The rate is that of the backbones finished between the first and the last of this recipe, over all workers.
    """
    exists = context.store.path.exists()
    left = missing_units(units, context.store)
    before = attempts(context.store) if exists else {}
    rows = []
    for recipe_id in dict.fromkeys(unit.recipe_id for unit in units):
        own = [unit for unit in units if unit.recipe_id == recipe_id]
        missing = [unit for unit in left if unit.recipe_id == recipe_id]
        running = [unit for unit in missing if is_held(context.claim(unit))]
        failed = [
            unit
            for unit in missing
            if unit not in running
            and before.get((recipe_id, unit.configuration, unit.seed), (0, "", None))[1] == "failed"
        ]
        rate = _rate(context.store, recipe_id) if exists else None
        rows.append(
            {
                "recipe": recipe_id,
                "configurations": len(own),
                "done": len(own) - len(missing),
                "running": len(running),
                "failed": len(failed),
                "waiting": len(missing) - len(running) - len(failed),
                "per_hour": rate,
                "hours_left": len(missing) / rate if rate else None,
            }
        )
    return rows


def _rate(store: RewardStore, recipe_id: str) -> float | None:
    """Backbones an hour, from the times the first and last of the latest hundred were written."""
    with store.reader() as con:
        row = con.execute(
            """SELECT count(*), epoch(max(created_at)) - epoch(min(created_at)) FROM (
                   SELECT created_at FROM backbones WHERE recipe = $1 AND status = 'done'
                   ORDER BY created_at DESC LIMIT 100)""",
            [recipe_id],
        ).fetchone()
    if row is None or row[0] < 2 or not row[1]:
        return None
    return float(3600 * (row[0] - 1) / row[1])


def merge_stores(store: RewardStore, others: Sequence[RewardStore]) -> dict[str, int]:
    """Take everything of other stores or table folders, and the waiting shards of all; returns new rows by table.

    Each of the others is taken whole or not at all. One that cannot be does not keep the rest from being taken; the
    BadInput at the end names it.
    """
    from t2s_offline.store.import_export import complete

    total: dict[str, int] = {}
    problems = []
    for other in others:
        try:
            absorb(other)
            known = store.recipes() if store.path.exists() else {}
            rows = {name: frame for name, frame in other.frames().items() if len(frame)}
            _add(total, store.add(complete(rows, known, other.path.name)))
        except BadInput as error:
            problems.append(f"{other.path} was not merged: {error}")
    _add(total, absorb(store))
    if problems:
        raise BadInput("; ".join(problems) + (f"; the other {len(others) - len(problems)} were" if others[1:] else ""))
    return total


def _add(total: dict[str, int], new: dict[str, int]) -> None:
    for name, count in new.items():
        total[name] = total.get(name, 0) + count
