"""The units of a sweep: which backbones a specification asks for, in which order, and the part of a shard."""

from __future__ import annotations

from collections.abc import Sequence

from t2s_offline.errors import BadInput
from t2s_offline.recipe import MAX_SEEDS, SweepSpec
from t2s_offline.sweep.design import Design
from t2s_offline.sweep.worker import Unit


def plan(spec: SweepSpec, design: Design, tasks: Sequence[str], references: Sequence[str] = ()) -> list[Unit]:
    """Every unit of a sweep, seeds outermost: one stopped early then has one seed of more configurations.

    References have the seeds of the specification, or 0 to N - 1 with `reference_seeds = N` in the design.
    With `replicates = N` in the design, seeds after the first are measured on the first N configurations alone: enough
    to tell noise from signal, at less than the price of another table. With `seeds_first = N` every seed of the first N
    configurations comes before the others.
    """
    if not tasks:
        raise BadInput("no task is present; set T2S_DATA to a folder of tasks, or name some in the specification")
    count = len(design.configurations)
    replicates, at_once = (
        _whole(spec, key, default, count) for key, default in (("replicates", count), ("seeds_first", 0))
    )
    cells = tuple((task, metric) for task in tasks for metric in spec.metrics)
    reference_seeds = _reference_seeds(spec)
    seeds_of = dict.fromkeys(design.configurations, spec.seeds[:1])
    seeds_of |= dict.fromkeys(design.configurations[:replicates], spec.seeds) | dict.fromkeys(
        references, reference_seeds
    )
    blocks = (*references, *design.configurations[:at_once]), design.configurations[at_once:]
    return [
        Unit(recipe_id, configuration, seed, cells)
        for block in blocks
        for seed in dict.fromkeys((*spec.seeds, *reference_seeds))
        for recipe_id in spec.recipes
        for configuration in block
        if seed in seeds_of[configuration]
    ]


def _reference_seeds(spec: SweepSpec) -> tuple[int, ...]:
    count = spec.design.get("reference_seeds", None)
    if count is None:
        return spec.seeds
    if type(count) is not int or not 1 <= count <= MAX_SEEDS:
        raise BadInput(f"[design] reference_seeds = {count!r}; expected how many, 1 to {MAX_SEEDS}")
    return tuple(range(count))


def _whole(spec: SweepSpec, key: str, default: int, most: int) -> int:
    value = spec.design.get(key, default)
    if type(value) is not int or not 0 <= value <= most:
        raise BadInput(f"[design] {key} = {value!r}; expected 0 to {most}")
    if key in spec.design and len(spec.seeds) == 1:
        raise BadInput(f"[design] {key} is about the seeds after the first; give seeds = 2 or more beside it")
    return value


def sharded(units: Sequence[Unit], shard: str | None) -> list[Unit]:
    """Part i of n of the units, for ``i/n`` from 1/n to n/n; all when None."""
    if shard is None:
        return list(units)
    part, _, parts = shard.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise BadInput(f"shard {shard!r}; expected i/n with i from 1 to n, such as 1/4")
    return list(units[int(part) - 1 :: int(parts)])
