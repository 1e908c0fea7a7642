"""Which cells of a sweep are missing: the one place that asks the store and its waiting shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.spool import shards, waiting_cells
from t2s_offline.sweep.worker import Unit


def missing_units(units: Sequence[Unit], store: RewardStore) -> list[Unit]:
    """Units with the cells that neither the store nor a waiting shard has; those with none are left out.

    A store that is not there yet has no cells. For one unit only its rows and its shards are read.
    """
    paths, query, key = shards(store), "SELECT recipe, configuration, seed, task, metric FROM rewards", []
    if len(units) == 1:
        paths = [path for path in paths if path.name.startswith(units[0].name)]
        query += " WHERE (recipe, configuration, seed) = ($1, $2, $3)"
        key = [units[0].recipe_id, units[0].configuration, units[0].seed]
    have = waiting_cells(paths)  # before the store: a shard that is taken in between is then seen there
    if store.path.exists():
        with store.reader() as con:
            have |= set(con.execute(query, key).fetchall())
    left = []
    for unit in units:
        of = unit.recipe_id, unit.configuration, unit.seed
        if cells := tuple(cell for cell in unit.cells if (*of, *cell) not in have):
            left.append(replace(unit, cells=cells))
    return left
