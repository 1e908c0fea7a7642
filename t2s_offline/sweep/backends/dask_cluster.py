"""Units on the workers of a Dask cluster: each is one task, and as many are in flight as there are workers.

Workers may join and leave while a sweep runs. A task whose worker is lost is given to another by Dask; after as many
losses as its setting ``distributed.scheduler.allowed-failures`` allows, the unit has failed and the others go on.
"""

from __future__ import annotations

import logging
import queue
import re
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from t2s_offline.errors import BadInput, SweepFailed, brief
from t2s_offline.sweep import leave
from t2s_offline.sweep.backends.remote import Order, Result, collect, do_order, kept_backbone, ordered, receive
from t2s_offline.sweep.node import VISIBLE, environments
from t2s_offline.sweep.run_unit import Outcome, failed
from t2s_offline.sweep.worker import SweepContext, Unit

LOOK = 1.0  # seconds between looks at which workers are there
JOIN = 30  # seconds to wait for a scheduler
LOCAL = "local"
LOSSES = 3  # workers that a task may lose on a local cluster


@dataclass(frozen=True)
class DaskCluster:
    """A backend that gives units to a Dask cluster. `client`: of the package distributed; `spool`: a folder or an
    fsspec address for rows and backbones, None to send them through Dask; `retries`: of a task that raises, which is a
    fault of the worker's node and not of the unit."""

    client: Any
    spool: str | None = None
    retries: int = 1

    def outcomes(self, units: Iterator[Unit], context: SweepContext) -> Generator[Outcome, None, None]:
        ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        running: dict[str, tuple[Any, Order]] = {}
        refused: list[Outcome] = []
        looked, slots, gpu, told = -LOOK, 0, False, context
        try:
            while True:
                if leave.asked():
                    yield from (Outcome(order.unit, "left") for _, order in running.values())
                    return
                if time.monotonic() - looked >= LOOK:
                    slots, gpu = self._slots(context)
                    told = replace(context, digests=context.store.digests())
                    looked = time.monotonic()
                # without a worker one unit waits for the first
                while len(running) < max(slots, 1) and (unit := next(units, None)) is not None:
                    try:
                        order = ordered(unit, told, self.spool)
                        future = self._submit(order, context, gpu)
                    except Exception as error:  # other pixels of a reference, a store that is held
                        refused.append(failed(unit, context, error, 0.0))
                        continue
                    running[future.key] = future, order
                    future.add_done_callback(ended.put)
                yield from refused
                refused.clear()
                if not running:
                    return
                try:
                    future = ended.get(timeout=LOOK)
                except queue.Empty:
                    if self.client.status != "running":
                        raise SweepFailed("the Dask scheduler is gone; start it again, and sweep again") from None
                    continue
                _, order = running.pop(future.key)
                yield self._outcome(future, order, context)
        finally:
            if running:
                self.client.cancel([future for future, _ in running.values()])

    def _slots(self, context: SweepContext) -> tuple[int, bool]:
        """How many units the workers that are there can do at once, and whether each takes a GPU: as many as the
        workers were given as their resource GPU, or one a worker."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        gpus = int(sum(worker.get("resources", {}).get("GPU", 0) for worker in workers))
        if context.device.startswith("cuda") or (context.device == "auto" and gpus):
            return gpus, True
        return len(workers), False

    def _submit(self, order: Order, context: SweepContext, gpu: bool) -> Any:
        kept = kept_backbone(order.unit, context)
        # a backbone of 50 MB is not part of a task: Dask keeps tasks in the scheduler
        sent = None if kept is None else self.client.scatter(kept, hash=False)
        resources = {"GPU": 1} if gpu else None
        return self.client.submit(_on_worker, order, sent, resources=resources, retries=self.retries, pure=False)

    def _outcome(self, future: Any, order: Order, context: SweepContext) -> Outcome:
        from distributed import KilledWorker

        try:
            result: Result = future.result()
        except KilledWorker as error:
            where = error.last_worker.address if error.last_worker else "unknown"
            reason = f"the last was {where}; see the log of that worker, which may have had too little memory"
            return Outcome(order.unit, "lost", reason, losses=error.allowed_failures + 1)
        except Exception as error:  # a task that was cancelled, a worker without this package
            return failed(order.unit, context, error, 0.0)
        try:
            return receive(result, order, context)
        except Exception as error:  # a full disk here
            return failed(order.unit, context, error, 0.0)


_ONE = threading.Lock()


def _on_worker(order: Order, backbone: bytes | None) -> Result:
    """Do a unit on a Dask worker, one at a time: training sets the number of threads of its process."""
    from distributed import get_worker

    worker = get_worker()
    name = re.sub(r"\W+", "-", str(worker.name)).strip("-")
    scratch = Path(worker.local_directory).parent / f"t2s-offline-{name}"
    with _ONE:
        return do_order(order, backbone, scratch, worker.address)


@contextmanager
def dask_backend(
    address: str, context: SweepContext, spool: str | None = None, retries: int = 1
) -> Iterator[DaskCluster]:
    """A Dask cluster: that of the scheduler at an address, or ``local`` for one of this machine with as many workers as
    the context says. Shards that wait in `spool` are taken first. BadInput when there is no scheduler."""
    try:
        import dask
        from distributed import Client
    except ImportError:
        raise BadInput("--cluster needs Dask: pip install 't2s-offline[cluster]'") from None
    if spool is not None:
        collect(spool, context)
    with ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": LOSSES - 1}))
        where: Any = stack.enter_context(_local_cluster(context)) if address == LOCAL else address
        try:
            client = stack.enter_context(Client(where, timeout=JOIN, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            raise BadInput(
                f"no Dask scheduler answers at {address}: {brief(error, 200)}; expected its address, such as "
                f"tcp://node:8786, or local"
            ) from error
        yield DaskCluster(client, spool, retries)


@contextmanager
def _local_cluster(context: SweepContext) -> Iterator[Any]:
    """A scheduler here and worker processes of this machine, each with a GPU or cores of its own."""
    from distributed import Nanny, Scheduler, SpecCluster

    here: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with tempfile.TemporaryDirectory(prefix="t2s-offline-", ignore_cleanup_errors=True) as folder:
        quiet = logging.ERROR
        workers = {}
        for number, environment in enumerate(environments(context.device, context.workers)):
            options = {**here, "nthreads": 1, "memory_limit": 0, "local_directory": folder, "env": dict(environment)}
            options |= {"resources": {"GPU": 1} if VISIBLE in environment else {}, "silence_logs": quiet}
            workers[number] = {"cls": Nanny, "options": options}
        scheduler = {"cls": Scheduler, "options": {**here, "dashboard": False}}
        with SpecCluster(workers=workers, scheduler=scheduler, silence_logs=quiet) as cluster:
            yield cluster
