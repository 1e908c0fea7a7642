"""Units in worker processes of this machine, each with a GPU or cores of its own.

Every worker is a pool of one process, because each gets another environment, set before torch is loaded there, and
because a worker that is killed then takes no other with it. Workers end when the process that sweeps does.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for

from t2s_offline.sweep import leave
from t2s_offline.sweep.run_unit import Outcome, do_unit
from t2s_offline.sweep.worker import SweepContext, Unit

LOOK = 0.5  # seconds between looks at whether the process was asked to leave
#: A group of processes gets these together: the process that sweeps says to its workers what to do.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Processes:
    """A backend of as many processes as `environments`: variables that each gets before it loads anything."""

    environments: Sequence[Mapping[str, str]]

    def outcomes(self, units: Iterator[Unit], context: SweepContext) -> Generator[Outcome, None, None]:
        ends, leaves = _SPAWN.Pipe(duplex=False), _SPAWN.Pipe(duplex=False)
        free = list(range(len(self.environments)))[::-1]
        workers: dict[int, ProcessPoolExecutor] = {}
        running: dict[Future[Outcome], tuple[int, Unit]] = {}
        try:
            while True:
                if leave.asked():
                    leaves[1].close()
                while free and (unit := next(units, None)) is not None:
                    slot = free.pop()
                    try:
                        future = workers[slot].submit(do_unit, unit, context)
                    except (KeyError, BrokenExecutor):  # not begun yet, or killed while it had nothing to do
                        workers[slot] = self._start(slot, ends[0], leaves[0])
                        with _unsignalled():
                            future = workers[slot].submit(do_unit, unit, context)
                    running[future] = slot, unit
                if not running:
                    return
                for future in wait(running, timeout=LOOK, return_when=FIRST_COMPLETED).done:
                    slot, unit = running.pop(future)
                    free.append(slot)
                    try:
                        outcome = future.result()
                    except BrokenExecutor:
                        workers.pop(slot).shutdown(wait=False)
                        outcome = Outcome(
                            unit, "lost", "a worker process was killed, as the system does without memory"
                        )
                    yield outcome
        finally:
            for end in (*ends, *leaves):
                end.close()
            for pool in workers.values():
                pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, slot: int, end: Connection, leaving: Connection) -> ProcessPoolExecutor:
        given = dict(self.environments[slot]), end, leaving
        return ProcessPoolExecutor(1, mp_context=_SPAWN, initializer=_begin, initargs=given)


@contextmanager
def _unsignalled() -> Iterator[None]:
    """Let signals wait while a process is begun: half of one would complain. It inherits the mask, and so gets none;
    here other threads would still take them, so the handlers wait, too."""
    came: list[int] = []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    here = SIGNALS if threading.current_thread() is threading.main_thread() else ()
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in here}
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for waiting in came:
            signal.raise_signal(waiting)


def _begin(environment: Mapping[str, str], end: Connection, leaving: Connection) -> None:
    """Begin a worker. It ends when the other end of a pipe is closed, also by the death of its parent."""
    os.environ.update(environment)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    atexit.register(os._exit, 0)  # DuckDB would tell of leaks when the interpreter ends
    threading.Thread(target=_watch, args=(end, leaving), daemon=True).start()


def _watch(end: Connection, leaving: Connection) -> None:
    while end not in (ready := wait_for([end] if leave.asked() else [end, leaving])):
        if leaving in ready:
            leave.ask()
    os._exit(1)
