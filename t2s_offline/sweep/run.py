"""Sweeps: the units of a specification, done until the store has all their rows.

A cell is done when its row exists, so a sweep that was killed goes on where it was, a task added later is measured on
the kept backbones, and a second sweep on the same store shares the work. The process that sweeps claims a unit
(`lease`) before it gives it to its backend, and adds to the store what the backend's workers leave in the spool.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from t2s_offline.errors import StoreError, SweepFailed, T2SError
from t2s_offline.recipe import SweepSpec
from t2s_offline.space import SimSpace
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.spool import absorb, refused
from t2s_offline.sweep import leave
from t2s_offline.sweep.backends import Backend, local_backend
from t2s_offline.sweep.lease import Lease, claim, is_held
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.run_unit import Outcome, failed
from t2s_offline.sweep.worker import SweepContext, Unit

BUSY_WAIT = 2.0  # seconds between looks at units that another sweep is doing
#: Seconds between two times of taking what waits in the spool: a twentieth of the time goes to that, within bounds.
#: Readers of the store wait meanwhile, and shards that wait are read by whoever asks what is missing.
ABSORB_EVERY, ABSORB_AT_LAST, ABSORB_SHARE = 1.0, 5.0, 0.05
MOST_LOSSES = 3  # workers that a unit may lose before it counts as failed
Progress = Callable[[Outcome, int, int], None]


@dataclass
class Report:
    """What a sweep did. Seconds are sums over units, not wall time. `left`: units not done because the process was
    asked to leave (`leave`)."""

    total: int
    done: int = 0
    rows: int = 0
    render_seconds: float = 0.0
    train_seconds: float = 0.0
    measure_seconds: float = 0.0
    left: int = 0
    failed: dict[str, str] = field(default_factory=dict)


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
    """Write what the rewards will refer to: recipes, parameters, tasks (rows with counts).

    Nothing is written when the store has it all: the elements of a job array begin together, and a store on a network
    file system may not know how to keep writers apart.
    """
    import polars as pl

    from t2s_offline.store.rows import parameter_rows, typed

    recipes = [
        {"recipe": recipe_id, "space": str(space), "contents": recipe.contents(), "source": "sweep"}
        for recipe_id, recipe in spec.recipes.items()
    ]
    known, there = {}, set()
    if store.path.exists():
        known = store.tasks()
        with store.reader() as con:
            there = set(con.execute("SELECT recipe, space, contents, source FROM recipes").fetchall())
    new = [row for row in tasks if row["task"] not in known]
    if not new and {tuple(row.values()) for row in recipes} <= there:
        return
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
    backend: Backend | None = None,
) -> Report:
    """Do every unit that has cells missing. A failed one is tried again `retries` times, after the others, unless what
    the person gave is the cause; then the sweep stops, or goes on with the others and fails at the end. One whose
    worker ends is done by another worker, and is a failure after three; the others go on.

    spool_only: leave the rows in the spool, for sweeps on several nodes. backend: where units are done, by default
    processes of this machine. Raises SweepFailed, and StoreError when the store cannot be written.
    """
    sweep = _Sweep(units, context, retries, keep_going, spool_only, progress)
    sweep.do(backend or local_backend(context))
    return sweep.end()


class _Sweep:
    """The state of a sweep that runs: what is to do, what this process has claimed, what others are doing."""

    def __init__(
        self,
        units: Sequence[Unit],
        context: SweepContext,
        retries: int,
        keep_going: bool,
        spool_only: bool,
        progress: Progress | None,
    ) -> None:
        self.units, self.context, self.retries, self.keep_going = units, context, retries, keep_going
        self.spool_only, self.progress = spool_only, progress
        self.report = Report(len(units))
        self.held: dict[str, Lease] = {}
        self.busy: list[Unit] = []
        self.ended: deque[Outcome] = deque()  # without a backend: claims that failed, units that others did
        self.tries: Counter[str] = Counter()
        self.losses: Counter[str] = Counter()
        self.absorb_at = 0.0
        if not spool_only:
            absorb(context.store)
        self.queue = deque(missing_units(units, context.store))
        self.report.done = len(units) - len(self.queue)

    def do(self, backend: Backend) -> None:
        """Do what is missing until nothing is, or this process is asked to leave."""
        try:
            while self.queue and not leave.asked():
                with closing(backend.outcomes(self._next(), self.context)) as outcomes:
                    for outcome in outcomes:
                        self._take(outcome)
                        self._take_ended()
                self._take_ended()
                if not self.queue:
                    self._wait()
        finally:
            for lease in self.held.values():
                lease.release()

    def end(self) -> Report:
        """Take what waits, and look whether all of it is in the store; SweepFailed when a unit failed."""
        if not self.spool_only:
            absorb(self.context.store)
            _check_taken(self.units, self.context.store, self.report)
        if self.report.failed:
            raise SweepFailed(_failure(self.report))
        if leave.asked():
            self.report.left = self.report.total - self.report.done
        return self.report

    def _next(self) -> Iterator[Unit]:
        """Units that this process has claimed, with what is missing of them."""
        while self.queue and not leave.asked():
            unit = self.queue.popleft()
            try:
                lease = claim(self.context.claim(unit))
                if lease is None:
                    self.busy.append(unit)
                    continue
                self.held[unit.name] = lease
                # a unit that nobody has claimed before is as it was when the sweep began
                left = missing_units([unit], self.context.store) if lease.number > 1 else [unit]
            except Exception as error:  # a full disk, a store that is held: the sweep still has the others to do
                self.ended.append(failed(unit, self.context, error, 0.0))
                continue
            if left:
                yield left[0]
            else:
                self.ended.append(Outcome(unit, "done"))

    def _take_ended(self) -> None:
        while self.ended:
            self._take(self.ended.popleft())

    def _take(self, outcome: Outcome) -> None:
        """Count what became of a unit, take its rows into the store, and let others have it."""
        unit = outcome.unit
        if outcome.status == "lost":
            self.losses[unit.name] += outcome.losses
            if self.losses[unit.name] < MOST_LOSSES:
                self._release(unit)
                self.queue.append(unit)
                return
            outcome = replace(
                outcome, status="failed", error=f"it lost {self.losses[unit.name]} workers: {outcome.error}"
            )
        if outcome.status == "left":
            self._release(unit)
            return
        if not self.spool_only and (begin := time.monotonic()) >= self.absorb_at:
            _absorb_now(self.context.store, self.keep_going)
            end = time.monotonic()
            self.absorb_at = end + min(max(ABSORB_EVERY, (end - begin) / ABSORB_SHARE), ABSORB_AT_LAST)
        self._release(unit)
        self.tries[unit.name] += 1
        outcome = replace(outcome, attempt=self.tries[unit.name])
        _count(self.report, outcome)
        if outcome.status == "failed" and self.losses[unit.name] < MOST_LOSSES:
            last = outcome.attempt > self.retries or outcome.hopeless
            if last and not self.keep_going:
                raise SweepFailed(_failure(self.report))
            if not last:
                self.queue.append(unit)
        if self.progress is not None:
            self.progress(outcome, self.report.done, self.report.total)

    def _release(self, unit: Unit) -> None:
        if lease := self.held.pop(unit.name, None):
            lease.release()

    def _wait(self) -> None:
        """Units another sweep is doing: wait until it lets one go, then look again at all of them."""
        while self.busy and not leave.asked():
            try:
                free = not all(is_held(self.context.claim(unit)) for unit in self.busy)
            except StoreError:  # claiming the unit meets it again, and records it
                free = True
            if free:
                self.queue.extend(self.busy)
                self.busy.clear()
                return
            time.sleep(BUSY_WAIT)


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


def _failure(report: Report) -> str:
    name, error = next(iter(report.failed.items()))
    more = f" and {len(report.failed) - 1} more" if len(report.failed) > 1 else ""
    return (
        f"{name}{more} failed: {error}; {report.done} of {report.total} are done; "
        f"mend the cause and sweep again, or pass --keep-going"
    )
