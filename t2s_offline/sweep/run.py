"""Sweeps: the units of a specification, done until the store has all their rows.

A cell is done when its row exists, so a sweep that was killed goes on where it was, a task added later is measured on
the kept backbones, and a second sweep on the same store shares the work. `run_unit` does one unit.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from t2s_offline.errors import BadInput, SweepFailed, T2SError
from t2s_offline.recipe import MAX_SEEDS, SweepSpec
from t2s_offline.space import SimSpace
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.spool import absorb, refused
from t2s_offline.sweep.design import Design
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.run_unit import Outcome, claim_path, claimed, run_unit
from t2s_offline.sweep.worker import SweepContext, Unit

BUSY_WAIT = 2.0  # seconds between looks at units that another sweep is doing
Progress = Callable[[Outcome, int, int], None]


@dataclass
class Report:
    """What a sweep did. Seconds are sums over units, not wall time."""

    total: int
    done: int = 0
    rows: int = 0
    render_seconds: float = 0.0
    train_seconds: float = 0.0
    measure_seconds: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)


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


def attempts(store: RewardStore) -> dict[tuple[str, str, int], tuple[int, str, str | None]]:
    """How many attempts so far, and status and error of the last, by (recipe, configuration, seed)."""
    with store.reader() as con:
        rows = con.execute(
            """SELECT recipe, configuration, seed, count(*), last(status ORDER BY made), last(error ORDER BY made)
               FROM (SELECT *, row_number() OVER (ORDER BY created_at NULLS FIRST, length(attempt), attempt) AS made
                     FROM backbones) GROUP BY ALL"""
        ).fetchall()
    return {(recipe, configuration, seed): (*rest,) for recipe, configuration, seed, *rest in rows}


def declare(store: RewardStore, spec: SweepSpec, space: SimSpace, tasks: Sequence[dict[str, object]]) -> None:
    """Write what the rewards will refer to: recipes, parameters, tasks (rows with counts)."""
    import polars as pl

    from t2s_offline.store.rows import parameter_rows, typed

    recipes = [
        {"recipe": recipe_id, "space": str(space), "contents": recipe.contents(), "source": "sweep"}
        for recipe_id, recipe in spec.recipes.items()
    ]
    known = store.tasks() if store.path.exists() else {}
    new = [row for row in tasks if row["task"] not in known]
    frames = {
        "recipes": typed(pl.DataFrame(recipes), schema.RECIPES, "sweep"),
        "parameters": parameter_rows(dict.fromkeys(spec.recipes, space), "sweep"),
    }
    if new:
        frames["tasks"] = typed(pl.DataFrame(new, infer_schema_length=None), schema.TASKS, "sweep")
    store.add(frames)


def run(
    units: Sequence[Unit],
    context: SweepContext,
    *,
    retries: int = 1,
    keep_going: bool = False,
    spool_only: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Do every unit that has cells missing. A failed one is tried again `retries` times, unless what the person gave is
    the cause; then the sweep stops, or goes on with the others and fails at the end. `spool_only`: leave the rows in
    the spool, for sweeps on several nodes."""
    report = Report(len(units))
    if not spool_only:
        absorb(context.store)
    queue = missing_units(units, context.store)
    report.done = len(units) - len(queue)
    for round_number in range(retries + 1):
        failed: list[Unit] = []
        while queue:
            busy = []
            for outcome in _outcomes(queue, context):
                if outcome.status == "busy":
                    busy.append(outcome.unit)
                    continue
                if not spool_only:
                    _absorb_now(context.store, keep_going)
                outcome = replace(outcome, attempt=round_number + 1)
                _count(report, outcome)
                if outcome.status == "failed":
                    last = round_number == retries or outcome.hopeless
                    if last and not keep_going:
                        raise SweepFailed(_failure(report))
                    if not last:
                        failed.append(outcome.unit)
                if progress is not None:
                    progress(outcome, report.done, report.total)
            queue = _wait(busy, context)
        queue = failed
        if not failed:
            break
    if not spool_only:
        absorb(context.store)
        _check_taken(units, context.store, report)
    if report.failed:
        raise SweepFailed(_failure(report))
    return report


def _absorb_now(store: RewardStore, keep_going: bool) -> None:
    """Take what waits. A store that cannot be written now keeps its shards, and the sweep ends with another try."""
    try:
        absorb(store)
    except (T2SError, OSError):
        if not keep_going:
            raise


def _check_taken(units: Sequence[Unit], store: RewardStore, report: Report) -> None:
    """Count units as failed whose rows were written but could not be taken into the store."""
    aside = refused(store)
    for unit in missing_units(units, store):
        reasons = [reason for name, reason in aside.items() if name.startswith(f"{unit.name}-")]
        if reasons and unit.name not in report.failed:
            report.failed[unit.name] = f"its rows were refused: {reasons[-1]}"
            report.done -= 1


def _outcomes(queue: Sequence[Unit], context: SweepContext) -> Iterator[Outcome]:
    if context.workers == 1 or len(queue) == 1:
        yield from (run_unit(unit, context) for unit in queue)
        return
    from joblib import Parallel, delayed

    # joblib replaces a worker whose memory has grown, and says so: catalogues and pictures that are kept look like that
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
    work = Parallel(n_jobs=context.workers, return_as="generator_unordered", batch_size=1, pre_dispatch="all")
    left = {unit.name: unit for unit in queue}
    try:
        for outcome in work(delayed(run_unit)(unit, context) for unit in queue):
            left.pop(outcome.unit.name, None)
            yield outcome
    except Exception as error:  # a worker was killed, by the system when memory ran out: joblib gives up the others
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        yield from (Outcome(unit, "failed", reason) for unit in left.values())


def _count(report: Report, outcome: Outcome) -> None:
    report.rows += outcome.rows
    report.render_seconds += outcome.render_seconds
    report.train_seconds += outcome.train_seconds
    report.measure_seconds += outcome.measure_seconds
    if outcome.status == "failed":
        report.failed[outcome.unit.name] = outcome.error
    else:
        report.failed.pop(outcome.unit.name, None)
        report.done += 1


def _wait(busy: list[Unit], context: SweepContext) -> list[Unit]:
    """Units another sweep is doing: wait until it lets one go, then look again at what is missing of all."""
    while busy:
        for unit in busy:
            try:
                with claimed(claim_path(context, unit)) as free:
                    if free:
                        return busy
            except (T2SError, OSError):  # doing the unit meets it again, and records it
                return busy
        time.sleep(BUSY_WAIT)
    return []


def _failure(report: Report) -> str:
    name, error = next(iter(report.failed.items()))
    more = f" and {len(report.failed) - 1} more" if len(report.failed) > 1 else ""
    return (
        f"{name}{more} failed: {error}; {report.done} of {report.total} are done; "
        f"mend the cause and sweep again, or pass --keep-going"
    )
